// SPDX-License-Identifier: Apache-2.0
//! Alarms that nobody dealt with, by host, and who is being scanned. The API counts alarms, not hosts: either all of
//! the open alarms are looked at, or each host is asked for, whichever is less.

use crate::call::Call;
use crate::error::HssError;
use crate::page;
use crate::rest::Query;
use crate::words::text;
use lazaret_model::CLASSES;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// Open alarms that are looked at for one answer.
const MOST_ALARMS: u64 = 50_000;
/// Running scans that are looked at for one answer.
const MOST_SCANS: u64 = 20_000;
/// So many alarms are looked at as fast as one host is asked for.
const AS_ONE: usize = 100;
/// Hosts that are asked for one by one, for one answer.
pub(super) const MOST_ASKED: u64 = 10_000;

/// What is the matter with hosts.
#[derive(Debug, Default)]
pub(super) struct Risks {
    /// Open alarms about malicious programs, by host; who has none is not here.
    pub(super) unhandled: HashMap<String, u64>,
    pub(super) scanned: Scanned,
}

/// Who is being scanned.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    hosts: HashSet<String>,
    /// Whether there are more.
    is_cut: bool,
}

impl Risks {
    pub(super) fn unhandled(&self, host: &Value) -> u64 {
        self.unhandled.get(text(host, "id")).copied().unwrap_or(0)
    }

    pub(super) fn is_scanned(&self, host: &Value) -> bool {
        self.scanned.hosts.contains(text(host, "id"))
    }

    /// For the answer; absent where all are known.
    pub(super) fn scans_are_cut(&self) -> Option<bool> {
        self.scanned.is_cut.then_some(true)
    }
}

/// Alarms about malicious programs: an agent that is silent is no intrusion.
fn open_alarms(call: &Call) -> Query {
    let classes: Vec<&str> = CLASSES.iter().map(|r| r.word).collect();
    let mut query = call.scoped();
    query.extend([("handle_status", "unhandled".to_owned()), ("class", classes.join(","))]);
    query
}

/// Open alarms of every host that has some; `None`: there are too many to look at.
pub(super) async fn of_all(call: &Call) -> Result<Option<HashMap<String, u64>>, HssError> {
    let mut found = HashMap::new();
    let query = open_alarms(call);
    let all = page::each(&call.rest, "/alarms", &query, MOST_ALARMS, |alarm| {
        count(&mut found, alarm);
        true
    });
    let all = all.await?;
    Ok(all.then_some(found))
}

fn count(found: &mut HashMap<String, u64>, alarm: &Value) {
    *found.entry(text(alarm, "host.id").to_owned()).or_default() += 1;
}

/// Open alarms of these hosts.
pub(super) async fn of_hosts(call: &Call, ids: &[String]) -> Result<HashMap<String, u64>, HssError> {
    let mut found = HashMap::new();
    if ids.is_empty() {
        return Ok(found);
    }
    let query = open_alarms(call);
    let most = u64::try_from(ids.len().saturating_mul(AS_ONE)).unwrap_or(u64::MAX).min(MOST_ALARMS);
    if total(call, &query).await? <= most {
        let all = page::each(&call.rest, "/alarms", &query, most, |alarm| {
            count(&mut found, alarm);
            true
        });
        // Else more have come since.
        if all.await? {
            return Ok(found);
        }
        found.clear();
    }
    for id in ids {
        let mut query = query.clone();
        query.push(("host", id.clone()));
        let n = total(call, &query).await?;
        if n > 0 {
            found.insert(id.clone(), n);
        }
    }
    Ok(found)
}

/// How many alarms, as far as the API counts.
async fn total(call: &Call, query: &Query) -> Result<u64, HssError> {
    let mut query = query.clone();
    query.push(("limit", "1".to_owned()));
    let page = call.rest.get("/alarms", &query).await?;
    // What is more than the API counts is more than anybody looks at.
    let total = page.get("total").and_then(Value::as_u64).unwrap_or(0);
    Ok(total)
}

/// Hosts on which a scan runs.
pub(super) async fn scanned(call: &Call) -> Result<Scanned, HssError> {
    let mut query = call.scoped();
    query.extend([("verb", "scan".to_owned()), ("state", "sent".to_owned())]);
    let mut hosts = HashSet::new();
    let all = page::each(&call.rest, "/commands", &query, MOST_SCANS, |command| {
        hosts.insert(text(command, "host").to_owned());
        true
    });
    let is_cut = !all.await?;
    Ok(Scanned { hosts, is_cut })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn alarms_by_host() {
        let mut risks = Risks::default();
        for host in ["a", "b", "a"] {
            count(&mut risks.unhandled, &json!({ "host": { "id": host } }));
        }
        assert_eq!(risks.unhandled(&json!({ "id": "a" })), 2);
        assert_eq!(risks.unhandled(&json!({ "id": "c" })), 0);
        assert!(!risks.is_scanned(&json!({ "id": "a" })) && risks.scans_are_cut().is_none());
        risks.scanned = Scanned { hosts: HashSet::from(["a".to_owned()]), is_cut: true };
        assert!(risks.is_scanned(&json!({ "id": "a" })) && risks.scans_are_cut() == Some(true));
    }
}
