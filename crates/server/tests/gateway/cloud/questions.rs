// SPDX-License-Identifier: Apache-2.0
//! Questions about hashes, and inventories.

use super::kit::{
    ask, ask_one, consent, follow, heard, judge, other_project, part, question, rig, send, sha, verdicts,
};
use crate::agent::{Agent, Line, say};
use crate::base::{Base, on_both};
use crate::rig::{Rig, until};
use lazaret_proto::v1;
use lazaret_store::{Cursor, DEFAULT_PROJECT, FileRow, KnownFile, StoreError};
use std::time::Duration;
use v1::agent_frame::Kind as Say;
use v1::server_frame::Kind as Told;

on_both!(
    answers_say_what_is_known,
    what_a_list_names_becomes_a_verdict_of_the_project,
    without_consent_nothing_is_taken,
    who_asks_too_much_waits,
    one_host_of_a_project_is_asked_for_a_sample,
    a_verdict_is_not_hidden_by_what_was_known_before,
    an_inventory_is_acknowledged_when_it_is_stored,
    projects_know_nothing_of_one_another,
);

fn known(content: &[u8], bad: bool) -> KnownFile {
    KnownFile { sha256: sha(content), bad, source: "list-1".to_owned(), name: "Name".to_owned() }
}

async fn file(rig: &Rig, project: &str, content: &[u8]) -> Option<FileRow> {
    match rig.store.file(project, &sha(content)).await {
        Ok(row) => Some(row),
        Err(StoreError::NotFound(_)) => None,
        Err(e) => panic!("{e}"),
    }
}

async fn answers_say_what_is_known(base: Base) {
    let rig = rig(base, |_| {}).await;
    rig.store.add_known(vec![known(b"good", false)]).await.unwrap();
    let row = judge(&rig, DEFAULT_PROJECT, &sha(b"bad"), true).await;
    let agent = Agent::new(&rig, "m1").await;
    let (mut line, _) = agent.session(&rig).await;
    let packaged = v1::HashQuestion { packaged: true, ..question(b"packaged") };
    let forbidden = v1::HashQuestion { can_send: false, ..question(b"forbidden") };
    let large = v1::HashQuestion { size: 1 << 40, ..question(b"large") };
    let image = v1::HashQuestion { kind: "image".to_owned(), ..question(b"image") };
    let asked = vec![
        question(b"good"),
        question(b"bad"),
        question(b"new"),
        packaged,
        forbidden,
        large,
        image,
        question(b"new"),
    ];
    let told = ask(&mut line, asked).await;
    assert_eq!(told.retry_after_ms, 0);
    let words: Vec<_> = told.answers.iter().map(|a| (a.standing.as_str(), a.wanted)).collect();
    let wanted = [
        ("known_good", false),
        ("bad", false),
        ("unknown", true),
        ("unknown", false),
        ("unknown", false),
        ("unknown", false),
        ("unknown", false),
        ("unknown", true),
    ];
    assert_eq!(words, wanted);
    let verdict = told.answers[1].verdict.as_ref().unwrap();
    assert_eq!(i64::try_from(verdict.number).unwrap(), row.number);
    assert!(verdict.act && verdict.verdict.as_ref().unwrap().class == "miner");
    assert!(told.answers.iter().enumerate().all(|(n, a)| (n == 1) == a.verdict.is_some()));
    let lasts: Vec<_> = told.answers.iter().take(4).map(|a| a.ttl_seconds).collect();
    assert_eq!((lasts[0], lasts[2], lasts[3]), (86_400, 60, 3_600));
    assert!(lasts[1] > 86_400, "until it is withdrawn");
    // What is unknown is noted, with the host that asked first.
    until("a row for the file", || async { file(&rig, DEFAULT_PROJECT, b"new").await.is_some() }).await;
    let row = file(&rig, DEFAULT_PROJECT, b"new").await.unwrap();
    assert_eq!(
        (row.first_host.as_str(), row.size, row.standing.as_str()),
        (agent.host.as_str(), 3, "unknown")
    );
    // What is listed as good is not: fleets have a million such files, and inventories say where they are.
    assert!(file(&rig, DEFAULT_PROJECT, b"good").await.is_none());
    let again = ask_one(&mut line, question(b"new")).await;
    assert_eq!(again.first_ms, row.first_ms);
    rig.gateway.stop().await;
}

async fn what_a_list_names_becomes_a_verdict_of_the_project(base: Base) {
    let rig = rig(base, |_| {}).await;
    rig.store.add_known(vec![known(b"listed", true)]).await.unwrap();
    let agent = Agent::new(&rig, "m1").await;
    let (mut line, _) = agent.session(&rig).await;
    follow(&mut line, "", 0).await;
    assert!(verdicts(&mut line).await.verdicts.is_empty());
    say(&mut line, Say::Questions(v1::HashQuestions { id: 1, questions: vec![question(b"listed")] })).await;
    let (mut answered, mut told) = (None, None);
    while answered.is_none() || told.is_none() {
        match crate::agent::hear(&mut line).await.unwrap() {
            Told::Answers(answers) => answered = Some(answers.answers[0].clone()),
            Told::Verdicts(verdicts) => told = Some(verdicts.verdicts[0].clone()),
            Told::Desired(_) => {}
            other => panic!("{other:?}"),
        }
    }
    let (answered, told) = (answered.unwrap(), told.unwrap());
    let verdict = answered.verdict.unwrap();
    assert_eq!((answered.standing.as_str(), verdict.act, verdict.number), ("bad", false, 0));
    assert_eq!((told.sha256.as_slice(), told.origin.as_str()), (sha(b"listed").as_slice(), "content"));
    assert!(!told.act && told.number > 0, "it waits for its ring: {told:?}");
    assert_eq!(told.verdict, verdict.verdict, "the same before and after it has its number");
    assert!(told.verdict.unwrap().evidence[0].decisive);
    let row = rig.store.verdict(DEFAULT_PROJECT, &sha(b"listed")).await.unwrap();
    assert!(row.release_ms > 0 && row.act == "canary");
    // A person who withdraws it is heeded.
    rig.store.withdraw_verdict(DEFAULT_PROJECT, &sha(b"listed"), "ann", "ours", 5).await.unwrap();
    assert!(verdicts(&mut line).await.verdicts[0].withdrawn);
    assert_ne!(ask_one(&mut line, question(b"listed")).await.standing, "bad");
    rig.gateway.stop().await;
}

async fn without_consent_nothing_is_taken(base: Base) {
    let rig = rig(base, |_| {}).await;
    consent(&rig, DEFAULT_PROJECT, |c| (c.hashes, c.samples) = (false, false)).await;
    let agent = Agent::new(&rig, "m1").await;
    let (mut line, _) = agent.session(&rig).await;
    let told = ask(&mut line, vec![question(b"new")]).await;
    assert!(told.answers.is_empty() && told.retry_after_ms > 1_000, "{told:?}");
    say(&mut line, Say::Inventory(inventory(&[(b"/bin/a", b"a", 1)], true))).await;
    let state = send(&mut line, part(b"hello", 0, 5)).await;
    assert_eq!(state.state, "refused", "no acknowledgement of the inventory came before: {state:?}");
    assert!(state.reason.contains("consent"), "{state:?}");
    // Samples alone are not hashes.
    consent(&rig, DEFAULT_PROJECT, |c| c.hashes = false).await;
    until("the new state", || async { rig.host(&agent.host).await.generation > 0 }).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(ask(&mut line, vec![question(b"new")]).await.answers.is_empty());
    assert!(
        file(&rig, DEFAULT_PROJECT, b"new").await.is_none()
            && file(&rig, DEFAULT_PROJECT, b"a").await.is_none()
    );
    // Hashes alone: answers, and no sample is wanted or taken.
    consent(&rig, DEFAULT_PROJECT, |c| c.samples = false).await;
    let mut told = v1::HashAnswers::default();
    for _ in 0..100 {
        told = ask(&mut line, vec![question(b"new")]).await;
        if !told.answers.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!told.answers[0].wanted && told.answers[0].standing == "unknown", "{told:?}");
    assert_eq!(send(&mut line, part(b"hello", 0, 5)).await.state, "refused");
    rig.gateway.stop().await;
}

async fn who_asks_too_much_waits(base: Base) {
    let rig = rig(base, |s| (s.cloud.questions_at_once, s.cloud.questions_per_second) = (10, 1)).await;
    let (loud, other) = (Agent::new(&rig, "loud").await, Agent::new(&rig, "other").await);
    let (mut line, _) = loud.session(&rig).await;
    let many: Vec<_> = (0..15_u8).map(|n| question(&[n; 5])).collect();
    let told = ask(&mut line, many.clone()).await;
    assert_eq!(told.answers.len(), 10);
    assert_eq!(told.answers[9].sha256, many[9].sha256, "the first ones");
    assert!((1_000..=6_000).contains(&told.retry_after_ms), "{}", told.retry_after_ms);
    drop(line);
    // A new session is no new bucket.
    let (mut line, _) = loud.session(&rig).await;
    let told = ask(&mut line, many.clone()).await;
    assert!(told.answers.len() < 10 && told.retry_after_ms > 0, "{told:?}");
    let (mut quiet, _) = other.session(&rig).await;
    assert_eq!(ask(&mut quiet, many[..10].to_vec()).await.answers.len(), 10, "another host has its own");
    rig.gateway.stop().await;
}

async fn one_host_of_a_project_is_asked_for_a_sample(base: Base) {
    let rig = rig(base, |_| {}).await;
    let (one, two) = (Agent::new(&rig, "m1").await, Agent::new(&rig, "m2").await);
    let (mut first, _) = one.session(&rig).await;
    let (mut second, _) = two.session(&rig).await;
    assert!(ask_one(&mut first, question(b"new")).await.wanted);
    let told = ask_one(&mut second, question(b"new")).await;
    assert_eq!((told.wanted, told.standing.as_str(), told.ttl_seconds), (false, "pending", 60));
    assert!(ask_one(&mut first, question(b"new")).await.wanted, "it is still its turn");
    drop(first);
    until("the end of the first", || async { rig.gateway.handle().sessions() == 1 }).await;
    assert!(ask_one(&mut second, question(b"new")).await.wanted);
    rig.gateway.stop().await;
}

async fn a_verdict_is_not_hidden_by_what_was_known_before(base: Base) {
    let rig = rig(base, |_| {}).await;
    rig.store.add_known(vec![known(b"good", false)]).await.unwrap();
    let agent = Agent::new(&rig, "m1").await;
    let (mut line, _) = agent.session(&rig).await;
    for _ in 0..3 {
        assert_eq!(ask_one(&mut line, question(b"good")).await.standing, "known_good");
    }
    judge(&rig, DEFAULT_PROJECT, &sha(b"good"), true).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(ask_one(&mut line, question(b"good")).await.standing, "bad", "within two looks of the clock");
    rig.store.withdraw_verdict(DEFAULT_PROJECT, &sha(b"good"), "ann", "a mistake", 5).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_ne!(ask_one(&mut line, question(b"good")).await.standing, "bad");
    rig.gateway.stop().await;
}

/// Rows of path, content and version.
fn inventory(rows: &[(&[u8], &[u8], u64)], anew: bool) -> v1::InventoryPart {
    let version = rows.iter().map(|r| r.2).max().unwrap_or_default();
    let rows = rows.iter().map(|(path, content, version)| v1::InventoryRow {
        path: path.to_vec(),
        sha256: sha(content),
        size: content.len() as u64,
        kind: "executable".to_owned(),
        version: *version,
        ..v1::InventoryRow::default()
    });
    v1::InventoryPart { rows: rows.collect(), version, anew }
}

async fn told(line: &mut Line, part: v1::InventoryPart) -> u64 {
    say(line, Say::Inventory(part)).await;
    match heard(line).await {
        Told::InventoryAcked(acked) => acked.version,
        other => panic!("no acknowledgement: {other:?}"),
    }
}

async fn an_inventory_is_acknowledged_when_it_is_stored(base: Base) {
    let rig = rig(base, |_| {}).await;
    let agent = Agent::new(&rig, "m1").await;
    let (mut line, _) = agent.session(&rig).await;
    let strange: &[u8] = b"/srv/\xff\n<b>";
    let first = inventory(&[(b"/bin/a", b"a", 1), (strange, b"b", 2)], true);
    assert_eq!(told(&mut line, first.clone()).await, 2);
    let cursor = Cursor { after: None, limit: 100 };
    let places = rig.store.places(DEFAULT_PROJECT, &sha(b"b"), &cursor).await.unwrap().items;
    assert_eq!(places.len(), 1, "{places:?}");
    assert_eq!((places[0].host.as_str(), places[0].file.path.as_slice()), (agent.host.as_str(), strange));
    assert_eq!(file(&rig, DEFAULT_PROJECT, b"a").await.unwrap().hosts, 1);
    // The acknowledgement was lost, as the host sees it: the same again, in another session; then what is gone.
    drop(line);
    let (mut line, _) = agent.session(&rig).await;
    assert_eq!(told(&mut line, first).await, 2);
    assert_eq!(file(&rig, DEFAULT_PROJECT, b"a").await.unwrap().hosts, 1, "counted once");
    let mut gone = inventory(&[(b"/bin/a", b"a", 3)], false);
    (gone.rows[0].gone, gone.rows[0].sha256) = (true, Vec::new());
    assert_eq!(told(&mut line, gone).await, 3);
    assert_eq!(file(&rig, DEFAULT_PROJECT, b"a").await.unwrap().hosts, 0);
    // One that comes late changes nothing.
    assert_eq!(told(&mut line, inventory(&[(b"/bin/a", b"a", 1)], false)).await, 1);
    assert_eq!(file(&rig, DEFAULT_PROJECT, b"a").await.unwrap().hosts, 0);
    assert_eq!(told(&mut line, inventory(&[(b"/bin/c", b"c", 4)], true)).await, 4);
    assert_eq!(file(&rig, DEFAULT_PROJECT, b"b").await.unwrap().hosts, 0, "the host has nothing else");
    assert_eq!(ask_one(&mut line, question(b"c")).await.hosts, 1);
    rig.gateway.stop().await;
}

async fn projects_know_nothing_of_one_another(base: Base) {
    let rig = rig(base, |_| {}).await;
    other_project(&rig).await;
    let (ours, theirs) = (Agent::new(&rig, "ours").await, Agent::new(&rig, "theirs").await);
    super::kit::move_to_other(&rig, &theirs).await;
    let (mut line, _) = ours.session(&rig).await;
    let (mut other, _) = theirs.session(&rig).await;
    judge(&rig, DEFAULT_PROJECT, &sha(b"bad"), true).await;
    assert_eq!(told(&mut line, inventory(&[(b"/bin/a", b"a", 1)], true)).await, 1);
    assert_eq!(ask_one(&mut line, question(b"bad")).await.standing, "bad");
    assert!(ask_one(&mut line, question(b"new")).await.wanted);
    let told = ask(&mut other, vec![question(b"bad"), question(b"a"), question(b"new")]).await;
    for answer in told.answers {
        assert_eq!(
            (answer.standing.as_str(), answer.hosts, answer.first_ms),
            ("unknown", 0, 0),
            "{answer:?}"
        );
        assert!(answer.wanted && answer.verdict.is_none());
    }
    rig.gateway.stop().await;
}
