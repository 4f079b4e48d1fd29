// SPDX-License-Identifier: Apache-2.0
//! Windows that a crash cut off: what is frozen stays frozen until the daemon is back, which goes on
//! waiting for what is left of the time. Everything is found again by identity.

use crate::journal::{Body, Entry, Intent, Journal, JournalError, Progress, WindowIntent, now_ms};
use crate::names;
use crate::open::{self, Inode};
use crate::plan::{MayKill, Report, Target};
use crate::receipt;
use crate::replay::{group_of, same_process};
use crate::responder::Responder;
use crate::window::{Subject, Window};
use lazaret_model::{Action, AlarmId, FileRef, FileTime, JournalId, Outcome};
use lazaret_sys::process::{ProcessHandle, Signal};
use lazaret_sys::procfs::{self, Sought};
use rustix::fs::fstat;
use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// A window that the last run of the daemon left open.
pub struct Interrupted {
    journal: JournalId,
    intent: WindowIntent,
    progress: Vec<Progress>,
}

impl Interrupted {
    pub(crate) fn new(journal: JournalId, intent: WindowIntent, progress: Vec<Progress>) -> Self {
        Self { journal, intent, progress }
    }

    /// The alarm it belongs to.
    #[must_use]
    pub fn alarm(&self) -> Option<AlarmId> {
        self.intent.manifest.alarm
    }

    /// Which inode it is about.
    #[must_use]
    pub fn file(&self) -> FileRef {
        self.intent.manifest.file_ref()
    }

    /// Where the file was, raw bytes.
    #[must_use]
    pub fn path(&self) -> &[u8] {
        &self.intent.manifest.path.0
    }

    /// What is left of the time; nothing when it is over, never more than it was.
    #[must_use]
    pub fn left(&self) -> Duration {
        let ms = self.intent.until_ms.saturating_sub(now_ms()).clamp(0, self.intent.wait_ms.max(0));
        Duration::from_millis(ms.unsigned_abs())
    }

    fn processes(&self) -> Vec<ProcessHandle> {
        let held = self.progress.iter().filter_map(|p| match p {
            Progress::Freezing { processes, .. } => Some(processes),
            _ => None,
        });
        held.flatten().filter_map(|h| same_process(h).map(|(handle, _)| handle)).collect()
    }

    fn stood(&self) -> Vec<(i32, u64)> {
        let stood = self.progress.iter().filter_map(|p| match p {
            Progress::StoodStill { processes } => Some(processes),
            _ => None,
        });
        stood.flatten().map(|h| (h.pid, h.start_time)).collect()
    }

    /// The judged file: by its path, else as what a frozen process executes.
    fn open(&self, processes: &[ProcessHandle]) -> Option<OwnedFd> {
        let m = &self.intent.manifest;
        let judged = |file: OwnedFd| {
            let same = fstat(&file).is_ok_and(|s| s.st_ino == m.ino);
            (same && receipt::digest(file.as_fd()).is_ok_and(|(sha256, _)| sha256 == m.sha256))
                .then_some(file)
        };
        let named = names::place(&m.path.0).and_then(|p| open::file(&p.dir, &p.name).ok());
        named
            .and_then(judged)
            .or_else(|| processes.iter().filter_map(|h| procfs::exe_file(h.pid()).ok()).find_map(judged))
    }
}

impl Responder {
    /// Windows that the last run left open; each once. Their files are denied already, by the
    /// identity they had. Hand each to [`Responder::execute`] as [`crate::Order::Resume`].
    pub fn interrupted(&self) -> Vec<Interrupted> {
        std::mem::take(&mut *self.interrupted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn resume(
        &self,
        who: &str,
        cut: Interrupted,
        may_kill: MayKill,
        window: Window,
        start: Instant,
    ) -> Report {
        let mut report = Report::new(cut.journal);
        let processes = cut.processes();
        let m = cut.intent.manifest.clone();
        let file = cut.open(&processes);
        let identity = file.as_ref().and_then(|f| fstat(f).ok()).map_or_else(
            || m.file_ref(),
            |s| FileRef {
                dev: s.st_dev,
                ino: s.st_ino,
                ctime: FileTime { sec: s.st_ctime, nsec: u32::try_from(s.st_ctime_nsec).unwrap_or(0) },
                size: s.st_size.cast_unsigned(),
            },
        );
        let label = m.path.0.clone();
        let guard = std::sync::Arc::clone(&may_kill);
        let sought =
            file.as_ref().map_or_else(|| Sought::from(&identity), |f| Sought::open(f.as_fd(), &identity));
        let subject = Subject { file: identity, sought, label: &label, may_kill: &guard };
        let window = Window { wait: window.wait.min(cut.left()), ..window };
        let stood = cut.stood();
        self.hold_open(&mut report, &subject, processes, stood, None, window, |this, handles| match file {
            Some(file) => {
                let target = Target {
                    file,
                    identity,
                    sha256: m.sha256,
                    path: m.path.0.clone(),
                    class: m.class,
                    family: m.family.clone(),
                    confidence: m.confidence,
                    content_version: m.content_version.clone(),
                    test: m.test,
                    processes: Box::new(move || handles),
                    may_kill,
                    isolate: true,
                    kill: true,
                };
                this.isolate_and_kill(m.alarm, who, target, start)
            }
            None => {
                // Isolated before the crash, or deleted: what still runs it ends.
                let mut rest = Report::new(cut.journal);
                this.end_known(&mut rest, identity, handles, &may_kill, &m.path.0);
                rest.record(Action::Isolate, Outcome::AlreadyGone, m.path.lossy());
                this.config.deny.release(&identity);
                rest
            }
        })
    }

    /// Keeps an open window for [`Self::interrupted`], its file denied meanwhile.
    pub(crate) fn keep_interrupted(&self, cut: Interrupted) {
        let m = &cut.intent.manifest;
        let file = names::place(&m.path.0).filter(|p| p.is(Inode { dev: m.dev, ino: m.ino }));
        if file.is_some() {
            self.config.deny.deny(&m.file_ref());
        }
        self.interrupted.lock().unwrap_or_else(PoisonError::into_inner).push(cut);
    }
}

/// For a daemon that cannot start again: lets go what an earlier run left frozen, without deciding
/// anything. The intents stay open; the next start that works ends them. Gives the number of
/// processes that were let go.
///
/// # Errors
/// When the journal cannot be read, or a running daemon holds it.
pub fn let_go_frozen(journal_dir: &Path, journal_bytes: u64) -> Result<usize, JournalError> {
    let (_journal, entries) = Journal::open(journal_dir, journal_bytes)?;
    let mut open: HashMap<JournalId, Vec<Progress>> = HashMap::new();
    for Entry { id, body, .. } in entries {
        match body {
            Body::Intent(Intent::Window(_) | Intent::Isolate(_)) => {
                open.insert(id, Vec::new());
            }
            Body::Progress(p) => {
                if let Some(all) = open.get_mut(&id) {
                    all.push(p);
                }
            }
            Body::Outcome(_) => drop(open.remove(&id)),
            _ => {}
        }
    }
    let all: Vec<Progress> = open.into_values().flatten().collect();
    let stood: Vec<_> = all
        .iter()
        .filter_map(|p| if let Progress::StoodStill { processes } = p { Some(processes) } else { None })
        .flatten()
        .collect();
    let mut count = 0;
    for p in &all {
        let Progress::Freezing { processes, groups } = p else { continue };
        let ours = || processes.iter().filter(|h| !stood.contains(h));
        let wake = || ours().filter_map(same_process).filter(|(h, _)| h.signal(Signal::CONT).is_ok()).count();
        count += wake();
        for group in groups {
            let _ = group_of(group).freeze(false);
        }
        let _ = wake();
    }
    Ok(count)
}
