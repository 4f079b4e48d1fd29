// SPDX-License-Identifier: Apache-2.0
//! What changes, as it changes: server-sent events of the caller's projects. An event says what to look
//! at again, not how it looks; nobody who may not see a thing learns of it.

use super::gate::Access;
use super::permission::Permission;
use super::problem::Problem;
use super::route::{Routes, get};
use super::state::Api;
use crate::numbers::One;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use lazaret_store::{Change, ChangeKind, Changes};
use serde::Serialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// A line when nothing happens, so that nothing between takes the connection for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Looked for at least so often: the notice may be of another process.
const LOOK: Duration = Duration::from_secs(2);
/// Streams of this process.
const MOST: usize = 1_000;
/// After so long the client connects anew, and its credentials are looked at anew.
const LASTS: Duration = Duration::from_secs(15 * 60);
/// Changes fetched at a time.
const PAGE: u32 = 500;

static OPEN: AtomicUsize = AtomicUsize::new(0);

/// Counts a stream while it lives.
struct Open(#[allow(dead_code, reason = "counts by being there")] One);

impl Open {
    fn new() -> Option<Self> {
        let before = OPEN.fetch_add(1, Ordering::Relaxed);
        let open = Self(One::of(metrics::gauge!("lazaret_api_streams")));
        (before < MOST).then_some(open)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What an event says.
#[derive(Serialize)]
struct Said<'a> {
    kind: &'static str,
    /// Absent: many; look at the list again.
    id: Option<&'a str>,
    project: &'a str,
}

pub(crate) fn routes(r: &mut Routes) {
    r.add(
        Permission::View,
        get("/events/stream", "streamEvents", "What changes, as it changes")
            .describe("Server-sent events `alarm`, `isolated`, `host`, `command`, `scan`, `desired`, `file`, `verdict` with `{kind, id, project}`, and `missed` when some are gone: then look at everything again. `Last-Event-ID` goes on where a stream broke off.")
            .answers_with(200, "text/event-stream"),
        stream,
    );
}

const fn word(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Alarm => "alarm",
        ChangeKind::Isolated => "isolated",
        ChangeKind::Host => "host",
        ChangeKind::Command => "command",
        ChangeKind::Scan => "scan",
        ChangeKind::Desired => "desired",
        ChangeKind::File => "file",
        ChangeKind::Verdict => "verdict",
    }
}

struct Reader {
    api: Api,
    access: Access,
    seq: i64,
    notice: watch::Receiver<i64>,
    ready: VecDeque<Event>,
    until: tokio::time::Instant,
    _open: Arc<Open>,
}

async fn stream(State(api): State<Api>, access: Access, headers: HeaderMap) -> Result<Response, Problem> {
    let Some(open) = Open::new() else {
        return Err(
            Problem::new(super::problem::Kind::Unavailable, "too many streams are open").retry_after(30)
        );
    };
    let last = headers.get("last-event-id").and_then(|v| v.to_str().ok()).and_then(|t| t.parse::<i64>().ok());
    let notice = api.store.subscribe();
    let seq = match last {
        Some(seq) if seq >= 0 => seq,
        _ => api.store.changes_since(-1, 1).await?.seq,
    };
    let reader = Reader {
        api,
        access,
        seq,
        notice,
        ready: VecDeque::from([Event::default().comment("connected").retry(Duration::from_secs(3))]),
        until: tokio::time::Instant::now() + LASTS,
        _open: Arc::new(open),
    };
    let sse = Sse::new(events(reader)).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("alive"));
    let mut response = sse.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

fn events(reader: Reader) -> impl Stream<Item = Result<Event, Infallible>> {
    futures_util::stream::unfold(reader, |mut r| async move {
        loop {
            if let Some(event) = r.ready.pop_front() {
                return Some((Ok(event), r));
            }
            if tokio::time::Instant::now() >= r.until {
                return None;
            }
            match r.api.store.changes_since(r.seq, PAGE).await {
                Ok(changes) => r.take(changes),
                // The database is away: the client sees heartbeats and goes on when it is back.
                Err(_) => tokio::time::sleep(LOOK).await,
            }
            if r.ready.is_empty() {
                let woken = tokio::time::timeout(LOOK, r.notice.changed()).await;
                if matches!(woken, Ok(Err(_))) {
                    // The store is closed: the server stops.
                    return None;
                }
            }
        }
    })
}

impl Reader {
    fn take(&mut self, changes: Changes) {
        if changes.missed {
            let event = Event::default().id(changes.seq.to_string()).event("missed").data("{}");
            self.ready.push_back(event);
        }
        for change in changes.items.iter().filter(|c| self.access.covers(&c.project)) {
            self.ready.extend(said(change));
        }
        // Not the greater of the two: a database that was restored counts from where it was.
        self.seq = changes.seq;
    }
}

fn said(change: &Change) -> Option<Event> {
    let kind = word(change.kind);
    let id = (!change.id.is_empty()).then_some(change.id.as_str());
    let data = serde_json::to_string(&Said { kind, id, project: &change.project }).ok()?;
    Some(Event::default().id(change.seq.to_string()).event(kind).data(data))
}
