// SPDX-License-Identifier: Apache-2.0
//! What a host's edition does not include is switched off where it acts, with the reason.

use crate::agent::{Agent, Line, hear, say};
use crate::rig::{Rig, now_ms};
use lazaret_proto::v1;
use lazaret_store::{DEFAULT_PROJECT, SwitchRow};
use v1::agent_frame::Kind as Say;
use v1::server_frame::Kind as Told;

/// Applies what comes until it is of that edition.
async fn policy(line: &mut Line, edition: &str) -> v1::HostPolicy {
    for _ in 0..5 {
        let Told::Desired(state) = hear_next(line).await else { panic!("no state") };
        say(line, Say::Applied(v1::StateApplied { generation: state.generation, refused: Vec::new() })).await;
        let policy = state.policy.unwrap();
        if policy.edition == edition {
            return policy;
        }
    }
    panic!("no state of the edition {edition}");
}

async fn hear_next(line: &mut Line) -> Told {
    tokio::time::timeout(std::time::Duration::from_secs(10), hear(line)).await.expect("a state").unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn losing_the_quota_switches_isolation_off_and_says_why() {
    let rig = Rig::start(|s| s.poll = std::time::Duration::from_millis(50)).await;
    for name in ["isolate_and_kill", "malware_cloud_scan"] {
        let (project, name) = (DEFAULT_PROJECT.to_owned(), name.to_owned());
        let row = SwitchRow { project, name, on: true, who: "ann".to_owned(), at_ms: now_ms() };
        rig.store.set_switch(&row).await.unwrap();
    }
    let agent = Agent::new(&rig, "m1").await;
    let (mut line, _) = agent.session(&rig).await;
    let first = policy(&mut line, "enterprise").await;
    assert_eq!((first.edition.as_str(), first.isolate_and_kill), ("enterprise", Some(true)));
    assert!(first.edition_limits.is_empty(), "{:?}", first.edition_limits);

    assert_eq!(rig.store.unbind_quota(std::slice::from_ref(&agent.host)).await.unwrap(), 1);
    let lost = policy(&mut line, "none").await;
    assert_eq!((lost.edition.as_str(), lost.isolate_and_kill), ("none", Some(false)));
    assert_eq!(lost.malware_cloud_scan, Some(false));
    assert!(lost.edition_limits[0].contains("no quota"), "{:?}", lost.edition_limits);

    let pools = rig.store.quota_pools(&lazaret_store::Scope::All).await.unwrap();
    rig.store.bind_quota(&pools[0].id, std::slice::from_ref(&agent.host), "ann", now_ms()).await.unwrap();
    let again = policy(&mut line, "enterprise").await;
    assert_eq!((again.edition.as_str(), again.isolate_and_kill), ("enterprise", Some(true)));
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_a_place_takes_over_the_quota() {
    let rig = Rig::start(|_| {}).await;
    let old = Agent::new(&rig, "m1").await;
    let pool = lazaret_store::QuotaPoolRow {
        id: "0198c0de-0000-7000-8000-0000000000aa".to_owned(),
        project: DEFAULT_PROJECT.to_owned(),
        edition: "premium".to_owned(),
        total: 1,
        status: "normal".to_owned(),
        expires_ms: 0,
        automatic: false,
        note: String::new(),
        created_ms: now_ms(),
        revision: 1,
    };
    rig.store.create_quota_pool(&pool).await.unwrap();
    rig.store.bind_quota(&pool.id, std::slice::from_ref(&old.host), "ann", now_ms()).await.unwrap();
    rig.token("second", 1, 60_000).await;
    let new = Agent::enroll(&rig, "second", "m1").await.unwrap();
    assert_ne!(new.host, old.host);
    let quotas = rig.store.host_quotas(&[old.host.clone(), new.host.clone()]).await.unwrap();
    assert_eq!(quotas.get(&new.host).map(|q| q.edition.as_str()), Some("premium"));
    assert!(!quotas.contains_key(&old.host));
    rig.gateway.stop().await;
}
