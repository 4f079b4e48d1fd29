// SPDX-License-Identifier: Apache-2.0
//! Who is missed, and who is not.

use crate::agent::{Agent, say};
use crate::rig::{Rig, until};
use lazaret_proto::v1;
use std::time::Duration;
use v1::agent_frame::Kind as Say;
use v1::goodbye::Kind as Bye;

const SILENCE: Duration = Duration::from_secs(2);

async fn rig() -> Rig {
    Rig::start(|s| s.silence = SILENCE).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_falls_silent_raises_one_alarm() {
    let rig = rig().await;
    let (lost, stays) = (Agent::new(&rig, "lost").await, Agent::new(&rig, "stays").await);
    let (line, _) = lost.session(&rig).await;
    let (_kept, _) = stays.session(&rig).await;
    drop(line);
    until("the alarm", || async { !rig.alarms().await.is_empty() }).await;
    let alarms = rig.alarms().await;
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert_eq!((alarms[0].host.as_str(), alarms[0].severity), (lost.host.as_str(), 2));
    assert_eq!((alarms[0].origin.as_str(), alarms[0].class.as_str()), ("daemon", ""));
    assert!(alarms[0].title.contains("lost.example"), "{}", alarms[0].title);
    tokio::time::sleep(SILENCE * 2).await;
    assert_eq!(rig.alarms().await.len(), 1, "told once; a session that stands is no silence");
    let row = rig.host(&lost.host).await;
    assert!(row.status == "offline" && !row.stopped);
    // Back, and lost again: that is another silence.
    drop(lost.session(&rig).await);
    until("the second alarm", || async { rig.alarms().await.len() == 2 }).await;
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_server_is_read_only_silence_is_not_written_down() {
    let read_only = lazaret_server::read_only::ReadOnly::default();
    let known = read_only.clone();
    let rig = Rig::start(|s| (s.silence, s.read_only) = (SILENCE, known)).await;
    let lost = Agent::new(&rig, "lost").await;
    let (line, _) = lost.session(&rig).await;
    let key = lazaret_server::read_only::SETTING;
    rig.store.set_setting(key, "a move").await.unwrap();
    read_only.look(&rig.store).await.unwrap();
    drop(line);
    tokio::time::sleep(SILENCE * 2).await;
    assert!(rig.alarms().await.is_empty(), "nothing is written");
    rig.store.set_setting(key, "").await.unwrap();
    read_only.look(&rig.store).await.unwrap();
    until("the alarm, afterwards", || async { rig.alarms().await.len() == 1 }).await;
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_shutdown_is_no_silence() {
    let rig = rig().await;
    let agent = Agent::new(&rig, "m1").await;
    let (mut line, _) = agent.session(&rig).await;
    say(&mut line, Say::Goodbye(lazaret_session::goodbye(Bye::Shutdown, ""))).await;
    until("offline", || async { rig.host(&agent.host).await.stopped }).await;
    tokio::time::sleep(SILENCE * 2).await;
    assert!(rig.alarms().await.is_empty());
    assert_eq!(rig.host(&agent.host).await.status, "offline");
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_in_time_was_not_silent() {
    let rig = rig().await;
    let agent = Agent::new(&rig, "m1").await;
    drop(agent.session(&rig).await);
    tokio::time::sleep(SILENCE / 4).await;
    let (_line, _) = agent.session(&rig).await;
    tokio::time::sleep(SILENCE * 2).await;
    assert!(rig.alarms().await.is_empty(), "{:?}", rig.alarms().await);
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_many_is_one_alarm() {
    let rig = rig().await;
    let mut lines = Vec::new();
    for n in 0..9 {
        let agent = Agent::new(&rig, &format!("m{n}")).await;
        lines.push(agent.session(&rig).await);
    }
    // Eight of nine, not all in one moment.
    for _ in 0..8 {
        lines.pop();
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    until("the alarm", || async { !rig.alarms().await.is_empty() }).await;
    tokio::time::sleep(SILENCE).await;
    let alarms = rig.alarms().await;
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert!(alarms[0].title.contains("8 hosts"), "{}", alarms[0].title);
    rig.gateway.stop().await;
}
