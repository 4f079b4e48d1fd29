// SPDX-License-Identifier: Apache-2.0
//! Which entries of the history are asked for: what they say themselves, and what their alarms must be.

use crate::address::Addresses;
use crate::ask::Ask;
use crate::call::Call;
use crate::error::HssError;
use crate::events::terms::{ATTACK_TAGS, SEVERITIES};
use crate::handling::{STATUSES, status_after};
use crate::kinds;
use crate::rest::Query;
use crate::words::{self, text};
use serde_json::Value;
use std::collections::BTreeSet;

/// What is asked for.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) rows: Rows,
    /// What the alarm of a row must be, as `/alarms` is asked for it.
    pub(super) alarm: Query,
}

/// What a row itself says; texts in lower case.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) classes: Option<Vec<&'static str>>,
    pub(super) severity: Option<&'static str>,
    pub(super) title: Option<String>,
    pub(super) status: Option<&'static str>,
    pub(super) hosts: Option<BTreeSet<String>>,
}

impl Rows {
    pub(super) fn keeps(&self, row: &Value) -> bool {
        self.classes.as_ref().is_none_or(|c| c.contains(&text(row, "class")))
            && self.severity.is_none_or(|s| s == text(row, "severity"))
            && self.title.as_ref().is_none_or(|t| text(row, "title").to_lowercase().contains(t))
            && self.status.is_none_or(|s| s == status_after(text(row, "operate_type")))
            && self.hosts.as_ref().is_none_or(|h| h.contains(text(row, "host")))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.classes.is_none()
            && self.severity.is_none()
            && self.title.is_none()
            && self.status.is_none()
            && self.hosts.is_none()
    }
}

/// `None`: none can be meant.
pub(super) async fn wanted(call: &Call) -> Result<Option<Wanted>, HssError> {
    let ask = &call.ask;
    let severity = ask.word("severity", &SEVERITIES)?;
    let tag = ask.word("attack_tag", &ATTACK_TAGS)?;
    let classes = classes(ask)?;
    let title = ask.short("event_name", 4096)?.map(str::to_lowercase);
    let status = ask.word("handle_status", &STATUSES)?;
    let name = ask.short("host_name", 256)?;
    let asset = ask.word("asset_value", &words::ASSET_VALUES)?;
    let addresses = Addresses::asked([
        (ask.short("host_ip", 256)?, None),
        (ask.short("private_ip", 128)?, Some(true)),
        (ask.short("public_ip", 128)?, Some(false)),
    ]);
    let nothing = classes.as_ref().is_some_and(Vec::is_empty);
    let (Some(addresses), false) = (addresses, nothing || severity == Some(None) || tag == Some(None)) else {
        return Ok(None);
    };
    let hosts = addresses.hosts(call).await?;
    if hosts.as_ref().is_some_and(BTreeSet::is_empty) {
        return Ok(None);
    }
    let alarm = [
        ("attack_tag", tag.flatten().map(str::to_owned)),
        ("importance", asset.map(str::to_owned)),
        // As much of it as the API takes; names of hosts are shorter.
        ("host_name", name.map(words::beginning)),
    ];
    Ok(Some(Wanted {
        rows: Rows { classes, severity: severity.flatten(), title, status, hosts },
        alarm: alarm.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
    }))
}

/// By type and by class id.
fn classes(ask: &Ask) -> Result<Option<Vec<&'static str>>, HssError> {
    let of_type = match ask.int("event_type") {
        Some(number) => Some(words::classes_of_type(kinds::event_type("event_type", number)?)),
        None => None,
    };
    let mut of_ids = Vec::new();
    let ids = ask.list("event_class_ids")?;
    for id in &ids {
        of_ids.extend(words::classes_of_id(kinds::class_id("event_class_ids", id)?));
    }
    Ok(match of_type {
        _ if ids.is_empty() => of_type,
        Some(both) => Some(both.into_iter().filter(|c| of_ids.contains(c)).collect()),
        None => Some(of_ids),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row() -> Value {
        json!({ "host": "h", "operate_type": "ignore", "title": "Miner xmrig", "class": "miner", "severity": "high" })
    }

    #[test]
    fn what_a_row_says_itself() {
        let keeps = |rows: Rows| rows.keeps(&row());
        assert!(keeps(Rows::default()) && Rows::default().is_empty());
        assert!(keeps(Rows {
            classes: Some(vec!["worm", "miner"]),
            severity: Some("high"),
            ..Rows::default()
        }));
        assert!(!keeps(Rows { classes: Some(vec!["worm"]), ..Rows::default() }));
        assert!(!keeps(Rows { severity: Some("low"), ..Rows::default() }));
        assert!(keeps(Rows { title: Some("xmr".to_owned()), status: Some("handled"), ..Rows::default() }));
        assert!(!keeps(Rows { status: Some("unhandled"), ..Rows::default() }));
        assert!(!keeps(Rows { hosts: Some(BTreeSet::from(["g".to_owned()])), ..Rows::default() }));
    }
}
