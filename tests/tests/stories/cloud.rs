// SPDX-License-Identifier: Apache-2.0
//! Malware Cloud Scan on one host: what its server answers, pushes and takes back, and a server that lies.

use crate::uplink::{armed, enrolled, order, setup, uuid, wait, want};
use lazaret_kit::proc::{Running, is_refused, run, write_executable};
use lazaret_kit::server::Server;
use lazaret_kit::server::cloud::{bad, verdict};
use lazaret_kit::{Daemon, Setup, Volume, binaries};
use lazaret_proto::v1;
use lazaret_proto::v1::command::Verb;
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The host's deadline where a story is about time.
const DEADLINE: Duration = Duration::from_secs(2);

fn consented(generation: u64, wait_ms: u32, fail_closed: bool) -> v1::DesiredState {
    let mut state = armed(generation);
    if let Some(policy) = &mut state.policy {
        policy.malware_cloud_scan = Some(true);
        policy.cloud =
            Some(v1::CloudPolicy { hashes: true, wait_ms, fail_closed, ..v1::CloudPolicy::default() });
    }
    state
}

/// A host whose project has consented to hashes.
fn asking(volume: &Volume, server: &Server, wait_ms: u32, fail_closed: bool) -> Daemon {
    let daemon = enrolled(volume, server, "");
    let applied = want(&daemon, server, consented(1, wait_ms, fail_closed));
    assert!(applied.refused.is_empty(), "{:?}", applied.refused);
    wait(&daemon, "the feed is asked for", || !server.verdicts_from().is_empty());
    daemon
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

/// A script that nobody has seen before, and its hash.
fn script(path: &Path) -> Vec<u8> {
    let bytes = format!("#!/bin/sh\necho ran\n# {}\n", uuid()).into_bytes();
    write_executable(path, &bytes);
    sha256(&bytes)
}

/// A program that runs for a minute, and its hash.
fn sleeper(path: &Path) -> Vec<u8> {
    let mut bytes = std::fs::read("/bin/sleep").unwrap();
    bytes.extend(uuid().into_bytes());
    write_executable(path, &bytes);
    sha256(&bytes)
}

fn start(path: &Path) -> Running {
    Running::start(Command::new(path).arg("60"))
}

fn runs(path: &Path) -> bool {
    run(path).is_ok_and(|out| out.status.success())
}

fn is_asked(server: &Server, hash: &[u8]) -> bool {
    server.asked().iter().any(|q| q.sha256 == hash)
}

fn row(server: &Server, path: &Path) -> Option<v1::InventoryRow> {
    server.inventory().remove(path.to_str().unwrap().as_bytes())
}

fn alarms_about(daemon: &Daemon, path: &Path) -> usize {
    let path = path.to_str().unwrap();
    daemon.json(["alarms", "list"]).iter().filter(|a| a["file"]["path"] == path).count()
}

#[test]
fn a_late_answer_acts_on_what_runs_already() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    server.be_silent(true);
    let daemon = asking(&volume, &server, 300, false);
    let path = volume.join("late");
    let hash = sleeper(&path);
    let mut program = start(&path);
    wait(&daemon, "the question", || is_asked(&server, &hash));
    let asked = server.asked().into_iter().find(|q| q.sha256 == hash).unwrap();
    assert_eq!((asked.kind.as_str(), asked.packaged, asked.can_send), ("executable", false, false));
    wait(&daemon, "the inventory", || row(&server, &path).is_some_and(|r| r.sha256 == hash && !r.gone));
    assert!(program.ended().is_none() && alarms_about(&daemon, &path) == 0, "no answer is no verdict");
    server.knows(bad(&hash));
    server.be_silent(false);
    server.answer_open();
    daemon.isolated_path(&path);
    assert!(program.ends_within(Duration::from_secs(10)), "still runs\n{}", daemon.log());
    let alarm = daemon.alarm_about(&path);
    assert!(alarm.to_string().contains("cloud:"), "{alarm}");
}

#[test]
fn open_questions_outlive_the_daemon() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    server.be_silent(true);
    let daemon = asking(&volume, &server, 100, false);
    let path = volume.join("open.sh");
    let hash = script(&path);
    assert!(runs(&path));
    wait(&daemon, "the question", || is_asked(&server, &hash));
    wait(&daemon, "the inventory", || row(&server, &path).is_some());
    let folder = daemon.stop();
    server.knows(bad(&hash));
    server.be_silent(false);
    let mut setup = setup(&volume, &server);
    setup.state = Some(folder.path().join("state"));
    let daemon = Daemon::start(&setup);
    daemon.isolated_path(&path);
}

#[test]
fn an_outage_never_blocks_beyond_the_deadline_and_is_no_verdict() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    server.be_silent(true);
    let more = format!("[budget]\ndeadline_ms = {}\n", DEADLINE.as_millis());
    let daemon = enrolled(&volume, &server, &more);
    // Longer than the host's deadline: bounded by that.
    want(&daemon, &server, consented(1, 60_000, false));
    let scripts: Vec<PathBuf> = (0..24).map(|n| volume.join(&format!("s{n}"))).collect();
    for path in &scripts {
        let _ = script(path);
    }
    let all = || -> Vec<(bool, Duration)> {
        std::thread::scope(|scope| {
            let started: Vec<_> = scripts
                .iter()
                .map(|path| {
                    scope.spawn(move || {
                        let began = Instant::now();
                        (runs(path), began.elapsed())
                    })
                })
                .collect();
            started.into_iter().map(|t| t.join().unwrap()).collect()
        })
    };
    let first = all();
    // Far below the minute that the project would wait; the machine itself is slow with so many at once.
    let soon = DEADLINE * 5;
    assert!(first.iter().all(|(ran, took)| *ran && *took < soon), "{first:?}\n{}", daemon.log());
    // Without a server at all nobody waits.
    drop(server);
    wait(&daemon, "the end of the session", || daemon.status()["server"]["connected"] == false);
    for path in &scripts {
        let _ = script(path);
    }
    let second = all();
    assert!(second.iter().all(|(ran, took)| *ran && *took < soon), "{second:?}\n{}", daemon.log());
    assert!(daemon.json(["alarms", "list"]).is_empty(), "no alarm comes of that");
}

#[test]
fn fail_closed_refuses_what_nobody_knows_and_recovers() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    let daemon = asking(&volume, &server, 2_000, true);
    let (known, fresh) = (volume.join("known.sh"), volume.join("fresh.sh"));
    let _ = script(&known);
    assert!(runs(&known), "it is answered\n{}", daemon.log());
    server.be_silent(true);
    want(&daemon, &server, consented(2, 200, true));
    let hash = script(&fresh);
    let refused = run(&fresh);
    assert!(is_refused(&refused), "{refused:?}\n{}", daemon.log());
    wait(&daemon, "the question", || is_asked(&server, &hash));
    assert!(runs(&known), "what was answered before runs");
    let events = daemon.json(["events", "--past", "1000"]);
    assert!(events.iter().any(|e| e["kind"] == "unjudged"), "{events:?}");
    assert!(daemon.json(["alarms", "list"]).is_empty(), "no alarm comes of that");
    assert!(fresh.exists());
    server.be_silent(false);
    server.answer_open();
    wait(&daemon, "it runs", || runs(&fresh));
    // Without a server: at once, and the same.
    drop(server);
    wait(&daemon, "the end of the session", || daemon.status()["server"]["connected"] == false);
    let other = volume.join("other.sh");
    let _ = script(&other);
    assert!(is_refused(&run(&other)), "{}", daemon.log());
    assert!(runs(&known) && runs(&fresh));
}

#[test]
fn a_pushed_verdict_denies_at_once_and_isolates_when_its_ring_is_reached() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    let daemon = asking(&volume, &server, 2_000, false);
    let (path, copy) = (volume.join("pushed"), volume.join("copy"));
    let hash = sleeper(&path);
    std::fs::copy(&path, &copy).unwrap();
    let mut program = start(&path);
    let known = |path: &Path| row(&server, path).is_some_and(|r| r.sha256 == hash);
    wait(&daemon, "the inventory", || known(&path) && known(&copy));
    let version = Command::new(&copy).arg("--version").output();
    assert!(version.is_ok_and(|o| o.status.success()), "allowed, and remembered as such");
    server.push(verdict(&hash));
    let refused = |path: &Path| is_refused(&Command::new(path).arg("--version").output());
    wait(&daemon, "refused", || refused(&path) && refused(&copy));
    let alarm = daemon.alarm_about(&path);
    assert_eq!(alarm["decision"], "deny", "{alarm}");
    assert!(path.exists() && copy.exists() && program.ended().is_none(), "the ring is not reached");
    server.push(v1::HashVerdict { act: true, ..verdict(&hash) });
    daemon.isolated_path(&path);
    daemon.isolated_path(&copy);
    assert!(program.ends_within(Duration::from_secs(10)), "still runs\n{}", daemon.log());
    wait(&daemon, "the inventory says so", || {
        [&path, &copy].into_iter().all(|p| row(&server, p).is_some_and(|r| r.gone))
    });
    // What comes later is found as it comes.
    let later = volume.join("later");
    let mut bytes = std::fs::read("/bin/sleep").unwrap();
    bytes.extend(b"again");
    server.push(v1::HashVerdict { act: true, ..verdict(&sha256(&bytes)) });
    write_executable(&later, &bytes);
    daemon.isolated_path(&later);
}

#[test]
fn a_withdrawn_verdict_refuses_nothing_any_more() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    let daemon = asking(&volume, &server, 2_000, false);
    let path = volume.join("wrong.sh");
    let hash = script(&path);
    assert!(runs(&path));
    wait(&daemon, "the inventory", || row(&server, &path).is_some());
    server.push(verdict(&hash));
    wait(&daemon, "refused", || is_refused(&run(&path)));
    server.push(v1::HashVerdict { withdrawn: true, ..verdict(&hash) });
    wait(&daemon, "it runs", || runs(&path));
    assert!(path.exists());
    // Over a restart it stays so.
    let folder = daemon.stop();
    let mut setup = setup(&volume, &server);
    setup.state = Some(folder.path().join("state"));
    let daemon = Daemon::start(&setup);
    wait(&daemon, "connected", || daemon.status()["server"]["connected"] == true);
    wait(&daemon, "the feed", || server.verdicts_from().last().is_some_and(|f| f.number == 2));
    assert!(runs(&path), "{}", daemon.log());
}

#[test]
fn without_consent_nothing_leaves_and_nothing_is_obeyed() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    let daemon = enrolled(&volume, &server, "");
    want(&daemon, &server, armed(1));
    let path = volume.join("private.sh");
    let hash = script(&path);
    assert!(runs(&path));
    server.push(v1::HashVerdict { act: true, ..verdict(&hash) });
    // Something else that is obeyed later than that.
    want(&daemon, &server, armed(2));
    std::thread::sleep(Duration::from_millis(500));
    assert!(runs(&path) && path.exists());
    assert!(server.asked().is_empty() && server.inventory().is_empty() && server.verdicts_from().is_empty());
    // Consented: what the feed holds counts now.
    want(&daemon, &server, consented(3, 2_000, false));
    wait(&daemon, "isolated", || {
        let _ = run(&path);
        !path.exists()
    });
}

#[test]
fn a_lying_server_cannot_take_away_what_the_host_lives_on() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    let daemon_at = binaries::path("lazaretd").canonicalize().unwrap();
    let true_at = Path::new("/usr/bin/true");
    let (own, packaged) = (volume.join("own"), volume.join("packaged"));
    std::fs::copy(&daemon_at, &own).unwrap();
    std::fs::copy(true_at, &packaged).unwrap();
    // In a mount namespace of its own they lie where they belong, on the filesystem of the story.
    let before = [(&own, daemon_at.as_path()), (&packaged, true_at)]
        .map(|(from, to)| format!("mount --bind {} {}", from.display(), to.display()));
    let mut setup = Setup { before: before.join("\n"), ..setup(&volume, &server) };
    // The daemon's own program is large.
    setup.more.push_str("[budget]\ndeadline_ms = 30000\n");
    let daemon = Daemon::start(&setup);
    wait(&daemon, "connected", || daemon.status()["server"]["connected"] == true);
    want(&daemon, &server, consented(1, 300, false));
    let scan = v1::ScanCommand {
        task: "t".into(),
        kind: "custom".into(),
        paths: [daemon_at.as_path(), true_at].map(|p| p.to_str().unwrap().into()).to_vec(),
        automatic: true,
        ..v1::ScanCommand::default()
    };
    let done = order(&daemon, &server, Verb::Scan(scan));
    assert_eq!(done.outcome, "done", "{done:?}\n{}", daemon.log());
    wait(&daemon, "the inventory", || {
        row(&server, true_at).is_some_and(|r| r.packaged) && row(&server, &daemon_at).is_some()
    });
    let pid = daemon.agent_pid();
    let hash = |path: &Path| sha256(&std::fs::read(path).unwrap());
    // With every word that could make it worse: a test program counts against no breaker.
    let mut lie = v1::HashVerdict { act: true, origin: "person".into(), ..verdict(&hash(&own)) };
    if let Some(verdict) = &mut lie.verdict {
        verdict.test = true;
        verdict.confidence = 100;
    }
    let mut other = lie.clone();
    other.sha256 = hash(&packaged);
    if let Some(verdict) = &mut other.verdict {
        verdict.sha256.clone_from(&other.sha256);
    }
    // And nonsense, which is left out.
    server.push(v1::HashVerdict { verdict: None, ..verdict(&[7; 32]) });
    server.push(lie);
    server.push(other);
    for path in [daemon_at.as_path(), true_at] {
        let alarm = daemon.alarm_about(path);
        assert_ne!(alarm["decision"], "isolate_and_kill", "{alarm}");
    }
    assert_eq!(daemon.alarm_about(&daemon_at)["decision"], "alarm", "the daemon does not disarm itself");
    std::thread::sleep(Duration::from_millis(500));
    assert!(own.exists() && packaged.exists(), "{}", daemon.log());
    assert_eq!(daemon.agent_pid(), pid, "it is the same process");
    assert!(daemon.json(["isolated", "list"]).is_empty());
    assert_eq!(daemon.status()["server"]["connected"], true, "nonsense ends no session");
}
