// SPDX-License-Identifier: Apache-2.0
//! Bounds of what Malware Cloud Scan sends, either way (docs/adr/0016). Who goes beyond breaks the protocol.

use crate::End;
use lazaret_proto::v1;

/// Questions of one message, and answers.
pub const MAX_QUESTIONS: usize = 512;
/// Rows of one part of an inventory.
pub const MAX_ROWS: usize = 1_000;
/// Bytes of one part of a sample.
pub const MAX_PART: usize = 256 << 10;
/// Verdicts of one message.
pub const MAX_VERDICTS: usize = 1_000;

/// Bytes of a digest.
const DIGEST: usize = 32;
/// Bytes of a path: the kernel gives none that is longer.
const PATH: usize = 4_096;
/// Bytes of a kind, a state, an origin.
const WORD: usize = 64;
/// Bytes of a TLSH as text.
const TLSH: usize = 128;
/// Bytes of a feed's name.
const FEED: usize = 128;
/// Databases keep signed numbers.
const HIGHEST: u64 = i64::MAX as u64;

fn bad(what: String) -> End {
    End::Protocol(what)
}

fn many(got: usize, most: usize, what: &str) -> Result<(), End> {
    if got > most { Err(bad(format!("{got} {what} in one message, {most} are allowed"))) } else { Ok(()) }
}

fn digest(sha256: &[u8]) -> Result<(), End> {
    if sha256.len() == DIGEST { Ok(()) } else { Err(bad(format!("a digest of {} bytes", sha256.len()))) }
}

fn within(what: &str, text: &[u8], most: usize) -> Result<(), End> {
    if text.len() > most { Err(bad(format!("a {what} of {} bytes", text.len()))) } else { Ok(()) }
}

fn number(what: &str, n: u64) -> Result<(), End> {
    if n > HIGHEST { Err(bad(format!("a {what} out of range"))) } else { Ok(()) }
}

pub(crate) fn questions(q: &v1::HashQuestions) -> Result<(), End> {
    many(q.questions.len(), MAX_QUESTIONS, "questions")?;
    for one in &q.questions {
        digest(&one.sha256)?;
        number("size", one.size)?;
        within("TLSH", one.tlsh.as_bytes(), TLSH)?;
        within("kind", one.kind.as_bytes(), WORD)?;
    }
    Ok(())
}

pub(crate) fn inventory(part: &v1::InventoryPart) -> Result<(), End> {
    many(part.rows.len(), MAX_ROWS, "rows of an inventory")?;
    number("version", part.version)?;
    for row in &part.rows {
        if row.path.is_empty() {
            return Err(bad("a row of an inventory without a path".to_owned()));
        }
        within("path", &row.path, PATH)?;
        // What is gone has none any more.
        if !(row.gone && row.sha256.is_empty()) {
            digest(&row.sha256)?;
        }
        within("kind", row.kind.as_bytes(), WORD)?;
        number("size", row.size)?;
        number("version", row.version)?;
        if row.version > part.version {
            return Err(bad(format!("a row of version {} in a part up to {}", row.version, part.version)));
        }
    }
    Ok(())
}

pub(crate) fn sample_part(part: &v1::SamplePart) -> Result<(), End> {
    digest(&part.sha256)?;
    within("part of a sample", &part.data, MAX_PART)?;
    within("kind", part.kind.as_bytes(), WORD)?;
    number("size", part.size)?;
    number("offset", part.offset)
}

pub(crate) fn verdicts_from(from: &v1::VerdictsFrom) -> Result<(), End> {
    within("name of a feed", from.feed.as_bytes(), FEED)?;
    number("number", from.number)
}

pub(crate) fn answers(answers: &v1::HashAnswers) -> Result<(), End> {
    many(answers.answers.len(), MAX_QUESTIONS, "answers")?;
    for one in &answers.answers {
        digest(&one.sha256)?;
        within("standing", one.standing.as_bytes(), WORD)?;
        one.verdict.as_ref().map_or(Ok(()), verdict)?;
    }
    Ok(())
}

pub(crate) fn sample_state(state: &v1::SampleState) -> Result<(), End> {
    digest(&state.sha256)?;
    within("state of a sample", state.state.as_bytes(), WORD)?;
    number("offset", state.have)
}

pub(crate) fn verdicts(told: &v1::HashVerdicts) -> Result<(), End> {
    many(told.verdicts.len(), MAX_VERDICTS, "verdicts")?;
    within("name of a feed", told.feed.as_bytes(), FEED)?;
    number("number", told.to)?;
    if told.from > told.to {
        return Err(bad(format!("verdicts from {} to {}", told.from, told.to)));
    }
    for one in &told.verdicts {
        verdict(one)?;
        if one.number <= told.from || one.number > told.to {
            return Err(bad(format!("verdict {} among those from {} to {}", one.number, told.from, told.to)));
        }
    }
    Ok(())
}

fn verdict(verdict: &v1::HashVerdict) -> Result<(), End> {
    digest(&verdict.sha256)?;
    number("number", verdict.number)?;
    within("origin", verdict.origin.as_bytes(), WORD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(version: u64) -> v1::InventoryRow {
        v1::InventoryRow { path: b"/a\xff".to_vec(), sha256: vec![1; 32], version, ..Default::default() }
    }

    fn part(rows: Vec<v1::InventoryRow>) -> v1::InventoryPart {
        v1::InventoryPart { rows, version: 9, anew: false }
    }

    #[test]
    fn what_is_within_bounds_goes() {
        let question =
            v1::HashQuestion { sha256: vec![1; 32], tlsh: "T1ab".to_owned(), ..Default::default() };
        let asked = v1::HashQuestions { id: 1, questions: vec![question; MAX_QUESTIONS] };
        assert_eq!(questions(&asked), Ok(()));
        let gone = v1::InventoryRow { gone: true, sha256: Vec::new(), ..row(8) };
        assert_eq!(inventory(&part(vec![row(9), gone])), Ok(()));
        let data = vec![0; MAX_PART];
        let sample = v1::SamplePart { sha256: vec![1; 32], size: 1, data, ..Default::default() };
        assert_eq!(
            sample_part(&sample),
            Ok(()),
            "what does not fit into the sample is refused later, in words"
        );
        let verdict = v1::HashVerdict { sha256: vec![1; 32], number: 5, ..Default::default() };
        let told = v1::HashVerdicts { from: 4, to: 5, verdicts: vec![verdict], ..Default::default() };
        assert_eq!(verdicts(&told), Ok(()));
        assert_eq!(verdicts_from(&v1::VerdictsFrom::default()), Ok(()));
    }

    #[test]
    fn the_rest_is_refused() {
        for sha256 in [vec![], vec![1; 31], vec![1; 33]] {
            let question = v1::HashQuestion { sha256: sha256.clone(), ..Default::default() };
            assert!(questions(&v1::HashQuestions { id: 1, questions: vec![question] }).is_err());
            assert!(inventory(&part(vec![v1::InventoryRow { sha256: sha256.clone(), ..row(1) }])).is_err());
            assert!(sample_part(&v1::SamplePart { sha256: sha256.clone(), ..Default::default() }).is_err());
            let answer = v1::HashAnswer { sha256, ..Default::default() };
            assert!(answers(&v1::HashAnswers { answers: vec![answer], ..Default::default() }).is_err());
        }
        let question = v1::HashQuestion { sha256: vec![1; 32], tlsh: "T".repeat(129), ..Default::default() };
        assert!(questions(&v1::HashQuestions { id: 1, questions: vec![question] }).is_err());
        for bad in [
            v1::InventoryRow { path: Vec::new(), ..row(1) },
            v1::InventoryRow { path: vec![b'a'; 4_097], ..row(1) },
            v1::InventoryRow { size: u64::MAX, ..row(1) },
            v1::InventoryRow { kind: "x".repeat(65), ..row(1) },
            row(10),
        ] {
            assert!(inventory(&part(vec![bad.clone()])).is_err(), "{bad:?}");
        }
        let sample = v1::SamplePart { sha256: vec![1; 32], ..Default::default() };
        assert!(sample_part(&v1::SamplePart { data: vec![0; MAX_PART + 1], ..sample.clone() }).is_err());
        assert!(sample_part(&v1::SamplePart { offset: u64::MAX, ..sample }).is_err());
        let verdict = v1::HashVerdict { sha256: vec![1; 32], number: 5, ..Default::default() };
        for (from, to) in [(5, 9), (0, 4), (6, 5)] {
            let told =
                v1::HashVerdicts { from, to, verdicts: vec![verdict.clone()], ..v1::HashVerdicts::default() };
            assert!(verdicts(&told).is_err(), "{from} {to}");
        }
        assert!(verdicts_from(&v1::VerdictsFrom { feed: "f".repeat(129), number: 0 }).is_err());
        let state = v1::SampleState { sha256: vec![1; 32], state: "s".repeat(65), ..Default::default() };
        assert!(sample_state(&state).is_err());
    }
}
