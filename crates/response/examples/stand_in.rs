// SPDX-License-Identifier: Apache-2.0
//! A harmless program that is hard to kill, for tests. Every form of it ends by itself at the time
//! that it is given (milliseconds UTC), and no form starts more than 200 processes.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a program for tests speaks to them")]

use lazaret_sys::life;
use lazaret_sys::process::ProcessHandle;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Longer than this from now nothing lives, whatever it was told.
const LONGEST: u64 = 20_000;

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}

/// Itself, also when its name is gone.
fn own(arguments: &[&str]) -> Command {
    let mut c = Command::new("/proc/self/exe");
    c.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    c
}

fn until(end: u64) {
    while now() < end {
        std::thread::sleep(Duration::from_millis(10.min(end.saturating_sub(now())).max(1)));
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let word = |i: usize| arguments.get(i).map_or("", String::as_str);
    let end = word(1).parse().unwrap_or(0).min(now() + LONGEST);
    let number = |i: usize| word(i).parse::<u64>().unwrap_or(0).min(200);
    match word(0) {
        "idle" => until(end),
        "pair" => pair(end, word(2).parse().unwrap_or(0), number(3)),
        "chain" => chain(end, number(2)),
        "hop" => hop(end, number(2)),
        "orphan" => orphan(end, number(2)),
        "threads" => threads(end, word(2) == "leaderless"),
        "morph" => morph(end, word(2)),
        "flip" => flip(end, word(2), word(3), number(4)),
        "keeper" => keeper(end, Path::new(word(2))),
        "writer" => writer(end, Path::new(word(2))),
        "stopped" => {
            let me = std::process::id().cast_signed();
            let _ = ProcessHandle::open(me).map(|h| h.signal(lazaret_sys::process::Signal::STOP));
            until(end);
        }
        _ => {}
    }
}

/// Watches the other one and starts it again when it is gone; the other one does the same.
fn pair(end: u64, other: i32, left: u64) {
    let _ = rustix::process::setsid();
    let mut other = ProcessHandle::open(other).ok();
    let mut started: Vec<Child> = Vec::new();
    let mut left = left;
    let me = std::process::id().to_string();
    while now() < end {
        let gone = other.as_ref().is_none_or(|o| o.wait_gone(Duration::from_millis(2)));
        if gone && left > 0 {
            // What is left is shared, so that all of them together start no more than the first was given.
            let share = left / 2;
            left -= share + 1;
            let budget = share.to_string();
            if let Ok(child) = own(&["pair", &end.to_string(), &me, &budget]).spawn() {
                other = ProcessHandle::open(child.id().cast_signed()).ok();
                started.push(child);
            }
        } else if gone {
            std::thread::sleep(Duration::from_millis(2));
        }
        started.retain_mut(|c| c.try_wait().is_ok_and(|s| s.is_none()));
    }
}

/// Each starts the next one and stays.
fn chain(end: u64, left: u64) {
    let next = (left > 1).then(|| own(&["chain", &end.to_string(), &(left - 1).to_string()]).spawn());
    until(end);
    if let Some(Ok(mut child)) = next {
        let _ = child.wait();
    }
}

/// Each starts the next one and goes.
fn hop(end: u64, left: u64) {
    std::thread::sleep(Duration::from_millis(3));
    if left > 1 && now() < end {
        let _ = own(&["hop", &end.to_string(), &(left - 1).to_string()]).spawn();
    } else {
        until(end);
    }
}

/// A daemon: its parents are gone and its session is its own.
fn orphan(end: u64, generation: u64) {
    if generation == 2 {
        return until(end);
    }
    let _ = rustix::process::setsid();
    let _ = own(&["orphan", &end.to_string(), &(generation + 1).to_string()]).spawn();
}

fn threads(end: u64, leaderless: bool) {
    for _ in 0..16 {
        std::thread::spawn(move || {
            until(end);
            // The last one ends the process in every case.
            life::end_this_thread()
        });
    }
    if leaderless {
        life::end_this_thread();
    }
    until(end);
}

/// Becomes another program under another name.
fn morph(end: u64, program: &str) {
    let seconds = (end.saturating_sub(now()) / 1000).max(1).to_string();
    let e = Command::new(program).arg0("[kworker/0:1]").arg(seconds).exec();
    println!("{e}");
}

/// Is one program and the next moment another, under one number.
fn flip(end: u64, other: &str, this: &str, left: u64) {
    std::thread::sleep(Duration::from_millis(1));
    if left == 0 || now() >= end {
        return until(end);
    }
    let left = (left - 1).to_string();
    let e = Command::new(other).args(["flip", &end.to_string(), this, other, &left]).exec();
    println!("{e}");
}

/// Keeps a program alive that is not itself: started from an open descriptor, so that it needs no name.
fn keeper(end: u64, program: &Path) {
    let Ok(file) = File::open(program) else { return };
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    for _ in 0..100 {
        let Ok(mut child) =
            Command::new(&path).args(["idle", &end.to_string()]).stdout(Stdio::null()).spawn()
        else {
            break;
        };
        while now() < end && child.try_wait().is_ok_and(|s| s.is_none()) {
            std::thread::sleep(Duration::from_millis(1));
        }
        if now() >= end {
            let _ = child.kill();
            let _ = child.wait();
            break;
        }
    }
    until(end);
}

/// Writes without end: on a frozen filesystem it waits where no signal reaches it.
fn writer(end: u64, path: &Path) {
    while now() < end {
        let done = File::create(path).and_then(|mut f| f.write_all(b"x"));
        if done.is_err() {
            break;
        }
    }
    until(end);
}
