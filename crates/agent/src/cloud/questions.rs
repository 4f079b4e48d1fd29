// SPDX-License-Identifier: Apache-2.0
//! Questions about hashes: collected, sent in batches, asked again with pauses that grow until there is an
//! answer. Kept on disk: an answer that comes days later acts then.

use super::answers::Standing;
use super::{Cloud, Program, lock};
use crate::core::Core;
use crate::log::log;
use crate::look::now_ms;
use lazaret_model::Sha256;
use lazaret_proto::v1;
use lazaret_state::{AnswerRow, Database, ProgramRow, QuestionRow};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Questions of one batch; the session takes no more.
const BATCH: usize = lazaret_session::MAX_QUESTIONS;
/// A batch that is not full goes after this long.
const COLLECT: Duration = Duration::from_millis(50);
/// Batches that are on their way at once.
const MAX_FLYING: usize = 4;
/// A batch that is not answered by then is asked again.
const LOST: Duration = Duration::from_secs(10);
/// Questions that are open at once; what does not fit is asked when it is seen again.
const MAX_OPEN: usize = 50_000;
/// Before a question is asked a second time, and at most.
const SOON: Duration = Duration::from_secs(5);
const RARELY: Duration = Duration::from_secs(3600);
/// A server's word on how long an answer is good for counts up to this, seconds.
const MAX_TTL: u32 = 7 * 24 * 3600;

#[derive(Debug)]
struct Open {
    row: QuestionRow,
    tries: u32,
    /// It is in the database.
    kept: bool,
}

struct Flying {
    asked: Vec<Sha256>,
    since: Instant,
}

#[derive(Default)]
struct State {
    open: HashMap<Sha256, Open>,
    /// To be sent with the next batch, and since when the first waits.
    ready: VecDeque<Sha256>,
    since: Option<Instant>,
    /// To be asked again then.
    later: BTreeSet<(Instant, Sha256)>,
    flying: HashMap<u64, Flying>,
    last_id: u64,
    /// The server asked for a pause.
    pause: Option<Instant>,
    /// It was said that there is no room.
    told_full: bool,
}

pub(crate) struct Questions {
    state: Mutex<State>,
}

/// What became of a batch: those that were answered, each with its message.
pub(super) type Answered = Vec<(Sha256, v1::HashAnswer)>;

impl State {
    /// False when it is open already or there is no room.
    fn open(&mut self, row: QuestionRow, kept: bool, now: Instant) -> bool {
        if self.open.contains_key(&row.sha256) {
            return false;
        }
        if self.open.len() >= MAX_OPEN {
            if !std::mem::replace(&mut self.told_full, true) {
                log!(
                    "{MAX_OPEN} questions about programs are open: others are asked when they are seen again"
                );
            }
            return false;
        }
        self.ready.push_back(row.sha256);
        self.since.get_or_insert(now);
        self.open.insert(row.sha256, Open { row, tries: 0, kept });
        true
    }

    /// Those that nobody has answered are asked again, each later than the last time.
    fn again(&mut self, asked: &[Sha256], at_least: Duration, now: Instant) {
        for sha256 in asked {
            let Some(open) = self.open.get_mut(sha256) else { continue };
            let pause = pause(open.tries, sha256).max(at_least);
            open.tries = open.tries.saturating_add(1);
            self.later.insert((now + pause, *sha256));
        }
    }

    /// Everything that is open is asked with the next batches.
    fn all_ready(&mut self, now: Instant) {
        self.flying.clear();
        self.later.clear();
        self.pause = None;
        self.ready = self.open.keys().copied().collect();
        self.since = (!self.ready.is_empty()).then_some(now);
    }

    fn take_due(&mut self, now: Instant) {
        let lost: Vec<u64> = self
            .flying
            .iter()
            .filter(|(_, f)| now.duration_since(f.since) >= LOST)
            .map(|(id, _)| *id)
            .collect();
        for id in lost {
            if let Some(flying) = self.flying.remove(&id) {
                self.again(&flying.asked, Duration::ZERO, now);
            }
        }
        while let Some((due, sha256)) = self.later.first().copied().filter(|(due, _)| *due <= now) {
            self.later.remove(&(due, sha256));
            self.ready.push_back(sha256);
            self.since.get_or_insert(now);
        }
    }

    fn batch(&mut self, now: Instant) -> Option<(u64, Vec<QuestionRow>)> {
        self.take_due(now);
        if self.pause.is_some_and(|p| now < p) || self.flying.len() >= MAX_FLYING {
            return None;
        }
        let since = self.since?;
        if self.ready.len() < BATCH && now.duration_since(since) < COLLECT {
            return None;
        }
        let mut rows = Vec::new();
        while rows.len() < BATCH
            && let Some(sha256) = self.ready.pop_front()
        {
            // One that was answered meanwhile is not open any more.
            rows.extend(self.open.get(&sha256).map(|o| o.row.clone()));
        }
        self.since = (!self.ready.is_empty()).then_some(since);
        if rows.is_empty() {
            return None;
        }
        self.last_id += 1;
        let asked = rows.iter().map(|r| r.sha256).collect();
        self.flying.insert(self.last_id, Flying { asked, since: now });
        Some((self.last_id, rows))
    }

    /// When there is something to do by itself.
    fn due(&self) -> Option<Instant> {
        let lost = self.flying.values().map(|f| f.since + LOST).min();
        let collected = self.since.filter(|_| self.flying.len() < MAX_FLYING).map(|s| s + COLLECT);
        let next = [lost, collected, self.later.first().map(|(due, _)| *due)].into_iter().flatten().min()?;
        Some(self.pause.map_or(next, |p| next.max(p)))
    }

    fn answered(&mut self, answers: v1::HashAnswers, now: Instant) -> Answered {
        // Of a batch that counts as lost, or of another session.
        let Some(flying) = self.flying.remove(&answers.id) else { return Vec::new() };
        let mut asked: std::collections::HashSet<Sha256> = flying.asked.iter().copied().collect();
        let mut out = Vec::new();
        for answer in answers.answers {
            let Some(sha256) = Sha256::from_slice(&answer.sha256) else { continue };
            // What was not asked in this batch is no answer.
            if is_whole(&answer) && asked.remove(&sha256) {
                self.open.remove(&sha256);
                out.push((sha256, answer));
            }
        }
        let missing: Vec<Sha256> = asked.into_iter().collect();
        let wish = Duration::from_millis(u64::from(answers.retry_after_ms)).min(RARELY);
        if !missing.is_empty() && !wish.is_zero() {
            // It has too many to answer: new ones wait as well.
            self.pause = Some(now + wish);
        }
        self.again(&missing, wish, now);
        out
    }
}

/// A word that we know; `bad` only with a verdict that can be laid over a report.
fn is_whole(answer: &v1::HashAnswer) -> bool {
    match Standing::from_word(&answer.standing) {
        Some(Standing::Bad) => answer.verdict.as_ref().is_some_and(|v| v.sha256 == answer.sha256),
        Some(_) => true,
        None => false,
    }
}

/// Spread a little by the hash itself, so that what was asked together does not stay together.
fn pause(tries: u32, sha256: &Sha256) -> Duration {
    let base = SOON.saturating_mul(1 << tries.min(16)).min(RARELY);
    base + base.mul_f64(f64::from(sha256.0[31]) / 1024.0)
}

impl Questions {
    pub(super) fn load(database: &Database) -> Self {
        let rows = database.open_questions(u32::try_from(MAX_OPEN).unwrap_or(u32::MAX)).unwrap_or_else(|e| {
            log!("{e}");
            Vec::new()
        });
        let mut state = State::default();
        let now = Instant::now();
        for row in rows {
            state.open(row, true, now);
        }
        Self { state: Mutex::new(state) }
    }

    pub(super) fn begin_session(&self) {
        lock(&self.state).all_ready(Instant::now());
    }

    pub(super) fn end_session(&self) {
        let mut state = lock(&self.state);
        let now = Instant::now();
        state.all_ready(now);
    }

    pub(super) fn forget(&self) {
        *lock(&self.state) = State::default();
    }

    /// How many are open.
    pub(crate) fn open(&self) -> u64 {
        lock(&self.state).open.len() as u64
    }

    /// Writes down what is not yet. Not on the way of an execution.
    pub(super) fn keep(&self, core: &Core) {
        let rows: Vec<QuestionRow> = {
            let state = lock(&self.state);
            state.open.values().filter(|o| !o.kept).map(|o| o.row.clone()).collect()
        };
        if rows.is_empty() {
            return;
        }
        if let Err(e) = core.database.put_questions(&rows) {
            return log!("{e}");
        }
        let mut state = lock(&self.state);
        for row in rows {
            if let Some(open) = state.open.get_mut(&row.sha256) {
                open.kept = true;
            }
        }
    }

    /// How long until there is something to send; `None`: nothing by itself.
    pub(crate) fn due_in(&self) -> Option<Duration> {
        lock(&self.state).due().map(|due| due.saturating_duration_since(Instant::now()))
    }

    /// The next batch.
    pub(crate) fn next(&self, core: &Core) -> Option<v1::HashQuestions> {
        if !core.cloud.is_on() || !core.cloud.is_connected() {
            return None;
        }
        let (id, rows) = lock(&self.state).batch(Instant::now())?;
        if !core.cloud.note_hashes(core, rows.iter().map(|r| (r.path.as_slice(), r.sha256))) {
            // It counts as lost, and is asked again.
            return None;
        }
        let consent = core.cloud.consent();
        let questions = rows
            .into_iter()
            .map(|row| {
                let kind = super::Kind::from_word(&row.kind);
                v1::HashQuestion {
                    sha256: row.sha256.0.to_vec(),
                    size: row.size,
                    tlsh: row.tlsh,
                    packaged: row.packaged,
                    can_send: kind.is_some_and(|k| consent.can_send(k, row.size, &row.path)),
                    kind: row.kind,
                }
            })
            .collect();
        Some(v1::HashQuestions { id, questions })
    }
}

impl Cloud {
    /// Asks about a program unless there is a good answer or a verdict.
    pub(super) fn ask(&self, program: &Program, packaged: bool) {
        let now = now_ms();
        if self.answers.get(&program.sha256, now).is_some_and(|a| a.fresh)
            || self.verdicts.bad(&program.sha256).is_some()
        {
            return;
        }
        let row = QuestionRow {
            sha256: program.sha256,
            size: program.size,
            kind: program.kind.word().to_owned(),
            packaged,
            path: program.path.clone(),
            tlsh: program.tlsh.clone(),
            first_ms: now,
        };
        lock(&self.questions.state).open(row, false, Instant::now());
    }

    /// Asks again about a program of the inventory that nobody runs: what the server had no room for, or what did
    /// not get an answer, is not forgotten. Of packages nothing is wanted. Whether there is something to send.
    pub(super) fn ask_again(&self, row: &ProgramRow) -> bool {
        if row.packaged || !self.is_connected() {
            return false;
        }
        let now = now_ms();
        if !self.answers.is_open(&row.sha256, now) || self.verdicts.bad(&row.sha256).is_some() {
            return false;
        }
        let row = QuestionRow {
            sha256: row.sha256,
            size: row.file.size,
            kind: row.kind.clone(),
            packaged: false,
            path: row.path.clone(),
            tlsh: String::new(),
            first_ms: now,
        };
        lock(&self.questions.state).open(row, false, Instant::now())
    }

    /// Takes answers in: who waits is told, what is bad is acted on.
    pub(crate) fn answered(&self, core: &Core, answers: v1::HashAnswers) {
        let answered = lock(&self.questions.state).answered(answers, Instant::now());
        if answered.is_empty() {
            return;
        }
        let now = now_ms();
        let (mut rows, mut bad) = (Vec::with_capacity(answered.len()), Vec::new());
        for (sha256, answer) in answered {
            let ttl = i64::from(answer.ttl_seconds.clamp(1, MAX_TTL)) * 1000;
            let is_bad = answer.standing == Standing::Bad.word();
            let row = AnswerRow {
                sha256,
                at_ms: now,
                // Until it is withdrawn.
                until_ms: if is_bad { i64::MAX } else { now.saturating_add(ttl) },
                wanted: answer.wanted && !is_bad,
                standing: answer.standing,
            };
            if row.wanted {
                self.want(sha256);
            }
            bad.extend(answer.verdict.filter(|_| is_bad));
            rows.push(row);
        }
        // The verdicts first: who is told that there is an answer looks for them.
        self.verdicts.learn(core, bad);
        for row in &rows {
            self.answers.put(row);
        }
        self.waiting.look();
        if let Err(e) = core.database.put_answers(&rows) {
            log!("{e}");
        }
    }
}

#[cfg(test)]
mod tests;
