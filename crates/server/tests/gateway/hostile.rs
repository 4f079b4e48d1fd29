// SPDX-License-Identifier: Apache-2.0
//! Agents that are enrolled and do what they should not.

use crate::agent::{Agent, at, event, fingerprint, goodbye, record, say, send_records, tls};
use crate::rig::{Rig, until};
use futures_util::{SinkExt as _, StreamExt as _};
use lazaret_proto::{Message as _, v1};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use v1::agent_frame::Kind as Say;
use v1::goodbye::Kind as Bye;
use v1::server_frame::Kind as Told;

/// What the server answers to these WebSocket messages before it closes.
async fn answers(rig: &Rig, agent: &Agent, messages: Vec<Message>) -> Vec<v1::ServerFrame> {
    let stream = tls(rig, &fingerprint(rig), Some((&agent.chain, &agent.key))).await.unwrap();
    let (mut socket, _) =
        tokio_tungstenite::client_async("ws://localhost/agent/v1/session", stream).await.unwrap();
    for message in messages {
        if socket.send(message).await.is_err() {
            break;
        }
    }
    let mut heard = Vec::new();
    let read = async {
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Binary(bytes) = message {
                heard.push(v1::ServerFrame::decode(bytes).unwrap());
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), read).await.expect("the server does not close");
    heard
}

fn frame(kind: Say) -> Message {
    Message::Binary(v1::AgentFrame { kind: Some(kind) }.encode_to_vec().into())
}

fn last_word(heard: &[v1::ServerFrame]) -> Bye {
    match heard.last().and_then(|f| f.kind.as_ref()) {
        Some(Told::Goodbye(g)) => g.kind(),
        other => panic!("no goodbye: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_and_oversized_frames_end_that_session_alone() {
    let rig = Rig::start(|_| {}).await;
    let (bad, good) = (Agent::new(&rig, "bad").await, Agent::new(&rig, "good").await);
    let (mut line, _) = good.session(&rig).await;
    let hello = || frame(Say::Hello(bad.hello()));
    let many = vec![v1::Record::default(); 100_000];
    for messages in [
        vec![Message::Binary(vec![0xff; 40].into())],
        vec![Message::Text("{}".into())],
        vec![frame(Say::Records(v1::Records { records: vec![event(1, 1)] }))],
        vec![hello(), hello()],
        vec![hello(), Message::Binary(vec![0x12, 0xff, 0xff, 0xff].into())],
        vec![hello(), Message::Binary(vec![0; (1 << 20) + 1].into())],
        vec![hello(), frame(Say::Records(v1::Records { records: many }))],
        vec![hello(), frame(Say::Result(v1::CommandResult::default()))],
        vec![hello(), frame(Say::Applied(v1::StateApplied { generation: u64::MAX, refused: vec![] }))],
        vec![hello(), frame(Say::CertificateRequest(v1::CertificateRequest { csr: vec![1; 50] }))],
    ] {
        let heard = answers(&rig, &bad, messages).await;
        assert_eq!(last_word(&heard), Bye::BadFrame, "{heard:?}");
    }
    // An empty frame is one of a later version, not an error.
    send_records(&mut line, vec![event(1, 1)]).await;
    assert_eq!(crate::agent::acked(&mut line).await, (1, 1), "the other session goes on");
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_hosts_id_and_other_versions_are_refused() {
    let rig = Rig::start(|_| {}).await;
    let (bad, good) = (Agent::new(&rig, "bad").await, Agent::new(&rig, "good").await);
    for (hello, wanted) in [
        (v1::AgentHello { host: good.host.clone(), ..bad.hello() }, Bye::BadFrame),
        (v1::AgentHello { run: String::new(), ..bad.hello() }, Bye::BadFrame),
        (v1::AgentHello { machine_id: "a\0b".to_owned(), ..bad.hello() }, Bye::BadFrame),
        (v1::AgentHello { version_min: 2, version_max: 9, ..bad.hello() }, Bye::UnsupportedVersion),
        (v1::AgentHello { version_min: 0, version_max: 0, ..bad.hello() }, Bye::UnsupportedVersion),
    ] {
        let (_, answer) = bad.greet(&rig, hello).await;
        assert!(matches!(&answer, Told::Goodbye(g) if g.kind() == wanted), "{answer:?}");
    }
    assert_eq!(rig.host(&good.host).await.status, "installed", "nobody spoke for it");
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gaps_and_wrong_order_are_refused_whole() {
    let rig = Rig::start(|_| {}).await;
    let agent = Agent::new(&rig, "m1").await;
    for records in [
        vec![event(1, 2)],
        vec![event(1, 1), event(1, 3)],
        vec![event(1, 1), event(1, 1)],
        vec![event(1, 1), event(0, 2)],
        vec![event(u64::MAX, 1)],
    ] {
        let (mut line, hello) = agent.session(&rig).await;
        assert_eq!(hello.acked, Some(at(0, 0)), "nothing of a refused batch is kept");
        send_records(&mut line, records.clone()).await;
        let g = goodbye(&mut line).await;
        assert_eq!(g.kind(), Bye::BadFrame, "{records:?} {g:?}");
    }
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_cannot_be_read_holds_up_nobody() {
    let rig = Rig::start(|_| {}).await;
    let agent = Agent::new(&rig, "m1").await;
    let no_id = v1::record::What::Alarm(v1::Alarm {
        id: "'; DROP TABLE hosts; --".to_owned(),
        ..v1::Alarm::default()
    });
    let strange = v1::record::What::Isolated(v1::Isolated {
        id: "0198c0de-0000-7000-8000-00000000000b".to_owned(),
        status: "vanished".to_owned(),
        ..v1::Isolated::default()
    });
    let (mut line, _) = agent.session(&rig).await;
    let bad = [record(1, 2, no_id), record(1, 4, strange)];
    send_records(&mut line, vec![event(1, 1), bad[0].clone(), event(1, 3), bad[1].clone()]).await;
    assert_eq!(crate::agent::acked(&mut line).await, (1, 4), "the position moves on");
    let cursor = lazaret_store::Cursor { after: None, limit: 100 };
    let history = rig.store.host_events(&agent.host, &cursor).await.unwrap().items;
    assert_eq!(history.len(), 4, "{history:?}");
    let told: Vec<_> = history.iter().filter(|e| e.kind == "server").collect();
    assert!(
        told.len() == 2 && told[1].text.contains("(1, 2)") && told[1].text.contains("alarm id"),
        "{told:?}"
    );
    assert!(told[0].text.contains("vanished") && told[0].text.contains("raw bytes"), "{told:?}");
    let kept = rig.store.unread_records(&agent.host, 10).await.unwrap();
    let decoded: Vec<_> = kept.iter().map(|k| v1::Record::decode(k.record.as_slice()).unwrap()).collect();
    assert_eq!(decoded, bad, "nothing is lost");
    let alarms = rig.alarms().await;
    let about: Vec<_> = alarms.iter().filter(|a| a.title.contains("could not be read")).collect();
    assert!(about.len() == 1 && about[0].host == agent.host, "one for the host: {alarms:?}");
    send_records(&mut line, vec![event(1, 5)]).await;
    assert_eq!(crate::agent::acked(&mut line).await, (1, 5), "and the session goes on");
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_mean_something_elsewhere_are_kept_as_they_are() {
    let rig = Rig::start(|_| {}).await;
    let agent = Agent::new(&rig, "m1").await;
    let (mut line, _) = agent.session(&rig).await;
    let path = b"/tmp/\x1b[2J\r\n<script>alert(1)</script>'; --\xff\x00".to_vec();
    let id = "0198c0de-0000-7000-8000-00000000000a";
    let alarm = v1::Alarm {
        id: id.to_owned(),
        title: "a\0b\n<b>".to_owned(),
        file: Some(v1::FileFacts { path: path.clone(), ..v1::FileFacts::default() }),
        ..v1::Alarm::default()
    };
    send_records(&mut line, vec![record(1, 1, v1::record::What::Alarm(alarm))]).await;
    assert_eq!(crate::agent::acked(&mut line).await, (1, 1));
    let stored = rig.store.alarm(id).await.unwrap();
    assert_eq!(stored.path, path);
    let report =
        v1::HostReport { host_name: "x\0\r\nSet-Cookie: a=b".to_owned(), ..v1::HostReport::default() };
    say(&mut line, Say::Report(report)).await;
    until("the report", || async { rig.host(&agent.host).await.name.contains("Set-Cookie") }).await;
    assert!(!rig.host(&agent.host).await.name.chars().any(char::is_control));
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_say_nothing_do_not_stay() {
    let rig = Rig::start(|s| s.limits.patience = Duration::from_millis(1500)).await;
    let agent = Agent::new(&rig, "m1").await;
    let mut plain = tokio::net::TcpStream::connect(rig.gateway.address()).await.unwrap();
    let mut silent = agent.line(&rig).await;
    let mut byte = [0; 1];
    let closed = tokio::io::AsyncReadExt::read(&mut plain, &mut byte);
    let closed = tokio::time::timeout(Duration::from_secs(10), closed).await.expect("it stays open");
    assert!(matches!(closed, Ok(0) | Err(_)));
    let heard = tokio::time::timeout(Duration::from_secs(10), silent.receive::<v1::ServerFrame>()).await;
    assert!(heard.expect("it stays open").is_err());
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_belongs_to_another_host_stays_as_it_is() {
    let rig = Rig::start(|_| {}).await;
    let (good, bad) = (Agent::new(&rig, "good").await, Agent::new(&rig, "bad").await);
    let id = "0198c0de-0000-7000-8000-00000000000c";
    let file = |status: &str, path: &[u8]| {
        v1::record::What::Isolated(v1::Isolated {
            id: id.to_owned(),
            path: path.to_vec(),
            status: status.to_owned(),
            ..v1::Isolated::default()
        })
    };
    let (mut line, _) = good.session(&rig).await;
    send_records(&mut line, vec![record(1, 1, file("isolated", b"/srv/ours"))]).await;
    assert_eq!(crate::agent::acked(&mut line).await, (1, 1));
    let order = rig.order(&good.host, v1::command::Verb::SelfTest(v1::SelfTestCommand {})).await;
    let (mut other, _) = bad.session(&rig).await;
    let hit = v1::WhitelistHit {
        entry: "0198c0de-0000-7000-8000-00000000000d".to_owned(),
        count: u64::MAX,
        last_ms: i64::MAX,
        path: b"/x\0\n".to_vec(),
        sha256: vec![1; 3],
    };
    let batch = vec![
        record(1, 1, file("deleted", b"/etc/passwd")),
        record(1, 2, v1::record::What::Hits(v1::WhitelistHits { hits: vec![hit] })),
    ];
    send_records(&mut other, batch).await;
    let result = v1::CommandResult { id: order.clone(), outcome: "done".to_owned(), ..Default::default() };
    say(&mut other, Say::Result(result)).await;
    let progress =
        v1::ScanProgress { task: order.clone(), state: "success".to_owned(), ..v1::ScanProgress::default() };
    say(&mut other, Say::Progress(progress)).await;
    // Whatever became of that session, this one hears of its order and ends it itself.
    let told = crate::agent::hear_else(&mut line).await;
    assert!(matches!(&told, Told::Command(c) if c.id == order), "{told:?}");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let row = rig.store.command(&order).await.unwrap();
    assert!(row.state == "pending" || row.state == "sent", "{row:?}");
    let kept = rig.store.isolated(id).await.unwrap();
    assert_eq!((kept.host.as_str(), kept.status.as_str()), (good.host.as_str(), "isolated"));
    assert_eq!(kept.path, b"/srv/ours");
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_of_a_clock_that_is_off_are_kept_as_they_came() {
    let rig = Rig::start(|_| {}).await;
    let agent = Agent::new(&rig, "m1").await;
    let (mut line, _) = agent.session(&rig).await;
    let hour = 3_600_000;
    let times = [crate::rig::now_ms() + 5 * hour, crate::rig::now_ms() - 5 * hour, i64::MAX, i64::MIN, -1];
    let id = |n: usize| format!("0198c0de-0000-7000-8000-0000000001{n:02}");
    let alarms = times.iter().enumerate().map(|(n, at_ms)| {
        let alarm = v1::Alarm { id: id(n), at_ms: *at_ms, last_ms: *at_ms, ..v1::Alarm::default() };
        let record = record(1, n as u64 + 1, v1::record::What::Alarm(alarm));
        v1::Record { at_ms: *at_ms, ..record }
    });
    send_records(&mut line, alarms.collect()).await;
    assert_eq!(crate::agent::acked(&mut line).await, (1, times.len() as u64));
    for (n, at_ms) in times.iter().enumerate().take(2) {
        assert_eq!(rig.store.alarm(&id(n)).await.unwrap().at_ms, *at_ms);
    }
    assert_eq!(rig.alarms().await.len(), times.len());
    rig.gateway.stop().await;
}
