// SPDX-License-Identifier: Apache-2.0
//! Cuts what is to be sent into batches that a server takes.

use crate::Place;
use crate::wire::MAX_RECORD;
use lazaret_proto::{Message, v1};
use v1::record::What;

/// A place as it goes on the wire.
#[must_use]
pub fn wire_position(at: Place) -> v1::Position {
    v1::Position { epoch: at.epoch, seq: at.seq }
}

/// Keeps as many leading records as fit, one at least. One that is longer than a server takes goes as
/// a line of history that says so: it would stand before all others for ever.
pub fn cut(records: &mut Vec<v1::Record>, count: usize, bytes: usize) {
    records.truncate(count.max(1));
    let room = bytes.saturating_sub(64);
    let mut used = 0;
    let mut keep = 0;
    for record in records.iter_mut() {
        let mut size = record.encoded_len();
        let limit = room.min(MAX_RECORD);
        if size > limit {
            shorten(record, size);
            size = record.encoded_len();
        }
        // tag and length around it
        used += size + 8;
        if used > room && keep > 0 {
            break;
        }
        keep += 1;
    }
    records.truncate(keep);
}

fn shorten(record: &mut v1::Record, size: usize) {
    let (what, alarm) = match &record.what {
        Some(What::Alarm(a)) => ("alarm", a.id.clone()),
        Some(What::Isolated(i)) => ("isolated file", i.alarm.clone()),
        Some(What::Event(e)) => ("event", e.alarm.clone()),
        Some(What::Hits(_)) => ("whitelist hits", String::new()),
        Some(What::Nothing(_)) | None => ("entry", String::new()),
    };
    let alarm: String = alarm.chars().take(64).collect();
    let seq = record.at.as_ref().map_or(0, |p| p.seq);
    record.what = Some(What::Event(v1::Event {
        at_ms: record.at_ms,
        seq,
        kind: "daemon".to_owned(),
        text: format!("{what} of {size} bytes cannot be sent; ask the host itself for it"),
        alarm,
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(seq: u64, text: usize) -> v1::Record {
        let event = v1::Event { text: "x".repeat(text), alarm: "a1".to_owned(), ..v1::Event::default() };
        v1::Record { at: Some(v1::Position { epoch: 1, seq }), at_ms: 5, what: Some(What::Event(event)) }
    }

    #[test]
    fn cuts_by_count_and_size() {
        let mut records: Vec<_> = (1..=10).map(|n| record(n, 100)).collect();
        cut(&mut records, 4, 1 << 20);
        assert_eq!(records.len(), 4);
        cut(&mut records, 10, 350);
        assert_eq!(records.len(), 2);
        assert!(v1::Records { records: records.clone() }.encoded_len() <= 350);
        cut(&mut records, 10, 130);
        assert_eq!(records.len(), 1, "one always goes");
    }

    #[test]
    fn tells_in_short_what_is_too_long() {
        let mut records = vec![record(1, 10), record(2, MAX_RECORD + 1), record(3, 10)];
        cut(&mut records, 10, 1 << 20);
        assert_eq!(records.len(), 3);
        let Some(What::Event(e)) = &records[1].what else { panic!("{:?}", records[1].what) };
        assert!(e.text.contains("cannot be sent") && e.seq == 2 && e.alarm == "a1", "{e:?}");
    }
}
