// SPDX-License-Identifier: Apache-2.0
//! The server, the store of samples or another scanner is away: nobody waits for them, and nothing is lost.

use super::{
    Cloud, SOON, WHILE, about, agreed, armed, condemn, digest, places, program, standing, stays, until,
};
use crate::{Base, Host};
use lazaret_kit::proc::{is_refused, run, write_executable};
use lazaret_kit::{Daemon, Setup, eventually};
use serde_json::json;
use std::time::{Duration, Instant};

/// An execution may take that long, on a machine that does much else; without the bound it would be for ever.
const AT_MOST: Duration = Duration::from_secs(4);

#[test]
fn a_server_that_is_away_holds_nothing_up_and_its_answer_acts_later() {
    let mut cloud = Cloud::new(Base::Sqlite);
    let host = Host::new(cloud.server());
    armed(cloud.server(), &[&host], |c| c["wait_ms"] = json!(1000));
    agreed(cloud.server(), &host, |c| c["wait_ms"] == 1000);
    let (path, bytes) = (host.volume.join("tool"), program(20));
    let sha256 = digest(&bytes);
    // A server that takes the question and does not answer.
    cloud.server().freeze();
    let early = host.volume.join("early");
    write_executable(&early, b"#!/bin/sh\necho ran\n# asked about while nobody answers\n");
    let begun = Instant::now();
    assert!(run(&early).is_ok_and(|o| o.stdout == b"ran\n"), "{}", host.daemon.log());
    assert!(begun.elapsed() < AT_MOST, "held up for {:?}", begun.elapsed());
    cloud.server().thaw();
    // One that is gone.
    cloud.site.server.kill();
    until(cloud.server(), &host, "the end of the session", || {
        host.daemon.status()["server"]["connected"] == false
    });
    write_executable(&path, &bytes);
    for _ in 0..3 {
        let begun = Instant::now();
        let ran = run(&path);
        assert!(ran.is_ok_and(|o| o.stdout == b"ran\n"), "{}", host.daemon.log());
        assert!(begun.elapsed() < AT_MOST, "held up for {:?}", begun.elapsed());
    }
    let asks = || host.daemon.status()["cloud"]["open_questions"].as_u64() >= Some(1);
    assert!(eventually(SOON, asks), "{}", host.daemon.status());
    cloud.site.server.restart();
    // Asked again, sent, judged, and acted on: nobody touches the file.
    until(cloud.server(), &host, "the verdict", || standing(cloud.server(), "0", &sha256) == "bad");
    until(cloud.server(), &host, "the isolation", || !path.exists());
    host.daemon.isolated_path(&path);
}

#[test]
fn a_project_may_refuse_what_nobody_answers_for() {
    let mut cloud = Cloud::new(Base::Sqlite);
    let host = Host::new(cloud.server());
    armed(cloud.server(), &[&host], |c| c["fail_closed"] = json!(true));
    agreed(cloud.server(), &host, |c| c["fail_closed"] == true);
    cloud.site.server.kill();
    let harmless = host.volume.join("harmless");
    write_executable(&harmless, b"#!/bin/sh\necho ran\n# nobody has seen this one\n");
    let begun = Instant::now();
    assert!(is_refused(&run(&harmless)), "{}", host.daemon.log());
    assert!(begun.elapsed() < AT_MOST, "held up for {:?}", begun.elapsed());
    // No verdict follows of it, and no alarm.
    assert!(harmless.exists() && host.daemon.json(["alarms", "list"]).is_empty(), "{}", host.daemon.log());
    cloud.site.server.restart();
    until(cloud.server(), &host, "the answer", || run(&harmless).is_ok_and(|o| o.stdout == b"ran\n"));
}

#[test]
fn a_store_of_samples_that_is_away_loses_none() {
    let cloud = Cloud::new(Base::Postgres);
    let (server, s3) = (cloud.server(), cloud.s3.as_ref().expect("S3"));
    let host = Host::new(server);
    armed(server, &[&host], |_| ());
    s3.close();
    let programs: Vec<(String, std::path::PathBuf)> = (0..3)
        .map(|n| {
            let (path, bytes) = (host.volume.join(&format!("tool-{n}")), program(30 + n));
            write_executable(&path, &bytes);
            (digest(&bytes), path)
        })
        .collect();
    until(server, &host, "the hashes", || programs.iter().all(|(s, _)| places(server, s).len() == 1));
    let nothing = || programs.iter().all(|(s, _)| standing(server, "0", s) != "bad");
    assert!(stays(WHILE, nothing), "judged without a sample");
    // Nobody is held up by it.
    let begun = Instant::now();
    assert!(run(&programs[0].1).is_ok_and(|o| o.stdout == b"ran\n"), "{}", host.daemon.log());
    assert!(begun.elapsed() < AT_MOST, "held up for {:?}", begun.elapsed());
    s3.open();
    for (sha256, path) in &programs {
        until(server, &host, "the verdict", || standing(server, "0", sha256) == "bad");
        until(server, &host, "the isolation", || !path.exists());
    }
    let samples: usize = programs.iter().map(|(s, _)| about(server, "/samples?project=0", s).len()).sum();
    assert_eq!((samples, s3.keys(super::BUCKET).len()), (3, 3));
}

#[test]
fn a_scanner_that_dies_in_the_middle_is_no_vote_and_is_asked_again() {
    let mut cloud = Cloud::new(Base::Sqlite);
    let host = Host::new(cloud.server());
    armed(cloud.server(), &[&host], |_| ());
    // It takes the connection and answers nothing; then it is gone.
    cloud.clamd.freeze();
    // Only clamd knows this one: without its vote there is no verdict.
    let bytes = format!("#!/bin/sh\necho ran\n# {}\n", super::clamd_words());
    let (path, sha256) = (host.volume.join("tool"), digest(bytes.as_bytes()));
    write_executable(&path, bytes.as_bytes());
    let job = |server: &_| about(server, "/deep-scans?project=0", &sha256).pop().unwrap_or_default();
    until(cloud.server(), &host, "the job under way", || job(cloud.server())["state"] == "scanning");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(job(cloud.server())["state"], "scanning", "clamd hangs");
    cloud.clamd.kill();
    until(cloud.server(), &host, "the job put off", || job(cloud.server())["state"] == "queued");
    let put_off = job(cloud.server());
    assert!(put_off["reason"].as_str().is_some_and(|r| r.contains(super::CLAMD)), "{put_off:#}");
    assert!(
        !["bad", "clean"].contains(&standing(cloud.server(), "0", &sha256).as_str()),
        "judged without it"
    );
    cloud.clamd.run_again();
    until(cloud.server(), &host, "the verdict", || standing(cloud.server(), "0", &sha256) == "bad");
    let page = super::page(cloud.server(), "0", &sha256).unwrap_or_default();
    let votes = page["votes"].as_array().cloned().unwrap_or_default();
    assert!(votes.iter().any(|v| v["opinion"] == "bad"), "{page:#}");
    // One scanner alone is not enough to act.
    assert!(stays(WHILE, || path.exists()), "{}", host.daemon.log());
}

#[test]
fn what_is_sure_without_a_scanner_does_not_wait_for_it() {
    let mut cloud = Cloud::new(Base::Sqlite);
    let host = Host::new(cloud.server());
    armed(cloud.server(), &[&host], |_| ());
    cloud.clamd.kill();
    let bytes = program(40);
    let (path, sha256) = (host.volume.join("tool"), digest(&bytes));
    write_executable(&path, &bytes);
    until(cloud.server(), &host, "the verdict", || standing(cloud.server(), "0", &sha256) == "bad");
    until(cloud.server(), &host, "the isolation", || !path.exists());
    let job = about(cloud.server(), "/deep-scans?project=0", &sha256).pop().unwrap_or_default();
    assert_eq!((&job["state"], &job["tries"]), (&json!("done"), &json!(1)), "{job:#}");
    let page = super::page(cloud.server(), "0", &sha256).unwrap_or_default();
    let votes = page["votes"].as_array().cloned().unwrap_or_default();
    assert!(votes.iter().all(|v| v["opinion"] == "none"), "{page:#}");
}

#[test]
fn a_host_that_was_away_gets_the_verdict_when_it_is_back() {
    let cloud = Cloud::new(Base::Sqlite);
    let server = cloud.server();
    let host = Host::new(server);
    armed(server, &[&host], |c| c["samples"] = json!(false));
    // Nothing in it is bad: only a person says so.
    let bytes = b"#!/bin/sh\necho ran\n# an ordinary script\n";
    let (path, sha256) = (host.volume.join("tool"), digest(bytes));
    write_executable(&path, bytes);
    until(server, &host, "the file", || places(server, &sha256).len() == 1);
    let Host { daemon, volume, id } = host;
    let folder = daemon.stop();
    server.eventually("/hosts", "a stopped host", |h| h["id"] == id.as_str() && h["status"] == "offline");
    let said = condemn(server, "0", &sha256);
    assert_eq!(said["hosts"], 1, "{said}");
    let again = Setup {
        mounts: vec![volume.path().to_owned()],
        state: Some(folder.path().join("state")),
        more: server.section(),
        isolate_and_kill: true,
        ..Setup::default()
    };
    let daemon = Daemon::start(&again);
    let gone = eventually(SOON, || !path.exists());
    assert!(gone, "{}\n{}", server.log(), daemon.log());
    daemon.isolated_path(&path);
    drop(volume);
}
