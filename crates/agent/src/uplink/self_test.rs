// SPDX-License-Identifier: Apache-2.0
//! The self-test that a server orders: a test program on a protected mount is detected, isolated and
//! brought back, each with its time. `lazaret self-test` on the host itself does more.

use super::commands::Cancel;
use super::orders::Ended;
use crate::alarms::decode;
use crate::control::{Answered, Peer, Refusal, Refused, alarms, isolated};
use crate::core::Core;
use crate::look::now_ms;
use lazaret_model::{Alarm, Handling, MalwareClass, Sha256, TestRating, test_program_marker};
use lazaret_proto::v1;
use lazaret_proto::v1::command_result::Detail;
use std::fs::{self, DirBuilder};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// For what should take milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);
const REMARK: &str = "self-test";

struct Test<'a> {
    core: &'a Arc<Core>,
    peer: &'a Peer,
    steps: Vec<v1::SelfTestStep>,
}

pub(super) fn run(core: &Arc<Core>, peer: &Peer, cancel: &Cancel) -> Ended {
    let Some(place) = place(core) else {
        return Ended::refused(
            "no filesystem of this host is protected in full (see its status): there is no place for the test",
        );
    };
    let folder = place.join(format!(".lazaret-self-test-{}", uuid::Uuid::now_v7()));
    if let Err(e) = DirBuilder::new().mode(0o700).create(&folder) {
        return Ended::failed(format!("{} cannot be made: {e}", folder.display()));
    }
    let mut test = Test { core, peer, steps: Vec::new() };
    let done = test.all(&folder.join("program"), cancel);
    if let Err(e) = fs::remove_dir_all(&folder) {
        test.step("clean up", Instant::now(), Err(format!("{} stays: {e}", folder.display())));
    }
    let failed = test.steps.iter().filter(|s| !s.ok).count();
    let ended = match done {
        None => Ended::cancelled("cancelled while it was under way"),
        Some(()) if failed == 0 => Ended::new("done", ""),
        Some(()) => Ended::new("partial", format!("{failed} steps failed")),
    };
    Ended { detail: Some(Detail::SelfTest(v1::SelfTestResult { steps: test.steps })), ..ended }
}

/// A folder on a mount where everything is in force; memory rather than disk.
fn place(core: &Core) -> Option<PathBuf> {
    let full: Vec<v1::MountStatus> =
        core.protection.status().into_iter().filter(|m| m.effective == "exec+open+write").collect();
    let root = |m: &v1::MountStatus| PathBuf::from(std::ffi::OsStr::from_bytes(&m.path));
    let usual = ["/dev/shm", "/tmp", "/var/tmp", "/root"].map(PathBuf::from);
    let usual = usual.into_iter().filter(|p| {
        let dev = fs::symlink_metadata(p).map(|m| m.dev());
        dev.is_ok_and(|d| full.iter().any(|m| fs::symlink_metadata(root(m)).is_ok_and(|r| r.dev() == d)))
    });
    let memory = full.iter().filter(|m| m.fs_type == "tmpfs").map(root);
    let rest = full.iter().map(root);
    usual.chain(memory).chain(rest).find(|p| {
        let inside = p.join("x");
        !core.is_excluded(inside.as_os_str().as_bytes())
            && rustix::fs::access(p, rustix::fs::Access::WRITE_OK).is_ok()
    })
}

impl Test<'_> {
    fn step(&mut self, name: &str, since: Instant, outcome: Result<String, String>) -> bool {
        let ok = outcome.is_ok();
        self.steps.push(v1::SelfTestStep {
            name: name.to_owned(),
            ok,
            micros: u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX),
            detail: outcome.unwrap_or_else(|why| why),
        });
        ok
    }

    /// `None` when it was cancelled.
    fn all(&mut self, path: &Path, cancel: &Cancel) -> Option<()> {
        let began = Instant::now();
        let ran = Command::new("/bin/sh").args(["-c", ":"]).stdin(Stdio::null()).status();
        let ran = match ran {
            Ok(status) if status.success() => Ok("a harmless program runs".to_owned()),
            Ok(status) => Err(format!("/bin/sh ended with {status}")),
            Err(e) => Err(format!("/bin/sh did not run: {e}")),
        };
        self.step("allow", began, ran);
        // Rated medium: whatever the switch says, nothing is done to it by itself.
        let marker = test_program_marker(MalwareClass::Trojan, TestRating::Medium);
        let bytes = format!("#!/bin/sh\n# {marker}\n# {}\nexit 0\n", uuid::Uuid::now_v7()).into_bytes();
        let wrote = drop_file(path, &bytes);
        let began = Instant::now();
        let alarm = match wrote {
            Ok(()) => self.seen(path, cancel)?,
            Err(why) => {
                self.step("detect", began, Err(why));
                return Some(());
            }
        };
        let Some(alarm) = alarm else {
            let off = !self.core.live().policy.test_programs;
            let why = if off {
                "test programs are switched off on this host".to_owned()
            } else {
                format!("no alarm within {} s", PATIENCE.as_secs())
            };
            self.step("detect", began, Err(why));
            return Some(());
        };
        self.step("detect", began, Ok(alarm.title.clone()));
        self.isolate_and_restore(path, &bytes, &alarm);
        self.forget(&alarm);
        Some(())
    }

    /// The outer `None` when it was cancelled.
    fn seen(&self, path: &Path, cancel: &Cancel) -> Option<Option<Alarm>> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if cancel.load(Ordering::Relaxed) || self.core.is_stopping() {
                return None;
            }
            let filter = lazaret_state::AlarmFilter {
                since_ms: Some(now_ms() - 60_000),
                tests_only: true,
                limit: Some(100),
                ..lazaret_state::AlarmFilter::default()
            };
            let rows = self.core.database.alarms(&filter).unwrap_or_default();
            let row = rows.iter().find(|r| r.path == path.as_os_str().as_bytes());
            if let Some(alarm) = row.and_then(|r| decode(r).ok()) {
                return Some(Some(alarm));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Some(None)
    }

    fn handle(&self, alarm: &Alarm, handling: Handling) -> Answered {
        let request =
            v1::Handle { id: alarm.id.to_string(), handling: handling.word().into(), remark: REMARK.into() };
        alarms::handle(self.core, self.peer, &request)
    }

    fn isolate_and_restore(&mut self, path: &Path, bytes: &[u8], alarm: &Alarm) {
        let began = Instant::now();
        let done = self.handle(alarm, Handling::IsolateAndKill).map_err(text);
        let gone = done.and_then(|_| match path.symlink_metadata() {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok("its file is in the vault".to_owned()),
            _ => Err("its name is still there".to_owned()),
        });
        if !self.step("isolate", began, gone) {
            return;
        }
        let began = Instant::now();
        let id = alarms::find(self.core, &alarm.id.to_string()).ok().and_then(|a| a.isolated);
        let back = match id {
            None => Err("the alarm does not say what was isolated".to_owned()),
            Some(id) => isolated::restore_id(self.core, self.peer, id, None, false).map_err(text),
        };
        let same = back.and_then(|_| match fs::read(path) {
            Ok(now) if now == bytes => Ok("the same bytes are back".to_owned()),
            Ok(_) => Err("the bytes are not the same".to_owned()),
            Err(e) => Err(format!("the restored file cannot be read: {e}")),
        });
        self.step("restore", began, same);
    }

    /// Takes back what a restore grants, and closes the alarm.
    fn forget(&mut self, alarm: &Alarm) {
        let content: Option<Sha256> = alarm.forensics.file.as_ref().and_then(|f| f.sha256);
        if let Some(content) = content {
            let removed = self.core.database.remove_exception(content);
            self.core.live().exceptions.remove(&content);
            self.core.judge_again();
            if let Err(e) = removed {
                self.step("clean up", Instant::now(), Err(e.to_string()));
            }
        }
        if let Err(e) = self.handle(alarm, Handling::MarkAsHandled).map_err(text) {
            self.step("clean up", Instant::now(), Err(e));
        }
    }
}

/// By a process of its own: what the daemon itself does is not looked at.
fn drop_file(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("the test file could not be written: {e}");
    let mut child = Command::new("/bin/sh")
        .args(["-c", "exec cat > \"$0\""])
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let wrote = child.stdin.take().map(|mut pipe| pipe.write_all(bytes));
    let status = child.wait().map_err(failed)?;
    match wrote {
        Some(Err(e)) => Err(failed(e)),
        _ if status.success() => Ok(()),
        _ => Err(format!("the test file could not be written: {status}")),
    }
}

fn text(e: Refused) -> String {
    match e {
        Refused::Stream(e) => e.to_string(),
        Refused::Request(Refusal(_, text)) => text,
    }
}
