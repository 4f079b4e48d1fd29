// SPDX-License-Identifier: Apache-2.0
//! What these tests share: a project that has consented, and what a host says and hears.

use crate::agent::{Agent, Line, hear, say};
use crate::base::Base;
use crate::rig::{Rig, now_ms};
use lazaret_proto::{Message as _, v1};
use lazaret_samples::{Samples, SamplesConfig};
use lazaret_server::gateway::Settings;
use lazaret_store::{
    CloudConsent, DEFAULT_PROJECT, HostGroupRow, NewVerdict, ProjectRow, QuotaPoolRow, SwitchRow, VerdictRow,
};
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use v1::agent_frame::Kind as Say;
use v1::server_frame::Kind as Told;

pub(crate) fn sha(content: &[u8]) -> Vec<u8> {
    Sha256::digest(content).to_vec()
}

/// Where the samples of a rig lie.
pub(crate) fn config(folder: &Path) -> SamplesConfig {
    SamplesConfig { free_percent: 0, ..SamplesConfig::in_folder(&folder.join("data")) }
}

pub(crate) fn open(config: &SamplesConfig, folder: &Path) -> Arc<Samples> {
    Arc::new(Samples::open(config, &folder.join("authority")).unwrap())
}

/// A gateway that takes samples, and a project that has consented to everything.
pub(crate) async fn rig(base: Base, set: impl FnOnce(&mut Settings)) -> Rig {
    let rig = Rig::start_on(base, |settings, folder| {
        settings.poll = Duration::from_millis(50);
        settings.samples = Some(open(&config(folder), folder));
        set(settings);
    })
    .await;
    consent(&rig, DEFAULT_PROJECT, |_| {}).await;
    rig
}

/// Switches cloud scan on for a project, with hashes and samples.
pub(crate) async fn consent(rig: &Rig, project: &str, set: impl FnOnce(&mut CloudConsent)) {
    let row = SwitchRow {
        project: project.to_owned(),
        name: "malware_cloud_scan".to_owned(),
        on: true,
        who: "ann".to_owned(),
        at_ms: now_ms(),
    };
    rig.store.set_switch(&row).await.unwrap();
    let mut consent = rig.store.cloud_consent(project).await.unwrap();
    (consent.hashes, consent.samples) = (true, true);
    set(&mut consent);
    rig.store.set_cloud_consent(&consent).await.unwrap();
}

/// Another project with consent and places for hosts.
pub(crate) async fn other_project(rig: &Rig) -> String {
    let id = "other".to_owned();
    let project = ProjectRow { id: id.clone(), name: "Other".to_owned(), created_ms: now_ms() };
    rig.store.create_project(&project).await.unwrap();
    let pool = QuotaPoolRow {
        id: "0198c0de-0000-7000-8000-0000000000bb".to_owned(),
        project: id.clone(),
        edition: "enterprise".to_owned(),
        total: 10,
        status: "normal".to_owned(),
        expires_ms: 0,
        automatic: false,
        note: String::new(),
        created_ms: now_ms(),
        revision: 1,
    };
    rig.store.create_quota_pool(&pool).await.unwrap();
    consent(rig, &id, |_| {}).await;
    id
}

/// Moves a host there.
pub(crate) async fn move_to_other(rig: &Rig, agent: &Agent) {
    let ids = std::slice::from_ref(&agent.host);
    rig.store.set_host_project(ids, "other").await.unwrap();
    rig.store.bind_quota("0198c0de-0000-7000-8000-0000000000bb", ids, "ann", now_ms()).await.unwrap();
}

/// Makes a host the only canary of the default project.
pub(crate) async fn canary(rig: &Rig, agent: &Agent) {
    let group = HostGroupRow {
        id: "0198c0de-0000-7000-8000-0000000000cc".to_owned(),
        project: DEFAULT_PROJECT.to_owned(),
        name: "canaries".to_owned(),
        policy_group: None,
        revision: 1,
    };
    rig.store.create_host_group(&group).await.unwrap();
    rig.store.set_host_group(std::slice::from_ref(&agent.host), Some(&group.id)).await.unwrap();
    consent(rig, DEFAULT_PROJECT, |c| c.canary_groups = vec![group.id.clone()]).await;
}

/// What comes next but desired states and verdicts, within ten seconds.
pub(crate) async fn heard(line: &mut Line) -> Told {
    let next = async {
        loop {
            match hear(line).await.unwrap() {
                Told::Desired(_) | Told::Verdicts(_) => {}
                other => return other,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), next).await.expect("nothing comes")
}

/// A file that may be sent.
pub(crate) fn question(content: &[u8]) -> v1::HashQuestion {
    v1::HashQuestion {
        sha256: sha(content),
        size: content.len() as u64,
        tlsh: String::new(),
        kind: "script".to_owned(),
        packaged: false,
        can_send: true,
    }
}

pub(crate) async fn ask(line: &mut Line, questions: Vec<v1::HashQuestion>) -> v1::HashAnswers {
    let id = rand_id();
    say(line, Say::Questions(v1::HashQuestions { id, questions })).await;
    match heard(line).await {
        Told::Answers(answers) => {
            assert_eq!(answers.id, id);
            answers
        }
        other => panic!("no answers: {other:?}"),
    }
}

/// Asks about one; it must be answered.
pub(crate) async fn ask_one(line: &mut Line, question: v1::HashQuestion) -> v1::HashAnswer {
    let answers = ask(line, vec![question]).await;
    assert_eq!(answers.answers.len(), 1, "{answers:?}");
    answers.answers.into_iter().next().unwrap()
}

fn rand_id() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Bytes of a sample from an offset on, at most so many.
pub(crate) fn part(content: &[u8], offset: usize, most: usize) -> v1::SamplePart {
    let from = offset.min(content.len());
    let to = (from + most).min(content.len());
    v1::SamplePart {
        sha256: sha(content),
        size: content.len() as u64,
        offset: offset as u64,
        data: content[from..to].to_vec(),
        kind: "script".to_owned(),
    }
}

pub(crate) async fn send(line: &mut Line, part: v1::SamplePart) -> v1::SampleState {
    let sha256 = part.sha256.clone();
    say(line, Say::Sample(part)).await;
    match heard(line).await {
        Told::Sample(state) => {
            assert_eq!(state.sha256, sha256);
            state
        }
        other => panic!("no answer to a part: {other:?}"),
    }
}

/// Sends the rest of a sample until that ends.
pub(crate) async fn send_all(line: &mut Line, content: &[u8]) -> v1::SampleState {
    let mut state = send(line, part(content, 0, 0)).await;
    for _ in 0..200 {
        if state.state != "wanted" {
            return state;
        }
        tokio::time::sleep(Duration::from_millis(state.retry_after_ms.min(2_000).into())).await;
        let at = usize::try_from(state.have).unwrap();
        state = send(line, part(content, at, 256 << 10)).await;
    }
    panic!("it does not end: {state:?}");
}

/// Says how far the host is with the verdicts.
pub(crate) async fn follow(line: &mut Line, feed: &str, number: u64) {
    say(line, Say::VerdictsFrom(v1::VerdictsFrom { feed: feed.to_owned(), number })).await;
}

/// The next verdicts.
pub(crate) async fn verdicts(line: &mut Line) -> v1::HashVerdicts {
    let next = async {
        loop {
            match hear(line).await.unwrap() {
                Told::Desired(_) => {}
                Told::Verdicts(verdicts) => return verdicts,
                other => panic!("no verdicts: {other:?}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), next).await.expect("no verdicts come")
}

/// A verdict for a file.
pub(crate) async fn judge(rig: &Rig, project: &str, sha256: &[u8], all: bool) -> VerdictRow {
    let verdict = v1::Verdict {
        sha256: sha256.to_vec(),
        file_type: "script".to_owned(),
        class: "miner".to_owned(),
        family: "Test".to_owned(),
        confidence: 97,
        ..v1::Verdict::default()
    };
    let new = NewVerdict {
        project: project.to_owned(),
        sha256: sha256.to_vec(),
        class: verdict.class.clone(),
        family: verdict.family.clone(),
        confidence: 97,
        rating: "high".to_owned(),
        verdict: verdict.encode_to_vec(),
        origin: "deep_scan".to_owned(),
        act_all: all,
        release_ms: if all { 0 } else { now_ms() + 600_000 },
        now_ms: now_ms(),
        ..NewVerdict::default()
    };
    rig.store.put_verdict(&new).await.unwrap()
}
