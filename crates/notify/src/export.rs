// SPDX-License-Identifier: Apache-2.0
//! One step for a target of other systems: the next events, in order. The order is kept, so nothing overtakes
//! what cannot be delivered; it waits, as long as notices are kept.

use crate::failure::Failure;
use crate::ocsf::{self, Known, Teller};
use crate::outbound::Outbound;
use crate::secrets::Secrets;
use crate::settings::{Notice, Settings};
use crate::text::now_ms;
use crate::worker::Step;
use crate::{backoff, file, gather, http, syslog};
use lazaret_store::{IsolatedRow, NoticeRow, Result, Store, TargetRow};
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;

/// Events of one delivery.
const BATCH: u32 = 500;
/// Between two tries, at most.
const MOST_RETRY: Duration = Duration::from_secs(60);

/// Delivers events.
pub(crate) async fn send(
    out: &Outbound,
    project: &str,
    settings: &Settings,
    secrets: &Secrets,
    events: &[Value],
) -> std::result::Result<(), Failure> {
    if let Some(f) = &settings.file {
        return file::send(out, project, f, events).await;
    }
    if let Some(s) = &settings.syslog {
        return syslog::send(out, s, events).await;
    }
    let Some(h) = &settings.http else {
        return Err(Failure::new("the target is none for exports"));
    };
    let mut body = String::new();
    for event in events {
        body.push_str(&event.to_string());
        body.push('\n');
    }
    let mut headers = vec![("content-type", "application/x-ndjson".to_owned())];
    if let Some(token) = &secrets.token {
        headers.push(("authorization", format!("Bearer {token}")));
    }
    http::post(out, &h.url, h.authority.as_deref(), &headers, body).await
}

/// Does what is due.
pub(crate) async fn step(
    store: &Store,
    out: &Outbound,
    row: &TargetRow,
    settings: &Settings,
) -> Result<Step> {
    let mut state = store.target_state(&row.id).await?;
    let now = now_ms();
    if now < state.retry_ms {
        return Ok(Step::wait_ms(state.retry_ms - now));
    }
    // Asked before the notices: what is behind it then is either read or of another project.
    let (_, newest) = store.notice_bounds().await?;
    if newest <= state.cursor {
        return Ok(Step::Idle);
    }
    let notices = store.notices(&row.project, state.cursor, newest, BATCH).await?;
    let full = notices.len() >= BATCH as usize;
    let to = match notices.last() {
        Some(last) if full => last.seq,
        _ => newest,
    };
    let wanted: Vec<&NoticeRow> = notices
        .iter()
        .filter(|n| settings.filter.lets(Notice { severity: n.severity, class: &n.class, test: n.test }))
        .collect();
    let events = render(store, out, &wanted).await?;
    let sent = if events.is_empty() {
        Ok(())
    } else {
        match Secrets::of(row, &*out.seal) {
            Ok(secrets) => send(out, &row.project, settings, &secrets, &events).await,
            Err(e) => Err(Failure::new(e)),
        }
    };
    let now = now_ms();
    match sent {
        Ok(()) => {
            state.cursor = to;
            state.failures = 0;
            state.retry_ms = 0;
            if !events.is_empty() {
                state.sent = state.sent.saturating_add(i64::try_from(events.len()).unwrap_or(0));
                state.ok_ms = now;
                state.error.clear();
            }
            store.set_target_state(&state).await?;
            Ok(if full { Step::Again } else { Step::Idle })
        }
        Err(failure) => {
            state.failures += 1;
            state.error = failure.to_string();
            state.error_ms = now;
            let wait = backoff::after(state.failures, MOST_RETRY, &out.limits);
            state.retry_ms = now + wait;
            store.set_target_state(&state).await?;
            let wait = Duration::from_millis(wait.unsigned_abs());
            Ok(Step::Failed { first: state.failures == 1, wait, failure })
        }
    }
}

/// The events of notices, in their order.
pub(crate) async fn render(store: &Store, out: &Outbound, notices: &[&NoticeRow]) -> Result<Vec<Value>> {
    let alarms = gather::alarms(store, notices.iter().map(|n| n.about.clone()).collect()).await?;
    let hosts = gather::hosts(store, notices.iter().map(|n| n.host.clone()).collect()).await?;
    let isolated_id = |n: &NoticeRow| {
        let detail: Value = serde_json::from_str(&n.detail).unwrap_or_default();
        detail["isolated"].as_str().filter(|i| !i.is_empty()).map(str::to_owned)
    };
    let of: Vec<Option<String>> =
        notices.iter().map(|n| if n.kind == "alarm" { None } else { isolated_id(n) }).collect();
    let mut ids: Vec<String> = of.iter().flatten().cloned().collect();
    ids.sort_unstable();
    ids.dedup();
    let files: HashMap<String, IsolatedRow> =
        store.isolated_by_ids(&ids).await?.into_iter().map(|i| (i.id.clone(), i)).collect();
    let teller = Teller { installation: &out.installation, version: out.version };
    let one = |(n, isolated): (&&NoticeRow, &Option<String>)| {
        let known = Known {
            alarm: alarms.get(&n.about),
            isolated: isolated.as_ref().and_then(|i| files.get(i)),
            host: hosts.get(&n.host),
        };
        ocsf::event(teller, n, known)
    };
    Ok(notices.iter().zip(&of).filter_map(one).collect())
}
