// SPDX-License-Identifier: Apache-2.0
//! Rules of a request: what is to be no alarm from now on, read and held against what the whitelist takes.

pub(crate) mod content;
pub(crate) mod entries;
pub(crate) mod handled;

use crate::ask::one_of;
use crate::body::{needed_in, needed_word_in};
use crate::error::HssError;
use crate::handling::WHITELISTS;
use crate::{kinds, words};
use serde_json::Value;

/// A list of rules, as an operation has it.
#[derive(Debug)]
pub(crate) struct Source {
    /// Of the field.
    pub(crate) name: &'static str,
    pub(crate) fields: &'static [(&'static str, Option<&'static str>)],
    /// What is said of a rule with neither `scope` nor `agent_ids`: that it holds everywhere.
    pub(crate) everywhere_unsaid: bool,
    /// What is whitelisted with it.
    pub(crate) thing: &'static str,
}

/// What a rule looks at; `None`: nothing that Lazaret's alarms have.
pub(crate) const FIELDS: [(&str, Option<&str>); 7] = [
    ("file/process hash", Some("hash")),
    ("file_path", Some("file_path")),
    ("process_path", Some("process_path")),
    ("login_ip", None),
    ("reg_key", None),
    ("process_cmdline", Some("process_cmdline")),
    ("username", None),
];

/// How a rule compares; the words are the same.
const JUDGES: [(&str, &str); 2] = [("equal", "equal"), ("contain", "contain")];

/// Bytes of a value.
const LONGEST: usize = 4096;

/// One of them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) class: Option<&'static str>,
    pub(crate) field: &'static str,
    pub(crate) judge: &'static str,
    pub(crate) value: String,
    /// Empty: the whole project.
    pub(crate) hosts: Vec<String>,
}

/// The rules of a body.
pub(crate) fn read(source: &Source, body: &Value, verb: &str) -> Result<Vec<Rule>, HssError> {
    let name = source.name;
    let list = body.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if !list.is_empty() && verb != WHITELISTS {
        return Err(HssError::invalid(format!("{name}: goes with operate_type {WHITELISTS} only")));
    }
    list.iter().enumerate().map(|(i, rule)| one(source, &format!("{name}[{i}]."), rule)).collect()
}

fn one(source: &Source, place: &str, rule: &Value) -> Result<Rule, HssError> {
    let word = needed_in(rule, place, "field_key", 64)?;
    let field = one_of(&format!("{place}field_key"), word, source.fields)?.ok_or_else(|| {
        HssError::invalid(format!(
            "{place}field_key: no alarm of Lazaret has a {word}; file/process hash, file_path, process_path and \
             process_cmdline can be whitelisted"
        ))
    })?;
    let judge = needed_word_in(rule, place, "judge_type", &JUDGES)?;
    let value = checked(place, field, judge, needed_in(rule, place, "field_value", LONGEST)?)?;
    let instances = rule.get("instance_ids").and_then(Value::as_array).is_some_and(|l| !l.is_empty());
    if instances {
        return Err(HssError::invalid(format!("{place}instance_ids: Lazaret has no serverless instances")));
    }
    let hosts = hosts(place, rule, source.everywhere_unsaid)?;
    Ok(Rule { class: class(place, rule)?, field, judge, value, hosts })
}

fn class(place: &str, rule: &Value) -> Result<Option<&'static str>, HssError> {
    let Some(number) = rule.get("event_type").and_then(Value::as_i64) else { return Ok(None) };
    let name = format!("{place}event_type");
    let class = words::classes_of_type(kinds::event_type(&name, number)?).pop();
    class.map(Some).ok_or_else(|| {
        HssError::invalid(format!(
            "{name}: Lazaret has no alarms of the type {number}: there is nothing to whitelist"
        ))
    })
}

/// Hosts that it is for; none: all of the project.
pub(crate) fn hosts(place: &str, rule: &Value, everywhere_unsaid: bool) -> Result<Vec<String>, HssError> {
    let list = rule.get("agent_ids").and_then(Value::as_array);
    let agents = list.into_iter().flatten();
    let mut agents: Vec<String> = agents.filter_map(Value::as_str).map(str::to_owned).collect();
    agents.sort_unstable();
    agents.dedup();
    match (rule.get("scope").and_then(Value::as_bool), agents.is_empty()) {
        // A script whose list came out empty means no host, not all of them.
        (None, true) if list.is_some() => Err(HssError::invalid(format!(
            "{place}agent_ids: names no agent: name some, or send scope true for all hosts"
        ))),
        // Older requests have neither, and hold everywhere.
        (None, true) if everywhere_unsaid => Ok(agents),
        (Some(true), true) | (Some(false) | None, false) => Ok(agents),
        (Some(true), false) => Err(HssError::invalid(format!(
            "{place}agent_ids: with scope true the rule is for all hosts; give one or the other"
        ))),
        (Some(false) | None, true) => Err(HssError::invalid(format!(
            "{place}agent_ids: is missing: without scope true name the agents that the rule is for"
        ))),
    }
}

/// What the hosts would refuse is refused before anything is written.
fn checked(place: &str, field: &str, judge: &str, value: &str) -> Result<String, HssError> {
    let wrong = |what: &str| Err(HssError::invalid(format!("{place}field_value: {what}")));
    if value.len() > LONGEST {
        return wrong("over 4096 bytes");
    }
    match (field, judge) {
        ("hash", "equal") => {
            words::sha256(value).map_or_else(|| wrong("must be a SHA-256 of 64 hexadecimal digits"), Ok)
        }
        ("hash", _) => Err(HssError::invalid(format!(
            "{place}judge_type: a hash is compared with equal, not with {judge}"
        ))),
        (_, "contain") if value.len() < 3 => {
            wrong("for contain at least 3 bytes, or it matches nearly everything")
        }
        ("file_path" | "process_path", "equal") if !value.starts_with('/') => {
            wrong("must be an absolute path")
        }
        _ => Ok(value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SOURCE: Source =
        Source { name: "event_white_rule_list", fields: &FIELDS, everywhere_unsaid: true, thing: "event" };

    fn wrong(rule: Value) -> String {
        one(&SOURCE, "r.", &rule).unwrap_err().message().to_owned()
    }

    #[test]
    fn rules_as_they_come() {
        let digest = "AB".repeat(32);
        let rule = one(
            &SOURCE,
            "",
            &json!({ "event_type": 1016, "field_key": "file/process hash", "field_value": digest, "judge_type": "equal",
                "scope": false, "agent_ids": ["b", "a", "b"] }),
        );
        let known = Rule {
            class: Some("miner"),
            field: "hash",
            judge: "equal",
            value: "ab".repeat(32),
            hosts: vec!["a".to_owned(), "b".to_owned()],
        };
        assert_eq!(rule.unwrap(), known);
        let path = json!({ "field_key": "file_path", "field_value": "tmp", "judge_type": "contain" });
        assert!(one(&SOURCE, "", &path).unwrap().hosts.is_empty());
        assert!(read(&SOURCE, &json!({ "event_white_rule_list": [path] }), "ignore").is_err());
        assert_eq!(read(&SOURCE, &json!({ "event_white_rule_list": null }), "ignore").unwrap(), []);
    }

    #[test]
    fn rules_that_are_refused() {
        let with = |field: &str, value: &str, judge: &str| {
            wrong(json!({ "field_key": field, "field_value": value, "judge_type": judge }))
        };
        assert!(with("login_ip", "10.0.0.1", "equal").contains("no alarm of Lazaret has a login_ip"));
        assert!(with("hash", "x", "equal").contains("is none of file/process hash"));
        assert!(with("file/process hash", "x", "equal").contains("64 hexadecimal digits"));
        assert!(with("file/process hash", "xyz", "contain").contains("judge_type"));
        assert!(with("file_path", "tmp", "equal").contains("absolute"));
        assert!(with("process_cmdline", "x", "contain").contains("3 bytes"));
        assert!(with("file_path", "/x", "not_equal").contains("judge_type"));
        let base = json!({ "field_key": "file_path", "field_value": "/x", "judge_type": "equal" });
        let also = |name: &str, value: Value| {
            let mut rule = base.clone();
            rule[name] = value;
            wrong(rule)
        };
        assert!(also("event_type", json!(4002)).contains("no alarms of the type 4002"));
        assert!(also("scope", json!(false)).contains("agent_ids: is missing"));
        assert!(also("agent_ids", json!([])).contains("agent_ids: names no agent"));
        let strict = Source { everywhere_unsaid: false, fields: &FIELDS[1..2], ..SOURCE };
        let of = |rule: &Value| one(&strict, "r.", rule).map_err(|e| e.message().to_owned());
        assert!(of(&base).unwrap_err().contains("agent_ids: is missing"));
        let digest = json!({ "field_key": "file/process hash", "field_value": "x", "judge_type": "equal" });
        assert!(of(&digest).unwrap_err().contains("r.field_key"));
        assert!(also("instance_ids", json!(["i"])).contains("serverless"));
    }
}
