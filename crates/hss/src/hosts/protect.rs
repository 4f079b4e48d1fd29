// SPDX-License-Identifier: Apache-2.0
//! `switch_hosts_protect_status`: which edition protects hosts, by the quota that is bound to them.

use super::chosen;
use super::editions::{CHARGING_MODES, NONE, VERSIONS, version};
use crate::billing::pools::{self, Pool, Resource};
use crate::body::{needed_in, needed_word_in, short_in, word_in};
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::host;
use crate::words::text;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A quota, and the hosts that are to have it.
type Binding = (String, Vec<String>);

pub(crate) async fn switch_hosts_protect_status(call: &Call) -> Answer {
    let body = &call.ask.body;
    let edition = needed_word_in(body, "", "version", &VERSIONS)?;
    let mode = word_in(body, "", "charging_mode", &CHARGING_MODES)?;
    let resource = short_in(body, "", "resource_id", 128)?;
    tags(body)?;
    let ids = chosen::needed(body, "host_id_list")?;
    let hosts = chosen::hosts(call, &ids).await?;
    if edition == NONE {
        call.rest.post("/quotas/unbind", &json!({ "hosts": ids })).await?;
        return Ok(json!({}).into());
    }
    let bindings = match resource {
        Some(resource) => vec![(named(call, resource, edition).await?, ids)],
        None => chosen_quotas(&hosts, pools::read(call).await?, edition, mode)?,
    };
    bind(call, &bindings).await?;
    Ok(json!({}).into())
}

/// Labels for bills, which Lazaret does not write: only their form is looked at.
fn tags(body: &Value) -> Result<(), HssError> {
    let tags = body.get("tags").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for (i, tag) in tags.iter().enumerate() {
        let place = format!("tags[{i}].");
        needed_in(tag, &place, "key", 128)?;
        short_in(tag, &place, "value", 255)?;
    }
    Ok(())
}

/// The quota that was named, which must be of the edition.
async fn named(call: &Call, resource: &str, edition: &str) -> Result<String, HssError> {
    let pool = Pool::of(&pools::one(call, Resource::read(resource).pool).await?);
    if pool.edition == edition {
        return Ok(pool.id);
    }
    let of = version(&pool.edition).unwrap_or("another version");
    Err(HssError::invalid(format!(
        "version: the quota {resource} is of {of}: name that version, or another quota"
    )))
}

/// Quotas for the hosts that do not have the edition yet: those of the payment that was named before others, those of
/// the project before shared ones.
fn chosen_quotas(
    hosts: &[Value],
    pools: Vec<Pool>,
    edition: &str,
    mode: Option<&str>,
) -> Result<Vec<Binding>, HssError> {
    let mut by_project: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let has = |h: &Value| host::has_edition(h) && text(h, "edition.edition") == edition;
    for host in hosts.iter().filter(|h| !has(h)) {
        by_project.entry(text(host, "project")).or_default().push(text(host, "id").to_owned());
    }
    let mut pools: Vec<Pool> =
        pools.into_iter().filter(|p| p.edition == edition && p.status == "normal").collect();
    pools.sort_by_key(|p| (mode.is_some_and(|m| m != p.charging_mode()), p.is_shared()));
    let mut out = Vec::new();
    for (project, mut ids) in by_project {
        for pool in pools.iter_mut().filter(|p| p.is_shared() || p.project == project) {
            let some = pool.take(ids.len());
            let rest = ids.split_off(some.min(ids.len()));
            if !ids.is_empty() {
                out.push((pool.id.clone(), std::mem::replace(&mut ids, rest)));
            } else {
                ids = rest;
            }
        }
        if !ids.is_empty() {
            let word = version(edition).unwrap_or(edition);
            return Err(HssError::conflict(format!(
                "of {word} too little is left for {} more hosts: unbind other hosts first, or let an administrator \
                 enlarge the quota; show_resource_quotas tells what is left",
                ids.len()
            )));
        }
    }
    Ok(out)
}

async fn bind(call: &Call, bindings: &[Binding]) -> Result<(), HssError> {
    let mut done = 0;
    for (quota, hosts) in bindings {
        if let Err(e) = call.rest.post("/quotas/bind", &json!({ "quota": quota, "hosts": hosts })).await {
            let more = format!("; {done} hosts were switched before, the others were not");
            return Err(if done > 0 { e.and(&more) } else { e });
        }
        done += hosts.len();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(id: &str, project: &str, idle: Option<u64>) -> Pool {
        Pool::of(&json!({
            "id": id, "project": project, "edition": "premium", "quota_status": "normal", "used": 0,
            "total": idle, "idle": idle, "unlimited": idle.is_none(),
        }))
    }

    fn host(id: &str, edition: &str) -> Value {
        json!({ "id": id, "project": "0", "edition": { "edition": edition } })
    }

    fn hosts() -> Vec<Value> {
        vec![host("a", "none"), host("b", "basic"), host("c", "premium")]
    }

    #[test]
    fn the_project_before_what_is_shared() {
        let pools = vec![pool("s", "*", None), pool("p", "0", Some(1)), pool("other", "1", Some(9))];
        let bindings = chosen_quotas(&hosts(), pools, "premium", None).unwrap();
        let expected = [("p".to_owned(), vec!["a".to_owned()]), ("s".to_owned(), vec!["b".to_owned()])];
        assert_eq!(bindings, expected, "and who has it keeps it");
    }

    #[test]
    fn payment_goes_first() {
        let pools = vec![pool("p", "0", Some(9)), pool("s", "*", None)];
        let bindings = chosen_quotas(&hosts(), pools, "premium", Some("on_demand")).unwrap();
        assert_eq!(bindings, [("s".to_owned(), vec!["a".to_owned(), "b".to_owned()])]);
    }

    #[test]
    fn too_little_is_said_before_anything_is_written() {
        let e = chosen_quotas(&hosts(), vec![pool("p", "0", Some(1))], "premium", None).unwrap_err();
        assert!(e.message().contains("1 more hosts"), "{}", e.message());
        assert!(chosen_quotas(&hosts(), vec![pool("p", "0", None)], "wtp", None).is_err());
    }

    #[test]
    fn tags_have_a_form() {
        assert!(tags(&json!({ "tags": [{ "key": "a", "value": "b" }] })).is_ok());
        assert!(
            tags(&json!({ "tags": [{ "value": "b" }] }))
                .is_err_and(|e| e.message().starts_with("tags[0].key"))
        );
    }
}
