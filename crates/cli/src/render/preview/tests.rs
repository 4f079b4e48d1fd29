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
    insta::assert_snapshot!(preview(Look::default(), &sample()), @r#"
/srv/x: would be denied, but not all of it could be moved away. Nothing was changed.

Held back by      the filesystem is \x1b[31mread-only
Verdict           miner xmrig, high (confidence 97)
File              /srv/x
Size              2.0 KiB (2048 bytes)
SHA-256           abababababababababababababababababababababababababababababababab
Owner and mode    uid 33, gid 33, mode 0755, 3 names
Modified          1970-01-01T00:00:00.000000000Z
Inode changed     2026-11-23T02:13:20.000000000Z
Identity          device 2049, inode 42
Package           of no package
Names that go     /srv/x
                  /srv/\xff
                  1 further name not found
Vault             1.0 KiB of 4.0 GiB used

 Pid  Fate                                                User      Program     Arguments       Unit         Listens on                       Because it
 9    killed                                              www-data  /srv/x      x --pool 'a b'  web.service  tcp 0.0.0.0:8080, udp6 [::1]:53  executes the file
 1    kept: never touched: process 1 is the init process  33        /sbin/init  x --pool 'a b'  web.service  -                                has the file mapped executable

Units             web.service
Readers           12 /usr/bin/rsync only reads it: left alone
"#);
    insta::assert_snapshot!(json::line(&json::Preview::from(&sample())).unwrap().trim_end(), @r#"{"type":"preview","path":"/srv/x","would":"leave_in_place","refused_by":["the filesystem is \u001b[31mread-only"],"rating":"high","package_standing":null,"critical":null,"carrier":null,"names":[{"path":"/srv/x"},{"path":"/srv/�","path_b64":"L3Nydi//"}],"names_missing":1,"processes":[{"why":"executes the file","kept_by":null,"user":"www-data","listening":[{"protocol":"tcp","address":"0.0.0.0","port":8080},{"protocol":"udp6","address":"::1","port":53}],"process":{"pid":9,"ppid":1,"exe":"/srv/x","cmdline":["x","--pool","a b"],"uid":33,"euid":33,"gid":33,"started_at":"2026-11-23T02:13:20.000Z","sha256":null,"container":null,"unit":"web.service"}},{"why":"has the file mapped executable","kept_by":"never touched: process 1 is the init process","user":null,"listening":[],"process":{"pid":1,"ppid":1,"exe":"/sbin/init","cmdline":["x","--pool","a b"],"uid":33,"euid":33,"gid":33,"started_at":"2026-11-23T02:13:20.000Z","sha256":null,"container":null,"unit":"web.service"}}],"readers":[{"pid":12,"ppid":1,"exe":"/usr/bin/rsync","cmdline":["x","--pool","a b"],"uid":33,"euid":33,"gid":33,"started_at":"2026-11-23T02:13:20.000Z","sha256":null,"container":null,"unit":"web.service"}],"units":["web.service"],"persistence":[],"vault":{"fits":true,"reason":null,"objects":1,"used_bytes":1024,"total_bytes":4294967296},"verdict":{"sha256":"abababababababababababababababababababababababababababababababab","size":2048,"file_type":"elf","member":null,"class":"miner","family":"xmrig","confidence":97,"evidence":[],"content_version":"","test":false},"file":{"path":"/srv/x","sha256":"abababababababababababababababababababababababababababababababab","size":2048,"dev":2049,"ino":42,"uid":33,"gid":33,"mode":"100755","nlink":3,"atime":"1970-01-01T00:00:00.000000000Z","mtime":"1970-01-01T00:00:00.000000000Z","ctime":"2026-11-23T02:13:20.000000000Z","package":null,"package_intact":null}}"#);
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
        by: String::new(),
    };
    assert_eq!(disarmed(Look::default(), &[]), "No rule is disarmed.\n");
    insta::assert_snapshot!(disarmed(Look::default(), std::slice::from_ref(&rule)), @r#"
 Rule               Since                 Held back  Why
 linux_miner_xmrig  2026-11-23 02:13:20Z  3          it hit a file of an intact package

They only refuse and report. When one is right: lazaret rules rearm RULE
"#);
    insta::assert_snapshot!(json::line(&json::DisarmedRule::from(&rule)).unwrap().trim_end(), @r#"{"type":"disarmed_rule","rule":"linux_miner_xmrig","since":"2026-11-23T02:13:20.000Z","why":"it hit a file of an intact package","hits":3,"by":null}"#);
    let fleet = v1::DisarmedRule { by: "ana".into(), ..rule };
    let text = disarmed(Look::default(), std::slice::from_ref(&fleet));
    assert!(text.contains("by ana") && text.contains("only alarms"), "{text}");
    assert!(json::line(&json::DisarmedRule::from(&fleet)).unwrap().contains(r#""by":"ana""#));
}
