// SPDX-License-Identifier: Apache-2.0
//! What to do, and what came of it.

use crate::interrupted::Interrupted;
use crate::persistence::DisableTarget;
use crate::window::{Window, WindowEnd};
use lazaret_model::{
    Action, ActionRecord, AlarmId, Confidence, FileRef, Guard, IsolatedId, IsolatedStatus, JournalId,
    KilledProcess, MalwareClass, Outcome, ProcessFacts, Sha256,
};
use lazaret_sys::process::ProcessHandle;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Whether policy lets a process be killed.
pub type MayKill = Arc<dyn Fn(&ProcessFacts) -> Result<(), Guard> + Send + Sync>;

/// Tells the processes that are known to run a file.
pub type KnownProcesses = Box<dyn FnOnce() -> Vec<ProcessHandle> + Send>;

/// How [`Plan::who`] begins for a person who acts while the daemon does not run; his uid follows.
/// The daemon takes up at its next start what was done meanwhile.
pub const OFFLINE: &str = "offline, uid ";

/// One thing to do.
pub struct Plan {
    /// The alarm it belongs to.
    pub alarm: Option<AlarmId>,
    /// Who asked: `policy`, `uid N`.
    pub who: String,
    /// What.
    pub order: Order,
}

/// What to do.
#[allow(clippy::large_enum_variant, reason = "one at a time, moved once")]
pub enum Order {
    /// Take the file away and end what runs it.
    IsolateAndKill(Target),
    /// The same, with everything frozen for a while first, so that somebody can object.
    Window(Target, Window),
    /// Go on with a window that a crash cut off; `wait` is shortened to what was left of it.
    Resume(Interrupted, MayKill, Window),
    /// Journal and report what `IsolateAndKill` would do, and do nothing.
    Rehearse(Target),
    /// Put an isolated file back.
    Restore {
        /// Which.
        id: IsolatedId,
        /// Another absolute path than the original one.
        to: Option<PathBuf>,
        /// Make folders of the path that are missing.
        parents: bool,
    },
    /// Destroy an isolated file.
    Delete {
        /// Which.
        id: IsolatedId,
    },
    /// Take what would bring the program back out of force.
    Disable(DisableTarget),
    /// Put back what was disabled by this intent.
    Enable {
        /// The journal's intent of the disabling.
        id: JournalId,
    },
    /// Start the services again that were ended with a file.
    Restart {
        /// Which file.
        id: IsolatedId,
    },
}

/// The very inode that was judged.
pub struct Target {
    /// Open for reading; the offset may be moved.
    pub file: OwnedFd,
    /// Its identity when it was judged.
    pub identity: FileRef,
    /// Of the content that was judged.
    pub sha256: Sha256,
    /// Absolute path at that time, raw bytes: a label that is checked, never trusted.
    pub path: Vec<u8>,
    /// From the verdict.
    pub class: MalwareClass,
    /// From the verdict.
    pub family: String,
    /// From the verdict.
    pub confidence: Confidence,
    /// Version of the content that judged.
    pub content_version: String,
    /// A harmless test program.
    pub test: bool,
    /// Known to run it: an interpreter that opened the script. Asked once, after the name is gone,
    /// because finding them takes longer than taking the name. Who executes the file or maps it
    /// executable is found without being named here.
    pub processes: KnownProcesses,
    /// Asked for every process before it is stopped. pid 1, kernel threads, this process and its
    /// ancestors are refused without asking.
    pub may_kill: MayKill,
    /// Whether to take the file away.
    pub isolate: bool,
    /// Whether to end what runs it.
    pub kill: bool,
}

/// How long it took from the call of `execute`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timings {
    /// Until the intent was durable; after the name is gone, where a record beside it made that safe.
    pub journaled: Option<Duration>,
    /// Until the name was gone.
    pub name_gone: Option<Duration>,
    /// Until the last process that was killed was gone, or given up on.
    pub last_gone: Option<Duration>,
    /// Until it was clear that nothing is left and nothing comes back.
    pub killed: Option<Duration>,
    /// Until the content was durable and verified in the vault.
    pub sealed: Option<Duration>,
    /// All of it.
    pub total: Duration,
}

/// One property of a restored file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptLine {
    /// Which, as `mode` or `xattr user.comment`.
    pub attribute: String,
    /// When it was isolated.
    pub before: String,
    /// Read back from the restored file.
    pub after: String,
    /// Whether the two agree.
    pub same: bool,
    /// Why they need not agree, where that is so.
    pub note: String,
}

/// What a restore gave back, read from the restored file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// One per property.
    pub lines: Vec<ReceiptLine>,
}

impl Receipt {
    /// Everything that can come back came back.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.lines.iter().all(|l| l.same || !l.note.is_empty())
    }

    /// The properties that should have come back and did not.
    pub fn differences(&self) -> impl Iterator<Item = &ReceiptLine> {
        self.lines.iter().filter(|l| !l.same && l.note.is_empty())
    }
}

/// What really happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The journal's intent.
    pub journal: JournalId,
    /// The vault's object, where there is one.
    pub isolated: Option<IsolatedId>,
    /// Where that stands now.
    pub status: Option<IsolatedStatus>,
    /// What was done, in order.
    pub records: Vec<ActionRecord>,
    /// Processes that were ended, or tried.
    pub killed: Vec<KilledProcess>,
    /// Processes that have to do with the file and were left alive; the outcome says why: readers,
    /// innocent programs that load it, supervisors that start it.
    pub left_alone: Vec<KilledProcess>,
    /// After a restore.
    pub receipt: Option<Receipt>,
    /// How the window ended, where there was to be one.
    pub window: Option<WindowEnd>,
    /// How long it took.
    pub timings: Timings,
}

impl Report {
    pub(crate) fn new(journal: JournalId) -> Self {
        Self {
            journal,
            isolated: None,
            status: None,
            records: Vec::new(),
            killed: Vec::new(),
            left_alone: Vec::new(),
            receipt: None,
            window: None,
            timings: Timings::default(),
        }
    }

    pub(crate) fn record(&mut self, action: Action, outcome: Outcome, target: impl Into<String>) {
        let at_ms = crate::journal::now_ms();
        self.records.push(ActionRecord { at_ms, action, outcome, target: target.into() });
    }

    /// The outcome of an action: the last record of its kind.
    #[must_use]
    pub fn outcome(&self, action: Action) -> Option<&Outcome> {
        self.records.iter().rev().find(|r| r.action == action).map(|r| &r.outcome)
    }
}
