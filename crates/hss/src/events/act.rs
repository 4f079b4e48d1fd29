// SPDX-License-Identifier: Apache-2.0
//! Handling events: some by their ids, or all of a type.

mod named;
mod of_class;

use super::terms::Category;
use crate::ask::one_of;
use crate::body::{needed_in, short_in, word_in};
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::handling::{UNWHITELISTS, WHITELISTS};
use crate::rule::{self, FIELDS, Source, handled};
use crate::{kinds, order, words};
use serde_json::{Value, json};

/// What can be done with events; `None`: it is about log-ins.
const VERBS: [(&str, Option<&str>); 10] = [
    ("mark_as_handled", Some("mark_as_handled")),
    ("ignore", Some("ignore")),
    (WHITELISTS, Some(WHITELISTS)),
    ("add_to_login_whitelist", None),
    ("isolate_and_kill", Some("isolate_and_kill")),
    ("unhandle", Some("unhandle")),
    ("do_not_ignore", Some("do_not_ignore")),
    (UNWHITELISTS, Some(UNWHITELISTS)),
    ("remove_from_login_whitelist", None),
    ("do_not_isolate_or_kill", Some("do_not_isolate_or_kill")),
];

/// Rules of an event.
const RULES: Source =
    Source { name: "event_white_rule_list", fields: &FIELDS, everywhere_unsaid: true, thing: "event" };

/// A word of `operate_type`; `None`: HSS has no such.
pub(super) fn known(verb: &str) -> Option<&'static str> {
    VERBS.iter().find(|(v, _)| *v == verb).map(|(v, _)| *v)
}

fn verb(body: &Value) -> Result<&'static str, HssError> {
    let word = needed_in(body, "", "operate_type", 64)?;
    one_of("operate_type", word, &VERBS)?.ok_or_else(|| {
        HssError::invalid(format!(
            "operate_type: \"{word}\" is about log-ins; Lazaret has no log-in alarms, its alarms are about programs: \
             add_to_alarm_whitelist or remove_from_alarm_whitelist are for those"
        ))
    })
}

/// `change_event`: handles events by their ids.
pub(crate) async fn change_event(call: &Call) -> Answer {
    let body = &call.ask.body;
    let verb = verb(body)?;
    let remark = short_in(body, "", "handler", 256)?.unwrap_or_default();
    let rules = rule::read(&RULES, body, verb)?;
    let alarms = named::events(call, verb).await?;
    handled::handle(call, &RULES, &rules, alarms, verb, remark).await
}

/// `batch_change_event`: handles all events of a type, as far as they are not handled yet, or are so in the way that is
/// taken back.
pub(crate) async fn batch_change_event(call: &Call) -> Answer {
    let body = &call.ask.body;
    let verb = verb(body)?;
    let remark = short_in(body, "", "handler", 256)?.unwrap_or_default();
    let known = [("host", Category::Host), ("container", Category::Container)];
    let category = word_in(body, "", "category", &known)?;
    let number = body.get("event_type").and_then(Value::as_i64).ok_or_else(|| {
        HssError::invalid(
            "event_type: is missing: name the type whose events are to be handled, such as 1016",
        )
    })?;
    let Some(class) = words::classes_of_type(kinds::event_type("event_type", number)?).pop() else {
        // A type of HSS alone: there are no events of it.
        return order::told("event", &[], &[]);
    };
    let (follows, note) = of_class::follows(call, class, category, verb, remark).await?;
    let asked = json!({ "class": class, "operate_type": verb, "project": call.one_project(), "remark": remark,
        "in_container": category.and_then(Category::in_container) });
    let answer = call.rest.post("/alarms/handle-all", &crate::call::without_nulls(asked)).await?;
    order::noted(handled::after(call, "event", answer, &follows).await, note)
}

/// `list_event_operates`: what can be done with events of a type.
pub(crate) async fn list_event_operates(call: &Call) -> Answer {
    let found = match call.ask.int("event_type") {
        Some(number) => !words::classes_of_type(kinds::event_type("event_type", number)?).is_empty(),
        None => true,
    };
    Ok(json!({ "operate_accept_list": operates(found) }).into())
}

fn operates(found: bool) -> Vec<&'static str> {
    VERBS.iter().filter_map(|(_, ours)| *ours).filter(|_| found).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handling::undoes;

    #[test]
    fn words_about_logins_are_refused_in_words() {
        assert_eq!(verb(&json!({ "operate_type": "ignore" })).unwrap(), "ignore");
        let e = verb(&json!({ "operate_type": "add_to_login_whitelist" })).unwrap_err();
        assert!(e.message().contains("no log-in alarms"), "{}", e.message());
        assert!(verb(&json!({ "operate_type": "manual_isolate_and_kill" })).is_err());
        assert!(verb(&json!({})).is_err_and(|e| e.message().contains("operate_type: is missing")));
    }

    #[test]
    fn what_is_taken_back_is_a_word_too() {
        let undone: Vec<&str> = VERBS.iter().filter_map(|(v, _)| undoes(v)).collect();
        assert_eq!(undone.len(), 4);
        assert!(undone.iter().all(|v| VERBS.contains(&(*v, Some(*v)))), "{undone:?}");
    }

    #[test]
    fn operates_of_a_type() {
        let all = operates(true);
        assert!(all.len() == 8 && all.iter().all(|w| !w.contains("login")), "{all:?}");
        assert!(operates(false).is_empty());
    }
}
