// SPDX-License-Identifier: Apache-2.0
//! `cancel_hosts_quota`: takes from hosts what they have.

use super::pools::{self, Resource};
use crate::ask::Offset;
use crate::body::ids;
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::page;
use crate::words::text;
use serde_json::{Value, json};

pub(crate) async fn cancel_hosts_quota(call: &Call) -> Answer {
    let ids = named(&call.ask.body)?;
    let mut hosts: Vec<String> = Vec::new();
    // All are found before the first is taken.
    for id in &ids {
        hosts.extend(holder(call, id).await?);
    }
    hosts.sort_unstable();
    hosts.dedup();
    if !hosts.is_empty() {
        call.rest.post("/quotas/unbind", &json!({ "hosts": hosts })).await?;
    }
    Ok(json!({}).into())
}

fn named(body: &Value) -> Result<Vec<&str>, HssError> {
    ids(body, "resource_id_list", 256)?.filter(|ids| !ids.is_empty()).ok_or_else(|| {
        HssError::invalid("resource_id_list: names no quota: list_quotas_detail has those that are used")
    })
}

/// The host that has it; none where the quota is idle.
async fn holder(call: &Call, id: &str) -> Result<Option<String>, HssError> {
    let resource = Resource::read(id);
    pools::one(call, resource.pool).await?;
    let has = |h: &Value| text(h, "edition.quota") == resource.pool;
    let mut query = call.scoped();
    if let Some(host) = resource.host {
        if host.contains(',') {
            return Err(HssError::missing("quota of a host", id));
        }
        query.push(("ids", host.to_owned()));
    }
    let listed = page::kept(&call.rest, "/hosts", &query, Offset { offset: 0, limit: 1 }, has).await?;
    let first = listed.items.first().map(|h| text(h, "id").to_owned());
    match (resource.host, listed.total) {
        (Some(_), 0) => Err(HssError::missing("quota of a host", id)),
        (None, 2..) => Err(HssError::conflict(format!(
            "resource_id_list: {} hosts have the quota {id}, and nobody takes it from all of them by its id: name what \
             is to be taken by the resource_id that list_quotas_detail has for each host",
            listed.total
        ))),
        _ => Ok(first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_must_be_named() {
        assert_eq!(named(&json!({ "resource_id_list": ["q", "q.h"] })).unwrap(), ["q", "q.h"]);
        for bad in [json!({}), json!({ "resource_id_list": [] }), json!({ "resource_id_list": [""] })] {
            assert!(named(&bad).is_err_and(|e| e.message().starts_with("resource_id_list")), "{bad}");
        }
    }
}
