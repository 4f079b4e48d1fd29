// SPDX-License-Identifier: Apache-2.0
//! A host and its server: what is delivered, what is obeyed, and what is not.

use lazaret_kit::proc::write_executable;
use lazaret_kit::server::{Seen, Server, TOKEN, farewell};
use lazaret_kit::{Daemon, Setup, Volume, bad, eventually};
use lazaret_model::{MalwareClass, TestRating};
use lazaret_proto::v1;
use lazaret_proto::v1::command::Verb;
use lazaret_proto::v1::goodbye::Kind as Bye;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(15);

pub(crate) fn setup(volume: &Volume, server: &Server) -> Setup {
    let more = format!(
        "[server]\nurl = {:?}\nca_fingerprint = {:?}\ntoken = {TOKEN:?}\n",
        server.url(),
        server.fingerprint()
    );
    Setup { mounts: vec![volume.path().to_owned()], more, ..Setup::default() }
}

/// A daemon that enrolled by itself and is connected.
pub(crate) fn enrolled(volume: &Volume, server: &Server, pin: &str) -> Daemon {
    let mut setup = setup(volume, server);
    setup.more.push_str(pin);
    let daemon = Daemon::start(&setup);
    wait(&daemon, "connected", || daemon.status()["server"]["connected"] == true);
    daemon
}

pub(crate) fn wait(daemon: &Daemon, what: &str, is: impl FnMut() -> bool) {
    assert!(eventually(SOON, is), "{what}: not within {} s\n{}", SOON.as_secs(), daemon.log());
}

pub(crate) fn armed(generation: u64) -> v1::DesiredState {
    let policy =
        v1::HostPolicy { isolate_and_kill: Some(true), group: "web".into(), ..v1::HostPolicy::default() };
    v1::DesiredState { generation, policy: Some(policy), ..v1::DesiredState::default() }
}

pub(crate) fn want(daemon: &Daemon, server: &Server, state: v1::DesiredState) -> v1::StateApplied {
    let generation = state.generation;
    server.want(state);
    let mut applied = None;
    wait(daemon, "desired state in force", || {
        applied = server.seen().applied.into_iter().find(|a| a.generation == generation);
        applied.is_some()
    });
    applied.unwrap()
}

pub(crate) fn order(daemon: &Daemon, server: &Server, verb: Verb) -> v1::CommandResult {
    let id = format!("c-{}", uuid());
    server.order(v1::Command {
        id: id.clone(),
        who: "ann".into(),
        verb: Some(verb),
        ..v1::Command::default()
    });
    result(daemon, server, &id)
}

pub(crate) fn result(daemon: &Daemon, server: &Server, id: &str) -> v1::CommandResult {
    let mut result = None;
    wait(daemon, "a result", || {
        result = server.seen().results.remove(id);
        result.is_some()
    });
    result.unwrap()
}

pub(crate) fn uuid() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap().trim().to_owned()
}

/// Journal numbers without gaps, in order.
fn in_order(seen: &Seen) {
    let seqs: Vec<u64> = seen.records.iter().map(|r| r.at.as_ref().unwrap().seq).collect();
    assert!(seqs.windows(2).all(|w| w[1] == w[0] + 1) && !seqs.is_empty(), "{seqs:?}");
}

pub(crate) fn isolated_at(server: &Server, path: &Path) -> Option<v1::Isolated> {
    let bytes = path.to_str().unwrap().as_bytes();
    server.isolated().into_values().find(|i| i.path == bytes)
}

#[test]
fn alarms_go_up_and_what_the_server_wants_is_done() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    let daemon = enrolled(&volume, &server, "");
    let hello = server.seen().hellos[0].clone();
    assert_eq!(server.seen().enrolled, std::slice::from_ref(&hello.host));
    let report = hello.report.unwrap();
    assert!(!report.kernel.is_empty() && !report.status.unwrap().isolate_and_kill);
    // Off: an alarm only.
    let first = volume.join("first.sh");
    write_executable(&first, &bad::high_script());
    let about = |path: &Path| {
        let bytes = path.to_str().unwrap().as_bytes().to_vec();
        server.alarms().into_values().find(move |a| a.file.as_ref().is_some_and(|f| f.path == bytes))
    };
    wait(&daemon, "the alarm", || about(&first).is_some());
    assert!(first.exists());
    // On, by the server.
    assert!(want(&daemon, &server, armed(1)).refused.is_empty());
    assert_eq!(daemon.status()["isolate_and_kill"], true);
    let second = volume.join("second.sh");
    write_executable(&second, &bad::script(MalwareClass::Miner, TestRating::High));
    wait(&daemon, "the isolated file", || {
        isolated_at(&server, &second).is_some_and(|i| i.status == "isolated")
    });
    wait(&daemon, "its alarm", || about(&second).is_some_and(|a| a.handled_by == "isolate_and_kill"));
    assert!(!second.exists());
    // A person of the server handles the first.
    let alarm = about(&first).unwrap();
    let handling = "isolate_and_kill".to_owned();
    let done =
        order(&daemon, &server, Verb::Handle(v1::Handle { id: alarm.id, handling, remark: "bad".into() }));
    assert_eq!(done.outcome, "done", "{done:?}");
    assert!(!first.exists());
    wait(&daemon, "handled by ann", || about(&first).is_some_and(|a| a.handled_who == "server: ann"));
    // And has it back, twice: to where it was, and closed for root.
    let one = isolated_at(&server, &first).unwrap();
    let back = |id: &str, released| {
        Verb::Restore(v1::RestoreCommand { id: id.to_owned(), released, ..v1::RestoreCommand::default() })
    };
    let done = order(&daemon, &server, back(&one.id, false));
    assert_eq!(done.outcome, "done", "{done:?}");
    assert_eq!(std::fs::read(&first).unwrap(), bad::high_script());
    wait(&daemon, "restored", || isolated_at(&server, &first).is_some_and(|i| i.status == "restored"));
    let two = isolated_at(&server, &second).unwrap();
    let done = order(&daemon, &server, back(&two.id, true));
    assert_eq!(done.outcome, "done", "{done:?}");
    let Some(v1::command_result::Detail::Receipt(receipt)) = done.detail else { panic!("no receipt") };
    let released = Path::new(std::str::from_utf8(&receipt.path).unwrap()).to_owned();
    assert!(released.ends_with(Path::new("released").join(&two.id)), "{}", released.display());
    let meta = std::fs::metadata(&released).unwrap();
    assert_eq!((meta.mode() & 0o7777, meta.uid()), (0o600, 0));
    assert!(!second.exists());
    in_order(&server.seen());
    // A stop in order is no silence.
    drop(daemon);
    let ended = server.seen().ended;
    assert!(ended.last().is_some_and(lazaret_session::End::is_shutdown), "{ended:?}");
}

#[test]
fn a_server_that_lies_gets_refusals() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    let daemon = enrolled(&volume, &server, "[local]\npin = [\"response.isolate_and_kill\"]\n");
    let mut lie = armed(1);
    if let Some(p) = &mut lie.policy {
        p.exclude = vec![volume.path().to_str().unwrap().into(), b"/".to_vec()];
        p.exclude.remove(0);
        p.freeze_seconds = Some(3_600);
        p.max_kills_per_hour = Some(0);
        p.high_threshold = Some(1);
        (p.automatic_classes, p.classes_set) = (vec!["everything".into()], true);
    }
    let applied = want(&daemon, &server, lie);
    for word in ["pinned", "too wide", "3600", "max_kills_per_hour", "80 to 100", "everything"] {
        assert!(applied.refused.iter().any(|r| r.contains(word)), "{word}: {:?}", applied.refused);
    }
    let status = daemon.status();
    assert_eq!((&status["isolate_and_kill"], &status["freeze_seconds"]), (&false.into(), &0.into()));
    assert_eq!(status["server"]["refused"].as_array().unwrap().len(), applied.refused.len());
    assert_eq!(status["server"]["pinned"][0], "response.isolate_and_kill");
    // Pinned: the host's own switch works.
    daemon.json(["switch", "isolate-and-kill", "on"]);
    let file = volume.join("bad.sh");
    write_executable(&file, &bad::high_script());
    wait(&daemon, "nothing", || {
        daemon.json(["alarms", "list"]).iter().any(|a| a["file"]["path"] == file.to_str().unwrap())
    });
    let alarm = daemon.alarm_about(&file)["id"].as_str().unwrap().to_owned();
    let by_path = v1::preview_isolate::What::Path(b"/etc/shadow".to_vec());
    let strange = [
        Verb::Restore(v1::RestoreCommand { id: "../../etc/cron.d/x".into(), ..Default::default() }),
        Verb::Restore(v1::RestoreCommand { id: uuid(), released: true, ..Default::default() }),
        Verb::Delete(v1::IsolatedDelete { id: alarm[..8].to_owned() }),
        Verb::Handle(v1::Handle { id: uuid(), handling: "isolate_and_kill".into(), remark: String::new() }),
        Verb::Handle(v1::Handle { id: alarm.clone(), handling: "shell".into(), remark: String::new() }),
        Verb::Preview(v1::PreviewIsolate { what: Some(by_path) }),
        Verb::Collect(v1::CollectSample { alarm: alarm.clone(), max_bytes: 1 << 30 }),
        Verb::Scan(v1::ScanCommand {
            kind: "custom".into(),
            paths: vec![b"/proc".to_vec()],
            ..Default::default()
        }),
        Verb::Scan(v1::ScanCommand { kind: "everything".into(), ..Default::default() }),
    ];
    for verb in strange {
        let what = format!("{verb:?}");
        let done = order(&daemon, &server, verb);
        assert!(done.outcome == "refused" && !done.reason.is_empty(), "{what}: {done:?}");
    }
    // Without a verb: of a later version, or nonsense.
    server.order(v1::Command { id: "c-once".into(), ..v1::Command::default() });
    assert_eq!(result(&daemon, &server, "c-once").outcome, "refused");
    // Sent again, it is not done again.
    let before = server.seen().results["c-once"].clone();
    server.order(v1::Command { id: "c-once".into(), ..v1::Command::default() });
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(server.seen().results["c-once"], before);
    // Its time is over; and one that was cancelled before it came.
    let rearm = || Some(Verb::Rearm(v1::BreakerRearm::default()));
    server.order(v1::Command { id: "late".into(), expires_ms: 1, verb: rearm(), ..v1::Command::default() });
    assert_eq!(result(&daemon, &server, "late").outcome, "expired");
    server.say(v1::server_frame::Kind::Cancel(v1::CancelCommand { id: "early".into() }));
    assert_eq!(result(&daemon, &server, "early").outcome, "cancelled");
    server.order(v1::Command { id: "early".into(), verb: rearm(), ..v1::Command::default() });
    assert_eq!(result(&daemon, &server, "early").outcome, "cancelled");
}

#[test]
fn a_server_that_sets_a_switch_wins_over_the_host() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    let daemon = enrolled(&volume, &server, "");
    want(&daemon, &server, armed(1));
    let text = |out: &Output| String::from_utf8_lossy(&out.stderr).into_owned();
    let out = daemon.cli(["switch", "isolate-and-kill", "off"]);
    assert!(
        !out.status.success() && text(&out).contains("[local] pin") && text(&out).contains("web"),
        "{}",
        text(&out)
    );
    assert_eq!(daemon.status()["isolate_and_kill"], true);
    daemon.json(["switch", "test-programs", "on"]);
    // The whitelist is the server's as a whole, and hits are told.
    let hash = <sha2::Sha256 as sha2::Digest>::digest(bad::high_script()).to_vec();
    let entry = v1::WhitelistEntry {
        id: uuid(),
        field: "hash".into(),
        judge: "equal".into(),
        value: hash,
        ..v1::WhitelistEntry::default()
    };
    let state = v1::DesiredState { whitelist: vec![entry.clone()], ..armed(2) };
    assert!(want(&daemon, &server, state).refused.is_empty());
    let file = volume.join("ours.sh");
    write_executable(&file, &bad::high_script());
    assert!(Command::new(&file).status().is_ok_and(|s| s.success()), "whitelisted");
    let listed = daemon.json(["whitelist", "list"]);
    assert!(listed.len() == 1 && listed[0]["source"] == "server", "{listed:?}");
    let out = daemon.cli(["whitelist", "remove", &entry.id]);
    assert!(!out.status.success() && text(&out).contains("server"), "{}", text(&out));
    want(&daemon, &server, armed(3));
    assert!(daemon.json(["whitelist", "list"]).is_empty());
    wait(&daemon, "judged again", || {
        let _ = Command::new(&file).status();
        !file.exists()
    });
    // It holds without the server, and the hits are delivered by the one that comes.
    let folder = daemon.stop();
    let hits = server.seen().records.into_iter().find_map(|r| match r.what {
        Some(v1::record::What::Hits(h)) => Some(h.hits),
        _ => None,
    });
    drop(server);
    let state = folder.path().join("state");
    let again = Daemon::start(&Setup {
        mounts: vec![volume.path().to_owned()],
        state: Some(state),
        ..Setup::default()
    });
    // The link is read from the disk beside everything else.
    wait(&again, "the link is shown", || again.status()["server"].is_object());
    let status = again.status();
    assert_eq!(status["isolate_and_kill"], true, "kept on disk\n{}", again.log());
    assert_eq!(status["server"]["generation"], 3, "{status:#}\n{}", again.log());
    // The last minute's may still be in the journal.
    assert!(hits.is_none_or(|h| h.iter().any(|h| h.entry == entry.id && h.count > 0)));
}

#[test]
fn a_scan_finds_what_lay_there_and_does_not_act() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    for i in 0..40 {
        let folder = volume.join(&format!("d{}/e{}", i % 4, i % 3));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("f{i}")), format!("clean {i}")).unwrap();
    }
    let path = volume.join("d1/e1/old.sh");
    write_executable(&path, &bad::high_script());
    let daemon = enrolled(&volume, &server, "");
    want(&daemon, &server, armed(1));
    let scan = v1::ScanCommand {
        task: "t".into(),
        kind: "custom".into(),
        paths: vec![volume.path().to_str().unwrap().into()],
        exclude: vec![volume.join("d0").to_str().unwrap().into()],
        ..v1::ScanCommand::default()
    };
    let done = order(&daemon, &server, Verb::Scan(scan.clone()));
    assert_eq!(done.outcome, "done", "{done:?}\n{}", daemon.log());
    let Some(v1::command_result::Detail::Scan(end)) = done.detail else { panic!("no progress") };
    assert_eq!((end.state.as_str(), end.found, end.permille, end.errors), ("success", 1, 1000, 0), "{end:?}");
    assert_eq!(end.files, 31, "without d0: {end:?}");
    assert!(server.seen().progress.iter().any(|p| p.task == "t" && p.state == "scanning"));
    let alarm = daemon.alarm_about(&path);
    assert_eq!((&alarm["origin"], &alarm["decision"]), (&"scan".into(), &"alarm".into()), "{alarm}");
    assert!(path.exists());
    let automatic = v1::ScanCommand { automatic: true, file_types: vec!["script".into()], ..scan };
    let done = order(&daemon, &server, Verb::Scan(automatic));
    let Some(v1::command_result::Detail::Scan(end)) = done.detail else { panic!("no progress") };
    assert_eq!((end.files, end.found), (1, 1));
    wait(&daemon, "isolated", || !path.exists());
}

#[test]
fn a_self_test_shows_its_steps() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    let daemon = enrolled(&volume, &server, "");
    let done = order(&daemon, &server, Verb::SelfTest(v1::SelfTestCommand {}));
    assert_eq!(done.outcome, "done", "{done:?}\n{}", daemon.log());
    let Some(v1::command_result::Detail::SelfTest(test)) = done.detail else { panic!("no steps") };
    let shown = |test: &v1::SelfTestResult| {
        let step = |s: &v1::SelfTestStep| {
            let word = if s.skipped { "skipped" } else { "" };
            format!("{}{word}", s.name)
        };
        test.steps.iter().map(step).collect::<Vec<_>>()
    };
    let off = [
        "allow",
        "detect",
        "refuseskipped",
        "detect",
        "kill",
        "isolate",
        "restore",
        "cloudskipped",
        "clean up",
    ];
    assert_eq!(shown(&test), off, "isolate and kill is off, and stays so: {test:?}");
    // Armed by the server: every step that `lazaret self-test` has.
    want(&daemon, &server, armed(1));
    let done = order(&daemon, &server, Verb::SelfTest(v1::SelfTestCommand {}));
    assert_eq!(done.outcome, "done", "{done:?}\n{}", daemon.log());
    let Some(v1::command_result::Detail::SelfTest(test)) = done.detail else { panic!("no steps") };
    let all = [
        "allow",
        "detect",
        "refuse",
        "isolate",
        "refuse",
        "isolate",
        "detect",
        "kill",
        "isolate",
        "restore",
        "cloudskipped",
        "clean up",
    ];
    assert_eq!(shown(&test), all, "{test:?}");
    let held = daemon.json(["isolated", "list"]);
    assert!(held.iter().all(|i| i["status"] == "deleted" || i["status"] == "restored"), "{held:?}");
    // The daemon's staging folder stays where something was isolated.
    let names: Vec<_> = std::fs::read_dir(volume.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(!names.iter().any(|n| n.to_string_lossy().contains("self-test")), "cleaned up: {names:?}");
    let open = daemon.json(["alarms", "list", "--unhandled"]);
    assert!(open.is_empty(), "{open:#?}\n{}", daemon.log());
}

#[test]
fn identities_are_renewed_given_up_and_taken_away() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    server.age_certificates(21);
    let daemon = enrolled(&volume, &server, "");
    server.age_certificates(0);
    wait(&daemon, "renewed", || server.seen().renewed > 0);
    let first = server.seen().enrolled[0].clone();
    // A copy gets an identity of its own.
    server.say(v1::server_frame::Kind::Goodbye(farewell(Bye::Clone)));
    wait(&daemon, "enrolled anew", || server.seen().enrolled.len() == 2);
    wait(&daemon, "connected anew", || {
        let status = daemon.status();
        status["server"]["connected"] == true && status["server"]["host"] != first.as_str()
    });
    // The right is taken away: protection goes on, and the host says so.
    server.refuse(Some(farewell(Bye::Revoked)));
    server.say(v1::server_frame::Kind::Goodbye(farewell(Bye::Restart)));
    wait(&daemon, "refused", || daemon.status()["server"]["refused_by_server"] == true);
    let degraded = daemon.status()["degraded"].to_string();
    assert!(degraded.contains("enroll --again"), "{degraded}");
    // Somebody enrols it again, by hand.
    server.refuse(None);
    let enroll = |token: &str, again: bool| {
        let mut command = Command::new(lazaret_kit::binaries::path("lazaretd"));
        command.arg("enroll").arg("--config").arg(daemon.config()).arg("--token").arg(token);
        command.args(again.then_some("--again")).output().unwrap()
    };
    let words = |out: &Output| String::from_utf8_lossy(&out.stderr).into_owned();
    // The configuration names a token too; the one that is given goes before it.
    let out = enroll("wrong", false);
    assert!(!out.status.success() && words(&out).contains("--again"), "{}", words(&out));
    let out = enroll("wrong", true);
    assert!(!out.status.success() && words(&out).contains("not known"), "{}", words(&out));
    let out = enroll(TOKEN, true);
    assert!(out.status.success(), "{}", words(&out));
    wait(&daemon, "connected again", || daemon.status()["server"]["connected"] == true);
    assert_eq!(server.seen().enrolled.len(), 3);
    assert!(!daemon.status()["degraded"].to_string().contains("enroll"));
}
