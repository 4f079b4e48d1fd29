// SPDX-License-Identifier: Apache-2.0
//! Fixed messages in, exact text and JSON out.

use super::*;
use crate::json;

fn process(pid: i32, exe: &str) -> v1::ProcessFacts {
    v1::ProcessFacts {
        process: Some(v1::ProcessRef { pid, start_time: 7, boot_id: vec![1; 16] }),
        ppid: 1,
        exe: exe.as_bytes().to_vec(),
        cmdline: b"x\0--pool\0a b".to_vec(),
        uid: 33,
        euid: 33,
        gid: 33,
        started_ms: 1_795_400_000_000,
        unit: Some("web.service".into()),
        ..Default::default()
    }
}

fn sample() -> v1::Preview {
    v1::Preview {
        path: b"/srv/x".to_vec(),
        file: Some(v1::FileFacts {
            path: b"/srv/x".to_vec(),
            file: Some(v1::FileRef {
                dev: 2049,
                ino: 42,
                ctime_sec: 1_795_400_000,
                ctime_nsec: 0,
                size: 2048,
            }),
            sha256: vec![0xab; 32],
            uid: 33,
            gid: 33,
            mode: 0o100_755,
            nlink: 3,
            ..Default::default()
        }),
        verdict: Some(v1::Verdict {
            sha256: vec![0xab; 32],
            size: 2048,
            file_type: "elf".into(),
            class: "miner".into(),
            family: "xmrig".into(),
            confidence: 97,
            ..Default::default()
        }),
        rating: "high".into(),
        would: "leave_in_place".into(),
        refused_by: vec!["the filesystem is \x1b[31mread-only".into()],
        names: vec![b"/srv/x".to_vec(), b"/srv/\xff".to_vec()],
        names_missing: 1,
        vault: Some(v1::VaultRoom {
            used_bytes: 1024,
            total_bytes: 4 << 30,
            objects: 1,
            fits: true,
            reason: String::new(),
        }),
        processes: vec![
            v1::PreviewProcess {
                process: Some(process(9, "/srv/x")),
                user: "www-data".into(),
                why: "executes the file".into(),
                kept_by: String::new(),
                listening: vec![
                    v1::Listening { protocol: "tcp".into(), address: "0.0.0.0".into(), port: 8080 },
                    v1::Listening { protocol: "udp6".into(), address: "::1".into(), port: 53 },
                ],
            },
            v1::PreviewProcess {
                process: Some(process(1, "/sbin/init")),
                why: "has the file mapped executable".into(),
                kept_by: "never touched: process 1 is the init process".into(),
                ..Default::default()
            },
        ],
        readers: vec![process(12, "/usr/bin/rsync")],
        units: vec!["web.service".into()],
        ..Default::default()
    }
}

#[test]
fn everything_that_would_be_touched() {
    insta::assert_snapshot!(preview(Look::default(), &sample()), @r#""#);
    insta::assert_snapshot!(json::line(&json::Preview::from(&sample())).unwrap().trim_end(), @r#""#);
}

#[test]
fn nothing_runs_it() {
    let p = v1::Preview { would: "isolate".into(), path: b"/x".to_vec(), ..Default::default() };
    let text = preview(Look::default(), &p);
    assert!(text.contains("Nothing runs it") && text.contains("Nothing was changed"), "{text}");
}

#[test]
fn disarmed_rules() {
    let rule = v1::DisarmedRule {
        rule: "linux_miner_xmrig".into(),
        since_ms: 1_795_400_000_000,
        why: "it hit a file of an intact package".into(),
        hits: 3,
    };
    assert_eq!(disarmed(Look::default(), &[]), "No rule is disarmed.\n");
    insta::assert_snapshot!(disarmed(Look::default(), std::slice::from_ref(&rule)), @r#""#);
    insta::assert_snapshot!(json::line(&json::DisarmedRule::from(&rule)).unwrap().trim_end(), @r#"{"type":"disarmed_rule","rule":"linux_miner_xmrig","since":"2026-11-23T02:13:20.000Z","why":"it hit a file of an intact package","hits":3}"#);
}
