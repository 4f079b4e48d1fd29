// SPDX-License-Identifier: Apache-2.0
//! Tests of rules.

use super::*;

fn rule(more: Value) -> Value {
    let mut rule =
        json!({ "field_key": "file_path", "field_value": "/opt/x", "judge_type": "equal", "scope": true });
    for (name, value) in more.as_object().unwrap() {
        rule[name] = value.clone();
    }
    rule
}

fn wrong(more: Value) -> String {
    one("r.", &rule(more)).unwrap_err().message().to_owned()
}

#[test]
fn rules_as_they_come() {
    let known =
        one("", &rule(json!({ "event_type": 1016, "scope": false, "agent_ids": ["b", "a", "b"] }))).unwrap();
    let hosts = vec!["b".to_owned(), "a".to_owned()];
    assert_eq!(known, Some(Rule { class: Some("miner"), judge: "equal", value: "/opt/x".to_owned(), hosts }));
    assert!(one("", &rule(json!({}))).unwrap().unwrap().hosts.is_empty());
    assert_eq!(one("", &rule(json!({ "event_type": 4002 }))).unwrap(), None, "there are no alarms of it");
    assert_eq!(one("", &rule(json!({ "scope": false, "instance_ids": ["i"] }))).unwrap(), None);
    assert!(read(&json!({ "event_white_rules": [rule(json!({}))] }), "ignore").is_err());
    assert!(read(&json!({ "event_white_rules": [] }), "ignore").unwrap().is_empty());
    assert_eq!(read(&json!({ "event_white_rules": [rule(json!({}))] }), WHITELISTS).unwrap().len(), 1);
}

#[test]
fn rules_that_are_refused() {
    assert!(wrong(json!({ "field_key": "process_path" })).contains("r.field_key"));
    assert!(wrong(json!({ "judge_type": "not_equal" })).contains("r.judge_type"));
    assert!(wrong(json!({ "field_value": "opt" })).contains("absolute"));
    assert!(wrong(json!({ "field_value": "x", "judge_type": "contain" })).contains("3 bytes"));
    assert!(wrong(json!({ "event_type": 7 })).contains("r.event_type"));
    assert!(wrong(json!({ "scope": false })).contains("agent_ids: is missing"));
    assert!(wrong(json!({ "agent_ids": ["a"] })).contains("one or the other"));
}

#[test]
fn entries_of_rules() {
    let alarms = [json!({ "id": "a1", "project": "0" }), json!({ "id": "a2", "project": "0" })];
    let rule = |hosts: &[&str]| Rule {
        class: None,
        judge: "contain",
        value: "/opt".to_owned(),
        hosts: hosts.iter().map(|h| (*h).to_owned()).collect(),
    };
    let hosts = HashMap::from([("h".to_owned(), json!({ "project": "p" }))]);
    let made = bodies(&[rule(&[]), rule(&["h"])], &alarms, &hosts, "ours").unwrap();
    let wanted = json!({ "project": "0", "scope": "project", "field": "file_path", "judge": "contain", "value": "/opt",
        "any_content": true, "description": "ours", "alarm": "a1" });
    assert_eq!(made[0], wanted);
    let wanted = json!({ "project": "p", "scope": "host", "scope_id": "h", "field": "file_path", "judge": "contain",
        "value": "/opt", "any_content": true, "description": "ours" });
    assert_eq!(made[1], wanted);
    assert!(bodies(&[rule(&["g"])], &alarms, &hosts, "").is_err_and(|e| e.is_missing()));
    let many: Vec<Rule> = (0..101).map(|_| rule(&[])).collect();
    assert!(bodies(&many, &alarms, &hosts, "").is_err_and(|e| e.message().contains("101 whitelist entries")));
}
