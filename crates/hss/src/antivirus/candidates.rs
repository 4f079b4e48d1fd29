// SPDX-License-Identifier: Apache-2.0
//! Hosts that can be chosen for a scan.

use super::fail;
use super::places::{self, asked, has};
use super::plan;
use crate::address::Addresses;
use crate::ask::Ask;
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::page;
use crate::rest::{self, Query};
use crate::words;
use serde_json::{Value, json};
use uuid::Uuid;

/// The end of the year 9999.
const LAST_MS: i64 = 253_402_300_799_999;
/// Whether a scan begins now or by a plan, every host can be chosen for it.
const START_TYPES: [(&str, ()); 2] = [("now", ()), ("period", ())];

/// What is asked for beside the query.
#[derive(Debug)]
struct Wanted<'a> {
    id: Option<&'a str>,
    name: Option<&'a str>,
    group: Option<&'a str>,
    /// `None`: no host can have them.
    addresses: Option<Addresses>,
    kind: &'a str,
}

impl<'a> Wanted<'a> {
    fn of(ask: &'a Ask, addresses: Option<Addresses>) -> Result<Self, HssError> {
        Ok(Self {
            id: ask.short("host_id", 64)?,
            name: ask.short("host_name", 256)?,
            group: ask.short("group_id", 64)?,
            addresses,
            // Whatever edition a host has, a quick scan is in it.
            kind: ask.word("scan_type", &plan::KINDS)?.unwrap_or("quick"),
        })
    }

    /// What the API can find; `None`: there is no such host.
    fn query(&self, mut query: Query) -> Option<Query> {
        if let Some(group) = self.group {
            Uuid::try_parse(group).ok()?;
            query.push(("group", group.to_owned()));
        }
        if let Some(id) = self.id {
            // Of a comma the API would make two.
            query.push(("ids", Some(id).filter(|id| !id.contains(','))?.to_owned()));
        }
        let address = self.addresses.as_ref()?.first().map(|ip| ip.to_string());
        query.extend(address.or_else(|| self.name.map(words::beginning)).map(|t| ("text", t)));
        Some(query)
    }

    fn keeps(&self, host: &Value) -> bool {
        self.name.is_none_or(|n| has(host, "name", n))
            && self.addresses.as_ref().is_some_and(|a| a.fit(host))
            && fail::why(Some(host), self.kind).is_none()
    }
}

pub(crate) async fn list_anti_virus_host(call: &Call) -> Answer {
    let ask = &call.ask;
    let at = call.ask.offset()?;
    ask.word("start_type", &START_TYPES)?;
    ask.between("next_start_time", 0..=LAST_MS)?;
    let wanted = Wanted::of(ask, asked(ask)?)?;
    let nothing = json!({ "total_num": 0, "data_list": [] });
    let mut query = call.scoped();
    if let Some(policy) = ask.short("policy_id", 64)? {
        // Those of the plan's project can be chosen for it.
        let plan = match call.rest.get(&format!("/scan-policies/{}", rest::part(policy)), &[]).await {
            Ok(plan) => plan,
            Err(e) if e.is_missing() => return Ok(nothing.into()),
            Err(e) => return Err(e),
        };
        let project = words::text(&plan, "project");
        if call.one_project().is_some_and(|p| p != project) {
            return Ok(nothing.into());
        }
        query = vec![("project", project.to_owned())];
    }
    let listed = match wanted.query(query) {
        Some(query) => page::kept(&call.rest, "/hosts", &query, at, |h| wanted.keeps(h)).await?,
        None => page::Listed::default(),
    };
    let rows: Vec<Value> = listed.items.iter().map(row).collect();
    Ok(json!({ "total_num": listed.total, "data_list": rows }).into())
}

fn row(host: &Value) -> Value {
    let mut fields = places::full(host, Some(host));
    for name in ["protect_status", "os_version"] {
        fields.remove(name);
    }
    // HSS has no field for the version here.
    fields.insert("os_name".to_owned(), words::at(host, "os").clone());
    fields.insert("group_id".to_owned(), words::at(host, "group").clone());
    fields.insert("lazaret_edition".to_owned(), words::at(host, "edition.edition").clone());
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdk::{Found, sdk};

    fn ask(query: &str) -> Ask {
        let Found::Operation(o, named) = sdk().find("GET", "/v5/0/antivirus/host-management/hosts") else {
            panic!("no path")
        };
        Ask::read(o, named, query, b"").unwrap()
    }

    #[test]
    fn hosts_that_can_be_chosen() {
        let host = json!({ "name": "Db-1", "group": "g", "edition": { "edition": "basic" }, "addresses": ["10.0.0.1"] });
        let keeps = |query: &str| Wanted::of(&ask(query), Some(Addresses::default())).unwrap().keeps(&host);
        assert!(keeps("") && keeps("scan_type=quick&host_name=db"));
        assert!(!keeps("scan_type=full"), "its edition has quick scans alone");
        assert!(!keeps("host_name=web"));
        let revoked = json!({ "name": "x", "revoked": true });
        assert!(!Wanted::of(&ask(""), Some(Addresses::default())).unwrap().keeps(&revoked));
        assert!(Wanted::of(&ask("scan_type=deep"), Some(Addresses::default())).is_err());
        assert_eq!(row(&host)["group_id"], "g");
    }

    #[test]
    fn what_the_api_finds() {
        let of = |query: &str, addresses: Option<Addresses>| {
            Wanted::of(&ask(query), addresses).unwrap().query(Vec::new())
        };
        assert_eq!(of("group_id=x", Some(Addresses::default())), None);
        assert_eq!(of("host_id=a%2Cb", Some(Addresses::default())), None);
        assert_eq!(of("", None), None);
        assert_eq!(of("host_name=db&host_id=a", Some(Addresses::default())).unwrap().len(), 2);
        let one = Addresses::asked([(Some("10.0.0.1"), None)]);
        assert_eq!(of("host_name=db", one).unwrap(), [("text", "10.0.0.1".to_owned())]);
    }
}
