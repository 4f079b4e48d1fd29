// SPDX-License-Identifier: Apache-2.0
//! What was done about results of virus scans. The API's history names alarms alone: what they are about is looked up.

use super::alarms::malware_name;
use super::found;
use super::places;
use super::result;
use crate::ask::Ask;
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::handling::{status_after, undoes};
use crate::history::Joined;
use crate::page::Listed;
use crate::words::{self, at, ms, text};
use crate::{alarm, host};
use serde_json::{Value, json};

/// Ways of handling: ours, and for isolation whether policy did it.
const METHODS: [(&str, (&str, Option<bool>)); 9] = [
    ("mark_as_handled", ("mark_as_handled", None)),
    ("ignore", ("ignore", None)),
    ("add_to_alarm_whitelist", ("add_to_alarm_whitelist", None)),
    ("manual_isolate_and_kill", ("isolate_and_kill", Some(false))),
    ("auto_isolate_and_kill", ("isolate_and_kill", Some(true))),
    ("unhandle", ("unhandle", None)),
    ("do_not_ignore", ("do_not_ignore", None)),
    ("remove_from_alarm_whitelist", ("remove_from_alarm_whitelist", None)),
    ("do_not_isolate_or_kill", ("do_not_isolate_or_kill", None)),
];
/// What a row itself must say.
#[derive(Debug, Default)]
struct Rows {
    method: Option<(&'static str, Option<bool>)>,
    user: Option<String>,
}

impl Rows {
    fn of(ask: &Ask) -> Result<Self, HssError> {
        let method = ask.word("handle_method", &METHODS)?;
        Ok(Self { method, user: ask.short("user_name", 64)?.map(str::to_owned) })
    }

    fn keeps(&self, row: &Value) -> bool {
        let who = text(row, "who");
        self.method.is_none_or(|(verb, auto)| {
            text(row, "operate_type") == verb && auto.is_none_or(|a| a == (who == "policy"))
        }) && self.user.as_ref().is_none_or(|u| u == who)
    }
}

pub(crate) async fn list_antivirus_handle_history(call: &Call) -> Answer {
    let ask = &call.ask;
    let at = call.ask.offset()?;
    ask.word("sort_key", &[("handle_time", ())])?;
    let oldest_first = ask.word("sort_dir", &[("asc", true), ("desc", false)])?.unwrap_or(true);
    let others = ask.between("event_type", 0..=1)? == Some(1);
    let rows = Rows::of(ask)?;
    let listed = match found::wanted(call).await? {
        None => Listed::default(),
        Some(mut wanted) => {
            wanted.beside.others = others;
            let mut query = call.scoped();
            query.extend(rows.method.map(|(verb, _)| ("operate_type", verb.to_owned())));
            let joined = Joined {
                rows: query,
                keeps: |row: &Value| rows.keeps(row),
                alarms: &wanted.query,
                fits: |alarm: &Value| wanted.beside.keeps(alarm),
                narrower: "a handle_method or a user_name",
            };
            joined.part(call, at, oldest_first).await?
        }
    };
    let list = shown(call, &listed.items).await?;
    Ok(json!({ "total_num": listed.total, "data_list": list }).into())
}

async fn shown(call: &Call, rows: &[Value]) -> Result<Vec<Value>, HssError> {
    let alarms = alarm::by_id(call, &call.scoped(), rows.iter().map(|r| text(r, "alarm"))).await?;
    let hosts = host::by_id(call, rows.iter().map(|r| text(r, "host"))).await?;
    let one = |r: &Value| {
        entry(r, alarms.get(text(r, "alarm")).unwrap_or(&Value::Null), hosts.get(text(r, "host")))
    };
    Ok(rows.iter().map(one).collect())
}

fn entry(row: &Value, alarm: &Value, host: Option<&Value>) -> Value {
    let filled = |v: &Value, path: &str| Some(text(v, path).to_owned()).filter(|t| !t.is_empty());
    let verb = text(row, "operate_type");
    let known = undoes(verb).map(|_| json!(verb));
    let place = places::short(at(alarm, "host"), host);
    json!({
        "result_id": row.get("alarm"),
        "malware_type": alarm.get("class_title"),
        "malware_name": Some(malware_name(alarm)).filter(|n| !n.is_empty()),
        "severity": words::severity(text(row, "severity")),
        "file_path": alarm.get("path"),
        "host_name": place.get("host_name"),
        "private_ip": place.get("private_ip"),
        "public_ip": place.get("public_ip"),
        "asset_value": place.get("asset_value"),
        "occur_time": ms(at(alarm, "last")),
        "handle_status": status_after(verb),
        "handle_method": known.unwrap_or_else(|| result::method(verb)),
        "notes": filled(row, "remark"),
        "handle_time": ms(at(row, "at")),
        "user_name": filled(row, "who"),
        "lazaret_host_id": row.get("host"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::without_nulls;

    #[test]
    fn rows_by_method_and_person() {
        let row = |who: &str| json!({ "operate_type": "isolate_and_kill", "who": who });
        let of = |word: &str| Rows {
            method: METHODS.iter().find(|(w, _)| *w == word).map(|(_, m)| *m),
            user: None,
        };
        assert!(
            of("auto_isolate_and_kill").keeps(&row("policy"))
                && !of("auto_isolate_and_kill").keeps(&row("ann"))
        );
        assert!(of("manual_isolate_and_kill").keeps(&row("ann")) && !of("ignore").keeps(&row("ann")));
        let ann = Rows { method: None, user: Some("ann".to_owned()) };
        assert!(ann.keeps(&row("ann")) && !ann.keeps(&row("anna")));
    }

    #[test]
    fn an_entry() {
        let row = json!({ "alarm": "a", "host": "h", "at": "1970-01-01T00:00:00.009Z", "operate_type": "do_not_ignore",
            "who": "ann", "remark": "", "severity": "high" });
        let alarm = json!({ "id": "a", "class_title": "Worm", "title": "Worm found: /x (confidence 80)", "path": "/x",
            "last": "1970-01-01T00:00:00.005Z", "host": { "id": "h", "name": "db" } });
        let entry = without_nulls(entry(&row, &alarm, None));
        let wanted = json!({ "result_id": "a", "malware_type": "Worm", "malware_name": "Worm", "severity": "High",
            "file_path": "/x", "host_name": "db", "occur_time": 5, "handle_status": "unhandled",
            "handle_method": "do_not_ignore", "handle_time": 9, "user_name": "ann", "lazaret_host_id": "h" });
        assert_eq!(entry, wanted);
    }
}
