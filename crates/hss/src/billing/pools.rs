// SPDX-License-Identifier: Apache-2.0
//! Quotas of the API. HSS's quota is for one host and has an id; ours is for many. So a quota goes by its id, and what
//! one host has of it by both ids, which is what an operation about one host's quota takes.

use crate::call::Call;
use crate::error::HssError;
use crate::hosts::editions;
use crate::rest::part;
use crate::words::{ms, text};
use serde_json::Value;

/// Of all projects.
const SHARED: &str = "*";

/// A quota.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    pub(crate) id: String,
    pub(crate) project: String,
    pub(crate) edition: String,
    /// `normal`, `expired`, `freeze`.
    pub(crate) status: String,
    /// Absent: without a limit, or the caller is not told.
    pub(crate) total: Option<u64>,
    pub(crate) used: u64,
    pub(crate) idle: Option<u64>,
    pub(crate) is_unlimited: bool,
    /// Milliseconds; -1: never.
    pub(crate) expires: Value,
    /// Milliseconds.
    pub(crate) created: Value,
}

impl Pool {
    /// Of the API's JSON.
    pub(crate) fn of(quota: &Value) -> Self {
        let word = |name: &str| text(quota, name).to_owned();
        let number = |name: &str| quota.get(name).and_then(Value::as_i64).map(|n| n.max(0).unsigned_abs());
        let time = |name: &str| ms(quota.get(name).unwrap_or(&Value::Null));
        let ends = time("expires_at");
        Self {
            id: word("id"),
            project: word("project"),
            edition: word("edition"),
            status: word("quota_status"),
            total: number("total"),
            used: number("used").unwrap_or(0),
            idle: number("idle"),
            is_unlimited: quota.get("unlimited").and_then(Value::as_bool) == Some(true),
            expires: if ends.is_null() { Value::from(-1) } else { ends },
            created: time("created_at"),
        }
    }

    /// Of all projects.
    pub(crate) fn is_shared(&self) -> bool {
        self.project == SHARED
    }

    /// HSS's word for that.
    pub(crate) fn shared(&self) -> &'static str {
        if self.is_shared() { "shared" } else { "unshared" }
    }

    /// See [`editions::CHARGING_MODES`].
    pub(crate) fn charging_mode(&self) -> &'static str {
        if self.is_unlimited { "on_demand" } else { "packet_cycle" }
    }

    /// HSS's name of its edition.
    pub(crate) fn version(&self) -> Option<&'static str> {
        editions::version(&self.edition)
    }

    /// Whether something may be left of it.
    pub(crate) fn is_available(&self) -> bool {
        self.status == "normal" && self.idle != Some(0)
    }

    /// How many there are in all: without a limit those that are used; `None`: the caller is not told.
    pub(crate) fn size(&self) -> Option<u64> {
        if self.is_unlimited { Some(self.used) } else { self.total }
    }

    /// Takes so many, or as many as are left.
    pub(crate) fn take(&mut self, wanted: usize) -> usize {
        let Some(idle) = &mut self.idle else { return wanted };
        let some = wanted.min(usize::try_from(*idle).unwrap_or(usize::MAX));
        *idle = idle.saturating_sub(some as u64);
        some
    }
}

/// Quotas that the projects that are asked for can take from.
pub(crate) async fn read(call: &Call) -> Result<Vec<Pool>, HssError> {
    let rows = call.rest.items("/quotas").await?;
    let here = |p: &Pool| p.is_shared() || call.one_project().is_none_or(|project| project == p.project);
    Ok(rows.iter().map(Pool::of).filter(here).collect())
}

/// One of them, as the API has it.
pub(crate) async fn one(call: &Call, id: &str) -> Result<Value, HssError> {
    let found = call.rest.get(&format!("/quotas/{}", part(id)), &[]).await?;
    let pool = Pool::of(&found);
    if !pool.is_shared() && call.one_project().is_some_and(|p| p != pool.project) {
        return Err(HssError::missing("quota", id));
    }
    Ok(found)
}

/// What is left of those in force; `None` where nothing is known.
pub(crate) fn idle(pools: &[Pool]) -> Option<u64> {
    let known: Vec<u64> = pools.iter().filter(|p| p.status == "normal").filter_map(|p| p.idle).collect();
    (!known.is_empty()).then(|| known.iter().sum())
}

/// HSS's `resource_id`: a quota, or what a host has of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resource<'a> {
    pub(crate) pool: &'a str,
    pub(crate) host: Option<&'a str>,
}

impl<'a> Resource<'a> {
    /// Both forms.
    pub(crate) fn read(id: &'a str) -> Self {
        match id.split_once('.') {
            Some((pool, host)) => Self { pool, host: Some(host) },
            None => Self { pool: id, host: None },
        }
    }

    /// What a host has.
    pub(crate) fn name(pool: &str, host: &str) -> String {
        format!("{pool}.{host}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn quotas_of_the_api() {
        let mut pool = Pool::of(&json!({
            "id": "q", "project": "*", "edition": "container", "total": 5, "used": 2, "idle": 3, "unlimited": false,
            "quota_status": "normal", "expires_at": null, "created_at": "1970-01-01T00:00:00.003Z",
        }));
        assert_eq!((pool.shared(), pool.charging_mode()), ("shared", "packet_cycle"));
        assert_eq!((pool.version(), &pool.expires), (Some("hss.version.container.enterprise"), &json!(-1)));
        assert_eq!((&pool.created, pool.size()), (&json!(3), Some(5)));
        assert_eq!((pool.take(2), pool.take(2), pool.take(1)), (2, 1, 0));
        assert!(!pool.is_available());
        let mut free = Pool::of(&json!({ "id": "f", "project": "0", "used": 4, "unlimited": true }));
        assert_eq!((free.take(1000), free.size(), free.charging_mode()), (1000, Some(4), "on_demand"));
        assert_eq!(idle(&[free]), None);
    }

    #[test]
    fn resources() {
        let id = Resource::name("q", "h");
        assert_eq!(Resource::read(&id), Resource { pool: "q", host: Some("h") });
        assert_eq!(Resource::read("q"), Resource { pool: "q", host: None });
    }
}
