// SPDX-License-Identifier: Apache-2.0
//! Events like one: the same elsewhere, those around it, and how such were handled.

use super::event::handle_method;
use super::look;
use crate::call::{Answer, Call};
use crate::kinds;
use crate::page;
use crate::rest::part;
use crate::words::{self, at, ms, said, text};
use serde_json::{Value, json};

/// Before it was first seen and after it was last: what happened then on its host has to do with it.
const AROUND_MS: i64 = 86_400_000;

/// The same file on any host.
pub(crate) async fn list_same_events(call: &Call) -> Answer {
    let offset = call.ask.offset()?;
    let class = call.ask.text("event_class_id").map(|w| kinds::class_id("event_class_id", w)).transpose()?;
    let full = look::asked(call).await?;
    let path = format!("/alarms/{}/same", part(text(&full, "summary.id")));
    let keeps =
        |alarm: &Value| is_here(call, alarm) && class.is_none_or(|c| c == text(alarm, "event_class_id"));
    let listed = match (call.one_project(), class) {
        (None, None) => page::page(&call.rest, &path, &Vec::new(), offset).await?,
        _ => page::kept(&call.rest, &path, &Vec::new(), offset, keeps).await?,
    };
    look::answer(call, &listed).await
}

/// How somebody handled events like it.
pub(crate) async fn list_similar_handled_events(call: &Call) -> Answer {
    let full = look::asked(call).await?;
    let path = format!("/alarms/{}/similar-handled", part(text(&full, "summary.id")));
    let found = call.rest.get(&path, &[]).await?;
    let items = at(&found, "items").as_array().into_iter().flatten();
    let list: Vec<Value> = items.filter(|i| is_here(call, at(i, "alarm"))).map(similar).collect();
    Ok(json!({ "total_num": list.len(), "data_list": list }).into())
}

/// What else there was on its host around that time.
pub(crate) async fn list_related_events(call: &Call) -> Answer {
    let offset = call.ask.offset()?;
    let full = look::asked(call).await?;
    let this = at(&full, "summary");
    let mut query = call.scoped();
    query.push(("host", text(this, "host.id").to_owned()));
    if let (Some(first), Some(last)) = (ms(at(this, "at")).as_i64(), ms(at(this, "last")).as_i64()) {
        query.push(("since", words::rfc3339(first.saturating_sub(AROUND_MS))));
        query.push(("until", words::rfc3339(last.saturating_add(AROUND_MS))));
    }
    let other = |alarm: &Value| text(alarm, "id") != text(this, "id");
    let listed = page::kept(&call.rest, "/alarms", &query, offset, other).await?;
    let list: Vec<Value> = listed.items.iter().map(|alarm| related(this, alarm)).collect();
    Ok(json!({ "total_num": listed.total, "data_list": list }).into())
}

/// Whether it is of the project that is asked for: the API has it from everywhere that the caller may see.
fn is_here(call: &Call, alarm: &Value) -> bool {
    call.one_project().is_none_or(|p| p == text(alarm, "project"))
}

fn brief(alarm: &Value) -> Value {
    json!({
        "event_class_id": at(alarm, "event_class_id"),
        "event_id": at(alarm, "id"),
        "event_type": at(alarm, "event_type"),
        "severity": words::severity(text(alarm, "severity")),
        "abstract": at(alarm, "title"),
        "handle_method": handle_method(alarm),
        "handler": said(at(alarm, "handled.who")),
        "memo": said(at(alarm, "handled.remark")),
        "handle_time": ms(at(alarm, "handled.at")),
    })
}

fn with(mut event: Value, more: [(&str, Value); 3]) -> Value {
    if let Some(event) = event.as_object_mut() {
        event.extend(more.into_iter().map(|(key, value)| (key.to_owned(), value)));
    }
    event
}

fn similar(item: &Value) -> Value {
    let alarm = at(item, "alarm");
    // The field is spelt so.
    let more = [
        ("similiar_type", at(item, "similar_type").clone()),
        ("lazaret_host_id", at(alarm, "host.id").clone()),
        ("lazaret_host_name", said(at(alarm, "host.name"))),
    ];
    with(brief(alarm), more)
}

fn related(this: &Value, alarm: &Value) -> Value {
    let more = [
        ("event_name", at(alarm, "title").clone()),
        ("event_abstract", at(alarm, "title").clone()),
        ("similiar_type", likeness(this, alarm).map_or(Value::Null, Value::from)),
    ];
    with(brief(alarm), more)
}

/// What two alarms of a host have in common besides, by the words of HSS.
fn likeness(this: &Value, other: &Value) -> Option<&'static str> {
    let ways = [
        ("sha256", "sameFileHash"),
        ("process_sha256", "sameProcessHash"),
        ("cmdline", "sameProcessCmdline"),
        ("class", "sameHostAndEventType"),
    ];
    let same = |field: &str| !at(this, field).is_null() && at(this, field) == at(other, field);
    ways.into_iter().find(|(field, _)| same(field)).map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_have_in_common() {
        let this = json!({ "sha256": null, "process_sha256": "ab", "cmdline": "x", "class": "miner" });
        let other = json!({ "sha256": null, "process_sha256": "cd", "cmdline": "x", "class": "miner" });
        assert_eq!(likeness(&this, &other), Some("sameProcessCmdline"));
        assert_eq!(likeness(&this, &json!({ "class": "miner" })), Some("sameHostAndEventType"));
        assert_eq!(likeness(&this, &json!({ "class": "worm" })), None);
        assert_eq!(likeness(&json!({ "class": null }), &json!({ "class": null })), None);
    }

    #[test]
    fn a_handled_one_says_who_and_why() {
        let item = json!({ "similar_type": "sameFileHash", "alarm": {
            "id": "a", "severity": "critical", "title": "Miner", "event_type": 1016, "event_class_id": "av_1016",
            "host": { "id": "h", "name": "db" },
            "handled": { "by": "ignore", "who": "ann", "at": "2026-01-01T00:00:00.000Z", "remark": "" },
        }});
        let event = similar(&item);
        assert_eq!((text(&event, "similiar_type"), text(&event, "severity")), ("sameFileHash", "Critical"));
        assert_eq!((text(&event, "handle_method"), text(&event, "handler")), ("ignore", "ann"));
        assert_eq!(at(&event, "handle_time"), &json!(1_767_225_600_000_i64));
        assert!(at(&event, "memo").is_null());
    }
}
