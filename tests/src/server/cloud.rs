// SPDX-License-Identifier: Apache-2.0
//! The story's server as the cloud: it answers questions as the story says, keeps what a host tells, and has
//! a feed of verdicts.

use super::{Server, lock, now_ms};
use lazaret_proto::v1;
use lazaret_proto::v1::server_frame::Kind as Say;
use std::collections::BTreeMap;

/// The name of its feed.
const FEED: &str = "the story";

#[derive(Default)]
pub(super) struct Cloud {
    /// Questions are not answered by themselves.
    silent: bool,
    known: BTreeMap<Vec<u8>, v1::HashAnswer>,
    open: Vec<v1::HashQuestions>,
    asked: Vec<v1::HashQuestion>,
    rows: BTreeMap<Vec<u8>, v1::InventoryRow>,
    verdicts: Vec<v1::HashVerdict>,
    from: Vec<v1::VerdictsFrom>,
}

impl Cloud {
    fn answers(&self, questions: &v1::HashQuestions) -> v1::HashAnswers {
        let answer = |q: &v1::HashQuestion| {
            self.known.get(&q.sha256).cloned().unwrap_or_else(|| v1::HashAnswer {
                sha256: q.sha256.clone(),
                standing: "unknown".into(),
                ttl_seconds: 3_600,
                ..v1::HashAnswer::default()
            })
        };
        v1::HashAnswers {
            id: questions.id,
            answers: questions.questions.iter().map(answer).collect(),
            retry_after_ms: 0,
        }
    }

    pub(super) fn questions(&mut self, questions: v1::HashQuestions) -> Option<v1::HashAnswers> {
        self.asked.extend(questions.questions.iter().cloned());
        if self.silent {
            self.open.push(questions);
            return None;
        }
        Some(self.answers(&questions))
    }

    pub(super) fn inventory(&mut self, part: v1::InventoryPart) -> u64 {
        if part.anew {
            self.rows.clear();
        }
        for row in part.rows {
            self.rows.insert(row.path.clone(), row);
        }
        part.version
    }

    /// Of each content the last verdict.
    fn above(&self, number: u64) -> v1::HashVerdicts {
        let mut last: BTreeMap<&[u8], &v1::HashVerdict> = BTreeMap::new();
        for verdict in self.verdicts.iter().filter(|v| v.number > number) {
            last.insert(&verdict.sha256, verdict);
        }
        v1::HashVerdicts {
            feed: FEED.into(),
            from: number,
            to: self.verdicts.len() as u64,
            verdicts: last.into_values().cloned().collect(),
        }
    }

    pub(super) fn verdicts_from(&mut self, from: v1::VerdictsFrom) -> Say {
        let number = if from.feed == FEED { from.number } else { 0 };
        self.from.push(from);
        Say::Verdicts(self.above(number))
    }
}

/// A verdict that a server gives: decisive, of one family.
#[must_use]
pub fn verdict(sha256: &[u8]) -> v1::HashVerdict {
    let evidence = v1::Evidence {
        kind: "rule".into(),
        id: "deep_story".into(),
        weight: 9.0,
        detail: "says the story".into(),
        decisive: true,
    };
    v1::HashVerdict {
        sha256: sha256.to_vec(),
        number: 0,
        verdict: Some(v1::Verdict {
            sha256: sha256.to_vec(),
            file_type: "other".into(),
            class: "trojan".into(),
            family: "Story".into(),
            confidence: 97,
            evidence: vec![evidence],
            ..v1::Verdict::default()
        }),
        withdrawn: false,
        act: false,
        origin: "deep_scan".into(),
        at_ms: now_ms(),
    }
}

/// The answer that says so.
#[must_use]
pub fn bad(sha256: &[u8]) -> v1::HashAnswer {
    v1::HashAnswer {
        sha256: sha256.to_vec(),
        standing: "bad".into(),
        verdict: Some(v1::HashVerdict { act: true, number: 1, ..verdict(sha256) }),
        ..v1::HashAnswer::default()
    }
}

impl Server {
    /// From now on questions are left open, or answered as they come.
    pub fn be_silent(&self, silent: bool) {
        lock(&self.shared.cloud).silent = silent;
    }

    /// What is known of a content; everything else is unknown.
    pub fn knows(&self, answer: v1::HashAnswer) {
        lock(&self.shared.cloud).known.insert(answer.sha256.clone(), answer);
    }

    /// Answers what was left open.
    pub fn answer_open(&self) {
        let answers: Vec<v1::HashAnswers> = {
            let mut cloud = lock(&self.shared.cloud);
            let open = std::mem::take(&mut cloud.open);
            open.iter().map(|q| cloud.answers(q)).collect()
        };
        for one in answers {
            self.say(Say::Answers(one));
        }
    }

    /// Everything that was asked.
    #[must_use]
    pub fn asked(&self) -> Vec<v1::HashQuestion> {
        lock(&self.shared.cloud).asked.clone()
    }

    /// What the host says it has, by path.
    #[must_use]
    pub fn inventory(&self) -> BTreeMap<Vec<u8>, v1::InventoryRow> {
        lock(&self.shared.cloud).rows.clone()
    }

    /// What hosts have said of the feed.
    #[must_use]
    pub fn verdicts_from(&self) -> Vec<v1::VerdictsFrom> {
        lock(&self.shared.cloud).from.clone()
    }

    /// The next verdict of the feed, sent at once.
    pub fn push(&self, verdict: v1::HashVerdict) {
        let told = {
            let mut cloud = lock(&self.shared.cloud);
            let before = cloud.verdicts.len() as u64;
            cloud.verdicts.push(v1::HashVerdict { number: before + 1, ..verdict });
            cloud.above(before)
        };
        self.say(Say::Verdicts(told));
    }
}
