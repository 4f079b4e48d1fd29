// SPDX-License-Identifier: Apache-2.0
//! A scan that the server orders: walks what it names on this host's protected filesystems, behind
//! everything else, and goes on after a restart of the daemon, or after a pause, from the last folder that
//! it finished.
//!
//! What it finds goes the way of every finding: policy, whitelist and guards decide. Without `automatic`
//! nothing is done by itself.

use super::commands::Cancel;
use super::orders::Ended;
use super::scan_types::{HEAD, WORDS, is_of};
use super::scan_units::{Unit, units};
use crate::core::Core;
use crate::log::{log, printable};
use crate::look::{Case, Look, Seen, look, now_ms};
use lazaret_model::{Decision, Origin, ScanError};
use lazaret_pool::Priority;
use lazaret_pool::walk::{Entry, EntryError, Visitor, WalkOptions, walk};
use lazaret_proto::v1;
use lazaret_proto::v1::command_result::Detail;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Between two words about how far it is.
const TELL: Duration = Duration::from_secs(1);
/// Between two notes of where it is, for a restart.
const KEEP: Duration = Duration::from_secs(5);
/// How long a finding waits for a responder.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a scan is kept in the database.
fn key(command: &str) -> String {
    format!("scan:{command}")
}

/// How far it is.
#[derive(Debug, Clone, Default, PartialEq)]
struct Far {
    /// The last unit that is finished, hexadecimal: units are in order.
    unit: String,
    files: u64,
    bytes: u64,
    found: u64,
    errors: u64,
    started_ms: i64,
}

impl Far {
    fn text(&self) -> String {
        let Self { unit, files, bytes, found, errors, started_ms } = self;
        format!("{unit} {files} {bytes} {found} {errors} {started_ms}")
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let unit = words.next()?.to_owned();
        let mut number = || words.next()?.parse::<u64>().ok();
        let (files, bytes, found, errors) = (number()?, number()?, number()?, number()?);
        Some(Self { unit, files, bytes, found, errors, started_ms: words.next()?.parse().ok()? })
    }
}

struct Scanning<'a> {
    core: &'a Core,
    order: &'a v1::ScanCommand,
    cancel: &'a Cancel,
    far: Far,
    permille: u32,
    told: Instant,
    /// Files of this unit were left out: it is walked again.
    left: bool,
}

/// `None`: the daemon stops or somebody paused it, and the scan goes on later.
pub(super) fn run(core: &Core, command: &str, order: &v1::ScanCommand, cancel: &Cancel) -> Option<Ended> {
    let kept = core.database.setting(&key(command)).ok().flatten();
    let mut far = kept.as_deref().and_then(Far::parse).unwrap_or_default();
    if far.started_ms == 0 {
        far.started_ms = now_ms();
    }
    let mut scanning = Scanning { core, order, cancel, far, permille: 0, told: Instant::now(), left: false };
    if scanning.is_paused() {
        // Since before the daemon was started.
        scanning.tell("paused", "");
        return None;
    }
    let ended = match check(order).and_then(|()| units(core, order)) {
        Ok(units) => scanning.all(command, &units)?,
        Err(why) => scanning.end("fail", Ended::refused(why)),
    };
    if let Err(e) = core.database.remove_setting(&key(command)) {
        log!("{e}");
    }
    Some(ended)
}

fn check(order: &v1::ScanCommand) -> Result<(), String> {
    if let Some(word) = order.file_types.iter().find(|w| !WORDS.contains(&w.as_str())) {
        return Err(format!(
            "there is no file type \"{}\"; known: {}",
            printable(word.as_bytes()),
            WORDS.join(", ")
        ));
    }
    match order.exclude.iter().find(|p| !p.starts_with(b"/") || p.contains(&0)) {
        Some(path) => Err(format!("\"{}\" cannot be left out: it is no absolute path", printable(path))),
        None => Ok(()),
    }
}

impl Scanning<'_> {
    fn all(&mut self, command: &str, units: &[Unit]) -> Option<Ended> {
        let mut kept = Instant::now();
        self.tell("scanning", "");
        for (i, unit) in units.iter().enumerate() {
            self.permille = u32::try_from(i * 1000 / units.len().max(1)).unwrap_or(0);
            let name = unit.name();
            if name <= self.far.unit || unit.is_below(&self.order.exclude) {
                continue;
            }
            let before = self.far.clone();
            self.unit(unit);
            if self.cancel.load(Ordering::Relaxed) {
                return Some(self.end("cancel", Ended::cancelled("cancelled while it was under way")));
            }
            if self.left || self.is_over() {
                // What this unit has counted is counted again.
                self.far = before;
                self.keep(command);
                if self.is_paused() {
                    self.tell("paused", "");
                }
                return None;
            }
            self.far.unit = name;
            if kept.elapsed() >= KEEP || i + 1 == units.len() {
                self.keep(command);
                kept = Instant::now();
            }
        }
        self.permille = 1000;
        let reason = match self.far.errors {
            0 => String::new(),
            n => format!("{n} files could not be scanned"),
        };
        Some(self.end("success", Ended::new("done", reason)))
    }

    fn keep(&self, command: &str) {
        if let Err(e) = self.core.database.set_setting(&key(command), &self.far.text()) {
            log!("{e}");
        }
    }

    fn unit(&mut self, unit: &Unit) {
        let exclude = self.order.exclude.iter().map(|p| PathBuf::from(OsStr::from_bytes(p))).collect();
        let options = WalkOptions { one_file_system: true, exclude };
        walk(&unit.roots(), &options, std::slice::from_mut(self));
    }

    fn progress(&self, state: &str, reason: &str) -> v1::ScanProgress {
        v1::ScanProgress {
            task: self.order.task.clone(),
            state: state.to_owned(),
            files: self.far.files,
            bytes: self.far.bytes,
            found: self.far.found,
            errors: self.far.errors,
            permille: self.permille,
            reason: reason.to_owned(),
            started_ms: self.far.started_ms,
            at_ms: now_ms(),
        }
    }

    fn tell(&mut self, state: &str, reason: &str) {
        self.core.uplink.tell_progress(self.progress(state, reason));
        self.told = Instant::now();
    }

    fn end(&mut self, state: &str, ended: Ended) -> Ended {
        self.tell(state, &ended.reason);
        Ended { detail: Some(Detail::Scan(self.progress(state, &ended.reason))), ..ended }
    }

    fn is_paused(&self) -> bool {
        self.core.uplink.commands.pauses.is_paused(&self.order.task)
    }

    fn is_over(&self) -> bool {
        self.cancel.load(Ordering::Relaxed) || self.core.is_stopping() || self.is_paused()
    }

    fn found(&mut self, mut case: Case) {
        if case.decided.decision != Decision::Allow {
            self.far.found += 1;
        }
        if !self.order.automatic && case.decided.decision >= Decision::Deny {
            case.decided.decision = Decision::Alarm;
            case.decided
                .reasons
                .push("found by a scan whose findings people handle: nothing was done by itself".into());
        }
        case.deny(self.core);
        if self.core.cases.send_timeout(case, PATIENCE).is_err() {
            self.far.errors += 1;
            log!(
                "a finding of a scan waited for {} s and was left: it is judged when it is opened",
                PATIENCE.as_secs()
            );
        }
    }
}

impl Visitor for Scanning<'_> {
    fn file(&mut self, entry: &Entry<'_>) {
        if self.is_over() {
            self.left = true;
            return;
        }
        if self.told.elapsed() >= TELL {
            self.tell("scanning", "");
        }
        let (file, stat) = match entry.open() {
            Ok((file, stat)) => (File::from(file), stat),
            Err(EntryError::Vanished | EntryError::Scan(ScanError::NotAFile(_))) => return,
            Err(EntryError::Scan(_)) => {
                self.far.errors += 1;
                return;
            }
        };
        if !self.order.file_types.is_empty() {
            let mut head = [0; HEAD];
            let n = file.read_at(&mut head, 0).unwrap_or(0);
            if !is_of(&self.order.file_types, entry.name(), head.get(..n).unwrap_or_default()) {
                return;
            }
        }
        self.far.files += 1;
        self.far.bytes += stat.st_size.cast_unsigned();
        match look(
            self.core,
            Look { file: file.into(), origin: Origin::Scan, pid: None },
            Priority::Background,
        ) {
            Seen::Passed(_) => {}
            Seen::Found(case) => self.found(*case),
            Seen::Error(e, path) => {
                self.far.errors += 1;
                log!("{} could not be scanned: {e}", printable(&path));
            }
        }
    }

    fn problem(&mut self, path: Vec<u8>, error: ScanError) {
        if !matches!(error, ScanError::NotAFile(_)) && !self.is_over() {
            self.far.errors += 1;
            log!("{} could not be scanned: {error}", printable(&path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_it_is_comes_back() {
        let far = Far { unit: "2f61".into(), files: 1, bytes: 2, found: 3, errors: 4, started_ms: 5 };
        assert_eq!(Far::parse(&far.text()), Some(far));
        assert_eq!(Far::parse(&Far::default().text()), Some(Far::default()));
        assert_eq!(Far::parse("rubbish"), None);
    }

    #[test]
    fn orders_are_checked() {
        let order = |types: &[&str], exclude: &[&[u8]]| v1::ScanCommand {
            file_types: types.iter().map(|t| (*t).to_owned()).collect(),
            exclude: exclude.iter().map(|e| e.to_vec()).collect(),
            ..v1::ScanCommand::default()
        };
        assert_eq!(check(&order(&["script", "image"], &[b"/x"])), Ok(()));
        assert!(check(&order(&["scripts"], &[])).unwrap_err().contains("script"));
        assert!(check(&order(&[], &[b"x"])).unwrap_err().contains("absolute"));
    }
}
