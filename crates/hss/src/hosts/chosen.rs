// SPDX-License-Identifier: Apache-2.0
//! Hosts that a body names: looked at before anything is written, then written to in batches.

use crate::body::ids;
use crate::call::Call;
use crate::error::HssError;
use crate::host;
use crate::ids::AT_ONCE;
use crate::page;
use crate::words::quoted;
use serde_json::{Value, json};

/// Hosts of one request that means all of a project.
const MOST: u64 = 20_000;

/// The ids of a list in a body, each once; `None` without the list.
pub(super) fn named(body: &Value, field: &str) -> Result<Option<Vec<String>>, HssError> {
    let Some(ids) = ids(body, field, 128)? else { return Ok(None) };
    // Ids go to the API as a list with commas.
    match ids.iter().find(|id| id.contains(',')) {
        Some(id) => Err(HssError::invalid(format!(
            "{field}: \"{}\" is no id of a host: give host_id of list_host_status",
            quoted(id, 80)
        ))),
        None => Ok(Some(ids.into_iter().map(str::to_owned).collect())),
    }
}

/// The same of a list that must name somebody.
pub(super) fn needed(body: &Value, field: &str) -> Result<Vec<String>, HssError> {
    let ids = named(body, field)?.unwrap_or_default();
    if ids.is_empty() {
        return Err(HssError::invalid(format!("{field}: names no host: give at least one host_id")));
    }
    Ok(ids)
}

/// Those hosts, in the projects that are asked for; the first one that is not there is the error.
pub(super) async fn hosts(call: &Call, ids: &[String]) -> Result<Vec<Value>, HssError> {
    let mut found = host::here(call, ids.iter().map(String::as_str)).await?;
    ids.iter().map(|id| found.remove(id).ok_or_else(|| HssError::missing("host", id))).collect()
}

/// All hosts of the projects that are asked for and that `keep` keeps.
pub(super) async fn every(
    call: &Call,
    group: Option<&str>,
    keep: impl Fn(&Value) -> bool + Send + Sync,
) -> Result<Vec<Value>, HssError> {
    let mut query = call.scoped();
    query.extend(group.map(|g| ("group", g.to_owned())));
    let mut out = Vec::new();
    // What is left out counts too: it is looked at.
    let all = page::each(&call.rest, "/hosts", &query, MOST, |h| {
        if keep(h) {
            out.push(h.clone());
        }
        true
    });
    if !all.await? {
        return Err(HssError::invalid(format!(
            "over {MOST} hosts for one request: name hosts instead, a hundred at a time"
        )));
    }
    Ok(out)
}

/// Changes hosts' group or importance, a batch at a time.
pub(super) async fn assign(call: &Call, ids: &[String], change: (&str, Value)) -> Result<(), HssError> {
    let (field, value) = change;
    for (i, part) in ids.chunks(AT_ONCE).enumerate() {
        let body = json!({ "hosts": part, field: value });
        if let Err(e) = call.rest.post("/hosts/assign", &body).await {
            let done = i * AT_ONCE;
            let more = format!("; of {} hosts {done} were changed before", ids.len());
            return Err(if done > 0 { e.and(&more) } else { e });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_once_and_none_that_is_a_list() {
        let body = json!({ "host_id_list": ["a", "b", "a"], "bad": ["a,b"], "none": [] });
        assert_eq!(needed(&body, "host_id_list").unwrap(), ["a", "b"]);
        assert!(named(&body, "bad").is_err_and(|e| e.message().starts_with("bad: ")));
        assert!(needed(&body, "none").is_err() && needed(&body, "absent").is_err());
        assert_eq!(named(&body, "none").unwrap(), Some(Vec::new()));
        assert_eq!(named(&body, "absent").unwrap(), None);
    }
}
