// SPDX-License-Identifier: Apache-2.0
//! How many events there are of each kind.

use super::filter::{self, Wanted};
use super::terms::{ATTACK_TAGS, TACTICS};
use crate::ask::Offset;
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::page;
use crate::rest::Query;
use crate::words::{at, text};
use lazaret_model::CLASSES;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Kinds that the least used list shows.
const TOP: usize = 5;

/// How many, by Lazaret's words.
#[derive(Debug, Default, PartialEq)]
struct Counts {
    total: u64,
    severity: BTreeMap<String, u64>,
    /// Alarms about an agent have the empty word.
    class: BTreeMap<String, u64>,
    /// Only of what was looked at one by one.
    tag: BTreeMap<String, u64>,
}

impl Counts {
    fn of_statistics(statistics: &Value) -> Self {
        let words = |list: &str| {
            let all = at(statistics, list).as_array().into_iter().flatten();
            all.map(|c| (text(c, "word").to_owned(), at(c, "count").as_u64().unwrap_or_default())).collect()
        };
        Self {
            total: at(statistics, "total").as_u64().unwrap_or_default(),
            severity: words("by_severity"),
            class: words("by_class"),
            tag: BTreeMap::new(),
        }
    }

    fn add(&mut self, alarm: &Value) {
        self.total += 1;
        for (counts, field) in
            [(&mut self.severity, "severity"), (&mut self.class, "class"), (&mut self.tag, "attack_tag")]
        {
            *counts.entry(text(alarm, field).to_owned()).or_default() += 1;
        }
    }

    fn class(&self, word: &str) -> u64 {
        self.class.get(word).copied().unwrap_or_default()
    }
}

/// Counted by the API where its filter says it all, else by looking at each.
async fn counts(call: &Call, wanted: &Wanted) -> Result<Counts, HssError> {
    if wanted.is_plain() {
        return Ok(Counts::of_statistics(&call.rest.get("/alarms/statistics", &wanted.query).await?));
    }
    let counts = Mutex::new(Counts::default());
    let add = |alarm: &Value| {
        if wanted.keeps(alarm) {
            counts.lock().unwrap_or_else(PoisonError::into_inner).add(alarm);
        }
        false
    };
    page::kept(&call.rest, "/alarms", &wanted.query, Offset { offset: 0, limit: 0 }, add).await?;
    Ok(counts.into_inner().unwrap_or_else(PoisonError::into_inner))
}

async fn asked(call: &Call) -> Result<Counts, HssError> {
    match filter::alarms(call).await? {
        Some(wanted) => counts(call, &wanted).await,
        None => Ok(Counts::default()),
    }
}

/// By severity.
pub(crate) async fn show_event_severity(call: &Call) -> Answer {
    Ok(by_severity(&asked(call).await?).into())
}

fn by_severity(counts: &Counts) -> Value {
    let of = |word: &str| counts.severity.get(word).copied().unwrap_or_default();
    json!({
        "total_num": counts.total,
        "low_num": of("low"),
        "medium_num": of("medium"),
        "high_num": of("high"),
        "critical_num": of("critical"),
    })
}

/// By tag of the attack: the API counts one at a time.
pub(crate) async fn show_event_attack_tag(call: &Call) -> Answer {
    let mut tags = BTreeMap::new();
    if let Some(wanted) = filter::alarms(call).await? {
        if wanted.is_plain() {
            for (word, query) in tag_queries(&wanted.query) {
                let statistics = call.rest.get("/alarms/statistics", &query).await?;
                tags.insert(word.to_owned(), Counts::of_statistics(&statistics).total);
            }
        } else {
            tags = counts(call, &wanted).await?.tag;
        }
    }
    let shown = ATTACK_TAGS
        .iter()
        .map(|(word, _)| (format!("{word}_num"), tags.get(*word).copied().unwrap_or_default().into()));
    Ok(Value::Object(shown.collect()).into())
}

/// A question for each tag that was asked for.
fn tag_queries(query: &Query) -> Vec<(&'static str, Query)> {
    let asked = query.iter().find(|(name, _)| *name == "attack_tag").map(|(_, tag)| tag.as_str());
    let tags = ATTACK_TAGS.iter().filter_map(|(_, ours)| *ours).filter(|t| asked.is_none_or(|a| a == *t));
    tags.map(|tag| {
        let mut query: Query = query.iter().filter(|(name, _)| *name != "attack_tag").cloned().collect();
        query.push(("attack_tag", tag.to_owned()));
        (tag, query)
    })
    .collect()
}

/// By tactic of ATT&CK, which follows from the class.
pub(crate) async fn list_event_att_ck(call: &Call) -> Answer {
    Ok(by_tactic(&asked(call).await?).into())
}

fn by_tactic(counts: &Counts) -> Value {
    let of = |classes: &[&str]| classes.iter().map(|c| counts.class(c)).sum::<u64>();
    let all: Vec<Value> =
        TACTICS.iter().map(|(tactic, classes)| json!({ "att_ck": tactic, "num": of(classes) })).collect();
    json!({ "data_list": all })
}

/// By type, in the groups of HSS: what Lazaret finds is malicious software, alarms about agents are none of its types.
pub(crate) async fn list_event_type(call: &Call) -> Answer {
    Ok(by_type(&asked(call).await?).into())
}

fn by_type(counts: &Counts) -> Value {
    let malicious: u64 = CLASSES.iter().map(|row| counts.class(row.word)).sum();
    let types: Vec<Value> = CLASSES
        .iter()
        .map(|row| {
            json!({ "event_type": row.hss_event_type, "event_num": counts.class(row.word), "status": "unlocked" })
        })
        .collect();
    let mut groups = vec![json!({
        "event_type_name": "malicious_software",
        "event_type_num": malicious,
        "event_type_list": types,
    })];
    let others = counts.total.saturating_sub(malicious);
    if others > 0 {
        groups.push(json!({ "event_type_name": "extend", "event_type_num": others, "event_type_list": [] }));
    }
    json!({ "total_num": counts.total, "data_list": groups })
}

/// The five kinds with the most.
pub(crate) async fn list_event_top_risk(call: &Call) -> Answer {
    Ok(top(&asked(call).await?).into())
}

fn top(counts: &Counts) -> Value {
    let mut all: Vec<(u64, &str)> = CLASSES
        .iter()
        .map(|row| (counts.class(row.word), row.hss_event_class_id))
        .filter(|(n, _)| *n > 0)
        .collect();
    all.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let first = all.iter().take(TOP);
    let list: Vec<Value> = first.map(|(n, id)| json!({ "event_class_id": id, "event_num": n })).collect();
    json!({ "data_list": list })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Counts {
        Counts::of_statistics(&json!({
            "total": 10,
            "by_severity": [{ "word": "high", "count": 6 }, { "word": "low", "count": 4 }],
            "by_class": [{ "word": "", "count": 1 }, { "word": "miner", "count": 4 },
                { "word": "webshell", "count": 3 }, { "word": "ransomware", "count": 2 }],
        }))
    }

    #[test]
    fn each_word_of_hss_has_its_number() {
        let severity = by_severity(&some());
        assert_eq!((at(&severity, "high_num"), at(&severity, "critical_num")), (&json!(6), &json!(0)));
        let tactics = by_tactic(&some());
        let of = |word: &str| {
            let all = at(&tactics, "data_list").as_array().unwrap();
            at(all.iter().find(|t| text(t, "att_ck") == word).unwrap(), "num").clone()
        };
        assert_eq!((of("Impact"), of("Persistence"), of("Reconnaissance")), (json!(6), json!(3), json!(0)));
    }

    #[test]
    fn alarms_about_agents_are_of_no_type() {
        let types = by_type(&some());
        let groups = at(&types, "data_list").as_array().unwrap();
        assert_eq!(groups.len(), 2);
        assert_eq!(at(&groups[0], "event_type_num"), 9);
        assert_eq!(
            (text(&groups[1], "event_type_name"), at(&groups[1], "event_type_num")),
            ("extend", &json!(1))
        );
        let top = top(&some());
        assert_eq!(at(&top, "data_list")[0], json!({ "event_class_id": "av_1016", "event_num": 4 }));
        assert_eq!(at(&top, "data_list").as_array().unwrap().len(), 3);
    }

    #[test]
    fn one_question_for_each_tag() {
        let query = vec![("project", "0".to_owned())];
        assert_eq!(tag_queries(&query).len(), 4);
        let query = vec![("attack_tag", "attack_blocked".to_owned()), ("project", "0".to_owned())];
        let asked = tag_queries(&query);
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].1.iter().filter(|(name, _)| *name == "attack_tag").count(), 1);
    }

    #[test]
    fn one_by_one_is_the_same() {
        let mut counts = Counts::default();
        counts.add(&json!({ "severity": "high", "class": "miner", "attack_tag": "attack_blocked" }));
        counts.add(&json!({ "severity": "high", "class": null, "attack_tag": "abnormal_behavior" }));
        assert_eq!((counts.total, counts.class("miner"), counts.class("")), (2, 1, 1));
        assert_eq!(counts.tag["attack_blocked"], 1);
    }
}
