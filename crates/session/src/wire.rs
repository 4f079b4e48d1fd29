// SPDX-License-Identifier: Apache-2.0
//! Decodes a frame, after a look at how much it would become in memory: an empty record is two bytes
//! on the wire and hundreds here.

use crate::cloud::{MAX_QUESTIONS, MAX_ROWS, MAX_VERDICTS};
use crate::{End, Limits};
use lazaret_proto::Message;

/// Bytes of one record; a longer one is told in short by the agent.
pub(crate) const MAX_RECORD: usize = 256 << 10;

/// Number of `records` in both directions' frames: only an agent's has one there.
const RECORDS: u64 = 2;
/// Of `questions` in an agent's frame, and of `answers` in a server's.
const QUESTIONS: u64 = 50;
/// Of `inventory` in an agent's frame.
const INVENTORY: u64 = 51;
/// Of `verdicts` in a server's frame.
const VERDICTS: u64 = 53;

/// Decodes a message.
pub(crate) fn decode<M: Message + Default>(bytes: &[u8], limits: &Limits) -> Result<M, End> {
    if bytes.len() > limits.max_frame {
        return Err(End::Protocol(format!("a message of {} bytes", bytes.len())));
    }
    M::decode(bytes).map_err(|e| End::Protocol(format!("a message that is none: {e}")))
}

/// Decodes an agent's frame.
pub(crate) fn decode_agent(bytes: &[u8], limits: &Limits) -> Result<lazaret_proto::v1::AgentFrame, End> {
    check_records(bytes, limits)?;
    count(bytes, QUESTIONS, 2, MAX_QUESTIONS, "questions")?;
    count(bytes, INVENTORY, 1, MAX_ROWS, "rows of an inventory")?;
    decode(bytes, limits)
}

/// Decodes a server's frame.
pub(crate) fn decode_server(bytes: &[u8], limits: &Limits) -> Result<lazaret_proto::v1::ServerFrame, End> {
    count(bytes, QUESTIONS, 2, MAX_QUESTIONS, "answers")?;
    count(bytes, VERDICTS, 4, MAX_VERDICTS, "verdicts")?;
    decode(bytes, limits)
}

/// Counts field `inner` in all fields `outer` of a frame: a decoder merges those.
fn count(frame: &[u8], outer: u64, inner: u64, most: usize, what: &str) -> Result<(), End> {
    let mut n = 0;
    for field in Fields(frame) {
        let (number, value) = field.ok_or_else(malformed)?;
        let Some(list) = value.filter(|_| number == outer) else { continue };
        for item in Fields(list) {
            let (number, value) = item.ok_or_else(malformed)?;
            n += usize::from(number == inner && value.is_some());
            if n > most {
                return Err(End::Protocol(format!("more than {most} {what} in one message")));
            }
        }
    }
    Ok(())
}

fn check_records(frame: &[u8], limits: &Limits) -> Result<(), End> {
    let mut count = 0;
    for field in Fields(frame) {
        let (number, value) = field.ok_or_else(malformed)?;
        let Some(records) = value.filter(|_| number == RECORDS) else { continue };
        for record in Fields(records) {
            let (number, value) = record.ok_or_else(malformed)?;
            let Some(record) = value.filter(|_| number == 1) else { continue };
            count += 1;
            if count > limits.max_records {
                return Err(End::Protocol(format!("more than {} records in one batch", limits.max_records)));
            }
            if record.len() > MAX_RECORD {
                return Err(End::Protocol(format!("a record of {} bytes", record.len())));
            }
        }
    }
    Ok(())
}

fn malformed() -> End {
    End::Protocol("a message that is none".to_owned())
}

/// The fields of an encoded message: number and, where it has a length, the value. `None` ends a
/// malformed one.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for i in 0..10 {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f).checked_shl(7 * i)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, n: u64) -> Option<&'a [u8]> {
        let (value, rest) = self.0.split_at_checked(usize::try_from(n).ok()?)?;
        self.0 = rest;
        Some(value)
    }

    fn field(&mut self) -> Option<(u64, Option<&'a [u8]>)> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => self.varint().map(|_| None)?,
            1 => self.take(8).map(|_| None)?,
            2 => {
                let n = self.varint()?;
                Some(self.take(n)?)
            }
            5 => self.take(4).map(|_| None)?,
            _ => return None,
        };
        Some((key >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, Option<&'a [u8]>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lazaret_proto::v1;
    use v1::agent_frame::Kind;

    fn frame(records: Vec<v1::Record>) -> Vec<u8> {
        v1::AgentFrame { kind: Some(Kind::Records(v1::Records { records })) }.encode_to_vec()
    }

    #[test]
    fn counts_before_it_decodes() {
        let limits = Limits { max_records: 3, ..Limits::default() };
        let record = v1::Record { at: Some(v1::Position { epoch: 1, seq: 1 }), at_ms: 7, what: None };
        assert!(decode_agent(&frame(vec![record.clone(); 3]), &limits).is_ok());
        assert!(decode_agent(&frame(vec![record; 4]), &limits).is_err());
        assert!(decode_agent(&frame(vec![v1::Record::default(); 4]), &limits).is_err());
        // two `records` fields, which a decoder merges
        let twice = [frame(vec![v1::Record::default(); 2]), frame(vec![v1::Record::default(); 2])].concat();
        assert!(decode_agent(&twice, &limits).is_err());
    }

    #[test]
    fn counts_what_cloud_scan_sends() {
        let limits = Limits::default();
        let agent = |kind: Kind| v1::AgentFrame { kind: Some(kind) }.encode_to_vec();
        let asked = |n: usize| {
            agent(Kind::Questions(v1::HashQuestions {
                id: 1,
                questions: vec![v1::HashQuestion::default(); n],
            }))
        };
        assert!(decode_agent(&asked(MAX_QUESTIONS), &limits).is_ok());
        assert!(decode_agent(&asked(MAX_QUESTIONS + 1), &limits).is_err());
        assert!(decode_agent(&[asked(300), asked(300)].concat(), &limits).is_err(), "merged by a decoder");
        let rows = |n: usize| {
            let rows = vec![v1::InventoryRow::default(); n];
            agent(Kind::Inventory(v1::InventoryPart { rows, version: 1, anew: false }))
        };
        assert!(decode_agent(&rows(MAX_ROWS), &limits).is_ok());
        assert!(decode_agent(&rows(MAX_ROWS + 1), &limits).is_err());
        let server = |kind: v1::server_frame::Kind| v1::ServerFrame { kind: Some(kind) }.encode_to_vec();
        let told = |n: usize| {
            let verdicts = vec![v1::HashVerdict::default(); n];
            server(v1::server_frame::Kind::Verdicts(v1::HashVerdicts { verdicts, ..Default::default() }))
        };
        assert!(decode_server(&told(MAX_VERDICTS), &limits).is_ok());
        assert!(decode_server(&told(MAX_VERDICTS + 1), &limits).is_err());
        let answers = |n: usize| {
            let answers = vec![v1::HashAnswer::default(); n];
            server(v1::server_frame::Kind::Answers(v1::HashAnswers { id: 1, answers, retry_after_ms: 0 }))
        };
        assert!(decode_server(&answers(MAX_QUESTIONS), &limits).is_ok());
        assert!(decode_server(&answers(MAX_QUESTIONS + 1), &limits).is_err());
    }

    #[test]
    fn refuses_long_records_and_rubbish() {
        let limits = Limits::default();
        let text = "x".repeat(MAX_RECORD);
        let what = Some(v1::record::What::Event(v1::Event { text, ..v1::Event::default() }));
        assert!(decode_agent(&frame(vec![v1::Record { at: None, at_ms: 0, what }]), &limits).is_err());
        for bytes in [&[0xff_u8; 30][..], &[0x12, 0x7f], &[0x12, 0x02, 0x0a, 0x40], &[0x0b], &[0x12]] {
            assert!(decode_agent(bytes, &limits).is_err(), "{bytes:?}");
        }
        assert_eq!(decode_agent(&[], &limits), Ok(v1::AgentFrame { kind: None }));
    }
}
