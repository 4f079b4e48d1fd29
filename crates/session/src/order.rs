// SPDX-License-Identifier: Apache-2.0
//! Which entry may follow which.

use lazaret_proto::v1;
use thiserror::Error;

/// A place in a journal, comparable; what [`v1::Position`] is on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Place {
    /// Opened anew by a fork.
    pub epoch: u64,
    /// Goes on across epochs.
    pub seq: u64,
}

/// Databases keep signed numbers.
const HIGHEST: u64 = i64::MAX as u64;

/// Reads a place; none at all is the place before every entry.
#[must_use]
pub fn place(at: Option<&v1::Position>) -> Place {
    at.map_or_else(Place::default, |p| Place { epoch: p.epoch, seq: p.seq })
}

/// Why a batch is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// An entry without its place.
    #[error("record {0} of the batch has no position")]
    NoPosition(usize),
    /// A number that no journal reaches.
    #[error("record {0} of the batch has a position out of range")]
    OutOfRange(usize),
    /// Not behind the one before it.
    #[error("entry {got:?} cannot follow {after:?}")]
    Order {
        /// The last one that was in order.
        after: Place,
        /// What came.
        got: Place,
    },
    /// More than was agreed.
    #[error("{got} records in one batch, {limit} are allowed")]
    TooMany {
        /// What came.
        got: usize,
        /// What is allowed.
        limit: usize,
    },
}

/// Whether `next` may follow `last` directly: the next number, or a fork's first entry.
fn follows(last: Place, next: Place) -> bool {
    let number = last.seq.checked_add(1);
    match next.epoch.cmp(&last.epoch) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => Some(next.seq) == number,
        // A fork goes back to what the agent knew as sent, never ahead.
        std::cmp::Ordering::Greater => next.seq >= 1 && number.is_some_and(|n| next.seq <= n),
    }
}

/// How many leading records of a batch are known already. `acked` is what the server has, `first` the
/// oldest entry that the agent's journal still holds: what lies between is lost and no fault.
///
/// # Errors
/// A gap, a wrong order, or a position that is none.
pub fn check_batch(
    acked: Place,
    first: Place,
    records: &[v1::Record],
    limit: usize,
) -> Result<usize, Refusal> {
    if records.len() > limit {
        return Err(Refusal::TooMany { got: records.len(), limit });
    }
    let mut last: Option<Place> = None;
    let mut known = 0;
    for (i, record) in records.iter().enumerate() {
        let at = place(Some(record.at.as_ref().ok_or(Refusal::NoPosition(i))?));
        if at.epoch > HIGHEST || at.seq > HIGHEST || at.seq == 0 {
            return Err(Refusal::OutOfRange(i));
        }
        let after = last.unwrap_or(acked);
        let in_order = match last {
            Some(last) => follows(last, at),
            None => at <= acked || follows(acked, at) || at == first,
        };
        if !in_order {
            return Err(Refusal::Order { after, got: at });
        }
        if at <= acked {
            known = i + 1;
        }
        last = Some(at);
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(places: &[(u64, u64)]) -> Vec<v1::Record> {
        places
            .iter()
            .map(|&(epoch, seq)| v1::Record { at: Some(v1::Position { epoch, seq }), at_ms: 0, what: None })
            .collect()
    }

    fn at(epoch: u64, seq: u64) -> Place {
        Place { epoch, seq }
    }

    #[test]
    fn takes_what_follows_and_skips_what_is_known() {
        let first = at(1, 1);
        assert_eq!(check_batch(at(0, 0), first, &batch(&[(1, 1), (1, 2)]), 10), Ok(0));
        assert_eq!(check_batch(at(1, 2), first, &batch(&[(1, 2), (1, 3)]), 10), Ok(1));
        assert_eq!(check_batch(at(1, 5), first, &batch(&[(1, 2), (1, 3)]), 10), Ok(2));
        // a fork, within a batch and at its beginning
        assert_eq!(check_batch(at(1, 60), first, &batch(&[(1, 61), (2, 62)]), 10), Ok(0));
        assert_eq!(check_batch(at(1, 100), first, &batch(&[(2, 61), (2, 62)]), 10), Ok(0));
        // the journal no longer holds what lies between
        assert_eq!(check_batch(at(1, 10), at(1, 50), &batch(&[(1, 50), (1, 51)]), 10), Ok(0));
        assert_eq!(check_batch(at(1, 10), first, &[], 10), Ok(0));
    }

    #[test]
    fn refuses_what_does_not() {
        let first = at(1, 1);
        for (acked, places) in [
            (at(1, 2), vec![(1, 4)]),
            (at(1, 2), vec![(1, 3), (1, 5)]),
            (at(1, 2), vec![(1, 3), (1, 3)]),
            (at(1, 2), vec![(1, 3), (0, 4)]),
            (at(1, 2), vec![(2, 9)]),
            (at(2, 2), vec![(2, 3), (1, 4)]),
            (at(0, 0), vec![(1, 7)]),
        ] {
            let got = check_batch(acked, first, &batch(&places), 10);
            assert!(matches!(got, Err(Refusal::Order { .. })), "{places:?} {got:?}");
        }
        for places in [vec![(1, 0)], vec![(u64::MAX, 3)], vec![(1, u64::MAX)]] {
            let got = check_batch(at(1, 2), first, &batch(&places), 10);
            assert_eq!(got, Err(Refusal::OutOfRange(0)), "{places:?}");
        }
        let mut none = batch(&[(1, 3)]);
        none[0].at = None;
        assert_eq!(check_batch(at(1, 2), first, &none, 10), Err(Refusal::NoPosition(0)));
        let many = batch(&[(1, 3), (1, 4), (1, 5)]);
        assert_eq!(check_batch(at(1, 2), first, &many, 2), Err(Refusal::TooMany { got: 3, limit: 2 }));
    }
}
