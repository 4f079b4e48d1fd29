// SPDX-License-Identifier: Apache-2.0
//! Who is told of alarms. HSS has one such setting in a project; Lazaret has targets, so what is shown is what the mail
//! and web hook targets of the project have in common, and what is set is set for each of them.

use super::alarm_targets::{self as targets, Way};
use crate::ask::one_of;
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::rest::{self, Rest};
use crate::words;
use serde_json::{Value, json};

/// Ways of HSS to tell: by a topic of people, as a target is, or in its own message centre.
const TYPES: [(&str, bool); 2] = [("sms", true), ("rss", false)];

/// Things of HSS that can be left out of its messages, beside numbers of event types.
const THINGS: [&str; 6] = [
    "dangerous_ports",
    "critical_vulnerabilities",
    "weak_passwords",
    "unsafe_configurations",
    "RASP",
    "SECRASP",
];

/// Event types that can be left out and that nothing here raises.
const OTHER_TYPES: [i64; 23] = [
    8002, 8003, 2042, 2044, 2047, 2048, 2049, 3002, 3003, 3004, 3005, 3007, 3008, 3009, 3015, 3016, 3018,
    3021, 3027, 4002, 4004, 4006, 4007,
];

/// What a body asks for; what is absent stays.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) daily: Option<bool>,
    pub(super) real_time: Option<bool>,
    pub(super) severities: Option<Vec<&'static str>>,
    pub(super) masked: Option<Vec<&'static str>>,
    pub(super) name: Option<String>,
}

pub(crate) async fn list_alarm_config(call: &Call) -> Answer {
    Ok(targets::shown(&own(&call.rest, call.project()?).await?).into())
}

pub(crate) async fn update_alarm_config(call: &Call) -> Answer {
    let body = &call.ask.body;
    let wanted = read(body)?;
    let topic = body.get("topic_urn").and_then(Value::as_str).filter(|t| !t.is_empty());
    let chosen = chosen(own(&call.rest, call.project()?).await?, topic)?;
    // Everything is decided before anything is written.
    let ways = targets::ways(&chosen, &wanted)?;
    let mut done: Vec<String> = Vec::new();
    for (target, way) in chosen.iter().zip(&ways) {
        let path = format!("/targets/{}", rest::part(words::text(target, "id")));
        let write = write(&call.rest, &path, &wanted, *way).await;
        write.map_err(
            |e| if done.is_empty() { e } else { e.after(&format!("set for {}", done.join(", "))) },
        )?;
        done.push(words::text(target, "name").to_owned());
    }
    Ok(json!({ "lazaret_targets": done }).into())
}

async fn write(rest: &Rest, path: &str, wanted: &Wanted, way: Way) -> Result<Value, HssError> {
    rest.change(path, |target| targets::changed(target, wanted, way)).await
}

/// Targets for people that belong to the project itself. Those of every project are for their administrators.
async fn own(rest: &Rest, project: &str) -> Result<Vec<Value>, HssError> {
    let mut all = rest.get("/targets", &[]).await?;
    let Some(Value::Array(items)) = all.get_mut("items").map(Value::take) else { return Ok(Vec::new()) };
    let is_own = |t: &Value| {
        words::text(t, "project") == project && matches!(words::text(t, "kind"), "email" | "webhook")
    };
    Ok(items.into_iter().filter(is_own).collect())
}

/// One target by its id, or all.
fn chosen(own: Vec<Value>, topic: Option<&str>) -> Result<Vec<Value>, HssError> {
    let Some(topic) = topic else {
        if own.is_empty() {
            return Err(HssError::invalid(
                "the project has no mail or web hook target that could be set; make one in the console (Alarm \
                 Notifications) or with POST /api/v1/targets, which asks where to",
            ));
        }
        return Ok(own);
    };
    if topic.starts_with("urn:") {
        return Err(HssError::invalid(
            "topic_urn: Lazaret sends to no topic of SMN; give the id of a mail or web hook target, or leave it out \
             for all of the project",
        ));
    }
    let one: Vec<Value> = own.into_iter().filter(|t| words::text(t, "id") == topic).collect();
    if one.is_empty() { Err(HssError::missing("mail or web hook target", topic)) } else { Ok(one) }
}

fn read(body: &Value) -> Result<Wanted, HssError> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
    if let Some(word) = text("alarm_type")
        && !one_of("alarm_type", word, &TYPES)?
    {
        return Err(HssError::invalid(
            "alarm_type: Lazaret has no message centre; it tells by mail and web hook (sms stands for both)",
        ));
    }
    let wanted = Wanted {
        daily: body.get("daily_alarm").and_then(Value::as_bool),
        real_time: body.get("realtime_alarm").and_then(Value::as_bool),
        severities: text("alarm_level").map(severities).transpose()?,
        masked: body
            .get("ignored_event_class_list")
            .and_then(Value::as_array)
            .map(|l| masked(l))
            .transpose()?,
        name: text("display_name").map(str::to_owned),
    };
    if wanted == Wanted::default() {
        return Err(HssError::invalid(
            "nothing is to be set: give daily_alarm, realtime_alarm, alarm_level, ignored_event_class_list or \
             display_name",
        ));
    }
    Ok(wanted)
}

/// Levels, separated by commas. Lazaret has none that is only information.
fn severities(levels: &str) -> Result<Vec<&'static str>, HssError> {
    let known = [
        ("info", None),
        ("low", Some("low")),
        ("medium", Some("medium")),
        ("high", Some("high")),
        ("critical", Some("critical")),
    ];
    let mut out = Vec::new();
    for level in levels.split(',').map(str::trim) {
        if let Some(severity) = one_of("alarm_level", level, &known)?
            && !out.contains(&severity)
        {
            out.push(severity);
        }
    }
    if out.is_empty() {
        return Err(HssError::invalid(
            "alarm_level: no alarm here is only info, so nothing would be told; name low, medium, high or critical, or \
             set realtime_alarm and daily_alarm to false",
        ));
    }
    Ok(out)
}

/// Our classes of what is to be left out. What nothing here raises is left out as it is.
fn masked(list: &[Value]) -> Result<Vec<&'static str>, HssError> {
    let mut out = Vec::new();
    for word in list.iter().filter_map(Value::as_str) {
        let ours = word.parse().map(words::classes_of_type).unwrap_or_default();
        let known = THINGS.contains(&word) || word.parse().is_ok_and(|n: i64| OTHER_TYPES.contains(&n));
        if ours.is_empty() && !known {
            let word: String = word.chars().take(80).flat_map(char::escape_default).collect();
            return Err(HssError::invalid(format!(
                "ignored_event_class_list: \"{word}\" is neither the number of an event type nor one of {}",
                THINGS.join(", ")
            )));
        }
        for class in ours {
            if !out.contains(&class) {
                out.push(class);
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_read() {
        let wanted = read(&json!({
            "alarm_type": "sms", "daily_alarm": false, "alarm_level": "info, high,critical",
            "ignored_event_class_list": ["1015", "1016", "1015", "3002", "RASP"],
        }));
        let wanted = wanted.unwrap();
        assert_eq!((wanted.daily, wanted.real_time), (Some(false), None));
        assert_eq!(wanted.severities.unwrap(), ["high", "critical"]);
        assert_eq!(wanted.masked.unwrap(), ["webshell", "miner"]);
    }

    #[test]
    fn what_cannot_be_set_is_named() {
        for (body, word) in [
            (json!({}), "nothing is to be set"),
            (json!({ "topic_urn": "x" }), "nothing is to be set"),
            (json!({ "alarm_type": "rss", "daily_alarm": true }), "message centre"),
            (json!({ "alarm_type": "fax" }), "none of sms, rss"),
            (json!({ "alarm_level": "info" }), "only info"),
            (json!({ "alarm_level": "High" }), "none of info"),
            (json!({ "ignored_event_class_list": ["9999"] }), "9999"),
        ] {
            let e = read(&body).unwrap_err();
            assert!(e.message().contains(word), "{body}: {}", e.message());
        }
        assert_eq!(read(&json!({ "ignored_event_class_list": [] })).unwrap().masked, Some(vec![]));
    }

    #[test]
    fn targets_are_chosen_by_their_ids() {
        let own = vec![json!({ "id": "a" }), json!({ "id": "b" })];
        assert_eq!(chosen(own.clone(), None).unwrap().len(), 2);
        assert_eq!(chosen(own.clone(), Some("b")).unwrap(), [json!({ "id": "b" })]);
        assert!(chosen(own.clone(), Some("c")).unwrap_err().is_missing());
        assert!(chosen(own, Some("urn:smn:x:y:z")).unwrap_err().message().contains("SMN"));
        assert!(chosen(Vec::new(), None).unwrap_err().message().contains("POST /api/v1/targets"));
    }
}
