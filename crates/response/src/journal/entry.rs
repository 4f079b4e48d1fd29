// SPDX-License-Identifier: Apache-2.0
//! What an entry says.

use crate::persistence::{DisabledRecord, Edit};
use lazaret_model::{
    Action, ActionRecord, AlarmId, IsolatedId, IsolatedStatus, JournalId, Outcome, ProcessRef,
};
use lazaret_vault::{KilledRecord, Manifest, RawBytes, RawPath, encoding};
use serde::{Deserialize, Serialize};

/// One entry. Order is by (`epoch`, `seq`), never by the clock.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Begins at 1; a fork of the journal opens a new one.
    pub epoch: u64,
    /// Begins at 1 and goes on across epochs.
    pub seq: u64,
    /// Milliseconds UTC.
    pub at_ms: i64,
    /// The intent that this entry is, or belongs to.
    pub id: JournalId,
    /// What it says.
    pub body: Body,
}

/// The stored form of an entry; epoch and seq stand in the frame.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    pub(super) at_ms: i64,
    #[serde(with = "encoding::text")]
    pub(super) id: JournalId,
    pub(super) body: Body,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "one at a time, moved once")]
pub enum Body {
    /// About to do something; everything that replay needs.
    Intent(Intent),
    /// Something on the way that replay needs.
    Progress(Progress),
    /// What came of it; closes the intent.
    Outcome(Closing),
    /// Something the uplink should see that changes nothing on the host.
    Note(Note),
}

/// About to do something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "one at a time, moved once")]
pub enum Intent {
    /// Isolate, kill, or both.
    Isolate(IsolateIntent),
    /// Freeze, wait for an objection, then isolate and kill; the isolation has an intent of its own.
    Window(WindowIntent),
    /// Put back.
    Restore(RestoreIntent),
    /// Destroy.
    Delete {
        /// Which.
        #[serde(with = "encoding::text")]
        id: IsolatedId,
        /// Who asked.
        who: String,
    },
    /// Take out of force what brings a program back.
    Disable(DisabledRecord),
    /// Put it back.
    Enable(EnableIntent),
    /// Start services again that were ended with a file.
    Restart {
        /// Which file.
        #[serde(with = "encoding::text")]
        id: IsolatedId,
        /// Their units.
        units: Vec<String>,
        /// Who asked.
        who: String,
    },
}

/// About to put back what was disabled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnableIntent {
    /// What was disabled.
    pub record: DisabledRecord,
    /// What is to be done, in order.
    pub edits: Vec<Edit>,
    /// Who asked.
    pub who: String,
}

/// About to isolate, kill, or both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IsolateIntent {
    /// The manifest as it will be.
    pub manifest: Manifest,
    /// The file has more extended attributes than the manifest here says: they are read from it.
    #[serde(default)]
    pub xattrs_left_out: bool,
    /// Whether the file is to be taken away.
    pub isolate: bool,
    /// Whether processes are to be ended.
    pub kill: bool,
    /// Folder of the name that is to go, where one was found.
    pub parent: Option<RawPath>,
    /// The name in it.
    pub name: RawPath,
    /// The staging folder of that mount, where there is one.
    pub staging: Option<RawPath>,
    /// The name in the staging folder, or in `parent` where the mount has none.
    pub staged_name: RawPath,
    /// Inode flags of `parent` that may be lifted for the move.
    pub parent_flags: Option<u32>,
}

/// About to freeze and wait.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowIntent {
    /// As an isolation would write it; its `id` is not used.
    pub manifest: Manifest,
    /// When the waiting ends, milliseconds UTC.
    pub until_ms: i64,
    /// How long it is, milliseconds: a clock that was set back must not make it longer.
    pub wait_ms: i64,
}

/// About to put back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RestoreIntent {
    /// Which.
    #[serde(with = "encoding::text")]
    pub id: IsolatedId,
    /// Where to.
    pub to: RawPath,
    /// Folders that are missing and are about to be made, outermost first.
    #[serde(default)]
    pub folders: Vec<RawPath>,
    /// Who asked.
    pub who: String,
    /// The alarm it belongs to.
    #[serde(with = "encoding::optional_text", default)]
    pub alarm: Option<AlarmId>,
}

/// Something on the way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// These processes are about to be stopped, these control groups frozen. Not synced: processes
    /// do not outlive a power cut.
    Freezing {
        /// Who.
        processes: Vec<HeldProcess>,
        /// Control group folders.
        groups: Vec<RawPath>,
    },
    /// These stood still before a window opened: whoever lets the others go leaves them so.
    StoodStill {
        /// Who.
        processes: Vec<HeldProcess>,
    },
    /// A further name of the inode is about to be moved.
    Link {
        /// The name.
        path: RawPath,
        /// Staging folder.
        staging: RawPath,
        /// Name there.
        staged_name: RawPath,
    },
}

/// A process by identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldProcess {
    /// Process id.
    pub pid: i32,
    /// Clock ticks since boot.
    pub start_time: u64,
    /// Boot id, 16 bytes.
    pub boot_id: RawBytes,
}

impl From<ProcessRef> for HeldProcess {
    fn from(p: ProcessRef) -> Self {
        Self { pid: p.pid, start_time: p.start_time, boot_id: RawBytes(p.boot_id.to_vec()) }
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Closing {
    /// The object, where there is one.
    #[serde(with = "encoding::optional_text", default)]
    pub isolated: Option<IsolatedId>,
    /// Where it stands, as its word.
    #[serde(default)]
    pub status: Option<String>,
    /// Why, for failures and for what could not be moved.
    #[serde(default)]
    pub reason: String,
    /// What was done, in order.
    pub records: Vec<Done>,
    /// Processes that were ended, or tried.
    #[serde(default)]
    pub killed: Vec<KilledRecord>,
    /// Processes that have to do with it and were left alive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_alone: Vec<KilledRecord>,
    /// Where the inode still lies, when its content is not in the vault.
    #[serde(default)]
    pub staged: Option<RawPath>,
    /// Written by replay after a crash.
    #[serde(default)]
    pub replayed: bool,
}

impl Closing {
    /// The status, where there is one that this version knows.
    #[must_use]
    pub fn status(&self) -> Option<IsolatedStatus> {
        self.status.as_deref().and_then(IsolatedStatus::from_word)
    }
}

/// One line of the timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// Milliseconds UTC.
    pub at_ms: i64,
    /// The action's word.
    pub action: String,
    /// What came of it.
    #[serde(with = "encoding::outcome")]
    pub outcome: Outcome,
    /// On what, for people.
    pub target: String,
}

impl From<&ActionRecord> for Done {
    fn from(r: &ActionRecord) -> Self {
        Self {
            at_ms: r.at_ms,
            action: r.action.word().to_owned(),
            outcome: r.outcome.clone(),
            target: r.target.clone(),
        }
    }
}

impl From<&Done> for Option<ActionRecord> {
    fn from(d: &Done) -> Self {
        let action = Action::ALL.into_iter().find(|a| a.word() == d.action)?;
        Some(ActionRecord { at_ms: d.at_ms, action, outcome: d.outcome.clone(), target: d.target.clone() })
    }
}

/// Something the uplink should see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// What kind, as `whitelist_hit`.
    pub kind: String,
    /// Whatever belongs to that kind.
    pub data: serde_json::Value,
}
