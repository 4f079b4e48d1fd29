// SPDX-License-Identifier: Apache-2.0
//! Fixed messages in, exact text and JSON out.

use super::*;
use crate::json;

fn sample() -> v1::Status {
    v1::Status {
        version: "0.1.0".into(),
        started_ms: 1_795_400_000_000,
        content_version: "2026.11.1".into(),
        content: Some(v1::ContentInfo {
            version: "2026.11.1".into(),
            rules: 71,
            known_bad: 3,
            known_good: 1,
            problems: Vec::new(),
        }),
        isolate_and_kill: true,
        mounts: vec![v1::MountStatus {
            path: b"/".to_vec(),
            fs_type: "ext4".into(),
            source: "/dev/vda1".into(),
            configured: "exec+open+write".into(),
            effective: "exec+open+write".into(),
            ..Default::default()
        }],
        workers: vec![v1::WorkerStatus { pid: 812, scanned: 4096, busy: false }],
        counters: Some(v1::Counters {
            events_exec: 100,
            scanned: 30,
            denied: 2,
            scan_errors: 1,
            ..Default::default()
        }),
        alarms_unhandled: 2,
        isolated: 1,
        state_dir: "/var/lib/lazaret".into(),
        pid: 800,
        high_threshold: 90,
        medium_threshold: 60,
        automatic_classes: vec!["miner".into(), "trojan".into()],
        vault: Some(v1::VaultStatus {
            objects: 3,
            blobs: 2,
            bytes: 5 << 20,
            total_limit: 4 << 30,
            object_limit: 4 << 30,
            keep_free: 16 << 20,
            free: 70 << 30,
            user_bytes_limit: 1 << 30,
            user_objects_limit: 10_000,
            owners: vec![v1::VaultOwner { uid: 0, objects: 3, bytes: 5 << 20, ..Default::default() }],
            ..Default::default()
        }),
        ..Default::default()
    }
}

#[test]
fn a_protected_host() {
    insta::assert_snapshot!(status(Look::default(), &sample(), 1_795_407_260_000), @r#"
Protection is ON: everything works as configured.

Isolate and kill  ON: what is rated high (confidence 90 or more) is refused, isolated and killed at once
                  for these classes: miner, trojan
Alarms            2 unhandled   (lazaret alarms list --unhandled)
Isolated          1 file   (lazaret isolated list)
Vault             3 files in 2 blobs, 5.0 MiB of 4.0 GiB; 70.0 GiB free on its filesystem
                  each user but root may take 10000 files and 1.0 GiB
Content           2026.11.1, 71 rules, 3 known-bad and 1 known-good digests
Daemon            lazaretd 0.1.0, pid 800, since 2026-11-23 02:13:20Z (2 h 1 min)
State             /var/lib/lazaret

 Mount  Type  Source     Configured       Effective        Why
 /      ext4  /dev/vda1  exec+open+write  exec+open+write

 Scanner pid  Scanned  Now
 812          4096     idle

 Since start
 Programs run    100  Scanned             30  Deadlines missed   0
 Files opened    0    Allowed from cache  0   Scan errors        1
 Files written   0    Refused             2   Queue overflows    0
 Files moved in  0    Isolated            0   Scanners replaced  0
 Own events      0    Killed              0
"#);
    insta::assert_snapshot!(json::line(&json::Status::from(&sample())).unwrap().trim_end(), @r#"{"type":"status","protection":"on","degraded":[],"isolate_and_kill":true,"safe_mode":false,"version":"0.1.0","pid":800,"started_at":"2026-11-23T02:13:20.000Z","state_dir":"/var/lib/lazaret","content":{"version":"2026.11.1","rules":71,"known_bad":3,"known_good":1,"problems":[]},"thresholds":{"high":90,"medium":60},"automatic_classes":["miner","trojan"],"mounts":[{"path":"/","fs_type":"ext4","source":"/dev/vda1","configured":"exec+open+write","effective":"exec+open+write","reason":"","found_by_process":false}],"workers":[{"pid":812,"scanned":4096,"busy":false}],"jail_gaps":[],"open_breakers":[],"dry_run":false,"freeze_seconds":0,"windows":[],"alarms_unhandled":2,"isolated":1,"counters":{"events_exec":100,"events_open":0,"events_write":0,"events_moved":0,"allowed_own":0,"allowed_cached":0,"scanned":30,"denied":2,"deadline_missed":0,"scan_errors":1,"overflows":0,"workers_replaced":0,"isolated":0,"killed":0},"vault":{"objects":3,"blobs":2,"bytes":5242880,"total_limit":4294967296,"object_limit":4294967296,"keep_free":16777216,"free":75161927680,"user_bytes_limit":1073741824,"user_objects_limit":10000,"owners":[{"uid":0,"objects":3,"bytes":5242880,"objects_limit":null,"bytes_limit":null}],"refused":0,"age_days":null,"aged":0,"remove_aged":false}}"#);
}

#[test]
fn a_host_with_gaps_says_so_first() {
    let mut s = sample();
    s.isolate_and_kill = false;
    s.degraded = vec!["/srv/\x1b[2Jnfs: permission events are not given by this filesystem".into()];
    s.mounts.push(v1::MountStatus {
        path: b"/srv/n\nfs".to_vec(),
        fs_type: "nfs4".into(),
        source: "host:/x".into(),
        configured: "exec+open+write".into(),
        effective: "none".into(),
        reason: "not supported by the filesystem".into(),
        found_by_process: false,
    });
    s.open_breakers = vec!["linux_miner_generic: 12 packaged files in an hour".into()];
    s.jail_gaps = vec!["landlock (kernel 5.10)".into()];
    s.workers.clear();
    assert_eq!(Protection::of(&s), Protection::Degraded);
    insta::assert_snapshot!(status(Look::default(), &s, 1_795_400_001_000), @r#"
Protection is ON, WITH GAPS:
  ! /srv/\x1b[2Jnfs: permission events are not given by this filesystem

Isolate and kill  OFF: malicious programs are only reported   (lazaret switch isolate-and-kill on)
Alarms            2 unhandled   (lazaret alarms list --unhandled)
Isolated          1 file   (lazaret isolated list)
Vault             3 files in 2 blobs, 5.0 MiB of 4.0 GiB; 70.0 GiB free on its filesystem
                  each user but root may take 10000 files and 1.0 GiB
Content           2026.11.1, 71 rules, 3 known-bad and 1 known-good digests
Daemon            lazaretd 0.1.0, pid 800, since 2026-11-23 02:13:20Z (1 s)
State             /var/lib/lazaret
Circuit breaker   open: linux_miner_generic: 12 packaged files in an hour
                  these rules only refuse and report   (lazaret rules disarmed)
Scanner's jail    lacks landlock (kernel 5.10)

 Mount       Type  Source     Configured       Effective        Why
 /           ext4  /dev/vda1  exec+open+write  exec+open+write
 /srv/n\nfs  nfs4  host:/x    exec+open+write  none             not supported by the filesystem

No scanner is running.

 Since start
 Programs run    100  Scanned             30  Deadlines missed   0
 Files opened    0    Allowed from cache  0   Scan errors        1
 Files written   0    Refused             2   Queue overflows    0
 Files moved in  0    Isolated            0   Scanners replaced  0
 Own events      0    Killed              0
"#);
}

#[test]
fn a_vault_that_is_used_up_names_who_and_what() {
    let mut s = sample();
    let v = s.vault.as_mut().unwrap();
    v.owners.push(v1::VaultOwner { uid: 1000, objects: 20, bytes: 9, objects_limit: 20, bytes_limit: 0 });
    (v.user_bytes_limit, v.refused, v.age_days, v.aged) = (0, 7, 90, 1);
    insta::assert_snapshot!(crate::render::vault(Look::default(), s.vault.as_ref().unwrap()), @r#"
3 files in 2 blobs, 5.0 MiB of 4.0 GiB; 70.0 GiB free on its filesystem
each user but root may take 10000 files
uid 1000 has 20 files, 9 B: its quota is used up
7 files did not fit since the start and stayed denied in place
1 file 90 days old or older: restore or delete them
"#);
}

#[test]
fn protection_is_judged_by_what_is_effective() {
    assert_eq!(Protection::of(&sample()), Protection::On);
    assert_eq!(Protection::of(&v1::Status { safe_mode: true, ..sample() }), Protection::Degraded);
    assert_eq!(Protection::of(&v1::Status { mounts: Vec::new(), ..sample() }), Protection::Off);
    let mut s = sample();
    s.mounts[0].effective = "none".into();
    assert_eq!(Protection::of(&s), Protection::Off);
    s.mounts[0].effective = "write".into();
    assert_eq!(Protection::of(&s), Protection::Degraded);
}

#[test]
fn colours_only_where_they_are_wanted() {
    let plain = status(Look::default(), &sample(), 0);
    assert!(!plain.contains('\x1b'));
    let coloured = status(Look { colour: true, width: Some(80) }, &sample(), 0);
    assert!(coloured.contains("\x1b[32m"));
}

#[test]
fn it_fits_a_terminal() {
    let mut s = sample();
    s.mounts[0].path =
        b"/a/very/long/path/that/does/not/fit/into/any/terminal/of/eighty/columns/at/all".to_vec();
    s.mounts[0].reason = "a reason that is long enough to need more than one line of the table".into();
    let text = status(Look { colour: false, width: Some(80) }, &s, 0);
    let table = text.split("\n\n").find(|part| part.contains("Configured")).unwrap();
    assert!(table.lines().all(|l| l.chars().count() <= 80), "{table}");
}
