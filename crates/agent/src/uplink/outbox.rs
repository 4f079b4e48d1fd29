// SPDX-License-Identifier: Apache-2.0
//! The journal as the outbox: where it stands, and what its entries are to the server.

use crate::control::describe;
use crate::core::Core;
use anyhow::{Context, Result};
use lazaret_model::{AlarmId, IsolatedId};
use lazaret_proto::v1::record::What;
use lazaret_proto::{Message, v1};
use lazaret_response::journal::{Body, Closing, Entry, Journal, Note};
use lazaret_session::{Place, wire_position};
use lazaret_state::Database;
use lazaret_vault::Listed;
use serde_json::Value;
use std::collections::HashSet;

/// Keys in the database.
const SENT: &str = "uplink_sent";
const ACKED: &str = "uplink_acked";
const FORKS: &str = "uplink_forks";
const INCARNATION: &str = "uplink_incarnation";

/// From that seq on (exclusive) entries have that epoch: numbers that the server has seen with another
/// content are told apart by it. The journal's frames cannot be written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fork {
    after: u64,
    epoch: u64,
}

/// How far the server is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Outbox {
    sent: Place,
    acked: Place,
    incarnation: String,
    forks: Vec<Fork>,
}

fn parse(text: &str) -> Option<Place> {
    let (epoch, seq) = text.split_once(':')?;
    Some(Place { epoch: epoch.parse().ok()?, seq: seq.parse().ok()? })
}

fn text(place: Place) -> String {
    format!("{}:{}", place.epoch, place.seq)
}

impl Outbox {
    /// As the database has it. `newest` is the seq of the journal's last entry.
    pub(crate) fn load(database: &Database, newest: u64) -> Result<Self> {
        let at = |key: &str| -> Result<Place> {
            let Some(stored) = database.setting(key)? else { return Ok(Place::default()) };
            parse(&stored).with_context(|| format!("the setting {key} is \"{stored}\", which is no position"))
        };
        let forks = database.setting(FORKS)?.unwrap_or_default();
        let forks = forks.split(',').filter_map(parse).map(|p| Fork { epoch: p.epoch, after: p.seq });
        let mut outbox = Self {
            sent: at(SENT)?,
            acked: at(ACKED)?,
            incarnation: database.setting(INCARNATION)?.unwrap_or_default(),
            forks: forks.collect(),
        };
        if newest < outbox.sent.seq {
            // What is sent was durable before: this is another journal. All of it is news.
            let epoch = outbox.sent.epoch.max(outbox.highest_fork()) + 1;
            outbox.forks.clear();
            outbox.forked(database, Fork { after: 0, epoch })?;
        }
        Ok(outbox)
    }

    fn highest_fork(&self) -> u64 {
        self.forks.iter().map(|f| f.epoch).max().unwrap_or(0)
    }

    fn forked(&mut self, database: &Database, fork: Fork) -> Result<()> {
        self.forks.push(fork);
        let forks: Vec<String> =
            self.forks.iter().map(|f| text(Place { epoch: f.epoch, seq: f.after })).collect();
        database.set_setting(FORKS, &forks.join(","))?;
        Ok(())
    }

    pub(crate) fn sent(&self) -> Place {
        self.sent
    }

    pub(crate) fn acked(&self) -> Place {
        self.acked
    }

    pub(crate) fn incarnation(&self) -> &str {
        &self.incarnation
    }

    /// What lies behind [`Self::sent`] gets that epoch.
    pub(crate) fn fork(&mut self, database: &Database, epoch: u64) -> Result<()> {
        let after = self.sent.seq;
        self.forked(database, Fork { after, epoch })
    }

    pub(crate) fn sending(&mut self, database: &Database, last: Place) -> Result<()> {
        if last > self.sent {
            database.set_setting(SENT, &text(last))?;
            self.sent = last;
        }
        Ok(())
    }

    /// A server that was restored has less than one before.
    pub(crate) fn set_acked(&mut self, database: &Database, at: Place) -> Result<()> {
        if at != self.acked {
            database.set_setting(ACKED, &text(at))?;
            self.acked = at;
        }
        Ok(())
    }

    pub(crate) fn set_incarnation(&mut self, database: &Database, incarnation: &str) -> Result<()> {
        if incarnation != self.incarnation {
            database.set_setting(INCARNATION, incarnation)?;
            incarnation.clone_into(&mut self.incarnation);
        }
        Ok(())
    }

    /// An entry's place, as the server knows it.
    pub(crate) fn place(&self, epoch: u64, seq: u64) -> Place {
        let forked = self.forks.iter().filter(|f| f.after < seq).map(|f| f.epoch).max().unwrap_or(0);
        Place { epoch: epoch.max(forked), seq }
    }

    /// Entries with a higher seq may come behind `after`.
    pub(crate) fn seq_before(&self, after: Place) -> u64 {
        let newer = self.forks.iter().filter(|f| f.epoch > after.epoch).map(|f| f.after);
        newer.chain([after.seq]).min().unwrap_or(after.seq)
    }
}

/// Where entries and what they are about are read from.
struct Sources<'a> {
    journal: &'a Journal,
    database: &'a Database,
    /// The isolated file of an outcome.
    isolated: &'a dyn Fn(&Closing) -> Option<v1::Isolated>,
}

/// Entries behind a place as the server is to see them; about `bytes` of them.
pub(crate) fn records(
    core: &Core,
    outbox: &Outbox,
    after: Place,
    count: usize,
    bytes: usize,
) -> Result<Vec<v1::Record>> {
    let isolated = |closing: &Closing| isolated(core, closing);
    let sources =
        Sources { journal: core.responder.journal(), database: &core.database, isolated: &isolated };
    read(&sources, outbox, after, count, bytes)
}

fn read(
    sources: &Sources<'_>,
    outbox: &Outbox,
    after: Place,
    count: usize,
    bytes: usize,
) -> Result<Vec<v1::Record>> {
    let mut from = outbox.seq_before(after);
    let mut out: Vec<v1::Record> = Vec::new();
    let mut size = 0;
    while out.len() < count && size < bytes {
        let entries = sources.journal.entries(from, count.min(500))?;
        let Some(last) = entries.last().map(|e| e.seq) else { break };
        // The newest form of an alarm or isolated file goes once, at its last place in the batch.
        let newest = newest_of(&entries);
        for entry in entries {
            let place = outbox.place(entry.epoch, entry.seq);
            if place <= after || out.len() >= count || size >= bytes {
                continue;
            }
            // An entry that this version cannot read leaves its number.
            let expected = out.last().and_then(|r| r.at).map_or(entry.seq, |p| p.seq + 1);
            for seq in expected..entry.seq.min(expected.saturating_add(count as u64)) {
                let epoch = outbox.place(entry.epoch, seq).epoch;
                out.push(record(Place { epoch, seq }, entry.at_ms, What::Nothing(v1::Nothing {})));
            }
            let what = what(sources, &entry, &newest);
            let record = record(place, entry.at_ms, what);
            size += record.encoded_len() + 8;
            out.push(record);
        }
        from = last;
    }
    out.truncate(count);
    Ok(out)
}

fn record(at: Place, at_ms: i64, what: What) -> v1::Record {
    v1::Record { at: Some(wire_position(at)), at_ms, what: Some(what) }
}

#[derive(Debug, PartialEq, Eq, Hash)]
enum About {
    Alarm(String),
    Isolated(IsolatedId),
}

fn about(entry: &Entry) -> Option<About> {
    match &entry.body {
        Body::Note(note) if note.kind == ALARM => Some(About::Alarm(note.data["id"].as_str()?.to_owned())),
        Body::Outcome(closing) => closing.isolated.map(About::Isolated),
        _ => None,
    }
}

/// Seqs of the last entry about each thing.
fn newest_of(entries: &[Entry]) -> HashSet<u64> {
    let mut seen = HashSet::new();
    entries.iter().rev().filter(|e| about(e).is_some_and(|a| seen.insert(a))).map(|e| e.seq).collect()
}

/// Kinds of notes.
pub(crate) const ALARM: &str = "alarm";
pub(crate) const EVENT: &str = "event";
pub(crate) const HITS: &str = "whitelist_hits";

fn what(sources: &Sources<'_>, entry: &Entry, newest: &HashSet<u64>) -> What {
    let found = match &entry.body {
        _ if about(entry).is_some() && !newest.contains(&entry.seq) => None,
        Body::Note(note) => noted(sources.database, entry, note),
        Body::Outcome(closing) => (sources.isolated)(closing).map(What::Isolated),
        Body::Intent(_) | Body::Progress(_) => None,
    };
    found.unwrap_or(What::Nothing(v1::Nothing {}))
}

fn noted(database: &Database, entry: &Entry, note: &Note) -> Option<What> {
    let word = |key: &str| note.data[key].as_str().unwrap_or_default().to_owned();
    match note.kind.as_str() {
        ALARM => {
            let id: AlarmId = word("id").parse().ok()?;
            let row = database.alarm(id).ok().flatten()?;
            v1::Alarm::decode(row.details.as_slice()).ok().map(What::Alarm)
        }
        EVENT => Some(What::Event(v1::Event {
            at_ms: entry.at_ms,
            seq: entry.seq,
            kind: word("kind"),
            text: word("text"),
            alarm: word("alarm"),
        })),
        HITS => {
            let hits = note.data["hits"].as_array()?.iter().filter_map(hit).collect();
            Some(What::Hits(v1::WhitelistHits { hits }))
        }
        _ => None,
    }
}

fn hit(data: &Value) -> Option<v1::WhitelistHit> {
    let bytes = |key: &str| data[key].as_str().and_then(super::address::unhex).unwrap_or_default();
    Some(v1::WhitelistHit {
        entry: data["entry"].as_str()?.to_owned(),
        count: data["count"].as_u64()?,
        last_ms: data["last_ms"].as_i64()?,
        path: bytes("path"),
        sha256: bytes("sha256"),
    })
}

/// What the vault knows of it now, with the status that this very entry brought: the journal is ahead
/// of the vault by a moment.
fn isolated(core: &Core, closing: &Closing) -> Option<v1::Isolated> {
    let id = closing.isolated?;
    let vault = core.responder.vault();
    let manifest = vault.manifest(id);
    if let Err(lazaret_vault::VaultError::NotFound(_)) = &manifest {
        return None;
    }
    let mut isolated = describe(core, &Listed { id, has_content: vault.has_content(id), manifest });
    if let Some(status) = closing.status() {
        status.word().clone_into(&mut isolated.status);
        closing.reason.clone_into(&mut isolated.reason);
    }
    Some(isolated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn database() -> (tempfile::TempDir, Database) {
        let dir = tempfile::tempdir().unwrap();
        let db = Database::open(&dir.path().join("state.db")).unwrap().database;
        (dir, db)
    }

    fn at(epoch: u64, seq: u64) -> Place {
        Place { epoch, seq }
    }

    #[test]
    fn positions_outlive_a_restart() {
        let (_dir, db) = database();
        let mut o = Outbox::load(&db, 0).unwrap();
        assert_eq!(o, Outbox::default());
        o.sending(&db, at(1, 9)).unwrap();
        o.sending(&db, at(1, 4)).unwrap();
        o.set_acked(&db, at(1, 7)).unwrap();
        o.set_incarnation(&db, "i").unwrap();
        assert_eq!(o.sent(), at(1, 9), "never lowered");
        assert_eq!(Outbox::load(&db, 9).unwrap(), o);
        db.set_setting(SENT, "rubbish").unwrap();
        assert!(Outbox::load(&db, 9).unwrap_err().to_string().contains("rubbish"));
    }

    #[test]
    fn a_fork_numbers_what_was_not_sent_anew() {
        let (_dir, db) = database();
        let mut o = Outbox::load(&db, 60).unwrap();
        o.sending(&db, at(1, 60)).unwrap();
        o.fork(&db, 2).unwrap();
        // The server has (1, 100) of the machine that went back.
        o.sending(&db, at(1, 100)).unwrap();
        let o = Outbox::load(&db, 100).unwrap();
        assert_eq!((o.place(1, 60), o.place(1, 61), o.place(1, 500)), (at(1, 60), at(2, 61), at(2, 500)));
        assert_eq!(o.seq_before(at(1, 100)), 60, "entry 61 is behind (1, 100)");
        assert_eq!((o.seq_before(at(1, 20)), o.seq_before(at(2, 70))), (20, 70));
    }

    #[test]
    fn another_journal_is_news_as_a_whole() {
        let (_dir, db) = database();
        let mut o = Outbox::load(&db, 0).unwrap();
        o.sending(&db, at(1, 500)).unwrap();
        let o = Outbox::load(&db, 3).unwrap();
        assert_eq!(o.place(1, 1), at(2, 1));
        assert_eq!(o.seq_before(at(1, 500)), 0);
        assert!(o.place(1, 1) > o.sent());
    }

    #[test]
    fn entries_become_records_without_gaps() {
        let (dir, db) = database();
        let (journal, _) = Journal::open(&dir.path().join("journal"), 1 << 20).unwrap();
        let alarm = crate::alarms::row_of(&alarm());
        db.insert_alarm(&alarm).unwrap();
        let note = |kind: &str, data: Value| journal.note(kind, data).unwrap();
        let id = alarm.id.to_string();
        note(ALARM, json!({ "id": id }));
        note(EVENT, json!({ "kind": "switch", "text": "on", "alarm": "" }));
        note("dry_run", json!({}));
        let one = IsolatedId::new();
        let closing = |status: &str| Closing {
            isolated: Some(one),
            status: Some(status.into()),
            reason: String::new(),
            records: Vec::new(),
            killed: Vec::new(),
            left_alone: Vec::new(),
            staged: None,
            replayed: false,
        };
        let outcome = |status: &str| {
            journal.append(lazaret_model::JournalId::new(), Body::Outcome(closing(status)), false).unwrap()
        };
        outcome("isolated");
        note(
            HITS,
            json!({ "hits": [{ "entry": "e", "count": 3, "last_ms": 7, "path": "2fff", "sha256": "" }] }),
        );
        note(ALARM, json!({ "id": id }));
        note(ALARM, json!({ "id": "rubbish" }));
        outcome("restored");
        let isolated = |c: &Closing| {
            Some(v1::Isolated {
                id: c.isolated?.to_string(),
                status: c.status.clone()?,
                ..v1::Isolated::default()
            })
        };
        let sources = Sources { journal: &journal, database: &db, isolated: &isolated };
        let outbox = Outbox::default();
        let all = read(&sources, &outbox, Place::default(), 100, 1 << 20).unwrap();
        let shown: Vec<String> = all
            .iter()
            .map(|r| match r.what.as_ref().unwrap() {
                What::Alarm(a) => format!("alarm {}", a.id == id),
                What::Isolated(i) => i.status.clone(),
                What::Event(e) => e.text.clone(),
                What::Nothing(_) => "-".into(),
                What::Hits(h) => format!("{} {:?}", h.hits[0].count, h.hits[0].path),
            })
            .collect();
        // What comes again in the same batch goes once, in its newest form.
        assert_eq!(shown, ["-", "on", "-", "-", "3 [47, 255]", "alarm true", "-", "restored"]);
        let seqs: Vec<u64> = all.iter().map(|r| r.at.as_ref().unwrap().seq).collect();
        assert_eq!(seqs, (1..=8).collect::<Vec<u64>>());
        // In parts, it is the same.
        let mut after = Place::default();
        let mut parts = 0;
        loop {
            let some = read(&sources, &outbox, after, 3, 1 << 20).unwrap();
            let Some(last) = some.last() else { break };
            after = lazaret_session::place(last.at.as_ref());
            parts += some.len();
        }
        assert_eq!(parts, 8);
        assert_eq!(read(&sources, &outbox, Place::default(), 100, 1).unwrap().len(), 1, "one always goes");
    }

    fn alarm() -> lazaret_model::Alarm {
        lazaret_model::Alarm {
            id: AlarmId::new(),
            at_ms: 1,
            last_ms: 1,
            count: 1,
            origin: lazaret_model::Origin::Daemon,
            severity: lazaret_model::Severity::Low,
            title: "t".into(),
            verdict: None,
            rating: None,
            decision: lazaret_model::Decision::Alarm,
            reasons: Vec::new(),
            forensics: lazaret_model::Forensics::default(),
            isolated: None,
            status: lazaret_model::HandleStatus::Unhandled,
            window_until_ms: None,
        }
    }
}
