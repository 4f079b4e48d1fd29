// SPDX-License-Identifier: Apache-2.0
//! What a host should have, from its project's switches, its group's policy group and the whitelist.

use super::cloud::view::View;
use super::now_ms;
use crate::settings::PolicySettings;
use lazaret_proto::v1;
use lazaret_store::{HostRow, Scope, Store, StoreError};

/// Setting with the version of the rules that hosts should have.
pub const CONTENT_VERSION: &str = "content_version";
/// Setting with the age recipient of the fleet's recovery key.
pub const RECOVERY_RECIPIENT: &str = "recovery_recipient";

/// Computes it, and what it means for Malware Cloud Scan. The generation is the host's: whatever changes what is
/// computed here counts it up.
pub(super) async fn state(store: &Store, host: &HostRow) -> Result<(v1::DesiredState, View), StoreError> {
    let mut settings = PolicySettings::default();
    let mut name = String::new();
    if let Some(group) = &host.group {
        let policy_group = match store.host_group(group).await {
            Ok(group) => group.policy_group,
            Err(StoreError::NotFound(_)) => None,
            Err(e) => return Err(e),
        };
        if let Some(id) = policy_group {
            let row = store.policy_group(&id).await?;
            // Checked when it was written; a row that is none must not switch protection off.
            settings = PolicySettings::parse(&row.settings)
                .map_err(|e| StoreError::Corrupt(format!("policy group {}: {e}", row.name)))?;
            name = row.name;
        }
    }
    let switches = store.switches(&host.project).await?;
    let on = |name: &str| switches.iter().any(|s| s.name == name && s.on);
    let mut policy = settings.policy(
        on("isolate_and_kill"),
        on("malware_cloud_scan"),
        on("malware_sample_high_detect"),
        &name,
    );
    crate::editions::of_host(store, &host.id).await?.limit(&mut policy);
    let consent = store.cloud_consent(&host.project).await?;
    let view = View::of(host, &consent, policy.malware_cloud_scan == Some(true));
    policy.cloud.clone_from(&view.policy);
    let whitelist = store
        .whitelist_for_host(&host.id, now_ms())
        .await?
        .into_iter()
        .map(|w| v1::WhitelistEntry {
            id: w.id,
            field: w.field,
            judge: w.judge,
            value: w.value,
            sha256: w.sha256,
            any_content: w.any_content,
            description: w.description,
            added_ms: w.added_ms,
            hits: 0,
            added_by: w.added_by,
            class: w.class,
            expires_ms: w.expires_ms,
            source: String::new(),
        })
        .collect();
    let disarmed = store
        .disarmed_rules(&Scope::Projects(vec![host.project.clone()]))
        .await?
        .into_iter()
        .map(|d| v1::DisarmOrder { rule: d.rule, reason: d.reason, who: d.who, at_ms: d.at_ms })
        .collect();
    let state = v1::DesiredState {
        generation: u64::try_from(host.generation).unwrap_or_default(),
        policy: Some(policy),
        whitelist,
        content_version: store.setting(CONTENT_VERSION).await?.unwrap_or_default(),
        disarmed,
        content: store.newest_pack(&host.project).await?.as_ref().map(crate::content::offer),
        recovery_recipient: store.setting(RECOVERY_RECIPIENT).await?.unwrap_or_default(),
    };
    Ok((state, view))
}
