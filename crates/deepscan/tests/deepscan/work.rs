// SPDX-License-Identifier: Apache-2.0
//! Samples from the queue to a verdict, by real scanners in their jail.

use crate::desk::{Desk, PROJECT, misbehaving, now_ms, report, settings};
use crate::http::{Http, Reply};
use lazaret_deepscan::{Connector, ConnectorKind, ConnectorSettings, Opinion, Vote};
use lazaret_kit::Clamd;
use lazaret_model::{MalwareClass, Sha256, Verdict, cloud_test_program_marker};
use lazaret_proto::{Message as _, v1};
use serde_json::json;
use std::time::Duration;

/// Put together at run time.
fn words() -> String {
    std::hint::black_box(["lazaret-deepscan-", "work"]).concat()
}

fn votes(row: &lazaret_store::DeepScanRow) -> Vec<Vote> {
    serde_json::from_str(&row.votes).unwrap()
}

fn of_clamd(clamd: &Clamd) -> Connector {
    let address = format!("unix:{}", clamd.socket().display());
    Connector::new(ConnectorSettings::new("clam", ConnectorKind::Clamd, &address)).unwrap()
}

fn of_virustotal(http: &Http) -> Connector {
    let mut settings = ConnectorSettings::new("vt", ConnectorKind::VirusTotal, &http.url());
    settings.key = "k".into();
    settings.timeout = Duration::from_secs(5);
    Connector::new(settings).unwrap()
}

fn known_bad(sha256: Sha256) -> Reply {
    Reply::json(
        200,
        &json!({ "data": { "type": "file", "id": sha256.to_string(), "attributes": {
            "sha256": sha256.to_string(),
            "last_analysis_stats":
                { "malicious": 9, "suspicious": 0, "undetected": 1, "harmless": 0, "timeout": 0 },
        } } }),
    )
}

async fn verdict(desk: &Desk, sha256: Sha256) -> (lazaret_store::VerdictRow, Verdict) {
    let feed = desk.store.verdicts_after(PROJECT, 0, 100).await.unwrap();
    let row = feed.rows.into_iter().find(|r| r.sha256 == sha256.0).expect("a verdict");
    let verdict = v1::Verdict::decode(row.verdict.as_slice()).unwrap().try_into().unwrap();
    (row, verdict)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_program_of_the_cloud_is_high_and_an_honest_script_is_clean() {
    let desk = Desk::open().await;
    let marker = cloud_test_program_marker(MalwareClass::Worm);
    let bad = desk.put(format!("#!/bin/sh\n# {marker}\nexit 0\n").as_bytes()).await;
    let good = desk.put(b"#!/bin/sh\necho good morning\n").await;
    let worker = desk.start(settings(), Vec::new());
    let done = desk.until(bad, "done").await;
    assert_eq!((done.standing.as_str(), done.tries, done.crashes), ("bad", 1, 0));
    let (row, verdict) = verdict(&desk, bad).await;
    assert_eq!((row.origin.as_str(), row.class.as_str(), row.rating.as_str()), ("deep_scan", "worm", "high"));
    assert_eq!(row.act, "canary", "the rest follows by ring");
    assert!(row.release_ms > now_ms() - 60_000);
    assert!(verdict.test && verdict.sha256 == bad && verdict.confidence.value() == 99);
    let decisive: Vec<_> = verdict.evidence.iter().filter(|e| e.decisive).map(|e| e.id.clone()).collect();
    assert_eq!(decisive, [format!("cloud:{bad}")]);
    assert_eq!(report(&done).verdict.confidence.value(), 99);
    let done = desk.until(good, "done").await;
    assert_eq!(done.standing, "clean");
    assert_eq!(desk.store.file(PROJECT, &good.0).await.unwrap().standing, "clean");
    assert_eq!(desk.store.file(PROJECT, &bad.0).await.unwrap().standing, "bad");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_other_scanner_makes_medium_and_two_make_high() {
    let desk = Desk::open().await;
    let clamd = Clamd::start(&[("Work.Miner.StandIn", words().as_bytes())]);
    let one = desk.put(format!("#!/bin/sh\n# {} one\n", words()).as_bytes()).await;
    let worker = desk.start(settings(), vec![of_clamd(&clamd)]);
    let done = desk.until(one, "done").await;
    worker.stop().await;
    assert_eq!(done.standing, "bad");
    let (row, found) = verdict(&desk, one).await;
    assert_eq!((row.rating.as_str(), row.confidence, row.class.as_str()), ("medium", 75, "miner"));
    assert!(found.evidence.iter().all(|e| !e.decisive), "{found:?}");
    assert_eq!(votes(&done)[0].opinion, Opinion::Bad);

    let two = desk.put(format!("#!/bin/sh\n# {} two\n", words()).as_bytes()).await;
    let http = Http::start(vec![known_bad(two)]);
    let worker = desk.start(settings(), vec![of_clamd(&clamd), of_virustotal(&http)]);
    let done = desk.until(two, "done").await;
    worker.stop().await;
    let (row, found) = verdict(&desk, two).await;
    assert_eq!(row.rating, "high", "{:?} {:?}", votes(&done), found);
    assert_eq!(found.evidence[0].id, format!("cloud:{two}"));
    let said: Vec<_> = votes(&done).iter().map(|v| (v.connector.clone(), v.opinion)).collect();
    assert_eq!(said, [("clam".to_owned(), Opinion::Bad), ("vt".to_owned(), Opinion::Bad)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stays_away_is_asked_three_times_and_then_done_without() {
    let desk = Desk::open().await;
    let http = Http::start(vec![Reply::Said(500, Vec::new(), b"broken".to_vec())]);
    let sha256 = desk.put(b"#!/bin/sh\necho patience\n").await;
    let worker = desk.start(settings(), vec![of_virustotal(&http)]);
    let done = desk.until(sha256, "done").await;
    worker.stop().await;
    assert_eq!((done.standing.as_str(), done.tries, done.crashes), ("clean", 3, 0));
    assert_eq!(http.asked().len(), 3);
    let votes = votes(&done);
    assert_eq!(votes[0].opinion, Opinion::None);
    assert!(votes[0].detail.contains("500"), "{votes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_in_time_is_heard() {
    let desk = Desk::open().await;
    let sha256 = desk.put(b"#!/bin/sh\necho later\n").await;
    let http = Http::start(vec![Reply::CutOff, known_bad(sha256)]);
    let worker = desk.start(settings(), vec![of_virustotal(&http)]);
    let done = desk.until(sha256, "done").await;
    worker.stop().await;
    assert_eq!((done.standing.as_str(), done.tries), ("bad", 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_high_already_waits_for_nobody() {
    let desk = Desk::open().await;
    let http = Http::start(vec![Reply::Said(500, Vec::new(), Vec::new())]);
    let marker = cloud_test_program_marker(MalwareClass::Miner);
    let sha256 = desk.put(format!("#!/bin/sh\n# {marker}\n").as_bytes()).await;
    let worker = desk.start(settings(), vec![of_virustotal(&http)]);
    let done = desk.until(sha256, "done").await;
    worker.stop().await;
    assert_eq!((done.standing.as_str(), done.tries), ("bad", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_that_ends_three_scanners_is_set_aside_and_told_once() {
    let desk = Desk::open().await;
    let killer = desk.put(b"panic").await;
    let worker = desk.start(misbehaving(), Vec::new());
    let aside = desk.until(killer, "set_aside").await;
    assert_eq!((aside.tries, aside.crashes), (3, 3), "{aside:?}");
    assert!(aside.reason.contains("scanner died"), "{aside:?}");
    let begun = std::time::Instant::now();
    while !desk.store.deep_scans_to_tell(10).await.unwrap().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(30), "nobody was told");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The others go on.
    let next = desk.put(b"good").await;
    desk.until(next, "done").await;
    let told = worker.aside.lock().unwrap().clone();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].sha256, told[0].crashes, told[0].project.as_str()), (killer, 3, PROJECT));
    assert_eq!(desk.store.file(PROJECT, &killer.0).await.unwrap().standing, "unknown");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_died_loses_its_job_to_another() {
    let desk = Desk::open().await;
    let sha256 = desk.put(b"spin").await;
    let mut first = misbehaving();
    first.lease = Duration::from_millis(900);
    let dying = desk.start(first, Vec::new());
    desk.until(sha256, "scanning").await;
    // Longer than the lease: it is renewed as long as somebody works on it.
    tokio::time::sleep(Duration::from_millis(2_000)).await;
    let row = desk.row(sha256).await;
    assert_eq!((row.state.as_str(), row.tries), ("scanning", 1));
    dying.kill().await;
    let worker = desk.start(settings(), Vec::new());
    let done = desk.until(sha256, "done").await;
    assert_eq!((done.standing.as_str(), done.tries, done.crashes), ("clean", 2, 1), "{done:?}");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_stopped_gives_its_jobs_back() {
    let desk = Desk::open().await;
    let sha256 = desk.put(b"spin").await;
    let worker = desk.start(misbehaving(), Vec::new());
    desk.until(sha256, "scanning").await;
    worker.stop().await;
    let row = desk.row(sha256).await;
    assert_eq!((row.state.as_str(), row.tries, row.crashes), ("queued", 1, 0), "{row:?}");
    assert!(row.due_ms <= now_ms(), "somebody else may take it at once");
    let worker = desk.start(settings(), Vec::new());
    assert_eq!(desk.until(sha256, "done").await.standing, "clean");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_workers_do_each_sample_once() {
    let desk = Desk::open().await;
    let mut all = Vec::new();
    for n in 0..24 {
        all.push(desk.put(format!("#!/bin/sh\necho {n}\n").as_bytes()).await);
    }
    let workers = [desk.start(settings(), Vec::new()), desk.start(settings(), Vec::new())];
    for sha256 in all {
        let done = desk.until(sha256, "done").await;
        assert_eq!((done.standing.as_str(), done.tries, done.crashes), ("clean", 1, 0));
    }
    for worker in workers {
        worker.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bomb_is_bounded_and_the_rest_goes_on() {
    let desk = Desk::open().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zeros.zip");
    // Of zeros, harmless, made now: 256 MiB that become 260 KB.
    let script = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED)\n\
                  with z.open('zeros', 'w') as f:\n  for _ in range(256):\n    f.write(bytes(1 << 20))\nz.close()\n";
    let made = std::process::Command::new("python3").args(["-c", script]).arg(&path).status().unwrap();
    assert!(made.success());
    let bomb = desk.put(&std::fs::read(&path).unwrap()).await;
    let marker = cloud_test_program_marker(MalwareClass::Trojan);
    let bad = desk.put(format!("#!/bin/sh\n# {marker}\n").as_bytes()).await;
    let worker = desk.start(settings(), Vec::new());
    let done = desk.until(bomb, "done").await;
    assert_eq!((done.standing.as_str(), done.crashes), ("clean", 0), "{done:?}");
    let unscanned = report(&done).unscanned;
    assert!(unscanned.iter().any(|l| l.contains("times its length")), "{unscanned:?}");
    assert_eq!(desk.until(bad, "done").await.standing, "bad");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_that_is_gone_or_too_large_is_not_clean() {
    let desk = Desk::open().await;
    let gone = desk.put(b"#!/bin/sh\necho gone\n").await;
    std::fs::remove_dir_all(desk.folder().join(PROJECT)).unwrap();
    let worker = desk.start(settings(), Vec::new());
    let done = desk.until(gone, "done").await;
    worker.stop().await;
    assert_eq!(done.standing, "unknown");
    assert!(report(&done).unscanned[0].contains("cannot be opened"), "{:?}", report(&done).unscanned);

    let desk = Desk::open().await;
    let large = desk.put(&vec![b'a'; 5_000]).await;
    let mut small = settings();
    small.largest = 1_000;
    let http = Http::start(vec![known_bad(large)]);
    let worker = desk.start(small, vec![of_virustotal(&http)]);
    let done = desk.until(large, "done").await;
    worker.stop().await;
    // Who knows hashes is asked all the same.
    assert_eq!(done.standing, "bad", "{done:?}");
    let (row, _) = verdict(&desk, large).await;
    assert_eq!(row.rating, "medium");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_scanner_samples_wait_and_it_is_said() {
    let desk = Desk::open().await;
    let sha256 = desk.put(b"#!/bin/sh\necho wait\n").await;
    let mut without = settings();
    without.scanner = "/nonexistent/lazaret-scanner".into();
    let worker = desk.start(without, Vec::new());
    let begun = std::time::Instant::now();
    while worker.log.lock().unwrap().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let line = worker.log.lock().unwrap()[0].clone();
    assert!(line.contains("samples wait") && line.contains("/nonexistent/lazaret-scanner"), "{line}");
    assert_eq!(desk.row(sha256).await.state, "queued");
    worker.stop().await;
}
