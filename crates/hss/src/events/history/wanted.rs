// SPDX-License-Identifier: Apache-2.0
//! Which entries of the history are asked for: what they say themselves, and what their alarms must be.

use crate::ask::Ask;
use crate::call::Call;
use crate::error::HssError;
use crate::events::terms::{ATTACK_TAGS, HANDLE_STATUSES, SEVERITIES};
use crate::events::{act, kinds};
use crate::page;
use crate::rest::Query;
use crate::words::{self, at, text};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Hosts that are looked through for those with an address.
const MOST_HOSTS: u64 = 10_000;

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
            && self.status.is_none_or(|s| s == status(text(row, "operate_type")))
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

/// How an event stands after it.
pub(super) fn status(verb: &str) -> &'static str {
    if act::undoes(verb).is_some() { "unhandled" } else { "handled" }
}

/// `None`: none can be meant.
pub(super) async fn wanted(call: &Call) -> Result<Option<Wanted>, HssError> {
    let ask = &call.ask;
    let severity = ask.word("severity", &SEVERITIES)?;
    let tag = ask.word("attack_tag", &ATTACK_TAGS)?;
    let classes = classes(ask)?;
    let title = ask.short("event_name", 4096)?.map(str::to_lowercase);
    let status = ask.word("handle_status", &HANDLE_STATUSES)?;
    let name = ask.short("host_name", 256)?;
    let asset = ask.word("asset_value", &words::ASSET_VALUES)?;
    let addresses = addresses(ask)?;
    let nothing = classes.as_ref().is_some_and(Vec::is_empty);
    let (Some(addresses), false) = (addresses, nothing || severity == Some(None) || tag == Some(None)) else {
        return Ok(None);
    };
    let mut hosts: Option<BTreeSet<String>> = None;
    for address in &addresses {
        let there = with_address(call, address).await?;
        hosts = Some(match hosts {
            Some(hosts) => hosts.intersection(&there).cloned().collect(),
            None => there,
        });
    }
    if hosts.as_ref().is_some_and(BTreeSet::is_empty) {
        return Ok(None);
    }
    let alarm = [
        ("attack_tag", tag.flatten().map(str::to_owned)),
        ("importance", asset.map(str::to_owned)),
        // As much of it as the API takes; names of hosts are shorter.
        ("host_name", name.map(|n| n.chars().take(200).collect())),
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

/// Addresses that a host must have all; `None`: none can have them.
fn addresses(ask: &Ask) -> Result<Option<Vec<IpAddr>>, HssError> {
    let mut found = Vec::new();
    let mut none = false;
    for (name, most, private) in
        [("host_ip", 256, None), ("private_ip", 128, Some(true)), ("public_ip", 128, Some(false))]
    {
        match ask.short(name, most)?.map(str::parse::<IpAddr>) {
            None => {}
            Some(Ok(address)) if private.is_none_or(|p| p == words::is_private(&address)) => {
                found.push(address);
            }
            Some(_) => none = true,
        }
    }
    Ok((!none).then_some(found))
}

/// Hosts that have this address, removed ones too: their history stays.
async fn with_address(call: &Call, address: &IpAddr) -> Result<BTreeSet<String>, HssError> {
    let mut query = call.scoped();
    query.push(("text", address.to_string()));
    query.push(("removed", "true".to_owned()));
    let hosts = page::all(&call.rest, "/hosts", &query, MOST_HOSTS).await?;
    let has = |host: &&Value| {
        let mut all = at(host, "addresses").as_array().into_iter().flatten().filter_map(Value::as_str);
        all.any(|a| a.parse() == Ok(*address))
    };
    Ok(hosts.iter().filter(has).map(|h| text(h, "id").to_owned()).collect())
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
        assert_eq!((status("unhandle"), status("isolate_and_kill")), ("unhandled", "handled"));
    }
}
