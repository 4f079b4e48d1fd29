// SPDX-License-Identifier: Apache-2.0
//! What was done about results of virus scans. The API's history names alarms alone: what they are about is looked up.

use super::alarms::malware_name;
use super::found::{self, Wanted};
use super::places;
use super::result;
use crate::ask::{Ask, Offset};
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::handling::{status_after, undoes};
use crate::page::Listed;
use crate::rest::Query;
use crate::words::{self, at, ms, text};
use crate::{alarm, host};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// Rows of one page of the API.
const STEP: usize = 1000;
/// Pages of one request: of two million rows, as elsewhere.
const MOST_STEPS: usize = 2_001;
/// Rows whose alarms are looked up for one request.
const MOST: usize = 100_000;
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

/// A part of the rows, which come newest first.
struct Part {
    oldest_first: bool,
    at: Offset,
    kept: VecDeque<Value>,
    total: u64,
}

impl Part {
    fn add(&mut self, row: &Value) {
        self.total += 1;
        if self.oldest_first {
            self.kept.push_back(row.clone());
            if self.kept.len() as u64 > self.at.offset + self.at.limit {
                self.kept.pop_front();
            }
        } else if self.total > self.at.offset && self.total <= self.at.offset + self.at.limit {
            self.kept.push_back(row.clone());
        }
    }

    fn end(self) -> Listed {
        let skip = if self.oldest_first { usize::try_from(self.at.offset).unwrap_or(usize::MAX) } else { 0 };
        let mut items: Vec<Value> = self.kept.into();
        if self.oldest_first {
            items.reverse();
        }
        Listed { items: items.into_iter().skip(skip).collect(), total: self.total }
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
            let part = Part { oldest_first, at, kept: VecDeque::new(), total: 0 };
            look(call, &rows, &wanted, part).await?
        }
    };
    let list = shown(call, &listed.items).await?;
    Ok(json!({ "total_num": listed.total, "data_list": list }).into())
}

async fn look(call: &Call, rows: &Rows, wanted: &Wanted, mut part: Part) -> Result<Listed, HssError> {
    let mut query = call.scoped();
    query.extend(rows.method.map(|(verb, _)| ("operate_type", verb.to_owned())));
    let (mut after, mut looked): (Option<String>, usize) = (None, 0);
    // Rows that are not looked up are read too: they have an end as well.
    for _ in 0..MOST_STEPS {
        let mut step: Query = query.clone();
        step.push(("limit", STEP.to_string()));
        step.extend(after.take().map(|a| ("after", a)));
        let page = call.rest.get("/alarms/handlings", &step).await?;
        let all = at(&page, "items").as_array().into_iter().flatten();
        let some: Vec<&Value> = all.filter(|r| rows.keeps(r)).collect();
        looked += some.len();
        if looked > MOST {
            return Err(HssError::invalid(format!(
                "what {MOST} entries of the history are about is looked up for one request, and there are more: ask for \
                 a handle_method or a user_name"
            )));
        }
        let mut fit = alarm::by_id(call, &wanted.query, some.iter().map(|r| text(r, "alarm"))).await?;
        fit.retain(|_, a| wanted.beside.keeps(a));
        some.iter().filter(|r| fit.contains_key(text(r, "alarm"))).for_each(|r| part.add(r));
        match at(&page, "next").as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => break,
        }
    }
    Ok(part.end())
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

    fn listed(oldest_first: bool, offset: u64, limit: u64) -> (Vec<i64>, u64) {
        let mut part = Part { oldest_first, at: Offset { offset, limit }, kept: VecDeque::new(), total: 0 };
        // Newest first.
        (1..=25).rev().for_each(|n| part.add(&json!(n)));
        let listed = part.end();
        (listed.items.iter().filter_map(Value::as_i64).collect(), listed.total)
    }

    #[test]
    fn parts_from_both_ends() {
        assert_eq!(listed(false, 0, 3), (vec![25, 24, 23], 25));
        assert_eq!(listed(false, 23, 10), (vec![2, 1], 25));
        assert_eq!(listed(true, 0, 3), (vec![1, 2, 3], 25));
        assert_eq!(listed(true, 22, 10), (vec![23, 24, 25], 25));
        assert_eq!(listed(true, 30, 10), (vec![], 25));
    }

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
