// SPDX-License-Identifier: Apache-2.0
//! `list_quotas_detail`: each quota with who has it. Those that hosts have come first, then what is left.

use super::numbers;
use super::pools::{self, Pool, Resource};
use crate::ask::{Ask, Offset};
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::hosts::editions::{CHARGING_MODES, VERSIONS};
use crate::page::{self, Listed};
use crate::project;
use crate::rest::Query;
use crate::words::{beginning, text};
use serde_json::{Value, json};
use std::collections::HashMap;

const STATUSES: [(&str, &str); 3] = [("normal", "normal"), ("expired", "expired"), ("freeze", "freeze")];
/// Whether a host has it.
const USES: [(&str, bool); 2] = [("idle", false), ("used", true)];
/// Whether it is for containers.
const CATEGORIES: [(&str, bool); 2] = [("host_resource", false), ("container_resource", true)];

/// What is asked for.
#[derive(Debug, Default)]
struct Wanted {
    edition: Option<&'static str>,
    for_containers: Option<bool>,
    status: Option<&'static str>,
    is_used: Option<bool>,
    charging_mode: Option<&'static str>,
    /// In lower case.
    host_name: Option<String>,
    hosts: Vec<String>,
    pool: Option<String>,
    /// The host of a `resource_id` that has one.
    holder: Option<String>,
}

impl Wanted {
    fn of(ask: &Ask) -> Result<Self, HssError> {
        let resource = ask.short("resource_id", 128)?.map(Resource::read);
        Ok(Self {
            edition: ask.word("version", &VERSIONS)?,
            for_containers: ask.word("category", &CATEGORIES)?,
            status: ask.word("quota_status", &STATUSES)?,
            is_used: ask.word("used_status", &USES)?,
            charging_mode: ask.word("charging_mode", &CHARGING_MODES)?,
            host_name: ask.short("host_name", 256)?.map(str::to_lowercase),
            hosts: ask.list("host_id_list")?.into_iter().map(str::to_owned).collect(),
            pool: resource.map(|r| r.pool.to_owned()),
            holder: resource.and_then(|r| r.host).map(str::to_owned),
        })
    }

    fn has_pool(&self, p: &Pool) -> bool {
        self.edition.is_none_or(|e| e == p.edition)
            && self.for_containers.is_none_or(|c| c == (p.edition == "container"))
            && self.status.is_none_or(|s| s == p.status)
            && self.charging_mode.is_none_or(|m| m == p.charging_mode())
            && self.pool.as_ref().is_none_or(|id| *id == p.id)
    }

    fn has_host(&self, host: &Value) -> bool {
        let name = text(host, "name").to_lowercase();
        self.host_name.as_ref().is_none_or(|part| name.contains(part.as_str()))
            && self.holder.as_ref().is_none_or(|id| id == text(host, "id"))
    }

    /// What nobody has has no host.
    fn takes_idle(&self) -> bool {
        self.is_used != Some(true)
            && self.host_name.is_none()
            && self.hosts.is_empty()
            && self.holder.is_none()
    }

    fn push(&self, query: &mut Query) {
        if !self.hosts.is_empty() {
            query.push(("ids", self.hosts.join(",")));
        }
        if let Some(part) = self.holder.as_ref().or(self.host_name.as_ref()) {
            query.push(("text", beginning(part)));
        }
    }
}

pub(crate) async fn list_quotas_detail(call: &Call) -> Answer {
    let at = call.ask.offset()?;
    let wanted = Wanted::of(&call.ask)?;
    let all = pools::read(call).await?;
    let projects = project::names(call).await?;
    let chosen: HashMap<&str, &Pool> =
        all.iter().filter(|p| wanted.has_pool(p)).map(|p| (p.id.as_str(), p)).collect();
    let used = if wanted.is_used == Some(false) || chosen.is_empty() {
        Listed::default()
    } else {
        let mut query = call.scoped();
        wanted.push(&mut query);
        let has = |h: &Value| chosen.contains_key(text(h, "edition.quota")) && wanted.has_host(h);
        page::kept(&call.rest, "/hosts", &query, at, has).await?
    };
    let of_host = |h: &Value| chosen.get(text(h, "edition.quota")).map(|p| used_row(p, h, &projects));
    let mut rows: Vec<Value> = used.items.iter().filter_map(of_host).collect();
    let mut total = used.total;
    if wanted.takes_idle() {
        let rest = Offset {
            offset: at.offset.saturating_sub(total),
            limit: at.limit.saturating_sub(rows.len() as u64),
        };
        let in_order: Vec<&Pool> = all.iter().filter(|p| wanted.has_pool(p)).collect();
        let (more, many) = idle_rows(&in_order, rest, &projects);
        rows.extend(more);
        total += many;
    }
    let mut answer = numbers::of(&all);
    if let Value::Object(fields) = &mut answer {
        fields.insert("total_num".to_owned(), total.into());
        fields.insert("data_list".to_owned(), rows.into());
    }
    Ok(answer.into())
}

fn row(p: &Pool, id: String, is_used: bool) -> Value {
    json!({
        "resource_id": id,
        "version": p.version(),
        "quota_status": p.status,
        "used_status": if is_used { "used" } else { "idle" },
        "charging_mode": p.charging_mode(),
        "expire_time": p.expires,
        "create_time": p.created,
        "shared_quota": p.shared(),
        "lazaret_quota_id": p.id,
    })
}

fn with(mut row: Value, more: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut row, more) {
        fields.extend(more);
    }
    row
}

fn used_row(p: &Pool, host: &Value, projects: &HashMap<String, String>) -> Value {
    let project = text(host, "project");
    with(
        row(p, Resource::name(&p.id, text(host, "id")), true),
        json!({
            "host_id": text(host, "id"),
            "host_name": text(host, "name"),
            "enterprise_project_id": project,
            "enterprise_project_name": projects.get(project),
        }),
    )
}

/// One row for each host that could have it; one where there is no limit, or none that the caller is told.
fn idle_rows(pools: &[&Pool], at: Offset, projects: &HashMap<String, String>) -> (Vec<Value>, u64) {
    let (mut rows, mut total) = (Vec::new(), 0);
    let end = at.offset.saturating_add(at.limit);
    for p in pools {
        let many = p.idle.unwrap_or(1);
        let from = at.offset.max(total);
        let until = end.min(total.saturating_add(many));
        let project = Some(p.project.as_str()).filter(|_| !p.is_shared());
        for _ in from..until {
            let place = json!({
                "enterprise_project_id": project,
                "enterprise_project_name": project.and_then(|id| projects.get(id)),
            });
            rows.push(with(row(p, p.id.clone(), false), place));
        }
        total = total.saturating_add(many);
    }
    (rows, total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(id: &str, total: Option<u64>, used: u64) -> Pool {
        Pool::of(&json!({
            "id": id, "project": "0", "edition": "container", "quota_status": "normal", "total": total,
            "used": used, "idle": total.map(|t| t - used), "unlimited": total.is_none(),
        }))
    }

    #[test]
    fn what_is_left_is_counted_without_being_made() {
        let (a, b) = (pool("a", Some(1_000_000), 0), pool("b", None, 3));
        let none = HashMap::new();
        let (rows, total) = idle_rows(&[&a, &b], Offset { offset: 999_999, limit: 10 }, &none);
        let ids: Vec<&str> = rows.iter().map(|r| text(r, "resource_id")).collect();
        assert_eq!((ids, total), (vec!["a", "b"], 1_000_001));
        assert_eq!(idle_rows(&[&a], Offset { offset: 5, limit: 0 }, &none).0, [Value::Null; 0]);
    }

    #[test]
    fn what_a_host_has_goes_by_both_ids() {
        let host = json!({ "id": "h", "name": "Web", "project": "0" });
        let row = used_row(&pool("a", Some(5), 1), &host, &[("0".to_owned(), "default".to_owned())].into());
        assert_eq!((&row["resource_id"], &row["used_status"]), (&json!("a.h"), &json!("used")));
        assert_eq!((&row["host_name"], &row["enterprise_project_name"]), (&json!("Web"), &json!("default")));
        assert_eq!(
            (&row["version"], &row["expire_time"]),
            (&json!("hss.version.container.enterprise"), &json!(-1))
        );
    }

    #[test]
    fn filters() {
        let wanted = Wanted { for_containers: Some(false), ..Wanted::default() };
        assert!(!wanted.has_pool(&pool("a", None, 0)) && wanted.takes_idle());
        let wanted = Wanted { host_name: Some("we".to_owned()), ..Wanted::default() };
        assert!(wanted.has_host(&json!({ "name": "Web" })) && !wanted.takes_idle());
    }
}
