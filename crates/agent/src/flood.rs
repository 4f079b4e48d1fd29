// SPDX-License-Identifier: Apache-2.0
//! Floods of alarms: who makes a thousand files of one kind gets a hundred alarms, and one that counts the
//! rest. What is isolated and killed always has an alarm of its own, and so has what a person's scan finds.

use lazaret_model::{Alarm, AlarmId, Decision, MalwareClass, Origin, Rating};
use std::collections::HashMap;
use std::fmt::Write as _;

/// A quarter of an hour is looked at together.
const WINDOW_MS: i64 = 15 * 60 * 1000;
/// New alarms of one kind in a window.
const MOST: u32 = 100;
/// Files that the alarm about the rest names.
const NAMED: usize = 200;
/// Kinds that are followed at the same time. A kind needs an owner, a class, a family and a rating, and
/// families are those of the content: so many are no flood but a ruin.
const KINDS: usize = 1024;

/// Begins the lines that name the files.
const ALSO: &str = "also: ";

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Kind {
    pub(crate) uid: u32,
    pub(crate) class: MalwareClass,
    pub(crate) family: String,
    pub(crate) rating: Option<Rating>,
}

struct Count {
    since_ms: i64,
    alarms: u32,
    rest: Option<AlarmId>,
}

/// What becomes of a new alarm.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It stands by itself.
    Own,
    /// It is the first of the rest: the others are counted on it.
    First,
    /// It is counted on that one.
    On(AlarmId),
}

/// Counts by kind.
#[derive(Default)]
pub(crate) struct Floods {
    kinds: HashMap<Kind, Count>,
}

/// Whether alarms of this decision and origin are counted at all.
pub(crate) fn concerns(decision: Decision, origin: Origin) -> bool {
    decision != Decision::IsolateAndKill
        && matches!(origin, Origin::Exec | Origin::Open | Origin::Written | Origin::MovedIn)
}

impl Floods {
    /// Counts a new alarm. With [`Place::First`] the caller tells its id with [`Floods::rest`].
    pub(crate) fn place(&mut self, kind: Kind, now_ms: i64) -> Place {
        if self.kinds.len() >= KINDS && !self.kinds.contains_key(&kind) {
            self.kinds.retain(|_, c| now_ms.abs_diff(c.since_ms) < WINDOW_MS.unsigned_abs());
            if self.kinds.len() >= KINDS {
                return Place::Own;
            }
        }
        let count = self.kinds.entry(kind).or_insert(Count { since_ms: now_ms, alarms: 0, rest: None });
        if now_ms.abs_diff(count.since_ms) >= WINDOW_MS.unsigned_abs() {
            *count = Count { since_ms: now_ms, alarms: 0, rest: None };
        }
        count.alarms = count.alarms.saturating_add(1);
        match count.rest {
            _ if count.alarms <= MOST => Place::Own,
            None => Place::First,
            Some(id) => Place::On(id),
        }
    }

    /// The alarm that counts the rest of a kind from now on.
    pub(crate) fn rest(&mut self, kind: &Kind, id: AlarmId) {
        if let Some(count) = self.kinds.get_mut(kind) {
            count.rest = Some(id);
        }
    }
}

/// Makes an alarm the one that counts the rest.
pub(crate) fn begin(alarm: &mut Alarm, uid: u32) {
    alarm.title = format!("Many more: {}", alarm.title);
    alarm.reasons.insert(
        0,
        format!(
            "more than {MOST} alarms of this kind in {} minutes about files of user {uid}: \
             this one counts those that follow, and names the first {NAMED}",
            WINDOW_MS / 60_000
        ),
    );
}

/// Counts one more on it.
pub(crate) fn add(rest: &mut Alarm, one: &Alarm) {
    rest.count += 1;
    rest.last_ms = one.last_ms;
    if rest.reasons.iter().filter(|r| r.starts_with(ALSO)).count() >= NAMED {
        return;
    }
    let Some(file) = &one.forensics.file else { return };
    let mut line = format!("{ALSO}{}", crate::log::printable(&file.path));
    if let Some(digest) = &file.sha256 {
        // Writing to a String cannot fail.
        let _ = write!(line, " (SHA-256 {digest})");
    }
    rest.reasons.push(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(uid: u32, family: &str) -> Kind {
        Kind { uid, class: MalwareClass::Miner, family: family.to_owned(), rating: Some(Rating::Medium) }
    }

    #[test]
    fn a_hundred_stand_by_themselves_and_the_rest_on_one() {
        let mut floods = Floods::default();
        for n in 0..MOST {
            assert_eq!(floods.place(kind(1000, "a"), i64::from(n)), Place::Own);
        }
        assert_eq!(floods.place(kind(1000, "a"), 200), Place::First);
        let id = AlarmId::new();
        floods.rest(&kind(1000, "a"), id);
        assert_eq!(floods.place(kind(1000, "a"), 201), Place::On(id));
        assert_eq!(floods.place(kind(1000, "b"), 202), Place::Own, "another family is news");
        assert_eq!(floods.place(kind(1001, "a"), 203), Place::Own, "and so is another user");
        assert_eq!(floods.place(kind(1000, "a"), WINDOW_MS), Place::Own, "a new window begins anew");
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_silence() {
        let mut floods = Floods::default();
        for _ in 0..MOST {
            floods.place(kind(0, "a"), 10 * WINDOW_MS);
        }
        assert_eq!(floods.place(kind(0, "a"), 0), Place::Own);
    }

    #[test]
    fn kinds_without_end_stay_bounded_and_are_told() {
        let mut floods = Floods::default();
        for n in 0..2 * KINDS {
            assert_eq!(floods.place(kind(0, &n.to_string()), 0), Place::Own);
        }
        assert!(floods.kinds.len() <= KINDS);
    }

    #[test]
    fn what_is_acted_upon_is_never_folded() {
        assert!(!concerns(Decision::IsolateAndKill, Origin::Exec));
        assert!(concerns(Decision::Alarm, Origin::Written));
        assert!(concerns(Decision::Deny, Origin::Exec));
    }
}
