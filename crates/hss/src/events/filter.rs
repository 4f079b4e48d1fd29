// SPDX-License-Identifier: Apache-2.0
//! Which events are asked for, as a query for `/alarms` and what that does not know.

use super::place::Place;
use super::terms::{ATTACK_TAGS, Category, SEVERITIES, TACTICS};
use crate::ask::{Ask, Offset};
use crate::call::Call;
use crate::error::HssError;
use crate::handling;
use crate::kinds;
use crate::page::{self, Listed};
use crate::rest::Query;
use crate::words;
use serde_json::Value;
use std::collections::BTreeSet;

/// What is asked for.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// For `/alarms`, `/alarms/statistics` and `/alarms/export`.
    pub(super) query: Query,
    pub(super) beside: Beside,
}

/// What the API's filter does not know; texts in lower case.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) event_name: Option<String>,
    pub(super) host_name: Option<String>,
    pub(super) container: Option<String>,
    pub(super) hosts: Option<BTreeSet<String>>,
}

impl Beside {
    fn is_empty(&self) -> bool {
        self.event_name.is_none()
            && self.host_name.is_none()
            && self.container.is_none()
            && self.hosts.is_none()
    }

    fn keeps(&self, alarm: &Value) -> bool {
        let has = |path: &str, part: &Option<String>| {
            part.as_ref().is_none_or(|p| words::text(alarm, path).to_lowercase().contains(p.as_str()))
        };
        has("title", &self.event_name)
            && has("host.name", &self.host_name)
            && has("container", &self.container)
            && self.hosts.as_ref().is_none_or(|h| h.contains(words::text(alarm, "host.id")))
    }
}

impl Wanted {
    /// Whether the query says it all.
    pub(super) fn is_plain(&self) -> bool {
        self.beside.is_empty()
    }

    /// Whether an alarm that the query found is asked for.
    pub(super) fn keeps(&self, alarm: &Value) -> bool {
        self.beside.keeps(alarm)
    }

    /// The part of them that is asked for, newest first.
    pub(super) async fn page(&self, call: &Call, at: Offset) -> Result<Listed, HssError> {
        if self.is_plain() {
            return page::page(&call.rest, "/alarms", &self.query, at).await;
        }
        page::kept(&call.rest, "/alarms", &self.query, at, |alarm| self.keeps(alarm)).await
    }
}

/// Which alarms the parameters of HSS's event operations ask for; `None`: none can be meant. Parameters that an
/// operation does not have are not among those that were read.
pub(super) async fn alarms(call: &Call) -> Result<Option<Wanted>, HssError> {
    let ask = &call.ask;
    let place = Place::of(ask)?;
    let lists = [("severity", severities(ask)?), ("class", classes(ask)?), ("ids", ids(ask)?)];
    let tag = ask.word("attack_tag", &ATTACK_TAGS)?;
    let plain = [
        ("importance", ask.word("asset_value", &words::ASSET_VALUES)?),
        ("handle_status", ask.word("handle_status", &handling::STATUSES)?),
        ("attack_tag", tag.flatten()),
        ("auto_block", ask.flag("auto_block").map(|yes| if yes { "true" } else { "false" })),
    ];
    let inside = Category::of(ask)?.map(Category::in_container);
    // No alarm has tags, no host is of a cluster.
    let strange = ask.short("cluster_id", 64)?.is_some() || !ask.list("tag_list")?.is_empty();
    let mut wanted = Wanted { query: call.scoped(), ..Wanted::default() };
    window(call, &mut wanted.query)?;
    let empty = lists.iter().any(|(_, list)| list.as_ref().is_some_and(Vec::is_empty));
    if empty || strange || tag == Some(None) || inside == Some(None) {
        return Ok(None);
    }
    wanted.query.extend(inside.flatten().map(|yes| ("in_container", yes.to_string())));
    wanted.query.extend(plain.into_iter().filter_map(|(name, word)| Some((name, word?.to_owned()))));
    wanted.query.extend(lists.into_iter().filter_map(|(name, list)| Some((name, list?.join(",")))));
    Ok(place.narrow(call, &mut wanted).await?.then_some(wanted))
}

/// Some operations have the times as texts.
fn window(call: &Call, query: &mut Query) -> Result<(), HssError> {
    for name in ["begin_time", "end_time"] {
        if call.ask.text(name).is_some() && call.ask.int(name).is_none() {
            return Err(HssError::invalid(format!(
                "{name}: must be milliseconds since 1970, such as 1700000000000"
            )));
        }
    }
    call.window(query)
}

/// What is in both; a list that was not asked for has everything.
fn both<T: PartialEq>(one: &mut Option<Vec<T>>, other: Vec<T>) {
    match one {
        Some(one) => one.retain(|o| other.contains(o)),
        None => *one = Some(other),
    }
}

fn severities(ask: &Ask) -> Result<Option<Vec<&'static str>>, HssError> {
    let mut found = None;
    if let Some(one) = ask.word("severity", &SEVERITIES)? {
        both(&mut found, one.into_iter().collect());
    }
    let list = ask.words("severity_list", &SEVERITIES)?;
    if !list.is_empty() {
        both(&mut found, list.into_iter().flatten().collect());
    }
    Ok(found)
}

/// By type, by class id and by tactic.
fn classes(ask: &Ask) -> Result<Option<Vec<&'static str>>, HssError> {
    let mut found = None;
    for name in ["event_type", "event_types"] {
        let list = ask.list(name)?;
        if !list.is_empty() {
            both(&mut found, of_types(name, &list)?);
        }
    }
    let list = ask.list("event_class_ids")?;
    if !list.is_empty() {
        let mut of_ids = Vec::new();
        for word in list {
            of_ids.extend(words::classes_of_id(kinds::class_id("event_class_ids", word)?));
        }
        both(&mut found, of_ids);
    }
    if let Some(classes) = ask.word("att_ck", &TACTICS)? {
        both(&mut found, classes.to_vec());
    }
    Ok(found)
}

fn of_types(name: &str, list: &[&str]) -> Result<Vec<&'static str>, HssError> {
    let mut found = Vec::new();
    for text in list {
        let number = text.parse().map_err(|_| HssError::invalid(format!("{name}: must be whole numbers")))?;
        found.extend(words::classes_of_type(kinds::event_type(name, number)?));
    }
    Ok(found)
}

fn ids(ask: &Ask) -> Result<Option<Vec<&str>>, HssError> {
    let mut found = None;
    if let Some(id) = ask.short("event_id", 128)? {
        // With a comma it is no id, and the API would take it for several.
        both(&mut found, Some(id).filter(|id| !id.contains(',')).into_iter().collect());
    }
    let list = ask.list("event_id_list")?;
    if !list.is_empty() {
        both(&mut found, list);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdk::{Found, sdk};
    use serde_json::json;

    fn ask(path: &'static str, query: &str) -> Ask {
        let Found::Operation(o, named) = sdk().find("GET", path) else { panic!("{path}") };
        Ask::read(o, named, query, b"").unwrap()
    }

    fn events(query: &str) -> Ask {
        ask("/v5/0/event/events", query)
    }

    #[test]
    fn severities_of_both_parameters() {
        assert_eq!(severities(&events("")).unwrap(), None);
        assert_eq!(
            severities(&events("severity_list=High&severity_list=Low")).unwrap().unwrap(),
            ["high", "low"]
        );
        assert_eq!(severities(&events("severity=Low&severity_list=High,Low")).unwrap().unwrap(), ["low"]);
        assert_eq!(severities(&events("severity=Security")).unwrap(), Some(vec![]));
        assert!(severities(&events("severity=high")).is_err());
    }

    #[test]
    fn classes_of_types_ids_and_tactics() {
        let of = |query: &str| classes(&events(query)).map_err(|e| e.message().to_owned());
        assert_eq!(of("event_types=1016&event_types=1003").unwrap().unwrap(), ["miner", "worm"]);
        assert_eq!(of("event_class_ids=malware_0002,login_0001").unwrap().unwrap(), ["reverseshell"]);
        assert_eq!(of("att_ck=Impact").unwrap().unwrap(), ["ransomware", "miner"]);
        assert_eq!(of("att_ck=Impact&event_types=1016&event_class_ids=av_1016").unwrap().unwrap(), ["miner"]);
        assert_eq!(of("event_types=4002").unwrap(), Some(vec![]));
        assert_eq!(of("att_ck=Reconnaissance").unwrap(), Some(vec![]));
        assert!(of("event_types=7").unwrap_err().contains("event_types"));
        assert!(of("event_class_ids=x").unwrap_err().contains("event_class_ids"));
        assert!(of("att_ck=impact").is_err());
    }

    #[test]
    fn what_the_query_does_not_say() {
        let alarm =
            json!({ "title": "Miner XMRig", "container": "web-1", "host": { "id": "h", "name": "Db-1" } });
        let some = |text: &str| Some(text.to_owned());
        let keeps = |beside: Beside| beside.keeps(&alarm);
        assert!(keeps(Beside::default()) && Beside::default().is_empty());
        assert!(keeps(Beside { event_name: some("xmrig"), host_name: some("db"), ..Beside::default() }));
        assert!(!keeps(Beside { event_name: some("worm"), ..Beside::default() }));
        assert!(!keeps(Beside { container: some("db"), ..Beside::default() }));
        assert!(keeps(Beside { hosts: Some(BTreeSet::from(["h".to_owned()])), ..Beside::default() }));
        assert!(!keeps(Beside { hosts: Some(BTreeSet::new()), ..Beside::default() }));
    }

    #[test]
    fn one_id_is_one() {
        assert_eq!(ids(&ask("/v5/0/event/forensic", "event_id=a%2Cb")).unwrap(), Some(vec![]));
        assert_eq!(ids(&ask("/v5/0/event/forensic", "event_id=a")).unwrap(), Some(vec!["a"]));
    }
}
