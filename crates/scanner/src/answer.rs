// SPDX-License-Identifier: Apache-2.0
//! An answer as one bounded datagram.

use lazaret_model::{ScanError, ScanReport};
use lazaret_proto::{Message, v1};

/// Longest answer, bytes.
pub const MAX_ANSWER: usize = 64 * 1024;

/// Encodes the answer of one file into `message` (cleared first), at most [`MAX_ANSWER`] bytes. What
/// does not fit is cut from details first, then from members and lists; class, confidence and at
/// least the heaviest evidence always stay.
pub fn encode(token: u64, result: Result<ScanReport, ScanError>, message: &mut Vec<u8>) {
    let result = match result {
        Ok(report) => v1::scan_answer::Result::Report((&report).into()),
        Err(error) => {
            let mut error: v1::ScanError = (&error).into();
            cut(&mut error.detail, 4096);
            v1::scan_answer::Result::Error(error)
        }
    };
    let mut answer = v1::ScanAnswer { token, result: Some(result) };
    // From generous to what certainly fits.
    for (text, list, members) in [(1024, 256, 64), (256, 64, 32), (128, 16, 8), (64, 4, 2), (32, 1, 0)] {
        if answer.encoded_len() <= MAX_ANSWER {
            break;
        }
        if let Some(v1::scan_answer::Result::Report(report)) = &mut answer.result {
            shorten(report, text, list, members);
        }
    }
    message.clear();
    message.reserve(answer.encoded_len());
    // Encoding into a vector cannot run out of room.
    let _ = answer.encode(message);
}

fn shorten(report: &mut v1::ScanReport, text: usize, list: usize, members: usize) {
    if report.members.len() > members {
        report.members.truncate(members);
    }
    for verdict in report.verdict.iter_mut().chain(&mut report.members) {
        // Heaviest first, as the model says.
        verdict.evidence.truncate(list);
        for evidence in &mut verdict.evidence {
            cut(&mut evidence.detail, text);
            cut(&mut evidence.id, 256);
        }
        if let Some(member) = &mut verdict.member {
            member.truncate(text.max(128));
        }
        cut(&mut verdict.family, 128);
        cut(&mut verdict.content_version, 256);
    }
    report.unscanned.truncate(list);
    for part in &mut report.unscanned {
        cut(part, text);
    }
    if let Some(elf) = &mut report.elf {
        elf.needed.truncate(list);
        for name in elf.needed.iter_mut().chain(&mut elf.interpreter).chain(&mut elf.runpath) {
            cut(name, text.max(64));
        }
    }
    let note = "the answer was too long and was shortened";
    if !report.unscanned.iter().any(|u| u == note) {
        report.unscanned.push(note.into());
    }
}

fn cut(text: &mut String, length: usize) {
    text.truncate(text.floor_char_boundary(length));
}

#[cfg(test)]
mod tests {
    use super::*;
    use lazaret_model::{
        Confidence, ElfFacts, Evidence, EvidenceKind, FileType, MalwareClass, Sha256, Verdict,
    };

    fn verdict(evidence: usize, detail: usize) -> Verdict {
        Verdict {
            sha256: Sha256([1; 32]),
            size: 1,
            file_type: FileType::Elf,
            member: Some(vec![0xff; detail]),
            class: MalwareClass::Miner,
            family: "f".repeat(detail),
            confidence: Confidence::new(97),
            evidence: (0..evidence)
                .map(|n| Evidence {
                    kind: EvidenceKind::Rule,
                    id: format!("rule-{n}"),
                    weight: 9.0,
                    detail: "é".repeat(detail),
                    decisive: n == 0,
                })
                .collect(),
            content_version: "1".into(),
            test: false,
        }
    }

    fn round_trip(report: ScanReport) -> ScanReport {
        let mut message = Vec::new();
        encode(5, Ok(report), &mut message);
        assert!(message.len() <= MAX_ANSWER, "{}", message.len());
        let answer = v1::ScanAnswer::decode(message.as_slice()).unwrap();
        match answer.result {
            Some(v1::scan_answer::Result::Report(report)) => report.try_into().unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_fits_is_not_touched() {
        let report = ScanReport {
            verdict: verdict(3, 20),
            members: vec![verdict(1, 10)],
            objects: 2,
            bytes: 9,
            unscanned: vec!["a".into()],
            elf: None,
            tlsh: String::new(),
        };
        assert_eq!(round_trip(report.clone()), report);
    }

    #[test]
    fn however_long_it_fits_and_keeps_what_counts() {
        for (evidence, detail, members) in
            [(4, 100_000, 0), (3000, 100, 64), (500, 5000, 64), (9, 900, 10_000)]
        {
            let report = ScanReport {
                verdict: verdict(evidence, detail),
                members: vec![verdict(evidence.min(40), detail.min(1000)); members],
                objects: 1,
                bytes: 1,
                unscanned: vec!["u".repeat(detail); members],
                elf: Some(ElfFacts {
                    needed: vec!["n".repeat(detail.min(4000)); 256],
                    ..ElfFacts::default()
                }),
                tlsh: "T1".to_owned() + &"A".repeat(70),
            };
            let got = round_trip(report);
            assert_eq!(got.verdict.confidence, Confidence::new(97));
            assert!(got.verdict.evidence[0].decisive);
            assert!(got.unscanned.iter().any(|u| u.contains("shortened")));
        }
    }

    #[test]
    fn a_long_error_is_cut_too() {
        let mut message = Vec::new();
        encode(5, Err(ScanError::Unreadable("x".repeat(1 << 20))), &mut message);
        assert!(message.len() < 8192);
    }
}
