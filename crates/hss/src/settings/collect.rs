// SPDX-License-Identifier: Apache-2.0
//! Whether unknown programs and scripts may be sent as a whole, and whether people are reminded that nothing acts by itself.

use super::told;
use crate::body;
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::rest;
use crate::words;
use serde_json::{Value, json};

fn path(project: &str) -> String {
    format!("/projects/{}/cloud-scan", rest::part(project))
}

/// The consent as HSS has it, and what else decides about what leaves the hosts.
fn shown(cloud_scan: &Value) -> Value {
    json!({
        "enabled": words::at(cloud_scan, "consent.samples"),
        "lazaret_hashes": words::at(cloud_scan, "consent.hashes"),
        "lazaret_cloud_scan": words::at(cloud_scan, "on"),
        "lazaret_leaves_hosts": words::at(cloud_scan, "leaves_hosts"),
    })
}

/// The consent with samples or without. A host asks by digest before it sends, so samples bring hashes along; without
/// samples hashes stay what they were.
fn with_samples(cloud_scan: &Value, on: bool) -> Result<Value, HssError> {
    let consent = cloud_scan.get("consent").and_then(Value::as_object);
    let mut consent = consent.cloned().ok_or_else(|| HssError::internal("the API shows no consent"))?;
    consent.insert("samples".to_owned(), Value::Bool(on));
    if on {
        consent.insert("hashes".to_owned(), Value::Bool(true));
    }
    Ok(Value::Object(consent))
}

pub(crate) async fn list_malware_collect_status(call: &Call) -> Answer {
    Ok(shown(&call.rest.get(&path(call.project()?), &[]).await?).into())
}

pub(crate) async fn change_malware_collect_status(call: &Call) -> Answer {
    let on = body::flag(&call.ask.body, "enabled")?;
    let after = call.rest.change(&path(call.project()?), |before| with_samples(before, on)).await?;
    told(&after)?;
    // HSS answers with no field of its own.
    let mut answer = shown(&after);
    if let Some(fields) = answer.as_object_mut() {
        fields.remove("enabled");
    }
    Ok(answer.into())
}

fn reminders_path(project: &str) -> String {
    format!("/projects/{}/reminders", rest::part(project))
}

/// As HSS has it, and who said so.
fn reminded(reminders: &Value) -> Value {
    json!({
        "reminders": words::at(reminders, "reminders"),
        "lazaret_set_by": words::at(reminders, "set_by"),
        "lazaret_set_at": words::ms(words::at(reminders, "set_at")),
    })
}

pub(crate) async fn show_malware_reminders(call: &Call) -> Answer {
    Ok(reminded(&call.rest.get(&reminders_path(call.project()?), &[]).await?).into())
}

pub(crate) async fn set_malware_reminders(call: &Call) -> Answer {
    let on = body::flag(&call.ask.body, "reminders")?;
    let body = json!({ "reminders": on });
    Ok(told(&call.rest.put(&reminders_path(call.project()?), &body, "").await?)?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consent(hashes: bool, samples: bool) -> Value {
        json!({ "on": true, "consent": { "hashes": hashes, "samples": samples, "kinds": ["script"], "exclude": ["/home"] } })
    }

    #[test]
    fn samples_bring_hashes_along_and_leave_them() {
        let on = with_samples(&consent(false, false), true).unwrap();
        assert_eq!((&on["samples"], &on["hashes"]), (&json!(true), &json!(true)));
        assert_eq!((&on["kinds"], &on["exclude"]), (&json!(["script"]), &json!(["/home"])), "all else stays");
        let off = with_samples(&consent(true, true), false).unwrap();
        assert_eq!((&off["samples"], &off["hashes"]), (&json!(false), &json!(true)));
        let off = with_samples(&consent(false, false), false).unwrap();
        assert_eq!(off["hashes"], false);
        assert!(with_samples(&json!({}), true).is_err());
    }

    #[test]
    fn the_switch_is_told_beside_the_consent() {
        let shown = shown(&consent(true, true));
        assert_eq!((&shown["enabled"], &shown["lazaret_cloud_scan"]), (&json!(true), &json!(true)));
        assert_eq!(super::shown(&consent(true, false))["enabled"], false);
    }

    #[test]
    fn reminders_are_told_with_who_set_them() {
        let never = reminded(&json!({ "project": "0", "reminders": true }));
        assert_eq!(never, json!({ "reminders": true, "lazaret_set_by": null, "lazaret_set_at": null }));
        let set = json!({ "project": "0", "reminders": false, "set_by": "ada", "set_at": "2024-02-29T12:34:56.789Z" });
        let set = reminded(&set);
        assert_eq!((&set["reminders"], &set["lazaret_set_by"]), (&json!(false), &json!("ada")));
        assert_eq!(set["lazaret_set_at"], 1_709_210_096_789_i64);
        assert_eq!(reminders_path("a/b"), "/projects/a%2Fb/reminders");
    }
}
