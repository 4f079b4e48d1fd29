// SPDX-License-Identifier: Apache-2.0
//! Handling, and what follows it in the whitelist. The order comes first: what is refused or waits for a second person
//! changes no entry, and what stays where a later step fails is said.

use super::{Rule, Source, content, entries};
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::handling::{UNWHITELISTS, WHITELISTS};
use crate::order;
use crate::rights::Rights;
use crate::words::{at, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What an order for alarms is to have in the whitelist.
#[derive(Debug)]
pub(crate) enum Follows {
    Nothing,
    /// Entries of rules.
    Rules(Vec<Value>),
    /// An entry for each content among these alarms, with this remark.
    Contents(Vec<Value>, String),
    /// These entries go.
    Gone(Vec<Value>),
}

impl Follows {
    /// What becomes of it where the order waits.
    fn while_it_waits(&self) -> &'static str {
        match self {
            Self::Rules(_) | Self::Contents(..) => {
                "; whitelist entries are not made, by the approval neither, which is for the hosts alone: where others are to \
                 let it be too, POST /api/v1/whitelist makes one"
            }
            Self::Gone(entries) if !entries.is_empty() => {
                "; the whitelist entries stay, after the approval too: remove_alarm_white_list takes them out"
            }
            Self::Nothing | Self::Gone(_) => "",
        }
    }

    /// What holds where the order was taken, and this could not be done.
    fn without_it(&self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Gone(_) => "; the hosts were told before that",
            Self::Rules(_) | Self::Contents(..) => {
                "; the hosts were told before that and let it be, without an entry for others: remove_from_alarm_whitelist \
                 takes that back"
            }
        }
    }
}

/// Handles alarms that are named, with rules of their own or by their content.
pub(crate) async fn handle(
    call: &Call,
    source: &Source,
    rules: &[Rule],
    alarms: Vec<Value>,
    verb: &str,
    remark: &str,
) -> Answer {
    let ids: Vec<&str> = alarms.iter().map(|a| text(a, "id")).collect();
    let asked = json!({ "alarms": ids, "operate_type": verb, "remark": remark });
    let follows = match verb {
        WHITELISTS if rules.is_empty() => Follows::Contents(alarms, remark.to_owned()),
        WHITELISTS => {
            let bodies = entries::of(call, source, rules, &alarms, remark).await?;
            permitted(source, &bodies, &Rights::of(call).await?)?;
            Follows::Rules(bodies)
        }
        UNWHITELISTS => Follows::Gone(content::of_alarms(call, &alarms).await?),
        _ => Follows::Nothing,
    };
    let answer = call.rest.post("/alarms/handle", &asked).await?;
    after(call, source.thing, answer, &follows).await
}

/// Who names rules and may not set the whitelist is told before anything is done.
fn permitted(source: &Source, bodies: &[Value], rights: &Rights) -> Result<(), HssError> {
    let project = bodies.iter().map(|b| text(b, "project")).find(|p| !rights.administers(p));
    project.map_or(Ok(()), |project| {
        Err(HssError::forbidden(format!(
            "{}: only administrators of the project \"{project}\" set its whitelist; without rules the content is \
             whitelisted, on the {}'s host for who may do no more; nothing was changed",
            source.name, source.thing
        )))
    })
}

/// What the order does not refuse of these, by the alarm's id that is at `name`.
fn taken<'a>(things: &'a [Value], name: &str, answer: &Value) -> Vec<&'a Value> {
    let refused: BTreeSet<&str> =
        at(answer, "refused").as_array().into_iter().flatten().map(|r| text(r, "id")).collect();
    things.iter().filter(|t| !refused.contains(text(t, name))).collect()
}

/// The whitelist after an order, and what the answer to both is.
pub(crate) async fn after(call: &Call, thing: &str, answer: Value, follows: &Follows) -> Answer {
    if at(&answer, "approval").is_string() {
        return order::told(thing, &[answer], &[]).map_err(|e| e.and(follows.while_it_waits()));
    }
    let mut note = None;
    let done = match follows {
        _ if order::is_refused(&answer) => Ok(Vec::new()),
        Follows::Nothing => Ok(Vec::new()),
        Follows::Rules(bodies) => entries::add(call, bodies).await,
        Follows::Contents(alarms, remark) => {
            let some = taken(alarms, "id", &answer);
            content::add(call, &some, thing, remark).await.map(|(added, without)| {
                note = hosts_alone(&without);
                added
            })
        }
        Follows::Gone(entries) => {
            content::take_out(call, &taken(entries, "alarm", &answer)).await.map(|()| Vec::new())
        }
    };
    match done {
        Ok(added) => order::noted(order::told(thing, &[answer], &added), note),
        Err(e) => {
            let e = e.and(follows.without_it());
            // What the hosts are not told is said, too.
            Err(match order::told(thing, &[answer], &[]) {
                Err(refused) => e.and(&format!("; {}", refused.message())),
                Ok(_) => e,
            })
        }
    }
}

/// Projects whose other hosts do not let the content be.
fn hosts_alone(projects: &BTreeSet<String>) -> Option<String> {
    let names: Vec<&str> = projects.iter().map(String::as_str).collect();
    (!names.is_empty()).then(|| {
        format!(
            "only the hosts that raised it let the content be in the projects {}: who asks may not set the whitelist there",
            names.join(" ")
        )
    })
}

#[cfg(test)]
mod tests;
