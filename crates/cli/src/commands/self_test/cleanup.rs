// SPDX-License-Identifier: Apache-2.0
//! Puts everything back: the switch first, then files, vault, exception, alarms. Each is tried
//! whatever became of the others, and what stays behind is named with the command that removes it.

use super::report::{Outcome, Report};
use super::switch;
use super::watch::Bench;
use crate::client::Patience;
use crate::commands::isolated;
use crate::error::CliError;
use crate::{escape, render};
use lazaret_model::Handling;
use lazaret_proto::v1;
use lazaret_proto::v1::request::Verb;
use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::time::{Duration, Instant};

/// The remark on every alarm that the self-test closes.
pub(super) const REMARK: &str = "self-test";

/// Alarms of the last test files may still be on their way.
const STRAGGLERS: Duration = Duration::from_millis(300);

/// Cleans up and reports it as one step.
pub(super) fn run(bench: &Bench, turn_off: bool, report: &mut Report<'_>) {
    let began = Instant::now();
    let mut left = Vec::new();
    if turn_off && let Err(e) = switch(&bench.client, false) {
        left.push(format!("isolate and kill is still on ({e}): lazaret switch isolate-and-kill off"));
    }
    vault(bench, &mut left);
    if let Err(e) = std::fs::remove_dir_all(&bench.folder)
        && e.kind() != std::io::ErrorKind::NotFound
    {
        left.push(format!("the folder is still there ({e}): rm -r {}", escape::path(&bench.folder)));
    }
    if let Err(e) = alarms(bench) {
        left.push(format!(
            "not every alarm is marked as handled ({e}): lazaret alarms list --tests --unhandled"
        ));
    }
    let outcome = if left.is_empty() {
        Outcome::Ok(began.elapsed(), String::new())
    } else {
        Outcome::Failed(left.join("; "))
    };
    report.step("clean up", "files, isolated files, exceptions and alarms of the test", outcome);
}

/// Deletes what was isolated, and takes back what restoring granted.
fn vault(bench: &Bench, left: &mut Vec<String>) {
    let files = match isolated::list(&bench.client, "") {
        Ok(files) => files,
        Err(e) => {
            left.push(format!("the vault may still hold test files ({e}): lazaret isolated list"));
            return;
        }
    };
    let mut granted = BTreeSet::new();
    for file in files.iter().filter(|f| is_ours(bench, &f.path)) {
        if file.status == "restored" {
            granted.insert(file.sha256.clone());
        } else if file.status != "deleted" {
            let verb = Verb::IsolatedDelete(v1::IsolatedDelete { id: file.id.clone() });
            if let Err(e) = bench.client.collect(verb, Patience::Long) {
                let id = render::short_id(&file.id);
                left.push(format!("the vault still holds a test file ({e}): lazaret isolated delete {id}"));
            }
        }
    }
    for sha256 in granted {
        let shown = lazaret_model::Sha256::from_slice(&sha256).map(|h| h.to_string()).unwrap_or_default();
        let verb = Verb::ExceptionRemove(v1::ExceptionRemove { sha256 });
        if let Err(e) = bench.client.collect(verb, Patience::Short) {
            left.push(format!("a test program is still excepted ({e}): lazaret exception remove {shown}"));
        }
    }
}

/// Closes the alarms of the test, those included that arrive late.
fn alarms(bench: &Bench) -> Result<(), CliError> {
    let began = Instant::now();
    loop {
        for alarm in bench.alarms(1000)? {
            let ours = alarm.file.as_ref().is_some_and(|f| is_ours(bench, &f.path));
            if ours && alarm.handled_by.is_empty() {
                let handling = Handling::MarkAsHandled.word().into();
                let verb = Verb::Handle(v1::Handle { id: alarm.id, handling, remark: REMARK.into() });
                bench.client.collect(verb, Patience::Short)?;
            }
        }
        if began.elapsed() > STRAGGLERS {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn is_ours(bench: &Bench, path: &[u8]) -> bool {
    path.strip_prefix(bench.folder.as_os_str().as_bytes()).is_some_and(|rest| rest.starts_with(b"/"))
}
