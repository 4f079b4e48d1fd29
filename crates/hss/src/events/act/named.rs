// SPDX-License-Identifier: Apache-2.0
//! The events that a request names, each held against the alarm that it is. Nothing is changed before all fit.

use crate::alarm;
use crate::body::{needed_in, short_in};
use crate::call::Call;
use crate::error::HssError;
use crate::events::event::occurred;
use crate::handling::undoes;
use crate::words;
use serde_json::Value;

/// Fields of `operate_detail_list` with the most characters of each.
const DETAILS: [(&str, usize); 11] = [
    ("agent_id", 64),
    ("file_hash", 256),
    // Paths are longer here than HSS has them, and lists give them in full.
    ("file_path", 4096),
    ("file_attr", 256),
    ("keyword", 4096),
    ("hash", 256),
    ("private_ip", 128),
    ("login_ip", 256),
    ("login_user_name", 256),
    ("container_id", 4096),
    ("container_name", 4096),
];

/// The alarms of `operate_event_list`, in its order, each once: all there, all as described, all fit for it.
pub(super) async fn events(call: &Call, verb: &str) -> Result<Vec<Value>, HssError> {
    let body = &call.ask.body;
    let list = body.get("operate_event_list").and_then(Value::as_array).filter(|l| !l.is_empty());
    let list =
        list.ok_or_else(|| HssError::invalid("operate_event_list: is missing: name 1 to 100 events"))?;
    let mut ids: Vec<&str> = Vec::with_capacity(list.len());
    for (i, event) in list.iter().enumerate() {
        let id = needed_in(event, &place(i), "event_id", 64)?;
        // Of a comma the API would make two.
        if id.contains(',') {
            return Err(HssError::missing("event", id));
        }
        ids.push(id);
    }
    let mut found = alarm::by_id(call, &call.scoped(), ids.iter().copied()).await?;
    let (container_id, container_name) =
        (call.ask.short("container_id", 4096)?, call.ask.short("container_name", 4096)?);
    for (i, (event, id)) in list.iter().zip(&ids).enumerate() {
        let alarm = found.get(*id).ok_or_else(|| HssError::missing("event", id))?;
        is_as_said(&place(i), event, alarm)?;
        for (name, given) in [("container_id", container_id), ("container_name", container_name)] {
            is_in("", name, given, alarm)?;
        }
        fits(verb, alarm)?;
    }
    Ok(ids.into_iter().filter_map(|id| found.remove(id)).collect())
}

fn place(i: usize) -> String {
    format!("operate_event_list[{i}].")
}

/// Whether everything that is said of an event is so.
fn is_as_said(place: &str, event: &Value, alarm: &Value) -> Result<(), HssError> {
    if let Some(given) = short_in(event, place, "event_class_id", 64)? {
        same(place, "event_class_id", given, words::text(alarm, "event_class_id"))?;
    }
    if let Some(given) = event.get("event_type").and_then(Value::as_i64)
        && words::at(alarm, "event_type").as_i64() != Some(given)
    {
        return Err(other(place, "event_type", &words::at(alarm, "event_type").to_string()));
    }
    if let Some(given) = event.get("occur_time").filter(|t| !t.is_null()) {
        // It may have happened again since the list was read.
        if !given.as_i64().is_some_and(|moment| occurred(alarm, moment)) {
            return Err(other(place, "occur_time", &words::ms(words::at(alarm, "last")).to_string()));
        }
    }
    let details = event.get("operate_detail_list").and_then(Value::as_array).into_iter().flatten();
    details.enumerate().try_for_each(|(i, detail)| {
        let place = format!("{place}operate_detail_list[{i}].");
        of_the_alarm(&place, detail, alarm)
    })
}

/// What must be said to HSS, an alarm of Lazaret knows: it is held against it, so that nobody acts on something else.
fn of_the_alarm(place: &str, detail: &Value, alarm: &Value) -> Result<(), HssError> {
    for (name, most) in DETAILS {
        let Some(given) = short_in(detail, place, name, most)? else { continue };
        match name {
            "agent_id" => same(place, name, given, words::text(alarm, "host.id"))?,
            "file_hash" => {
                same(place, name, &given.to_ascii_lowercase(), words::text(alarm, "sha256"))?;
            }
            "file_path" => same(place, name, given, words::text(alarm, "path"))?,
            "container_id" | "container_name" => is_in(place, name, Some(given), alarm)?,
            _ => {}
        }
    }
    match detail.get("process_pid").and_then(Value::as_i64) {
        Some(pid) if !(0..=2_147_483_647).contains(&pid) => {
            Err(HssError::invalid(format!("{place}process_pid: 0 to 2147483647")))
        }
        _ => Ok(()),
    }
}

fn same(place: &str, name: &str, given: &str, is: &str) -> Result<(), HssError> {
    if given == is { Ok(()) } else { Err(other(place, name, is)) }
}

/// Whether the alarm's container begins with what is given: ids are written in full and short.
fn is_in(place: &str, name: &str, given: Option<&str>, alarm: &Value) -> Result<(), HssError> {
    let Some(given) = given else { return Ok(()) };
    let container = words::text(alarm, "container");
    if !container.is_empty() && (container.starts_with(given) || given.starts_with(container)) {
        return Ok(());
    }
    Err(other(place, name, container))
}

fn other(place: &str, name: &str, is: &str) -> HssError {
    let is = words::quoted(is, 200);
    HssError::invalid(format!(
        "{place}{name}: is not that of the event, which has \"{is}\"; leave it out or give what the list of events \
         gives; nothing was changed"
    ))
}

/// Whether this can be done with an alarm as it stands.
fn fits(verb: &str, alarm: &Value) -> Result<(), HssError> {
    let mut words_now = words::at(alarm, "operate_accept_list").as_array().into_iter().flatten();
    // What was isolated in another way comes back in the same.
    let restores = verb == "do_not_isolate_or_kill" && !words::text(alarm, "isolated").is_empty();
    if restores || words_now.any(|w| w == verb) {
        return Ok(());
    }
    let id = words::text(alarm, "id");
    let by = words::text(alarm, "handled.by");
    let why = match undoes(verb) {
        Some(undone) if by.is_empty() => format!("{verb} takes {undone} back, and nobody has handled it"),
        Some(undone) => format!("{verb} takes {undone} back, and it was handled by {by}"),
        None if by.is_empty() => {
            format!("{verb} is not for it: it is about the host itself, not about a file")
        }
        None => format!("it is handled already ({by}): take that back first"),
    };
    Err(HssError::conflict(format!("event {id}: {why}; nothing was changed")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn alarm() -> Value {
        json!({ "id": "a", "host": { "id": "h" }, "event_class_id": "av_1016", "event_type": 1016, "sha256": "0a",
            "at": "2024-02-29T12:34:56.789Z", "last": "2024-02-29T12:34:57.000Z", "path": "/tmp/x",
            "container": "4f5e6d", "operate_accept_list": ["ignore", "isolate_and_kill"], "handled": null })
    }

    fn wrong(event: Value) -> String {
        is_as_said("e.", &event, &alarm()).unwrap_err().message().to_owned()
    }

    #[test]
    fn what_is_said_must_be_so() {
        let detail = json!({ "agent_id": "h", "file_hash": "0A", "file_path": "/tmp/x", "process_pid": 7,
            "keyword": "k", "hash": "x", "container_id": "4f5e6d7c8b" });
        let event = json!({ "event_class_id": "av_1016", "event_type": 1016, "occur_time": 1_709_210_096_789_i64,
            "operate_detail_list": [detail] });
        assert!(is_as_said("", &event, &alarm()).is_ok());
        assert!(is_as_said("", &json!({ "event_type": null }), &alarm()).is_ok());
        assert!(wrong(json!({ "event_class_id": "av_1002" })).starts_with("e.event_class_id: is not that"));
        assert!(wrong(json!({ "event_type": 1002 })).contains("\"1016\""));
        assert!(wrong(json!({ "occur_time": 1 })).contains("1709210097000"));
        let of = |detail: Value| wrong(json!({ "operate_detail_list": [detail] }));
        assert!(of(json!({ "agent_id": "g" })).contains("operate_detail_list[0].agent_id"));
        assert!(of(json!({ "file_path": "/tmp/y" })).contains("/tmp/x"));
        assert!(of(json!({ "container_name": "web" })).contains("4f5e6d"));
        assert!(of(json!({ "process_pid": -1 })).contains("process_pid"));
    }

    #[test]
    fn what_can_be_done_as_it_stands() {
        assert!(fits("ignore", &alarm()).is_ok());
        let e = fits("unhandle", &alarm()).unwrap_err();
        assert!(e.message().contains("nobody has handled it"), "{}", e.message());
        let mut isolated = alarm();
        isolated["isolated"] = json!("i");
        assert!(fits("do_not_isolate_or_kill", &isolated).is_ok());
        let mut handled = alarm();
        handled["handled"] = json!({ "by": "ignore" });
        handled["operate_accept_list"] = json!(["do_not_ignore"]);
        assert!(fits("mark_as_handled", &handled).is_err_and(|e| e.message().contains("already (ignore)")));
        assert!(fits("unhandle", &handled).is_err_and(|e| e.message().contains("handled by ignore")));
    }
}
