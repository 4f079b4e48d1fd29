// SPDX-License-Identifier: Apache-2.0
//! Sessions of agents that do as they should.

use crate::agent::{Agent, acked, at, event, goodbye, hear, hear_else, record, say, send_records};
use crate::rig::{Rig, until};
use lazaret_proto::v1;
use lazaret_store::Cursor;
use std::time::{Duration, Instant};
use v1::agent_frame::Kind as Say;
use v1::goodbye::Kind as Bye;
use v1::server_frame::Kind as Told;

const ALARM: &str = "0198c0de-0000-7000-8000-00000000000a";
const FILE: &str = "0198c0de-0000-7000-8000-00000000000b";

fn alarm(title: &str) -> v1::record::What {
    v1::record::What::Alarm(v1::Alarm {
        id: ALARM.to_owned(),
        title: title.to_owned(),
        origin: "exec".to_owned(),
        severity: "critical".to_owned(),
        decision: "isolate_and_kill".to_owned(),
        rating: "high".to_owned(),
        verdict: Some(v1::Verdict { class: "miner".to_owned(), confidence: 97, ..v1::Verdict::default() }),
        ..v1::Alarm::default()
    })
}

fn file(status: &str) -> v1::record::What {
    v1::record::What::Isolated(v1::Isolated {
        id: FILE.to_owned(),
        path: b"/srv/\xff\n<b>".to_vec(),
        sha256: vec![9; 32],
        status: status.to_owned(),
        alarm: ALARM.to_owned(),
        ..v1::Isolated::default()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_are_taken_once_and_acknowledged() {
    let rig = Rig::start(|_| {}).await;
    let agent = Agent::new(&rig, "m1").await;
    let (mut line, hello) = agent.session(&rig).await;
    assert_eq!(hello.acked, Some(at(0, 0)));
    assert!(!hello.incarnation.is_empty() && hello.max_records > 0);
    let row = rig.host(&agent.host).await;
    assert_eq!((row.status.as_str(), row.kernel.as_str()), ("online", "6.1.0"));
    send_records(&mut line, vec![record(1, 1, alarm("Miner")), event(1, 2)]).await;
    assert_eq!(acked(&mut line).await, (1, 2));
    drop(line);
    until("offline", || async { rig.host(&agent.host).await.status == "offline" }).await;

    let (mut line, hello) = agent.session(&rig).await;
    assert_eq!(hello.acked, Some(at(1, 2)));
    // The acknowledgement was lost, as the agent sees it: the same again, and more.
    let batch = vec![record(1, 1, alarm("Miner")), event(1, 2), record(1, 3, file("isolated"))];
    send_records(&mut line, batch).await;
    assert_eq!(acked(&mut line).await, (1, 3));
    send_records(&mut line, vec![record(1, 4, alarm("Miner, handled")), record(1, 5, file("restored"))])
        .await;
    assert_eq!(acked(&mut line).await, (1, 5));

    let stored = rig.store.alarm(ALARM).await.unwrap();
    assert_eq!((stored.title.as_str(), stored.host.as_str()), ("Miner, handled", agent.host.as_str()));
    assert_eq!((stored.severity, stored.class.as_str(), stored.confidence), (3, "miner", 97));
    assert!(stored.auto_block);
    let kept = rig.store.isolated(FILE).await.unwrap();
    assert_eq!((kept.status.as_str(), kept.path.as_slice()), ("restored", b"/srv/\xff\n<b>".as_slice()));
    assert!(kept.alarm_title.starts_with("Miner"), "{}", kept.alarm_title);
    let history = rig.store.host_events(&agent.host, &Cursor { after: None, limit: 100 }).await.unwrap();
    assert_eq!(history.items.iter().filter(|e| e.text == "entry 2").count(), 1);
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_host_sends_cannot_change_another_ones_alarm() {
    let rig = Rig::start(|_| {}).await;
    let (one, two) = (Agent::new(&rig, "m1").await, Agent::new(&rig, "m2").await);
    let (mut line, _) = one.session(&rig).await;
    send_records(&mut line, vec![record(1, 1, alarm("Miner"))]).await;
    assert_eq!(acked(&mut line).await, (1, 1));
    let (mut line, _) = two.session(&rig).await;
    send_records(&mut line, vec![record(1, 1, alarm("nothing to see here"))]).await;
    assert_eq!(acked(&mut line).await, (1, 1));
    let stored = rig.store.alarm(ALARM).await.unwrap();
    assert_eq!((stored.title.as_str(), stored.host.as_str()), ("Miner", one.host.as_str()));
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forks_and_pruned_journals_are_taken() {
    let rig = Rig::start(|_| {}).await;
    let agent = Agent::new(&rig, "m1").await;
    let (mut line, _) = agent.session(&rig).await;
    send_records(&mut line, (1..=9).map(|n| event(1, n)).collect()).await;
    assert_eq!(acked(&mut line).await, (1, 9));
    // A snapshot at entry 4, and two new ones since.
    send_records(&mut line, vec![event(2, 5), event(2, 6)]).await;
    assert_eq!(acked(&mut line).await, (2, 6));
    drop(line);
    // Offline for longer than the journal keeps.
    let hello = v1::AgentHello { first: Some(at(2, 50)), last: Some(at(2, 51)), ..agent.hello() };
    let (mut line, first) = agent.greet(&rig, hello).await;
    assert!(matches!(&first, Told::Hello(h) if h.acked == Some(at(2, 6))), "{first:?}");
    send_records(&mut line, vec![event(2, 50), event(2, 51)]).await;
    assert_eq!(acked(&mut line).await, (2, 51));
    assert!(rig.lines.lock().unwrap().iter().any(|l| l.contains("are lost")));
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_goes_out_at_once_and_its_result_comes_back() {
    let rig = Rig::start(|s| s.poll = Duration::from_secs(20)).await;
    let agent = Agent::new(&rig, "m1").await;
    let (mut line, _) = agent.session(&rig).await;
    let verb = v1::command::Verb::SelfTest(v1::SelfTestCommand {});
    let begun = Instant::now();
    let id = rig.order(&agent.host, verb.clone()).await;
    rig.gateway.handle().ordered();
    let Told::Command(command) = hear_else(&mut line).await else { panic!("no command") };
    assert!(begun.elapsed() < Duration::from_secs(5), "not by the clock");
    assert_eq!((command.id.as_str(), command.who.as_str()), (id.as_str(), "alice"));
    assert_eq!(command.verb, Some(verb.clone()));
    assert_eq!(rig.store.command(&id).await.unwrap().state, "sent");
    drop(line);

    // The connection broke before the result: it comes again, once.
    let (mut line, _) = agent.session(&rig).await;
    let Told::Command(again) = hear_else(&mut line).await else { panic!("no command") };
    assert_eq!(again.id, id);
    drop(line);
    // The agent says that it has it under way: not again.
    let hello = v1::AgentHello { commands: vec![id.clone()], ..agent.hello() };
    let (mut line, _) = agent.greet(&rig, hello).await;
    let result = v1::CommandResult {
        id: id.clone(),
        outcome: "partial".to_owned(),
        reason: "one of two".to_owned(),
        ..v1::CommandResult::default()
    };
    say(&mut line, Say::Result(result.clone())).await;
    until("the result", || async { rig.store.command(&id).await.unwrap().state == "partial" }).await;
    say(&mut line, Say::Result(v1::CommandResult { outcome: "done".to_owned(), ..result })).await;
    send_records(&mut line, vec![event(1, 1)]).await;
    assert_eq!(acked(&mut line).await, (1, 1), "no command came before that");
    let row = rig.store.command(&id).await.unwrap();
    assert_eq!((row.state.as_str(), row.reason.as_str()), ("partial", "one of two"), "the first one counts");

    // Another host's command is none of its business.
    let other = Agent::new(&rig, "m2").await;
    let foreign = rig.order(&other.host, v1::command::Verb::SelfTest(v1::SelfTestCommand {})).await;
    let lie =
        v1::CommandResult { id: foreign.clone(), outcome: "done".to_owned(), ..v1::CommandResult::default() };
    say(&mut line, Say::Result(lie)).await;
    send_records(&mut line, vec![event(1, 2)]).await;
    assert_eq!(acked(&mut line).await, (1, 2));
    assert_eq!(rig.store.command(&foreign).await.unwrap().state, "pending");
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_are_cancelled_and_found_by_the_clock() {
    let rig = Rig::start(|s| s.poll = Duration::from_millis(50)).await;
    let agent = Agent::new(&rig, "m1").await;
    let verb = v1::command::Verb::SelfTest(v1::SelfTestCommand {});
    let never = rig.order(&agent.host, verb.clone()).await;
    rig.store.cancel_command(&never, "alice", crate::rig::now_ms()).await.unwrap();
    let (mut line, _) = agent.session(&rig).await;
    let id = rig.order(&agent.host, verb).await;
    let Told::Command(command) = hear_else(&mut line).await else { panic!("no command") };
    assert_eq!(command.id, id, "the cancelled one was not sent");
    rig.store.cancel_command(&id, "alice", crate::rig::now_ms()).await.unwrap();
    let Told::Cancel(cancel) = hear_else(&mut line).await else { panic!("no cancellation") };
    assert_eq!(cancel.id, id);
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_gets_what_it_should_have_when_that_changes() {
    let rig = Rig::start(|s| s.poll = Duration::from_millis(50)).await;
    let agent = Agent::new(&rig, "m1").await;
    let (mut line, hello) = agent.session(&rig).await;
    let Told::Desired(state) = hear(&mut line).await.unwrap() else { panic!("no state") };
    assert_eq!(state.generation, hello.generation);
    assert_eq!(
        state.policy.as_ref().unwrap().isolate_and_kill,
        Some(false),
        "off until somebody turns it on"
    );
    let refused = vec!["high_threshold is pinned".to_owned()];
    say(&mut line, Say::Applied(v1::StateApplied { generation: state.generation, refused })).await;
    until("applied", || async {
        let row = rig.host(&agent.host).await;
        row.generation_applied == row.generation && row.refused.contains("pinned")
    })
    .await;
    rig.store
        .set_switch(&lazaret_store::SwitchRow {
            project: "0".to_owned(),
            name: "isolate_and_kill".to_owned(),
            on: true,
            who: "alice".to_owned(),
            at_ms: crate::rig::now_ms(),
        })
        .await
        .unwrap();
    let Told::Desired(newer) = hear(&mut line).await.unwrap() else { panic!("no state") };
    assert!(newer.generation > state.generation, "{newer:?} after {state:?}");
    assert_eq!(newer.policy.unwrap().isolate_and_kill, Some(true));
    drop(line);
    // It has kept that one: nothing is sent again once it is applied.
    let hello = v1::AgentHello { generation: newer.generation, ..agent.hello() };
    let (mut line, _) = agent.greet(&rig, hello).await;
    say(&mut line, Say::Applied(v1::StateApplied { generation: newer.generation, refused: Vec::new() }))
        .await;
    until("applied", || async {
        let row = rig.host(&agent.host).await;
        row.generation_applied == row.generation
    })
    .await;
    drop(line);
    let hello = v1::AgentHello { generation: newer.generation, ..agent.hello() };
    let (mut line, _) = agent.greet(&rig, hello).await;
    send_records(&mut line, vec![event(1, 1)]).await;
    assert!(matches!(hear(&mut line).await.unwrap(), Told::Acked(_)));
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_becomes_a_host_of_its_own() {
    let rig = Rig::start(|_| {}).await;
    let agent = Agent::new(&rig, "m1").await;
    let (mut first, _) = agent.session(&rig).await;
    let reading = tokio::spawn(async move {
        // It must read to answer the question whether it lives.
        while first.receive::<v1::ServerFrame>().await.is_ok() {}
    });
    let copy = v1::AgentHello {
        run: "other-run".to_owned(),
        boot_id: "other-boot".to_owned(),
        machine_id: "m1-copy".to_owned(),
        ..agent.hello()
    };
    let (_, answer) = agent.greet(&rig, copy).await;
    let Told::Goodbye(g) = answer else { panic!("{answer:?}") };
    assert!(g.kind() == Bye::Clone && !g.token.is_empty(), "{g:?}");
    let own = Agent::enroll(&rig, &g.token, "m1-copy").await.unwrap();
    assert_ne!(own.host, agent.host);
    assert!(Agent::enroll(&rig, &g.token, "m1-copy").await.is_err(), "the token is good once");
    let (_second, _) = own.session(&rig).await;
    assert_eq!(rig.gateway.handle().sessions(), 2, "both stay connected");
    let alarms = rig.alarms().await;
    let about: Vec<_> = alarms.iter().map(|a| a.host.as_str()).collect();
    assert!(about.contains(&agent.host.as_str()) && about.contains(&own.host.as_str()), "{alarms:?}");
    assert!(alarms.iter().all(|a| a.severity == 2 && a.origin == "daemon"));
    assert!(!reading.is_finished());
    rig.gateway.stop().await;
}

/// Reads, as an agent does, and so answers the question whether it lives.
fn alive(mut line: crate::agent::Line) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move { while line.receive::<v1::ServerFrame>().await.is_ok() {} })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_a_running_machine_becomes_a_host_of_its_own() {
    let rig = Rig::start(|_| {}).await;
    let agent = Agent::new(&rig, "m1").await;
    let (first, _) = agent.session(&rig).await;
    let reading = alive(first);
    // The same ids and the same run: as a snapshot with its memory says hello.
    let (_, answer) = agent.greet(&rig, agent.hello()).await;
    let Told::Goodbye(g) = answer else { panic!("{answer:?}") };
    assert!(g.kind() == Bye::Clone && !g.token.is_empty(), "{g:?}");
    let own = Agent::enroll(&rig, &g.token, "m1").await.unwrap();
    assert_ne!(own.host, agent.host);
    let (second, _) = own.session(&rig).await;
    let second = alive(second);
    assert_eq!(rig.gateway.handle().sessions(), 2, "both stay connected");
    let alarms = rig.alarms().await;
    let about: Vec<_> = alarms.iter().map(|a| a.host.as_str()).collect();
    assert!(about.contains(&agent.host.as_str()) && about.contains(&own.host.as_str()), "{alarms:?}");
    assert!(!reading.is_finished() && !second.is_finished());
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_whose_connection_was_lost_is_no_copy() {
    let rig = Rig::start(|_| {}).await;
    let agent = Agent::new(&rig, "m1").await;
    // Half open: nobody reads at the other end any more, and the server does not know.
    let (mut dead, _) = agent.session(&rig).await;
    send_records(&mut dead, vec![event(1, 1)]).await;
    assert_eq!(acked(&mut dead).await, (1, 1));
    let (line, hello) = agent.session(&rig).await;
    assert_eq!(hello.acked, Some(at(1, 1)), "what came before is no sign of life");
    let line = alive(line);
    assert!(rig.alarms().await.is_empty());
    assert_eq!(rig.gateway.handle().sessions(), 1);
    // One that closed its connection waits for nothing.
    line.abort();
    let _ = line.await;
    let begun = Instant::now();
    until("the end of the session", || async { rig.gateway.handle().sessions() == 0 }).await;
    let (_line, _) = agent.session(&rig).await;
    assert!(begun.elapsed() < Duration::from_secs(10) && rig.alarms().await.is_empty());
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_boots_again_is_no_copy() {
    let rig = Rig::start(|_| {}).await;
    let agent = Agent::new(&rig, "m1").await;
    // Never read from again: as if the machine had lost its power.
    let (_dead, _) = agent.session(&rig).await;
    let booted =
        v1::AgentHello { run: "next-run".to_owned(), boot_id: "next-boot".to_owned(), ..agent.hello() };
    let (_line, answer) = agent.greet(&rig, booted).await;
    assert!(matches!(answer, Told::Hello(_)), "{answer:?}");
    assert!(rig.alarms().await.is_empty());
    assert_eq!(rig.gateway.handle().sessions(), 1);
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_stops_says_so_and_the_next_goes_on() {
    let rig = Rig::start(|_| {}).await;
    let agent = Agent::new(&rig, "m1").await;
    let (mut line, _) = agent.session(&rig).await;
    send_records(&mut line, vec![event(1, 1)]).await;
    assert_eq!(acked(&mut line).await, (1, 1));
    let (rig, last) = tokio::join!(rig.restart(|_| {}), goodbye(&mut line));
    assert!(last.kind() == Bye::Restart && last.retry_after_ms > 0, "{last:?}");
    assert_eq!(rig.host(&agent.host).await.status, "offline");
    let (_line, hello) = agent.session(&rig).await;
    assert_eq!(hello.acked, Some(at(1, 1)));
    rig.gateway.stop().await;
}
