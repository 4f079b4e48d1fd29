// SPDX-License-Identifier: Apache-2.0
//! What a message is about: notices behind a target's cursor that its filter lets through, counted, the first
//! of them with their alarms.

use crate::message::{Item, LISTED, Message};
use crate::outbound::Outbound;
use crate::settings::{Notice, Settings};
use crate::text::{severity, time};
use lazaret_store::{AlarmRow, Cursor, HostFilter, HostRow, NoticeRow, Result, Scope, Store};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap};

/// Read at a time.
const PAGE: u32 = 2_000;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) total: u64,
    severities: BTreeMap<String, u64>,
    classes: BTreeMap<String, u64>,
    pub(crate) first: Vec<NoticeRow>,
}

/// Whether people are told of it.
fn told(settings: &Settings, n: &NoticeRow) -> bool {
    let event = match n.word.as_str() {
        "new" | "raised" => true,
        "handled" | "reopened" => settings.filter.handlings,
        _ => false,
    };
    event
        && n.kind == "alarm"
        && settings.filter.lets(Notice { severity: n.severity, class: &n.class, test: n.test })
}

/// Looks behind a number, up to another.
pub(crate) async fn look(
    store: &Store,
    project: &str,
    settings: &Settings,
    after: i64,
    to: i64,
) -> Result<Found> {
    let mut found = Found::default();
    let mut at = after;
    loop {
        let page = store.notices(project, at, to, PAGE).await?;
        for n in &page {
            at = n.seq;
            if !told(settings, n) {
                continue;
            }
            found.total += 1;
            *found.severities.entry(severity(n.severity).to_owned()).or_default() += 1;
            let class = if n.class.is_empty() { "-" } else { &n.class };
            *found.classes.entry(class.to_owned()).or_default() += 1;
            if found.first.len() < LISTED {
                found.first.push(n.clone());
            }
        }
        if page.len() < PAGE as usize {
            return Ok(found);
        }
    }
}

/// The message about what was found.
pub(crate) async fn message(
    store: &Store,
    out: &Outbound,
    project: &str,
    kind: &str,
    id: String,
    found: &Found,
) -> Result<Message> {
    let alarms = alarms(store, found.first.iter().map(|n| n.about.clone()).collect()).await?;
    let hosts = hosts(store, found.first.iter().map(|n| n.host.clone()).collect()).await?;
    let items = found
        .first
        .iter()
        .map(|n| Item::new(n, alarms.get(&n.about), hosts.get(&n.host), &out.console))
        .collect();
    let mut message = Message {
        id,
        kind: kind.to_owned(),
        project: project.to_owned(),
        title: String::new(),
        at: time(crate::text::now_ms()),
        total: found.total,
        severities: found.severities.clone(),
        classes: found.classes.clone(),
        alarms: items,
    };
    message.titled();
    Ok(message)
}

/// By id.
pub(crate) async fn alarms(store: &Store, mut ids: Vec<String>) -> Result<HashMap<String, AlarmRow>> {
    ids.sort_unstable();
    ids.dedup();
    Ok(store.alarms_by_ids(&ids).await?.into_iter().map(|a| (a.id.clone(), a)).collect())
}

/// By id.
pub(crate) async fn hosts(store: &Store, mut ids: Vec<String>) -> Result<HashMap<String, HostRow>> {
    ids.sort_unstable();
    ids.dedup();
    let mut found = HashMap::new();
    for part in ids.chunks(500) {
        let filter = HostFilter { ids: part.to_vec(), removed: true, ..HostFilter::default() };
        let page = store.hosts_page(&Scope::All, &filter, &Cursor { after: None, limit: 1000 }).await?;
        found.extend(page.items.into_iter().map(|h| (h.id.clone(), h)));
    }
    Ok(found)
}

/// The same for each try of the same notices to the same target.
pub(crate) fn message_id(installation: &str, target: &str, after: i64, to: i64) -> String {
    let hash = Sha256::digest(format!("{installation} {target} {after} {to}").as_bytes());
    format!("msg_{}", crate::text::hex(&hash[..16]))
}
