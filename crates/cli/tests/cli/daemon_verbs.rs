// SPDX-License-Identifier: Apache-2.0
//! The built program against a peer on a real socket: what it asks, what it shows, how it ends.

use crate::peer::{Ended, Peer, lazaret, program};
use lazaret_proto::v1;
use lazaret_proto::v1::failure::Kind;
use lazaret_proto::v1::request::Verb;
use lazaret_proto::v1::response::Answer;

const ALARM: &str = "019aa0c2-7b1f-7c3e-9d55-0123456789ab";
const OBJECT: &str = "019aa0c2-7b40-7000-8000-aaaaaaaaaaaa";

fn done(text: &str) -> Option<Vec<Answer>> {
    Some(vec![Answer::Done(v1::Done { message: text.into() })])
}

fn isolated(id: &str) -> v1::Isolated {
    v1::Isolated {
        id: id.into(),
        path: b"/srv/x".to_vec(),
        sha256: vec![7; 32],
        size: 3,
        class: "trojan".into(),
        family: "test".into(),
        confidence: 99,
        status: "isolated".into(),
        isolated_ms: 1_795_400_000_000,
        ..Default::default()
    }
}

#[test]
fn no_daemon_is_69_with_a_way_out() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("control.sock");
    for verb in [&["status"][..], &["alarms", "list"], &["isolated", "list"], &["self-test"], &["events"]] {
        let words = [&["--socket", socket.to_str().unwrap()], verb].concat();
        let ended = lazaret(&words);
        assert_eq!(ended.status, Some(69), "{ended:?}");
        assert!(ended.stderr.contains("control.sock") && ended.stderr.contains("lazaret scan"), "{ended:?}");
    }
    // A socket that nobody listens at any more.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let ended = lazaret(&["--json", "--socket", socket.to_str().unwrap(), "status"]);
    assert_eq!(ended.status, Some(69));
    assert!(ended.stdout.starts_with(r#"{"type":"failure","kind":"no_daemon","message":"#), "{ended:?}");
}

#[test]
fn usage_errors_are_64_and_help_is_0() {
    for words in
        [&["explode"][..], &[], &["handle", "x", "explode"], &["scan"], &["alarms", "list", "--limit", "x"]]
    {
        assert_eq!(lazaret(words).status, Some(64), "{words:?}");
    }
    for words in [&["--help"][..], &["--version"], &["help", "scan"], &["isolated", "restore", "--help"]] {
        let ended = lazaret(words);
        assert_eq!(ended.status, Some(0), "{words:?}");
        assert!(!ended.stdout.is_empty() && ended.stderr.is_empty(), "{words:?}");
    }
}

#[test]
fn the_daemons_failures_become_exit_statuses() {
    for (kind, status, word) in [
        (Kind::NotPermitted, 77, "not_permitted"),
        (Kind::Refused, 1, "failed"),
        (Kind::BadRequest, 64, "usage"),
    ] {
        let peer = Peer::refusing(kind, "guard\x1b[2J says no");
        let ended = peer.lazaret(&["--json", "switch", "isolate-and-kill", "on"]);
        assert_eq!(ended.status, Some(status), "{ended:?}");
        assert_eq!(
            ended.stdout,
            format!("{{\"type\":\"failure\",\"kind\":\"{word}\",\"message\":\"guard\\\\x1b[2J says no\"}}\n")
        );
        assert_eq!(ended.stderr, "lazaret: guard\\x1b[2J says no\n");
    }
}

#[test]
fn an_answer_that_is_cut_short_is_a_failure() {
    let peer = Peer::new(|_| None);
    let ended = peer.lazaret(&["status"]);
    assert_eq!(ended.status, Some(1));
    assert!(ended.stderr.contains("before its answer was complete"), "{ended:?}");
}

#[test]
fn a_peer_that_speaks_nonsense_is_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("control.sock");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let thread = std::thread::spawn(move || {
        use std::io::Write as _;
        listener.accept().unwrap().0.write_all(&[0xff; 64]).unwrap();
    });
    let ended = lazaret(&["--socket", socket.to_str().unwrap(), "status"]);
    thread.join().unwrap();
    assert_eq!(ended.status, Some(1));
    assert!(ended.stderr.contains("could not be understood"), "{ended:?}");
}

#[test]
fn the_configuration_names_the_socket() {
    let peer = Peer::new(|_| Some(vec![Answer::Status(v1::Status { pid: 7, ..Default::default() })]));
    let config = peer.dir().join("lazaretd.toml");
    std::fs::write(&config, format!("[paths]\nrun = {:?}\n[protect]\nmounts = []\n", peer.dir())).unwrap();
    let ended = lazaret(&["--json", "--config", config.to_str().unwrap(), "status"]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert!(ended.stdout.contains(r#""protection":"off""#) && ended.stdout.contains(r#""pid":7"#));
}

#[test]
fn filters_of_the_list_reach_the_daemon() {
    let peer = Peer::new(|_| Some(vec![Answer::Alarm(v1::Alarm { id: ALARM.into(), ..Default::default() })]));
    let words =
        ["--json", "alarms", "list", "--rating", "high", "--class", "miner", "--unhandled", "--limit", "5"];
    let ended = peer.lazaret(&words);
    assert_eq!((ended.status, ended.stdout.lines().count()), (Some(0), 1));
    let wanted = v1::AlarmsList {
        rating: "high".into(),
        class: "miner".into(),
        unhandled_only: true,
        limit: 5,
        tests_only: false,
    };
    assert_eq!(peer.seen(), [Verb::AlarmsList(wanted)]);
}

#[test]
fn handling_takes_the_end_of_an_id() {
    let peer = Peer::new(|verb| match verb {
        Verb::AlarmsShow(_) => {
            Some(vec![Answer::Alarm(v1::Alarm { id: ALARM.into(), ..Default::default() })])
        }
        _ => done("ignored"),
    });
    let ended = peer.lazaret(&["handle", "0123456789ab", "ignore", "--remark", "known"]);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), "ignored\n"));
    let wanted = v1::Handle { id: ALARM.into(), handling: "ignore".into(), remark: "known".into() };
    assert_eq!(peer.seen()[1], Verb::Handle(wanted));
}

#[test]
fn isolated_list_has_exactly_the_promised_keys() {
    let peer = Peer::new(|_| Some(vec![Answer::Isolated(isolated(OBJECT))]));
    let ended = peer.lazaret(&["isolated", "list", "--json"]);
    insta::assert_snapshot!(ended.stdout.trim_end(), @r#"{"id":"019aa0c2-7b40-7000-8000-aaaaaaaaaaaa","path":"/srv/x","sha256":"0707070707070707070707070707070707070707070707070707070707070707","size":3,"class":"trojan","family":"test","confidence":99,"status":"isolated","reason":"","isolated_at":"2026-11-23T02:13:20.000Z","killed":[]}"#);
}

#[test]
fn restore_sends_an_absolute_path_and_shows_the_receipt() {
    let peer = Peer::new(|verb| {
        Some(vec![match verb {
            Verb::IsolatedList(_) => Answer::Isolated(isolated(OBJECT)),
            _ => Answer::Receipt(v1::Receipt {
                id: OBJECT.into(),
                outcome: "partial".into(),
                ..Default::default()
            }),
        }])
    });
    let words = ["isolated", "restore", "aaaaaaaaaaaa", "--to", "there/x", "--parents", "--restart"];
    let ended: Ended =
        program().current_dir("/").arg("--socket").arg(peer.socket()).args(words).output().unwrap().into();
    // A restore that is not whole is not a success.
    assert_eq!(ended.status, Some(1), "{ended:?}");
    let wanted = v1::IsolatedRestore {
        id: OBJECT.into(),
        to: Some(b"/there/x".to_vec()),
        parents: true,
        restart: true,
    };
    assert_eq!(peer.seen()[1], Verb::IsolatedRestore(wanted));
}

#[test]
fn persistence_asks_and_says_whether_it_is_as_wanted() {
    let entry = |number, state: &str, only_shown: &str| v1::PersistenceEntry {
        number,
        kind: "cron".into(),
        file: b"/etc/crontab".to_vec(),
        line: 3,
        text: b"* * * * * root /tmp/x".to_vec(),
        state: state.into(),
        only_shown: only_shown.into(),
        ..Default::default()
    };
    let peer = Peer::new(move |_| {
        let entries = vec![entry(1, "disabled", ""), entry(2, "active", ""), entry(3, "active", "a link")];
        let persistence = Some(v1::Persistence { searched_ms: 1, entries, ..Default::default() });
        Some(vec![Answer::Alarm(v1::Alarm { id: ALARM.into(), persistence, ..Default::default() })])
    });
    assert_eq!(peer.lazaret(&["persistence", "disable", "9ab", "1"]).status, Some(0));
    assert_eq!(peer.lazaret(&["persistence", "enable", "9ab", "2"]).status, Some(0));
    let some_failed = peer.lazaret(&["persistence", "disable", "9ab"]);
    assert_eq!(some_failed.status, Some(1), "entry 2 is not disabled");
    assert!(some_failed.stdout.contains("/etc/crontab:3"), "{some_failed:?}");
    let listed = peer.lazaret(&["--json", "persistence", "list"]);
    assert_eq!((listed.status, listed.stdout.lines().count()), (Some(0), 3), "{listed:?}");
    assert_eq!(lazaret(&["persistence", "disable", "9ab", "0"]).status, Some(64));
    let alarm = || "9ab".to_owned();
    assert_eq!(
        peer.seen(),
        [
            Verb::PersistenceDisable(v1::PersistenceDisable { alarm: alarm(), entry: 1 }),
            Verb::PersistenceEnable(v1::PersistenceEnable { alarm: alarm(), entry: 2 }),
            Verb::PersistenceDisable(v1::PersistenceDisable { alarm: alarm(), entry: 0 }),
            Verb::PersistenceList(v1::PersistenceList { alarm: String::new() }),
        ]
    );
}

#[test]
fn delete_and_verify() {
    let peer = Peer::new(|verb| match verb {
        Verb::IsolatedList(_) => Some(vec![Answer::Isolated(isolated(OBJECT))]),
        Verb::IsolatedVerify(_) => Some(vec![Answer::Verify(v1::VerifyResult {
            id: OBJECT.into(),
            ok: false,
            reason: "cut".into(),
            finding: "corrupt".into(),
        })]),
        _ => done("deleted"),
    });
    let ended = peer.lazaret(&["isolated", "delete", "aaaaaaaaaaaa", "--yes"]);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), "deleted\n"));
    assert_eq!(peer.lazaret(&["isolated", "delete", "bbbbbbbb", "--yes"]).status, Some(1));
    assert_eq!(peer.lazaret(&["isolated", "verify"]).status, Some(1));
    assert_eq!(peer.lazaret(&["isolated", "verify", "--json"]).status, Some(1));
}

#[test]
fn the_small_verbs_ask_for_what_they_say() {
    let peer = Peer::new(|_| done("ok"));
    for words in [
        &["isolate", "/srv/x", "--override-guards"][..],
        &["content", "reload"],
        &["breaker", "rearm"],
        &["exception", "remove", "0707070707070707070707070707070707070707070707070707070707070707"],
        &["switch", "test-programs", "off"],
        &["whitelist", "remove", OBJECT],
    ] {
        let ended = peer.lazaret(words);
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), "ok\n"), "{words:?} {ended:?}");
    }
    assert_eq!(
        peer.seen(),
        [
            Verb::IsolatePath(v1::IsolatePath {
                path: b"/srv/x".to_vec(),
                override_guards: true,
                remark: String::new(),
                ..Default::default()
            }),
            Verb::ContentReload(v1::ContentReload {}),
            Verb::BreakerRearm(v1::BreakerRearm { rule: String::new() }),
            Verb::ExceptionRemove(v1::ExceptionRemove { sha256: vec![7; 32] }),
            Verb::SwitchSet(v1::SwitchSet { name: "test_programs".into(), on: false }),
            Verb::WhitelistRemove(v1::WhitelistRemove { id: OBJECT.into() }),
        ]
    );
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let peer = Peer::new(|_| {
        let event = v1::Event { kind: "alarm".into(), text: "x".repeat(1000), ..Default::default() };
        Some(vec![Answer::Event(event); 500])
    });
    let mut child = program()
        .arg("--socket")
        .arg(peer.socket())
        .args(["events", "--past", "500"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended: Ended = child.wait_with_output().unwrap().into();
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(141), ""), "{ended:?}");
}

#[test]
fn completions_and_man_pages_are_made() {
    for shell in ["bash", "zsh", "fish"] {
        let ended = lazaret(&["completions", shell]);
        assert_eq!(ended.status, Some(0));
        assert!(ended.stdout.contains("self-test") && ended.stdout.contains("rearm"), "{shell}");
    }
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(lazaret(&["man", dir.path().to_str().unwrap()]).status, Some(0));
    for page in ["lazaret.1", "lazaret-scan.1", "lazaret-self-test.1", "lazaret-isolated-restore.1"] {
        let text = std::fs::read_to_string(dir.path().join(page)).unwrap();
        assert!(text.contains(".SH DESCRIPTION") && text.contains(".SH OPTIONS"), "{page}");
    }
    let ended = lazaret(&["man", "/nonexistent/man"]);
    assert_eq!(ended.status, Some(1));
    assert!(ended.stderr.contains("/nonexistent/man"));
}

#[test]
fn preview_thaw_and_rules_ask_for_what_they_say() {
    use v1::preview_isolate::What;
    let peer = Peer::new(|verb| match verb {
        Verb::PreviewIsolate(_) => Some(vec![Answer::Preview(v1::Preview {
            path: b"/srv/x".to_vec(),
            would: "isolate".into(),
            ..Default::default()
        })]),
        Verb::RulesDisarmed(_) => {
            Some(vec![Answer::DisarmedRule(v1::DisarmedRule { rule: "r1".into(), ..Default::default() })])
        }
        _ => done("ok"),
    });
    let shown = peer.lazaret(&["--json", "preview", "isolate", "/srv/x"]);
    assert_eq!(shown.status, Some(0), "{shown:?}");
    assert!(shown.stdout.starts_with(r#"{"type":"preview","path":"/srv/x","would":"isolate""#), "{shown:?}");
    assert_eq!(peer.lazaret(&["preview", "isolate", "--alarm", "abcd"]).status, Some(0));
    assert_eq!(peer.lazaret(&["thaw", ALARM, "--remark", "ours"]).status, Some(0));
    let rules = peer.lazaret(&["rules", "disarmed"]);
    assert!(rules.status == Some(0) && rules.stdout.contains("r1"), "{rules:?}");
    assert_eq!(peer.lazaret(&["rules", "rearm", "r1"]).status, Some(0));
    assert_eq!(peer.lazaret(&["rules", "rearm", "--all"]).status, Some(0));
    assert_eq!(peer.lazaret(&["switch", "dry-run", "on"]).status, Some(0));
    assert_eq!(peer.lazaret(&["isolate", "/srv/x", "--override-limits"]).status, Some(0));
    let seen = peer.seen();
    let preview = |what| Verb::PreviewIsolate(v1::PreviewIsolate { what: Some(what) });
    let rearm = |rule: &str| Verb::BreakerRearm(v1::BreakerRearm { rule: rule.into() });
    assert_eq!(
        seen,
        [
            preview(What::Path(b"/srv/x".to_vec())),
            preview(What::Alarm("abcd".into())),
            Verb::Thaw(v1::Thaw { id: ALARM.into(), remark: "ours".into() }),
            Verb::RulesDisarmed(v1::RulesDisarmed {}),
            rearm("r1"),
            rearm(""),
            Verb::SwitchSet(v1::SwitchSet { name: "dry_run".into(), on: true }),
            Verb::IsolatePath(v1::IsolatePath {
                path: b"/srv/x".to_vec(),
                override_limits: true,
                ..Default::default()
            }),
        ]
    );
    // Neither a path nor an alarm, or both; a rule and all.
    for words in [
        &["preview", "isolate"][..],
        &["preview", "isolate", "/x", "--alarm", "y"],
        &["rules", "rearm"],
        &["rules", "rearm", "r", "--all"],
    ] {
        assert_eq!(lazaret(words).status, Some(64), "{words:?}");
    }
}
