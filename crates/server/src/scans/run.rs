// SPDX-License-Identifier: Apache-2.0
//! Begins scans: which hosts, spread over time, and a command to each when its turn comes.

use super::plan::{ScanSettings, ScanStart};
use crate::{log, time};
use lazaret_proto::{Message as _, v1};
use lazaret_store::{
    CommandRow, Cursor, HostFilter, HostRow, ScanHostRow, ScanPolicyRow, ScanTaskRow, Scope, Store,
    StoreError,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Hosts of one scan.
const MOST: usize = 100_000;
/// Commands given in one look.
const AT_ONCE: u32 = 500;
/// A host that is away has so long to come back for its scan.
const EXPIRES_MS: i64 = 24 * 3_600_000;

/// What a policy's row keeps.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Planned {
    pub(crate) settings: ScanSettings,
    pub(crate) start: ScanStart,
}

/// A scan that is to begin.
pub(crate) struct Wanted<'a> {
    pub(crate) project: &'a str,
    pub(crate) policy: &'a str,
    pub(crate) name: &'a str,
    pub(crate) who: &'a str,
    pub(crate) settings: &'a ScanSettings,
}

/// Writes a scan down; its hosts get their commands one after the other.
pub(crate) async fn begin(
    store: &Store,
    wanted: &Wanted<'_>,
    now_ms: i64,
) -> Result<ScanTaskRow, StoreError> {
    begin_as(store, &Uuid::now_v7().to_string(), wanted, now_ms).await
}

/// The same under an id that somebody chose; `Conflict` when it is taken.
pub(super) async fn begin_as(
    store: &Store,
    id: &str,
    wanted: &Wanted<'_>,
    now_ms: i64,
) -> Result<ScanTaskRow, StoreError> {
    let mut hosts = hosts(store, wanted).await?;
    hosts.truncate(MOST);
    let task = ScanTaskRow {
        id: id.to_owned(),
        project: wanted.project.to_owned(),
        policy: wanted.policy.to_owned(),
        name: wanted.name.to_owned(),
        kind: wanted.settings.kind.word().to_owned(),
        settings: serde_json::to_string(wanted.settings).map_err(|e| StoreError::Other(e.to_string()))?,
        state: if hosts.is_empty() { "finish" } else { "scanning" }.to_owned(),
        who: wanted.who.to_owned(),
        created_ms: now_ms,
        finished_ms: if hosts.is_empty() { now_ms } else { 0 },
    };
    let step = wanted.settings.spread_ms() / i64::try_from(hosts.len().max(1)).unwrap_or(1);
    let row = |(i, host): (usize, &HostRow)| ScanHostRow {
        task: task.id.clone(),
        host: host.id.clone(),
        state: "waiting".to_owned(),
        start_ms: now_ms + step * i64::try_from(i).unwrap_or(0),
        updated_ms: now_ms,
        ..ScanHostRow::default()
    };
    let rows: Vec<ScanHostRow> = hosts.iter().enumerate().map(row).collect();
    store.create_scan_task(&task, &rows).await?;
    Ok(task)
}

/// Those that can be scanned, each once.
async fn hosts(store: &Store, wanted: &Wanted<'_>) -> Result<Vec<HostRow>, StoreError> {
    let scope = Scope::Projects(vec![wanted.project.to_owned()]);
    let s = wanted.settings;
    let mut filters = Vec::new();
    if s.all_hosts {
        filters.push(HostFilter::default());
    }
    filters.extend(s.groups.iter().map(|g| HostFilter { group: g.clone(), ..HostFilter::default() }));
    filters.extend(s.hosts.chunks(100).map(|ids| HostFilter { ids: ids.to_vec(), ..HostFilter::default() }));
    let mut found = BTreeMap::new();
    for filter in filters {
        let mut cursor = Cursor { after: None, limit: 1000 };
        loop {
            let page = store.hosts_page(&scope, &filter, &cursor).await?;
            let fit = page.items.into_iter().filter(|h| !h.removed && !h.revoked);
            found.extend(fit.map(|h| (h.id.clone(), h)));
            let Some(next) = page.next else { break };
            cursor.after = Some(next);
        }
    }
    Ok(found.into_values().collect())
}

/// Begins the scans whose time has come.
pub(crate) async fn due(store: &Store) -> Result<(), StoreError> {
    let now_ms = time::now_ms();
    for policy in store.due_scan_policies(now_ms).await? {
        let Ok(planned) = serde_json::from_str::<Planned>(&policy.settings) else {
            log::line(&format!("worker: the scan policy {} cannot be read; it is not begun", policy.id));
            store.claim_scan_policy(&policy.id, policy.next_ms, 0).await?;
            continue;
        };
        // Whoever moves the time on begins it: two workers see the same policy.
        let next_ms = planned.start.again_ms(now_ms);
        if store.claim_scan_policy(&policy.id, policy.next_ms, next_ms).await? {
            let wanted = of_policy(&policy, &planned);
            begin(store, &wanted, now_ms).await?;
        }
    }
    give(store, now_ms).await
}

fn of_policy<'a>(policy: &'a ScanPolicyRow, planned: &'a Planned) -> Wanted<'a> {
    Wanted {
        project: &policy.project,
        policy: &policy.id,
        name: &policy.name,
        who: &policy.updated_by,
        settings: &planned.settings,
    }
}

/// The command of a host in a scan: always the same, so that two workers give one.
fn command_id(task: &str, host: &str) -> String {
    let digest = Sha256::digest(format!("scan\0{task}\0{host}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

async fn give(store: &Store, now_ms: i64) -> Result<(), StoreError> {
    let mut tasks: BTreeMap<String, ScanTaskRow> = BTreeMap::new();
    for mut row in store.due_scan_hosts(now_ms, AT_ONCE).await? {
        if !tasks.contains_key(&row.task) {
            tasks.insert(row.task.clone(), store.scan_task(&row.task).await?);
        }
        let Some(task) = tasks.get(&row.task) else { continue };
        let host = store.host(&row.host).await?;
        row.updated_ms = now_ms;
        let settings = serde_json::from_str::<ScanSettings>(&task.settings);
        let fault = match &settings {
            _ if host.removed => Some("the host was removed from the fleet".to_owned()),
            _ if host.revoked => Some("the host's certificate is revoked".to_owned()),
            Err(e) => Some(format!("the settings of the scan cannot be read: {e}")),
            Ok(_) => match crate::editions::of_host(store, &host.id).await?.no_scan(&task.kind) {
                Some(why) => Some(why),
                None => other(store, &row).await?,
            },
        };
        let (Ok(settings), None) = (&settings, &fault) else {
            row.state = "fail".to_owned();
            row.reason = fault.unwrap_or_default();
            row.finished_ms = now_ms;
            store.update_scan_host(&row).await?;
            continue;
        };
        let command = command(task, &host, settings, now_ms);
        row.command.clone_from(&command.id);
        row.state = "scanning".to_owned();
        row.started_ms = now_ms;
        match store.insert_commands(std::slice::from_ref(&command)).await {
            Ok(()) | Err(StoreError::Conflict(_)) => {
                store.update_scan_host(&row).await?;
            }
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// A host that is being scanned is not scanned a second time meanwhile.
async fn other(store: &Store, row: &ScanHostRow) -> Result<Option<String>, StoreError> {
    let running = |s: &ScanHostRow| s.task != row.task && matches!(s.state.as_str(), "scanning" | "paused");
    let scans = store.scans_of_host(&row.host).await?;
    Ok(scans.iter().find(|s| running(s)).map(|s| format!("the scan {} runs on it", s.task)))
}

fn command(task: &ScanTaskRow, host: &HostRow, settings: &ScanSettings, now_ms: i64) -> CommandRow {
    let id = command_id(&task.id, &host.id);
    let bytes = |list: &[String]| list.iter().map(|p| p.clone().into_bytes()).collect();
    let scan = v1::ScanCommand {
        task: task.id.clone(),
        kind: task.kind.clone(),
        paths: bytes(&settings.include),
        exclude: bytes(&settings.exclude),
        file_types: settings.file_types.iter().map(|t| t.word().to_owned()).collect(),
        automatic: settings.automatic,
    };
    let payload = v1::Command {
        id: id.clone(),
        created_ms: now_ms,
        expires_ms: now_ms + EXPIRES_MS,
        who: task.who.clone(),
        verb: Some(v1::command::Verb::Scan(scan)),
    };
    CommandRow {
        id,
        host: host.id.clone(),
        project: host.project.clone(),
        task: task.id.clone(),
        verb: "scan".to_owned(),
        about: String::new(),
        state: "pending".to_owned(),
        reason: String::new(),
        who: task.who.clone(),
        created_ms: now_ms,
        expires_ms: now_ms + EXPIRES_MS,
        sent_ms: 0,
        finished_ms: 0,
        cancel: false,
        payload: payload.encode_to_vec(),
        result: Vec::new(),
    }
}
