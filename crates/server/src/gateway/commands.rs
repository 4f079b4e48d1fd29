// SPDX-License-Identifier: Apache-2.0
//! Orders on their way to a host, and their results.

use super::facts::text;
use super::live::{Inbox, Live};
use super::{Inner, now_ms};
use lazaret_proto::{Message, v1};
use lazaret_store::{CommandEnd, CommandRow, StoreError};
use v1::server_frame::Kind as Say;

/// The words of an end.
const OUTCOMES: [&str; 6] = ["done", "partial", "refused", "failed", "expired", "cancelled"];

/// Orders that are noted as sent with one commit.
const AT_ONCE: usize = 500;

/// Bytes of a result that are kept.
const MAX_RESULT: usize = 512 << 10;

/// An order as it goes on the wire. The row is what counts: id, expiry and who.
pub(super) fn wire(row: &CommandRow) -> Option<Say> {
    let mut command = v1::Command::decode(row.payload.as_slice()).ok()?;
    command.verb.as_ref()?;
    command.id.clone_from(&row.id);
    command.who.clone_from(&row.who);
    (command.created_ms, command.expires_ms) = (row.created_ms, row.expires_ms);
    Some(Say::Command(command))
}

/// Notes orders as sent and gives them to their sessions. In this order: an order that is noted as
/// pending was certainly never sent, so that it may expire or be cancelled here. All are noted before
/// the first goes out: thousands of results would stand before the rest.
pub(super) async fn give(inner: &Inner, list: Vec<(&Live, Vec<CommandRow>)>) -> Result<(), StoreError> {
    let now = now_ms();
    let mut ready = Vec::new();
    for (live, rows) in list {
        let inbox = live.inbox();
        let fresh = rows.into_iter().filter(|r| !inbox.given.contains(&r.id) && r.expires_ms >= now);
        ready.extend(fresh.filter_map(|r| wire(&r).map(|say| (live, r, say))));
    }
    let mut rest = ready.into_iter();
    let mut noted = Vec::new();
    let mut trouble = None;
    loop {
        let part: Vec<_> = rest.by_ref().take(AT_ONCE).collect();
        if part.is_empty() {
            break;
        }
        match note(inner, part, now).await {
            Ok(part) => noted.extend(part),
            Err(e) => {
                trouble = Some(e);
                break;
            }
        }
    }
    metrics::counter!("lazaret_gateway_commands_sent_total").increment(noted.len() as u64);
    for (live, row, say) in noted {
        {
            let mut inbox = live.inbox();
            if inbox.given.insert(row.id) {
                inbox.out.push_back(say);
            }
        }
        live.news.notify_one();
    }
    trouble.map_or(Ok(()), Err)
}

type Ready<'a> = (&'a Live, CommandRow, Say);

/// One commit for all of them; without those that were cancelled meanwhile.
async fn note<'a>(inner: &Inner, part: Vec<Ready<'a>>, now: i64) -> Result<Vec<Ready<'a>>, StoreError> {
    let pending: Vec<String> =
        part.iter().filter(|(_, r, _)| r.state == "pending").map(|(_, r, _)| r.id.clone()).collect();
    if pending.is_empty() || inner.store.mark_sent(&pending, now).await? == pending.len() as u64 {
        return Ok(part);
    }
    let mut kept = Vec::with_capacity(part.len());
    for one in part {
        if inner.store.command(&one.1.id).await?.state == "sent" {
            kept.push(one);
        }
    }
    Ok(kept)
}

/// Orders of a host that has just come: all without a result, but those that it has under way.
pub(super) async fn again(inner: &Inner, live: &Live, under_way: &[String]) -> Result<(), StoreError> {
    let rows = inner.store.unfinished_commands(&live.host).await?;
    {
        let mut inbox = live.inbox();
        inbox.given.extend(under_way.iter().take(10_000).cloned());
        for row in rows.iter().filter(|r| r.cancel && r.state == "sent") {
            cancel(&mut inbox, &row.id);
        }
    }
    let mut rest = Vec::new();
    for row in rows {
        if row.state == "sent" && row.cancel {
            continue;
        }
        if row.state == "sent" && row.expires_ms < now_ms() {
            // It may have been done: only the host knows. It answers with the result, or `expired`.
            let Some(say) = wire(&row) else { continue };
            let mut inbox = live.inbox();
            if inbox.given.insert(row.id) {
                inbox.out.push_back(say);
            }
            continue;
        }
        rest.push(row);
    }
    give(inner, vec![(live, rest)]).await?;
    live.news.notify_one();
    Ok(())
}

/// Puts a cancellation into the inbox, once in a session.
pub(super) fn cancel(inbox: &mut Inbox, id: &str) {
    if inbox.cancelled.insert(id.to_owned()) {
        inbox.out.push_back(Say::Cancel(v1::CancelCommand { id: id.to_owned() }));
    }
}

/// Writes a result down. The first one counts.
pub(super) async fn finish(inner: &Inner, host: &str, result: v1::CommandResult) -> Result<(), StoreError> {
    let known = OUTCOMES.contains(&result.outcome.as_str());
    let state = if known { result.outcome.clone() } else { "failed".to_owned() };
    let reason = if known {
        text(&result.reason, 1024)
    } else {
        format!("the host answered with an outcome that is none: {}", text(&result.outcome, 64))
    };
    scanned(inner, host, &result, &state, &reason).await?;
    let mut bytes = result.encode_to_vec();
    if bytes.len() > MAX_RESULT {
        bytes = v1::CommandResult { detail: None, ..result.clone() }.encode_to_vec();
    }
    if bytes.len() > MAX_RESULT {
        bytes = Vec::new();
    }
    let end =
        CommandEnd { id: result.id, host: host.to_owned(), state, reason, at_ms: now_ms(), result: bytes };
    let first = inner.results.put(end).await?;
    let word = if first { "first" } else { "late" };
    metrics::counter!("lazaret_gateway_results_total", "which" => word).increment(1);
    Ok(())
}

/// The end of a scan is its host's line in the scan, too, also when it never began.
async fn scanned(
    inner: &Inner,
    host: &str,
    result: &v1::CommandResult,
    state: &str,
    reason: &str,
) -> Result<(), StoreError> {
    if let Some(v1::command_result::Detail::Scan(progress)) = &result.detail {
        return progressed(inner, host, progress).await;
    }
    let row = match inner.store.command(&result.id).await {
        Ok(row) if row.verb == "scan" && row.host == host => row,
        Ok(_) | Err(StoreError::NotFound(_)) => return Ok(()),
        Err(e) => return Err(e),
    };
    let Some(Say::Command(v1::Command { verb: Some(v1::command::Verb::Scan(scan)), .. })) = wire(&row) else {
        return Ok(());
    };
    let state = match state {
        "done" | "partial" => "success",
        "cancelled" => "cancel",
        _ => "fail",
    };
    let now = now_ms();
    let progress = v1::ScanProgress {
        task: scan.task,
        state: state.to_owned(),
        reason: reason.to_owned(),
        at_ms: now,
        ..v1::ScanProgress::default()
    };
    progressed(inner, host, &progress).await
}

/// Writes down how far a scan is.
pub(super) async fn progressed(inner: &Inner, host: &str, p: &v1::ScanProgress) -> Result<(), StoreError> {
    if !["scanning", "paused", "success", "fail", "cancel"].contains(&p.state.as_str()) {
        return Ok(());
    }
    let mut row = match inner.store.scan_host(&p.task, host).await {
        Ok(row) => row,
        Err(StoreError::NotFound(_)) => return Ok(()),
        Err(e) => return Err(e),
    };
    let int = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let now = now_ms();
    let ended = !matches!(p.state.as_str(), "scanning" | "paused");
    row.state.clone_from(&p.state);
    row.updated_ms = now;
    if row.started_ms == 0 {
        row.started_ms = now;
    }
    if ended {
        row.finished_ms = now;
    }
    // An end without numbers (it never began) leaves what was told before.
    row.files = row.files.max(int(p.files));
    row.bytes = row.bytes.max(int(p.bytes));
    row.found = row.found.max(int(p.found));
    row.errors = row.errors.max(int(p.errors));
    row.permille =
        if p.state == "success" { 1000 } else { row.permille.max(i64::from(p.permille.min(1000))) };
    row.reason = text(&p.reason, 512);
    inner.store.update_scan_host(&row).await?;
    Ok(())
}
