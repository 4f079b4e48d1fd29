// SPDX-License-Identifier: Apache-2.0
//! The parameters of `list_host_status` as [`Wanted`].

use super::facts::Facts;
use super::place;
use super::standing::AGENT_STATUSES;
use super::wanted::{Addresses, Wanted};
use crate::ask::Ask;
use crate::error::HssError;
use crate::rest::Query;
use crate::words::beginning;
use std::net::IpAddr;

/// Names in one list.
const MOST_NAMES: usize = 60;

const DETECT_RESULTS: [(&str, &str); 4] =
    [("undetected", "undetected"), ("clean", "clean"), ("risk", "risk"), ("scanning", "scanning")];
const PROTECT_STATUSES: [(&str, &str); 3] =
    [("closed", "closed"), ("opened", "opened"), ("protection_exception", "protection_exception")];
/// Of a server itself Lazaret knows only that it runs.
const HOST_STATUSES: [(&str, Option<&str>); 4] =
    [("ACTIVE", Some("online")), ("SHUTOFF", None), ("BUILDING", None), ("ERROR", None)];
/// Whether Lazaret has such hosts.
const OS_TYPES: [(&str, bool); 2] = [("Linux", true), ("Windows", false)];
/// Two words that mean several states.
const INSTALLED: &[&str] = &["installed", "online", "offline", "install_failed", "installing"];
const NOT_ONLINE: &[&str] = &["installed", "offline", "install_failed", "installing", "not_installed"];

/// Things that no host of Lazaret has: asked for, nothing is found; asked away, nothing is lost.
const NEVER: [&str; 5] = ["has_vul", "has_baseline", "agent_upgradable", "binding_key", "incluster"];

/// An agent's state: one of ours, or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Agent {
    One(&'static str),
    Any(&'static [&'static str]),
}

fn agent_statuses() -> Vec<(&'static str, Agent)> {
    let mut all: Vec<_> = AGENT_STATUSES.iter().map(|(word, ours)| (*word, Agent::One(ours))).collect();
    all.extend([("installed", Agent::Any(INSTALLED)), ("not_online", Agent::Any(NOT_ONLINE))]);
    all
}

/// Which hosts are asked for; `None`: none can be meant. Every word is checked, also where nothing is found.
pub(super) fn hosts(ask: &Ask, scoped: Query, facts: &Facts) -> Result<Option<Wanted>, HssError> {
    let mut wanted = Wanted { query: scoped, ..Wanted::default() };
    let found = [
        never(ask)?,
        identity(ask, &mut wanted)?,
        addresses(ask, &mut wanted)?,
        place::groups(ask, facts, &mut wanted)?,
        place::payment(ask, facts, &mut wanted)?,
        state(ask, &mut wanted)?,
    ];
    push_text(&mut wanted);
    Ok(found.iter().all(|f| *f).then_some(wanted))
}

/// False where what is asked for is nothing that Lazaret has.
fn never(ask: &Ask) -> Result<bool, HssError> {
    let mut can = ask.word("os_type", &OS_TYPES)?.unwrap_or(true);
    for (name, most) in [("vpc_id", 128), ("label", 64), ("cluster_id", 64)] {
        can &= ask.short(name, most)?.is_none();
    }
    can &= NEVER.iter().all(|name| ask.flag(name) != Some(true));
    // All of them enrolled by themselves.
    Ok(can && ask.flag("outside_host") != Some(false))
}

/// Names and ids.
fn identity(ask: &Ask, wanted: &mut Wanted) -> Result<bool, HssError> {
    wanted.name_part = ask.short("host_name", 256)?.map(str::to_lowercase);
    let names = ask.list("host_name_list")?;
    if names.len() > MOST_NAMES {
        return Err(HssError::invalid(format!(
            "host_name_list: {} names, {MOST_NAMES} at most",
            names.len()
        )));
    }
    if !names.is_empty() {
        wanted.names = Some(names.into_iter().map(str::to_owned).collect());
    }
    let mut ids = ask.list("host_id_list")?;
    if let Some(id) = ask.short("host_id", 64)? {
        if ids.is_empty() {
            ids.push(id);
        } else {
            ids.retain(|i| *i == id);
        }
        if ids.is_empty() || id.contains(',') {
            return Ok(false);
        }
    }
    if !ids.is_empty() {
        wanted.query.push(("ids", ids.join(",")));
    }
    Ok(true)
}

/// What is no address is no host's.
fn addresses(ask: &Ask, wanted: &mut Wanted) -> Result<bool, HssError> {
    let mut can = true;
    for (name, private) in [("private_ip", Some(true)), ("public_ip", Some(false)), ("ip_addr", None)] {
        if let Some(text) = ask.short(name, 128)? {
            let any_of: Vec<IpAddr> = text.parse().into_iter().collect();
            can &= !any_of.is_empty();
            wanted.addresses.push(Addresses { any_of, private });
        }
    }
    for (name, private) in [("private_ip_list", Some(true)), ("public_ip_list", Some(false))] {
        let texts = ask.list(name)?;
        if !texts.is_empty() {
            let any_of: Vec<IpAddr> = texts.iter().filter_map(|t| t.parse().ok()).collect();
            can &= !any_of.is_empty();
            wanted.addresses.push(Addresses { any_of, private });
        }
    }
    Ok(can)
}

/// How it stands.
fn state(ask: &Ask, wanted: &mut Wanted) -> Result<bool, HssError> {
    let mut status = None;
    match ask.word("agent_status", &agent_statuses())? {
        Some(Agent::One(word)) => status = Some(word),
        Some(Agent::Any(words)) => wanted.statuses = Some(words),
        None => {}
    }
    let mut can = true;
    if let Some(of_host) = ask.word("host_status", &HOST_STATUSES)? {
        can = of_host.is_some() && (status.is_none() || status == of_host);
        status = of_host.or(status);
    }
    if let Some(status) = status {
        wanted.query.push(("status", status.to_owned()));
    }
    wanted.protect_status = ask.word("protect_status", &PROTECT_STATUSES)?;
    wanted.is_interrupted = ask.flag("protect_interrupt");
    wanted.is_degraded = ask.flag("protect_degradation");
    wanted.detect_result = ask.word("detect_result", &DETECT_RESULTS)?;
    wanted.has_intrusion = ask.flag("has_intrusion");
    Ok(can)
}

/// The API looks for one text in names, ids and addresses: for the one that leaves least.
fn push_text(wanted: &mut Wanted) {
    let address = wanted.addresses.iter().find_map(|a| match a.any_of.as_slice() {
        [only] => Some(only.to_string()),
        _ => None,
    });
    if let Some(text) = address.or_else(|| wanted.name_part.clone()) {
        wanted.query.push(("text", beginning(&text)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::facts::Group;
    use crate::sdk::{Found, sdk};

    fn read(query: &str) -> Result<Option<Wanted>, String> {
        let Found::Operation(o, named) = sdk().find("GET", "/v5/0/host-management/hosts") else { panic!() };
        let ask = Ask::read(o, named, query, b"").map_err(|e| e.message().to_owned())?;
        let group =
            |name: &str, policy: &str| Group { name: name.into(), policy: policy.into(), ..Group::default() };
        let facts = Facts {
            groups: [("a".into(), group("Web", "p")), ("b".into(), group("Web 2", "p"))].into(),
            policies: [("p".into(), "Strict".into())].into(),
            projects: [("0".into(), "default".into())].into(),
            ..Facts::default()
        };
        hosts(&ask, Vec::new(), &facts).map_err(|e| e.message().to_owned())
    }

    #[test]
    fn what_the_api_knows_goes_there() {
        for (query, plain, pushed) in [
            ("agent_status=online&asset_value=test", true, "importance=test status=online"),
            ("host_id_list=x,y&host_id=y", true, "ids=y"),
            ("host_status=ACTIVE", true, "status=online"),
            ("group_name=web%202", true, "group=b"),
            ("host_name=DB", false, "text=db"),
            ("private_ip=10.0.0.5&host_name=db", false, "text=10.0.0.5"),
            ("policy_group_name=strict", false, ""),
            ("agent_status=not_online", false, ""),
            ("os_type=Linux&has_vul=false&refresh=true&outside_host=true", true, ""),
        ] {
            let wanted = read(query).unwrap().unwrap();
            let shown: Vec<String> = wanted.query.iter().map(|(n, v)| format!("{n}={v}")).collect();
            assert_eq!((shown.join(" ").as_str(), wanted.is_plain()), (pushed, plain), "{query}");
        }
        let above = read("version=hss.version.premium&above_version=true").unwrap().unwrap();
        assert_eq!(above.editions.as_deref(), Some(&["premium", "wtp", "container"][..]));
    }

    #[test]
    fn what_no_host_has_finds_nothing() {
        for query in [
            "os_type=Windows",
            "has_vul=true",
            "vpc_id=v",
            "cluster_id=c",
            "label=l",
            "outside_host=false",
            "host_status=SHUTOFF",
            "host_status=ACTIVE&agent_status=offline",
            "host_id=x&host_id_list=y,z",
            "private_ip=web-1",
            "public_ip_list=a,b",
            "group_name=mail",
            "server_group=Web%203",
            "policy_group_id=q",
            "charging_mode=on_demand",
        ] {
            assert!(read(query).unwrap().is_none(), "{query}");
        }
    }

    #[test]
    fn hosts_without_a_group_have_the_default_policy() {
        let groups = |query: &str| read(query).unwrap().and_then(|w| w.groups);
        let id = crate::policies::default_group::id("0");
        for query in ["policy_group_name=Default_policy".to_owned(), format!("policy_group_id={id}")] {
            let found = groups(&query).unwrap();
            assert!(found.ids.is_empty() && found.none_in.contains("0"), "{query}");
        }
        assert!(groups("policy_group_name=default_policy&group_name=web").is_none());
    }

    #[test]
    fn words_are_checked() {
        for query in ["agent_status=gone", "os_type=BSD&has_vul=true", "version=gold", "detect_result=bad"] {
            assert!(read(query).is_err_and(|e| e.contains("is none of")), "{query}");
        }
        let names = vec!["n"; 61].join(",");
        assert!(read(&format!("host_name_list={names}")).is_err_and(|e| e.contains("61 names")));
    }
}
