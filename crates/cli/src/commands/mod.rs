// SPDX-License-Identifier: Apache-2.0
//! One file per verb: its arguments, whose documentation is its manual, and what it does.

pub(crate) mod alarms;
pub(crate) mod breaker;
pub(crate) mod cloud;
pub(crate) mod completions;
pub(crate) mod content;
pub(crate) mod diagnose;
pub(crate) mod events;
pub(crate) mod exception;
pub(crate) mod handle;
pub(crate) mod isolate;
pub(crate) mod isolated;
pub(crate) mod man;
pub(crate) mod persistence;
pub(crate) mod preview;
pub(crate) mod rules;
pub(crate) mod scan;
pub(crate) mod self_test;
pub(crate) mod status;
pub(crate) mod switch;
pub(crate) mod thaw;
pub(crate) mod vault;
pub(crate) mod whitelist;

use crate::client::{Client, Patience};
use crate::error::{CliError, EXIT_FOUND};
use crate::output::Output;
use crate::{escape, json, render, time};
use lazaret_proto::v1::request::Verb;
use lazaret_proto::v1::response::Answer;
use std::ops::ControlFlow;
use std::process::ExitCode;

/// Sends a request that changes something and shows whatever comes back; exit status 1 when one of
/// the answers says that it did not work.
fn perform(client: &Client, verb: Verb, patience: Patience, out: &mut Output) -> Result<ExitCode, CliError> {
    let mut all_well = true;
    client.call(verb, patience, |answer| {
        all_well &= show(out, &answer)?;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FOUND) })
}

/// Shows one answer of any kind; false when it tells of a failure.
fn show(out: &mut Output, answer: &Answer) -> Result<bool, CliError> {
    let look = out.look;
    if out.json {
        match answer {
            Answer::Status(s) => out.json(&json::Status::from(s))?,
            Answer::Alarm(a) => out.json(&json::Alarm::from(a))?,
            Answer::Isolated(i) => out.json(&json::IsolatedFull::from(i))?,
            Answer::Receipt(r) => out.json(&json::Receipt::from(r))?,
            Answer::WhitelistEntry(w) => out.json(&json::WhitelistEntry::from(w))?,
            Answer::Done(d) => out.json(&json::Done::new(&d.message))?,
            Answer::Event(e) => out.json(&json::Event::from(e))?,
            Answer::Verify(v) => out.json(&json::Verify::from(v))?,
            Answer::Preview(p) => out.json(&json::Preview::from(p))?,
            Answer::DisarmedRule(r) => out.json(&json::DisarmedRule::from(r))?,
            Answer::CloudStatus(s) => out.json(&json::CloudLine::from(s))?,
            Answer::CloudSent(s) => out.json(&json::CloudSent::from(s))?,
            Answer::CloudVerdict(v) => out.json(&json::CloudVerdict::from(v))?,
            Answer::Failure(f) => return Err(f.clone().into()),
        }
    } else {
        match answer {
            Answer::Status(s) => out.text(&render::status(look, s, time::now_ms()))?,
            Answer::Alarm(a) => out.text(&render::alarm_after(look, a))?,
            Answer::Isolated(i) => out.text(&render::isolated(look, i))?,
            Answer::Receipt(r) => out.text(&render::receipt(look, r))?,
            Answer::WhitelistEntry(w) => out.text(&render::whitelist(look, std::slice::from_ref(w)))?,
            Answer::Done(d) => out.text(&escape::text(&d.message))?,
            Answer::Event(e) => out.text(&render::event(look, e))?,
            Answer::Verify(v) => out.text(&render::verifications(look, std::slice::from_ref(v)))?,
            Answer::Preview(p) => out.text(&render::preview(look, p))?,
            Answer::DisarmedRule(r) => out.text(&render::disarmed(look, std::slice::from_ref(r)))?,
            Answer::CloudStatus(s) => out.text(&render::cloud(look, s))?,
            Answer::CloudSent(s) => out.text(&render::cloud_sent(look, std::slice::from_ref(s), 0))?,
            Answer::CloudVerdict(v) => out.text(&render::cloud_verdicts(look, std::slice::from_ref(v), 0))?,
            Answer::Failure(f) => return Err(f.clone().into()),
        }
    }
    Ok(match answer {
        Answer::Receipt(r) => {
            let well = |outcome: &str| matches!(outcome, "done" | "already_gone");
            well(&r.outcome) && r.restarts.iter().all(|a| well(&a.outcome))
        }
        Answer::Isolated(i) => !i.status.ends_with("_failed"),
        Answer::Verify(v) => v.ok,
        _ => true,
    })
}

/// The whole identifier of the one thing whose identifier is `given`, or begins or ends with it.
fn one_of(given: &str, what: &str, known: impl Iterator<Item = String>) -> Result<String, CliError> {
    let given = given.to_ascii_lowercase();
    let mut hits: Vec<String> =
        known.filter(|id| !given.is_empty() && (id.starts_with(&given) || id.ends_with(&given))).collect();
    hits.dedup();
    match hits.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(CliError::Failed(format!("there is no {what} \"{}\"", escape::text(&given)))),
        many => Err(CliError::Usage(format!(
            "\"{}\" stands for {} {what}s: {}. Give more digits",
            escape::text(&given),
            many.len(),
            many.iter().take(4).map(|id| escape::text(id)).collect::<Vec<_>>().join(", ")
        ))),
    }
}

/// Whether an identifier is written out, so that nothing needs to be looked up.
pub(crate) fn is_whole_id(id: &str) -> bool {
    id.len() == 36
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_by_their_beginning_or_end() {
        let known = || ["aa-1", "aa-2", "bb-1"].into_iter().map(String::from);
        assert_eq!(one_of("BB", "alarm", known()).unwrap(), "bb-1");
        assert_eq!(one_of("-2", "alarm", known()).unwrap(), "aa-2");
        assert_eq!(one_of("aa", "alarm", known()).unwrap_err().exit_status(), 64);
        assert_eq!(one_of("cc", "alarm", known()).unwrap_err().exit_status(), 1);
        assert_eq!(one_of("", "alarm", known()).unwrap_err().exit_status(), 1);
    }
}
