// SPDX-License-Identifier: Apache-2.0
//! What one host is part of, and may do, of Malware Cloud Scan: as its desired state says it.

use crate::editions;
use lazaret_proto::v1;
use lazaret_store::{CloudConsent, HostRow, Store, StoreError};

/// The switch.
const SWITCH: &str = "malware_cloud_scan";

/// Of one host.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::gateway) struct View {
    pub(in crate::gateway) project: String,
    /// Its project's switch is on, and its edition includes it.
    pub(in crate::gateway) on: bool,
    /// What leaves it; `None`: nothing does.
    pub(in crate::gateway) policy: Option<v1::CloudPolicy>,
    /// Acts on verdicts before the others.
    pub(in crate::gateway) canary: bool,
    /// Samples of it are kept for so many days; 0: until somebody deletes them.
    pub(super) sample_days: i64,
    /// See [`CloudConsent::ring_seconds`].
    pub(super) ring_seconds: i64,
}

impl View {
    /// `on`: by switch and edition.
    pub(in crate::gateway) fn of(host: &HostRow, consent: &CloudConsent, on: bool) -> Self {
        let policy = (on && (consent.hashes || consent.samples)).then(|| v1::CloudPolicy {
            hashes: consent.hashes,
            samples: consent.samples,
            max_sample_bytes: u64::try_from(consent.max_sample_bytes).unwrap_or_default(),
            exclude: consent.exclude.clone(),
            kinds: consent.kinds.clone(),
            wait_ms: u32::try_from(consent.wait_ms).unwrap_or_default(),
            fail_closed: consent.fail_closed,
            bytes_per_second: u64::try_from(consent.bytes_per_second).unwrap_or_default(),
        });
        let canary = host.group.as_ref().is_some_and(|group| consent.canary_groups.contains(group));
        let (sample_days, ring_seconds) = (consent.sample_days, consent.ring_seconds);
        Self { project: host.project.clone(), on, policy, canary, sample_days, ring_seconds }
    }

    /// Reads it.
    pub(in crate::gateway) async fn load(store: &Store, host: &str) -> Result<Self, StoreError> {
        let host = store.host(host).await?;
        let consent = store.cloud_consent(&host.project).await?;
        let on = store.switch(&host.project, SWITCH).await?.on
            && editions::of_host(store, &host.id).await?.is.cloud_scan;
        Ok(Self::of(&host, &consent, on))
    }

    /// Hashes are told and asked about.
    pub(super) fn hashes(&self) -> bool {
        self.policy.as_ref().is_some_and(|p| p.hashes)
    }

    /// Why a sample of this size and kind is not taken.
    pub(super) fn no_sample(&self, size: u64, kind: &str) -> Option<String> {
        let Some(policy) = self.policy.as_ref().filter(|p| p.samples) else {
            return Some("no samples are taken from this host: its project has not consented".to_owned());
        };
        if size == 0 {
            return Some("it is empty".to_owned());
        }
        if size > policy.max_sample_bytes {
            return Some(format!("it has {size} bytes, and {} are allowed", policy.max_sample_bytes));
        }
        if !policy.kinds.iter().any(|k| k == kind) {
            return Some("files of its kind are not taken".to_owned());
        }
        None
    }
}
