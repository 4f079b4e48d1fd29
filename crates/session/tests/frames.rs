// SPDX-License-Identifier: Apache-2.0
//! Both sides against a peer that does what it should not, over a pipe.

use lazaret_proto::{Message as _, v1};
use lazaret_session::{
    AgentSide, Channel, End, Ingested, Limits, Notice, Place, SESSION_PATH, ServerSide, Trouble, Welcome,
    accept, connect, place, serve, talk, wire_position,
};
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::time::{Instant, timeout};
use v1::agent_frame::Kind as Say;
use v1::goodbye::Kind as Bye;
use v1::server_frame::Kind as Told;

/// An agent with a few long entries.
#[derive(Default)]
struct Agent {
    entries: u64,
    length: usize,
    sent: Place,
    acked: Place,
    forked: Option<u64>,
    begun: Vec<(String, i64)>,
    generation: u64,
}

impl AgentSide for Agent {
    type Error = String;
    fn now_ms(&self) -> i64 {
        1_000
    }
    async fn hello(&mut self) -> Result<v1::AgentHello, String> {
        Ok(v1::AgentHello {
            host: "h".to_owned(),
            first: Some(wire_position(at(1, 1))),
            ..v1::AgentHello::default()
        })
    }
    fn sent(&self) -> Place {
        self.sent
    }
    async fn fork(&mut self, epoch: u64) -> Result<(), String> {
        self.forked = Some(epoch);
        Ok(())
    }
    async fn read_after(
        &mut self,
        after: Place,
        records: usize,
        _: usize,
    ) -> Result<Vec<v1::Record>, String> {
        let text = "x".repeat(self.length);
        let record = |seq| v1::Record {
            at: Some(v1::Position { epoch: 1, seq }),
            at_ms: 0,
            what: Some(v1::record::What::Event(v1::Event { text: text.clone(), ..v1::Event::default() })),
        };
        Ok((after.seq + 1..=self.entries).take(records).map(record).collect())
    }
    async fn sending(&mut self, last: Place) -> Result<(), String> {
        self.sent = self.sent.max(last);
        Ok(())
    }
    async fn welcomed(&mut self, _: &v1::ServerHello, _: i64) {}
    async fn acked(&mut self, at: Place) -> Result<(), String> {
        self.acked = at;
        Ok(())
    }
    async fn desired(&mut self, state: v1::DesiredState) -> Result<v1::StateApplied, String> {
        self.generation = state.generation;
        Ok(v1::StateApplied { generation: state.generation, refused: Vec::new() })
    }
    async fn begin(&mut self, command: v1::Command, now: i64) -> Result<(), String> {
        self.begun.push((command.id, now));
        Ok(())
    }
    async fn cancel(&mut self, _: &str) -> Result<(), String> {
        Ok(())
    }
    async fn result(&mut self, _: &str) -> Result<Option<v1::CommandResult>, String> {
        Ok(None)
    }
    async fn certificate(&mut self, _: Vec<Vec<u8>>) -> Result<(), String> {
        Ok(())
    }
    async fn notice(&mut self) -> Option<Notice> {
        None
    }
    async fn news(&mut self) {
        std::future::pending().await
    }
    async fn ended(&mut self, _: &End, _: Option<Duration>) {}
}

/// A server that counts.
#[derive(Default)]
struct Server {
    acked: Place,
    out: Vec<Told>,
    applied: u64,
}

impl ServerSide for Server {
    async fn welcome(&mut self, _: &v1::AgentHello) -> Result<Welcome, Trouble> {
        Ok(Welcome { incarnation: "i".to_owned(), acked: self.acked, generation: 1, now_ms: 5_000 })
    }
    async fn ingest(&mut self, records: Vec<v1::Record>) -> Result<Ingested, Trouble> {
        self.acked = place(records.last().and_then(|r| r.at.as_ref()));
        Ok(Ingested::Acked(self.acked))
    }
    async fn result(&mut self, _: v1::CommandResult) -> Result<(), Trouble> {
        Ok(())
    }
    async fn applied(&mut self, applied: v1::StateApplied) -> Result<(), Trouble> {
        self.applied = applied.generation;
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
    async fn outgoing(&mut self) -> Result<Vec<Told>, Trouble> {
        Ok(std::mem::take(&mut self.out))
    }
    async fn news(&mut self) {
        std::future::pending().await
    }
    fn heard(&mut self) {}
    fn probe(&mut self) -> bool {
        false
    }
    async fn ended(&mut self, _: &End) {}
}

fn at(epoch: u64, seq: u64) -> Place {
    Place { epoch, seq }
}

fn limits() -> Limits {
    Limits { keep_alive: Duration::from_secs(1), patience: Duration::from_secs(2), ..Limits::default() }
}

/// Two ends of one WebSocket: the agent's, the server's.
async fn pipe(bytes: usize) -> (Channel<DuplexStream>, Channel<DuplexStream>) {
    let (one, two) = tokio::io::duplex(bytes);
    let limits = limits();
    let (client, server) =
        tokio::join!(connect(one, "server:1", SESSION_PATH, &limits), accept(two, &[SESSION_PATH], &limits));
    (client.unwrap(), server.unwrap().channel)
}

fn server_hello(acked: Place) -> v1::ServerHello {
    v1::ServerHello {
        version: 1,
        incarnation: "i".to_owned(),
        acked: Some(wire_position(acked)),
        now_ms: 5_000,
        keep_alive_seconds: 1,
        max_records: 100,
        max_frame: 1 << 20,
        generation: 1,
    }
}

/// Lets an agent speak with a server that says just this; how it ends, and its last word.
async fn with_server(agent: &mut Agent, says: Vec<Told>) -> (End, Option<Bye>) {
    let (client, mut server) = pipe(1 << 16).await;
    let peer = async {
        let _: v1::AgentFrame = server.receive().await.unwrap();
        for kind in says {
            server.send(&v1::ServerFrame { kind: Some(kind) }).await.unwrap();
        }
        loop {
            match server.receive::<v1::AgentFrame>().await {
                Ok(v1::AgentFrame { kind: Some(Say::Goodbye(g)) }) => return Some(g.kind()),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    };
    let limits = limits();
    let ((end, _), last) = tokio::join!(talk(client, agent, &limits), peer);
    (end, last)
}

#[tokio::test]
async fn a_server_that_lies_is_left() {
    let far = at(i64::MAX as u64, 5);
    for says in [
        vec![Told::Hello(server_hello(far))],
        vec![Told::Acked(v1::Acked { at: None })],
        vec![Told::Hello(server_hello(at(0, 0))), Told::Hello(server_hello(at(0, 0)))],
        vec![
            Told::Hello(server_hello(at(0, 0))),
            Told::Acked(v1::Acked { at: Some(wire_position(at(1, 9))) }),
        ],
        vec![Told::Hello(server_hello(at(0, 0))), Told::Command(v1::Command::default())],
    ] {
        let (end, last) = with_server(&mut Agent::default(), says.clone()).await;
        assert!(matches!(end, End::Protocol(_)), "{says:?}: {end}");
        assert_eq!(last, Some(Bye::BadFrame), "{says:?}");
    }
    let old = Told::Hello(v1::ServerHello { version: 7, ..server_hello(at(0, 0)) });
    let (_, last) = with_server(&mut Agent::default(), vec![old]).await;
    assert_eq!(last, Some(Bye::UnsupportedVersion));
}

#[tokio::test]
async fn a_server_that_has_more_than_was_sent_makes_a_fork() {
    let mut agent = Agent { sent: at(1, 60), ..Agent::default() };
    let command = v1::Command { id: "c".to_owned(), ..v1::Command::default() };
    let says = vec![
        Told::Hello(server_hello(at(3, 100))),
        Told::Command(command),
        Told::Goodbye(lazaret_session::goodbye(Bye::Restart, "")),
    ];
    let (end, _) = with_server(&mut agent, says).await;
    assert!(matches!(end, End::Told(_)), "{end}");
    assert_eq!(agent.forked, Some(4));
    assert_eq!(agent.sent, at(3, 100), "so that it forks once");
    assert_eq!(agent.begun, [("c".to_owned(), 5_000)], "by the server's clock");
}

#[tokio::test]
async fn a_server_that_falls_silent_is_noticed() {
    let begun = Instant::now();
    let (client, mut server) = pipe(1 << 16).await;
    let peer = tokio::spawn(async move {
        let _: v1::AgentFrame = server.receive().await.unwrap();
        server.send(&v1::ServerFrame { kind: Some(Told::Hello(server_hello(at(0, 0)))) }).await.unwrap();
        // It keeps the connection and does not read: no pong comes.
        tokio::time::sleep(Duration::from_secs(20)).await;
        drop(server);
    });
    let (end, welcome) = talk(client, &mut Agent::default(), &limits()).await;
    assert!(end == End::Silent && welcome, "{end}");
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    peer.abort();
    // One that does not even answer the hello.
    let (client, _server) = pipe(1 << 16).await;
    let (end, welcome) = talk(client, &mut Agent::default(), &limits()).await;
    assert!(end == End::Silent && !welcome, "{end}");
}

#[tokio::test]
async fn idle_sessions_live_and_dead_agents_are_noticed() {
    let (client, server) = pipe(1 << 16).await;
    let (mut agent, mut side, limits) = (Agent::default(), Server::default(), limits());
    let both = async { tokio::join!(talk(client, &mut agent, &limits), serve(server, &mut side, &limits)) };
    assert!(timeout(Duration::from_secs(6), both).await.is_err(), "an idle session ended by itself");

    let (mut client, server) = pipe(1 << 16).await;
    let hello = v1::AgentHello { version_min: 1, version_max: 1, ..v1::AgentHello::default() };
    client.send(&v1::AgentFrame { kind: Some(Say::Hello(hello)) }).await.unwrap();
    let end = timeout(Duration::from_secs(6), serve(server, &mut side, &limits)).await.expect("not noticed");
    assert_eq!(end, End::Silent);
}

#[tokio::test]
async fn both_may_send_much_at_once() {
    // A pipe that holds next to nothing: who only writes would wait for ever.
    let (client, server) = pipe(512).await;
    let mut agent = Agent { entries: 40, length: 100_000, ..Agent::default() };
    let entry = v1::WhitelistEntry { value: vec![1; 900_000], ..v1::WhitelistEntry::default() };
    let state = v1::DesiredState { generation: 3, whitelist: vec![entry], ..v1::DesiredState::default() };
    assert!(state.encoded_len() < 1 << 20);
    let mut side = Server { out: vec![Told::Desired(state)], ..Server::default() };
    let limits = Limits { keep_alive: Duration::from_secs(20), ..limits() };
    {
        let both =
            async { tokio::join!(talk(client, &mut agent, &limits), serve(server, &mut side, &limits)) };
        let _ = timeout(Duration::from_secs(10), both).await;
    }
    assert_eq!((agent.acked, side.acked), (at(1, 40), at(1, 40)));
    assert_eq!((agent.generation, side.applied), (3, 3));
}
