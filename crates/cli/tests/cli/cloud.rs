// SPDX-License-Identifier: Apache-2.0
//! `lazaret cloud` against a peer on a real socket.

use crate::peer::Peer;
use lazaret_proto::v1;
use lazaret_proto::v1::failure::Kind;
use lazaret_proto::v1::request::Verb;
use lazaret_proto::v1::response::Answer;

fn sent(what: &str) -> v1::CloudSent {
    v1::CloudSent {
        what: what.into(),
        path: b"/tmp/\x1b[2Ja\xff".to_vec(),
        sha256: vec![0xcd; 32],
        server: "wss://s:8443".into(),
        first_ms: 1_795_400_000_000,
        last_ms: 1_795_400_001_000,
        times: 2,
        bytes: 7,
    }
}

#[test]
fn filters_reach_the_daemon_and_lines_come_back() {
    let peer = Peer::new(|_| Some(vec![Answer::CloudSent(sent("sample")), Answer::CloudSent(sent("hash"))]));
    let digest = "cd".repeat(32);
    let words =
        ["--json", "cloud", "sent", "--what", "sample", "--sha256", &digest, "--hours", "2", "--limit", "5"];
    let ended = peer.lazaret(&words);
    assert_eq!((ended.status, ended.stdout.lines().count()), (Some(0), 2), "{ended:?}");
    let first: serde_json::Value = serde_json::from_str(ended.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(first["type"], "cloud_sent");
    assert_eq!((first["path"].as_str(), first["bytes"].as_u64()), (Some("/tmp/\u{1b}[2Ja\u{fffd}"), Some(7)));
    assert!(first["path_b64"].is_string() && first["last_at"] == "2026-11-23T02:13:21.000Z", "{first}");
    let seen = peer.seen();
    let [Verb::CloudSent(list)] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((list.what.as_str(), list.sha256.as_slice(), list.limit), ("sample", &[0xcd; 32][..], 5));
    assert!(list.since_ms > 0);
    let ended = peer.lazaret(&["cloud", "sent"]);
    assert!(ended.stdout.contains("/tmp/\\x1b[2Ja\\xff") && !ended.stdout.contains('\x1b'), "{ended:?}");
    for words in [&["cloud", "sent", "--what", "x"][..], &["cloud", "sent", "--sha256", "x"], &["cloud"]] {
        assert_eq!(peer.lazaret(words).status, Some(64), "{words:?}");
    }
}

#[test]
fn the_status_is_a_line_of_its_own_and_part_of_the_hosts() {
    let cloud = v1::CloudStatus {
        hashes: true,
        limits: vec!["no consent to samples".into()],
        ..v1::CloudStatus::default()
    };
    let peer = Peer::new(move |verb| {
        Some(vec![match verb {
            Verb::Status(_) => {
                Answer::Status(v1::Status { cloud: Some(cloud.clone()), ..v1::Status::default() })
            }
            _ => Answer::CloudStatus(cloud.clone()),
        }])
    });
    let line = |words: &[&str]| -> serde_json::Value {
        let ended = peer.lazaret(words);
        assert_eq!(ended.status, Some(0), "{ended:?}");
        serde_json::from_str(ended.stdout.trim_end()).unwrap()
    };
    let alone = line(&["--json", "cloud", "status"]);
    assert_eq!((alone["type"].as_str(), alone["hashes"].as_bool()), (Some("cloud_status"), Some(true)));
    assert!(alone["bytes_per_second"].is_null() && alone["sample"].is_null());
    let whole = line(&["--json", "status"]);
    assert_eq!(whole["cloud"]["limits"][0], "no consent to samples");
    let text = peer.lazaret(&["status"]).stdout;
    assert!(text.contains("Cloud scan") && text.contains("hashes leave this host, no samples"), "{text}");
}

#[test]
fn a_host_without_a_server_says_so() {
    let peer = Peer::refusing(Kind::Refused, "this host belongs to no server");
    let ended = peer.lazaret(&["cloud", "status"]);
    assert_eq!(ended.status, Some(1));
    assert!(ended.stderr.contains("no server"), "{ended:?}");
}

#[test]
fn verdicts_name_class_and_places() {
    let peer = Peer::new(|_| {
        Some(vec![Answer::CloudVerdict(v1::CloudVerdict {
            sha256: vec![1; 32],
            number: 9,
            verdict: Some(v1::Verdict { class: "miner".into(), confidence: 99, ..v1::Verdict::default() }),
            act: true,
            origin: "person".into(),
            at_ms: 1_795_400_000_000,
            paths: vec![b"/opt/x".to_vec()],
        })])
    });
    let ended = peer.lazaret(&["--json", "cloud", "verdicts"]);
    let v: serde_json::Value = serde_json::from_str(ended.stdout.trim_end()).unwrap();
    assert_eq!(
        (v["class"].as_str(), v["family"].is_null(), v["number"].as_u64()),
        (Some("miner"), true, Some(9))
    );
    assert_eq!(v["places"][0]["path"], "/opt/x");
    let text = peer.lazaret(&["cloud", "verdicts"]).stdout;
    assert!(text.contains("refused, isolated") && text.contains("/opt/x"), "{text}");
}
