// SPDX-License-Identifier: Apache-2.0
//! The words of the API, each set in one place, and lists of them behind `?`.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, Error as _, IntoDeserializer as _};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub(crate) enum $name {
            $(#[serde(rename = $word)] $variant,)+
        }

        impl ToSchema for $name {}

        // Not derived: the derive does not see words that a macro hands on.
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new().schema_type(Type::String).enum_values(Some([$($word),+])).into()
            }
        }

        impl $name {
            /// The word on the wire.
            #[allow(dead_code, reason = "not every set is written by the server")]
            pub(crate) const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

words!(
    /// How bad, in the order that the database counts it.
    Severity { Low = "low", Medium = "medium", High = "high", Critical = "critical" }
);
words!(
    /// Confidence against the thresholds in force.
    Rating { Low = "low", Medium = "medium", High = "high" }
);
words!(
    /// Kind of malicious program.
    Class {
        Unclassified = "malware", Virus = "virus", Worm = "worm", Trojan = "trojan", Botnet = "botnet",
        Backdoor = "backdoor", Rootkit = "rootkit", Ransomware = "ransomware", HackTool = "hacktool",
        WebShell = "webshell", Miner = "miner", ReverseShell = "reverseshell",
    }
);
words!(
    /// Where a host's agent stands.
    HostStatus {
        Installing = "installing", Installed = "installed", Online = "online", Offline = "offline",
        InstallFailed = "install_failed", NotInstalled = "not_installed",
    }
);
words!(
    /// How much a host matters.
    Importance { Important = "important", Common = "common", Test = "test" }
);
words!(
    /// How much of a host is protected.
    Protection { Full = "full", Partial = "partial", None = "none", Unknown = "unknown" }
);
words!(
    /// Whether somebody dealt with an alarm.
    HandleStatus { Unhandled = "unhandled", Handled = "handled" }
);
words!(
    /// Where an alarm stands in an attack, in the words of HSS.
    AttackTag {
        Blocked = "attack_blocked", Success = "attack_success", Attempt = "attack_attempt",
        Abnormal = "abnormal_behavior",
    }
);
words!(
    /// The phase of an attack.
    AttackPhase {
        Delivery = "delivery", Exploit = "exploit", Installation = "installation",
        CommandAndControl = "command_and_control", Actions = "actions",
    }
);
words!(
    /// Where an isolated file stands.
    IsolatedStatus {
        Isolating = "isolating", Isolated = "isolated", IsolatedInPlace = "isolated_in_place",
        Restoring = "restoring", Restored = "restored", Deleting = "deleting", Deleted = "deleted",
        IsolateFailed = "isolate_failed", RestoreFailed = "restore_failed", DeleteFailed = "delete_failed",
    }
);
words!(
    /// Where a command stands.
    CommandState {
        Pending = "pending", Sent = "sent", Done = "done", Partial = "partial", Refused = "refused",
        Failed = "failed", Expired = "expired", Cancelled = "cancelled",
    }
);
words!(
    /// What to do with an alarm: the words of HSS. The two about logins belong to alarms about logins.
    Verb {
        MarkAsHandled = "mark_as_handled", Ignore = "ignore", AddToAlarmWhitelist = "add_to_alarm_whitelist",
        AddToLoginWhitelist = "add_to_login_whitelist", IsolateAndKill = "isolate_and_kill",
        Unhandle = "unhandle", DoNotIgnore = "do_not_ignore",
        RemoveFromAlarmWhitelist = "remove_from_alarm_whitelist",
        RemoveFromLoginWhitelist = "remove_from_login_whitelist", DoNotIsolateOrKill = "do_not_isolate_or_kill",
    }
);
words!(
    /// Where a whitelist entry holds.
    WhitelistScope { Project = "project", Group = "group", Host = "host" }
);
words!(
    /// What a whitelist entry looks at.
    WhitelistField {
        Hash = "hash", FilePath = "file_path", ProcessPath = "process_path", ProcessCmdline = "process_cmdline",
    }
);
words!(
    /// How a whitelist entry compares.
    Judge { Equal = "equal", Contain = "contain", NotEqual = "not_equal", NotContain = "not_contain" }
);

words!(
    /// What a project thinks of a content; lists of known files go before it.
    Standing { Unknown = "unknown", Pending = "pending", Clean = "clean", Bad = "bad" }
);
words!(
    /// Where a sample stands.
    SampleState {
        Receiving = "receiving", Stored = "stored", Failed = "failed", Deleting = "deleting", Deleted = "deleted",
    }
);
words!(
    /// Where a deep scan stands.
    DeepScanState {
        Queued = "queued", Scanning = "scanning", Done = "done", SetAside = "set_aside", Cancelled = "cancelled",
    }
);

/// `a,b,c` behind `?`.
#[derive(Debug, Clone)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// More makes a statement too long.
const MOST: usize = 100;

impl<'de, T: DeserializeOwned> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(Self::default());
        }
        let one = |part: &str| {
            let part: StrDeserializer<'_, serde::de::value::Error> = part.into_deserializer();
            T::deserialize(part).map_err(D::Error::custom)
        };
        let list: Vec<T> = text.split(',').map(one).collect::<Result<_, _>>()?;
        if list.len() > MOST {
            return Err(D::Error::custom(format!("{} values in one list; {MOST} at most", list.len())));
        }
        Ok(Self(list))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_model() {
        let classes: Vec<&str> =
            lazaret_model::MalwareClass::all().map(lazaret_model::MalwareClass::word).collect();
        for word in &classes {
            let class: Class = serde_json::from_value((*word).into()).unwrap();
            assert_eq!(class.word(), *word);
        }
        for handling in lazaret_model::Handling::ALL {
            let verb: Verb = serde_json::from_value(handling.word().into()).unwrap();
            assert_eq!(verb.word(), handling.word());
        }
        for field in lazaret_policy::WhitelistField::ALL {
            assert!(serde_json::from_value::<WhitelistField>(field.word().into()).is_ok());
        }
    }

    #[test]
    fn lists_are_bounded_and_checked() {
        let list: List<Severity> = serde_json::from_value("high,critical".into()).unwrap();
        assert_eq!(list.0, [Severity::High, Severity::Critical]);
        assert!(serde_json::from_value::<List<Severity>>("high,worst".into()).is_err());
        assert!(serde_json::from_value::<List<String>>(vec!["x"; 101].join(",").into()).is_err());
        assert!(serde_json::from_value::<List<String>>("".into()).unwrap().0.is_empty());
    }
}
