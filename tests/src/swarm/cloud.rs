// SPDX-License-Identifier: Apache-2.0
//! Malware Cloud Scan as hosts of the swarm do it: each tells an inventory, asks in batches what is known of
//! hashes, and follows the verdicts. What is asked is drawn from hashes that whoever fills the server's database
//! makes the same way.

use super::alarm::mix;
use super::figures::{Figures, now_ms};
use super::lies::{Lie, Told};
use lazaret_proto::v1;
use lazaret_session::{MAX_ROWS, Notice};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Batches of one host that wait for their answers; further ones wait at the host.
const OPEN: usize = 8;
/// A server that answers nothing is asked again after that.
const LOST: Duration = Duration::from_secs(30);

/// The SHA-256 of a made-up program: the same number gives the same one, in whatever process.
#[must_use]
pub fn hash(number: u64) -> [u8; 32] {
    let mut out = [0; 32];
    for (n, part) in (0..).zip(out.chunks_mut(8)) {
        part.copy_from_slice(&mix(0x6861_7368 ^ number, n).to_le_bytes());
    }
    out
}

/// What hosts have and ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cloud {
    /// Programs of each host; the first half is the same on all.
    pub programs: u32,
    /// Questions of one batch.
    pub batch: u32,
    /// Hashes that the server knows: those of the numbers below this.
    pub known: u64,
    /// Of a thousand questions, so many are about others.
    pub unknown: u32,
    /// So many of the hosts lie about a sample.
    pub liars: u32,
}

/// Batches that a host is to ask, each with the moment when it was due.
#[derive(Default)]
pub(crate) struct Due {
    at: Mutex<VecDeque<Instant>>,
}

impl Due {
    /// One more batch, now.
    pub(crate) fn add(&self, bell: &Notify) {
        self.at.lock().unwrap_or_else(PoisonError::into_inner).push_back(Instant::now());
        bell.notify_one();
    }

    fn take(&self) -> Option<Instant> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

/// One host's part.
pub(crate) struct Part {
    number: u32,
    plan: Cloud,
    due: Arc<Due>,
    seed: u64,
    /// The server has the inventory up to there; the last number that is on its way.
    acked: u64,
    sent: u64,
    feed: String,
    verdicts: u64,
    subscribed: bool,
    batches: u64,
    open: BTreeMap<u64, (Instant, Instant)>,
    lie: Option<Lie>,
}

impl Part {
    pub(crate) fn new(number: u32, seed: u64, plan: Cloud, due: Arc<Due>) -> Self {
        Self {
            number,
            plan,
            due,
            seed,
            acked: 0,
            sent: 0,
            feed: String::new(),
            verdicts: 0,
            subscribed: false,
            batches: 0,
            open: BTreeMap::new(),
            lie: (number < plan.liars).then(|| Lie::of(number)),
        }
    }

    /// A session stands: what was on its way may be lost.
    pub(crate) fn begun(&mut self, figures: &Figures) {
        self.subscribed = false;
        self.sent = self.acked;
        let lost = std::mem::take(&mut self.open).len() as u64;
        figures.cloud.lost.fetch_add(lost * u64::from(self.plan.batch), Relaxed);
    }

    /// The next that it has to say.
    pub(crate) fn next(&mut self, figures: &Figures) -> Option<Notice> {
        if !self.subscribed {
            self.subscribed = true;
            return Some(Notice::VerdictsFrom(v1::VerdictsFrom {
                feed: self.feed.clone(),
                number: self.verdicts,
            }));
        }
        if self.sent == self.acked && self.acked < u64::from(self.plan.programs) {
            return Some(Notice::Inventory(self.inventory()));
        }
        if let Some(part) = self.lie.as_mut().and_then(|l| l.part(&figures.cloud.lies)) {
            return Some(Notice::Sample(part));
        }
        self.forget(figures);
        if self.open.len() >= OPEN {
            return None;
        }
        let since = self.due.take()?;
        self.batches += 1;
        self.open.insert(self.batches, (since, Instant::now()));
        figures.cloud.asked.fetch_add(u64::from(self.plan.batch), Relaxed);
        Some(Notice::Questions(self.questions()))
    }

    fn forget(&mut self, figures: &Figures) {
        let before = self.open.len();
        self.open.retain(|_, (_, sent)| sent.elapsed() < LOST);
        let lost = (before - self.open.len()) as u64;
        figures.cloud.lost.fetch_add(lost * u64::from(self.plan.batch), Relaxed);
    }

    /// Of the program with this version, which counts from 1.
    fn program(&self, version: u64) -> u64 {
        let shared = version <= u64::from(self.plan.programs / 2);
        if shared { version } else { (u64::from(self.number) + 1) << 32 | version }
    }

    fn inventory(&mut self) -> v1::InventoryPart {
        let from = self.acked + 1;
        let to = u64::from(self.plan.programs).min(self.acked + MAX_ROWS as u64);
        self.sent = to;
        let now = now_ms();
        let row = |version: u64| {
            let program = self.program(version);
            v1::InventoryRow {
                path: format!("/usr/local/bin/program-{version:06}").into_bytes(),
                sha256: hash(program).to_vec(),
                size: 4096 + mix(self.seed, program) % 2_000_000,
                kind: if version.is_multiple_of(3) { "script" } else { "executable" }.to_owned(),
                packaged: version.is_multiple_of(4),
                first_ms: now - 86_400_000,
                last_ms: now,
                gone: false,
                version,
            }
        };
        let rows = (from..=to).map(row).collect();
        v1::InventoryPart { rows, version: to, anew: from == 1 }
    }

    fn questions(&self) -> v1::HashQuestions {
        let draw = mix(self.seed ^ u64::from(self.number) << 32, self.batches);
        let question = |n: u32| {
            let chance = mix(draw, n.into());
            let known = chance % 1000 >= u64::from(self.plan.unknown);
            let range = self.plan.known.max(1);
            // The others are few: what nobody knows is written down once, and is asked again and again.
            let number = if known { (chance >> 10) % range } else { range + (chance >> 10) % 20_000 };
            v1::HashQuestion {
                sha256: hash(number).to_vec(),
                size: 4096 + chance % 2_000_000,
                tlsh: String::new(),
                kind: "executable".to_owned(),
                packaged: false,
                can_send: false,
            }
        };
        v1::HashQuestions { id: self.batches, questions: (0..self.plan.batch).map(question).collect() }
    }

    /// Answers came.
    pub(crate) fn answered(&mut self, answers: &v1::HashAnswers, figures: &Figures) {
        let c = &figures.cloud;
        let Some((since, sent)) = self.open.remove(&answers.id) else {
            c.strange.fetch_add(1, Relaxed);
            return;
        };
        c.wait.note(since.elapsed());
        c.answer.note(sent.elapsed());
        let count = answers.answers.len() as u64;
        c.answered.fetch_add(count, Relaxed);
        c.missing.fetch_add(u64::from(self.plan.batch).saturating_sub(count), Relaxed);
        let unknown = answers.answers.iter().filter(|a| a.standing == "unknown" || a.standing == "pending");
        c.unknown.fetch_add(unknown.count() as u64, Relaxed);
        c.last_answer_ms.fetch_max(now_ms(), Relaxed);
    }

    /// The server has the inventory up to there.
    pub(crate) fn inventory_acked(&mut self, version: u64, figures: &Figures) {
        if version > self.acked {
            figures.cloud.rows.fetch_add(version - self.acked, Relaxed);
            self.acked = version;
        }
        self.sent = self.acked;
    }

    /// The server says how it stands with a sample.
    pub(crate) fn sample_state(&mut self, state: &v1::SampleState, figures: &Figures) {
        if let Some(lie) = &mut self.lie {
            lie.answered(state, &figures.cloud.lies);
        }
    }

    /// Verdicts came.
    pub(crate) fn verdicts(&mut self, came: &v1::HashVerdicts, figures: &Figures) {
        let follows = came.from == 0 || (came.feed == self.feed && came.from <= self.verdicts);
        if !follows {
            self.subscribed = false;
            return;
        }
        let (now, c) = (now_ms(), &figures.cloud);
        self.feed.clone_from(&came.feed);
        for v in came.verdicts.iter().filter(|v| v.number > self.verdicts) {
            let counter = match (v.withdrawn, v.act) {
                (true, _) => &c.withdrawn,
                (false, true) => &c.acts,
                (false, false) => &c.denials,
            };
            counter.fetch_add(1, Relaxed);
            if !v.withdrawn {
                let took = Duration::from_millis(u64::try_from(now - v.at_ms).unwrap_or(0));
                c.spread.note(took);
            }
            c.last_verdict_ms.fetch_max(now, Relaxed);
        }
        self.verdicts = came.to;
    }
}

/// What is counted of it.
#[derive(Default)]
pub(crate) struct Counted {
    /// Questions that were to be asked, were asked, were answered, came back without an answer, were never
    /// answered at all.
    pub(crate) due: AtomicU64,
    pub(crate) asked: AtomicU64,
    pub(crate) answered: AtomicU64,
    pub(crate) missing: AtomicU64,
    pub(crate) lost: AtomicU64,
    /// Answered with unknown or pending.
    pub(crate) unknown: AtomicU64,
    /// Answers to nothing.
    strange: AtomicU64,
    /// From the moment when a batch was due, and from that when it was given to the session.
    wait: super::figures::Spread,
    answer: super::figures::Spread,
    pub(crate) last_answer_ms: super::figures::Clock,
    /// Of inventories, acknowledged.
    pub(crate) rows: AtomicU64,
    /// Verdicts that reached a host: to refuse, to act, withdrawn.
    denials: AtomicU64,
    acts: AtomicU64,
    withdrawn: AtomicU64,
    /// From `at_ms` of a verdict to a host.
    spread: super::figures::Spread,
    last_verdict_ms: super::figures::Clock,
    lies: Told,
}

impl Counted {
    /// Questions of which nothing is to come any more.
    pub(crate) fn done(&self) -> u64 {
        [&self.answered, &self.missing, &self.lost].into_iter().map(|n| n.load(Relaxed)).sum()
    }

    /// As it stands now.
    pub(crate) fn json(&self) -> serde_json::Value {
        let n = |a: &AtomicU64| a.load(Relaxed);
        serde_json::json!({
            "questions_due": n(&self.due),
            "questions": n(&self.asked),
            "answers": n(&self.answered),
            "answers_missing": n(&self.missing),
            "answers_lost": n(&self.lost),
            "answers_unknown": n(&self.unknown),
            "answers_strange": n(&self.strange),
            "wait_ms": self.wait.json(),
            "answer_ms": self.answer.json(),
            "last_answer_ms": self.last_answer_ms.load(Relaxed),
            "inventory_rows": n(&self.rows),
            "verdicts": n(&self.denials) + n(&self.acts),
            "verdicts_to_act": n(&self.acts),
            "verdicts_withdrawn": n(&self.withdrawn),
            "verdict_ms": self.spread.json(),
            "last_verdict_ms": self.last_verdict_ms.load(Relaxed),
            "lies": self.lies.json(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const PLAN: Cloud = Cloud { programs: 2500, batch: 512, known: 1000, unknown: 100, liars: 0 };

    fn part() -> (Part, Arc<Due>) {
        let due = Arc::new(Due::default());
        (Part::new(3, 1, PLAN, due.clone()), due)
    }

    #[test]
    fn the_inventory_goes_in_parts_and_again_after_a_break() {
        let (mut p, _) = part();
        let f = Figures::default();
        assert!(matches!(p.next(&f), Some(Notice::VerdictsFrom(v)) if v.feed.is_empty() && v.number == 0));
        let Some(Notice::Inventory(first)) = p.next(&f) else { panic!("an inventory") };
        assert!(first.anew && first.rows.len() == MAX_ROWS && first.version == MAX_ROWS as u64);
        assert!(p.next(&f).is_none(), "the first is on its way");
        p.begun(&f);
        assert!(matches!(p.next(&f), Some(Notice::VerdictsFrom(_))));
        assert!(matches!(p.next(&f), Some(Notice::Inventory(again)) if again.version == first.version));
        let mut seen: BTreeSet<_> = first.rows.iter().map(|r| r.sha256.clone()).collect();
        p.inventory_acked(first.version, &f);
        while let Some(Notice::Inventory(part)) = p.next(&f) {
            assert!(!part.anew);
            seen.extend(part.rows.iter().map(|r| r.sha256.clone()));
            p.inventory_acked(part.version, &f);
        }
        assert_eq!((seen.len(), f.cloud.rows.load(Relaxed)), (2500, 2500));
    }

    #[test]
    fn questions_are_bounded_and_each_answer_counts_once() {
        let (mut p, due) = part();
        let (f, bell) = (Figures::default(), Notify::new());
        p.inventory_acked(2500, &f);
        let _ = p.next(&f);
        for _ in 0..OPEN + 2 {
            due.add(&bell);
        }
        let mut asked = Vec::new();
        while let Some(Notice::Questions(q)) = p.next(&f) {
            asked.push(q);
        }
        assert_eq!((asked.len(), asked[0].questions.len()), (OPEN, 512));
        let known: BTreeSet<_> = (0..PLAN.known).map(|n| hash(n).to_vec()).collect();
        let strange = asked[0].questions.iter().filter(|q| !known.contains(&q.sha256)).count();
        assert!((20..100).contains(&strange), "{strange} of 512");
        let one = |id| v1::HashAnswers {
            id,
            answers: vec![v1::HashAnswer { standing: "unknown".into(), ..Default::default() }],
            retry_after_ms: 0,
        };
        p.answered(&one(asked[0].id), &f);
        p.answered(&one(asked[0].id), &f);
        let told = f.cloud.json();
        assert_eq!(
            (&told["answers"], &told["answers_missing"], &told["answers_strange"], &told["answers_unknown"]),
            (&1.into(), &511.into(), &1.into(), &1.into())
        );
        assert!(matches!(p.next(&f), Some(Notice::Questions(_))), "there is room for one more");
    }

    #[test]
    fn verdicts_count_once_and_a_gap_is_asked_for() {
        let (mut p, _) = part();
        let f = Figures::default();
        let _ = p.next(&f);
        let came = |from, to, act| v1::HashVerdicts {
            feed: "a".into(),
            from,
            to,
            verdicts: vec![v1::HashVerdict { number: to, act, at_ms: now_ms(), ..Default::default() }],
        };
        p.verdicts(&came(0, 4, false), &f);
        p.verdicts(&came(0, 4, false), &f);
        p.verdicts(&came(4, 5, true), &f);
        p.verdicts(&came(7, 8, true), &f);
        let told = f.cloud.json();
        assert_eq!((&told["verdicts"], &told["verdicts_to_act"]), (&2.into(), &1.into()));
        assert!(matches!(p.next(&f), Some(Notice::VerdictsFrom(v)) if v.feed == "a" && v.number == 5));
    }
}
