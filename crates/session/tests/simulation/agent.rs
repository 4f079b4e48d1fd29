// SPDX-License-Identifier: Apache-2.0
//! An agent: a disk that survives restarts and can be reverted, and what runs while it is up.

use crate::{Log, cloud, now_ms};
use lazaret_proto::v1;
use lazaret_session::{AgentSide, Dial, End, Limits, Notice, Place, stay_connected, wire_position};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;

/// A command as the agent has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Order {
    pub(crate) executed: u32,
    pub(crate) result: Option<v1::CommandResult>,
}

/// What is on the agent's disk.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    pub(crate) host: String,
    pub(crate) machine: String,
    pub(crate) boot: u32,
    pub(crate) run: u32,
    /// Entry n has the number n + 1.
    pub(crate) journal: Vec<String>,
    /// From which number on which epoch holds.
    pub(crate) epochs: Vec<(u64, u64)>,
    pub(crate) sent: Place,
    pub(crate) incarnation: String,
    pub(crate) orders: BTreeMap<String, Order>,
    pub(crate) generation: u64,
    /// How long the journal is to become.
    pub(crate) target: usize,
    /// Its clock is off by that.
    pub(crate) skew_ms: i64,
    /// Told apart in the texts, so that a reverted machine writes other ones.
    pub(crate) life: u32,
    pub(crate) cloud: cloud::Kept,
}

impl Disk {
    pub(crate) fn new(name: &str, target: usize) -> Self {
        Self {
            host: name.to_owned(),
            machine: format!("machine-{name}"),
            boot: 1,
            run: 1,
            journal: Vec::new(),
            epochs: vec![(1, 1)],
            sent: Place::default(),
            incarnation: String::new(),
            orders: BTreeMap::new(),
            generation: 0,
            target,
            skew_ms: 0,
            life: 1,
            cloud: cloud::Kept::new(name),
        }
    }

    fn place(&self, seq: u64) -> Place {
        let epoch = self.epochs.iter().rev().find(|(from, _)| *from <= seq).map_or(1, |(_, e)| *e);
        Place { epoch, seq }
    }

    pub(crate) fn append(&mut self) {
        let text = format!("{}/{}/{}", self.machine, self.life, self.journal.len() + 1);
        self.journal.push(text);
        if self.journal.len().is_multiple_of(3) {
            self.cloud.changed(self.journal.len() / 3);
        }
    }

    fn behind(&self, after: Place) -> impl Iterator<Item = (Place, &String)> {
        (1..).zip(&self.journal).map(|(seq, text)| (self.place(seq), text)).filter(move |(at, _)| *at > after)
    }
}

/// Shared with the test.
pub(crate) type Shared = Arc<Mutex<Disk>>;

/// The running daemon's side of the session.
struct Side {
    disk: Shared,
    news: Arc<Notify>,
    log: Log,
    reported: bool,
    talking: cloud::Talking,
}

impl Side {
    fn finish(&self, id: &str, outcome: &str) {
        finish(&self.disk, id, outcome, 0);
        self.news.notify_one();
    }
}

fn finish(disk: &Shared, id: &str, outcome: &str, executed: u32) {
    let mut disk = disk.lock().unwrap();
    let order = disk.orders.entry(id.to_owned()).or_default();
    if order.result.is_none() {
        order.executed += executed;
        order.result = Some(v1::CommandResult {
            id: id.to_owned(),
            outcome: outcome.to_owned(),
            ..v1::CommandResult::default()
        });
    }
}

/// Does what was begun; the deed and its note are one step here, as replay makes them on a host.
fn execute(disk: Shared, news: Arc<Notify>, id: String) {
    tokio::spawn(async move {
        sleep(Duration::from_millis(120)).await;
        finish(&disk, &id, "done", 1);
        news.notify_one();
    });
}

impl AgentSide for Side {
    type Error = String;

    fn now_ms(&self) -> i64 {
        now_ms() + self.disk.lock().unwrap().skew_ms
    }

    async fn hello(&mut self) -> Result<v1::AgentHello, String> {
        let disk = self.disk.lock().unwrap();
        let last = disk.place(disk.journal.len() as u64);
        Ok(v1::AgentHello {
            host: disk.host.clone(),
            run: format!("{}-{}-{}", disk.machine, disk.life, disk.run),
            incarnation: disk.incarnation.clone(),
            first: Some(wire_position(disk.place(1))),
            last: Some(wire_position(last)),
            generation: disk.generation,
            machine_id: disk.machine.clone(),
            boot_id: format!("{}-{}", disk.life, disk.boot),
            commands: disk
                .orders
                .iter()
                .filter(|(_, o)| o.result.is_none())
                .map(|(id, _)| id.clone())
                .collect(),
            ..v1::AgentHello::default()
        })
    }

    fn sent(&self) -> Place {
        self.disk.lock().unwrap().sent
    }

    async fn fork(&mut self, epoch: u64) -> Result<(), String> {
        let mut disk = self.disk.lock().unwrap();
        let from = disk.behind(disk.sent).next().map_or(disk.journal.len() as u64 + 1, |(at, _)| at.seq);
        disk.epochs.retain(|(f, _)| *f < from);
        disk.epochs.push((from, epoch));
        self.log.note(format!("{} forks at {from} into {epoch}", disk.host));
        Ok(())
    }

    async fn read_after(
        &mut self,
        after: Place,
        records: usize,
        _: usize,
    ) -> Result<Vec<v1::Record>, String> {
        sleep(Duration::from_millis(1)).await;
        let disk = self.disk.lock().unwrap();
        let record = |(at, text): (Place, &String)| v1::Record {
            at: Some(wire_position(at)),
            at_ms: 0,
            what: Some(v1::record::What::Event(v1::Event { text: text.clone(), ..v1::Event::default() })),
        };
        Ok(disk.behind(after).take(records).map(record).collect())
    }

    async fn sending(&mut self, last: Place) -> Result<(), String> {
        let mut disk = self.disk.lock().unwrap();
        disk.sent = disk.sent.max(last);
        Ok(())
    }

    async fn welcomed(&mut self, hello: &v1::ServerHello, _: i64) {
        self.talking = cloud::Talking::default();
        let mut disk = self.disk.lock().unwrap();
        let life = disk.life;
        disk.cloud.welcomed(life, &hello.incarnation);
        disk.incarnation.clone_from(&hello.incarnation);
    }

    async fn acked(&mut self, _: Place) -> Result<(), String> {
        Ok(())
    }

    async fn desired(&mut self, state: v1::DesiredState) -> Result<v1::StateApplied, String> {
        self.disk.lock().unwrap().generation = state.generation;
        Ok(v1::StateApplied { generation: state.generation, refused: Vec::new() })
    }

    async fn begin(&mut self, command: v1::Command, server_now_ms: i64) -> Result<(), String> {
        if self.disk.lock().unwrap().orders.contains_key(&command.id) {
            return Ok(());
        }
        if command.expires_ms < server_now_ms {
            self.finish(&command.id, "expired");
            return Ok(());
        }
        self.disk.lock().unwrap().orders.insert(command.id.clone(), Order::default());
        execute(self.disk.clone(), self.news.clone(), command.id);
        Ok(())
    }

    async fn cancel(&mut self, id: &str) -> Result<(), String> {
        self.finish(id, "cancelled");
        Ok(())
    }

    async fn result(&mut self, id: &str) -> Result<Option<v1::CommandResult>, String> {
        Ok(self.disk.lock().unwrap().orders.get(id).and_then(|o| o.result.clone()))
    }

    async fn certificate(&mut self, _: Vec<Vec<u8>>) -> Result<(), String> {
        Ok(())
    }

    async fn notice(&mut self) -> Option<Notice> {
        if !std::mem::replace(&mut self.reported, true) {
            return Some(Notice::Report(Box::default()));
        }
        self.talking.notice(&self.disk.lock().unwrap().cloud)
    }

    async fn answers(&mut self, answers: v1::HashAnswers) -> Result<(), String> {
        self.talking.answers(&mut self.disk.lock().unwrap().cloud, &answers);
        Ok(())
    }

    async fn inventory_acked(&mut self, version: u64) -> Result<(), String> {
        self.talking.acked(&mut self.disk.lock().unwrap().cloud, version);
        Ok(())
    }

    async fn sample_state(&mut self, state: v1::SampleState) -> Result<(), String> {
        self.talking.sample_state(&mut self.disk.lock().unwrap().cloud, &state);
        Ok(())
    }

    async fn verdicts(&mut self, verdicts: v1::HashVerdicts) -> Result<(), String> {
        cloud::take_verdicts(&mut self.disk.lock().unwrap().cloud, &verdicts, &self.log);
        Ok(())
    }

    async fn news(&mut self) {
        self.news.notified().await;
    }

    async fn ended(&mut self, end: &End, retry: Option<Duration>) {
        self.log.note(format!("{}: {end}; again in {retry:?}", self.disk.lock().unwrap().host));
    }
}

struct ToServer;

impl Dial for ToServer {
    type Stream = turmoil::net::TcpStream;

    async fn dial(&mut self) -> Result<Self::Stream, String> {
        turmoil::net::TcpStream::connect("server:7443").await.map_err(|e| e.to_string())
    }

    fn authority(&self) -> String {
        "server:7443".to_owned()
    }
}

/// The daemon, from its start on: goes on where its disk stands.
pub(crate) async fn daemon(disk: Shared, log: Log, limits: Limits, seed: u64) {
    let news = Arc::new(Notify::new());
    let begun: Vec<String> = {
        let mut disk = disk.lock().unwrap();
        disk.run += 1;
        disk.orders.iter().filter(|(_, o)| o.result.is_none()).map(|(id, _)| id.clone()).collect()
    };
    for id in begun {
        execute(disk.clone(), news.clone(), id);
    }
    let (journal, told) = (disk.clone(), news.clone());
    tokio::spawn(async move {
        for step in 0_u64.. {
            sleep(Duration::from_millis(20 + (seed.wrapping_mul(31) ^ step.wrapping_mul(17)) % 70)).await;
            let mut disk = journal.lock().unwrap();
            if disk.journal.len() < disk.target {
                disk.append();
                told.notify_one();
            }
        }
    });
    let clock = news.clone();
    tokio::spawn(async move {
        // What got no answer goes again after a while.
        loop {
            sleep(Duration::from_millis(500)).await;
            clock.notify_one();
        }
    });
    loop {
        let mut side = Side {
            disk: disk.clone(),
            news: news.clone(),
            log: log.clone(),
            reported: false,
            talking: cloud::Talking::default(),
        };
        let last = stay_connected(&mut ToServer, &mut side, &limits, seed).await;
        // Only a clone comes here: it enrols as a host of its own, which gets all that it has.
        let mut disk = disk.lock().unwrap();
        log.note(format!("{} becomes {}", disk.host, last.token));
        disk.host = last.token;
        disk.sent = Place::default();
        disk.cloud.copied();
    }
}
