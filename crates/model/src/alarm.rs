// SPDX-License-Identifier: Apache-2.0
//! What a person sees and handles.

use crate::{
    ActionRecord, AlarmId, Decision, FileFacts, IsolatedId, Persistence, ProcessFacts, Rating, Verdict,
};
use std::str::FromStr;

/// What brought the file to our notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// It was about to run.
    Exec,
    /// It was about to be read by something that might run it.
    Open,
    /// It was closed after writing.
    Written,
    /// It was moved into a protected place.
    MovedIn,
    /// A process already runs it.
    Process,
    /// A scan found it.
    Scan,
    /// A person named it.
    Manual,
    /// Lazaret itself reports something about its own state.
    Daemon,
}

impl Origin {
    /// All, for tables.
    pub const ALL: [Self; 8] = [
        Self::Exec,
        Self::Open,
        Self::Written,
        Self::MovedIn,
        Self::Process,
        Self::Scan,
        Self::Manual,
        Self::Daemon,
    ];

    /// The word in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Exec => "exec",
            Self::Open => "open",
            Self::Written => "written",
            Self::MovedIn => "moved_in",
            Self::Process => "process",
            Self::Scan => "scan",
            Self::Manual => "manual",
            Self::Daemon => "daemon",
        }
    }
}

/// How bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Worth a look.
    Medium,
    /// Act.
    High,
    /// Act now.
    Critical,
}

impl Severity {
    /// The word in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What a person (or policy) does with an alarm; the words are those of the HSS API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Handling {
    /// Dealt with by hand.
    MarkAsHandled,
    /// Close this alarm; new ones of the kind still come.
    Ignore,
    /// Close it and whitelist the file.
    AddToAlarmWhitelist,
    /// Isolate the file and kill its processes now.
    IsolateAndKill,
    /// Inverse of `MarkAsHandled`.
    Unhandle,
    /// Inverse of `Ignore`.
    DoNotIgnore,
    /// Inverse of `AddToAlarmWhitelist`.
    RemoveFromAlarmWhitelist,
    /// Inverse of `IsolateAndKill`: restores the file.
    DoNotIsolateOrKill,
}

impl Handling {
    /// All, for tables and help texts.
    pub const ALL: [Self; 8] = [
        Self::MarkAsHandled,
        Self::Ignore,
        Self::AddToAlarmWhitelist,
        Self::IsolateAndKill,
        Self::Unhandle,
        Self::DoNotIgnore,
        Self::RemoveFromAlarmWhitelist,
        Self::DoNotIsolateOrKill,
    ];

    /// The word of the HSS API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::MarkAsHandled => "mark_as_handled",
            Self::Ignore => "ignore",
            Self::AddToAlarmWhitelist => "add_to_alarm_whitelist",
            Self::IsolateAndKill => "isolate_and_kill",
            Self::Unhandle => "unhandle",
            Self::DoNotIgnore => "do_not_ignore",
            Self::RemoveFromAlarmWhitelist => "remove_from_alarm_whitelist",
            Self::DoNotIsolateOrKill => "do_not_isolate_or_kill",
        }
    }

    /// The handling that this one undoes; `None` for the four that start from *unhandled*.
    #[must_use]
    pub const fn undoes(self) -> Option<Self> {
        Some(match self {
            Self::Unhandle => Self::MarkAsHandled,
            Self::DoNotIgnore => Self::Ignore,
            Self::RemoveFromAlarmWhitelist => Self::AddToAlarmWhitelist,
            Self::DoNotIsolateOrKill => Self::IsolateAndKill,
            _ => return None,
        })
    }
}

/// A word that names no handling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownHandling(pub String);

impl std::fmt::Display for UnknownHandling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unknown handling \"{}\"", self.0)
    }
}

impl std::error::Error for UnknownHandling {}

impl FromStr for Handling {
    type Err = UnknownHandling;

    /// Takes the API's underscores and the command line's hyphens.
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let word = s.replace('-', "_");
        Self::ALL.into_iter().find(|h| h.word() == word).ok_or_else(|| UnknownHandling(s.to_owned()))
    }
}

/// Where an alarm stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum HandleStatus {
    /// Nobody has dealt with it.
    #[default]
    Unhandled,
    /// Dealt with.
    Handled {
        /// How.
        by: Handling,
        /// When, milliseconds UTC.
        at_ms: i64,
        /// Who: `policy`, or `uid N`.
        who: String,
        /// What they said about it.
        remark: String,
    },
}

/// The file, the acting process and what came before it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Forensics {
    /// The file, where there is one.
    pub file: Option<FileFacts>,
    /// The acting process first, then its ancestors up to pid 1.
    pub chain: Vec<ProcessFacts>,
    /// What was done, in order.
    pub timeline: Vec<ActionRecord>,
    /// What brings the program back.
    pub persistence: Persistence,
}

/// A verdict on this host, with forensics and handling state.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// Born here, kept upstream.
    pub id: AlarmId,
    /// First seen, milliseconds UTC.
    pub at_ms: i64,
    /// Seen last, milliseconds UTC; repeats of the same file and process are counted, not added.
    pub last_ms: i64,
    /// How often.
    pub count: u64,
    /// What brought it to our notice.
    pub origin: Origin,
    /// How bad.
    pub severity: Severity,
    /// One line for people.
    pub title: String,
    /// `None` for alarms about the daemon itself.
    pub verdict: Option<Verdict>,
    /// Under the thresholds in force then.
    pub rating: Option<Rating>,
    /// What policy decided.
    pub decision: Decision,
    /// Why, for people: guards, switch, class list.
    pub reasons: Vec<String>,
    /// File, processes, timeline.
    pub forensics: Forensics,
    /// Where the file went, when it was isolated.
    pub isolated: Option<IsolatedId>,
    /// Where handling stands.
    pub status: HandleStatus,
    /// Its processes are frozen until then, milliseconds UTC; killed then unless somebody objects.
    pub window_until_ms: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handlings_take_both_spellings() {
        for h in Handling::ALL {
            assert_eq!(h.word().parse::<Handling>(), Ok(h));
            assert_eq!(h.word().replace('_', "-").parse::<Handling>(), Ok(h));
        }
        assert!("explode".parse::<Handling>().is_err());
    }

    #[test]
    fn every_handling_has_an_inverse() {
        let undone: Vec<_> = Handling::ALL.into_iter().filter_map(Handling::undoes).collect();
        assert_eq!(undone.len(), 4);
        for h in Handling::ALL {
            assert!(h.undoes().is_some() || undone.contains(&h), "{h:?}");
        }
    }
}
