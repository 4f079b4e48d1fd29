// SPDX-License-Identifier: Apache-2.0
//! The steps, in the order in which `lazaret self-test` has them.

use super::programs::{Running, drop_file, eicar, script, sleeper, spawn};
use super::{Cancelled, Outcome, PATIENCE, REMARK, Test, seen_nothing};
use crate::alarms::decode;
use crate::control::{Refusal, Refused, alarms, isolated};
use crate::look::now_ms;
use lazaret_model::{Alarm, HandleStatus, Handling, IsolatedStatus, MalwareClass, TestRating};
use lazaret_proto::v1;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const MODE: u32 = 0o750;
/// An odd moment in the past, with nanoseconds, that a restore has to bring back.
const MODIFIED: Timespec = Timespec { tv_sec: 1_234_567_890, tv_nsec: 123_456_789 };
/// Alarms of the last test files may still be on their way.
const STRAGGLERS: Duration = Duration::from_millis(300);

fn ok(result: Result<String, String>) -> Outcome {
    result.map_or_else(Outcome::Failed, Outcome::Ok)
}

fn text(e: Refused) -> String {
    match e {
        Refused::Stream(e) => e.to_string(),
        Refused::Request(Refusal(_, text)) => text,
    }
}

fn is_gone(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|e| e.kind() == io::ErrorKind::NotFound)
}

impl Test<'_> {
    pub(super) fn all(&mut self) -> Result<(), Cancelled> {
        self.allow();
        self.detect_eicar()?;
        match self.class() {
            Ok(class) => {
                self.refuse_program(class)?;
                self.refuse_script(class)?;
            }
            Err(why) => {
                self.step("refuse", Instant::now(), Outcome::Skipped(why));
            }
        }
        self.by_hand()?;
        self.cloud()
    }

    /// A harmless program, which must run: a system that refuses everything proves nothing.
    fn allow(&mut self) {
        let (path, witness) = (self.folder.join("harmless"), self.folder.join("harmless-ran"));
        let began = Instant::now();
        let ran = drop_file(&path, &script(&witness, None), 0o755).and_then(|()| {
            let ran = Command::new(&path).stdin(Stdio::null()).status();
            match ran {
                Ok(status) if status.success() && witness.exists() => Ok("a harmless script runs".to_owned()),
                Ok(status) => Err(format!("a harmless script ended with {status}")),
                Err(e) => Err(format!("a harmless script was not allowed to run: {e}")),
            }
        });
        self.step("allow", began, ok(ran));
    }

    fn detect_eicar(&mut self) -> Result<(), Cancelled> {
        let path = self.folder.join("eicar.com");
        let began = Instant::now();
        let outcome = match drop_file(&path, &eicar(), 0o644) {
            Err(why) => Outcome::Failed(why),
            Ok(()) => match self.alarm(&path)? {
                Some(alarm) => Outcome::Ok(alarm.title),
                None => Outcome::Failed(self.why_nothing()),
            },
        };
        self.step("detect", began, outcome);
        Ok(())
    }

    fn why_nothing(&self) -> String {
        if self.core.live().policy.test_programs {
            seen_nothing()
        } else {
            "test programs are switched off on this host".to_owned()
        }
    }

    fn refuse_program(&mut self, class: MalwareClass) -> Result<(), Cancelled> {
        let path = self.folder.join("high");
        let began = Instant::now();
        let outcome = match drop_file(&path, &sleeper(class, TestRating::High), 0o755) {
            Err(why) => Outcome::Failed(why),
            Ok(()) => match spawn(&path) {
                Err(e) if e.raw_os_error() == Some(rustix::io::Errno::PERM.raw_os_error()) => {
                    Outcome::Ok("a test program of high confidence does not run".to_owned())
                }
                Err(e) if e.kind() == io::ErrorKind::NotFound => {
                    Outcome::Ok("a test program was isolated before it could start".to_owned())
                }
                Err(e) => Outcome::Failed(format!("it did not start, but for another reason: {e}")),
                Ok(child) => {
                    drop(Running(child));
                    Outcome::Failed("a test program of high confidence ran".to_owned())
                }
            },
        };
        self.step("refuse", began, outcome);
        self.moved(&path, began)
    }

    fn refuse_script(&mut self, class: MalwareClass) -> Result<(), Cancelled> {
        let (path, witness) = (self.folder.join("high.sh"), self.folder.join("script-ran"));
        let began = Instant::now();
        let wrote = drop_file(&path, &script(&witness, Some((class, TestRating::High))), 0o644);
        let outcome = ok(wrote.and_then(|()| {
            let ran = Command::new("/bin/sh").arg(&path).stdin(Stdio::null()).stderr(Stdio::null()).status();
            match ran {
                _ if witness.exists() => Err("a test script of high confidence ran".to_owned()),
                Ok(status) if status.success() => Err("the shell reports success".to_owned()),
                Ok(_) => Ok("`sh script` does not run a test script".to_owned()),
                Err(e) => Err(format!("the shell did not start: {e}")),
            }
        }));
        self.step("refuse", began, outcome);
        self.moved(&path, began)
    }

    fn moved(&mut self, path: &Path, since: Instant) -> Result<(), Cancelled> {
        let gone = self.until(|| is_gone(path).then_some(()))?;
        let outcome = match gone {
            Some(()) => Outcome::Ok("it is moved into the vault by itself".to_owned()),
            None => Outcome::Failed(seen_nothing()),
        };
        self.step("isolate", since, outcome);
        Ok(())
    }

    /// A program of medium confidence is only reported, so it runs; it is then isolated and killed as a
    /// person would order it, and brought back.
    fn by_hand(&mut self) -> Result<(), Cancelled> {
        let path = self.folder.join("medium");
        let bytes = sleeper(self.class().unwrap_or(MalwareClass::Trojan), TestRating::Medium);
        let began = Instant::now();
        let started = drop_file(&path, &bytes, MODE).and_then(|()| {
            let times = Timestamps { last_access: MODIFIED, last_modification: MODIFIED };
            rustix::fs::utimensat(CWD, &path, &times, AtFlags::SYMLINK_NOFOLLOW)
                .map_err(|e| format!("its time cannot be set: {e}"))?;
            spawn(&path).map_err(|e| format!("it did not run: {e}"))
        });
        let mut child = match started {
            Ok(child) => Running(child),
            Err(why) => {
                self.step("detect", began, Outcome::Failed(why));
                return Ok(());
            }
        };
        let Some(alarm) = self.alarm(&path)? else {
            let why = self.why_nothing();
            self.step("detect", began, Outcome::Failed(why));
            return Ok(());
        };
        let outcome = match child.0.try_wait() {
            Ok(None) => Outcome::Ok(alarm.title.clone()),
            Ok(Some(status)) => Outcome::Failed(format!("it was reported, but ended with {status}")),
            Err(e) => Outcome::Failed(format!("it cannot be waited for: {e}")),
        };
        self.step("detect", began, outcome);
        let before = match path.symlink_metadata() {
            Ok(before) => before,
            Err(e) => {
                self.step("kill", began, Outcome::Failed(format!("the test file cannot be looked at: {e}")));
                return Ok(());
            }
        };
        let began = Instant::now();
        if let Err(e) = self.handle(&alarm, Handling::IsolateAndKill) {
            self.step("kill", began, Outcome::Failed(e));
            return Ok(());
        }
        let status = self.until(|| child.0.try_wait().ok().flatten())?;
        let outcome = match status.map(|s| (s, s.signal())) {
            Some((_, Some(9))) => Outcome::Ok("its running process is killed".to_owned()),
            Some((status, _)) => Outcome::Failed(format!("it ended by itself with {status}")),
            None => Outcome::Failed(format!("it still runs after {} s", PATIENCE.as_secs())),
        };
        self.step("kill", began, outcome);
        let outcome = if is_gone(&path) {
            Outcome::Ok("its file is in the vault".to_owned())
        } else {
            Outcome::Failed("its name is still there".to_owned())
        };
        if self.step("isolate", began, outcome) {
            self.restore(&path, &alarm, &bytes, &before);
        }
        Ok(())
    }

    fn restore(&mut self, path: &Path, alarm: &Alarm, bytes: &[u8], before: &Metadata) {
        let began = Instant::now();
        let id = alarms::find(self.core, &alarm.id.to_string()).ok().and_then(|a| a.isolated);
        let back = match id {
            None => Err("the alarm does not say what was isolated".to_owned()),
            Some(id) => isolated::restore_id(self.core, self.peer, id, None, false).map_err(text),
        };
        let same = back.and_then(|_| compare(path, bytes, before));
        self.step("restore", began, ok(same));
    }

    fn handle(&self, alarm: &Alarm, handling: Handling) -> Result<(), String> {
        let request =
            v1::Handle { id: alarm.id.to_string(), handling: handling.word().into(), remark: REMARK.into() };
        alarms::handle(self.core, self.peer, &request).map(drop).map_err(text)
    }

    /// Those of files in our folder.
    fn alarms(&self) -> Vec<Alarm> {
        let filter = lazaret_state::AlarmFilter {
            since_ms: Some(now_ms() - 600_000),
            tests_only: true,
            limit: Some(200),
            ..lazaret_state::AlarmFilter::default()
        };
        let rows = self.core.database.alarms(&filter).unwrap_or_default();
        rows.iter().filter(|r| self.is_ours(&r.path)).filter_map(|r| decode(r).ok()).collect()
    }

    fn alarm(&self, path: &Path) -> Result<Option<Alarm>, Cancelled> {
        let wanted = path.as_os_str().as_bytes();
        self.until(|| {
            self.alarms().into_iter().find(|a| a.forensics.file.as_ref().is_some_and(|f| f.path == wanted))
        })
    }

    fn is_ours(&self, path: &[u8]) -> bool {
        path.strip_prefix(self.folder.as_os_str().as_bytes()).is_some_and(|rest| rest.starts_with(b"/"))
    }

    /// Each is tried whatever became of the others.
    pub(super) fn clean_up(&mut self) {
        let began = Instant::now();
        let mut left = Vec::new();
        self.empty_vault(&mut left);
        if let Err(e) = fs::remove_dir_all(&self.folder) {
            left.push(format!("{} stays: {e}", self.folder.display()));
        }
        loop {
            let open: Vec<Alarm> =
                self.alarms().into_iter().filter(|a| a.status == HandleStatus::Unhandled).collect();
            for alarm in open {
                if let Err(e) = self.handle(&alarm, Handling::MarkAsHandled) {
                    left.push(format!("alarm {} stays open: {e}", alarm.id));
                }
            }
            // One response is under way: this command.
            let quiet = self.core.cases.is_empty() && self.core.in_flight.load(Ordering::Relaxed) <= 1;
            if !left.is_empty() || (quiet && began.elapsed() > STRAGGLERS) || began.elapsed() > PATIENCE {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let outcome =
            if left.is_empty() { Outcome::Ok(String::new()) } else { Outcome::Failed(left.join("; ")) };
        self.step("clean up", began, outcome);
    }

    /// Deletes what was isolated, and takes back what a restore grants.
    fn empty_vault(&self, left: &mut Vec<String>) {
        let objects = self.core.responder.vault().list().unwrap_or_default();
        let ours =
            objects.iter().filter_map(|o| o.manifest.as_ref().ok()).filter(|m| self.is_ours(&m.path.0));
        for m in ours {
            match m.status {
                IsolatedStatus::Deleted => {}
                IsolatedStatus::Restored => {
                    if let Err(e) = self.core.database.remove_exception(m.sha256) {
                        left.push(format!("a test program is still excepted: {e}"));
                    }
                    self.core.live().exceptions.remove(&m.sha256);
                    self.core.judge_again();
                }
                _ => {
                    let request = v1::IsolatedDelete { id: m.id.to_string() };
                    if let Err(e) = isolated::delete(self.core, self.peer, &request) {
                        left.push(format!("the vault still holds {}: {}", m.id, text(e)));
                    }
                }
            }
        }
    }
}

fn compare(path: &Path, bytes: &[u8], was: &Metadata) -> Result<String, String> {
    let is = path.symlink_metadata().map_err(|e| format!("the restored file cannot be looked at: {e}"))?;
    for (name, a, b) in [
        ("mode", u64::from(was.mode()), u64::from(is.mode())),
        ("owner", was.uid().into(), is.uid().into()),
        ("group", was.gid().into(), is.gid().into()),
        ("size", was.len(), is.len()),
    ] {
        if a != b {
            return Err(format!("the {name} was {a} and is {b}"));
        }
    }
    if (was.mtime(), was.mtime_nsec()) != (is.mtime(), is.mtime_nsec()) {
        return Err("the modification time is another".to_owned());
    }
    let now = fs::read(path).map_err(|e| format!("the restored file cannot be read: {e}"))?;
    if now == bytes {
        Ok("the same bytes, owner, mode and time are back".to_owned())
    } else {
        Err("the bytes are not the same".to_owned())
    }
}
