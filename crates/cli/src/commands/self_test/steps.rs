// SPDX-License-Identifier: Apache-2.0
//! The steps, in the order in which they are shown.

use super::cleanup::REMARK;
use super::programs::{drop_file, eicar, script, sleeper};
use super::report::{Outcome, Report};
use super::watch::Bench;
use crate::client::Patience;
use crate::error::CliError;
use lazaret_model::{Handling, MalwareClass, TestRating};
use lazaret_proto::v1;
use lazaret_proto::v1::request::Verb;
use lazaret_proto::v1::response::Answer;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

/// How long the running test program sleeps at most, seconds.
const SLEEP: &str = "15";
/// An odd moment in the past, with nanoseconds, that a restore has to bring back.
const MODIFIED: Duration = Duration::new(1_234_567_890, 123_456_789);
const MODE: u32 = 0o750;

/// Runs all steps.
///
/// # Errors
/// Only what makes going on pointless: Ctrl-C, no daemon any more. A step that fails is reported.
pub(super) fn run(bench: &Bench, acting: bool, report: &mut Report<'_>) -> Result<(), CliError> {
    allow(bench, report);
    detect_eicar(bench, report)?;
    match bench.class {
        Some(class) => {
            refuse_program(bench, class, report)?;
            refuse_script(bench, class, report)?;
        }
        None => {
            let why = if acting {
                "no malware class is automatic in this host's policy"
            } else {
                "isolate and kill is off; --switch turns it on for the test"
            };
            report.step("refuse", "a test program and a test script", Outcome::Skipped(why.into()));
        }
    }
    by_hand(bench, report)?;
    super::cloud::cloud(bench, report)
}

fn seen_nothing(bench: &Bench) -> String {
    format!("nothing of the kind was seen within {} s", bench.limit.as_secs())
}

fn dropped(path: &Path, bytes: &[u8], mode: u32) -> Result<Instant, String> {
    let modified = SystemTime::UNIX_EPOCH.checked_add(MODIFIED);
    drop_file(path, bytes, mode, modified).map_err(|e| format!("the test file could not be written: {e}"))?;
    Ok(Instant::now())
}

fn spawn(path: &Path) -> io::Result<Child> {
    Command::new(path)
        // One binary for all tools goes by the name that it is called with.
        .arg0("sleep")
        .arg(SLEEP)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// A harmless program, which must run: a system that refuses everything proves nothing.
fn allow(bench: &Bench, report: &mut Report<'_>) {
    let path = bench.folder.join("harmless");
    let witness = bench.folder.join("harmless-ran");
    let outcome = dropped(&path, &script(&witness, None), 0o755).and_then(|_| {
        let began = Instant::now();
        let status = Command::new(&path).status().map_err(|e| format!("it was not allowed to run: {e}"))?;
        if status.success() && witness.exists() {
            Ok(Outcome::Ok(began.elapsed(), String::new()))
        } else {
            Err(format!("it ended with {status}"))
        }
    });
    report.step("allow", "a harmless script runs", outcome.unwrap_or_else(Outcome::Failed));
}

fn detect_eicar(bench: &Bench, report: &mut Report<'_>) -> Result<(), CliError> {
    let path = bench.folder.join("eicar.com");
    let outcome = match dropped(&path, &eicar(), 0o644) {
        Ok(closed) => match bench.alarm(&path)? {
            Some(alarm) => Outcome::Ok(closed.elapsed(), found(&alarm)),
            None => Outcome::Failed(seen_nothing(bench)),
        },
        // An open that is refused halfway is a detection too, but not the one that is measured.
        Err(why) => Outcome::Failed(why),
    };
    report.step("detect", "the EICAR test file raises an alarm once it is written", outcome);
    Ok(())
}

fn found(alarm: &v1::Alarm) -> String {
    alarm.verdict.as_ref().map_or_else(String::new, |v| {
        format!("{} {}, confidence {}, {}", v.class, v.family, v.confidence, alarm.rating)
    })
}

fn refuse_program(bench: &Bench, class: MalwareClass, report: &mut Report<'_>) -> Result<(), CliError> {
    let path = bench.folder.join("high");
    let program = sleeper(Some((class, TestRating::High)));
    let what = "a test program of high confidence does not run";
    let closed = match dropped(&path, &program.bytes, 0o755) {
        Ok(closed) => closed,
        Err(why) => {
            report.step("refuse", what, Outcome::Failed(why));
            return Ok(());
        }
    };
    let began = Instant::now();
    let outcome = match spawn(&path) {
        Err(e) if e.raw_os_error() == Some(rustix::io::Errno::PERM.raw_os_error()) => {
            Outcome::Ok(began.elapsed(), "EPERM".into())
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            Outcome::Ok(began.elapsed(), "it was isolated before it could start".into())
        }
        Err(e) => Outcome::Failed(format!("it did not start, but for another reason: {e}")),
        Ok(mut child) => {
            // Only this one, which is our own child; it may be gone already.
            let _ = child.kill();
            let _ = child.wait();
            Outcome::Failed(format!(
                "it ran ({}). Are test programs switched off? lazaret switch test-programs on",
                program.made_of
            ))
        }
    };
    report.step("refuse", what, outcome);
    isolate(bench, &path, closed, "it is moved into the vault by itself", report).map(drop)
}

fn refuse_script(bench: &Bench, class: MalwareClass, report: &mut Report<'_>) -> Result<(), CliError> {
    let path = bench.folder.join("high.sh");
    let witness = bench.folder.join("script-ran");
    let what = "`sh script` does not run a test script of high confidence";
    let closed = match dropped(&path, &script(&witness, Some((class, TestRating::High))), 0o644) {
        Ok(closed) => closed,
        Err(why) => {
            report.step("refuse", what, Outcome::Failed(why));
            return Ok(());
        }
    };
    let began = Instant::now();
    let result = Command::new("/bin/sh").arg(&path).stdin(Stdio::null()).stderr(Stdio::null()).status();
    let took = began.elapsed();
    let outcome = match result {
        _ if witness.exists() => Outcome::Failed("it ran".into()),
        Ok(status) if status.success() => Outcome::Failed("the shell reports success".into()),
        Ok(_) => Outcome::Ok(took, String::new()),
        Err(e) => Outcome::Failed(format!("the shell did not start: {e}")),
    };
    report.step("refuse", what, outcome);
    isolate(bench, &path, closed, "the script is moved into the vault by itself", report).map(drop)
}

fn isolate(
    bench: &Bench,
    path: &Path,
    since: Instant,
    what: &str,
    report: &mut Report<'_>,
) -> Result<Option<v1::Isolated>, CliError> {
    let file = bench.isolated(path)?;
    let outcome = match &file {
        Some(file) => Outcome::Ok(since.elapsed(), file.status.clone()),
        None => Outcome::Failed(seen_nothing(bench)),
    };
    report.step("isolate", what, outcome);
    Ok(file)
}

/// A program of medium confidence is only reported, so it runs; a person then has it isolated and
/// killed, and brings it back.
fn by_hand(bench: &Bench, report: &mut Report<'_>) -> Result<(), CliError> {
    let path = bench.folder.join("medium");
    let class = bench.class.unwrap_or(MalwareClass::Trojan);
    let program = sleeper(Some((class, TestRating::Medium)));
    let what = "a test program of medium confidence is reported and may run";
    let closed = match dropped(&path, &program.bytes, MODE) {
        Ok(closed) => closed,
        Err(why) => {
            report.step("detect", what, Outcome::Failed(why));
            return Ok(());
        }
    };
    let mut child = match spawn(&path) {
        Ok(child) => Running(child),
        Err(e) => {
            report.step("detect", what, Outcome::Failed(format!("it did not run: {e}")));
            return Ok(());
        }
    };
    let Some(alarm) = bench.alarm(&path)? else {
        report.step("detect", what, Outcome::Failed(seen_nothing(bench)));
        return Ok(());
    };
    let took = closed.elapsed();
    let outcome = match child.0.try_wait() {
        Ok(None) => Outcome::Ok(took, found(&alarm)),
        Ok(Some(status)) => Outcome::Failed(format!("it was reported, but ended with {status}")),
        Err(e) => Outcome::Failed(format!("it cannot be waited for: {e}")),
    };
    report.step("detect", what, outcome);
    let before = match facts(&path) {
        Ok(metadata) => metadata,
        Err(why) => {
            report.step("kill", "the running program", Outcome::Failed(why));
            return Ok(());
        }
    };
    if let Some(file) = kill(bench, &path, &alarm, &mut child.0, report)? {
        restore(bench, &path, &file, (&program.bytes, &before), report)?;
    }
    Ok(())
}

/// Our child, ended when the step is over, however it is over.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only for a child that is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn kill(
    bench: &Bench,
    path: &Path,
    alarm: &v1::Alarm,
    child: &mut Child,
    report: &mut Report<'_>,
) -> Result<Option<v1::Isolated>, CliError> {
    let what = "its running process is killed when a person orders it";
    let verb = Verb::Handle(v1::Handle {
        id: alarm.id.clone(),
        handling: Handling::IsolateAndKill.word().into(),
        remark: REMARK.into(),
    });
    let asked = Instant::now();
    match bench.client.collect(verb, Patience::Long) {
        Ok(_) => {}
        Err(CliError::Failed(why)) => {
            report.step("kill", what, Outcome::Failed(why));
            return Ok(None);
        }
        Err(e) => return Err(e),
    }
    let status = bench.ended(child)?;
    let outcome = match status.map(|s| (s, s.signal())) {
        Some((_, Some(9))) => Outcome::Ok(asked.elapsed(), "SIGKILL".into()),
        Some((status, _)) => Outcome::Failed(format!("it ended by itself with {status}")),
        None => Outcome::Failed(format!("it still runs after {} s", bench.limit.as_secs())),
    };
    report.step("kill", what, outcome);
    isolate(bench, path, asked, "its file is moved into the vault", report)
}

fn restore(
    bench: &Bench,
    path: &Path,
    file: &v1::Isolated,
    before: (&[u8], &Metadata),
    report: &mut Report<'_>,
) -> Result<(), CliError> {
    let what = "the file comes back: same bytes, owner, mode and time";
    let verb = Verb::IsolatedRestore(v1::IsolatedRestore { id: file.id.clone(), ..Default::default() });
    let asked = Instant::now();
    let answers = match bench.client.collect(verb, Patience::Long) {
        Ok(answers) => answers,
        Err(CliError::Failed(why)) => {
            report.step("restore", what, Outcome::Failed(why));
            return Ok(());
        }
        Err(e) => return Err(e),
    };
    let took = asked.elapsed();
    let receipt = answers.iter().find_map(|a| if let Answer::Receipt(r) = a { Some(r) } else { None });
    let outcome = match (compare(path, before), receipt) {
        (Err(difference), _) => Outcome::Failed(difference),
        (Ok(()), Some(r)) if r.outcome != "done" => Outcome::Failed(format!("{}: {}", r.outcome, r.reason)),
        (Ok(()), _) => Outcome::Ok(took, String::new()),
    };
    report.step("restore", what, outcome);
    Ok(())
}

fn facts(path: &Path) -> Result<Metadata, String> {
    path.symlink_metadata().map_err(|e| format!("the test file cannot be looked at: {e}"))
}

fn compare(path: &Path, before: (&[u8], &Metadata)) -> Result<(), String> {
    let (bytes, was) = before;
    let is = facts(path)?;
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
        return Err("the modification time is another".into());
    }
    let now = std::fs::read(path).map_err(|e| format!("the restored file cannot be read: {e}"))?;
    if now == bytes { Ok(()) } else { Err("the bytes are not the same".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_not_taken_for_the_restored_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        dropped(&path, b"abc", MODE).unwrap();
        let before = facts(&path).unwrap();
        assert_eq!(before.mtime_nsec(), 123_456_789);
        compare(&path, (b"abc", &before)).unwrap();
        assert!(compare(&path, (b"abd", &before)).unwrap_err().contains("bytes"));
        std::fs::write(&path, b"abcd").unwrap();
        assert!(compare(&path, (b"abc", &before)).unwrap_err().contains("size"));
        std::fs::remove_file(&path).unwrap();
        dropped(&path, b"abc", 0o755).unwrap();
        assert!(compare(&path, (b"abc", &before)).unwrap_err().contains("mode"));
    }
}
