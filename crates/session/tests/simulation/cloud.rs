// SPDX-License-Identifier: Apache-2.0
//! Malware Cloud Scan, both sides: an inventory that is told, hashes that are asked about, a sample that is
//! sent, and verdicts that come without a gap.

use crate::Log;
use lazaret_proto::v1;
use lazaret_session::Notice;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// Rows, questions and verdicts of one message: few, so that there are many messages.
const FEW: usize = 4;
/// What got no answer for so long is sent again.
const AGAIN: Duration = Duration::from_secs(3);

fn digest(content: u8) -> Vec<u8> {
    vec![content; 32]
}

/// What an agent's disk has of it.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    /// By path: content and version.
    programs: BTreeMap<String, (u8, u64)>,
    version: u64,
    acked: u64,
    /// Machine's life and server that `acked` is about.
    told: (u32, String),
    answered: BTreeSet<u8>,
    feed: String,
    number: u64,
    bad: BTreeSet<Vec<u8>>,
    sample: Vec<u8>,
    stored: bool,
}

impl Kept {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            programs: BTreeMap::new(),
            version: 0,
            acked: 0,
            told: (0, String::new()),
            answered: BTreeSet::new(),
            feed: String::new(),
            number: 0,
            bad: BTreeSet::new(),
            sample: name.repeat(20).into_bytes(),
            stored: false,
        }
    }

    /// A program comes, or has another content now.
    pub(crate) fn changed(&mut self, n: usize) {
        self.version += 1;
        let content = u8::try_from(n % 50).unwrap();
        self.programs.insert(format!("/bin/p{}", n % 17), (content, self.version));
    }

    /// A server that is another one, and one that speaks with a life that is another one, know nothing.
    /// (A host finds the second by the fork of its journal.)
    pub(crate) fn welcomed(&mut self, life: u32, incarnation: &str) {
        let now = (life, incarnation.to_owned());
        if self.told != now {
            (self.told, self.acked, self.stored) = (now, 0, false);
        }
    }

    /// The host has another id: the server knows nothing under it.
    pub(crate) fn copied(&mut self) {
        (self.acked, self.stored) = (0, false);
    }

    fn part(&self) -> v1::InventoryPart {
        let mut rows: Vec<_> = self
            .programs
            .iter()
            .filter(|(_, (_, version))| *version > self.acked)
            .map(|(path, (content, version))| v1::InventoryRow {
                path: path.clone().into_bytes(),
                sha256: digest(*content),
                version: *version,
                ..v1::InventoryRow::default()
            })
            .collect();
        rows.sort_by_key(|r| r.version);
        rows.truncate(FEW);
        let version = rows.last().map_or(self.version, |r| r.version);
        v1::InventoryPart { rows, version, anew: self.acked == 0 }
    }

    fn sample_part(&self, offset: u64, bytes: usize) -> v1::SamplePart {
        let from = usize::try_from(offset).unwrap().min(self.sample.len());
        let to = (from + bytes).min(self.sample.len());
        v1::SamplePart {
            sha256: sample_digest(&self.sample),
            size: self.sample.len() as u64,
            offset,
            data: self.sample[from..to].to_vec(),
            kind: "script".to_owned(),
        }
    }
}

fn sample_digest(sample: &[u8]) -> Vec<u8> {
    sample.iter().copied().cycle().take(32).collect()
}

/// What the agent remembers of one session.
#[derive(Debug, Default)]
pub(crate) struct Talking {
    feed_asked: bool,
    part: Option<(u64, Instant)>,
    question: Option<Instant>,
    not_before: Option<Instant>,
    /// Where to go on with the sample, or that this was asked.
    sample: Option<Option<u64>>,
}

impl Talking {
    pub(crate) fn notice(&mut self, kept: &Kept) -> Option<Notice> {
        let now = Instant::now();
        if !std::mem::replace(&mut self.feed_asked, true) {
            let from = v1::VerdictsFrom { feed: kept.feed.clone(), number: kept.number };
            return Some(Notice::VerdictsFrom(from));
        }
        if kept.acked < kept.version && self.part.is_none_or(|(_, at)| now > at + AGAIN) {
            let part = kept.part();
            self.part = Some((part.version, now));
            return Some(Notice::Inventory(part));
        }
        let due = self.not_before.is_none_or(|at| now >= at);
        if due && self.question.is_none_or(|at| now > at + AGAIN) {
            let contents: BTreeSet<u8> = kept.programs.values().map(|(content, _)| *content).collect();
            let questions: Vec<_> = contents
                .difference(&kept.answered)
                .take(FEW)
                .map(|c| v1::HashQuestion { sha256: digest(*c), ..v1::HashQuestion::default() })
                .collect();
            if !questions.is_empty() {
                self.question = Some(now);
                return Some(Notice::Questions(v1::HashQuestions { id: kept.version, questions }));
            }
        }
        if kept.stored {
            return None;
        }
        match self.sample {
            None => {
                self.sample = Some(None);
                Some(Notice::Sample(kept.sample_part(0, 0)))
            }
            Some(Some(offset)) if due => {
                self.sample = Some(None);
                Some(Notice::Sample(kept.sample_part(offset, 7)))
            }
            Some(_) => None,
        }
    }

    pub(crate) fn answers(&mut self, kept: &mut Kept, answers: &v1::HashAnswers) {
        self.question = None;
        if answers.retry_after_ms > 0 {
            self.not_before = Some(Instant::now() + Duration::from_millis(answers.retry_after_ms.into()));
        }
        kept.answered.extend(answers.answers.iter().map(|a| a.sha256[0]));
    }

    pub(crate) fn acked(&mut self, kept: &mut Kept, version: u64) {
        kept.acked = kept.acked.max(version);
        if self.part.is_some_and(|(sent, _)| version >= sent) {
            self.part = None;
        }
    }

    pub(crate) fn sample_state(&mut self, kept: &mut Kept, state: &v1::SampleState) {
        match state.state.as_str() {
            "stored" => kept.stored = true,
            _ => self.sample = Some(Some(state.have)),
        }
    }
}

/// Takes verdicts; nothing may be missing between two messages of a session.
pub(crate) fn take_verdicts(kept: &mut Kept, told: &v1::HashVerdicts, log: &Log) {
    if told.from == 0 {
        kept.bad.clear();
        kept.feed.clone_from(&told.feed);
    } else if (kept.feed.as_str(), kept.number) != (told.feed.as_str(), told.from) {
        log.fault(format!("verdicts of {} from {} do not follow {}", told.feed, told.from, kept.number));
    }
    for verdict in &told.verdicts {
        if verdict.withdrawn {
            kept.bad.remove(&verdict.sha256);
        } else {
            kept.bad.insert(verdict.sha256.clone());
        }
    }
    kept.number = told.to;
}

/// By path: content and version of the row.
type Paths = BTreeMap<Vec<u8>, (Vec<u8>, u64)>;

/// What the server's tables have of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tables {
    rows: BTreeMap<String, Paths>,
    /// Number n is the n-th: content, and whether it is withdrawn.
    verdicts: Vec<(Vec<u8>, bool)>,
    samples: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Tables {
    /// A verdict on a content: bad, or not any more.
    pub(crate) fn judge(&mut self, content: u8, withdrawn: bool) {
        self.verdicts.push((digest(content), withdrawn));
    }

    fn bad(&self) -> BTreeSet<Vec<u8>> {
        let mut bad = BTreeSet::new();
        for (sha256, withdrawn) in &self.verdicts {
            if *withdrawn {
                bad.remove(sha256)
            } else {
                bad.insert(sha256.clone())
            };
        }
        bad
    }

    /// Commits a part of an inventory.
    pub(crate) fn inventory(&mut self, host: &str, part: &v1::InventoryPart) -> u64 {
        let rows = self.rows.entry(host.to_owned()).or_default();
        if part.anew {
            rows.clear();
        }
        for row in &part.rows {
            if rows.get(&row.path).is_none_or(|(_, version)| *version <= row.version) {
                rows.insert(row.path.clone(), (row.sha256.clone(), row.version));
            }
        }
        part.version
    }

    /// Answers every question but some: then the agent has to ask again.
    pub(crate) fn answers(&self, asked: &v1::HashQuestions, nth: u64) -> Option<v1::HashAnswers> {
        if nth % 4 == 1 {
            return None;
        }
        let (most, retry_after_ms) = if nth % 4 == 2 { (1, 700) } else { (FEW, 0) };
        let bad = self.bad();
        let answer = |q: &v1::HashQuestion| v1::HashAnswer {
            sha256: q.sha256.clone(),
            standing: if bad.contains(&q.sha256) { "bad" } else { "unknown" }.to_owned(),
            ..v1::HashAnswer::default()
        };
        let answers = asked.questions.iter().take(most).map(answer).collect();
        Some(v1::HashAnswers { id: asked.id, answers, retry_after_ms })
    }

    /// Takes a part of a sample where it fits.
    pub(crate) fn sample(&mut self, part: &v1::SamplePart, log: &Log) -> v1::SampleState {
        let have = self.samples.entry(part.sha256.clone()).or_default();
        if have.len() as u64 == part.offset && (have.len() + part.data.len()) as u64 <= part.size {
            have.extend(&part.data);
        }
        let whole = have.len() as u64 == part.size;
        if whole && sample_digest(have) != part.sha256 {
            log.fault(format!("a sample came together as {have:?}"));
        }
        v1::SampleState {
            sha256: part.sha256.clone(),
            state: if whole { "stored" } else { "wanted" }.to_owned(),
            have: have.len() as u64,
            ..v1::SampleState::default()
        }
    }
}

/// How far a session of the server's is with the verdicts.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    at: Option<u64>,
    /// The agent's own are of another feed: it drops them.
    from_nothing: bool,
}

impl Feed {
    pub(crate) fn begin(&mut self, tables: &Tables, feed: &str, from: &v1::VerdictsFrom) {
        let known = from.feed == feed && from.number <= tables.verdicts.len() as u64;
        self.at = Some(if known { from.number } else { 0 });
        self.from_nothing = !known;
    }

    pub(crate) fn next(&mut self, tables: &Tables, feed: &str) -> Option<v1::HashVerdicts> {
        let from = self.at?;
        let behind = tables.verdicts.iter().enumerate().skip(usize::try_from(from).unwrap()).take(FEW);
        let mut last: BTreeMap<Vec<u8>, v1::HashVerdict> = BTreeMap::new();
        let mut to = from;
        for (n, (sha256, withdrawn)) in behind {
            to = n as u64 + 1;
            let verdict = v1::HashVerdict {
                sha256: sha256.clone(),
                number: to,
                withdrawn: *withdrawn,
                ..v1::HashVerdict::default()
            };
            last.insert(sha256.clone(), verdict);
        }
        if to == from && !std::mem::take(&mut self.from_nothing) {
            return None;
        }
        (self.at, self.from_nothing) = (Some(to), false);
        let verdicts = last.into_values().collect();
        Some(v1::HashVerdicts { feed: feed.to_owned(), from, to, verdicts })
    }
}

/// What an agent has is what the server has of it, and the other way round.
pub(crate) fn settled(kept: &Kept, tables: &Tables, host: &str, feed: &str) -> bool {
    let programs: BTreeMap<Vec<u8>, (Vec<u8>, u64)> =
        kept.programs.iter().map(|(p, (c, v))| (p.clone().into_bytes(), (digest(*c), *v))).collect();
    kept.acked == kept.version
        && tables.rows.get(host).cloned().unwrap_or_default() == programs
        && kept.programs.values().all(|(content, _)| kept.answered.contains(content))
        && kept.feed == feed
        && kept.bad == tables.bad()
        && kept.stored
        && tables.samples.get(&sample_digest(&kept.sample)) == Some(&kept.sample)
}
