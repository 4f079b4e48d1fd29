// SPDX-License-Identifier: Apache-2.0
//! Fixed messages in, exact text and JSON out.

use super::*;
use crate::json;
use crate::render;

fn process(pid: i32, exe: &str, cmdline: &[u8]) -> v1::ProcessFacts {
    v1::ProcessFacts {
        process: Some(v1::ProcessRef { pid, start_time: 7, boot_id: vec![1; 16] }),
        ppid: 1,
        exe: exe.as_bytes().to_vec(),
        cmdline: cmdline.to_vec(),
        uid: 1000,
        euid: 1000,
        gid: 1000,
        started_ms: 1_795_400_000_000,
        sha256: Vec::new(),
        container: None,
        unit: (pid == 1).then(|| "init.scope".into()),
    }
}

fn sample() -> v1::Alarm {
    v1::Alarm {
        id: "019aa0c2-7b1f-7c3e-9d55-0123456789ab".into(),
        at_ms: 1_795_400_000_000,
        last_ms: 1_795_400_060_000,
        count: 2,
        origin: "exec".into(),
        severity: "critical".into(),
        title: "Miner xmrig was refused and isolated".into(),
        verdict: Some(v1::Verdict {
            sha256: vec![0xab; 32],
            size: 1_234_567,
            file_type: "elf".into(),
            member: None,
            class: "miner".into(),
            family: "xmrig".into(),
            confidence: 97,
            evidence: vec![
                v1::Evidence {
                    kind: "rule".into(),
                    id: "linux_miner_xmrig".into(),
                    weight: 6.5,
                    detail: "pool \x1b[31mstratum".into(),
                    decisive: true,
                },
                v1::Evidence {
                    kind: "heuristic".into(),
                    id: "elf_sections".into(),
                    weight: -0.5,
                    detail: "has a section table".into(),
                    decisive: false,
                },
            ],
            content_version: "2026.11.1".into(),
            test: false,
        }),
        rating: "high".into(),
        decision: "isolate_and_kill".into(),
        reasons: vec!["class miner is automatic".into()],
        file: Some(v1::FileFacts {
            path: b"/tmp/\xffx\nmrig".to_vec(),
            file: Some(v1::FileRef {
                dev: 2049,
                ino: 42,
                ctime_sec: 1_795_399_999,
                ctime_nsec: 5,
                size: 1_234_567,
            }),
            sha256: vec![0xab; 32],
            uid: 1000,
            gid: 1000,
            mode: 0o100_755,
            nlink: 1,
            mtime_sec: 1_795_399_998,
            mtime_nsec: 1,
            ..Default::default()
        }),
        chain: vec![
            process(4242, "/usr/bin/bash", b"bash\0-c\0./x mrig\0"),
            process(1, "/usr/lib/systemd/systemd", b"/sbin/init\0"),
        ],
        timeline: vec![
            v1::ActionRecord {
                at_ms: 1_795_400_000_002,
                action: "deny".into(),
                outcome: "done".into(),
                reason: String::new(),
                target: "/tmp/x".into(),
            },
            v1::ActionRecord {
                at_ms: 1_795_400_000_031,
                action: "kill".into(),
                outcome: "partial".into(),
                reason: "pid 9 is in disk sleep".into(),
                target: "pid 9".into(),
            },
        ],
        isolated: Some("019aa0c2-7b40-7000-8000-aaaaaaaaaaaa".into()),
        ..Default::default()
    }
}

fn isolated() -> v1::Isolated {
    v1::Isolated {
        id: "019aa0c2-7b40-7000-8000-aaaaaaaaaaaa".into(),
        path: b"/tmp/\xffx".to_vec(),
        sha256: vec![0xab; 32],
        size: 1_234_567,
        class: "miner".into(),
        family: "xmrig".into(),
        confidence: 97,
        status: "isolated".into(),
        reason: String::new(),
        isolated_ms: 1_795_400_000_123,
        killed: vec![v1::Killed {
            process: Some(v1::ProcessRef { pid: 9, start_time: 1, boot_id: vec![0; 16] }),
            exe: b"/tmp/\xffx".to_vec(),
            cmdline: b"./x\0--pool\0a b\0".to_vec(),
            outcome: "done".into(),
            reason: String::new(),
            unit: None,
            container: None,
        }],
        file: None,
        links: vec![b"/tmp/second".to_vec()],
        alarm: "019aa0c2-7b1f-7c3e-9d55-0123456789ab".into(),
        stored: 1_235_200,
        sharing: 3,
        left_alone: Vec::new(),
    }
}

#[test]
fn one_alarm() {
    insta::assert_snapshot!(alarm(Look::default(), &sample(), None), @r#"
Miner xmrig was refused and isolated

Alarm             019aa0c2-7b1f-7c3e-9d55-0123456789ab
Severity          critical
Seen              2026-11-23T02:13:20.000Z, last 2026-11-23T02:14:20.000Z, 2 times
Noticed by        it was about to run
Decision          isolate and kill: refused, its processes ended, the file moved into the vault
Why               class miner is automatic
Isolated as       019aa0c2-7b40-7000-8000-aaaaaaaaaaaa
Handling          unhandled

Malware           miner xmrig
File type         elf
Confidence        97 of 100: high (medium from 60, high from 90)
                  0 [##############################|##############|##..] 100

What makes it up (weight above zero speaks for malware, below against it):
 Weight            Kind       What               Found
 +6.5    decisive  rule       linux_miner_xmrig  pool \x1b[31mstratum
 -0.5              heuristic  elf_sections       has a section table
Judged with content 2026.11.1.

File              /tmp/\xffx\nmrig
Size              1.1 MiB (1234567 bytes)
SHA-256           abababababababababababababababababababababababababababababababab
Owner and mode    uid 1000, gid 1000, mode 0755, 1 name
Modified          2026-11-23T02:13:18.000000001Z
Inode changed     2026-11-23T02:13:19.000000005Z
Identity          device 2049, inode 42
Package           of no package

Process chain (oldest first):
  systemd (pid 1)  /sbin/init
     uid 1000, gid 1000, since 2026-11-23 02:13:20Z, unit init.scope
     /usr/lib/systemd/systemd
  └─ bash (pid 4242)  bash -c './x mrig'
        uid 1000, gid 1000, since 2026-11-23 02:13:20Z
        /usr/bin/bash
        this process acted on the file

What was done:
 When           After   What  Outcome  On      Reason
 02:13:20.002Z  +2 ms   deny  done     /tmp/x
 02:13:20.031Z  +31 ms  kill  partial  pid 9   pid 9 is in disk sleep

What to do next:
  The file is in the vault and can do no harm. Find out how it came here (process chain above).
  If it is malicious:  lazaret handle 0123456789ab mark-as-handled
      and, once nobody needs it as a proof:  lazaret isolated delete aaaaaaaaaaaa
  If it is good:  lazaret isolated restore aaaaaaaaaaaa
"#);
    insta::assert_snapshot!(json::line(&json::Alarm::from(&sample())).unwrap().trim_end(), @r#"{"type":"alarm","id":"019aa0c2-7b1f-7c3e-9d55-0123456789ab","at":"2026-11-23T02:13:20.000Z","last":"2026-11-23T02:14:20.000Z","count":2,"origin":"exec","severity":"critical","title":"Miner xmrig was refused and isolated","rating":"high","decision":"isolate_and_kill","reasons":["class miner is automatic"],"handled":null,"isolated":"019aa0c2-7b40-7000-8000-aaaaaaaaaaaa","verdict":{"sha256":"abababababababababababababababababababababababababababababababab","size":1234567,"file_type":"elf","member":null,"class":"miner","family":"xmrig","confidence":97,"evidence":[{"kind":"rule","id":"linux_miner_xmrig","weight":6.5,"detail":"pool \u001b[31mstratum","decisive":true},{"kind":"heuristic","id":"elf_sections","weight":-0.5,"detail":"has a section table","decisive":false}],"content_version":"2026.11.1","test":false},"file":{"path":"/tmp/�x\nmrig","path_b64":"L3RtcC//eAptcmln","sha256":"abababababababababababababababababababababababababababababababab","size":1234567,"dev":2049,"ino":42,"uid":1000,"gid":1000,"mode":"100755","nlink":1,"atime":"1970-01-01T00:00:00.000000000Z","mtime":"2026-11-23T02:13:18.000000001Z","ctime":"2026-11-23T02:13:19.000000005Z","package":null,"package_intact":null},"chain":[{"pid":4242,"ppid":1,"exe":"/usr/bin/bash","cmdline":["bash","-c","./x mrig"],"uid":1000,"euid":1000,"gid":1000,"started_at":"2026-11-23T02:13:20.000Z","sha256":null,"container":null,"unit":null},{"pid":1,"ppid":1,"exe":"/usr/lib/systemd/systemd","cmdline":["/sbin/init"],"uid":1000,"euid":1000,"gid":1000,"started_at":"2026-11-23T02:13:20.000Z","sha256":null,"container":null,"unit":"init.scope"}],"timeline":[{"at":"2026-11-23T02:13:20.002Z","action":"deny","outcome":"done","reason":"","target":"/tmp/x"},{"at":"2026-11-23T02:13:20.031Z","action":"kill","outcome":"partial","reason":"pid 9 is in disk sleep","target":"pid 9"}]}"#);
}

#[test]
fn a_list_of_alarms() {
    let handled = v1::Alarm {
        handled_by: "ignore".into(),
        handled_ms: 1_795_400_100_000,
        handled_who: "uid 0".into(),
        remark: "known".into(),
        ..sample()
    };
    let daemon = v1::Alarm {
        id: "019aa0c2-7b1f-7c3e-9d55-bbbbbbbbbbbb".into(),
        severity: "high".into(),
        title: "The event queue overflowed".into(),
        decision: "alarm".into(),
        ..Default::default()
    };
    insta::assert_snapshot!(alarms(Look::default(), &[sample(), handled.clone(), daemon.clone()]), @r#"
 Id            Last seen             Rating  Conf  Malware      Path                        Decision          State
 0123456789ab  2026-11-23 02:14:20Z  high    97    miner xmrig  /tmp/\xffx\nmrig (2x)       isolate_and_kill  unhandled
 0123456789ab  2026-11-23 02:14:20Z  high    97    miner xmrig  /tmp/\xffx\nmrig (2x)       isolate_and_kill  ignore
 bbbbbbbbbbbb  1970-01-01 00:00:00Z  high    -     -            The event queue overflowed  alarm             unhandled

3 alarms, 2 unhandled. One with everything that is known: lazaret alarms show ID
"#);
    insta::assert_snapshot!(json::line(&json::Alarm::from(&daemon)).unwrap().trim_end(), @r#"{"type":"alarm","id":"019aa0c2-7b1f-7c3e-9d55-bbbbbbbbbbbb","at":"1970-01-01T00:00:00.000Z","last":"1970-01-01T00:00:00.000Z","count":0,"origin":"","severity":"high","title":"The event queue overflowed","rating":null,"decision":"alarm","reasons":[],"handled":null,"isolated":null,"verdict":null,"file":null,"chain":[],"timeline":[]}"#);
    assert!(json::line(&json::Alarm::from(&handled)).unwrap().contains(
        r#""handled":{"by":"ignore","at":"2026-11-23T02:15:00.000Z","who":"uid 0","remark":"known"}"#
    ));
    assert_eq!(alarms(Look::default(), &[]), "No alarms.\n");
}

#[test]
fn nothing_in_an_alarm_steers_the_terminal() {
    let text = alarm(Look::default(), &sample(), None);
    assert!(text.chars().all(|c| c == '\n' || !escape::is_unsafe(c)), "{text}");
    let long = v1::Alarm { chain: vec![process(7, "/bin/x", &[b'a'; 5000])], ..sample() };
    assert!(alarm(Look::default(), &long, None).lines().all(|l| l.len() < 250), "long command lines are cut");
    assert!(text.contains("/tmp/\\xffx\\nmrig") && text.contains("pool \\x1b[31mstratum"));
}

#[test]
fn isolated_files() {
    insta::assert_snapshot!(json::line(&json::Isolated::from(&isolated())).unwrap().trim_end(), @r#"{"id":"019aa0c2-7b40-7000-8000-aaaaaaaaaaaa","path":"/tmp/�x","path_b64":"L3RtcC//eA==","sha256":"abababababababababababababababababababababababababababababababab","size":1234567,"class":"miner","family":"xmrig","confidence":97,"status":"isolated","reason":"","isolated_at":"2026-11-23T02:13:20.123Z","killed":[{"pid":9,"exe":"/tmp/�x","exe_b64":"L3RtcC//eA==","cmdline":["./x","--pool","a b"],"outcome":"done"}]}"#);
    insta::assert_snapshot!(json::line(&json::IsolatedFull::from(&isolated())).unwrap().trim_end(), @r#"{"id":"019aa0c2-7b40-7000-8000-aaaaaaaaaaaa","path":"/tmp/�x","path_b64":"L3RtcC//eA==","sha256":"abababababababababababababababababababababababababababababababab","size":1234567,"class":"miner","family":"xmrig","confidence":97,"status":"isolated","reason":"","isolated_at":"2026-11-23T02:13:20.123Z","killed":[{"pid":9,"exe":"/tmp/�x","exe_b64":"L3RtcC//eA==","cmdline":["./x","--pool","a b"],"outcome":"done"}],"file":null,"links":["/tmp/second"],"alarm":"019aa0c2-7b1f-7c3e-9d55-0123456789ab","stored":1235200,"sharing":3}"#);
    insta::assert_snapshot!(render::isolated_list(Look::default(), &[isolated()]), @r#"
 Id            Isolated              Status    Conf  Malware      Size     Path        Killed  Reason
 aaaaaaaaaaaa  2026-11-23 02:13:20Z  isolated  97    miner xmrig  1.1 MiB  /tmp/\xffx  1

1 file in the vault.
"#);
    insta::assert_snapshot!(render::isolated(Look::default(), &isolated()), @r#"
Isolated file     019aa0c2-7b40-7000-8000-aaaaaaaaaaaa
Status            isolated
Since             2026-11-23T02:13:20.123Z
Malware           miner xmrig, confidence 97 of 100
Alarm             019aa0c2-7b1f-7c3e-9d55-0123456789ab
File              /tmp/\xffx
Size              1.1 MiB (1234567 bytes)
SHA-256           abababababababababababababababababababababababababababababababab
In the vault      1.1 MiB, shared with 2 others of the same content
Other names       /tmp/second

Processes ended with it:
 Pid  Executable  Command line      Outcome  Reason
 9    /tmp/\xffx  ./x --pool 'a b'  done

To put it back:         lazaret isolated restore aaaaaaaaaaaa
To destroy it for good: lazaret isolated delete aaaaaaaaaaaa
"#);
}

#[test]
fn small_answers() {
    let receipt = v1::Receipt {
        id: "019aa0c2-7b40-7000-8000-aaaaaaaaaaaa".into(),
        path: b"/tmp/x".to_vec(),
        outcome: "done".into(),
        reason: String::new(),
        next: String::new(),
        lines: vec![
            v1::ReceiptLine {
                attribute: "mode".into(),
                before: "4755".into(),
                after: "4755".into(),
                same: true,
                note: String::new(),
            },
            v1::ReceiptLine {
                attribute: "inode".into(),
                before: "42".into(),
                after: "43".into(),
                same: false,
                note: "the kernel gives a new number".into(),
            },
        ],
        restarts: Vec::new(),
    };
    insta::assert_snapshot!(render::receipt(Look::default(), &receipt), @r#"
Restore of 019aa0c2-7b40-7000-8000-aaaaaaaaaaaa to /tmp/x: done
 Attribute        Before  After  Note
 mode       same  4755    4755
 inode      new   42      43     the kernel gives a new number
"#);
    insta::assert_snapshot!(json::line(&json::Receipt::from(&receipt)).unwrap().trim_end(), @r#"{"type":"receipt","id":"019aa0c2-7b40-7000-8000-aaaaaaaaaaaa","path":"/tmp/x","outcome":"done","reason":"","lines":[{"attribute":"mode","before":"4755","after":"4755","same":true,"note":""},{"attribute":"inode","before":"42","after":"43","same":false,"note":"the kernel gives a new number"}]}"#);
    let receipt = v1::Receipt {
        lines: Vec::new(),
        restarts: vec![v1::ActionRecord {
            at_ms: 0,
            action: "restart".into(),
            outcome: "failed".into(),
            reason: "no such unit".into(),
            target: "web.service".into(),
        }],
        ..receipt
    };
    insta::assert_snapshot!(render::receipt(Look::default(), &receipt), @r#"
Restore of 019aa0c2-7b40-7000-8000-aaaaaaaaaaaa to /tmp/x: done
Start of web.service: failed: no such unit
"#);
    assert!(
        json::line(&json::Receipt::from(&receipt))
            .unwrap()
            .contains(r#""restarts":[{"unit":"web.service","outcome":"failed","reason":"no such unit"}]"#)
    );
    let entry = v1::WhitelistEntry {
        id: "019aa0c2-7b40-7000-8000-cccccccccccc".into(),
        field: "file_path".into(),
        judge: "equal".into(),
        value: b"/opt/tool".to_vec(),
        sha256: vec![1; 32],
        any_content: false,
        description: "ours".into(),
        added_ms: 1_795_400_000_000,
        hits: 3,
        added_by: "uid 0".into(),
        ..v1::WhitelistEntry::default()
    };
    insta::assert_snapshot!(render::whitelist(Look::default(), std::slice::from_ref(&entry)), @r#"
Id            Field          Value      Content          Hits  Added                 By     Description
cccccccccccc  file_path  is  /opt/tool  010101010101...  3     2026-11-23 02:13:20Z  uid 0  ours
"#);
    insta::assert_snapshot!(json::line(&json::WhitelistEntry::from(&entry)).unwrap().trim_end(), @r#"{"type":"whitelist_entry","id":"019aa0c2-7b40-7000-8000-cccccccccccc","field":"file_path","judge":"equal","value":"/opt/tool","sha256":"0101010101010101010101010101010101010101010101010101010101010101","any_content":false,"description":"ours","added_at":"2026-11-23T02:13:20.000Z","added_by":"uid 0","hits":3}"#);
    let event = v1::Event {
        at_ms: 1_795_400_000_000,
        seq: 17,
        kind: "alarm".into(),
        text: "Miner xmrig\nforged".into(),
        alarm: "019aa0c2-7b1f-7c3e-9d55-0123456789ab".into(),
    };
    insta::assert_snapshot!(render::event(Look::default(), &event), @r#"2026-11-23T02:13:20.000Z  alarm    Miner xmrig\nforged  [alarm 0123456789ab]"#);
    insta::assert_snapshot!(json::line(&json::Event::from(&event)).unwrap().trim_end(), @r#"{"type":"event","at":"2026-11-23T02:13:20.000Z","seq":17,"kind":"alarm","text":"Miner xmrig\nforged","alarm":"019aa0c2-7b1f-7c3e-9d55-0123456789ab"}"#);
    let check = v1::VerifyResult {
        id: "x".into(),
        ok: false,
        reason: "blob is cut".into(),
        finding: "corrupt".into(),
    };
    insta::assert_snapshot!(render::verifications(Look::default(), std::slice::from_ref(&check)), @r#"
x  DAMAGED  blob is cut
1 isolated file verified, 1 not whole.
"#);
    insta::assert_snapshot!(json::line(&json::Verify::from(&check)).unwrap().trim_end(), @r#"{"type":"verify","id":"x","ok":false,"reason":"blob is cut","finding":"corrupt"}"#);
    insta::assert_snapshot!(json::line(&json::Done::new("switched")).unwrap().trim_end(), @r#"{"type":"done","message":"switched"}"#);
}
