// SPDX-License-Identifier: Apache-2.0
//! A server that was taken over: what it orders beyond its rights is refused by the host, with a reason,
//! and nothing on the host changes.

use crate::uplink::{armed, enrolled, order, result, setup, uuid, wait, want};
use lazaret_kit::proc::write_executable;
use lazaret_kit::server::Server;
use lazaret_kit::{Daemon, Setup, Volume, bad};
use lazaret_model::{MalwareClass, TestRating};
use lazaret_proto::v1;
use lazaret_proto::v1::command::Verb;
use std::path::Path;

fn isolate(alarm: &str) -> Verb {
    let handling = "isolate_and_kill".to_owned();
    Verb::Handle(v1::Handle { id: alarm.to_owned(), handling, remark: String::new() })
}

/// Refused, and why.
fn refused(daemon: &Daemon, server: &Server, verb: Verb) -> String {
    let what = format!("{verb:?}");
    let done = order(daemon, server, verb);
    assert!(done.outcome == "refused" && !done.reason.is_empty(), "{what}: {done:?}");
    done.reason
}

fn alarm_about(daemon: &Daemon, path: &Path) -> String {
    daemon.alarm_about(path)["id"].as_str().expect("id").to_owned()
}

#[test]
fn guards_hold_against_a_servers_order() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    // A host's critical program, as the daemon sees it: the real one is not within reach.
    let (critical, stand_in) = (Path::new("/usr/lib/systemd/systemd-logind"), volume.join("stand-in"));
    std::fs::create_dir(&stand_in).unwrap();
    write_executable(&stand_in.join("systemd-logind"), &bad::high_script());
    let setup = Setup {
        before: format!("mount --bind {} /usr/lib/systemd", stand_in.display()),
        ..setup(&volume, &server)
    };
    let daemon = Daemon::start(&setup);
    wait(&daemon, "connected", || daemon.status()["server"]["connected"] == true);
    let scan = v1::ScanCommand {
        task: "t".into(),
        kind: "custom".into(),
        paths: vec![b"/usr/lib/systemd".to_vec()],
        // Also what acts by itself does not go past them.
        automatic: true,
        ..v1::ScanCommand::default()
    };
    want(&daemon, &server, armed(1));
    let done = order(&daemon, &server, Verb::Scan(scan));
    assert_eq!(done.outcome, "done", "{done:?}\n{}", daemon.log());
    let alarm = alarm_about(&daemon, critical);
    assert!(stand_in.join("systemd-logind").exists(), "{}", daemon.log());
    let why = refused(&daemon, &server, isolate(&alarm));
    assert!(why.contains("critical") || why.contains("override-guards"), "{why}");
    assert!(stand_in.join("systemd-logind").exists());
    // What holds other people's data.
    let mailbox = volume.join("clients.db");
    std::fs::write(&mailbox, bad::eicar()).unwrap();
    let alarm = alarm_about(&daemon, &mailbox);
    let why = refused(&daemon, &server, isolate(&alarm));
    assert!(why.contains("database"), "{why}");
    assert!(mailbox.exists());
    assert!(daemon.json(["isolated", "list"]).iter().all(|i| i["status"] != "isolated"));
}

#[test]
fn a_budget_of_the_host_is_not_the_servers_to_exceed() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    let mut setup = setup(&volume, &server);
    setup.more = format!("max_isolations_per_hour = 1\n{}", setup.more);
    setup.more.push_str("[local]\npin = [\"response.max_isolations_per_hour\"]\n");
    let daemon = Daemon::start(&setup);
    wait(&daemon, "connected", || daemon.status()["server"]["connected"] == true);
    let mut state = armed(1);
    if let Some(policy) = &mut state.policy {
        policy.isolate_and_kill = Some(false);
        policy.max_isolations_per_hour = Some(100_000);
    }
    let applied = want(&daemon, &server, state);
    assert!(applied.refused.iter().any(|r| r.contains("pinned")), "{:?}", applied.refused);
    let mut alarms = Vec::new();
    for n in 0..3 {
        let mut bytes = bad::script(MalwareClass::Trojan, TestRating::High);
        bytes.extend(format!("# {n}\n").bytes());
        let path = volume.join(&format!("f{n}"));
        write_executable(&path, &bytes);
        alarms.push(alarm_about(&daemon, &path));
    }
    let done = order(&daemon, &server, isolate(&alarms[0]));
    assert_eq!(done.outcome, "done", "{done:?}");
    for (n, alarm) in alarms.iter().enumerate().skip(1) {
        let why = refused(&daemon, &server, isolate(alarm));
        assert!(why.contains("limit"), "{why}");
        assert!(volume.join(&format!("f{n}")).exists());
    }
}

#[test]
fn an_id_is_good_for_one_order_and_for_this_host() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    let (other_volume, other_server) = (Volume::tmpfs(), Server::start());
    let daemon = enrolled(&volume, &server, "");
    let other = enrolled(&other_volume, &other_server, "");
    let (file, theirs) = (volume.join("bad.sh"), other_volume.join("bad.sh"));
    write_executable(&file, &bad::high_script());
    write_executable(&theirs, &bad::script(MalwareClass::Miner, TestRating::High));
    let (alarm, elsewhere) = (alarm_about(&daemon, &file), alarm_about(&other, &theirs));
    // An order that was meant for another host names what is not here.
    let why = refused(&daemon, &server, isolate(&elsewhere));
    assert!(why.contains(&elsewhere), "{why}");
    let done = order(&other, &other_server, isolate(&elsewhere));
    let isolated = match done.detail {
        Some(v1::command_result::Detail::Alarm(a)) => a.isolated.expect("isolated"),
        other => panic!("{other:?}"),
    };
    for verb in [
        Verb::Restore(v1::RestoreCommand { id: isolated.clone(), ..Default::default() }),
        Verb::Delete(v1::IsolatedDelete { id: isolated.clone() }),
        Verb::Verify(v1::IsolatedVerify { id: isolated }),
        Verb::Thaw(v1::Thaw { id: elsewhere, remark: String::new() }),
    ] {
        let what = format!("{verb:?}");
        let done = order(&daemon, &server, verb);
        assert!(done.outcome != "done" && !done.reason.is_empty(), "{what}: {done:?}");
    }
    // The id of an order that was done does not carry another one in.
    let first = Verb::Rearm(v1::BreakerRearm::default());
    server.order(v1::Command { id: "used".into(), verb: Some(first), ..v1::Command::default() });
    assert_eq!(result(&daemon, &server, "used").outcome, "done");
    let swapped = Some(isolate(&alarm));
    server.order(v1::Command { id: "used".into(), verb: swapped, ..v1::Command::default() });
    assert_eq!(order(&daemon, &server, Verb::Rearm(v1::BreakerRearm::default())).outcome, "done");
    assert!(file.exists(), "{}", daemon.log());
    // Sent before and cancelled, then sent: never begun.
    server.say(v1::server_frame::Kind::Cancel(v1::CancelCommand { id: "taken back".into() }));
    let late = Some(isolate(&alarm));
    server.order(v1::Command { id: "taken back".into(), verb: late, ..v1::Command::default() });
    assert_eq!(result(&daemon, &server, "taken back").outcome, "cancelled");
    assert!(file.exists());
}

#[test]
fn what_is_out_of_bounds_is_refused_one_by_one_and_the_rest_holds() {
    let (volume, server) = (Volume::tmpfs(), Server::start());
    let daemon = enrolled(&volume, &server, "");
    let entry = |id: &str, field: &str, value: &[u8]| v1::WhitelistEntry {
        id: id.into(),
        field: field.into(),
        judge: "equal".into(),
        value: value.to_vec(),
        ..v1::WhitelistEntry::default()
    };
    let policy = v1::HostPolicy {
        isolate_and_kill: Some(true),
        protect_mode: Some("off".into()),
        high_threshold: Some(100_000),
        medium_threshold: Some(0),
        max_isolations_per_hour: Some(0),
        max_kills_per_hour: Some(u32::MAX),
        web_roots: vec![b"/".to_vec(), b"relative".to_vec()],
        exclude: vec![b"/usr/".to_vec(), b"/srv/../etc".to_vec(), b"/a\0b".to_vec(), b"/srv/cache".to_vec()],
        group: "web".into(),
        ..v1::HostPolicy::default()
    };
    let state = v1::DesiredState {
        generation: 1,
        policy: Some(policy),
        whitelist: vec![
            entry("no id", "hash", &[1; 32]),
            entry(&uuid(), "hash", b"short"),
            entry(&uuid(), "file_path", b"/bin/sh"),
            entry(&uuid(), "everything", b"x"),
        ],
        recovery_recipient: "age1server".into(),
        ..v1::DesiredState::default()
    };
    let applied = want(&daemon, &server, state);
    for word in [
        "response.protect_mode",
        "response.high",
        "response.medium",
        "response.max_isolations_per_hour",
        "response.max_kills_per_hour",
        "protect.web_roots: /",
        "protect.web_roots: relative",
        "/usr/",
        "/srv/../etc",
        "no path looks like that",
        "whitelist entry no id",
        "vault.recovery",
    ] {
        assert!(applied.refused.iter().any(|r| r.contains(word)), "{word}: {:#?}", applied.refused);
    }
    let status = daemon.status();
    assert_eq!(status["isolate_and_kill"], true, "what is within bounds holds");
    assert_eq!(status["thresholds"]["high"], 90, "{status}");
    assert!(daemon.json(["whitelist", "list"]).is_empty());
    // Orders that are no orders.
    for verb in [
        Verb::Verify(v1::IsolatedVerify { id: "../..".into() }),
        Verb::ExceptionRemove(v1::ExceptionRemove { sha256: vec![1; 3] }),
        Verb::Rearm(v1::BreakerRearm { rule: "no_such_rule\n".into() }),
        Verb::Thaw(v1::Thaw { id: uuid()[..8].to_owned(), remark: String::new() }),
        Verb::Preview(v1::PreviewIsolate::default()),
        Verb::Collect(v1::CollectSample { alarm: "/etc/shadow".into(), max_bytes: u64::MAX }),
        Verb::Scan(v1::ScanCommand {
            kind: "custom".into(),
            paths: vec![b"etc".to_vec()],
            ..v1::ScanCommand::default()
        }),
    ] {
        let _ = refused(&daemon, &server, verb);
    }
}
