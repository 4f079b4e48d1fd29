// SPDX-License-Identifier: Apache-2.0
//! Entries of a host's journal as rows. What is asked by becomes a column, cut to a size; the whole is
//! kept beside it as it came. Paths and arguments stay raw bytes, whatever they hold.

use super::facts::{line, text};
use crate::attack;
use lazaret_model::{AlarmId, IsolatedId, IsolatedStatus, MalwareClass, Origin, WhitelistId};
use lazaret_proto::{Message, v1};
use lazaret_store::{AlarmRow, Batch, Hit, IsolatedRow, Position, Record, What};
use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

/// Bytes of arguments in a column.
const MAX_CMDLINE: usize = 4096;
/// Bytes of a path in a column: what a kernel takes.
const MAX_PATH: usize = 4096;
/// Entries of one record of hits.
const MAX_HITS: usize = 10_000;

/// Why a record is refused.
pub(super) type Refused = String;

/// Reads a batch of one host. A record that cannot be read is kept as it came: the others, and what comes
/// behind it, must not wait for ever.
pub(super) fn batch(
    host: &str,
    project: &str,
    records: Vec<v1::Record>,
    now_ms: i64,
) -> Result<Batch, Refused> {
    let mut titles: HashMap<String, (String, String)> = HashMap::new();
    let mut out = Vec::with_capacity(records.len());
    for record in records {
        let at = record.at.ok_or("a record without a position")?;
        let at = Position { epoch: int(at.epoch), seq: int(at.seq) };
        let what = read((host, project), at, &record, &mut titles, now_ms)
            .unwrap_or_else(|why| unread(host, at, &why, record.encode_to_vec(), now_ms));
        out.push(Record { at, at_ms: when(record.at_ms), what });
    }
    Ok(Batch { host: host.to_owned(), records: out })
}

/// What is left of a record that was read, for one that the store does not take.
pub(super) fn bytes(record: &Record) -> Vec<u8> {
    match &record.what {
        What::Alarm(a) => a.details.clone(),
        What::Isolated(i) => i.details.clone(),
        What::Event { kind, text, alarm } => {
            v1::Event { kind: kind.clone(), text: text.clone(), alarm: alarm.clone(), ..v1::Event::default() }
                .encode_to_vec()
        }
        What::Hits(list) => {
            let hits = list.iter().map(|h| v1::WhitelistHit {
                entry: h.entry.clone(),
                count: h.count.max(0).cast_unsigned(),
                last_ms: h.last_ms,
                path: h.path.clone(),
                sha256: h.sha256.clone(),
            });
            v1::WhitelistHits { hits: hits.collect() }.encode_to_vec()
        }
        What::Unread { record, .. } => record.clone(),
        What::Nothing => Vec::new(),
    }
}

/// A record of which only the bytes can be kept.
pub(super) fn unread(host: &str, at: Position, why: &str, record: Vec<u8>, received_ms: i64) -> What {
    let text = format!(
        "a record of host {host} at ({}, {}) could not be read: {}; kept as raw bytes",
        at.epoch,
        at.seq,
        line(why, 1024)
    );
    What::Unread { text, record, received_ms }
}

fn read(
    (host, project): (&str, &str),
    at: Position,
    record: &v1::Record,
    titles: &mut HashMap<String, (String, String)>,
    now_ms: i64,
) -> Result<What, Refused> {
    Ok(match &record.what {
        Some(v1::record::What::Alarm(a)) => {
            let row = alarm(host, project, at, a, now_ms)?;
            titles.insert(row.id.clone(), (row.title.clone(), row.origin.clone()));
            What::Alarm(Box::new(row))
        }
        Some(v1::record::What::Isolated(i)) => {
            let mut row = isolated(host, project, at, record.at_ms, i)?;
            if let Some((title, origin)) = titles.get(&row.alarm) {
                row.alarm_title.clone_from(title);
                source(origin).clone_into(&mut row.source);
            }
            What::Isolated(Box::new(row))
        }
        Some(v1::record::What::Event(e)) => What::Event {
            kind: line(&e.kind, 32),
            text: text(&e.text, 4096),
            alarm: optional::<AlarmId>("alarm", &e.alarm)?,
        },
        Some(v1::record::What::Hits(h)) => What::Hits(hits(h)?),
        // Of a later agent: its number must not be lost.
        Some(v1::record::What::Nothing(_)) | None => What::Nothing,
    })
}

/// Whether an isolation came from a scan, by its alarm's origin.
pub(super) fn source(origin: &str) -> &'static str {
    if origin == Origin::Scan.word() { "antivirus" } else { "event" }
}

fn alarm(host: &str, project: &str, at: Position, a: &v1::Alarm, now_ms: i64) -> Result<AlarmRow, Refused> {
    let verdict = a.verdict.as_ref();
    let file = a.file.as_ref();
    let acting = a.chain.first();
    let decision = known(&a.decision, &["allow", "alarm", "deny", "isolate_and_kill"], "alarm");
    let sha256 = hash(
        file.map(|f| f.sha256.as_slice()).filter(|h| !h.is_empty()).or(verdict.map(|v| v.sha256.as_slice())),
    );
    let handled_by = line(&a.handled_by, 64);
    let class = verdict.map(|v| class(&v.class)).unwrap_or_default();
    let origin = known(&a.origin, &Origin::ALL.map(Origin::word), "process");
    let isolated = optional::<IsolatedId>("isolated file", a.isolated.as_deref().unwrap_or_default())?;
    let attack = attack::of(&class, &decision, !isolated.is_empty(), &origin);
    Ok(AlarmRow {
        id: id::<AlarmId>("alarm", &a.id)?,
        host: host.to_owned(),
        project: project.to_owned(),
        at_ms: when(a.at_ms),
        last_ms: when(a.last_ms.max(a.at_ms)),
        received_ms: now_ms,
        count: int(a.count).max(1),
        severity: match a.severity.as_str() {
            "low" => 0,
            "medium" => 1,
            "critical" => 3,
            // A word of a later agent is rather too high than too low.
            _ => 2,
        },
        class,
        rating: known(&a.rating, &["high", "medium", "low"], ""),
        confidence: verdict.map_or(-1, |v| i64::from(v.confidence.min(100))),
        title: text(&a.title, 512),
        path: cut(file.map_or(&[], |f| f.path.as_slice()), MAX_PATH),
        sha256,
        process_sha256: hash(acting.map(|p| p.sha256.as_slice())),
        cmdline: cut(acting.map_or(&[], |p| p.cmdline.as_slice()), MAX_CMDLINE),
        uid: acting.map_or(-1, |p| i64::from(p.uid)),
        container: acting.and_then(|p| p.container.as_deref()).map(|c| line(c, 128)).unwrap_or_default(),
        origin,
        auto_block: matches!(decision.as_str(), "deny" | "isolate_and_kill"),
        decision,
        test: verdict.is_some_and(|v| v.test),
        isolated,
        handled: !handled_by.is_empty(),
        handled_by,
        handled_who: line(&a.handled_who, 128),
        handled_ms: when(a.handled_ms),
        remark: text(&a.remark, 1024),
        suppressed: String::new(),
        attack_tag: attack.tag.to_owned(),
        attack_phase: attack.phase.to_owned(),
        technique: attack.technique.to_owned(),
        position: at,
        details: a.encode_to_vec(),
    })
}

fn isolated(
    host: &str,
    project: &str,
    at: Position,
    at_ms: i64,
    i: &v1::Isolated,
) -> Result<IsolatedRow, Refused> {
    if IsolatedStatus::from_word(&i.status).is_none() {
        return Err(format!("an isolated file with the status \"{}\"", line(&i.status, 40)));
    }
    Ok(IsolatedRow {
        id: id::<IsolatedId>("isolated file", &i.id)?,
        host: host.to_owned(),
        project: project.to_owned(),
        path: cut(&i.path, MAX_PATH),
        sha256: hash(Some(&i.sha256)),
        size: int(i.size),
        class: class(&i.class),
        family: line(&i.family, 128),
        confidence: i64::from(i.confidence.min(100)),
        status: i.status.clone(),
        reason: text(&i.reason, 1024),
        alarm: optional::<AlarmId>("alarm", &i.alarm)?,
        alarm_title: String::new(),
        source: "event".to_owned(),
        isolated_ms: when(i.isolated_ms),
        updated_ms: when(at_ms),
        position: at,
        details: i.encode_to_vec(),
    })
}

fn hits(h: &v1::WhitelistHits) -> Result<Vec<Hit>, Refused> {
    if h.hits.len() > MAX_HITS {
        return Err(format!("{} whitelist hits in one record", h.hits.len()));
    }
    h.hits
        .iter()
        .map(|hit| {
            Ok(Hit {
                entry: id::<WhitelistId>("whitelist entry", &hit.entry)?,
                count: int(hit.count),
                // Counters go by the server's day: a host's clock that is ahead must not hold them up.
                last_ms: when(hit.last_ms).min(super::now_ms()),
                path: cut(&hit.path, MAX_PATH),
                sha256: hash(Some(&hit.sha256)),
            })
        })
        .collect()
}

/// An id in its one spelling.
fn id<T: FromStr + Display>(what: &str, word: &str) -> Result<String, Refused> {
    let parsed = word.parse::<T>().map_err(|_| format!("the {what} id \"{}\"", line(word, 64)))?;
    Ok(parsed.to_string())
}

fn optional<T: FromStr + Display>(what: &str, word: &str) -> Result<String, Refused> {
    if word.is_empty() { Ok(String::new()) } else { id::<T>(what, word) }
}

fn class(word: &str) -> String {
    match word {
        "" => String::new(),
        word => word.parse::<MalwareClass>().unwrap_or(MalwareClass::Unclassified).word().to_owned(),
    }
}

fn known(word: &str, words: &[&str], other: &str) -> String {
    if words.contains(&word) { word.to_owned() } else { other.to_owned() }
}

fn hash(bytes: Option<&[u8]>) -> Vec<u8> {
    bytes.filter(|b| b.len() == 32).map(<[u8]>::to_vec).unwrap_or_default()
}

fn cut(bytes: &[u8], most: usize) -> Vec<u8> {
    bytes[..bytes.len().min(most)].to_vec()
}

/// A time that calendars know: up to the year 9999.
fn when(ms: i64) -> i64 {
    ms.clamp(0, 253_402_300_799_999)
}

fn int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use v1::record::What as Entry;

    const A: &str = "0198c0de-0000-7000-8000-000000000001";
    const I: &str = "0198c0de-0000-7000-8000-000000000002";

    fn one(what: Entry) -> Result<What, Refused> {
        let record = v1::Record { at: Some(v1::Position { epoch: 1, seq: 9 }), at_ms: 77, what: Some(what) };
        match batch("h", "0", vec![record.clone()], 5)?.records.remove(0).what {
            What::Unread { text, record: bytes, received_ms } => {
                assert_eq!(v1::Record::decode(bytes.as_slice()).as_ref(), Ok(&record), "nothing is lost");
                assert!(received_ms == 5 && text.contains("(1, 9)") && text.contains("raw bytes"), "{text}");
                Err(text)
            }
            what => Ok(what),
        }
    }

    fn hostile() -> v1::Alarm {
        v1::Alarm {
            id: A.to_uppercase(),
            count: u64::MAX,
            severity: "apocalyptic".to_owned(),
            title: "a\0b".repeat(1000),
            decision: "format".to_owned(),
            rating: "x".to_owned(),
            origin: "nowhere".to_owned(),
            verdict: Some(v1::Verdict {
                sha256: vec![1; 31],
                class: "spam".to_owned(),
                confidence: 4_000_000_000,
                ..v1::Verdict::default()
            }),
            file: Some(v1::FileFacts {
                path: b"/tmp/\x00\x1b[2J\n<img src=x>\xff".repeat(1000),
                sha256: vec![2; 33],
                ..v1::FileFacts::default()
            }),
            chain: vec![v1::ProcessFacts { cmdline: vec![b'x'; 100_000], ..v1::ProcessFacts::default() }],
            ..v1::Alarm::default()
        }
    }

    #[test]
    fn hostile_values_become_columns_that_hold() {
        let Ok(What::Alarm(row)) = one(Entry::Alarm(hostile())) else { panic!("refused") };
        assert_eq!(row.id, A);
        assert_eq!((row.count, row.severity, row.confidence), (i64::MAX, 2, 100));
        assert_eq!((row.class.as_str(), row.rating.as_str()), ("malware", ""));
        assert_eq!((row.decision.as_str(), row.origin.as_str()), ("alarm", "process"));
        assert!(row.title.chars().count() == 512 && !row.title.contains('\0'));
        assert!(row.path.len() == MAX_PATH && row.path.starts_with(b"/tmp/\x00\x1b[2J\n"));
        assert!(row.sha256.is_empty() && row.cmdline.len() == MAX_CMDLINE);
        assert_eq!((row.attack_tag.as_str(), row.technique.as_str()), ("attack_success", "T1204.002"));
        assert!(!row.auto_block && !row.handled && row.position == Position { epoch: 1, seq: 9 });
        assert_eq!(
            v1::Alarm::decode(row.details.as_slice()).unwrap(),
            hostile(),
            "the whole stays as it came"
        );
    }

    #[test]
    fn ids_that_are_none_are_refused() {
        let alarm = |id: &str, isolated: Option<&str>| {
            one(Entry::Alarm(v1::Alarm {
                id: id.to_owned(),
                isolated: isolated.map(ToOwned::to_owned),
                ..v1::Alarm::default()
            }))
        };
        for id in ["", "1", "'; DROP TABLE alarms; --", "../../etc/passwd"] {
            assert!(alarm(id, None).unwrap_err().contains("alarm id"), "{id}");
        }
        assert!(alarm(A, Some("x")).unwrap_err().contains("isolated file id"));
        assert!(alarm(A, Some(I)).is_ok());
        let file = |id: &str, alarm: &str, status: &str| {
            one(Entry::Isolated(v1::Isolated {
                id: id.to_owned(),
                alarm: alarm.to_owned(),
                status: status.to_owned(),
                ..v1::Isolated::default()
            }))
        };
        assert!(file(I, A, "isolated").is_ok() && file(I, "", "delete_failed").is_ok());
        assert!(file("", A, "isolated").is_err() && file(I, "?", "isolated").is_err());
        assert!(file(I, A, "vanished").unwrap_err().contains("status"));
        let hit = v1::WhitelistHit { entry: "all".to_owned(), ..v1::WhitelistHit::default() };
        assert!(one(Entry::Hits(v1::WhitelistHits { hits: vec![hit] })).is_err());
        assert!(batch("h", "0", vec![v1::Record::default()], 5).is_err());
    }

    #[test]
    fn an_isolated_file_keeps_what_it_needs_of_its_alarm() {
        let alarm = v1::Alarm {
            id: A.to_owned(),
            title: "Miner".to_owned(),
            origin: "scan".to_owned(),
            decision: "isolate_and_kill".to_owned(),
            ..v1::Alarm::default()
        };
        let file = v1::Isolated {
            id: I.to_owned(),
            alarm: A.to_owned(),
            status: "isolated".to_owned(),
            ..v1::Isolated::default()
        };
        let record =
            |seq, what| v1::Record { at: Some(v1::Position { epoch: 1, seq }), at_ms: 5, what: Some(what) };
        let b = batch("h", "0", vec![record(1, Entry::Alarm(alarm)), record(2, Entry::Isolated(file))], 5)
            .unwrap();
        let What::Isolated(row) = &b.records[1].what else { panic!("{:?}", b.records[1]) };
        assert_eq!(
            (row.alarm_title.as_str(), row.source.as_str(), row.updated_ms),
            ("Miner", "antivirus", 5)
        );
        assert!(matches!(&b.records[0].what, What::Alarm(a) if a.auto_block));
    }
}
