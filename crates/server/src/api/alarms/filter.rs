// SPDX-License-Identifier: Apache-2.0
//! Which alarms: the same filter for the list, the statistics and the export.

use crate::api::page::moment;
use crate::api::problem::Problem;
use crate::api::words::{AttackPhase, AttackTag, Class, HandleStatus, Importance, List, Rating, Severity};
use crate::time;
use lazaret_store::AlarmFilter;
use serde::Deserialize;
use utoipa::IntoParams;

/// Filters and page of alarms.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct AlarmQuery {
    /// Id of a project, or `all_granted_eps`: all that the caller may see, as without it.
    #[param(min_length = 1, max_length = 64)]
    pub(super) project: Option<String>,
    /// Last seen not before.
    #[param(format = DateTime)]
    pub(super) since: Option<String>,
    /// Last seen before.
    #[param(format = DateTime)]
    pub(super) until: Option<String>,
    /// Instead of `since` and `until`.
    #[param(minimum = 1, maximum = 3650)]
    pub(super) last_days: Option<u32>,
    /// Id of a host.
    #[param(format = Uuid)]
    pub(super) host: Option<String>,
    /// Part of the host's name.
    #[param(max_length = 200)]
    pub(super) host_name: Option<String>,
    /// Id of a host group.
    #[param(format = Uuid)]
    pub(super) group: Option<String>,
    #[param(inline)]
    pub(super) importance: Option<Importance>,
    /// Any of these, separated by commas.
    #[param(inline, value_type = Option<Vec<Severity>>, style = Form, explode = false)]
    pub(super) severity: Option<List<Severity>>,
    /// Any of these, separated by commas.
    #[param(inline, value_type = Option<Vec<Class>>, style = Form, explode = false)]
    pub(super) class: Option<List<Class>>,
    /// Any of these, separated by commas.
    #[param(inline, value_type = Option<Vec<Rating>>, style = Form, explode = false)]
    pub(super) rating: Option<List<Rating>>,
    #[param(inline)]
    pub(super) handle_status: Option<HandleStatus>,
    /// Acted on by policy.
    pub(super) auto_block: Option<bool>,
    /// Test programs.
    pub(super) test: Option<bool>,
    #[param(pattern = "^[0-9a-f]{64}$")]
    pub(super) sha256: Option<String>,
    /// Part of title or path.
    #[param(max_length = 200)]
    pub(super) text: Option<String>,
    /// Part of one of the host's addresses.
    #[param(max_length = 45, pattern = "^[0-9A-Fa-f.:]*$")]
    pub(super) address: Option<String>,
    #[param(inline)]
    pub(super) attack_tag: Option<AttackTag>,
    #[param(inline)]
    pub(super) attack_phase: Option<AttackPhase>,
    /// ATT&CK technique, with those below it: T1059 finds T1059.004 too.
    #[param(pattern = "^T[0-9]{4}([.][0-9]{3})?$")]
    pub(super) technique: Option<String>,
    /// Part of the container's id or name.
    #[param(max_length = 200)]
    pub(super) container: Option<String>,
    /// The acting process was in a container; `false`: it was in none.
    pub(super) in_container: Option<bool>,
    /// These only, separated by commas; 100 at most.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, max_items = 100)]
    pub(super) ids: Option<List<String>>,
    /// Those that a whitelist entry suppressed, instead of the others.
    pub(super) suppressed: Option<bool>,
    /// `next` of the page before.
    pub(super) after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    pub(super) limit: Option<u32>,
}

impl AlarmQuery {
    pub(super) fn filter(&self) -> Result<AlarmFilter, Problem> {
        let (mut since_ms, until_ms) =
            (moment("since", self.since.as_deref())?, moment("until", self.until.as_deref())?);
        if let Some(days) = self.last_days {
            if since_ms.is_some() || until_ms.is_some() {
                return Err(Problem::invalid("last_days: instead of since and until, not beside them"));
            }
            if !(1..=3650).contains(&days) {
                return Err(Problem::invalid("last_days: 1 to 3650"));
            }
            since_ms = Some(time::now_ms() - i64::from(days) * time::DAY_MS);
        }
        // Also where nothing is a page.
        if self.limit.is_some_and(|n| !(1..=1000).contains(&n)) {
            return Err(Problem::invalid("limit: 1 to 1000"));
        }
        Ok(AlarmFilter {
            since_ms,
            until_ms,
            host: self.host.clone().unwrap_or_default(),
            group: self.group.clone().unwrap_or_default(),
            host_name: self.host_name.clone().unwrap_or_default(),
            severities: self.severity.iter().flat_map(|l| &l.0).map(|s| *s as i64).collect(),
            classes: self.class.iter().flat_map(|l| &l.0).map(|c| c.word().to_owned()).collect(),
            ratings: self.rating.iter().flat_map(|l| &l.0).map(|r| r.word().to_owned()).collect(),
            handled: self.handle_status.map(|h| h == HandleStatus::Handled),
            auto_block: self.auto_block,
            test: self.test,
            sha256: self.sha256.as_deref().map(sha256).transpose()?.unwrap_or_default(),
            text: self.text.clone().unwrap_or_default(),
            ids: self.ids.clone().unwrap_or_default().0,
            suppressed: self.suppressed.unwrap_or(false),
            importance: self.importance.map(|i| i.word().to_owned()).unwrap_or_default(),
            address: self.address.as_deref().map(address).transpose()?.unwrap_or_default(),
            attack_tag: self.attack_tag.map(|t| t.word().to_owned()).unwrap_or_default(),
            attack_phase: self.attack_phase.map(|p| p.word().to_owned()).unwrap_or_default(),
            technique: self.technique.as_deref().map(technique).transpose()?.unwrap_or_default(),
            container: self.container.clone().unwrap_or_default(),
            in_container: self.in_container,
        })
    }
}

/// Part of an address, and nothing else.
fn address(text: &str) -> Result<String, Problem> {
    if text.len() > 45 || !text.bytes().all(|b| b.is_ascii_hexdigit() || b".:".contains(&b)) {
        return Err(Problem::invalid("address: an IPv4 or IPv6 address, or a part of one"));
    }
    // As the hosts' addresses are kept.
    Ok(text.to_ascii_lowercase())
}

/// `T` and four digits, with or without `.` and three.
fn technique(text: &str) -> Result<String, Problem> {
    let digits = |t: &str, n: usize| t.len() == n && t.bytes().all(|b| b.is_ascii_digit());
    let good = text.strip_prefix('T').is_some_and(|rest| match rest.split_once('.') {
        Some((technique, part)) => digits(technique, 4) && digits(part, 3),
        None => digits(rest, 4),
    });
    if good { Ok(text.to_owned()) } else { Err(Problem::invalid("technique: such as T1059 or T1059.004")) }
}

/// 64 hexadecimal digits as 32 bytes.
pub(crate) fn sha256(text: &str) -> Result<Vec<u8>, Problem> {
    let digest: Result<lazaret_model::Sha256, _> = text.parse();
    digest.map(|d| d.0.to_vec()).map_err(|_| Problem::invalid("sha256: 64 hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn techniques_and_addresses() {
        assert_eq!(technique("T1059.004").unwrap(), "T1059.004");
        assert_eq!(technique("T1059").unwrap(), "T1059");
        for bad in ["", "T", "1059", "T105", "T1059.", "T1059.4", "T1059.0041", "t1059", "T1059.004.1"] {
            assert!(technique(bad).is_err(), "{bad}");
        }
        assert_eq!(address("2001:DB8::").unwrap(), "2001:db8::");
        assert!(address("10.0.%").is_err() && address("host").is_err());
    }
}
