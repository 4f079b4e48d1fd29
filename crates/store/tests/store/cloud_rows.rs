// SPDX-License-Identifier: Apache-2.0
//! Rows of Malware Cloud Scan for the stories.

use crate::rows::P;
use lazaret_store::*;

/// Another project.
pub(crate) const Q: &str = "q";

/// A hash that is told by its first byte and a number.
pub(crate) fn sha(n: u32) -> Vec<u8> {
    let mut out = vec![7; 32];
    out[..4].copy_from_slice(&n.to_be_bytes());
    out
}

pub(crate) fn host_in(name: &str, project: &str) -> HostRow {
    HostRow { project: project.into(), ..crate::rows::host(name) }
}

pub(crate) async fn two_projects(store: &Store) {
    store.create_project(&ProjectRow { id: Q.into(), name: "other".into(), created_ms: 1 }).await.unwrap();
    for (name, project) in [("a", P), ("b", P), ("c", Q)] {
        store.insert_host(&host_in(name, project)).await.unwrap();
    }
}

pub(crate) fn has(path: &str, n: u32, version: i64) -> HostFileRow {
    HostFileRow {
        path: path.as_bytes().to_vec(),
        sha256: sha(n),
        size: 100,
        kind: "executable".into(),
        packaged: false,
        first_ms: 10,
        last_ms: 20,
        gone: false,
        version,
    }
}

pub(crate) fn bad(project: &str, n: u32, now_ms: i64) -> NewVerdict {
    NewVerdict {
        project: project.into(),
        sha256: sha(n),
        class: "miner".into(),
        family: "xmr".into(),
        confidence: 95,
        rating: "high".into(),
        verdict: vec![1, 255],
        origin: "deep_scan".into(),
        who: String::new(),
        why: "votes".into(),
        act_all: false,
        release_ms: now_ms + 60,
        now_ms,
    }
}

pub(crate) fn by_person(project: &str, n: u32, now_ms: i64) -> NewVerdict {
    NewVerdict { origin: "person".into(), who: "ann".into(), ..bad(project, n, now_ms) }
}

pub(crate) fn sample(project: &str, n: u32, host: &str, now_ms: i64) -> NewSample {
    NewSample {
        project: project.into(),
        sha256: sha(n),
        size: 500,
        kind: "script".into(),
        host: host.into(),
        silent_since_ms: now_ms - 30,
        expires_ms: 10_000,
        now_ms,
    }
}

/// A sample that is stored: its deep scan waits.
pub(crate) async fn stored(store: &Store, project: &str, n: u32, now_ms: i64) {
    store.begin_sample(&sample(project, n, "a", now_ms)).await.unwrap();
    store.sample_stored(project, &sha(n), now_ms).await.unwrap();
}

pub(crate) async fn standing(store: &Store, project: &str, n: u32) -> Standing {
    store.look_up(project, &[sha(n)]).await.unwrap().remove(0)
}

pub(crate) async fn word(store: &Store, project: &str, n: u32) -> String {
    standing(store, project, n).await.standing
}

pub(crate) fn found(standing: &str, verdict: Option<NewVerdict>, now_ms: i64) -> DeepScanEnd {
    DeepScanEnd { standing: standing.into(), report: vec![9, 255], votes: "[]".into(), verdict, now_ms }
}
