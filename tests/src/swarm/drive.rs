// SPDX-License-Identifier: Apache-2.0
//! The course of a run: hosts enrol one after the other, raise alarms at the rate, and say goodbye.

use super::alarm::mix;
use super::cloud::{Due, Part};
use super::figures::now_ms;
use super::host::{Field, Host, Journal};
use super::plan::{Mode, Plan};
use super::way::{Gate, Refused, Way};
use anyhow::{Context as _, Result, ensure};
use lazaret_session::stay_connected;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// Enrolments that are under way at a time: the gateway takes 512 handshakes.
const ENROLLING: usize = 128;
/// Attempts of one host to enrol.
const ATTEMPTS: u32 = 8;
/// Descriptors beside those of the hosts.
const OTHERS: u64 = 128;
/// Alarms that wait for their acknowledgement: no more are raised then, which the figures show.
const WAITING: u64 = 2_000_000;
/// Questions that wait for their answers.
const QUESTIONS_WAITING: u64 = 512 * 512;
/// Between two looks at which questions are due.
const QUESTION_TICK: Duration = Duration::from_millis(2);
/// Between two looks at what is due.
const TICK: Duration = Duration::from_millis(10);

/// Raises the limit on descriptors as far as the hosts need it.
///
/// # Errors
/// This user may not have so many.
pub fn room(hosts: u32) -> Result<()> {
    let needed = u64::from(hosts) + OTHERS;
    let now = getrlimit(Resource::Nofile);
    if now.current.is_none_or(|n| n >= needed) {
        return Ok(());
    }
    let maximum = now.maximum.map(|m| m.max(needed));
    setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum }).with_context(|| {
        format!(
            "{hosts} hosts need {needed} descriptors and this user may have {}: ulimit -Hn, or fewer --hosts",
            now.maximum.unwrap_or(u64::MAX)
        )
    })
}

/// Does all of it; the result is the summary, which also stands on standard output.
///
/// # Errors
/// The hosts cannot enrol or connect; says why.
pub async fn run(plan: Plan) -> Result<serde_json::Value> {
    let begun = Instant::now();
    let gate = Arc::new(Gate::new(&plan)?);
    let field = Arc::new(Field { seed: plan.seed, ..Field::default() });
    field.begun_ms.store(now_ms(), Relaxed);
    let step = u64::from(plan.hosts) * 1000 / u64::from(plan.rate);
    field.step_ms.store(i64::try_from(step).unwrap_or(i64::MAX), Relaxed);
    let journals: Arc<Vec<Arc<Journal>>> = Arc::new((0..plan.hosts).map(|_| Arc::default()).collect());
    let telling = tokio::spawn(tell(field.clone(), begun, plan.hosts));
    let due = (0..plan.hosts).map(|_| Arc::default()).collect();
    let mut swarm = Swarm { plan, gate, field, journals, due, sessions: JoinSet::new(), begun };
    let done = swarm.course().await;
    let summary = swarm.field.figures.summary(begun, swarm.plan.hosts);
    swarm.farewell().await;
    telling.abort();
    done?;
    say(&summary)?;
    Ok(summary)
}

struct Swarm {
    plan: Plan,
    gate: Arc<Gate>,
    field: Arc<Field>,
    journals: Arc<Vec<Arc<Journal>>>,
    /// Questions of each host, as many as there are journals.
    due: Vec<Arc<Due>>,
    sessions: JoinSet<()>,
    begun: Instant,
}

impl Swarm {
    async fn course(&mut self) -> Result<()> {
        self.enroll_all().await?;
        self.connected().await?;
        say(&self.field.figures.line("ready", self.begun, self.plan.hosts))?;
        sleep(self.plan.settle).await;
        let end = Instant::now() + self.plan.time;
        self.field.begun_ms.store(now_ms(), Relaxed);
        match self.plan.mode {
            Mode::Idle => {}
            Mode::Alarms => self.alarms(end).await,
            Mode::Commands => self.journals.iter().for_each(|j| self.raise(j, 1)),
            Mode::Cloud => self.questions(end).await,
        }
        if self.plan.mode != Mode::Idle {
            if self.plan.mode == Mode::Cloud {
                self.answered().await
            } else {
                self.acknowledged().await
            }
            say(&self.field.figures.line("produced", self.begun, self.plan.hosts))?;
        }
        if self.plan.hold {
            closed().await;
        } else {
            sleep(end.saturating_duration_since(Instant::now())).await;
        }
        Ok(())
    }

    /// The first one alone: what is wrong with the token or the way is wrong for all of them.
    async fn enroll_all(&mut self) -> Result<()> {
        let way = enroll(&self.gate, &self.field, self.plan.seed, 0, 1).await?;
        self.live(way);
        let turns = Arc::new(Semaphore::new(ENROLLING));
        let mut tick = interval(Duration::from_secs(1) / self.plan.enrol_rate);
        tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut enrolling = JoinSet::new();
        for number in 1..self.plan.hosts {
            tick.tick().await;
            let turn = turns.clone().acquire_owned().await.context("no turn")?;
            let (gate, field, seed) = (self.gate.clone(), self.field.clone(), self.plan.seed);
            enrolling.spawn(async move {
                let _turn = turn;
                enroll(&gate, &field, seed, number, ATTEMPTS).await
            });
            while let Some(done) = enrolling.try_join_next() {
                self.live(done.context("an enrolment ended badly")??);
            }
        }
        while let Some(done) = enrolling.join_next().await {
            self.live(done.context("an enrolment ended badly")??);
        }
        Ok(())
    }

    fn live(&mut self, mut way: Way) {
        let number = way.number;
        let id = way.enrolled.host.clone();
        let machine = machine_id(self.plan.seed, number);
        let Some(journal) = self.journals.get(number as usize).cloned() else { return };
        let part = (self.plan.mode == Mode::Cloud)
            .then(|| self.due.get(number as usize).cloned())
            .flatten()
            .map(|due| Part::new(number, self.plan.seed, self.plan.cloud, due));
        let mut host = Host::new(number, id, machine, self.field.clone(), journal, part);
        let (gate, seed) = (self.gate.clone(), mix(self.plan.seed, u64::from(number)));
        self.sessions.spawn(async move {
            stay_connected(&mut way, &mut host, &gate.limits, seed).await;
        });
    }

    async fn connected(&self) -> Result<()> {
        let (f, hosts) = (&self.field.figures, u64::from(self.plan.hosts));
        let all = async {
            while f.sessions.load(Relaxed) < hosts {
                sleep(TICK).await;
            }
        };
        ensure!(
            timeout(self.plan.patience, all).await.is_ok(),
            "{} of {hosts} hosts are connected after {} s: {}",
            f.sessions.load(Relaxed),
            self.plan.patience.as_secs(),
            f.summary(self.begun, self.plan.hosts)["ends"]
        );
        Ok(())
    }

    fn raise(&self, journal: &Journal, count: u64) {
        let f = &self.field.figures;
        let _ = f.first_made_ms.compare_exchange(0, now_ms(), Relaxed, Relaxed);
        f.made.fetch_add(count, Relaxed);
        journal.raise(count);
    }

    /// At the rate, the hosts in turns.
    async fn alarms(&self, end: Instant) {
        let f = &self.field.figures;
        let begun = Instant::now();
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut turns = self.journals.iter().cycle();
        let mut made = 0_u64;
        while Instant::now() < end && made < self.plan.alarms {
            tick.tick().await;
            let due = u64::try_from(begun.elapsed().as_micros() * u128::from(self.plan.rate) / 1_000_000);
            let due = due.unwrap_or(u64::MAX).min(self.plan.alarms);
            while made < due && made.saturating_sub(f.acked.load(Relaxed)) < WAITING {
                let count = u64::from(self.plan.burst).min(self.plan.alarms - made);
                let Some(journal) = turns.next() else { return };
                self.raise(journal, count);
                made += count;
            }
        }
    }

    async fn acknowledged(&self) {
        let f = &self.field.figures;
        let all = async {
            while f.acked.load(Relaxed) < f.made.load(Relaxed) {
                sleep(TICK).await;
            }
        };
        // What is missing then stands in the figures.
        let _ = timeout(self.plan.patience, all).await;
    }

    /// Batches at the rate, the hosts in turns; once every inventory is told.
    async fn questions(&self, end: Instant) {
        let c = &self.field.figures.cloud;
        let rows = u64::from(self.plan.cloud.programs) * u64::from(self.plan.hosts);
        let told = async {
            while c.rows.load(Relaxed) < rows {
                sleep(TICK).await;
            }
        };
        let _ = timeout(self.plan.patience, told).await;
        let begun = Instant::now();
        let end = end.max(begun + self.plan.time);
        let mut tick = interval(QUESTION_TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut turns = self.due.iter().zip(self.journals.iter()).cycle();
        let (mut made, batch) = (0_u64, u64::from(self.plan.cloud.batch));
        while self.plan.questions > 0 && Instant::now() < end {
            tick.tick().await;
            let due = begun.elapsed().as_micros() * u128::from(self.plan.questions) / 1_000_000;
            let due = u64::try_from(due).unwrap_or(u64::MAX);
            while made + batch <= due {
                // What the server does not keep up with is not asked, which the figures show.
                let open = c.due.load(Relaxed).saturating_sub(c.done());
                if open >= QUESTIONS_WAITING {
                    made = due;
                    break;
                }
                let Some((host, journal)) = turns.next() else { return };
                c.due.fetch_add(batch, Relaxed);
                host.add(&journal.bell);
                made += batch;
            }
        }
    }

    async fn answered(&self) {
        let c = &self.field.figures.cloud;
        let all = async {
            while c.done() < c.due.load(Relaxed) {
                sleep(TICK).await;
            }
        };
        // What is missing then stands in the figures.
        let _ = timeout(self.plan.patience, all).await;
    }

    /// Every host says that it stops, as a daemon does; not for ever.
    async fn farewell(&mut self) {
        self.field.stopping.store(true, Relaxed);
        self.journals.iter().for_each(|j| j.bell.notify_one());
        let sessions = &mut self.sessions;
        let all = async { while sessions.join_next().await.is_some() {} };
        let _ = timeout(Duration::from_secs(15), all).await;
        self.sessions.shutdown().await;
    }
}

fn machine_id(seed: u64, number: u32) -> String {
    format!("{:016x}{:016x}", mix(seed, u64::from(number)), mix(!seed, u64::from(number)))
}

async fn enroll(gate: &Arc<Gate>, field: &Field, seed: u64, number: u32, attempts: u32) -> Result<Way> {
    let machine = machine_id(seed, number);
    let mut attempt = 0;
    loop {
        attempt += 1;
        match gate.enroll(number, &machine, field.begun_ms.load(Relaxed)).await {
            Ok(enrolled) => {
                field.figures.enrolled.fetch_add(1, Relaxed);
                return Ok(Way { gate: gate.clone(), number, enrolled });
            }
            Err(e) if attempt >= attempts || (e.is::<Refused>() && !passes(&e)) => {
                return Err(e).with_context(|| format!("host {number} cannot enrol (attempt {attempt})"));
            }
            Err(_) => {
                field.figures.enrol_retries.fetch_add(1, Relaxed);
                sleep(Duration::from_millis(500 + mix(seed, u64::from(number)) % 1000) * attempt).await;
            }
        }
    }
}

/// The server's own trouble; a token that is no good stays so.
fn passes(e: &anyhow::Error) -> bool {
    e.downcast_ref::<Refused>().is_some_and(|r| r.0.contains("try again"))
}

/// A line each second.
async fn tell(field: Arc<Field>, begun: Instant, hosts: u32) {
    let mut tick = interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tick.tick().await;
        if say(&field.figures.line("progress", begun, hosts)).is_err() {
            return;
        }
    }
}

fn say(line: &serde_json::Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).context("cannot write to standard output")
}

/// Returns when whoever holds our standard input lets go of it, also by dying.
async fn closed() {
    // A thread of its own, which the runtime does not wait for.
    let (done, ended) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = done.send(());
    });
    let _ = ended.await;
}
