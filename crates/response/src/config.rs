// SPDX-License-Identifier: Apache-2.0
//! What a responder needs from the program that assembles it.

use crate::service_manager::ServiceManager;
use lazaret_model::{FileRef, ProcessFacts};
use lazaret_vault::Limits;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Refuses execution and opening of an inode, at once and until released. The program that answers
/// the kernel's permission events implements it; both verbs may be repeated.
pub trait DenyInode: Send + Sync {
    /// From now on nobody executes or opens it.
    fn deny(&self, file: &FileRef);
    /// Let it be again.
    fn release(&self, file: &FileRef);
}

/// Says which processes are innocent although they have to do with a bad file. Asked for few, and
/// before one of them is killed; may take milliseconds.
pub trait SpareProcess: Send + Sync {
    /// Why a program that has the file loaded as a library is let live, when it is, as a clause:
    /// `its program belongs to the package nginx 1.2`.
    fn as_library_host(&self, process: &ProcessFacts) -> Option<String>;
    /// Why a process that starts the file again and again is let live, when it is.
    fn as_supervisor(&self, process: &ProcessFacts) -> Option<String>;
}

/// Spares nobody beyond what is always spared: services and containers.
#[derive(Debug, Clone, Copy)]
pub struct SpareNobody;

impl SpareProcess for SpareNobody {
    fn as_library_host(&self, _: &ProcessFacts) -> Option<String> {
        None
    }
    fn as_supervisor(&self, _: &ProcessFacts) -> Option<String> {
        None
    }
}

/// A point that was just passed. For measuring, and for tests that stop a program right there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Step {
    IntentWritten,
    Denied,
    FlagsLifted,
    NameGone,
    IntentSynced,
    Frozen,
    Killed,
    Sealed,
    LinksGone,
    Unlinked,
    FoldersSynced,
    ManifestFinal,
    OutcomeWritten,
    RestoreIntentWritten,
    RestoreContentWritten,
    RestoreLinked,
    RestoreLinksMade,
    RestoreFlagsSet,
    RestoreSynced,
    RestoreCompared,
    RestoreOutcomeWritten,
    RestorePurged,
    DeleteIntentWritten,
    DeletePurged,
    DeleteOutcomeWritten,
    DisableIntentWritten,
    DisableRecorded,
    EditWritten,
    EditSwapped,
    EditApplied,
    DisableOutcomeWritten,
    EnableIntentWritten,
    EnableOutcomeWritten,
    EnableForgotten,
}

impl Step {
    /// Those of disabling and enabling, in the order in which they are passed; the three about an
    /// edit are passed by both, and more than once.
    pub const OF_PERSISTENCE: [Self; 9] = [
        Self::DisableIntentWritten,
        Self::DisableRecorded,
        Self::EditWritten,
        Self::EditSwapped,
        Self::EditApplied,
        Self::DisableOutcomeWritten,
        Self::EnableIntentWritten,
        Self::EnableOutcomeWritten,
        Self::EnableForgotten,
    ];

    /// Those of isolating, restoring and deleting, in the order in which they are passed (a name that
    /// needs a durable intent goes after it).
    pub const ALL: [Self; 25] = [
        Self::IntentWritten,
        Self::Denied,
        Self::FlagsLifted,
        Self::NameGone,
        Self::IntentSynced,
        Self::Frozen,
        Self::Killed,
        Self::Sealed,
        Self::LinksGone,
        Self::Unlinked,
        Self::FoldersSynced,
        Self::ManifestFinal,
        Self::OutcomeWritten,
        Self::RestoreIntentWritten,
        Self::RestoreContentWritten,
        Self::RestoreLinked,
        Self::RestoreLinksMade,
        Self::RestoreFlagsSet,
        Self::RestoreSynced,
        Self::RestoreCompared,
        Self::RestoreOutcomeWritten,
        Self::RestorePurged,
        Self::DeleteIntentWritten,
        Self::DeletePurged,
        Self::DeleteOutcomeWritten,
    ];
}

/// Where and with what a responder works.
#[derive(Clone)]
pub struct ResponderConfig {
    /// The journal's folder; created, mode 0700.
    pub journal_dir: PathBuf,
    /// The vault's folder; it must have been initialised.
    pub vault_dir: PathBuf,
    /// Where it is kept what is disabled; created when something is, mode 0700.
    pub disabled_dir: PathBuf,
    /// Bytes of one journal segment, preallocated; one more is always kept ready. At least 64 KiB.
    pub journal_bytes: u64,
    /// Opens objects with the keys in this file instead of the host key; offline only.
    pub vault_identity: Option<PathBuf>,
    /// When the vault refuses new objects.
    pub vault_limits: Limits,
    /// How inodes are denied.
    pub deny: Arc<dyn DenyInode>,
    /// Processes that are never touched, beside pid 1, kernel threads, this process and its
    /// ancestors, which are known here.
    pub exempt: Arc<dyn Fn(i32) -> bool + Send + Sync>,
    /// Innocent processes.
    pub spare: Arc<dyn SpareProcess>,
    /// Starts services again.
    pub service_manager: ServiceManager,
    /// How long to look whether something brings killed processes back; not at all where nobody
    /// can start the file any more.
    pub watch: Duration,
    /// How long to look for further names of a file that has several.
    pub link_search: Duration,
    /// How long to wait for killed processes to be gone.
    pub kill_wait: Duration,
    /// Called after each step; must not block.
    pub on_step: Option<Arc<dyn Fn(Step) + Send + Sync>>,
}

impl ResponderConfig {
    /// Bytes of a journal segment where nothing else is said.
    pub const JOURNAL_BYTES: u64 = 8 << 20;

    /// With 8 MiB segments, 5 s of searching for links, 2 s of waiting, nobody exempt, systemd.
    #[must_use]
    pub fn new(journal_dir: PathBuf, vault_dir: PathBuf, deny: Arc<dyn DenyInode>) -> Self {
        Self {
            disabled_dir: journal_dir.with_file_name("disabled"),
            journal_dir,
            vault_dir,
            journal_bytes: Self::JOURNAL_BYTES,
            vault_identity: None,
            vault_limits: Limits::default(),
            deny,
            exempt: Arc::new(|_| false),
            spare: Arc::new(SpareNobody),
            service_manager: ServiceManager::default(),
            watch: Duration::from_millis(30),
            link_search: Duration::from_secs(5),
            kill_wait: Duration::from_secs(2),
            on_step: None,
        }
    }
}
