// SPDX-License-Identifier: Apache-2.0
//! Samples that come as they should: once for a project, going on where they were.

use super::kit::{
    ask_one, config, move_to_other, open, other_project, part, question, rig, send, send_all, sha,
};
use crate::agent::Agent;
use crate::base::{Base, on_both};
use crate::rig::{Rig, until};
use lazaret_samples::{S3Config, SamplesConfig};
use lazaret_store::DEFAULT_PROJECT;
use std::io::Read as _;
use std::time::Duration;

on_both!(
    a_sample_goes_on_after_its_session_broke_and_its_gateway_was_started_anew,
    a_sample_is_kept_once_for_a_project_and_another_one_knows_nothing_of_it,
    another_host_begins_anew_what_the_first_left,
    a_place_that_is_down_costs_no_sample,
);

fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|n| u8::try_from(n % 251).unwrap()).collect()
}

/// What is stored of it.
async fn stored(rig: &Rig, project: &str, sha256: &[u8]) -> Vec<u8> {
    let folder = rig.folder.path();
    let samples = open(&SamplesConfig { spool: folder.join("spool-of-test"), ..config(folder) }, folder);
    let mut bytes = Vec::new();
    samples.open_sample(project, sha256).await.unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

async fn a_sample_goes_on_after_its_session_broke_and_its_gateway_was_started_anew(base: Base) {
    let mut rig = rig(base, |_| {}).await;
    let agent = Agent::new(&rig, "m1").await;
    let content = content(600_000);
    let (mut line, _) = agent.session(&rig).await;
    assert!(ask_one(&mut line, question(&content)).await.wanted);
    let state = send(&mut line, part(&content, 0, 0)).await;
    assert_eq!((state.state.as_str(), state.have, state.retry_after_ms), ("wanted", 0, 0));
    assert_eq!(send(&mut line, part(&content, 0, 256 << 10)).await.have, 256 << 10);
    drop(line);
    until("the end of the session", || async { rig.gateway.handle().sessions() == 0 }).await;

    let (mut line, _) = agent.session(&rig).await;
    assert_eq!(send(&mut line, part(&content, 0, 0)).await.have, 256 << 10, "where it was");
    assert_eq!(send(&mut line, part(&content, 256 << 10, 256 << 10)).await.have, 512 << 10);
    drop(line);
    rig = rig.restart(|_| {}).await;
    // Without samples nothing is taken; with them it goes on.
    let (mut line, _) = agent.session(&rig).await;
    assert_eq!(send(&mut line, part(&content, 0, 0)).await.state, "refused");
    assert!(!ask_one(&mut line, question(&content)).await.wanted);
    drop(line);
    let folder = rig.folder.path().to_owned();
    rig = rig.restart(|s| s.samples = Some(open(&config(&folder), &folder))).await;
    let (mut line, _) = agent.session(&rig).await;
    assert_eq!(send(&mut line, part(&content, 0, 0)).await.have, 512 << 10, "where it was");
    assert_eq!(send_all(&mut line, &content).await.state, "stored");
    let row = rig.store.sample(DEFAULT_PROJECT, &sha(&content)).await.unwrap();
    assert_eq!((row.state.as_str(), row.size, row.host.as_str()), ("stored", 600_000, agent.host.as_str()));
    assert!(row.expires_ms > row.stored_ms, "kept for its days");
    assert_eq!(rig.store.deep_scan(DEFAULT_PROJECT, &sha(&content)).await.unwrap().state, "queued");
    assert!(stored(&rig, DEFAULT_PROJECT, &sha(&content)).await == content);
    // From now on it is pending, and nobody sends it again.
    let told = ask_one(&mut line, question(&content)).await;
    assert_eq!((told.standing.as_str(), told.wanted, told.ttl_seconds), ("pending", false, 60));
    assert_eq!(
        send_all(&mut line, &content).await.state,
        "stored",
        "the answer was lost, as the host sees it"
    );
    rig.gateway.stop().await;
}

async fn a_sample_is_kept_once_for_a_project_and_another_one_knows_nothing_of_it(base: Base) {
    let rig = rig(base, |_| {}).await;
    other_project(&rig).await;
    let (one, two) = (Agent::new(&rig, "m1").await, Agent::new(&rig, "m2").await);
    let stranger = Agent::new(&rig, "m3").await;
    move_to_other(&rig, &stranger).await;
    let content = content(5_000);
    let (mut line, _) = one.session(&rig).await;
    assert_eq!(send_all(&mut line, &content).await.state, "stored");
    let (mut line, _) = two.session(&rig).await;
    let state = send(&mut line, part(&content, 0, 0)).await;
    assert_eq!(
        (state.state.as_str(), state.have),
        ("stored", 5_000),
        "another host of the project sends nothing"
    );
    // The other project: as if it had never been anywhere.
    let (mut line, _) = stranger.session(&rig).await;
    let told = ask_one(&mut line, question(&content)).await;
    assert_eq!((told.standing.as_str(), told.wanted, told.hosts), ("unknown", true, 0));
    let state = send(&mut line, part(&content, 0, 0)).await;
    assert_eq!((state.state.as_str(), state.have), ("wanted", 0));
    assert_eq!(send_all(&mut line, &content).await.state, "stored");
    for project in [DEFAULT_PROJECT, "other"] {
        assert_eq!(rig.store.sample(project, &sha(&content)).await.unwrap().state, "stored");
        assert!(stored(&rig, project, &sha(&content)).await == content, "each has its own");
    }
    rig.gateway.stop().await;
}

async fn another_host_begins_anew_what_the_first_left(base: Base) {
    let rig = rig(base, |_| {}).await;
    let (liar, honest) = (Agent::new(&rig, "liar").await, Agent::new(&rig, "honest").await);
    let content = content(300_000);
    let (mut line, _) = liar.session(&rig).await;
    let mut wrong = part(&content, 0, 200_000);
    wrong.data.fill(0);
    assert_eq!(send(&mut line, wrong).await.have, 200_000);
    let (mut other, _) = honest.session(&rig).await;
    let state = send(&mut other, part(&content, 0, 0)).await;
    assert!(state.state == "wanted" && state.retry_after_ms > 1_000, "the first one sends it: {state:?}");
    drop(line);
    until("the end of the first", || async { rig.gateway.handle().sessions() == 1 }).await;
    let state = send(&mut other, part(&content, 0, 0)).await;
    assert_eq!((state.state.as_str(), state.have), ("wanted", 0), "nobody vouches for what is there");
    assert_eq!(send_all(&mut other, &content).await.state, "stored");
    assert!(stored(&rig, DEFAULT_PROJECT, &sha(&content)).await == content);
    rig.gateway.stop().await;
}

async fn a_place_that_is_down_costs_no_sample(base: Base) {
    // Nobody listens there: bound for a moment, so that the port is nobody else's.
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let down = |folder: &std::path::Path| SamplesConfig {
        s3: Some(S3Config {
            endpoint: format!("http://127.0.0.1:{port}"),
            bucket: "samples".to_owned(),
            region: "us-east-1".to_owned(),
            key_id: "key".to_owned(),
            secret: "secret".to_owned(),
            allow_http: true,
            path_style: true,
            ..S3Config::default()
        }),
        patience: Duration::from_millis(500),
        ..config(folder)
    };
    let rig = rig(base, |_| {}).await;
    let folder = rig.folder.path().to_owned();
    let rig = rig.restart(|s| s.samples = Some(open(&down(&folder), &folder))).await;
    let agent = Agent::new(&rig, "m1").await;
    let content = content(50_000);
    let (mut line, _) = agent.session(&rig).await;
    let state = send(&mut line, part(&content, 0, 256 << 10)).await;
    assert_eq!((state.state.as_str(), state.have), ("wanted", 50_000), "{state:?}");
    assert!(state.retry_after_ms >= 1_000, "{state:?}");
    assert_eq!(rig.store.sample(DEFAULT_PROJECT, &sha(&content)).await.unwrap().state, "receiving");
    assert!(rig.store.deep_scan(DEFAULT_PROJECT, &sha(&content)).await.is_err());
    // It asks again, and the session goes on meanwhile.
    let state = send(&mut line, part(&content, 50_000, 0)).await;
    assert_eq!((state.state.as_str(), state.have), ("wanted", 50_000), "{state:?}");
    assert_eq!(ask_one(&mut line, question(b"another")).await.standing, "unknown");
    drop(line);
    // The place is there again: what has come is not sent a second time.
    let rig = rig.restart(|s| s.samples = Some(open(&config(&folder), &folder))).await;
    let (mut line, _) = agent.session(&rig).await;
    let mut state = send(&mut line, part(&content, 50_000, 0)).await;
    // What the gateway before it did may hold the parts for a moment: the host comes again when it is told to.
    for _ in 0..5 {
        if state.state == "stored" {
            break;
        }
        assert_eq!((state.state.as_str(), state.have), ("wanted", 50_000), "{state:?}");
        tokio::time::sleep(Duration::from_millis(state.retry_after_ms.into())).await;
        state = send(&mut line, part(&content, 50_000, 0)).await;
    }
    assert_eq!(state.state, "stored", "{state:?}");
    assert!(stored(&rig, DEFAULT_PROJECT, &sha(&content)).await == content);
    rig.gateway.stop().await;
}
