// SPDX-License-Identifier: Apache-2.0
//! Agents: how they stand, how their hosts fare, and the two things that only who has the host does to them.

use super::risks::{self, Risks};
use super::standing::{self, AGENT_STATUSES};
use super::{chosen, editions};
use crate::ask::Offset;
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::host;
use crate::ids::AT_ONCE;
use crate::page::{self, Listed};
use crate::words::{ms, text};
use serde_json::{Value, json};

/// Hosts of an answer that names none.
const UNNAMED: u64 = 1_000;

/// `list_hosts_risk`: the risks of the hosts that are named; of the first ones where none is.
pub(crate) async fn list_hosts_risk(call: &Call) -> Answer {
    let ids = call.ask.list("host_id_list")?;
    let mut query = call.scoped();
    let many = if ids.is_empty() {
        UNNAMED
    } else {
        query.push(("ids", ids.join(",")));
        AT_ONCE as u64
    };
    let listed = page::page(&call.rest, "/hosts", &query, Offset { offset: 0, limit: many }).await?;
    let ids: Vec<String> = listed.items.iter().map(|h| text(h, "id").to_owned()).collect();
    let unhandled = risks::of_hosts(call, &ids).await?;
    let risks = Risks { unhandled, scanned: risks::scanned(call).await? };
    let rows: Vec<Value> = listed.items.iter().map(|h| risk(h, &risks)).collect();
    let cut = risks.scans_are_cut();
    Ok(json!({ "total_num": listed.total, "data_list": rows, "lazaret_scans_are_cut": cut }).into())
}

fn risk(host: &Value, risks: &Risks) -> Value {
    let unhandled = risks.unhandled(host);
    json!({
        "host_id": text(host, "id"),
        "agent_status": standing::agent_status(host),
        "install_result_code": standing::install_result(host),
        "version": editions::version(text(host, "edition.edition")).unwrap_or("hss.version.null"),
        "protect_status": host::open_or_closed(host),
        "detect_result": standing::detect_result(host, unhandled, risks.is_scanned(host)),
        "intrusion": unhandled,
        "lazaret_status": text(host, "status"),
        "lazaret_protection": text(host, "protection.state"),
    })
}

/// `list_agent_status`: how each agent stands, and since when; Lazaret keeps no earlier states.
pub(crate) async fn list_agent_status(call: &Call) -> Answer {
    let ask = &call.ask;
    let at = ask.offset()?;
    let status = ask.word("agent_status", &AGENT_STATUSES)?;
    let reason_part = ask.short("abnormal_reason", 512)?.map(str::to_lowercase);
    let mut query = call.scoped();
    if let Some(id) = ask.short("agent_id", 64)? {
        if id.contains(',') {
            return Ok(json!({ "total_num": 0, "data_list": [] }).into());
        }
        query.push(("ids", id.to_owned()));
    }
    let keep = |h: &Value| {
        status.is_none_or(|s| standing::agent_status(h) == Some(s))
            && reason_part
                .as_ref()
                .is_none_or(|p| reason(h).is_some_and(|r| r.to_lowercase().contains(p.as_str())))
    };
    let listed: Listed = if status.is_none() && reason_part.is_none() {
        page::page(&call.rest, "/hosts", &query, at).await?
    } else {
        page::kept(&call.rest, "/hosts", &query, at, keep).await?
    };
    let rows: Vec<Value> = listed.items.iter().map(agent).collect();
    Ok(json!({ "total_num": listed.total, "data_list": rows }).into())
}

/// HSS has three words here; who never came has none of them.
fn agent(host: &Value) -> Value {
    let word = match text(host, "status") {
        "online" if text(host, "protection.state") == "none" => Some("agent_protect_interrupted"),
        "online" => Some("online"),
        "offline" => Some("offline"),
        _ => None,
    };
    json!({
        "agent_status": word,
        "status_time": ms(host.get("status_since").unwrap_or(&Value::Null)),
        "abnormal_reason": reason(host),
        "lazaret_agent_id": text(host, "id"),
        "lazaret_status": text(host, "status"),
    })
}

/// Why an agent is not as it is to be.
fn reason(host: &Value) -> Option<String> {
    let stopped = host.get("stopped").and_then(Value::as_bool) == Some(true);
    let why = match text(host, "status") {
        "online" => text(host, "protection.reason").to_owned(),
        "offline" if stopped => "somebody stopped the agent in order".to_owned(),
        "offline" => match text(host, "seen_at") {
            "" => "the agent is not connected".to_owned(),
            at => format!("the agent is not connected; heard of last at {at}"),
        },
        "installed" | "installing" => "the agent has not connected yet".to_owned(),
        _ => String::new(),
    };
    (!why.is_empty()).then(|| why.chars().take(512).collect())
}

/// `uninstall_agents`.
pub(crate) async fn uninstall_agents(call: &Call) -> Answer {
    // A body that is wrong is wrong whatever it is for.
    chosen::named(&call.ask.body, "host_id_list")?;
    Err(HssError::unsupported(
        "uninstall_agents",
        "who has the host removes the agent's package there: no server may take an agent off a host. DELETE \
         /api/v1/hosts/{id} takes a host out of the fleet",
    ))
}

/// `upgrade_agents`.
pub(crate) async fn upgrade_agents(_: &Call) -> Answer {
    Err(HssError::unsupported(
        "upgrade_agents",
        "agents are upgraded with their hosts' packages: no server may bring programs onto a host. Rules are \
         renewed by the server itself",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::without_nulls;

    #[test]
    fn agents_and_why() {
        let host = |status: &str, state: &str| {
            json!({
                "id": "h", "status": status, "status_since": "1970-01-01T00:00:00.007Z", "stopped": false,
                "protection": { "state": state, "reason": "no fanotify" }, "edition": { "edition": "none" },
            })
        };
        let interrupted = agent(&host("online", "none"));
        assert_eq!(interrupted["agent_status"], "agent_protect_interrupted");
        assert_eq!(
            (&interrupted["abnormal_reason"], &interrupted["status_time"]),
            (&json!("no fanotify"), &json!(7))
        );
        let new = without_nulls(agent(&host("installed", "unknown")));
        assert!(new.get("agent_status").is_none() && new["lazaret_status"] == "installed");
        assert_eq!(agent(&host("offline", "full"))["abnormal_reason"], "the agent is not connected");
    }

    #[test]
    fn risks_of_a_host() {
        let host = json!({
            "id": "h", "status": "online", "seen_at": "x", "protection": { "state": "full" },
            "edition": { "edition": "wtp" },
        });
        let mut risks = Risks::default();
        risks.unhandled.insert("h".to_owned(), 4);
        let row = risk(&host, &risks);
        assert_eq!((&row["version"], &row["intrusion"]), (&json!("hss.version.wtp"), &json!(4)));
        assert_eq!((&row["protect_status"], &row["detect_result"]), (&json!("opened"), &json!("risk")));
    }
}
