// SPDX-License-Identifier: Apache-2.0
//! What a policy group sets on its hosts, as JSON in the database and in the API. Absent keys leave the
//! host's own configuration in force.

use lazaret_model::MalwareClass;
use lazaret_proto::v1;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Settings of a policy group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicySettings {
    /// Classes that act by themselves at high confidence; empty: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automatic_classes: Option<Vec<String>>,
    /// `equalization` or `high_detection`; absent: by the project's switch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protect_mode: Option<String>,
    /// From this confidence on the rating is high: 80 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_threshold: Option<u32>,
    /// From this confidence on the rating is medium: 30 to 79.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medium_threshold: Option<u32>,
    /// Everything is decided and nothing is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// Freeze so long before the kill: 0 to 15.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freeze_seconds: Option<u32>,
    /// Folders of web servers, absolute.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub web_roots: Vec<String>,
    /// Paths that are not scanned, absolute.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// Take test programs for malware.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_programs: Option<bool>,
    /// A malicious member condemns its archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condemn_archives: Option<bool>,
    /// 1 to 100,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_isolations_per_hour: Option<u32>,
    /// 1 to 100,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_kills_per_hour: Option<u32>,
}

/// A value that no host would take.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{field}: {why}")]
pub struct SettingsError {
    /// Which key.
    pub field: &'static str,
    /// What is wrong, and what would be right.
    pub why: String,
}

/// Folders in one list.
const MAX_PATHS: usize = 200;

impl PolicySettings {
    /// Reads and checks what is stored or was sent.
    ///
    /// # Errors
    /// Names the key, what is wrong and what would be right.
    pub fn parse(json: &str) -> Result<Self, SettingsError> {
        let text = if json.trim().is_empty() { "{}" } else { json };
        let settings: Self = serde_json::from_str(text)
            .map_err(|e| SettingsError { field: "settings", why: e.to_string() })?;
        settings.validate()?;
        Ok(settings)
    }

    /// Checks bounds and words.
    ///
    /// # Errors
    /// Names the key, what is wrong and what would be right.
    pub fn validate(&self) -> Result<(), SettingsError> {
        for (i, class) in self.automatic_classes.iter().flatten().enumerate() {
            let known = class.parse::<MalwareClass>();
            known.map_err(|e| SettingsError { field: "automatic_classes", why: e.to_string() })?;
            if self.automatic_classes.iter().flatten().take(i).any(|c| c == class) {
                return Err(SettingsError { field: "automatic_classes", why: format!("\"{class}\" twice") });
            }
        }
        if let Some(mode) = &self.protect_mode
            && !["equalization", "high_detection"].contains(&mode.as_str())
        {
            let why = format!("\"{}\" is neither equalization nor high_detection", clip(mode));
            return Err(SettingsError { field: "protect_mode", why });
        }
        within("high_threshold", self.high_threshold, 80, 100)?;
        within("medium_threshold", self.medium_threshold, 30, 79)?;
        within("freeze_seconds", self.freeze_seconds, 0, 15)?;
        within("max_isolations_per_hour", self.max_isolations_per_hour, 1, 100_000)?;
        within("max_kills_per_hour", self.max_kills_per_hour, 1, 100_000)?;
        paths("web_roots", &self.web_roots)?;
        paths("exclude", &self.exclude)
    }

    /// What goes to a host. `isolate_and_kill`, `cloud_scan` and `high_detection` are the project's
    /// switches, `group` the policy group's name.
    #[must_use]
    pub fn policy(
        &self,
        isolate_and_kill: bool,
        cloud_scan: bool,
        high_detection: bool,
        group: &str,
    ) -> v1::HostPolicy {
        let by_switch = if high_detection { "high_detection" } else { "equalization" };
        let bytes = |list: &[String]| list.iter().map(|p| p.clone().into_bytes()).collect();
        v1::HostPolicy {
            isolate_and_kill: Some(isolate_and_kill),
            malware_cloud_scan: Some(cloud_scan),
            protect_mode: Some(self.protect_mode.clone().unwrap_or_else(|| by_switch.to_owned())),
            automatic_classes: self.automatic_classes.clone().unwrap_or_default(),
            classes_set: self.automatic_classes.is_some(),
            high_threshold: self.high_threshold,
            medium_threshold: self.medium_threshold,
            dry_run: self.dry_run,
            freeze_seconds: self.freeze_seconds,
            web_roots: bytes(&self.web_roots),
            exclude: bytes(&self.exclude),
            test_programs: self.test_programs,
            condemn_archives: self.condemn_archives,
            max_isolations_per_hour: self.max_isolations_per_hour,
            max_kills_per_hour: self.max_kills_per_hour,
            group: group.to_owned(),
            edition: String::new(),
            edition_limits: Vec::new(),
            cloud: None,
        }
    }
}

fn within(field: &'static str, value: Option<u32>, low: u32, high: u32) -> Result<(), SettingsError> {
    match value {
        Some(v) if !(low..=high).contains(&v) => {
            Err(SettingsError { field, why: format!("{v} is not {low} to {high}") })
        }
        _ => Ok(()),
    }
}

fn paths(field: &'static str, list: &[String]) -> Result<(), SettingsError> {
    if list.len() > MAX_PATHS {
        return Err(SettingsError { field, why: format!("{} paths, at most {MAX_PATHS}", list.len()) });
    }
    for path in list {
        let why = if !path.starts_with('/') {
            "is not absolute"
        } else if path.len() > 4095 {
            "is longer than 4095 bytes"
        } else if path.contains('\0') {
            "holds a NUL byte"
        } else if path.split('/').any(|part| part == "..") {
            "holds \"..\""
        } else if field == "exclude" && path.trim_matches('/').is_empty() {
            "would exclude everything"
        } else {
            continue;
        };
        return Err(SettingsError { field, why: format!("\"{}\" {why}", clip(path)) });
    }
    Ok(())
}

fn clip(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_default).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_is_within_bounds() {
        let json = r#"{"automatic_classes":["webshell","miner"],"high_threshold":95,"medium_threshold":60,
            "freeze_seconds":15,"web_roots":["/srv/www"],"protect_mode":"high_detection","dry_run":false}"#;
        let s = PolicySettings::parse(json).unwrap();
        let again = PolicySettings::parse(&serde_json::to_string(&s).unwrap()).unwrap();
        assert_eq!(s, again);
        let p = s.policy(true, false, false, "web");
        assert_eq!((p.isolate_and_kill, p.malware_cloud_scan), (Some(true), Some(false)));
        assert_eq!(
            p.protect_mode.as_deref(),
            Some("high_detection"),
            "the group's word goes before the switch"
        );
        assert_eq!((p.high_threshold, p.freeze_seconds, p.dry_run), (Some(95), Some(15), Some(false)));
        assert_eq!(p.web_roots, [b"/srv/www".to_vec()]);
        assert!(p.classes_set && p.max_kills_per_hour.is_none());
        let empty = PolicySettings::parse("").unwrap().policy(false, false, true, "");
        assert!(!empty.classes_set && empty.high_threshold.is_none());
        assert_eq!(empty.protect_mode.as_deref(), Some("high_detection"));
    }

    #[test]
    fn refuses_the_rest_and_names_it() {
        for (json, field) in [
            (r#"{"high_threshold":79}"#, "high_threshold"),
            (r#"{"high_threshold":101}"#, "high_threshold"),
            (r#"{"medium_threshold":80}"#, "medium_threshold"),
            (r#"{"medium_threshold":29}"#, "medium_threshold"),
            (r#"{"freeze_seconds":16}"#, "freeze_seconds"),
            (r#"{"max_kills_per_hour":0}"#, "max_kills_per_hour"),
            (r#"{"max_isolations_per_hour":100001}"#, "max_isolations_per_hour"),
            (r#"{"automatic_classes":["spam"]}"#, "automatic_classes"),
            (r#"{"automatic_classes":["worm","worm"]}"#, "automatic_classes"),
            (r#"{"protect_mode":"loose"}"#, "protect_mode"),
            (r#"{"exclude":["/"]}"#, "exclude"),
            (r#"{"exclude":["tmp"]}"#, "exclude"),
            (r#"{"web_roots":["/a/../b"]}"#, "web_roots"),
            (r#"{"web_roots":["/a\u0000b"]}"#, "web_roots"),
            (r#"{"command":"rm"}"#, "settings"),
            (r#"{"high_threshold":-1}"#, "settings"),
            ("[", "settings"),
        ] {
            assert_eq!(PolicySettings::parse(json).unwrap_err().field, field, "{json}");
        }
    }
}
