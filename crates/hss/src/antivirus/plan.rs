// SPDX-License-Identifier: Apache-2.0
//! What a scan does and when it begins: HSS's fields as the API's settings and start, and back.

use super::pay_per_scan;
use crate::body;
use crate::error::HssError;
use crate::words;
use serde_json::{Map, Value, json};

/// How much of a host.
pub(super) const KINDS: [(&str, &str); 3] = [("quick", "quick"), ("full", "full"), ("custom", "custom")];
/// What becomes of what is found: whether it is isolated at once.
pub(super) const ACTIONS: [(&str, bool); 2] = [("auto", true), ("manual", false)];
const START_TYPES: [(&str, &str); 3] = [("now", "now"), ("later", "later"), ("period", "period")];
const PERIODS: [(&str, &str); 3] = [("day", "day"), ("week", "week"), ("month", "month")];
/// HSS's numbers are the places in this list.
const FILE_TYPES: [&str; 7] =
    ["all", "executable", "compressed", "script", "document", "image", "audio_video"];
/// Folders of one list.
const FOLDERS: usize = 100;
/// The end of the year 9999.
const LAST_MS: i64 = 253_402_300_799_999;

/// HSS's word for whether what is found is isolated at once.
pub(super) fn action(automatic: &Value) -> Value {
    automatic.as_bool().map_or(Value::Null, |yes| json!(if yes { "auto" } else { "manual" }))
}

/// HSS's word for a start of the API.
pub(super) fn start_type(start: &Value) -> Value {
    match words::text(start, "start_type") {
        "" => Value::Null,
        "day" | "week" | "month" => json!("period"),
        same => json!(same),
    }
}

/// Refuses what would have to be paid for.
pub(super) fn unpaid(body: &Value) -> Result<(), HssError> {
    if body.get("whether_paid_task") == Some(&Value::Bool(true)) {
        return Err(HssError::invalid(format!("whether_paid_task: must be false: {}", pay_per_scan::WHY)));
    }
    Ok(())
}

/// Folders of a text, divided by `;`.
fn folders(name: &str, text: &str) -> Result<Vec<String>, HssError> {
    let all: Vec<&str> = text.split(';').map(str::trim).filter(|f| !f.is_empty()).collect();
    if all.len() > FOLDERS {
        return Err(HssError::invalid(format!("{name}: {} folders, {FOLDERS} at most", all.len())));
    }
    if all.iter().any(|f| !f.starts_with('/') || f.split('/').any(|p| p == "..")) {
        return Err(HssError::invalid(format!(
            "{name}: folders must be absolute, without \"..\", divided by ;"
        )));
    }
    Ok(all.into_iter().map(str::to_owned).collect())
}

/// Folders as HSS writes them; null without any.
fn joined(folders: &Value) -> Value {
    let all: Vec<&str> = folders.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if all.is_empty() { Value::Null } else { json!(all.join(";")) }
}

fn file_types(body: &Value) -> Result<Option<Vec<&'static str>>, HssError> {
    let Some(list) = body.get("file_types").and_then(Value::as_array) else { return Ok(None) };
    let mut out = Vec::new();
    for number in list {
        let word = number.as_u64().and_then(|n| FILE_TYPES.get(usize::try_from(n).ok()?));
        let word = word.ok_or_else(|| HssError::invalid("file_types: numbers from 0 to 6"))?;
        if !out.contains(word) {
            out.push(*word);
        }
    }
    Ok(Some(out))
}

/// Numbers of the API's words; none of them is all.
fn file_type_list(words: &Value) -> Value {
    let number = |w: &Value| FILE_TYPES.iter().position(|t| w.as_str() == Some(t));
    let numbers: Vec<usize> = words.as_array().into_iter().flatten().filter_map(number).collect();
    json!(if numbers.is_empty() { vec![0] } else { numbers })
}

/// The API's settings: those of the body, over those that were there before; without any before, what HSS needs must be
/// in the body.
pub(super) fn settings(body: &Value, before: Option<&Value>) -> Result<Value, HssError> {
    let mut out: Map<String, Value> = before.and_then(Value::as_object).cloned().unwrap_or_default();
    let kind = match (body::word_in(body, "", "scan_type", &KINDS)?, before) {
        (Some(kind), _) => kind.to_owned(),
        (None, Some(before)) => words::text(before, "kind").to_owned(),
        (None, None) => return Err(body::lacking("scan_type", "it must be one of quick, full, custom")),
    };
    match body::word_in(body, "", "action", &ACTIONS)? {
        Some(automatic) => out.insert("automatic".to_owned(), json!(automatic)),
        None if before.is_some() => None,
        None => return Err(body::lacking("action", "it must be auto or manual")),
    };
    match body::ids(body, "host_ids", body::ID)? {
        Some(hosts) if !hosts.is_empty() => {
            out.insert("hosts".to_owned(), json!(hosts));
            out.insert("groups".to_owned(), json!([]));
            out.insert("all_hosts".to_owned(), json!(false));
        }
        None if before.is_some() => {}
        _ => return Err(body::lacking("host_ids", "it must name the hosts that are to be scanned")),
    }
    if let Some(types) = file_types(body)? {
        out.insert("file_types".to_owned(), json!(types));
    }
    for (name, ours) in [("scan_dir", "include"), ("ignore_dir", "exclude")] {
        if let Some(text) = body.get(name).and_then(Value::as_str) {
            out.insert(ours.to_owned(), json!(folders(name, text)?));
        }
    }
    let named = out.get("include").and_then(Value::as_array).is_some_and(|l| !l.is_empty());
    let asked = body.get("scan_dir").and_then(Value::as_str).is_some_and(|t| !t.trim().is_empty());
    match (kind.as_str(), named) {
        ("custom", false) => {
            return Err(body::lacking(
                "scan_dir",
                "a custom scan needs its folders, divided by ;: create_anti_virus_policy takes them, with start_type now \
                 for a scan at once",
            ));
        }
        ("quick" | "full", true) if asked => {
            return Err(HssError::invalid("scan_dir: folders are for scan_type custom alone; leave it out"));
        }
        ("quick" | "full", _) => {
            out.remove("include");
        }
        _ => {}
    }
    out.insert("kind".to_owned(), json!(kind));
    Ok(Value::Object(out))
}

/// The API's start: that of the body, over the one that was there before.
pub(super) fn start(body: &Value, before: Option<&Value>) -> Result<Value, HssError> {
    let before = before.unwrap_or(&Value::Null);
    let was = start_type(before);
    let kind = match (body::word_in(body, "", "start_type", &START_TYPES)?, was.as_str()) {
        (Some(kind), _) => kind,
        (None, Some(was)) => was,
        (None, None) => return Err(body::lacking("start_type", "it must be one of now, later, period")),
    };
    let hour = body::number(body, "scan_hour", 0..=23)?;
    let minute = body::number(body, "scan_minute", 0..=59)?;
    let offset = body::number(body, "timezone_offset", -840..=840)?;
    let date = body::number(body, "scan_period_date", 1..=28)?;
    let at = body::number(body, "scan_time", 0..=LAST_MS)?;
    let period = body::word_in(body, "", "scan_period", &PERIODS)?;
    let kept = |name: &str| before.get(name).filter(|v| !v.is_null()).cloned();
    match kind {
        "now" => Ok(json!({ "start_type": "now" })),
        "later" => {
            let at = at.map(|ms| json!(words::rfc3339(ms))).or_else(|| kept("at"));
            let at = at.ok_or_else(|| {
                body::lacking("scan_time", "a scan that begins later needs its time, in ms")
            })?;
            Ok(json!({ "start_type": "later", "at": at }))
        }
        _ => {
            let was = words::text(before, "start_type");
            let period = period.or_else(|| PERIODS.iter().find(|(w, _)| *w == was).map(|(w, _)| *w));
            let period =
                period.ok_or_else(|| body::lacking("scan_period", "it must be one of day, week, month"))?;
            let date = date.map(Value::from).or_else(|| kept("date").filter(|_| was == period));
            let date = match (period, date) {
                ("day", _) => Value::Null,
                (_, None) => {
                    return Err(body::lacking("scan_period_date", "1 (Sunday) to 7, or 1 to 28 of a month"));
                }
                ("week", Some(d)) if d.as_i64().is_some_and(|d| d > 7) => {
                    return Err(HssError::invalid("scan_period_date: 1 (Sunday) to 7 for scan_period week"));
                }
                (_, Some(d)) => d,
            };
            let or_kept = |n: Option<i64>, name: &str| n.map(Value::from).or_else(|| kept(name));
            let hour = or_kept(hour, "hour").ok_or_else(|| body::lacking("scan_hour", "0 to 23"))?;
            Ok(json!({
                "start_type": period,
                "date": date,
                "hour": hour,
                "minute": or_kept(minute, "minute").unwrap_or(json!(0)),
                "timezone_offset": or_kept(offset, "timezone_offset").unwrap_or(json!(0)),
            }))
        }
    }
}

/// A plan of the API as HSS has it, without its hosts.
pub(super) fn policy(p: &Value) -> Value {
    let (start, settings) = (words::at(p, "start"), words::at(p, "settings"));
    let own = words::text(start, "start_type");
    let again = PERIODS.iter().any(|(w, _)| *w == own);
    let of_period = |name: &str| if again { words::at(start, name).clone() } else { Value::Null };
    json!({
        "policy_id": p.get("id"),
        "policy_name": p.get("name"),
        "start_type": start_type(start),
        "scan_period": again.then_some(own),
        "scan_period_date": if own == "day" { Value::Null } else { of_period("date") },
        "scan_time": if own == "later" { words::ms(words::at(start, "at")) } else { Value::Null },
        "scan_hour": of_period("hour"),
        "scan_minute": of_period("minute"),
        "next_start_time": words::ms(words::at(p, "next_at")),
        "scan_dir": joined(words::at(settings, "include")),
        "ignore_dir": joined(words::at(settings, "exclude")),
        "action": action(words::at(settings, "automatic")),
        "invalidate": words::at(p, "next_at").is_null(),
        "whether_paid_task": false,
        "file_type_list": file_type_list(words::at(settings, "file_types")),
        "lazaret_scan_type": settings.get("kind"),
        "lazaret_timezone_offset": of_period("timezone_offset"),
        "lazaret_all_hosts": settings.get("all_hosts"),
        "lazaret_groups": settings.get("groups"),
        "lazaret_spread_minutes": settings.get("spread_minutes"),
        "lazaret_enterprise_project_id": p.get("project"),
    })
}

#[cfg(test)]
mod tests;
