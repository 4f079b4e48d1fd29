// SPDX-License-Identifier: Apache-2.0
//! Who gets in.

use crate::agent::{Agent, ask_to_enroll, csr, fingerprint, goodbye, say, tls};
use crate::rig::{Rig, until};
use lazaret_proto::v1;
use lazaret_session::{Limits, SESSION_PATH, connect};
use rcgen::KeyPair;
use v1::agent_frame::Kind as Say;
use v1::goodbye::Kind as Bye;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_makes_a_host_once() {
    let rig = Rig::start(|_| {}).await;
    rig.token("secret", 1, 60_000).await;
    let agent = Agent::enroll(&rig, "secret", "m1").await.unwrap();
    let row = rig.host(&agent.host).await;
    assert_eq!(
        (row.name.as_str(), row.status.as_str(), row.project.as_str()),
        ("m1.example", "installed", "0")
    );
    assert!(!row.serial.is_empty() && row.certificate_until_ms > row.enrolled_ms);
    let again = Agent::enroll(&rig, "secret", "m2").await.err().unwrap();
    assert!(again.contains("no longer good"), "{again}");
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_tokens_and_requests_are_refused_and_said_why() {
    let rig = Rig::start(|s| s.failed_enrolments = 100).await;
    rig.token("old", 5, -1).await;
    rig.token("good", 5, 60_000).await;
    assert!(Agent::enroll(&rig, "old", "m").await.err().unwrap().contains("no longer good"));
    assert!(Agent::enroll(&rig, "guess", "m").await.err().unwrap().contains("not known"));
    assert!(Agent::enroll(&rig, "", "m").await.err().unwrap().contains("token"));
    assert!(Agent::enroll(&rig, "good", "").await.err().unwrap().contains("machine id"));
    assert!(Agent::enroll(&rig, "good", "a\nb").await.err().unwrap().contains("machine id"));
    let mut forged = csr(&KeyPair::generate().unwrap());
    let n = forged.len();
    forged[n - 2] ^= 1;
    for bytes in [Vec::new(), vec![0x30; 40], vec![7; 100_000], forged] {
        let request = v1::EnrollRequest {
            token: "good".to_owned(),
            csr: bytes,
            report: None,
            machine_id: "m".to_owned(),
        };
        let answer = ask_to_enroll(&rig, request).await;
        assert!(answer.error.contains("certificate request") && answer.chain.is_empty(), "{answer:?}");
    }
    // None of that has used it up.
    let tokens = rig.store.tokens(&lazaret_store::Scope::All).await.unwrap();
    assert!(tokens.iter().any(|t| t.uses_left == 5 && t.note.is_empty()));
    Agent::enroll(&rig, "good", "m").await.unwrap();
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_is_slowed() {
    let rig = Rig::start(|s| s.failed_enrolments = 3).await;
    rig.token("good", 1, 60_000).await;
    for _ in 0..3 {
        assert!(Agent::enroll(&rig, "guess", "m").await.err().unwrap().contains("not known"));
    }
    assert!(Agent::enroll(&rig, "good", "m").await.err().unwrap().contains("too many"));
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_with_another_fingerprint_does_not_tell_its_token() {
    let rig = Rig::start(|_| {}).await;
    let error = tls(&rig, &[7; 32], None).await.err().unwrap();
    assert!(error.contains("UnknownIssuer"), "{error}");
    assert!(tls(&rig, &fingerprint(&rig), None).await.is_ok());
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_needs_a_certificate_of_this_authority() {
    let rig = Rig::start(|_| {}).await;
    let stream = tls(&rig, &fingerprint(&rig), None).await.unwrap();
    let mut line = connect(stream, "localhost", SESSION_PATH, &Limits::default()).await.unwrap();
    let answer: v1::ServerFrame = line.receive().await.unwrap();
    let Some(v1::server_frame::Kind::Goodbye(g)) = answer.kind else { panic!("{answer:?}") };
    assert!(g.kind() == Bye::UnknownHost && g.message.contains("enrol"), "{g:?}");

    let other = Rig::start(|_| {}).await;
    let stranger = Agent::new(&other, "m").await;
    let tried = async {
        let stream = tls(&rig, &fingerprint(&rig), Some((&stranger.chain, &stranger.key))).await?;
        connect(stream, "localhost", SESSION_PATH, &Limits::default()).await.map_err(|e| e.to_string())
    };
    assert!(tried.await.is_err(), "a certificate of another authority was taken");
    let stream = tls(&rig, &fingerprint(&rig), None).await.unwrap();
    assert!(connect(stream, "localhost", "/agent/v1/shell", &Limits::default()).await.is_err());
    other.gateway.stop().await;
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_enrols_again_takes_its_own_place() {
    let rig = Rig::start(|_| {}).await;
    let first = Agent::new(&rig, "m1").await;
    let hosts = [first.host.clone()];
    rig.store.set_host_importance(&hosts, "important").await.unwrap();
    rig.token("again", 5, 60_000).await;
    // Offline: replaced.
    let second = Agent::enroll(&rig, "again", "m1").await.unwrap();
    assert_ne!(first.host, second.host);
    let old = rig.host(&first.host).await;
    assert!(old.removed && old.revoked);
    assert_eq!(rig.host(&second.host).await.importance, "important");
    // Online: both stand.
    let (_line, _) = second.session(&rig).await;
    let third = Agent::enroll(&rig, "again", "m1").await.unwrap();
    assert!(!rig.host(&second.host).await.removed);
    assert!(!rig.host(&third.host).await.removed);
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_renewed_and_the_older_one_ends_with_the_newer_ones_use() {
    let rig = Rig::start(|_| {}).await;
    let mut agent = Agent::new(&rig, "m1").await;
    let old = agent.chain.clone();
    let (mut line, _) = agent.session(&rig).await;
    // The end of a certificate is in whole seconds.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    say(&mut line, Say::CertificateRequest(v1::CertificateRequest { csr: csr(&agent.key) })).await;
    let renewed = match crate::agent::hear_else(&mut line).await {
        v1::server_frame::Kind::Certificate(c) => c.chain,
        other => panic!("{other:?}"),
    };
    drop(line);
    // Not yet used: the old one still goes, as the agent may have lost the new one.
    drop(agent.session(&rig).await);
    agent.chain = renewed.clone();
    drop(agent.session(&rig).await);
    agent.chain = old;
    let (_, answer) = agent.greet(&rig, agent.hello()).await;
    let v1::server_frame::Kind::Goodbye(g) = answer else { panic!("{answer:?}") };
    assert!(g.kind() == Bye::Revoked && g.message.contains("newer"), "{g:?}");
    agent.chain = renewed;
    drop(agent.session(&rig).await);
    rig.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_host_is_out_at_once_and_stays_out() {
    let rig = Rig::start(|s| s.poll = std::time::Duration::from_millis(50)).await;
    let agent = Agent::new(&rig, "m1").await;
    let (mut line, _) = agent.session(&rig).await;
    rig.store.revoke_host(&agent.host).await.unwrap();
    assert_eq!(goodbye(&mut line).await.kind(), Bye::Revoked);
    let (_, answer) = agent.greet(&rig, agent.hello()).await;
    assert!(matches!(answer, v1::server_frame::Kind::Goodbye(g) if g.kind() == Bye::Revoked));
    let row = rig.host(&agent.host).await;
    assert!(row.run.is_empty(), "{row:?}");
    until("the end of the session", || async { rig.gateway.handle().sessions() == 0 }).await;
    rig.gateway.stop().await;
}
