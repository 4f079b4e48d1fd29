// SPDX-License-Identifier: Apache-2.0
//! What the API answered to orders, as HSS answers: with nothing that is documented, or with an error that says what
//! was ordered and what was not.

use crate::call::{Answer, Reply};
use crate::error::HssError;
use crate::words;
use serde_json::{Value, json};

/// Refusals that an error names one by one.
const NAMED: usize = 10;
/// The API takes no more of a type at once.
const MOST: u64 = 10_000;

/// Of all answers together.
#[derive(Debug, Default)]
struct Sum<'a> {
    ordered: u64,
    later: usize,
    done: Vec<&'a str>,
    tasks: Vec<&'a str>,
    refused: Vec<(&'a str, &'a str)>,
    approvals: Vec<&'a str>,
}

fn sum(answers: &[Value]) -> Sum<'_> {
    let mut out = Sum::default();
    for answer in answers {
        let list = |name: &str| answer.get(name).and_then(Value::as_array).into_iter().flatten();
        out.ordered += answer.get("total").and_then(Value::as_u64).unwrap_or(0);
        out.later += list("commands").filter(|c| c["later"] == true).count();
        out.done.extend(list("done").filter_map(Value::as_str));
        out.tasks.extend(words::at(answer, "task").as_str());
        out.refused.extend(list("refused").map(|r| (words::text(r, "id"), words::text(r, "reason"))));
        out.approvals.extend(words::at(answer, "approval").as_str());
    }
    out
}

impl Sum<'_> {
    /// Sent on its way, or done here at once.
    fn done(&self) -> u64 {
        self.ordered + u64::try_from(self.done.len()).unwrap_or_default()
    }
}

/// Where a project asks for two persons.
pub(crate) fn waits(approval: &str) -> String {
    format!(
        "this project asks for two persons here: a second one must approve it at {approval}, until then nothing is done"
    )
}

/// The answer. SDKs read no field of it: what was refused, or waits, must be an error to be seen.
pub(crate) fn told(thing: &str, answers: &[Value], whitelisted: &[String]) -> Answer {
    let sum = sum(answers);
    if sum.approvals.is_empty() && sum.refused.is_empty() {
        return Ok(Reply::Json(json!({
            "lazaret_ordered": sum.ordered,
            "lazaret_done": sum.done.len(),
            // Of the first hundred of each order.
            "lazaret_when_back": sum.later,
            "lazaret_tasks": sum.tasks,
            "lazaret_whitelist": whitelisted,
            "lazaret_more": (sum.done() >= MOST).then_some(true),
        })));
    }
    let mut text = Vec::new();
    if !sum.approvals.is_empty() {
        text.push(waits(&sum.approvals.join(" and ")));
    }
    if !sum.refused.is_empty() {
        text.push(format!("refused for {}", listed(&sum.refused)));
    }
    if sum.done() > 0 || sum.approvals.is_empty() {
        text.push(format!("ordered for {} {thing}(s)", sum.done()));
    }
    if !whitelisted.is_empty() {
        text.push(format!("added to the whitelist: {}", whitelisted.join(" ")));
    }
    Err(HssError::conflict(text.join("; ")))
}

/// Whether the API took nothing of an order.
pub(crate) fn is_refused(answer: &Value) -> bool {
    let sum = sum(std::slice::from_ref(answer));
    sum.done() == 0 && !sum.refused.is_empty()
}

/// An answer, or an error, with what else is to be known.
pub(crate) fn noted(told: Answer, note: Option<String>) -> Answer {
    let Some(note) = note else { return told };
    match told {
        Ok(Reply::Json(mut value)) => {
            value["lazaret_note"] = json!(note);
            Ok(Reply::Json(value))
        }
        Ok(file) => Ok(file),
        Err(e) => Err(e.and(&format!("; {note}"))),
    }
}

/// When a later one of several orders failed.
pub(crate) fn broken_off(thing: &str, answers: &[Value], of: usize, why: &HssError) -> HssError {
    let sum = sum(answers);
    let mut text = format!("ordered for {} of {of} {thing}(s), then: {}", sum.done(), why.message());
    if !sum.refused.is_empty() {
        text.push_str("; refused for ");
        text.push_str(&listed(&sum.refused));
    }
    if !sum.approvals.is_empty() {
        text.push_str("; waits for a second person at ");
        text.push_str(&sum.approvals.join(" and "));
    }
    HssError::conflict(text)
}

fn listed(refused: &[(&str, &str)]) -> String {
    let some: Vec<String> = refused.iter().take(NAMED).map(|(id, why)| format!("{id} ({why})")).collect();
    match refused.len() {
        n if n > NAMED => format!("{} and {} more", some.join(", "), n - NAMED),
        _ => some.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(answers: &[Value], whitelisted: &[String]) -> String {
        told("event", answers, whitelisted).unwrap_err().message().to_owned()
    }

    #[test]
    fn all_ordered() {
        let answer = json!({ "task": "t", "total": 2, "commands": [{ "later": true }, { "later": false }],
            "done": ["a"], "refused": [] });
        let Ok(Reply::Json(told)) = told("event", &[answer], &["w".to_owned()]) else { panic!("an error") };
        assert_eq!(
            told,
            json!({ "lazaret_ordered": 2, "lazaret_done": 1, "lazaret_when_back": 1, "lazaret_tasks": ["t"],
                "lazaret_whitelist": ["w"], "lazaret_more": null })
        );
    }

    #[test]
    fn refusals_are_errors_with_names() {
        let answer =
            json!({ "task": "t", "total": 1, "done": [], "refused": [{ "id": "x", "reason": "gone" }] });
        let text = message(&[answer], &["w".to_owned()]);
        assert_eq!(text, "refused for x (gone); ordered for 1 event(s); added to the whitelist: w");
        let many: Vec<Value> = (0..12).map(|n| json!({ "id": n.to_string(), "reason": "r" })).collect();
        assert!(message(&[json!({ "refused": many })], &[]).contains("9 (r) and 2 more; ordered for 0"));
    }

    #[test]
    fn notes_stand_beside_both() {
        let answer = json!({ "total": 1 });
        assert!(!is_refused(&answer) && !is_refused(&json!({ "total": 0, "refused": [] })));
        let Ok(Reply::Json(with)) = noted(told("event", &[answer], &[]), Some("why".to_owned())) else {
            panic!("an error")
        };
        assert_eq!((&with["lazaret_note"], &with["lazaret_ordered"]), (&json!("why"), &json!(1)));
        let refused = json!({ "total": 0, "refused": [{ "id": "x", "reason": "gone" }] });
        assert!(is_refused(&refused));
        let e = noted(told("event", &[refused], &[]), Some("why".to_owned())).unwrap_err();
        assert!(e.message().ends_with("; why"), "{}", e.message());
    }

    #[test]
    fn approvals_are_named() {
        let text = message(&[json!({ "approval": "/api/v1/approvals/7", "total": 0 })], &[]);
        assert!(
            text.contains("must approve it at /api/v1/approvals/7") && !text.contains("ordered"),
            "{text}"
        );
    }

    #[test]
    fn how_far_it_came() {
        let e = broken_off("event", &[json!({ "total": 100 })], 250, &HssError::invalid("why"));
        assert_eq!(e.message(), "ordered for 100 of 250 event(s), then: why");
    }
}
