// SPDX-License-Identifier: Apache-2.0
//! The server's verdicts on hashes: how far this host has come in their numbering, and which hold.

use super::lock;
use crate::core::Core;
use crate::log::log;
use crossbeam_channel::{Receiver, Sender, bounded};
use lazaret_model::Sha256;
use lazaret_proto::{Message, v1};
use lazaret_state::{CloudVerdictRow, Database, Feed, KnownVerdict};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

/// Verdicts that a host keeps: the newest.
pub(super) const ROOM: u32 = 100_000;
/// Contents that are acted on once more at a time.
const MAX_AGAIN: usize = 10_000;

pub(crate) struct Verdicts {
    known: RwLock<HashMap<Sha256, KnownVerdict>>,
    feed: Mutex<Feed>,
    /// This session has to be told where this host stands.
    ask: AtomicBool,
    /// Counts up when something turns bad: what was judged across that may have missed it.
    learned: AtomicU64,
    /// To be acted on although that was done.
    again: Mutex<HashSet<Sha256>>,
    bell: Sender<()>,
    rings: Receiver<()>,
}

/// What to do with a message of the feed.
#[derive(Debug, PartialEq, Eq)]
enum Take {
    /// It follows what is here.
    Follows,
    /// Those are all: what else stands here goes.
    All,
    /// There is nothing new in it.
    Old,
    /// Something lies between, or it is of another feed: it is asked for again.
    Gap,
}

fn take(have: &Feed, told: &v1::HashVerdicts) -> Take {
    if told.from == 0 {
        return Take::All;
    }
    if told.feed != have.name || told.from > have.number {
        return Take::Gap;
    }
    if told.to <= have.number { Take::Old } else { Take::Follows }
}

/// A row for what can be laid over a report, or is a withdrawal; `None` for what a sound server never says.
fn row(verdict: &v1::HashVerdict) -> Option<CloudVerdictRow> {
    let sha256 = Sha256::from_slice(&verdict.sha256)?;
    if !verdict.withdrawn {
        super::lay_over::word(sha256, verdict).ok()?;
    }
    Some(CloudVerdictRow {
        sha256,
        number: verdict.number,
        verdict: verdict.encode_to_vec(),
        withdrawn: verdict.withdrawn,
        act: verdict.act,
        done: false,
    })
}

fn rows(verdicts: &[v1::HashVerdict]) -> Vec<CloudVerdictRow> {
    let rows: Vec<CloudVerdictRow> = verdicts.iter().filter_map(row).collect();
    if rows.len() < verdicts.len() {
        log!("{} verdicts of the server cannot be read, and are left out", verdicts.len() - rows.len());
    }
    rows
}

impl Verdicts {
    pub(super) fn load(database: &Database) -> Self {
        let (bell, rings) = bounded(1);
        let verdicts = Self {
            known: RwLock::default(),
            feed: Mutex::new(database.cloud_feed().unwrap_or_default()),
            ask: AtomicBool::new(true),
            learned: AtomicU64::new(0),
            again: Mutex::default(),
            bell,
            rings,
        };
        verdicts.read(database);
        // What was not acted on before the daemon ended.
        verdicts.ring();
        verdicts
    }

    fn read(&self, database: &Database) {
        match database.known_cloud_verdicts() {
            Ok(known) => *self.write() = known.into_iter().collect(),
            // Better those of before than none.
            Err(e) => log!("{e}"),
        }
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<Sha256, KnownVerdict>> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The verdict that holds for a content; `None` when there is none, or it was withdrawn.
    pub(crate) fn bad(&self, sha256: &Sha256) -> Option<KnownVerdict> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(sha256).copied().filter(|k| !k.withdrawn)
    }

    /// How many hold.
    pub(super) fn count(&self) -> u64 {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.values().filter(|k| !k.withdrawn).count() as u64
    }

    /// Another number than before a look: a verdict came meanwhile.
    pub(crate) fn learned(&self) -> u64 {
        self.learned.load(Ordering::Acquire)
    }

    pub(super) fn ask_anew(&self) {
        self.ask.store(true, Ordering::Release);
        self.ring();
    }

    pub(super) fn forget(&self) {
        self.write().clear();
        *lock(&self.feed) = Feed::default();
        lock(&self.again).clear();
    }

    /// There may be something to act on.
    pub(super) fn ring(&self) {
        let _ = self.bell.try_send(());
    }

    pub(super) fn rings(&self) -> &Receiver<()> {
        &self.rings
    }

    /// A file with this content came to be known after its verdict.
    pub(super) fn act_again(&self, sha256: Sha256) {
        let mut again = lock(&self.again);
        if again.len() < MAX_AGAIN {
            again.insert(sha256);
        }
    }

    pub(super) fn take_again(&self) -> Vec<Sha256> {
        lock(&self.again).drain().collect()
    }

    /// What is to be said of the feed, once in a session.
    pub(crate) fn next(&self, core: &Core) -> Option<v1::VerdictsFrom> {
        if !core.cloud.is_on() || !core.cloud.is_connected() || !self.ask.swap(false, Ordering::AcqRel) {
            return None;
        }
        let feed = lock(&self.feed);
        Some(v1::VerdictsFrom { feed: feed.name.clone(), number: feed.number })
    }

    /// Takes a message of the feed in. An error means that it is not kept: the session ends, and the next
    /// one begins where this host stands.
    pub(crate) fn take(&self, core: &Core, told: v1::HashVerdicts) -> anyhow::Result<()> {
        if !core.cloud.is_on() {
            return Ok(());
        }
        let mut feed = lock(&self.feed);
        let whole = match take(&feed, &told) {
            Take::Old => return Ok(()),
            Take::Gap => {
                self.ask.store(true, Ordering::Release);
                core.uplink.ring();
                return Ok(());
            }
            Take::Follows => false,
            Take::All => true,
        };
        let place = Feed { name: told.feed, number: told.to };
        let news = core.database.put_cloud_verdicts(Some(&place), whole, &rows(&told.verdicts), ROOM)?;
        *feed = place;
        drop(feed);
        self.put(core, &news, whole);
        Ok(())
    }

    /// Verdicts that came as answers: they stand in the feed as well, or will.
    pub(super) fn learn(&self, core: &Core, verdicts: Vec<v1::HashVerdict>) {
        if verdicts.is_empty() {
            return;
        }
        let rows: Vec<CloudVerdictRow> = rows(&verdicts).into_iter().filter(|r| !r.withdrawn).collect();
        match core.database.put_cloud_verdicts(None, false, &rows, ROOM) {
            Ok(news) => self.put(core, &news, false),
            Err(e) => log!("{e}"),
        }
    }

    fn put(&self, core: &Core, news: &[CloudVerdictRow], whole: bool) {
        let full = {
            let mut known = self.write();
            for row in news {
                let now = KnownVerdict { number: row.number, withdrawn: row.withdrawn, act: row.act };
                known.insert(row.sha256, now);
            }
            known.len() > ROOM as usize
        };
        if whole || full {
            self.read(&core.database);
        }
        for row in news.iter().filter(|r| r.withdrawn) {
            core.cloud.answers.drop_one(&row.sha256);
        }
        if whole || !news.is_empty() {
            self.learned.fetch_add(1, Ordering::AcqRel);
            core.cloud.waiting.look();
            self.ring();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(feed: &str, from: u64, to: u64) -> v1::HashVerdicts {
        v1::HashVerdicts { feed: feed.into(), from, to, verdicts: Vec::new() }
    }

    #[test]
    fn a_feed_is_followed_without_gaps() {
        let have = Feed { name: "a".into(), number: 7 };
        assert_eq!(take(&have, &told("a", 7, 9)), Take::Follows);
        assert_eq!(take(&have, &told("a", 5, 9)), Take::Follows, "some of it is here");
        assert_eq!(take(&have, &told("a", 5, 7)), Take::Old);
        assert_eq!(take(&have, &told("a", 8, 9)), Take::Gap);
        assert_eq!(take(&have, &told("b", 7, 9)), Take::Gap);
        assert_eq!(take(&have, &told("b", 0, 2)), Take::All, "another server begins from the start");
        assert_eq!(take(&Feed::default(), &told("a", 0, 0)), Take::All);
        assert_eq!(take(&Feed::default(), &told("a", 1, 2)), Take::Gap);
    }

    #[test]
    fn what_cannot_be_read_is_no_verdict() {
        let sha256 = vec![1; 32];
        let bare = v1::HashVerdict { sha256: sha256.clone(), number: 3, ..v1::HashVerdict::default() };
        assert_eq!(row(&bare), None, "nothing says what it is");
        let withdrawn = v1::HashVerdict { withdrawn: true, ..bare.clone() };
        assert!(row(&withdrawn).is_some_and(|r| r.withdrawn && r.number == 3));
        let says = v1::Verdict {
            sha256,
            file_type: "elf".into(),
            class: "miner".into(),
            confidence: 95,
            ..v1::Verdict::default()
        };
        let whole = v1::HashVerdict { verdict: Some(says.clone()), act: true, ..bare.clone() };
        assert!(row(&whole).is_some_and(|r| r.act && !r.done));
        for strange in [
            v1::Verdict { class: "everything".into(), ..says.clone() },
            v1::Verdict { confidence: 101, ..says.clone() },
            v1::Verdict { sha256: vec![2; 32], ..says },
        ] {
            let verdict = v1::HashVerdict { verdict: Some(strange), ..bare.clone() };
            assert_eq!(row(&verdict), None);
        }
    }
}
