// SPDX-License-Identifier: Apache-2.0
//! The parameters of `list_host_status` about where hosts belong: groups, policy groups, importance, editions, quotas.

use super::editions::{self, CHARGING_MODES, VERSIONS};
use super::facts::{Facts, Group};
use super::wanted::{Groups, Wanted};
use crate::ask::Ask;
use crate::error::HssError;
use crate::words::ASSET_VALUES;
use std::collections::BTreeSet;

/// By group and by the policy group of the group.
pub(super) fn groups(ask: &Ask, facts: &Facts, wanted: &mut Wanted) -> Result<bool, HssError> {
    let id = ask.short("group_id", 128)?;
    let name = ask.short("group_name", 64)?.map(str::to_lowercase);
    let server_group = ask.short("server_group", 64)?;
    let policy = ask.short("policy_group_id", 128)?;
    let policy_name = ask.short("policy_group_name", 256)?.map(str::to_lowercase);
    if let Some(value) = ask.word("asset_value", &ASSET_VALUES)? {
        wanted.query.push(("importance", value.to_owned()));
    }
    if (id, &name, server_group, policy, &policy_name) == (None, &None, None, None, &None) {
        return Ok(true);
    }
    let has =
        |text: &str, part: &Option<String>| part.as_ref().is_none_or(|p| text.to_lowercase().contains(p));
    let follows = |group: Option<&Group>, project: &str| {
        let (id, title) = facts.policy(group, project);
        policy.is_none_or(|p| p == id) && has(title, &policy_name)
    };
    let fits = |(key, g): &(&String, &Group)| {
        id.is_none_or(|i| i == key.as_str())
            && has(&g.name, &name)
            && server_group.is_none_or(|s| s == g.name || s == key.as_str())
            && follows(Some(g), &g.project)
    };
    let ids: BTreeSet<String> = facts.groups.iter().filter(fits).map(|(key, _)| key.clone()).collect();
    let by_policy_alone = (id, &name, server_group) == (None, &None, None);
    let none_in = facts.projects.keys().filter(|p| by_policy_alone && follows(None, p)).cloned().collect();
    let found = Groups { ids, none_in };
    let any = found != Groups::default();
    match found.ids.first() {
        Some(only) if found.ids.len() == 1 && found.none_in.is_empty() => {
            wanted.query.push(("group", only.clone()));
        }
        _ => wanted.groups = Some(found),
    }
    Ok(any)
}

/// Editions and quotas.
pub(super) fn payment(ask: &Ask, facts: &Facts, wanted: &mut Wanted) -> Result<bool, HssError> {
    let above = ask.flag("above_version") == Some(true);
    wanted.editions =
        ask.word("version", &VERSIONS)?.map(|e| if above { editions::from(e) } else { vec![e] });
    if let Some(mode) = ask.word("charging_mode", &CHARGING_MODES)? {
        let all = facts.pools.values().filter(|p| p.charging_mode() == mode);
        wanted.quotas = Some(all.map(|p| p.id.clone()).collect());
    }
    Ok(wanted.quotas.as_ref().is_none_or(|q| !q.is_empty()))
}
