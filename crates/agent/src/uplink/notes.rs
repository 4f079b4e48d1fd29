// SPDX-License-Identifier: Apache-2.0
//! Tells the journal what the response does not journal by itself and a server should see: alarms and
//! their handling, switches and the daemon's own events, whitelist hits.
//!
//! Which alarms changed stands in the database, written with the alarm itself; here it is carried over,
//! so that a crash loses nothing. An alarm that repeats all the time is noted ever more rarely.

use super::address::hex;
use super::outbox::{ALARM, EVENT, HITS};
use crate::core::Core;
use crate::log::log;
use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};
use lazaret_model::{AlarmId, FileFacts, JournalId, WhitelistId};
use lazaret_proto::v1;
use lazaret_response::journal::{Body, Note};
use lazaret_state::Changed;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(200);
/// Between two notes of one alarm whose count alone goes up: from this
const SOON: Duration = Duration::from_secs(1);
/// to this.
const RARELY: Duration = Duration::from_secs(60);
/// Events of the start, before this began.
const PAST: usize = 1_000;
/// Alarms of one look.
const AT_ONCE: u32 = 1_000;
/// Between two notes about hits.
const MINUTE: Duration = Duration::from_secs(60);
/// Entries whose hits are told one by one.
const MAX_HITS: usize = 200;

/// Hits since the last note.
#[derive(Default)]
pub(crate) struct Hits {
    since: Mutex<HashMap<WhitelistId, v1::WhitelistHit>>,
}

impl Hits {
    pub(crate) fn count(&self, entry: WhitelistId, file: &FileFacts, now_ms: i64) {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let hit = since.entry(entry).or_default();
        hit.entry = entry.to_string();
        hit.count += 1;
        hit.last_ms = now_ms;
        hit.path.clone_from(&file.path);
        hit.sha256 = file.sha256.map(|h| h.0.to_vec()).unwrap_or_default();
    }

    fn take(&self) -> Vec<v1::WhitelistHit> {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *since).into_values().collect()
    }
}

/// What was noted of an alarm lately.
struct Lately {
    at: Instant,
    pause: Duration,
}

/// When alarms that only repeat are due.
#[derive(Default)]
struct Pauses(HashMap<AlarmId, Lately>);

impl Pauses {
    fn is_due(&self, changed: &Changed, now: Instant) -> bool {
        changed.urgent || self.0.get(&changed.alarm).is_none_or(|l| now.duration_since(l.at) >= l.pause)
    }

    fn noted(&mut self, alarm: AlarmId, now: Instant) {
        self.0.retain(|_, l| now.duration_since(l.at) < RARELY * 2);
        let pause = self.0.get(&alarm).map_or(SOON, |l| (l.pause * 2).min(RARELY));
        self.0.insert(alarm, Lately { at: now, pause });
    }
}

/// Runs until everything is done; what it knows then is noted.
pub(crate) fn run(core: &Core) {
    let (past, mut events) = core.events.listen(PAST);
    for event in &past {
        note_event(core, event);
    }
    let mut pauses = Pauses::default();
    let mut hits = Instant::now();
    loop {
        let stopping = core.uplink.settled.load(Ordering::Relaxed);
        if take_events(core, &events) == Told::Behind {
            (_, events) = core.events.listen(0);
        }
        note_alarms(core, &mut pauses, stopping);
        if stopping || hits.elapsed() >= MINUTE {
            note_hits(core);
            hits = Instant::now();
        }
        if stopping {
            return;
        }
    }
}

#[derive(PartialEq)]
enum Told {
    Waited,
    Behind,
}

/// Waits for events as long as a look lasts, and notes those that say something of this host.
fn take_events(core: &Core, events: &Receiver<v1::Event>) -> Told {
    let mut next = match events.recv_timeout(LOOK) {
        Ok(event) => event,
        Err(RecvTimeoutError::Timeout) => return Told::Waited,
        Err(RecvTimeoutError::Disconnected) => return Told::Behind,
    };
    loop {
        note_event(core, &next);
        next = match events.try_recv() {
            Ok(event) => event,
            Err(TryRecvError::Empty) => return Told::Waited,
            Err(TryRecvError::Disconnected) => return Told::Behind,
        };
    }
}

/// What has an alarm is told by the alarm.
fn note_event(core: &Core, event: &v1::Event) {
    let of_host = matches!(event.kind.as_str(), "switch" | "mount" | "content" | "daemon");
    if of_host && event.alarm.is_empty() {
        note(core, EVENT, json!({ "kind": event.kind, "text": event.text }));
    }
}

/// Not durable at once: the database knows until it is.
fn note(core: &Core, kind: &str, data: Value) -> bool {
    let body = Body::Note(Note { kind: kind.to_owned(), data });
    let done = core.responder.journal().append(JournalId::new(), body, false);
    if let Err(e) = &done {
        log!("what a server should see could not be noted: {e}");
    }
    core.uplink.ring();
    done.is_ok()
}

fn note_alarms(core: &Core, pauses: &mut Pauses, all: bool) {
    let changed = match core.database.alarms_changed(AT_ONCE) {
        Ok(changed) => changed,
        Err(e) => return log!("{e}"),
    };
    let now = Instant::now();
    let due: Vec<Changed> = changed.into_iter().filter(|c| all || pauses.is_due(c, now)).collect();
    if due.is_empty() {
        return;
    }
    let noted: Vec<Changed> =
        due.into_iter().filter(|c| note(core, ALARM, json!({ "id": c.alarm.to_string() }))).collect();
    for changed in &noted {
        pauses.noted(changed.alarm, now);
    }
    let _ = core.responder.journal().keep_ready();
    if let Err(e) = core.responder.journal().sync() {
        return log!("{e}");
    }
    if let Err(e) = core.database.alarms_noted(&noted) {
        log!("{e}");
    }
}

fn note_hits(core: &Core) {
    let mut hits = core.uplink.hits.take();
    hits.sort_by(|a, b| a.entry.cmp(&b.entry));
    for some in hits.chunks(MAX_HITS) {
        let hits: Vec<Value> = some
            .iter()
            .map(|h| {
                json!({
                    "entry": h.entry,
                    "count": h.count,
                    "last_ms": h.last_ms,
                    "path": hex(&h.path),
                    "sha256": hex(&h.sha256),
                })
            })
            .collect();
        note(core, HITS, json!({ "hits": hits }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_noted_ever_more_rarely() {
        let alarm = AlarmId::new();
        let repeat = Changed { alarm, version: 1, urgent: false };
        let mut pauses = Pauses::default();
        let start = Instant::now();
        let (mut now, mut notes) = (start, 0);
        for _ in 0..36_000 {
            now += Duration::from_millis(100);
            if pauses.is_due(&repeat, now) {
                pauses.noted(alarm, now);
                notes += 1;
            }
        }
        assert!((60..75).contains(&notes), "{notes} in an hour");
        assert!(pauses.is_due(&Changed { urgent: true, ..repeat }, now), "a handling is told at once");
        assert!(pauses.is_due(&Changed { alarm: AlarmId::new(), ..repeat }, now));
        // After a quiet time it is soon again.
        now += RARELY * 2;
        pauses.noted(AlarmId::new(), now);
        pauses.noted(alarm, now);
        assert!(pauses.is_due(&repeat, now + SOON));
    }

    #[test]
    fn hits_are_summed() {
        let hits = Hits::default();
        let id = WhitelistId::new();
        let zero = lazaret_model::FileTime::default();
        let file = FileFacts {
            path: b"/x\xff".to_vec(),
            file: lazaret_model::FileRef { dev: 0, ino: 0, ctime: zero, size: 0 },
            sha256: Some(lazaret_model::Sha256([7; 32])),
            uid: 0,
            gid: 0,
            mode: 0,
            nlink: 1,
            atime: zero,
            mtime: zero,
            package: None,
            package_intact: None,
        };
        hits.count(id, &file, 5);
        hits.count(id, &file, 9);
        let taken = hits.take();
        assert_eq!((taken.len(), taken[0].count, taken[0].last_ms), (1, 2, 9));
        assert!(taken[0].path == b"/x\xff" && hits.take().is_empty());
    }
}
