// SPDX-License-Identifier: Apache-2.0
//! What a scan is to do, and when: words and bounds of HSS.

use crate::time::{self, DAY_MS};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Folders of one list.
const FOLDERS: usize = 100;
/// Hosts and groups of one list.
const LISTED: usize = 1_000;

/// How much of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ScanKind {
    /// Where programs are started from and where uploads land.
    Quick,
    /// All local filesystems.
    Full,
    /// The folders that are named.
    Custom,
}

impl ScanKind {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Full => "full",
            Self::Custom => "custom",
        }
    }
}

/// Kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ScanFileType {
    All,
    Executable,
    Compressed,
    Script,
    Document,
    Image,
    AudioVideo,
}

impl ScanFileType {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Executable => "executable",
            Self::Compressed => "compressed",
            Self::Script => "script",
            Self::Document => "document",
            Self::Image => "image",
            Self::AudioVideo => "audio_video",
        }
    }
}

/// What is scanned, on which hosts, and what becomes of what is found.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScanSettings {
    pub(crate) kind: ScanKind,
    /// Every host of the project; else `hosts` and those of `groups`.
    #[serde(default)]
    pub(crate) all_hosts: bool,
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub(crate) hosts: Vec<String>,
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub(crate) groups: Vec<String>,
    /// Empty: all.
    #[serde(default)]
    #[schema(max_items = 7)]
    pub(crate) file_types: Vec<ScanFileType>,
    /// Folders of a custom scan, absolute.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub(crate) include: Vec<String>,
    /// Folders that are left out, absolute.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub(crate) exclude: Vec<String>,
    /// What is rated high is isolated and killed at once; else it is an alarm only.
    #[serde(default)]
    pub(crate) automatic: bool,
    /// The hosts begin spread over so many minutes; 10 unless said otherwise.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1440)]
    pub(crate) spread_minutes: Option<u32>,
}

/// When a scan begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StartType {
    Now,
    /// Once, at `at`.
    Later,
    Day,
    Week,
    Month,
}

/// When a scan begins, once or again and again.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScanStart {
    pub(crate) start_type: StartType,
    /// For `later`: within a month.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub(crate) at: Option<String>,
    /// For `week` 1 (Sunday) to 7, for `month` 1 to 28.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 28)]
    pub(crate) date: Option<u32>,
    #[serde(default)]
    #[schema(minimum = 0, maximum = 23)]
    pub(crate) hour: Option<u32>,
    #[serde(default)]
    #[schema(minimum = 0, maximum = 59)]
    pub(crate) minute: Option<u32>,
    /// Minutes east of UTC.
    #[serde(default)]
    #[schema(minimum = -840, maximum = 840)]
    pub(crate) timezone_offset: Option<i32>,
}

impl ScanSettings {
    /// What is wrong with it.
    pub(crate) fn fault(&self) -> Option<String> {
        if self.all_hosts != (self.hosts.is_empty() && self.groups.is_empty()) {
            return Some("all_hosts, or hosts and groups: one or the other".to_owned());
        }
        if self.hosts.len() > LISTED || self.groups.len() > LISTED {
            return Some(format!("hosts, groups: {LISTED} at most; put hosts into groups"));
        }
        if (self.kind == ScanKind::Custom) == self.include.is_empty() {
            return Some("include: folders of a custom scan, and of no other".to_owned());
        }
        for (field, list) in [("include", &self.include), ("exclude", &self.exclude)] {
            if list.len() > FOLDERS {
                return Some(format!("{field}: {FOLDERS} folders at most"));
            }
            let bad = |f: &&String| {
                !f.starts_with('/') || f.len() > 4095 || f.contains('\0') || f.split('/').any(|p| p == "..")
            };
            if let Some(folder) = list.iter().find(bad) {
                return Some(format!(
                    "{field}: \"{}\" is no absolute path without \"..\"",
                    crate::api::problem::shown(folder)
                ));
            }
        }
        self.spread_minutes.filter(|m| *m > 1440).map(|_| "spread_minutes: 0 to 1440".to_owned())
    }

    /// Milliseconds over which the hosts begin.
    pub(crate) fn spread_ms(&self) -> i64 {
        i64::from(self.spread_minutes.unwrap_or(10)) * 60_000
    }
}

impl ScanStart {
    /// What is wrong with it.
    pub(crate) fn fault(&self, now_ms: i64) -> Option<String> {
        let within = |v: Option<u32>, low, high| v.is_none_or(|v| (low..=high).contains(&v));
        if !within(self.hour, 0, 23) || !within(self.minute, 0, 59) {
            return Some("hour 0 to 23, minute 0 to 59".to_owned());
        }
        if self.timezone_offset.is_some_and(|o| !(-840..=840).contains(&o)) {
            return Some("timezone_offset: -840 to 840".to_owned());
        }
        match self.start_type {
            StartType::Later => {
                let at = self.at.as_deref().and_then(time::parse);
                let good = at.is_some_and(|at| at > now_ms && at <= now_ms + 31 * DAY_MS);
                (!good).then(|| "at: a time within the next month".to_owned())
            }
            StartType::Week if !self.date.is_some_and(|d| (1..=7).contains(&d)) => {
                Some("date: 1 (Sunday) to 7 for a week".to_owned())
            }
            StartType::Month if !self.date.is_some_and(|d| (1..=28).contains(&d)) => {
                Some("date: 1 to 28 for a month".to_owned())
            }
            _ => None,
        }
    }

    /// When it begins first.
    pub(crate) fn first_ms(&self, now_ms: i64) -> i64 {
        match self.start_type {
            StartType::Now => now_ms,
            StartType::Later => self.at.as_deref().and_then(time::parse).unwrap_or(0),
            _ => self.again_ms(now_ms),
        }
    }

    /// When it begins again after `now_ms`; 0: never.
    pub(crate) fn again_ms(&self, now_ms: i64) -> i64 {
        if matches!(self.start_type, StartType::Now | StartType::Later) {
            return 0;
        }
        let offset_ms = i64::from(self.timezone_offset.unwrap_or(0)) * 60_000;
        let of_day =
            i64::from(self.hour.unwrap_or(0)) * 3_600_000 + i64::from(self.minute.unwrap_or(0)) * 60_000;
        let today = (now_ms + offset_ms).div_euclid(DAY_MS);
        let fits = |day: i64| match self.start_type {
            // 1970-01-01 was a Thursday, the fifth day of a week that begins with Sunday.
            StartType::Week => self.date == u32::try_from((day + 4).rem_euclid(7) + 1).ok(),
            StartType::Month => self.date == u32::try_from(time::day_of_month(day)).ok(),
            _ => true,
        };
        let at = |day: i64| day * DAY_MS + of_day - offset_ms;
        (today..today + 64).find(|d| fits(*d) && at(*d) > now_ms).map_or(0, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(start_type: StartType, date: Option<u32>, hour: u32, offset: i32) -> ScanStart {
        ScanStart {
            start_type,
            at: None,
            date,
            hour: Some(hour),
            minute: Some(30),
            timezone_offset: Some(offset),
        }
    }

    fn next(s: &ScanStart, now: &str) -> String {
        time::rfc3339(s.again_ms(time::parse(now).unwrap()))
    }

    #[test]
    fn it_begins_again_when_it_should() {
        let s = start(StartType::Day, None, 2, 0);
        assert_eq!(next(&s, "2026-11-26T02:29:59Z"), "2026-11-26T02:30:00.000Z");
        assert_eq!(next(&s, "2026-11-26T02:30:00Z"), "2026-11-27T02:30:00.000Z");
        let s = start(StartType::Day, None, 2, 480);
        assert_eq!(next(&s, "2026-11-26T00:00:00Z"), "2026-11-26T18:30:00.000Z", "02:30 in UTC+8");
        // 2026-11-26 is a Thursday.
        let s = start(StartType::Week, Some(1), 2, 0);
        assert_eq!(next(&s, "2026-11-26T00:00:00Z"), "2026-11-29T02:30:00.000Z", "Sunday");
        let s = start(StartType::Week, Some(5), 2, 0);
        assert_eq!(next(&s, "2026-11-26T03:00:00Z"), "2026-12-03T02:30:00.000Z", "Thursday again");
        let s = start(StartType::Month, Some(28), 2, 0);
        assert_eq!(next(&s, "2027-01-28T03:00:00Z"), "2027-02-28T02:30:00.000Z");
    }

    #[test]
    fn faults_are_named() {
        let good = ScanSettings {
            kind: ScanKind::Quick,
            all_hosts: true,
            hosts: vec![],
            groups: vec![],
            file_types: vec![],
            include: vec![],
            exclude: vec!["/proc".into()],
            automatic: false,
            spread_minutes: None,
        };
        assert_eq!(good.fault(), None);
        let bad = ScanSettings { hosts: vec!["x".into()], ..good.clone() };
        assert!(bad.fault().unwrap().contains("all_hosts"));
        let bad = ScanSettings { kind: ScanKind::Custom, ..good.clone() };
        assert!(bad.fault().unwrap().contains("include"));
        let bad = ScanSettings { exclude: vec!["/a/../b".into()], ..good };
        assert!(bad.fault().unwrap().contains("exclude"));
        let now = 1_790_000_000_000;
        assert!(start(StartType::Week, Some(8), 0, 0).fault(now).is_some());
        assert!(start(StartType::Month, None, 0, 0).fault(now).is_some());
        assert!(start(StartType::Later, None, 0, 0).fault(now).is_some());
        assert_eq!(start(StartType::Day, None, 0, 0).fault(now), None);
    }
}
