// SPDX-License-Identifier: Apache-2.0
//! Scans, with the hosts that they are for.

use super::places::{asked, has};
use super::policy_list;
use super::statistic::is_running;
use super::task_row::{STATES, began, count, host_row, moment, row};
use crate::ask::{Ask, Offset};
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::host::by_id;
use crate::page::{self, Listed};
use crate::rest::{Query, part};
use crate::words::{at, text};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

/// Scans that are looked into where their hosts decide.
const MOST: u64 = 1_000;
/// Pages of hosts that are read for that.
const MOST_STEPS: u64 = 2_000;
/// Rows of one page of the API.
const STEP: u64 = 1_000;
/// Hosts of one scan, and of one answer, that are named.
const MOST_OF_ONE: u64 = 1_000;
const MOST_HOSTS: u64 = 5_000;
const DAY_MS: i64 = 86_400_000;

/// A state of a scan; the last two are also `finish` in answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Scanning,
    Finish,
    Fail,
    Cancel,
}

const STATUSES: [(&str, Status); 4] = [
    ("scanning", Status::Scanning),
    ("cancel", Status::Cancel),
    ("fail", Status::Fail),
    ("finish", Status::Finish),
];

/// What is asked for.
#[derive(Debug, Default)]
struct Wanted<'a> {
    name: Option<&'a str>,
    since: Option<i64>,
    until: Option<i64>,
    status: Option<Status>,
    host_name: Option<&'a str>,
    hosts: Option<BTreeSet<String>>,
    /// Of hosts; lists of our states.
    states: Vec<&'static str>,
}

impl<'a> Wanted<'a> {
    fn of(ask: &'a Ask, now: i64) -> Result<Self, HssError> {
        let days = ask.between("last_days", 1..=90)?;
        let time = |name: &str| {
            let wrong =
                || HssError::invalid(format!("{name}: must be a time in UTC such as 2026-01-31 23:59:59"));
            ask.text(name).map(|t| moment(t).ok_or_else(wrong)).transpose()
        };
        let (since, until) = match (days, time("begin_time")?, time("end_time")?) {
            // With both, the days hold.
            (Some(days), ..) => (Some(now - days * DAY_MS), None),
            (None, Some(begin), Some(end)) if begin > end => {
                return Err(HssError::invalid("begin_time: is after end_time"));
            }
            // To the end of that second.
            (None, Some(begin), Some(end)) => (Some(begin), Some(end + 999)),
            (None, None, None) => (None, None),
            _ => return Err(HssError::invalid("begin_time and end_time: give both or neither")),
        };
        Ok(Self {
            name: ask.short("task_name", 128)?,
            since,
            until,
            status: ask.word("task_status", &STATUSES)?,
            host_name: ask.short("host_name", 256)?,
            hosts: None,
            states: ask.words("host_task_status", &STATES)?,
        })
    }

    /// What a scan itself says.
    fn keeps(&self, scan: &Value) -> bool {
        let at = began(scan);
        self.name.is_none_or(|n| has(scan, "name", n))
            && self.since.is_none_or(|s| at >= s)
            && self.until.is_none_or(|u| at <= u)
            && self.status.is_none_or(|s| is_running(scan) == (s == Status::Scanning))
    }

    /// Whether single hosts decide.
    fn names_hosts(&self) -> bool {
        self.host_name.is_some() || self.hosts.is_some()
    }

    /// Whether the scan itself does not say it all.
    fn looks_into(&self) -> bool {
        self.names_hosts()
            || !self.states.is_empty()
            || matches!(self.status, Some(Status::Fail | Status::Cancel))
    }

    /// What the numbers of a scan say.
    fn keeps_numbers(&self, summary: &Value) -> bool {
        let any = |states: &str| states.split(',').any(|s| count(summary, s) > 0);
        let status = match self.status {
            Some(Status::Fail) => any("fail"),
            Some(Status::Cancel) => any("cancel"),
            _ => true,
        };
        status && (self.states.is_empty() || self.states.iter().any(|s| any(s)))
    }

    fn keeps_host(&self, row: &Value) -> bool {
        self.host_name.is_none_or(|n| has(row, "host.name", n))
            && self.hosts.as_ref().is_none_or(|h| h.contains(text(row, "host.id")))
    }

    /// Hosts of a scan that are asked for; the first of them.
    async fn hosts_of(&self, call: &Call, scan: &str, most: u64) -> Result<Listed, HssError> {
        let path = format!("/scan-tasks/{}/hosts", part(scan));
        let query: Query =
            if self.states.is_empty() { Vec::new() } else { vec![("state", self.states.join(","))] };
        let first = Offset { offset: 0, limit: most };
        if self.names_hosts() {
            return page::kept(&call.rest, &path, &query, first, |row| self.keeps_host(row)).await;
        }
        page::page(&call.rest, &path, &query, first).await
    }
}

async fn summary(call: &Call, scan: &Value) -> Result<Value, HssError> {
    call.rest.get(&format!("/scan-tasks/{}", part(text(scan, "id"))), &[]).await
}

/// Numbers of the scans of a part of the list, how many there are in all, and whether there may be more.
async fn find(call: &Call, wanted: &Wanted<'_>, at: Offset) -> Result<(Vec<Value>, u64, bool), HssError> {
    let (query, keep) = (call.scoped(), |scan: &Value| wanted.keeps(scan));
    let mut out = Vec::new();
    if !wanted.looks_into() {
        let listed = page::kept(&call.rest, "/scan-tasks", &query, at, keep).await?;
        for scan in &listed.items {
            out.push(summary(call, scan).await?);
        }
        return Ok((out, listed.total, false));
    }
    let newest = Offset { offset: 0, limit: MOST };
    let listed = page::kept(&call.rest, "/scan-tasks", &query, newest, keep).await?;
    let (mut total, mut steps, mut capped) = (0, MOST_STEPS, listed.total > MOST);
    for scan in &listed.items {
        let numbers = summary(call, scan).await?;
        if !wanted.keeps_numbers(&numbers) {
            continue;
        }
        if wanted.names_hosts() {
            let needed = 1 + self::at(&numbers, "host_num").as_u64().unwrap_or(0) / STEP;
            if needed > steps {
                capped = true;
                break;
            }
            steps -= needed;
            if wanted.hosts_of(call, text(scan, "id"), 1).await?.total == 0 {
                continue;
            }
        }
        if total >= at.offset && total < at.offset + at.limit {
            out.push(numbers);
        }
        total += 1;
    }
    Ok((out, total, capped))
}

pub(crate) async fn list_anti_virus_task(call: &Call) -> Answer {
    let ask = &call.ask;
    let (at, now) = (call.ask.offset()?, call.rest.inside().now_ms());
    let mut wanted = Wanted::of(ask, now)?;
    wanted.hosts = match asked(ask)? {
        Some(addresses) => addresses.hosts(call).await?,
        None => Some(BTreeSet::new()),
    };
    // Nobody pays for a scan here.
    let nothing =
        ask.flag("whether_paid_task") == Some(true) || wanted.hosts.as_ref().is_some_and(BTreeSet::is_empty);
    let (found, total, capped) =
        if nothing { (Vec::new(), 0, false) } else { find(call, &wanted, at).await? };
    let plans = plans(call, &found).await?;
    let (mut rows, mut left) = (Vec::with_capacity(found.len()), MOST_HOSTS);
    for numbers in &found {
        let id = text(numbers, "task.id");
        let most = left.min(MOST_OF_ONE);
        let hosts = if most == 0 { Listed::default() } else { wanted.hosts_of(call, id, most).await? };
        left -= (hosts.items.len() as u64).min(left);
        let known = by_id(call, hosts.items.iter().map(|h| text(h, "host.id"))).await?;
        let named: Vec<Value> =
            hosts.items.iter().map(|h| host_row(h, known.get(text(h, "host.id")), now)).collect();
        let cut = most == 0 || hosts.total > named.len() as u64;
        let mut row = row(numbers, named, &plans);
        row["lazaret_hosts_are_cut"] = if cut { json!(true) } else { Value::Null };
        rows.push(row);
    }
    let more = capped.then_some(true);
    Ok(json!({ "total_num": total, "data_list": rows, "lazaret_total_is_capped": more }).into())
}

/// Plans that scans came from, where any did.
async fn plans(call: &Call, found: &[Value]) -> Result<HashMap<String, Value>, HssError> {
    if found.iter().all(|s| at(s, "task.policy").is_null()) {
        return Ok(HashMap::new());
    }
    let plans = policy_list::all(call).await?;
    Ok(plans.into_iter().map(|p| (text(&p, "id").to_owned(), p)).collect())
}

#[cfg(test)]
mod tests;
