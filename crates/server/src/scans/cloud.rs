// SPDX-License-Identifier: Apache-2.0
//! The quick scan that the switch *Malware Cloud Scan* begins over all hosts of a project: it fills their
//! inventories. One at a time, also where two people switch it on at once on two servers.

use super::plan::{ScanKind, ScanSettings};
use super::run::{self, Wanted};
use lazaret_store::{ScanTaskRow, Store, StoreError};
use sha2::{Digest as _, Sha256};

/// Stands as the policy of these scans: no plan has this id.
pub(crate) const POLICY: &str = "malware_cloud_scan";
const NAME: &str = "Malware Cloud Scan";

/// The scan of a project, as it was begun or found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Baseline {
    pub(crate) task: String,
    /// By this call; else it runs already.
    pub(crate) begun: bool,
}

/// The last one of a project.
pub(crate) async fn last(store: &Store, project: &str) -> Result<Option<ScanTaskRow>, StoreError> {
    store.last_scan_of_policy(project, POLICY).await
}

pub(crate) fn runs(task: &ScanTaskRow) -> bool {
    task.state != "finish"
}

/// What [`begin`] would do now.
pub(crate) async fn next(store: &Store, project: &str) -> Result<Baseline, StoreError> {
    Ok(match last(store, project).await? {
        Some(task) if runs(&task) => Baseline { task: task.id, begun: false },
        before => Baseline { task: id(project, before.as_ref().map_or("", |t| &t.id)), begun: true },
    })
}

/// Begins it unless one runs. `store` may carry the row of the audit log.
pub(crate) async fn begin(
    store: &Store,
    project: &str,
    who: &str,
    now_ms: i64,
) -> Result<Baseline, StoreError> {
    let next = next(store, project).await?;
    if !next.begun {
        return Ok(next);
    }
    let settings = ScanSettings {
        kind: ScanKind::Quick,
        all_hosts: true,
        hosts: Vec::new(),
        groups: Vec::new(),
        file_types: Vec::new(),
        include: Vec::new(),
        exclude: Vec::new(),
        // What it finds is shown; what is isolated by itself is so when it is run or written.
        automatic: false,
        spread_minutes: None,
    };
    let wanted = Wanted { project, policy: POLICY, name: NAME, who, settings: &settings };
    match run::begin_as(store, &next.task, &wanted, now_ms).await {
        Ok(_) => Ok(next),
        // Somebody else has begun the same one meanwhile.
        Err(StoreError::Conflict(_)) => Ok(Baseline { begun: false, ..next }),
        Err(e) => Err(e),
    }
}

/// Follows from the one before: who begins at the same time gives it the same id, and the second one finds
/// it taken.
fn id(project: &str, before: &str) -> String {
    let digest = Sha256::digest(format!("cloud scan\0{project}\0{before}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scan_has_one_id_that_follows_from_the_last() {
        let first = id("0", "");
        assert_eq!(first, id("0", ""));
        assert_ne!(first, id("1", ""));
        assert_ne!(first, id("0", &first));
        assert!(uuid::Uuid::try_parse(&first).is_ok());
    }
}
