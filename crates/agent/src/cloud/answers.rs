// SPDX-License-Identifier: Apache-2.0
//! What the server answered, and for how long that is good.

use super::lock;
use crate::log::log;
use lazaret_model::Sha256;
use lazaret_state::{AnswerRow, Database};
use std::collections::HashMap;
use std::sync::Mutex;

/// Answers that are kept.
pub(super) const ROOM: usize = 100_000;
/// How long after its time an answer that a scan is to come is asked for again, unless the file is seen.
const PENDING_MS: i64 = 3_600_000;

/// What the server knows of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Unknown,
    /// A deep scan is to come.
    Pending,
    Clean,
    KnownGood,
    Bad,
}

impl Standing {
    const ALL: [Self; 5] = [Self::Unknown, Self::Pending, Self::Clean, Self::KnownGood, Self::Bad];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Pending => "pending",
            Self::Clean => "clean",
            Self::KnownGood => "known_good",
            Self::Bad => "bad",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == word)
    }
}

#[derive(Debug, Clone, Copy)]
struct Known {
    standing: Standing,
    at_ms: i64,
    until_ms: i64,
    wanted: bool,
}

/// An answer, and whether it is still good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) standing: Standing,
    /// Else it is to be asked again.
    pub(crate) fresh: bool,
}

pub(crate) struct Answers {
    known: Mutex<HashMap<Sha256, Known>>,
}

impl Answers {
    pub(super) fn load(database: &Database) -> Self {
        let rows = database.answers(u32::try_from(ROOM).unwrap_or(u32::MAX)).unwrap_or_else(|e| {
            log!("{e}");
            Vec::new()
        });
        let answers = Self { known: Mutex::default() };
        for row in &rows {
            answers.put(row);
        }
        answers
    }

    /// `None`: the server was never asked, or has not answered.
    pub(crate) fn get(&self, sha256: &Sha256, now_ms: i64) -> Option<Answer> {
        let known = lock(&self.known).get(sha256).copied()?;
        // One from the future was given by another clock.
        let fresh = known.at_ms <= now_ms && now_ms < known.until_ms;
        Some(Answer { standing: known.standing, fresh })
    }

    /// Whether a content is asked about again that nobody runs or writes any more: there was no answer, or one that
    /// is over and left open what the server would like to have. What is good, or bad, changes with the feed.
    pub(super) fn is_open(&self, sha256: &Sha256, now_ms: i64) -> bool {
        let Some(known) = lock(&self.known).get(sha256).copied() else { return true };
        let over = |for_ms: i64| known.at_ms > now_ms || now_ms >= known.until_ms.saturating_add(for_ms);
        match known.standing {
            Standing::Unknown => over(0),
            // A worker has it, or another host sends it: only when nothing came of that.
            Standing::Pending => over(PENDING_MS),
            Standing::Clean | Standing::KnownGood | Standing::Bad => false,
        }
    }

    /// Takes an answer in; what is no word is left out.
    pub(super) fn put(&self, row: &AnswerRow) {
        let Some(standing) = Standing::from_word(&row.standing) else { return };
        let known = Known { standing, at_ms: row.at_ms, until_ms: row.until_ms, wanted: row.wanted };
        let mut all = lock(&self.known);
        if all.len() >= ROOM && !all.contains_key(&row.sha256) {
            make_room(&mut all, row.at_ms);
        }
        all.insert(row.sha256, known);
    }

    pub(super) fn drop_one(&self, sha256: &Sha256) {
        lock(&self.known).remove(sha256);
    }

    pub(super) fn forget(&self) {
        lock(&self.known).clear();
    }

    /// What the server wanted when it answered.
    pub(super) fn wanted(&self) -> Vec<Sha256> {
        lock(&self.known).iter().filter(|(_, k)| k.wanted).map(|(s, _)| *s).collect()
    }
}

/// A tenth goes: what is not good any more first, then what is oldest.
fn make_room(all: &mut HashMap<Sha256, Known>, now_ms: i64) {
    let before = all.len();
    all.retain(|_, k| now_ms < k.until_ms);
    if before - all.len() >= ROOM / 10 {
        return;
    }
    let mut ages: Vec<i64> = all.values().map(|k| k.at_ms).collect();
    let nth = (ROOM / 10).min(ages.len().saturating_sub(1));
    let (_, oldest, _) = ages.select_nth_unstable(nth);
    let oldest = *oldest;
    let mut left = ROOM / 10 + 1;
    all.retain(|_, k| {
        let goes = k.at_ms <= oldest && left > 0;
        left -= usize::from(goes);
        !goes
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(n: usize, standing: &str, at_ms: i64, until_ms: i64) -> AnswerRow {
        let mut sha256 = [0; 32];
        sha256[..8].copy_from_slice(&n.to_be_bytes());
        AnswerRow { sha256: Sha256(sha256), standing: standing.into(), at_ms, until_ms, wanted: n == 7 }
    }

    #[test]
    fn answers_have_their_time() {
        let answers = Answers { known: Mutex::default() };
        let one = row(7, "unknown", 100, 200);
        assert_eq!(answers.get(&one.sha256, 150), None);
        answers.put(&one);
        let unknown = |fresh| Some(Answer { standing: Standing::Unknown, fresh });
        assert_eq!(answers.get(&one.sha256, 150), unknown(true), "what nobody knows is an answer too");
        assert_eq!(answers.get(&one.sha256, 200), unknown(false));
        assert_eq!(answers.get(&one.sha256, 99), unknown(false), "the clock was set back");
        answers.put(&row(7, "known_good", 201, 300));
        assert_eq!(
            answers.get(&one.sha256, 201),
            Some(Answer { standing: Standing::KnownGood, fresh: true })
        );
        assert_eq!(answers.wanted(), [one.sha256]);
        answers.put(&row(8, "excellent", 0, i64::MAX));
        assert_eq!(answers.get(&row(8, "", 0, 0).sha256, 1), None, "no word of ours");
    }

    #[test]
    fn what_was_left_open_is_asked_again() {
        let answers = Answers { known: Mutex::default() };
        let sha256 = row(1, "", 0, 0).sha256;
        assert!(answers.is_open(&sha256, 0), "never answered");
        for (standing, at, open) in [
            ("unknown", 199, false),
            ("unknown", 200, true),
            ("unknown", 99, true),
            ("pending", 200, false),
            ("pending", 200 + PENDING_MS, true),
            ("clean", i64::MAX, false),
            ("known_good", i64::MAX, false),
            ("bad", i64::MAX, false),
        ] {
            answers.put(&row(1, standing, 100, 200));
            assert_eq!(answers.is_open(&sha256, at), open, "{standing} at {at}");
        }
    }

    #[test]
    fn room_is_bounded_and_the_newest_stay() {
        let answers = Answers { known: Mutex::default() };
        for n in 0..ROOM + 5 {
            answers.put(&row(n, "clean", i64::try_from(n).unwrap(), i64::MAX));
        }
        let all = lock(&answers.known).len();
        assert!(all <= ROOM && all > ROOM / 2, "{all}");
        let newest = row(ROOM + 4, "", 0, 0).sha256;
        assert!(answers.get(&newest, i64::MAX - 1).is_some());
        assert!(answers.get(&row(0, "", 0, 0).sha256, i64::MAX - 1).is_none());
    }

    #[test]
    fn words_come_back() {
        for standing in Standing::ALL {
            assert_eq!(Standing::from_word(standing.word()), Some(standing));
        }
    }
}
