// SPDX-License-Identifier: Apache-2.0
//! Notification targets as the one alarm setting of HSS, and what that makes of each of them.

use super::alarm_config::Wanted;
use crate::error::HssError;
use crate::words;
use serde_json::{Map, Value, json};

const REAL_TIME: &str = "real_time";
const DAILY: &str = "daily";
const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];

/// What becomes of one target's use; `None` stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Way {
    enabled: Option<bool>,
    mode: Option<&'static str>,
}

fn enabled(target: &Value) -> bool {
    words::at(target, "enabled").as_bool().unwrap_or(false)
}

/// When it tells; at once unless it says otherwise.
fn mode(target: &Value) -> &'static str {
    if words::text(target, "settings.delivery.mode") == DAILY { DAILY } else { REAL_TIME }
}

fn list<'a>(target: &'a Value, path: &str) -> Vec<&'a str> {
    words::at(target, path).as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Severities that it tells; without a filter all.
fn severities(target: &Value) -> Vec<&str> {
    let some = list(target, "settings.filter.severities");
    if some.is_empty() { SEVERITIES.to_vec() } else { some }
}

/// Event types that it leaves out, as HSS numbers them.
fn ignored(target: &Value) -> Vec<String> {
    let classes = list(target, "settings.filter.masked_classes");
    classes.into_iter().filter_map(words::event_type).map(|n| n.to_string()).collect()
}

/// The setting of HSS: what any target tells is told, and what all leave out is left out.
pub(super) fn shown(targets: &[Value]) -> Value {
    let on: Vec<&Value> = targets.iter().filter(|t| enabled(t)).collect();
    let looked = if on.is_empty() { targets.iter().collect() } else { on.clone() };
    let any = |severity: &str| looked.iter().any(|t| severities(t).contains(&severity));
    let levels: Vec<&str> = SEVERITIES.into_iter().filter(|s| any(s)).collect();
    let mut ignored_by_all = looked.first().map(|t| ignored(t)).unwrap_or_default();
    ignored_by_all.retain(|n| looked.iter().all(|t| ignored(t).contains(n)));
    let one = match targets {
        [one] => one,
        _ => &Value::Null,
    };
    json!({
        "display_name": words::at(one, "name"),
        "topic_urn": words::at(one, "id"),
        "daily_alarm": on.iter().any(|t| mode(t) == DAILY),
        "realtime_alarm": on.iter().any(|t| mode(t) == REAL_TIME),
        "alarm_level": (!targets.is_empty()).then_some(levels),
        "ignored_event_class_list": (!targets.is_empty()).then_some(ignored_by_all),
        "lazaret_targets": targets.iter().map(target).collect::<Vec<_>>(),
    })
}

fn target(t: &Value) -> Value {
    json!({
        "id": words::at(t, "id"),
        "name": words::at(t, "name"),
        "kind": words::at(t, "kind"),
        "enabled": enabled(t),
        "mode": mode(t),
        "severities": severities(t),
        "ignored_event_types": ignored(t),
    })
}

/// What becomes of each target's use, in their order. A target tells at once or daily: one alone changes over, of
/// several those are used that tell as it is asked for.
pub(super) fn ways(targets: &[Value], wanted: &Wanted) -> Result<Vec<Way>, HssError> {
    if let [one] = targets {
        return Ok(vec![alone(one, wanted)?]);
    }
    if wanted.name.is_some() {
        return Err(HssError::invalid(
            "display_name: the project has several targets; say which by topic_urn, its id",
        ));
    }
    for (field, asked, word) in
        [("realtime_alarm", wanted.real_time, REAL_TIME), ("daily_alarm", wanted.daily, DAILY)]
    {
        if asked == Some(true) && !targets.iter().any(|t| mode(t) == word) {
            return Err(HssError::invalid(format!(
                "{field}: none of the project's targets tells so; name the one that is to change by topic_urn, its id, \
                 or make another one with POST /api/v1/targets"
            )));
        }
    }
    let way = |t: &Value| Way {
        enabled: if mode(t) == DAILY { wanted.daily } else { wanted.real_time },
        mode: None,
    };
    Ok(targets.iter().map(way).collect())
}

fn alone(target: &Value, wanted: &Wanted) -> Result<Way, HssError> {
    if wanted.daily.is_none() && wanted.real_time.is_none() {
        return Ok(Way::default());
    }
    let now = |word: &str| enabled(target) && mode(target) == word;
    let real_time = wanted.real_time.unwrap_or_else(|| now(REAL_TIME));
    let daily = wanted.daily.unwrap_or_else(|| now(DAILY));
    match (real_time, daily) {
        (true, true) => Err(HssError::invalid(
            "realtime_alarm, daily_alarm: a target tells at once or daily, not both; set one of them to false, or make a \
             second target with POST /api/v1/targets",
        )),
        (true, false) => Ok(Way { enabled: Some(true), mode: Some(REAL_TIME) }),
        (false, true) => Ok(Way { enabled: Some(true), mode: Some(DAILY) }),
        (false, false) => Ok(Way { enabled: Some(false), mode: None }),
    }
}

/// A part of settings that may be absent.
fn part<'a>(
    settings: &'a mut Map<String, Value>,
    name: &str,
) -> Result<&'a mut Map<String, Value>, HssError> {
    let part = settings.entry(name.to_owned()).or_insert_with(|| json!({}));
    part.as_object_mut()
        .ok_or_else(|| HssError::internal(format!("the API shows a target whose {name} is no object")))
}

/// The whole target as it is to be; its secrets stay.
pub(super) fn changed(target: &Value, wanted: &Wanted, way: Way) -> Result<Value, HssError> {
    let settings = words::at(target, "settings").as_object();
    let mut settings =
        settings.cloned().ok_or_else(|| HssError::internal("the API shows a target without settings"))?;
    let filter = part(&mut settings, "filter")?;
    if let Some(severities) = &wanted.severities {
        let all = severities.len() == SEVERITIES.len();
        filter.insert("severities".to_owned(), if all { json!([]) } else { json!(severities) });
    }
    if let Some(masked) = &wanted.masked {
        filter.insert("masked_classes".to_owned(), json!(masked));
    }
    if let Some(word) = way.mode.filter(|word| mode(target) != *word) {
        let delivery = part(&mut settings, "delivery")?;
        delivery.insert("mode".to_owned(), json!(word));
        if word == REAL_TIME {
            // An hour is of daily messages only.
            delivery.remove("hour");
            delivery.remove("zone");
        }
    }
    Ok(json!({
        "name": wanted.name.as_deref().unwrap_or_else(|| words::text(target, "name")),
        "enabled": way.enabled.unwrap_or_else(|| enabled(target)),
        "settings": settings,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(id: &str, mode: &str, enabled: bool, filter: Value) -> Value {
        json!({
            "id": id, "name": format!("mail {id}"), "kind": "email", "enabled": enabled,
            "settings": { "email": { "server": "m" }, "filter": filter, "delivery": { "mode": mode, "hour": 7 } },
        })
    }

    #[test]
    fn one_target_is_the_setting() {
        let filter = json!({ "severities": ["high"], "masked_classes": ["webshell"] });
        let shown = shown(&[mail("a", "daily", true, filter)]);
        assert_eq!((&shown["daily_alarm"], &shown["realtime_alarm"]), (&json!(true), &json!(false)));
        assert_eq!((&shown["topic_urn"], &shown["display_name"]), (&json!("a"), &json!("mail a")));
        assert_eq!(shown["alarm_level"], json!(["high"]));
        assert_eq!(shown["ignored_event_class_list"], json!(["1015"]));
    }

    #[test]
    fn of_several_what_they_have_in_common() {
        let a = mail(
            "a",
            "real_time",
            true,
            json!({ "severities": ["high"], "masked_classes": ["webshell", "miner"] }),
        );
        let b = mail("b", "daily", true, json!({ "severities": ["low"], "masked_classes": ["miner"] }));
        let off = mail("c", "daily", false, json!({}));
        let shown = shown(&[a, b, off]);
        assert_eq!((&shown["daily_alarm"], &shown["realtime_alarm"]), (&json!(true), &json!(true)));
        assert!(shown["topic_urn"].is_null());
        assert_eq!(shown["alarm_level"], json!(["low", "high"]));
        assert_eq!(shown["ignored_event_class_list"], json!(["1016"]));
        assert_eq!(shown["lazaret_targets"][2]["enabled"], false);
        let none = super::shown(&[]);
        assert_eq!(none["realtime_alarm"], false);
        assert!(none["alarm_level"].is_null());
    }

    #[test]
    fn one_alone_changes_over() {
        let daily = mail("a", "daily", true, json!({}));
        let wanted = Wanted { real_time: Some(true), daily: Some(false), ..Wanted::default() };
        let way = ways(std::slice::from_ref(&daily), &wanted).unwrap();
        let body = changed(&daily, &wanted, way[0]).unwrap();
        assert_eq!(body["settings"]["delivery"], json!({ "mode": "real_time" }));
        assert_eq!((&body["enabled"], &body["name"]), (&json!(true), &json!("mail a")));
        assert_eq!(body["settings"]["email"], json!({ "server": "m" }));
        let both = Wanted { real_time: Some(true), ..Wanted::default() };
        assert!(ways(std::slice::from_ref(&daily), &both).unwrap_err().message().contains("not both"));
        let off = Wanted { daily: Some(false), ..Wanted::default() };
        let way = ways(std::slice::from_ref(&daily), &off).unwrap();
        assert_eq!(changed(&daily, &off, way[0]).unwrap()["enabled"], false);
    }

    #[test]
    fn of_several_those_are_used_that_tell_so() {
        let two = [mail("a", "real_time", true, json!({})), mail("b", "daily", false, json!({}))];
        let wanted = Wanted { real_time: Some(false), daily: Some(true), ..Wanted::default() };
        let ways = ways(&two, &wanted).unwrap();
        assert_eq!((ways[0].enabled, ways[1].enabled), (Some(false), Some(true)));
        let two = [mail("a", "daily", true, json!({})), mail("b", "daily", false, json!({}))];
        let wanted = Wanted { real_time: Some(true), ..Wanted::default() };
        assert!(super::ways(&two, &wanted).unwrap_err().message().contains("realtime_alarm"));
    }

    #[test]
    fn what_is_absent_stays() {
        let target = mail("a", "daily", true, json!({ "severities": ["low"], "tests": false }));
        let wanted = Wanted { masked: Some(vec!["miner"]), ..Wanted::default() };
        let body = changed(&target, &wanted, Way::default()).unwrap();
        let filter = json!({ "severities": ["low"], "tests": false, "masked_classes": ["miner"] });
        assert_eq!(body["settings"]["filter"], filter);
        assert_eq!(body["settings"]["delivery"]["hour"], 7);
        let all = Wanted { severities: Some(SEVERITIES.to_vec()), ..Wanted::default() };
        assert_eq!(
            changed(&target, &all, Way::default()).unwrap()["settings"]["filter"]["severities"],
            json!([])
        );
    }
}
