// SPDX-License-Identifier: Apache-2.0
//! Which entries of a batch are new, and whether they follow what is there.

use crate::error::{Result, StoreError};
use crate::{Position, Record};

/// The entries behind `acked`.
pub(super) fn new_ones<'a>(host: &str, acked: Position, records: &'a [Record]) -> Result<&'a [Record]> {
    let from = records.iter().take_while(|r| r.at <= acked).count();
    let new = &records[from..];
    let mut last = acked;
    for record in new {
        let at = record.at;
        let follows = if at.epoch == last.epoch {
            at.seq.checked_sub(1) == Some(last.seq)
        } else {
            // A fork begins at or before what was last seen, never behind a gap.
            at.epoch > last.epoch && at.seq > 0 && at.seq <= last.seq.saturating_add(1)
        };
        if !follows {
            return Err(StoreError::Conflict(format!(
                "the journal of host {host} goes from ({}, {}) to ({}, {}): send what is between, or say where the \
                 journal begins",
                last.epoch, last.seq, at.epoch, at.seq
            )));
        }
        last = at;
    }
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::What;

    fn records(at: &[(i64, i64)]) -> Vec<Record> {
        let record = |(epoch, seq): &(i64, i64)| Record {
            at: Position { epoch: *epoch, seq: *seq },
            at_ms: 0,
            what: What::Nothing,
        };
        at.iter().map(record).collect()
    }

    #[test]
    fn what_is_there_is_passed_over_and_gaps_are_refused() {
        let acked = Position { epoch: 1, seq: 5 };
        let n = |list: &[(i64, i64)]| new_ones("h", acked, &records(list)).map(<[Record]>::len);
        assert_eq!(n(&[(1, 4), (1, 5)]).unwrap(), 0);
        assert_eq!(n(&[(1, 5), (1, 6), (1, 7)]).unwrap(), 2);
        assert_eq!(n(&[(1, 6), (2, 7)]).unwrap(), 2);
        assert_eq!(n(&[(2, 3), (2, 4)]).unwrap(), 2, "a fork goes on from an earlier entry");
        for gap in [&[(1, 7)][..], &[(1, 6), (1, 8)], &[(1, 6), (1, 6)], &[(2, 7)], &[(2, 0)], &[(1, 6), (2, 9)]] {
            assert!(matches!(n(gap), Err(StoreError::Conflict(_))), "{gap:?}");
        }
        assert!(matches!(n(&[(2, 6), (1, 7)]), Err(StoreError::Conflict(_))));
        assert_eq!(new_ones("h", Position::default(), &records(&[(1, 1)])).unwrap().len(), 1);
    }
}
