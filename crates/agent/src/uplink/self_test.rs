// SPDX-License-Identifier: Apache-2.0
//! The self-test that a server orders: the steps of `lazaret self-test`, by the daemon itself. What is
//! written or run is written and run by processes of their own, because what the daemon itself does is not
//! looked at. Switches stay as they are: where nothing acts by itself, those steps are skipped.

mod cloud;
mod programs;
mod steps;

use super::commands::Cancel;
use super::orders::Ended;
use crate::control::Peer;
use crate::core::Core;
use lazaret_model::MalwareClass;
use lazaret_proto::v1;
use lazaret_proto::v1::command_result::Detail;
use std::fs::{self, DirBuilder};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// For what should take milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);
const REMARK: &str = "self-test";

/// Somebody cancelled it, or the daemon stops.
struct Cancelled;

/// What a step came to.
enum Outcome {
    /// With what was seen.
    Ok(String),
    Failed(String),
    /// Not tried; says why.
    Skipped(String),
}

struct Test<'a> {
    core: &'a Arc<Core>,
    peer: &'a Peer,
    cancel: &'a Cancel,
    folder: PathBuf,
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
    let mut test = Test { core, peer, cancel, folder, steps: Vec::new() };
    // Whatever happens in between, what was changed is put back.
    let done = test.all();
    test.clean_up();
    let failed = test.steps.iter().filter(|s| !s.ok).count();
    let skipped = test.steps.iter().filter(|s| s.skipped).count();
    let ended = match done {
        Err(Cancelled) => Ended::cancelled("cancelled while it was under way"),
        Ok(()) if failed > 0 => Ended::new("partial", format!("{failed} steps failed")),
        Ok(()) if skipped > 0 => Ended::new("done", format!("{skipped} steps were skipped")),
        Ok(()) => Ended::new("done", ""),
    };
    Ended { detail: Some(Detail::SelfTest(v1::SelfTestResult { steps: test.steps })), ..ended }
}

/// A folder on a mount where everything is in force and programs may run; memory rather than disk.
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
        !core.is_excluded(inside.as_os_str().as_bytes()) && lets_run(p)
    })
}

fn lets_run(folder: &Path) -> bool {
    use rustix::fs::StatVfsMountFlags as Flags;
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok()
        && rustix::fs::statvfs(folder).is_ok_and(|s| !s.f_flag.intersects(Flags::NOEXEC | Flags::RDONLY))
}

impl Test<'_> {
    fn step(&mut self, name: &str, since: Instant, outcome: Outcome) -> bool {
        let (ok, skipped, detail) = match outcome {
            Outcome::Ok(detail) => (true, false, detail),
            Outcome::Failed(why) => (false, false, why),
            Outcome::Skipped(why) => (true, true, why),
        };
        self.steps.push(v1::SelfTestStep {
            name: name.to_owned(),
            ok,
            micros: u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX),
            detail,
            skipped,
        });
        ok
    }

    /// A class that acts by itself here; says why where none does.
    fn class(&self) -> Result<MalwareClass, String> {
        let live = self.core.live();
        let p = &live.policy;
        if live.dry_run {
            return Err("dry run: nothing is refused or isolated".to_owned());
        }
        if !p.test_programs {
            return Err("test programs are switched off on this host".to_owned());
        }
        if !p.isolate_and_kill {
            return Err("isolate and kill is off, and a self-test over the server turns no switch".to_owned());
        }
        if p.automatic.contains(MalwareClass::Trojan) {
            return Ok(MalwareClass::Trojan);
        }
        p.automatic.iter().next().ok_or_else(|| "no malware class acts by itself".to_owned())
    }

    /// Asks until there is an answer; `None` when its time is over.
    fn until<T>(&self, probe: impl FnMut() -> Option<T>) -> Result<Option<T>, Cancelled> {
        self.until_within(PATIENCE, probe)
    }

    fn until_within<T>(
        &self,
        limit: Duration,
        mut probe: impl FnMut() -> Option<T>,
    ) -> Result<Option<T>, Cancelled> {
        let began = Instant::now();
        loop {
            if self.cancel.load(Ordering::Relaxed) || self.core.is_stopping() {
                return Err(Cancelled);
            }
            if let Some(found) = probe() {
                return Ok(Some(found));
            }
            if began.elapsed() > limit {
                return Ok(None);
            }
            // Fine at first, coarser for what takes long.
            let pause = if began.elapsed() < Duration::from_secs(1) { 2 } else { 50 };
            std::thread::sleep(Duration::from_millis(pause));
        }
    }
}

fn seen_nothing() -> String {
    format!("nothing of the kind was seen within {} s", PATIENCE.as_secs())
}
