// SPDX-License-Identifier: Apache-2.0
//! The jobs of one worker in the store: leased, renewed, ended, given back.

use crate::job::Outcome;
use crate::run::SetAside;
use crate::settings::Settings;
use crate::vote::to_json;
use crate::weigh::{Standing, Weighed};
use lazaret_model::{ScanReport, Sha256, Thresholds};
use lazaret_proto::{Message as _, v1};
use lazaret_store::{DeepScanEnd, DeepScanRow, GivenBack, NewVerdict, Store, StoreError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A report that is kept, bytes: an answer of a scanner is no longer.
const MAX_REPORT: usize = 64 * 1024;

/// A job that is ours.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub(crate) id: String,
    pub(crate) project: String,
    pub(crate) sha256: Sha256,
    /// This one included.
    pub(crate) tries: u32,
}

/// The store, as one worker uses it.
#[derive(Clone)]
pub(crate) struct Queue {
    store: Store,
    worker: String,
    lease: Duration,
}

impl Queue {
    pub(crate) fn new(store: Store, settings: &Settings) -> Self {
        // Another one after each start: what a worker had that is gone is not ours.
        Self { store, worker: uuid::Uuid::now_v7().to_string(), lease: settings.lease }
    }

    /// Whether there is anything to take.
    pub(crate) async fn is_due(&self) -> Result<bool, StoreError> {
        self.store.deep_scans_due(now_ms()).await
    }

    /// Takes up to `n` jobs.
    pub(crate) async fn take(&self, n: u32) -> Result<Vec<Lease>, StoreError> {
        let rows = self.store.lease_deep_scans(&self.worker, n, millis(self.lease), now_ms()).await?;
        Ok(rows.iter().filter_map(lease).collect())
    }

    /// Keeps it ours for another while; `false`: somebody else has it by now.
    pub(crate) async fn renew(&self, job: &Lease) -> Result<bool, StoreError> {
        let until = now_ms() + millis(self.lease);
        self.store.renew_deep_scan(&job.id, &self.worker, until).await
    }

    /// Somebody takes it again, not before `after`.
    pub(crate) async fn give_back(
        &self,
        job: &Lease,
        why: &str,
        after: Duration,
        crashed: bool,
    ) -> Result<GivenBack, StoreError> {
        let not_before = now_ms() + millis(after);
        self.store.give_back_deep_scan(&job.id, &self.worker, why, not_before, crashed, now_ms()).await
    }

    /// Samples that were set aside, by whomever, and that nobody was told of.
    pub(crate) async fn aside(&self) -> Result<Vec<(String, SetAside)>, StoreError> {
        let rows = self.store.deep_scans_to_tell(20).await?;
        Ok(rows.into_iter().filter_map(|row| Some((row.id.clone(), aside(row)?))).collect())
    }

    /// Somebody was told.
    pub(crate) async fn told(&self, id: &str) -> Result<(), StoreError> {
        self.store.deep_scan_told(id).await
    }

    /// Writes what came of it, the verdict in the same transaction; whether one was written.
    pub(crate) async fn finish(&self, job: &Lease, outcome: &Outcome) -> Result<bool, StoreError> {
        let Outcome::Judged { report, votes, weighed, remark } = outcome else { return Ok(false) };
        let now_ms = now_ms();
        let verdict = match weighed.standing {
            Standing::Bad => Some(self.verdict(job, weighed, now_ms).await?),
            Standing::Clean | Standing::Pending => None,
        };
        let standing = match weighed.standing {
            Standing::Bad => "bad",
            Standing::Clean => "clean",
            Standing::Pending => "unknown",
        };
        let end = DeepScanEnd {
            standing: standing.to_owned(),
            report: kept(report.as_deref(), weighed, remark),
            votes: to_json(votes),
            verdict,
            now_ms,
        };
        Ok(self.store.finish_deep_scan(&job.id, &self.worker, end).await?.is_some())
    }

    async fn verdict(&self, job: &Lease, weighed: &Weighed, now_ms: i64) -> Result<NewVerdict, StoreError> {
        let consent = self.store.cloud_consent(&job.project).await?;
        let verdict = &weighed.verdict;
        Ok(NewVerdict {
            project: job.project.clone(),
            sha256: job.sha256.0.to_vec(),
            class: verdict.class.word().to_owned(),
            family: verdict.family.clone(),
            confidence: i64::from(verdict.confidence.value()),
            rating: Thresholds::default().rate(verdict.confidence).word().to_owned(),
            verdict: v1::Verdict::from(verdict).encode_to_vec(),
            origin: "deep_scan".to_owned(),
            who: String::new(),
            why: verdict.evidence.iter().map(|e| e.id.as_str()).take(8).collect::<Vec<_>>().join(", "),
            act_all: consent.ring_seconds == 0,
            release_ms: match consent.ring_seconds {
                // Only when a person says so.
                ..0 => 0,
                seconds => now_ms + seconds * 1_000,
            },
            now_ms,
        })
    }
}

/// The report with the verdict that was made of it; where the engine gave none, that is said in it.
fn kept(report: Option<&ScanReport>, weighed: &Weighed, remark: &str) -> Vec<u8> {
    let mut report = report.cloned().unwrap_or_else(|| ScanReport {
        verdict: weighed.verdict.clone(),
        members: Vec::new(),
        objects: 0,
        bytes: 0,
        unscanned: Vec::new(),
        elf: None,
        tlsh: String::new(),
    });
    report.verdict = weighed.verdict.clone();
    if !remark.is_empty() {
        report.unscanned.insert(0, remark.to_owned());
    }
    let mut report = v1::ScanReport::from(&report);
    // What a scanner answers fits, and the votes with it, but for the most talkative.
    while report.encoded_len() > MAX_REPORT && report.members.pop().is_some() {}
    report.encode_to_vec()
}

fn lease(row: &DeepScanRow) -> Option<Lease> {
    Some(Lease {
        id: row.id.clone(),
        project: row.project.clone(),
        sha256: Sha256::from_slice(&row.sha256)?,
        tries: u32::try_from(row.tries).unwrap_or(u32::MAX),
    })
}

fn aside(row: DeepScanRow) -> Option<SetAside> {
    Some(SetAside {
        id: row.id,
        project: row.project,
        sha256: Sha256::from_slice(&row.sha256)?,
        why: row.reason,
        crashes: row.crashes,
        at_ms: row.finished_ms,
    })
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 4)
}

pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
