// SPDX-License-Identifier: Apache-2.0
//! The real session code between a modelled agent and a modelled server over a simulated network.
//! Whatever breaks, in the end every entry that an agent still has is on the server exactly once and
//! in order, and every command was executed once and has one result; the server has every host's inventory
//! and sample as they are, and every host has all verdicts.

mod agent;
mod cloud;
mod scenarios;
mod server;

use agent::Disk;
use lazaret_session::Limits;
use server::{Mood, Row, Tables};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use turmoil::Sim;

/// 2026, so that a clock an hour behind is still a clock.
const EPOCH_MS: i64 = 1_790_000_000_000;

fn now_ms() -> i64 {
    EPOCH_MS + turmoil::sim_elapsed().map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

/// What happened, for the message of a test that fails; and what must not happen.
#[derive(Debug, Clone, Default)]
struct Log {
    notes: Arc<Mutex<Vec<String>>>,
    faults: Arc<Mutex<Vec<String>>>,
}

impl Log {
    fn note(&self, text: String) {
        let at = turmoil::sim_elapsed().unwrap_or_default();
        self.notes.lock().unwrap().push(format!("{at:?} {text}"));
    }

    fn fault(&self, text: String) {
        self.faults.lock().unwrap().push(text);
    }
}

/// Everything that outlives a process.
struct World {
    seed: u64,
    agents: Vec<agent::Shared>,
    tables: server::Shared,
    log: Log,
    limits: Limits,
    mood: Mood,
    /// An agent went back to a snapshot: commands that it had done are not on its disk any more, and
    /// what it had written and not sent at that time may have been sent by the life that is lost. It
    /// comes again, as an entry of another epoch.
    reverted: bool,
}

impl World {
    fn new(seed: u64, agents: usize, target: usize) -> Self {
        let agents = (0..agents).map(|n| Arc::new(Mutex::new(Disk::new(&format!("a{n}"), target)))).collect();
        let tables = Tables { incarnation: 1, generation: 1, ..Tables::default() };
        let limits = Limits {
            max_records: 7,
            keep_alive: Duration::from_secs(2),
            patience: Duration::from_secs(4),
            ..Limits::default()
        };
        Self {
            seed,
            agents,
            tables: Arc::new(Mutex::new(tables)),
            log: Log::default(),
            limits,
            mood: Mood::default(),
            reverted: false,
        }
    }

    fn order(&self, host: &str, id: &str, lasts: Duration) {
        let at = turmoil_now() + i64::try_from(lasts.as_millis()).unwrap();
        self.tables.lock().unwrap().commands.push(Row {
            id: id.to_owned(),
            host: host.to_owned(),
            expires_ms: at,
            sent: false,
            cancel: false,
            results: Vec::new(),
        });
    }

    /// Something new for all hosts: a desired state, and a verdict that is withdrawn some calls later.
    fn want(&self) {
        let mut tables = self.tables.lock().unwrap();
        tables.generation += 1;
        let n = tables.generation;
        let content = |n: u64| u8::try_from(n % 11).unwrap();
        tables.cloud.judge(content(n), false);
        if n.is_multiple_of(2) {
            tables.cloud.judge(content(n / 2), true);
        }
    }

    /// All that is to arrive has arrived.
    fn settled(&self) -> bool {
        let tables = self.tables.lock().unwrap();
        tables.commands.iter().all(|c| !c.results.is_empty())
            && self.agents.iter().all(|a| {
                let disk = a.lock().unwrap();
                let Some(host) = tables.hosts.get(&disk.host) else { return false };
                cloud::settled(&disk.cloud, &tables.cloud, &disk.host, &tables.incarnation.to_string())
                    && disk.journal.len() == disk.target
                    && host.applied == tables.generation
                    && disk.journal.last().is_none_or(|last| host.log.iter().any(|(_, text)| text == last))
            })
    }

    fn check(&self) {
        let faults = self.log.faults.lock().unwrap();
        assert!(faults.is_empty(), "seed {}: {faults:?}", self.seed);
        let tables = self.tables.lock().unwrap();
        for shared in &self.agents {
            let disk = shared.lock().unwrap();
            let log = &tables.hosts[&disk.host].log;
            assert!(log.windows(2).all(|w| w[0].0 < w[1].0), "seed {}: order of places {log:?}", self.seed);
            let texts: Vec<&String> = if self.reverted {
                let again = |n: usize, text: &String| log[n + 1..].iter().find(|(_, other)| other == text);
                let last = log.iter().enumerate().filter(|(n, (at, text))| match again(*n, text) {
                    None => true,
                    Some((later, _)) => {
                        assert!(later.epoch > at.epoch, "seed {}: {text} twice in one epoch", self.seed);
                        false
                    }
                });
                last.map(|(_, (_, text))| text).collect()
            } else {
                log.iter().map(|(_, text)| text).collect()
            };
            let unique: BTreeSet<&&String> = texts.iter().collect();
            assert_eq!(unique.len(), texts.len(), "seed {}: something came twice {texts:?}", self.seed);
            let own: BTreeSet<&String> = disk.journal.iter().collect();
            let kept: Vec<&String> = texts.into_iter().filter(|t| own.contains(t)).collect();
            let wanted: Vec<&String> = disk.journal.iter().collect();
            assert_eq!(kept, wanted, "seed {}: lost, or out of order, on {}", self.seed, disk.host);
            for (id, order) in &disk.orders {
                let outcome = order.result.as_ref().map(|r| r.outcome.as_str());
                let wanted = u32::from(outcome == Some("done"));
                assert_eq!(order.executed, wanted, "seed {}: {id} {order:?}", self.seed);
            }
        }
        for row in &tables.commands {
            assert_eq!(row.results.len(), 1, "seed {}: {row:?}", self.seed);
            let done = self.agents.iter().filter_map(|a| {
                a.lock()
                    .unwrap()
                    .orders
                    .get(&row.id)
                    .and_then(|o| o.result.as_ref().map(|r| r.outcome.clone()))
            });
            for outcome in done {
                assert!(self.reverted || outcome == row.results[0], "seed {}: {row:?} {outcome}", self.seed);
            }
        }
    }

    /// Runs until all has settled, at most `limit` of simulated time. `each` is called ten times a
    /// simulated second with its number and breaks things; after `calm` calls it does no more.
    fn run(&self, limit: Duration, calm: u64, mut each: impl FnMut(&mut Sim<'_>, u64)) -> Duration {
        let mut sim = turmoil::Builder::new()
            .rng_seed(self.seed)
            .simulation_duration(limit * 2)
            .tick_duration(Duration::from_millis(10))
            .min_message_latency(Duration::from_millis(1))
            .max_message_latency(Duration::from_millis(60))
            .tcp_capacity(1024)
            .build();
        let (tables, log, limits, mood) =
            (self.tables.clone(), self.log.clone(), self.limits.clone(), self.mood);
        sim.host("server", move || server::process(tables.clone(), log.clone(), limits.clone(), mood));
        for (n, disk) in self.agents.iter().enumerate() {
            let (disk, log, limits) = (disk.clone(), self.log.clone(), self.limits.clone());
            let seed = self.seed.wrapping_mul(1009).wrapping_add(n as u64);
            sim.host(format!("agent{n}"), move || {
                let (disk, log, limits) = (disk.clone(), log.clone(), limits.clone());
                async move {
                    agent::daemon(disk, log, limits, seed).await;
                    Ok(())
                }
            });
        }
        let mut tick = 0_u64;
        loop {
            sim.step().unwrap_or_else(|e| panic!("seed {}: {e}", self.seed));
            tick += 1;
            if tick.is_multiple_of(10) {
                SIM_NOW.with(|n| n.set(EPOCH_MS + i64::try_from(sim.elapsed().as_millis()).unwrap()));
                let call = tick / 10;
                if call <= calm {
                    each(&mut sim, call);
                } else if self.settled() {
                    return sim.elapsed();
                }
            }
            assert!(
                sim.elapsed() < limit,
                "seed {}: not settled after {limit:?}\n{}\n{:#?}",
                self.seed,
                self.log.notes.lock().unwrap().join("\n"),
                self.tables.lock().unwrap().commands
            );
        }
    }
}

thread_local! {
    /// The simulated time for code outside of it.
    static SIM_NOW: std::cell::Cell<i64> = const { std::cell::Cell::new(EPOCH_MS) };
}

fn turmoil_now() -> i64 {
    SIM_NOW.with(std::cell::Cell::get)
}

/// Numbers that are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}
