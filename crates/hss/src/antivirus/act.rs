// SPDX-License-Identifier: Apache-2.0
//! Handling results of virus scans. Everything is held against the alarms before the first of them is changed.

use super::alarms::is_result;
use crate::alarm;
use crate::body;
use crate::body::{needed_in, short_in};
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::handling::{UNWHITELISTS, WHITELISTS};
use crate::rule::{self, Source, handled};
use crate::words::{self, at, text};
use serde_json::Value;

/// Rules of a result: of what is in files paths alone are whitelisted.
const RULES: Source = Source {
    name: "event_white_rules",
    fields: &[("file_path", Some("file_path"))],
    everywhere_unsaid: false,
    thing: "result",
};
/// What can be done. The last word is the one that lists of results give for the fourth.
const VERBS: [(&str, &str); 9] = [
    ("mark_as_handled", "mark_as_handled"),
    ("ignore", "ignore"),
    (WHITELISTS, WHITELISTS),
    ("manual_isolate_and_kill", "isolate_and_kill"),
    ("unhandle", "unhandle"),
    ("do_not_ignore", "do_not_ignore"),
    (UNWHITELISTS, UNWHITELISTS),
    ("do_not_isolate_or_kill", "do_not_isolate_or_kill"),
    ("isolate_and_kill", "isolate_and_kill"),
];
/// `event_type` of files that something else than a scan brought, as the history has them.
const OTHERS: i64 = 1;

pub(crate) async fn handle_anti_virus_result(call: &Call) -> Answer {
    let asked = &call.ask.body;
    let verb = body::needed_word_in(asked, "", "operate_type", &VERBS)?;
    let remark = body::short_in(asked, "", "memo", 512)?.unwrap_or_default();
    let rules = rule::read(&RULES, asked, verb)?;
    let alarms = named(call, asked, verb).await?;
    handled::handle(call, &RULES, &rules, alarms, verb, remark).await
}

/// The alarms of `operate_results`, each once: all there, all as described, all fit for it.
async fn named(call: &Call, asked: &Value, verb: &str) -> Result<Vec<Value>, HssError> {
    let list = asked.get("operate_results").and_then(Value::as_array).filter(|l| !l.is_empty());
    let list = list.ok_or_else(|| body::lacking("operate_results", "it must name 1 to 100 results"))?;
    let mut ids = Vec::with_capacity(list.len());
    for (i, one) in list.iter().enumerate() {
        let id = needed_in(one, &place(i), "result_id", body::ID)?;
        body::number(one, "event_type", 0..=10)?;
        body::number(one, "occur_time", 0..=i64::MAX)?;
        ids.push(id);
    }
    let mut found = alarm::by_id(call, &call.scoped(), ids.iter().copied()).await?;
    for (i, (one, id)) in list.iter().zip(&ids).enumerate() {
        // What something else brought is an event, which change_event handles; of files the history has those, too.
        let other = one.get("event_type").and_then(Value::as_i64) == Some(OTHERS);
        let known = found.get(*id).filter(|a| other || is_result(a));
        let known = known.ok_or_else(|| HssError::missing("result of a virus scan", id))?;
        is_as_said(&place(i), one, known)?;
        fits(verb, known)?;
    }
    Ok(ids.into_iter().filter_map(|id| found.remove(id)).collect())
}

fn place(i: usize) -> String {
    format!("operate_results[{i}].")
}

/// Whether what is said of a result is so: nobody is to act on something else than they mean.
fn is_as_said(place: &str, said: &Value, alarm: &Value) -> Result<(), HssError> {
    short_in(said, place, "file_attr", 256)?;
    for (name, most, path) in
        [("agent_id", 64, "host.id"), ("file_hash", 256, "sha256"), ("file_path", 256, "path")]
    {
        let Some(given) = short_in(said, place, name, most)? else { continue };
        let is = text(alarm, path);
        let same = if name == "file_hash" { given.eq_ignore_ascii_case(is) } else { given == is };
        if !same {
            let is = words::quoted(is, 200);
            return Err(HssError::invalid(format!(
                "{place}{name}: is not that of the result, which has \"{is}\"; leave it out or give what the list of \
                 results gives; nothing was changed"
            )));
        }
    }
    Ok(())
}

/// Whether this can be done with a result as it stands.
fn fits(verb: &str, alarm: &Value) -> Result<(), HssError> {
    let accepted: Vec<&str> =
        at(alarm, "operate_accept_list").as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    // What was isolated in another way comes back in the same.
    let restores = verb == "do_not_isolate_or_kill" && !at(alarm, "isolated").is_null();
    if restores || accepted.contains(&verb) {
        return Ok(());
    }
    let by = text(alarm, "handled.by");
    let stands =
        if by.is_empty() { "nobody has handled it".to_owned() } else { format!("it was handled by {by}") };
    Err(HssError::conflict(format!(
        "result {}: {stands}; as it stands it takes {}, not {verb}; nothing was changed",
        text(alarm, "id"),
        accepted.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn one() -> Value {
        json!({ "id": "a", "host": { "id": "h" }, "sha256": "0a", "path": "/x", "isolated": null, "handled": null,
            "operate_accept_list": ["ignore", "isolate_and_kill"] })
    }

    #[test]
    fn what_is_said_must_be_so() {
        let said = |value: Value| is_as_said("r.", &value, &one()).map_err(|e| e.message().to_owned());
        assert!(
            said(json!({ "agent_id": "h", "file_hash": "0A", "file_path": "/x", "file_attr": "33261" }))
                .is_ok()
        );
        assert!(said(json!({ "agent_id": "", "file_path": null })).is_ok());
        assert!(said(json!({ "agent_id": "g" })).unwrap_err().starts_with("r.agent_id: is not that"));
        assert!(said(json!({ "file_hash": "0b" })).unwrap_err().contains("\"0a\""));
        assert!(said(json!({ "file_attr": "x".repeat(257) })).is_err());
    }

    #[test]
    fn what_can_be_done_as_it_stands() {
        assert!(fits("isolate_and_kill", &one()).is_ok());
        assert!(fits("unhandle", &one()).unwrap_err().message().contains("nobody has handled it"));
        let mut isolated = one();
        isolated["isolated"] = json!("i");
        assert!(
            fits("do_not_isolate_or_kill", &isolated).is_ok()
                && fits("do_not_isolate_or_kill", &one()).is_err()
        );
    }

    #[test]
    fn words_of_both_lists() {
        let verb =
            |word: &str| body::needed_word_in(&json!({ "operate_type": word }), "", "operate_type", &VERBS);
        assert_eq!(verb("manual_isolate_and_kill").unwrap(), "isolate_and_kill");
        assert_eq!(verb("isolate_and_kill").unwrap(), "isolate_and_kill");
        assert!(verb("add_to_login_whitelist").is_err());
    }
}
