// SPDX-License-Identifier: Apache-2.0
//! Which results of virus scans are asked for. A result is an alarm that a scan brought: the API's filter does not know
//! where an alarm came from, so that is looked at here.

use super::alarms::{is_by_hand, is_result, malware_name};
use super::places::{asked, has};
use super::scan_of::{self, Spans};
use crate::ask::{Ask, LONGEST};
use crate::call::Call;
use crate::error::HssError;
use crate::handling::STATUSES;
use crate::rest::Query;
use crate::words::{self, beginning};
use serde_json::Value;
use std::collections::BTreeSet;

/// Severities that these operations document.
const SEVERITIES: [(&str, &str); 4] =
    [("Low", "low"), ("Medium", "medium"), ("High", "high"), ("Critical", "critical")];
/// What is asked for.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// For `/alarms` and `/alarms/export`.
    pub(super) query: Query,
    pub(super) beside: Beside,
}

/// What the API's filter does not know.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// Files that something else than a scan brought, instead of those of scans.
    pub(super) others: bool,
    hosts: Option<BTreeSet<String>>,
    path: Option<String>,
    malware: Option<String>,
    hashes: Option<BTreeSet<String>>,
    /// Whether a person had it isolated.
    by_hand: Option<bool>,
    spans: Option<Spans>,
}

impl Beside {
    /// Whether an alarm that the query found is asked for.
    pub(super) fn keeps(&self, alarm: &Value) -> bool {
        let host = words::text(alarm, "host.id");
        is_result(alarm) != self.others
            && !words::text(alarm, "path").is_empty()
            && self.hosts.as_ref().is_none_or(|h| h.contains(host))
            && self.path.as_ref().is_none_or(|p| has(alarm, "path", p))
            && self
                .malware
                .as_ref()
                .is_none_or(|m| malware_name(alarm).to_lowercase().contains(&m.to_lowercase()))
            && self.hashes.as_ref().is_none_or(|h| h.contains(words::text(alarm, "sha256")))
            && self.by_hand.is_none_or(|b| b == is_by_hand(alarm))
            && self.spans.as_ref().is_none_or(|s| s.find(alarm).is_some())
    }

    /// Whether nothing is asked but that a scan brought it.
    pub(super) fn is_plain(&self) -> bool {
        self.hosts.is_none()
            && self.path.is_none()
            && self.malware.is_none()
            && self.hashes.is_none()
            && self.by_hand.is_none()
            && self.spans.is_none()
    }
}

/// Severities of both parameters: what is in each that is given.
pub(super) fn severities(ask: &Ask) -> Result<Option<Vec<&'static str>>, HssError> {
    let (old, new) = (ask.words("severity_list", &SEVERITIES)?, ask.words("severities", &SEVERITIES)?);
    Ok(match (old.is_empty(), new.is_empty()) {
        (true, true) => None,
        (false, true) => Some(old),
        (true, false) => Some(new),
        (false, false) => Some(new.into_iter().filter(|s| old.contains(s)).collect()),
    })
}

fn sha256(name: &str, text: &str) -> Result<String, HssError> {
    words::sha256(text)
        .ok_or_else(|| HssError::invalid(format!("{name}: must be a SHA-256, 64 hexadecimal digits")))
}

/// `None`: nothing can be meant.
pub(super) async fn wanted(call: &Call) -> Result<Option<Wanted>, HssError> {
    let ask = &call.ask;
    let mut query = call.scoped();
    if let Some(status) = ask.word("handle_status", &STATUSES)? {
        query.push(("handle_status", status.to_owned()));
    }
    if let Some(value) = ask.word("asset_value", &words::ASSET_VALUES)? {
        query.push(("importance", value.to_owned()));
    }
    let severities = severities(ask)?;
    let name = ask.short("host_name", 256)?;
    let is_history = ask.operation.name == "list_antivirus_handle_history";
    let (longest_path, longest_name) = if is_history { (512, 128) } else { (LONGEST, LONGEST) };
    let path = ask.short("file_path", longest_path)?;
    let hash = ask.short("file_hash", 64)?.map(|h| sha256("file_hash", h)).transpose()?;
    let hashes = ask.list("file_hash_list")?;
    let hashes = hashes.iter().map(|h| sha256("file_hash_list", h)).collect::<Result<BTreeSet<_>, _>>()?;
    let (ids, task) = (ask.list("id_list")?, ask.short("task_name", 128)?);
    let addresses = asked(ask)?;
    let mut beside = Beside {
        path: path.map(str::to_owned),
        malware: ask.short("malware_name", longest_name)?.map(str::to_owned),
        hashes: Some(hashes).filter(|h| !h.is_empty()),
        by_hand: ask.flag("manual_isolate"),
        ..Beside::default()
    };
    if let Some(list) = severities {
        if list.is_empty() {
            return Ok(None);
        }
        query.push(("severity", list.join(",")));
    }
    query.extend(name.map(|n| ("host_name", beginning(n))));
    // The API looks in titles too, but has no fewer than those with it in the path.
    query.extend(path.map(|p| ("text", beginning(p))));
    query.extend(hash.map(|h| ("sha256", h)));
    if !ids.is_empty() {
        query.push(("ids", ids.join(",")));
    }
    let Some(addresses) = addresses else { return Ok(None) };
    query.extend(addresses.first().map(|ip| ("address", ip.to_string())));
    beside.hosts = addresses.hosts(call).await?;
    if let Some(name) = task {
        beside.spans = Some(scan_of::named(call, name).await?);
    }
    let nothing = beside.hosts.as_ref().is_some_and(BTreeSet::is_empty)
        || beside.spans.as_ref().is_some_and(Spans::is_empty);
    Ok((!nothing).then_some(Wanted { query, beside }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdk::{Found, sdk};
    use serde_json::json;

    fn alarm() -> Value {
        json!({ "origin": "scan", "class_title": "Miner", "title": "Miner XMRig found: /tmp/X: y (confidence 97)",
            "path": "/tmp/X: y", "sha256": "ab", "host": { "id": "h" },
            "handled": { "by": "isolate_and_kill", "who": "ann" } })
    }

    #[test]
    fn every_condition_can_fail() {
        let some = |t: &str| Some(t.to_owned());
        let set = |t: &str| Some(BTreeSet::from([t.to_owned()]));
        assert!(Beside::default().keeps(&alarm()) && Beside::default().is_plain());
        for (good, bad) in [
            (
                Beside { hosts: set("h"), ..Beside::default() },
                Beside { hosts: set("g"), ..Beside::default() },
            ),
            (
                Beside { path: some("/TMP"), ..Beside::default() },
                Beside { path: some("/srv"), ..Beside::default() },
            ),
            (
                Beside { malware: some("xmr"), ..Beside::default() },
                Beside { malware: some("miner"), ..Beside::default() },
            ),
            (
                Beside { hashes: set("ab"), ..Beside::default() },
                Beside { hashes: set("cd"), ..Beside::default() },
            ),
            (
                Beside { by_hand: Some(true), ..Beside::default() },
                Beside { by_hand: Some(false), ..Beside::default() },
            ),
        ] {
            assert!(!good.is_plain() && good.keeps(&alarm()) && !bad.keeps(&alarm()), "{bad:?}");
        }
        let mut other = alarm();
        other["origin"] = json!("exec");
        let others = Beside { others: true, ..Beside::default() };
        assert!(!Beside::default().keeps(&other) && others.keeps(&other) && !others.keeps(&alarm()));
        other["path"] = Value::Null;
        assert!(!others.keeps(&other), "it is about no file");
    }

    #[test]
    fn severities_of_both_parameters() {
        let of = |query: &str| {
            let Found::Operation(o, named) = sdk().find("GET", "/v5/0/antivirus/result") else {
                panic!("no path")
            };
            severities(&Ask::read(o, named, query, b"").unwrap()).map_err(|e| e.message().to_owned())
        };
        assert_eq!(of("").unwrap(), None);
        assert_eq!(of("severities=High%2CLow").unwrap().unwrap(), ["high", "low"]);
        assert_eq!(of("severity_list=High&severity_list=Low&severities=Low").unwrap().unwrap(), ["low"]);
        assert_eq!(of("severity_list=High&severities=Low").unwrap(), Some(vec![]));
        assert!(of("severities=Security").unwrap_err().contains("severities"));
    }

    #[test]
    fn digests() {
        assert_eq!(sha256("file_hash", &"AB".repeat(32)).unwrap(), "ab".repeat(32));
        assert!(sha256("file_hash", "ab").is_err() && sha256("file_hash", &"x".repeat(64)).is_err());
    }
}
