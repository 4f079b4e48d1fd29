// SPDX-License-Identifier: Apache-2.0
//! Plans of scans, with the hosts that they are for.

use super::places::{self, has};
use super::plan;
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::host::by_id;
use crate::page;
use crate::words;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

/// Hosts of one plan that are named.
const MOST_OF_ONE: usize = 1_000;
/// Hosts of one answer that are named.
const MOST: usize = 5_000;
/// Hosts of one group that are counted.
const MOST_OF_GROUP: u64 = 10_000;

/// What is known of hosts while one answer is put together.
#[derive(Debug, Default)]
struct Known {
    /// Of a whole project: the first of them, and how many there are.
    projects: HashMap<String, (Vec<Value>, u64)>,
    /// Ids of a group's hosts, and whether there are more.
    groups: HashMap<String, (Vec<String>, bool)>,
    hosts: HashMap<String, Value>,
    named: usize,
}

fn texts<'a>(value: &'a Value, path: &str) -> impl Iterator<Item = &'a str> {
    words::at(value, path).as_array().into_iter().flatten().filter_map(Value::as_str)
}

impl Known {
    async fn of_project(&mut self, call: &Call, project: &str) -> Result<&(Vec<Value>, u64), HssError> {
        if !self.projects.contains_key(project) {
            let query = vec![("project", project.to_owned())];
            let first = crate::ask::Offset { offset: 0, limit: MOST_OF_ONE as u64 };
            let listed = page::page(&call.rest, "/hosts", &query, first).await?;
            self.projects.insert(project.to_owned(), (listed.items, listed.total));
        }
        self.projects.get(project).ok_or_else(|| HssError::internal("hosts of a project were not kept"))
    }

    async fn of_group(&mut self, call: &Call, group: &str) -> Result<(Vec<String>, bool), HssError> {
        if let Some(known) = self.groups.get(group) {
            return Ok(known.clone());
        }
        let query = vec![("group", group.to_owned())];
        let mut hosts = Vec::new();
        let all = page::each(&call.rest, "/hosts", &query, MOST_OF_GROUP, |host| {
            hosts.push(host.clone());
            true
        });
        let is_capped = !all.await?;
        let ids: Vec<String> = hosts.iter().map(|h| words::text(h, "id").to_owned()).collect();
        self.hosts.extend(hosts.into_iter().map(|h| (words::text(&h, "id").to_owned(), h)));
        self.groups.insert(group.to_owned(), (ids.clone(), is_capped));
        Ok((ids, is_capped))
    }

    /// How many hosts a plan is for, whether there are more than that, and those that are named.
    async fn of_plan(&mut self, call: &Call, plan: &Value) -> Result<(u64, bool, Vec<Value>), HssError> {
        let mut is_capped = false;
        let left = MOST.saturating_sub(self.named).min(MOST_OF_ONE);
        let row = |h: &Value| Value::Object(places::short(h, Some(h)));
        let (total, rows): (u64, Vec<Value>) =
            if words::at(plan, "settings.all_hosts").as_bool().unwrap_or(false) {
                let (hosts, total) = self.of_project(call, words::text(plan, "project")).await?;
                (*total, hosts.iter().take(left).map(row).collect())
            } else {
                let mut ids: BTreeSet<String> = texts(plan, "settings.hosts").map(str::to_owned).collect();
                for group in texts(plan, "settings.groups") {
                    let (of, more) = self.of_group(call, group).await?;
                    ids.extend(of);
                    is_capped |= more;
                }
                let unknown =
                    ids.iter().take(left).map(String::as_str).filter(|id| !self.hosts.contains_key(*id));
                let found = by_id(call, unknown.collect::<Vec<_>>()).await?;
                self.hosts.extend(found);
                let one = |id: &String| self.hosts.get(id).map_or_else(|| json!({ "host_id": id }), row);
                (ids.len() as u64, ids.iter().take(left).map(one).collect())
            };
        self.named += rows.len();
        Ok((total, is_capped, rows))
    }
}

/// Every plan that the caller may see: that list has no pages.
pub(super) async fn all(call: &Call) -> Result<Vec<Value>, HssError> {
    let mut found = call.rest.get("/scan-policies", &[]).await?;
    Ok(match found.get_mut("items").map(Value::take) {
        Some(Value::Array(plans)) => plans,
        _ => Vec::new(),
    })
}

/// Whether a plan is among those that are asked for.
fn keeps(plan: &Value, project: Option<&str>, name: Option<&str>, kind: Option<&str>) -> bool {
    project.is_none_or(|p| words::text(plan, "project") == p)
        && name.is_none_or(|n| has(plan, "name", n))
        && kind.is_none_or(|k| words::text(plan, "settings.kind") == k)
}

pub(crate) async fn list_anti_virus_policy(call: &Call) -> Answer {
    let at = call.ask.offset()?;
    let (name, kind) = (call.ask.text("policy_name"), call.ask.word("scan_type", &plan::KINDS)?);
    let mut plans = all(call).await?;
    plans.retain(|p| keeps(p, call.one_project(), name, kind));
    let listed = page::cut(plans, at);
    let mut known = Known::default();
    let mut rows = Vec::with_capacity(listed.items.len());
    for p in &listed.items {
        let (total, is_capped, hosts) = known.of_plan(call, p).await?;
        let mut row = plan::policy(p);
        let left_out = total.saturating_sub(hosts.len() as u64);
        row["host_num"] = json!(total);
        row["lazaret_host_num_is_capped"] = json!(is_capped.then_some(true));
        row["host_info_list"] = json!(hosts);
        row["lazaret_hosts_left_out"] = if left_out > 0 { json!(left_out) } else { Value::Null };
        rows.push(row);
    }
    Ok(json!({ "total_num": listed.total, "data_list": rows }).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_by_project_name_and_kind() {
        let plan =
            json!({ "project": "0", "name": "Weekly full", "settings": { "kind": "full", "groups": ["g"] } });
        assert!(keeps(&plan, None, None, None));
        assert!(keeps(&plan, Some("0"), Some("weekly"), Some("full")));
        assert!(!keeps(&plan, Some("1"), None, None));
        assert!(!keeps(&plan, None, Some("daily"), None));
        assert!(!keeps(&plan, None, None, Some("quick")));
        assert_eq!(texts(&plan, "settings.groups").collect::<Vec<_>>(), ["g"]);
    }
}
