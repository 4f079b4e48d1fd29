// SPDX-License-Identifier: Apache-2.0
//! The switches of a project: isolate and kill, high detection, and those of HSS that nothing here can move.

use super::told;
use crate::ask::one_of;
use crate::body;
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::rest::Rest;
use crate::words;
use serde_json::{Value, json};

/// *Isolate and Kill Malicious Programs*.
const ISOLATE_AND_KILL: &str = "isolate_and_kill";
/// High detection mode; HSS has the same word.
pub(crate) const HIGH_DETECTION: &str = "malware_sample_high_detect";

/// How a switch stands that cannot be moved, and why.
type Fixed = (bool, &'static str);

/// The codes of HSS: ours, or how it stands here.
const CODES: [(&str, Option<Fixed>); 5] = [
    (HIGH_DETECTION, None),
    ("image_pay_per_scan", Some((false, "Lazaret scans no images and bills no scans"))),
    ("image_popup", Some((false, "Lazaret scans no images, so nothing asks about their scans"))),
    (
        "image_free_to_pay_popup",
        Some((false, "Lazaret scans no images, and nothing here turns from free to paid")),
    ),
    (
        "display_unprotected_host",
        Some((true, "hosts without protection are always listed; filter lists by protect_status")),
    ),
];

fn find(switches: &Value, name: &str) -> Option<Value> {
    switches.get("items")?.as_array()?.iter().find(|s| words::text(s, "name") == name).cloned()
}

async fn one(rest: &Rest, project: &str, name: &str) -> Result<Value, HssError> {
    let all = rest.get("/switches", &[("project", project.to_owned())]).await?;
    find(&all, name).ok_or_else(|| HssError::internal(format!("the API shows no switch {name}")))
}

/// Whether a switch of a project is on.
pub(crate) async fn is_on(rest: &Rest, project: &str, name: &str) -> Result<bool, HssError> {
    Ok(one(rest, project, name).await?.get("on").and_then(Value::as_bool).unwrap_or(false))
}

/// Sets a switch of a project; what the answer tells of it.
pub(crate) async fn set(rest: &Rest, project: &str, name: &str, on: bool) -> Result<Value, HssError> {
    let body = json!({ "project": project, "on": on });
    told(&rest.put(&format!("/switches/{name}"), &body, "").await?)
}

/// A switch as HSS shows one, and who set it.
fn shown(switch: &Value) -> Value {
    json!({
        "enabled": words::at(switch, "on"),
        "lazaret_set_by": words::at(switch, "set_by"),
        "lazaret_set_at": words::ms(words::at(switch, "set_at")),
    })
}

pub(crate) async fn list_auto_kill_virus_status(call: &Call) -> Answer {
    Ok(shown(&one(&call.rest, call.project()?, ISOLATE_AND_KILL).await?).into())
}

pub(crate) async fn start_auto_kill_virus_status(call: &Call) -> Answer {
    let on = body::flag(&call.ask.body, "enabled")?;
    Ok(set(&call.rest, call.project()?, ISOLATE_AND_KILL, on).await?.into())
}

pub(crate) async fn show_switches_status(call: &Call) -> Answer {
    let code = call.ask.part("code");
    match one_of("code", code, &CODES)? {
        Some((on, why)) => Ok(json!({ "enabled": on, "lazaret_reason": why }).into()),
        None => Ok(shown(&one(&call.rest, call.project()?, code).await?).into()),
    }
}

pub(crate) async fn change_switches_status(call: &Call) -> Answer {
    let code = call.ask.part("code");
    let fixed = one_of("code", code, &CODES)?;
    let on = body::flag(&call.ask.body, "enabled")?;
    match fixed {
        Some(fixed) => Ok(unmoved(code, fixed, on)?.into()),
        None => Ok(set(&call.rest, call.project()?, code, on).await?.into()),
    }
}

/// Who asks for what is so already has it; who asks for the contrary is told why not.
fn unmoved(code: &str, (stands, why): Fixed, on: bool) -> Result<Value, HssError> {
    if stands == on {
        return Ok(json!({ "lazaret_reason": why }));
    }
    let word = if stands { "on" } else { "off" };
    Err(HssError::invalid(format!("enabled: {code} is always {word}: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_found_and_shown() {
        let all = json!({ "items": [
            { "name": "malware_cloud_scan", "on": false },
            { "name": "isolate_and_kill", "on": true, "set_by": "ada", "set_at": "2024-02-29T12:34:56.789Z" },
        ] });
        let shown = shown(&find(&all, ISOLATE_AND_KILL).unwrap());
        assert_eq!(shown["enabled"], true);
        assert_eq!(shown["lazaret_set_by"], "ada");
        assert_eq!(shown["lazaret_set_at"], 1_709_210_096_789_i64);
        assert!(find(&all, HIGH_DETECTION).is_none());
    }

    #[test]
    fn what_cannot_be_moved_says_why() {
        let fixed = one_of("code", "image_popup", &CODES).unwrap().unwrap();
        assert!(unmoved("image_popup", fixed, false).is_ok());
        assert!(
            unmoved("image_popup", fixed, true)
                .unwrap_err()
                .message()
                .contains("always off: Lazaret scans no images")
        );
        let fixed = one_of("code", "display_unprotected_host", &CODES).unwrap().unwrap();
        assert!(unmoved("display_unprotected_host", fixed, true).is_ok());
        assert!(unmoved("display_unprotected_host", fixed, false).is_err());
        assert!(one_of("code", HIGH_DETECTION, &CODES).unwrap().is_none());
        assert!(one_of("code", "isolate_and_kill", &CODES).is_err(), "a word of ours is none of HSS");
    }
}
