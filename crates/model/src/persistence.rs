// SPDX-License-Identifier: Apache-2.0
//! What brings a killed program back: where it was found, and what became of it.

use crate::{AlarmId, JournalId};

/// Where a program is written down to be started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PersistenceKind {
    /// A line of a crontab, or a script in a folder that cron runs.
    Cron,
    /// A systemd unit that runs something.
    SystemdUnit,
    /// A systemd timer that starts such a unit.
    SystemdTimer,
    /// `rc.local`.
    RcLocal,
    /// `init.d` and `rc?.d`.
    InitScript,
    /// A file that a shell reads when it starts, or the environment of a login.
    Profile,
    /// `ld.so.preload`.
    Preload,
    /// A job of `at`.
    AtJob,
    /// A udev rule that runs something.
    UdevRule,
    /// `~/.ssh/rc` or `sshrc`.
    SshRc,
    /// A key that runs a command.
    SshKey,
    /// A PAM service file.
    Pam,
    /// A kernel module that is loaded at boot, or a command instead of one.
    KernelModule,
    /// Started with a desktop session.
    Autostart,
}

impl PersistenceKind {
    /// All, for tables.
    pub const ALL: [Self; 14] = [
        Self::Cron,
        Self::SystemdUnit,
        Self::SystemdTimer,
        Self::RcLocal,
        Self::InitScript,
        Self::Profile,
        Self::Preload,
        Self::AtJob,
        Self::UdevRule,
        Self::SshRc,
        Self::SshKey,
        Self::Pam,
        Self::KernelModule,
        Self::Autostart,
    ];

    /// The word in JSON and in the journal.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cron => "cron",
            Self::SystemdUnit => "systemd_unit",
            Self::SystemdTimer => "systemd_timer",
            Self::RcLocal => "rc_local",
            Self::InitScript => "init_script",
            Self::Profile => "profile",
            Self::Preload => "ld_so_preload",
            Self::AtJob => "at_job",
            Self::UdevRule => "udev_rule",
            Self::SshRc => "ssh_rc",
            Self::SshKey => "ssh_key",
            Self::Pam => "pam",
            Self::KernelModule => "kernel_module",
            Self::Autostart => "autostart",
        }
    }

    /// From its word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.word() == word)
    }
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PersistenceState {
    /// As it was found.
    #[default]
    Active,
    /// Taken out of force; the undo is kept.
    Disabled,
}

impl PersistenceState {
    /// The word in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }

    /// From its word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Active, Self::Disabled].into_iter().find(|s| s.word() == word)
    }
}

/// Why an entry is thought to bring the program back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PersistenceLink {
    /// It names the path itself, or a link that leads to it.
    Direct,
    /// What it runs names the path.
    Wrapper,
    /// It names the file without its folder.
    Bare,
    /// It started the process that brought the file back.
    Started,
}

impl PersistenceLink {
    /// The word in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Wrapper => "wrapper",
            Self::Bare => "bare",
            Self::Started => "started",
        }
    }

    /// From its word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Direct, Self::Wrapper, Self::Bare, Self::Started].into_iter().find(|l| l.word() == word)
    }
}

/// One entry somewhere on the host that brings a program back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersistenceEntry {
    /// Within its alarm, from 1; 0 before it belongs to one.
    pub number: u32,
    /// What kind.
    pub kind: PersistenceKind,
    /// Of one user, not of the system.
    pub user: bool,
    /// Absolute path, raw bytes.
    pub file: Vec<u8>,
    /// From 1; 0: the file as a whole.
    pub line: u32,
    /// The line, raw bytes; at most 4096 of it.
    pub text: Vec<u8>,
    /// Owner of the file.
    pub uid: u32,
    /// How it is tied to the program.
    pub link: PersistenceLink,
    /// The same for people.
    pub why: String,
    /// Why it can only be shown; empty: it can be disabled.
    pub only_shown: String,
    /// Where it stands.
    pub state: PersistenceState,
    /// What went wrong when somebody last wanted to change that; empty: nothing.
    pub reason: String,
    /// The journal's intent that disabled it, while it is disabled.
    pub disabled_as: Option<JournalId>,
}

impl PersistenceEntry {
    /// The same entry, found again.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind && self.file == other.file && self.text == other.text
    }

    /// Whether it can be disabled at all.
    #[must_use]
    pub fn can_be_disabled(&self) -> bool {
        self.only_shown.is_empty()
    }
}

/// The same content came back to the same path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return {
    /// Milliseconds UTC.
    pub at_ms: i64,
    /// The alarm that it made.
    pub alarm: AlarmId,
    /// What brought it back, for people; empty where that could not be told.
    pub by: String,
}

/// What an alarm knows of how its program comes back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Persistence {
    /// When it was last looked for, milliseconds UTC; 0: not yet.
    pub searched_ms: i64,
    /// What was found.
    pub entries: Vec<PersistenceEntry>,
    /// What could not be looked at, for people.
    pub problems: Vec<String>,
    /// How often the same content came back to the same path within the watch time.
    pub returns: u64,
    /// The last of these times.
    pub returned: Vec<Return>,
    /// The alarm whose file came back with this one.
    pub return_of: Option<AlarmId>,
}

impl Persistence {
    /// Nothing is known and nothing happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether anything is disabled for this alarm now.
    #[must_use]
    pub fn has_disabled(&self) -> bool {
        self.entries.iter().any(|e| e.state == PersistenceState::Disabled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lead_back() {
        for kind in PersistenceKind::ALL {
            assert_eq!(PersistenceKind::from_word(kind.word()), Some(kind));
        }
        for state in [PersistenceState::Active, PersistenceState::Disabled] {
            assert_eq!(PersistenceState::from_word(state.word()), Some(state));
        }
        assert_eq!(PersistenceKind::from_word("magic"), None);
        assert_eq!(PersistenceLink::from_word("bare"), Some(PersistenceLink::Bare));
    }
}
