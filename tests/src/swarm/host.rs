// SPDX-License-Identifier: Apache-2.0
//! One host of the swarm: the agent's side of the session, with a journal that is made as it is read.

use super::alarm::{Source, record};
use super::cloud::Part;
use super::figures::{Figures, now_ms};
use super::report::report;
use lazaret_proto::{Message as _, v1};
use lazaret_session::{AgentSide, End, Notice, Place, goodbye, wire_position};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use v1::goodbye::Kind as Bye;

/// Results that a host keeps, for a server that asks again.
const RESULTS: usize = 64;
/// A journal of the swarm never goes back.
const EPOCH: u64 = 1;

/// What all hosts share.
#[derive(Default)]
pub(crate) struct Field {
    pub(crate) figures: Figures,
    pub(crate) stopping: AtomicBool,
    pub(crate) seed: u64,
    /// When alarms begin, and what lies between two of one host; milliseconds.
    pub(crate) begun_ms: AtomicI64,
    pub(crate) step_ms: AtomicI64,
}

/// What a host's journal holds, for who raises alarms and for its session.
#[derive(Default)]
pub(crate) struct Journal {
    last: AtomicU64,
    /// Last number of each time when alarms were raised, until it is acknowledged.
    open: Mutex<VecDeque<(u64, Instant)>>,
    pub(crate) bell: Notify,
}

impl Journal {
    /// The host raises so many alarms now.
    pub(crate) fn raise(&self, count: u64) {
        let last = self.last.fetch_add(count, Relaxed) + count;
        self.open.lock().unwrap_or_else(PoisonError::into_inner).push_back((last, Instant::now()));
        self.bell.notify_one();
    }

    /// Forgets what is acknowledged; how long each took.
    fn acked(&self, seq: u64, mut took: impl FnMut(Duration)) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((_, since)) = open.front().copied().filter(|(last, _)| *last <= seq) {
            took(since.elapsed());
            open.pop_front();
        }
        if open.is_empty() && open.capacity() > 32 {
            open.shrink_to_fit();
        }
    }
}

pub(crate) struct Host {
    number: u32,
    id: String,
    machine_id: String,
    boot_id: String,
    run: String,
    field: Arc<Field>,
    journal: Arc<Journal>,
    cloud: Option<Part>,
    sent: Place,
    acked: Place,
    incarnation: String,
    generation: u64,
    results: VecDeque<v1::CommandResult>,
    stands: bool,
    sessions: u64,
}

impl Host {
    pub(crate) fn new(
        number: u32,
        id: String,
        machine_id: String,
        field: Arc<Field>,
        journal: Arc<Journal>,
        cloud: Option<Part>,
    ) -> Self {
        Self {
            number,
            boot_id: format!("boot-{machine_id}"),
            run: format!("run-{machine_id}"),
            id,
            machine_id,
            field,
            journal,
            cloud,
            sent: Place::default(),
            acked: Place::default(),
            incarnation: String::new(),
            generation: 0,
            results: VecDeque::new(),
            stands: false,
            sessions: 0,
        }
    }

    fn source(&self) -> Source {
        Source {
            seed: self.field.seed,
            host: self.number,
            begun_ms: self.field.begun_ms.load(Relaxed),
            step_ms: self.field.step_ms.load(Relaxed),
        }
    }

    fn end(&mut self, id: &str, outcome: &str, detail: Option<v1::command_result::Detail>) {
        let id = id.to_owned();
        if self.results.len() >= RESULTS {
            self.results.pop_front();
        }
        self.results.push_back(v1::CommandResult {
            id,
            outcome: outcome.to_owned(),
            at_ms: now_ms(),
            detail,
            ..v1::CommandResult::default()
        });
    }

    fn has(&self, id: &str) -> bool {
        self.results.iter().any(|r| r.id == id)
    }
}

/// What comes with `done`.
fn detail(command: &v1::Command) -> Option<v1::command_result::Detail> {
    match command.verb.as_ref()? {
        v1::command::Verb::Scan(scan) => Some(v1::command_result::Detail::Scan(v1::ScanProgress {
            task: scan.task.clone(),
            state: "success".to_owned(),
            files: 120_000,
            bytes: 9 << 30,
            permille: 1000,
            at_ms: now_ms(),
            ..v1::ScanProgress::default()
        })),
        v1::command::Verb::SelfTest(_) => {
            let step = |name: &str| v1::SelfTestStep {
                name: name.to_owned(),
                ok: true,
                micros: 900,
                ..Default::default()
            };
            let steps = ["exec", "open", "write", "isolate", "restore"].map(step).to_vec();
            Some(v1::command_result::Detail::SelfTest(v1::SelfTestResult { steps }))
        }
        _ => None,
    }
}

impl AgentSide for Host {
    type Error = String;

    fn now_ms(&self) -> i64 {
        now_ms()
    }

    async fn hello(&mut self) -> Result<v1::AgentHello, String> {
        let last = Place { epoch: EPOCH, seq: self.journal.last.load(Relaxed) };
        let first = Place { epoch: EPOCH, seq: 1 };
        Ok(v1::AgentHello {
            host: self.id.clone(),
            run: self.run.clone(),
            incarnation: self.incarnation.clone(),
            acked: Some(wire_position(self.acked)),
            first: (last.seq > 0).then(|| wire_position(first)),
            last: Some(wire_position(last)),
            generation: self.generation,
            report: Some(report(self.number, self.field.begun_ms.load(Relaxed))),
            machine_id: self.machine_id.clone(),
            boot_id: self.boot_id.clone(),
            ..v1::AgentHello::default()
        })
    }

    fn sent(&self) -> Place {
        self.sent
    }

    async fn fork(&mut self, _epoch: u64) -> Result<(), String> {
        Err(format!("the server has entries of {} that this swarm never sent", self.id))
    }

    async fn read_after(
        &mut self,
        after: Place,
        records: usize,
        bytes: usize,
    ) -> Result<Vec<v1::Record>, String> {
        let (last, source) = (self.journal.last.load(Relaxed), self.source());
        let mut out = Vec::new();
        let mut used = 0;
        for seq in after.seq + 1..=last {
            let next = record(&source, Place { epoch: EPOCH, seq });
            used += next.encoded_len() + 8;
            if out.len() >= records || (used > bytes && !out.is_empty()) {
                break;
            }
            out.push(next);
        }
        Ok(out)
    }

    async fn sending(&mut self, last: Place) -> Result<(), String> {
        if last > self.sent {
            self.field.figures.sent.fetch_add(last.seq - self.sent.seq, Relaxed);
            self.sent = last;
        }
        Ok(())
    }

    async fn welcomed(&mut self, hello: &v1::ServerHello, _skew_ms: i64) {
        let f = &self.field.figures;
        self.incarnation.clone_from(&hello.incarnation);
        self.stands = true;
        if self.sessions > 0 {
            f.reconnects.fetch_add(1, Relaxed);
        }
        self.sessions += 1;
        let now = f.sessions.fetch_add(1, Relaxed) + 1;
        f.most_sessions.fetch_max(now, Relaxed);
        if let Some(part) = &mut self.cloud {
            part.begun(f);
        }
    }

    async fn acked(&mut self, at: Place) -> Result<(), String> {
        let f = &self.field.figures;
        if at > self.acked {
            f.acked.fetch_add(at.seq - self.acked.seq, Relaxed);
            f.last_ack_ms.fetch_max(now_ms(), Relaxed);
            self.acked = at;
            self.journal.acked(at.seq, |time| f.ack.note(time));
        }
        Ok(())
    }

    async fn desired(&mut self, state: v1::DesiredState) -> Result<v1::StateApplied, String> {
        self.generation = self.generation.max(state.generation);
        Ok(v1::StateApplied { generation: state.generation, refused: Vec::new() })
    }

    async fn begin(&mut self, command: v1::Command, server_now_ms: i64) -> Result<(), String> {
        if self.has(&command.id) {
            return Ok(());
        }
        let f = &self.field.figures;
        let now = now_ms();
        f.commands.fetch_add(1, Relaxed);
        f.last_command_ms.fetch_max(now, Relaxed);
        f.delivery.note(Duration::from_millis(u64::try_from(now - command.created_ms).unwrap_or(0)));
        let (outcome, detail) =
            if command.expires_ms < server_now_ms { ("expired", None) } else { ("done", detail(&command)) };
        self.end(&command.id, outcome, detail);
        Ok(())
    }

    async fn cancel(&mut self, id: &str) -> Result<(), String> {
        if !self.has(id) {
            self.end(id, "cancelled", None);
        }
        Ok(())
    }

    async fn result(&mut self, id: &str) -> Result<Option<v1::CommandResult>, String> {
        Ok(self.results.iter().find(|r| r.id == id).cloned())
    }

    async fn certificate(&mut self, _chain: Vec<Vec<u8>>) -> Result<(), String> {
        Ok(())
    }

    async fn answers(&mut self, answers: v1::HashAnswers) -> Result<(), String> {
        if let Some(part) = &mut self.cloud {
            part.answered(&answers, &self.field.figures);
        }
        Ok(())
    }

    async fn inventory_acked(&mut self, version: u64) -> Result<(), String> {
        if let Some(part) = &mut self.cloud {
            part.inventory_acked(version, &self.field.figures);
        }
        Ok(())
    }

    async fn sample_state(&mut self, state: v1::SampleState) -> Result<(), String> {
        if let Some(part) = &mut self.cloud {
            part.sample_state(&state, &self.field.figures);
        }
        Ok(())
    }

    async fn verdicts(&mut self, verdicts: v1::HashVerdicts) -> Result<(), String> {
        if let Some(part) = &mut self.cloud {
            part.verdicts(&verdicts, &self.field.figures);
        }
        Ok(())
    }

    async fn notice(&mut self) -> Option<Notice> {
        if self.field.stopping.load(Relaxed) {
            return Some(Notice::Stop(goodbye(Bye::Shutdown, "the swarm ends")));
        }
        self.cloud.as_mut()?.next(&self.field.figures)
    }

    async fn news(&mut self) {
        self.journal.bell.notified().await;
    }

    async fn ended(&mut self, end: &End, _retry: Option<Duration>) {
        let f = &self.field.figures;
        if std::mem::take(&mut self.stands) {
            f.sessions.fetch_sub(1, Relaxed);
        } else if matches!(end, End::Told(_)) {
            f.refused.fetch_add(1, Relaxed);
        } else {
            f.failed.fetch_add(1, Relaxed);
        }
        if !self.field.stopping.load(Relaxed) {
            f.ended(&end.to_string());
        }
    }
}
