// SPDX-License-Identifier: Apache-2.0
//! A server: tables that survive restarts and can be restored from a backup.

use crate::{Log, cloud, now_ms};
use lazaret_proto::v1;
use lazaret_session::{
    End, Ingested, Limits, Place, SESSION_PATH, ServerSide, Trouble, Welcome, accept, goodbye, place, serve,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use v1::goodbye::Kind as Bye;
use v1::server_frame::Kind as Say;

/// What is known of a host.
#[derive(Debug, Clone, Default)]
pub(crate) struct HostTable {
    pub(crate) acked: Place,
    pub(crate) log: Vec<(Place, String)>,
    pub(crate) applied: u64,
}

/// An order.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) host: String,
    pub(crate) expires_ms: i64,
    pub(crate) sent: bool,
    pub(crate) cancel: bool,
    pub(crate) results: Vec<String>,
}

/// The database.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tables {
    pub(crate) incarnation: u32,
    pub(crate) generation: u64,
    pub(crate) hosts: BTreeMap<String, HostTable>,
    pub(crate) commands: Vec<Row>,
    pub(crate) clones: u32,
    pub(crate) cloud: cloud::Tables,
}

/// Shared with the test.
pub(crate) type Shared = Arc<Mutex<Tables>>;

/// How a server behaves in a scenario.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mood {
    /// Every n-th batch is put off, every n+1-th is followed by a pause.
    pub(crate) slow_every: u64,
}

/// A session that this process holds.
#[derive(Clone)]
struct Live {
    run: String,
    machine: String,
    boot: String,
    heard: Arc<Mutex<Instant>>,
    probe: Arc<Notify>,
    replaced: Arc<Mutex<bool>>,
}

type Lives = Arc<Mutex<BTreeMap<String, Live>>>;

struct Side {
    tables: Shared,
    lives: Lives,
    live: Option<Live>,
    host: String,
    given: BTreeSet<String>,
    cancelled: BTreeSet<String>,
    generation: u64,
    batches: u64,
    paused: Option<(Instant, Instant)>,
    mood: Mood,
    probed: bool,
    asked: u64,
    feed: cloud::Feed,
    log: Log,
}

impl Side {
    fn replaced(&self) -> bool {
        self.live.as_ref().is_some_and(|l| *l.replaced.lock().unwrap())
    }
}

impl ServerSide for Side {
    async fn welcome(&mut self, hello: &v1::AgentHello) -> Result<Welcome, Trouble> {
        self.host.clone_from(&hello.host);
        let now = Instant::now();
        let other = self.lives.lock().unwrap().get(&hello.host).cloned();
        if let Some(other) =
            other.filter(|o| o.machine != hello.machine_id || (o.boot != hello.boot_id && o.run != hello.run))
        {
            other.probe.notify_one();
            for _ in 0..15 {
                sleep(Duration::from_millis(100)).await;
                if *other.heard.lock().unwrap() > now {
                    let mut tables = self.tables.lock().unwrap();
                    tables.clones += 1;
                    let token = format!("{}-copy-{}", hello.host, tables.clones);
                    return Err(v1::Goodbye { token, ..goodbye(Bye::Clone, "a copy") }.into());
                }
            }
        }
        let live = Live {
            run: hello.run.clone(),
            machine: hello.machine_id.clone(),
            boot: hello.boot_id.clone(),
            heard: Arc::new(Mutex::new(now)),
            probe: Arc::new(Notify::new()),
            replaced: Arc::default(),
        };
        if let Some(old) = self.lives.lock().unwrap().insert(hello.host.clone(), live.clone()) {
            *old.replaced.lock().unwrap() = true;
            old.probe.notify_one();
        }
        self.live = Some(live);
        self.given = hello.commands.iter().cloned().collect();
        self.generation = hello.generation;
        let mut tables = self.tables.lock().unwrap();
        let (incarnation, generation) = (tables.incarnation.to_string(), tables.generation);
        let host = tables.hosts.entry(hello.host.clone()).or_default();
        let acked = host.acked;
        if host.applied != hello.generation {
            // It may have it; that it has it was not heard.
            self.generation = 0;
        }
        Ok(Welcome { incarnation, acked, generation, now_ms: now_ms() })
    }

    async fn ingest(&mut self, records: Vec<v1::Record>) -> Result<Ingested, Trouble> {
        if let Some((since, until)) = self.paused {
            let now = Instant::now();
            // What was on its way when the agent was told may still come.
            if now > since + Duration::from_millis(700) && now < until {
                self.log.fault(format!("{} sends records although it was told to pause", self.host));
            }
        }
        self.batches += 1;
        let slow = self.mood.slow_every > 0;
        let wait = Duration::from_millis(1500);
        if slow && self.batches.is_multiple_of(self.mood.slow_every) {
            self.paused = Some((Instant::now(), Instant::now() + wait));
            return Ok(Ingested::Later(wait));
        }
        sleep(Duration::from_millis(5)).await;
        let acked = {
            let mut tables = self.tables.lock().unwrap();
            let host = tables.hosts.entry(self.host.clone()).or_default();
            for record in records {
                let at = place(record.at.as_ref());
                if at <= host.acked {
                    // Another session of this host was faster.
                    continue;
                }
                let Some(v1::record::What::Event(e)) = record.what else {
                    self.log.fault("a record that no agent here writes".to_owned());
                    continue;
                };
                host.log.push((at, e.text));
                host.acked = at;
            }
            host.acked
        };
        // Between commit and acknowledgement a server can die.
        sleep(Duration::from_millis(5)).await;
        if slow && self.batches % self.mood.slow_every == 1 {
            self.paused = Some((Instant::now(), Instant::now() + wait));
            return Ok(Ingested::AckedThenPause(acked, wait));
        }
        Ok(Ingested::Acked(acked))
    }

    async fn result(&mut self, result: v1::CommandResult) -> Result<(), Trouble> {
        let mut tables = self.tables.lock().unwrap();
        if let Some(row) = tables.commands.iter_mut().find(|c| c.id == result.id)
            && row.results.is_empty()
        {
            row.results.push(result.outcome);
        }
        Ok(())
    }

    async fn applied(&mut self, applied: v1::StateApplied) -> Result<(), Trouble> {
        self.tables.lock().unwrap().hosts.entry(self.host.clone()).or_default().applied = applied.generation;
        Ok(())
    }

    async fn report(&mut self, _: v1::HostReport) -> Result<(), Trouble> {
        Ok(())
    }

    async fn progress(&mut self, _: v1::ScanProgress) -> Result<(), Trouble> {
        Ok(())
    }

    async fn certificate(&mut self, _: Vec<u8>) -> Result<Vec<Vec<u8>>, Trouble> {
        Ok(Vec::new())
    }

    async fn outgoing(&mut self) -> Result<Vec<Say>, Trouble> {
        if self.replaced() {
            return Err(goodbye(Bye::Busy, "there is a newer session").into());
        }
        let mut out = Vec::new();
        let mut tables = self.tables.lock().unwrap();
        if tables.generation != self.generation {
            self.generation = tables.generation;
            out.push(Say::Desired(v1::DesiredState {
                generation: tables.generation,
                ..v1::DesiredState::default()
            }));
        }
        for row in tables.commands.iter_mut().filter(|c| c.host == self.host && c.results.is_empty()) {
            if row.cancel && !row.sent {
                row.results.push("cancelled".to_owned());
            } else if row.expires_ms < now_ms() && !row.sent {
                row.results.push("expired".to_owned());
            } else if row.cancel && self.cancelled.insert(row.id.clone()) {
                out.push(Say::Cancel(v1::CancelCommand { id: row.id.clone() }));
            } else if self.given.insert(row.id.clone()) {
                row.sent = true;
                out.push(Say::Command(v1::Command {
                    id: row.id.clone(),
                    expires_ms: row.expires_ms,
                    ..v1::Command::default()
                }));
            }
        }
        out.extend(self.feed.next(&tables.cloud, &tables.incarnation.to_string()).map(Say::Verdicts));
        Ok(out)
    }

    async fn questions(&mut self, asked: v1::HashQuestions) -> Result<Option<v1::HashAnswers>, Trouble> {
        self.asked += 1;
        Ok(self.tables.lock().unwrap().cloud.answers(&asked, self.asked))
    }

    async fn inventory(&mut self, part: v1::InventoryPart) -> Result<Option<u64>, Trouble> {
        sleep(Duration::from_millis(5)).await;
        let version = {
            let mut tables = self.tables.lock().unwrap();
            // One that comes late must not take away what the newer session has told.
            if self.replaced() {
                return Ok(None);
            }
            tables.cloud.inventory(&self.host, &part)
        };
        // Between commit and acknowledgement a server can die.
        sleep(Duration::from_millis(5)).await;
        Ok(Some(version))
    }

    async fn sample(&mut self, part: v1::SamplePart) -> Result<Option<v1::SampleState>, Trouble> {
        let state = self.tables.lock().unwrap().cloud.sample(&part, &self.log);
        sleep(Duration::from_millis(2)).await;
        Ok(Some(state))
    }

    async fn verdicts_from(&mut self, from: v1::VerdictsFrom) -> Result<(), Trouble> {
        let tables = self.tables.lock().unwrap();
        self.feed.begin(&tables.cloud, &tables.incarnation.to_string(), &from);
        Ok(())
    }

    async fn news(&mut self) {
        let Some(live) = &self.live else { return std::future::pending().await };
        tokio::select! {
            () = live.probe.notified() => self.probed = true,
            () = sleep(Duration::from_millis(300)) => {}
        }
    }

    fn heard(&mut self) {
        if let Some(live) = &self.live {
            *live.heard.lock().unwrap() = Instant::now();
        }
    }

    fn probe(&mut self) -> bool {
        std::mem::take(&mut self.probed)
    }

    async fn ended(&mut self, end: &End) {
        if let End::Protocol(why) = end {
            self.log.fault(format!("{} broke the protocol: {why}", self.host));
        }
        let Some(live) = &self.live else { return };
        let mut lives = self.lives.lock().unwrap();
        if lives.get(&self.host).is_some_and(|l| Arc::ptr_eq(&l.heard, &live.heard)) {
            lives.remove(&self.host);
        }
    }
}

/// The process, from its start on.
pub(crate) async fn process(tables: Shared, log: Log, limits: Limits, mood: Mood) -> turmoil::Result {
    let lives = Lives::default();
    let listener = turmoil::net::TcpListener::bind((std::net::Ipv4Addr::UNSPECIFIED, 7443)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let mut side = Side {
            tables: tables.clone(),
            lives: lives.clone(),
            live: None,
            host: String::new(),
            given: BTreeSet::new(),
            cancelled: BTreeSet::new(),
            generation: 0,
            batches: 0,
            paused: None,
            mood,
            probed: false,
            asked: 0,
            feed: cloud::Feed::default(),
            log: log.clone(),
        };
        let limits = limits.clone();
        tokio::spawn(async move {
            if let Ok(accepted) = accept(stream, &[SESSION_PATH], &limits).await {
                serve(accepted.channel, &mut side, &limits).await;
            }
        });
    }
}
