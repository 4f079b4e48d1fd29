// SPDX-License-Identifier: Apache-2.0
//! The jail bites: a scanner that misbehaves on purpose is stopped, and the pool goes on.

mod kit;

use kit::{eventually, is_root, job, misbehaving, start};
use lazaret_model::ScanError;
use lazaret_pool::{Pool, Priority};
use std::time::{Duration, Instant};

fn crash(pool: &Pool, word: &str) -> String {
    match pool.scan(job(word.as_bytes()), Priority::Event) {
        Err(ScanError::Crashed(how)) => how,
        other => panic!("{word}: {other:?}"),
    }
}

#[test]
fn what_a_taken_over_scanner_would_do_ends_it() {
    let pool = start(misbehaving(1));
    let words = [
        "open",
        "tcp",
        "udp",
        "fork",
        "exec",
        "kill",
        "ptrace",
        "map-exec",
        "protect-exec",
        "ioctl",
        "memfd",
        "write",
    ];
    for (count, word) in words.iter().enumerate() {
        let how = crash(&pool, word);
        assert!(how.contains("jail violation") && how.contains("SIGSYS"), "{word}: {how}");
        assert_eq!(pool.replaced(), count as u64 + 1);
        // The next worker is honest until it is told otherwise.
        pool.scan(job(b"good"), Priority::Event).unwrap_or_else(|e| panic!("after {word}: {e}"));
    }
}

#[test]
fn every_other_way_to_end_is_named() {
    let pool = start(misbehaving(1));
    assert!(crash(&pool, "abort").contains("SIGABRT"));
    assert!(crash(&pool, "allocate").contains("memory"), "the limit is 1 GiB");
    assert!(crash(&pool, "panic").contains("status 70"));
    let how = crash(&pool, "overflow");
    assert!(how.contains("SIGABRT") || how.contains("SIGSEGV"), "{how}");
    assert_eq!(pool.replaced(), 4);
    pool.scan(job(b"good"), Priority::Event).unwrap();
}

#[test]
fn a_spin_is_cut_at_the_deadline_and_the_worker_replaced() {
    let mut config = misbehaving(1);
    config.deadline = Duration::from_millis(300);
    let pool = start(config);
    let before = pool.workers()[0].pid;
    let began = Instant::now();
    let answer = pool.scan(job(b"spin"), Priority::Permission);
    assert_eq!(answer, Err(ScanError::Deadline(300)));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    eventually("replaced", || !matches!(pool.workers()[0].pid, 0) && pool.workers()[0].pid != before);
    assert!(!std::path::Path::new(&format!("/proc/{before}")).exists(), "gone and reaped");
    pool.scan(job(b"good"), Priority::Permission).unwrap();
}

#[test]
fn an_answer_that_is_none_is_refused() {
    let pool = start(misbehaving(1));
    for (word, why) in [("lie-long", "longer than"), ("lie-garbage", ""), ("lie-token", "99 instead of")] {
        match pool.scan(job(word.as_bytes()), Priority::Event) {
            Err(ScanError::BadAnswer(reason)) => assert!(reason.contains(why), "{word}: {reason}"),
            other => panic!("{word}: {other:?}"),
        }
        pool.scan(job(b"good"), Priority::Event).unwrap();
    }
    assert_eq!(pool.replaced(), 3);
}

#[test]
fn a_worker_is_what_the_jail_says() {
    let pool = start(misbehaving(1));
    let pid = pool.workers()[0].pid;
    // After an answer it surely has closed what it used while it was sealed.
    pool.scan(job(b"good"), Priority::Event).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = |name: &str| {
        let line = status.lines().find(|l| l.starts_with(name)).unwrap_or_else(|| panic!("{name}"));
        line[name.len()..].split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(line("Name:"), ["lazaret-scan"]);
    assert_eq!(line("NoNewPrivs:"), ["1"]);
    assert_eq!(line("Seccomp:"), ["2"]);
    assert_eq!(line("Threads:"), ["1"]);
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
        assert_eq!(line(set), ["0000000000000000"], "{set}");
    }
    if is_root() {
        assert_eq!(line("CapBnd:"), ["0000000000000000"]);
        assert_eq!(line("Uid:"), ["65534"; 4]);
        assert_eq!(line("Gid:"), ["65534"; 4]);
        assert!(line("Groups:").is_empty());
        for namespace in ["net", "ipc", "uts"] {
            let of = |p: &str| std::fs::read_link(format!("/proc/{p}/ns/{namespace}")).unwrap();
            assert_ne!(of(&pid.to_string()), of("self"), "{namespace}");
        }
        assert_eq!(std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count(), 4, "0 to 2 and the socket");
    }
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    for (name, value) in [("Max file size", "0"), ("Max core file size", "0"), ("Max processes", "0")] {
        let line = limits.lines().find(|l| l.starts_with(name)).unwrap();
        assert_eq!(line[name.len()..].split_whitespace().next(), Some(value), "{name}");
    }
}

#[test]
fn workers_end_when_the_pool_does() {
    let pool = start(misbehaving(2));
    let pids: Vec<i32> = pool.workers().iter().map(|w| w.pid).collect();
    let busy = job(b"spin");
    pool.submit(busy, Priority::Event, Box::new(|answer| assert!(answer.is_err())));
    eventually("busy", || pool.workers().iter().any(|w| w.busy));
    pool.stop();
    for pid in pids {
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "{pid} lives on");
    }
}

#[test]
fn without_root_the_jail_holds_too() {
    if !is_root() {
        // Then the other tests have shown it.
        return;
    }
    // The same tests as a user who can reach neither the checkout nor the build folder.
    let dir = tempfile::tempdir().unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(dir.path(), open).unwrap();
    for (from, to) in [
        (std::env::current_exe().unwrap(), "deps/jail"),
        (kit::program("examples/misbehave"), "examples/misbehave"),
    ] {
        let to = dir.path().join(to);
        std::fs::create_dir(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
    }
    let output = std::process::Command::new("setpriv")
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(dir.path().join("deps/jail"))
        .current_dir("/")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("7 passed"), "{text}");
}
