// SPDX-License-Identifier: Apache-2.0
//! Handling alarms: the verbs of HSS, for one, for up to a hundred, for all of a type. What a host must do
//! goes to it as a command; its answer comes back with its journal.

use super::view::is_own;
use super::{hosts_of, within};
use crate::api::approvals::request::{self, Request};
use crate::api::extract::{Accepted, Json, Path};
use crate::api::gate::Access;
use crate::api::orders::{self, Order, Ordered};
use crate::api::permission::Permission;
use crate::api::problem::Problem;
use crate::api::projects::{self, check_text};
use crate::api::route::{Routes, post};
use crate::api::state::Api;
use crate::api::words::{Class, Verb};
use crate::time;
use axum::extract::State;
use lazaret_proto::v1::{self, command};
use lazaret_store::{AlarmFilter, AlarmRow, Cursor, HostRow, Scope, StoreError};
use serde::Deserialize;
use std::collections::HashMap;
use utoipa::ToSchema;

/// Alarms of one batch.
const BATCH: usize = 100;
/// Alarms of one *handle all*.
const ALL: usize = 10_000;

/// What to do with one alarm.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HandleOne {
    operate_type: Verb,
    #[serde(default)]
    #[schema(max_length = 512)]
    remark: String,
}

/// The same for several.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HandleBatch {
    #[schema(min_items = 1, max_items = 100)]
    alarms: Vec<String>,
    operate_type: Verb,
    #[serde(default)]
    #[schema(max_length = 512)]
    remark: String,
}

/// The same for all of a type.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HandleAll {
    class: Class,
    operate_type: Verb,
    /// Only of this project; absent: of all that the caller may handle.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64)]
    project: Option<String>,
    /// Only those of a container, or only the others.
    #[serde(default)]
    in_container: Option<bool>,
    #[serde(default)]
    #[schema(max_length = 512)]
    remark: String,
}

/// How much of a sample is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Collect {
    /// 16 MiB unless said otherwise.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 104_857_600)]
    max_bytes: Option<u64>,
}

/// Why what was frozen is let go.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ThawAsk {
    #[serde(default)]
    #[schema(max_length = 512)]
    remark: String,
}

pub(super) fn routes(r: &mut Routes) {
    let p = Permission::Operate;
    r.add(
        p,
        post("/alarms/{id}/handle", "handleAlarm", "Handle one alarm")
            .body::<HandleOne>()
            .answers::<Ordered>(202)
            .orders(),
        one,
    );
    r.add(
        p,
        post("/alarms/handle", "handleAlarms", "Handle up to 100 alarms")
            .body::<HandleBatch>()
            .answers::<Ordered>(202)
            .orders()
            .problem(404),
        batch,
    );
    r.add(
        p,
        post("/alarms/handle-all", "handleAllAlarms", "Handle all alarms of a type")
            .describe("10,000 at most; again for the rest.")
            .body::<HandleAll>()
            .answers::<Ordered>(202)
            .orders()
            .problem(404),
        all,
    );
    r.add(
        p,
        post("/alarms/{id}/preview", "previewIsolation", "Ask the host what isolating the file would touch")
            .describe("Changes nothing. The answer is the result of the command.")
            .answers::<Ordered>(202)
            .orders(),
        preview,
    );
    r.add(
        p,
        post("/alarms/{id}/thaw", "thawAlarm", "Object to a kill while its processes are frozen")
            .body::<ThawAsk>()
            .answers::<Ordered>(202)
            .orders(),
        thaw,
    );
    r.add(
        p,
        post(
            "/alarms/{id}/collect-sample",
            "collectSample",
            "Let the host send the file that the alarm is about",
        )
        .body::<Collect>()
        .answers::<Ordered>(202)
        .orders(),
        collect,
    );
}

async fn one(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    Json(ask): Json<HandleOne>,
) -> Result<Accepted<Json<Ordered>>, Problem> {
    let row = within(&api, &access, &id).await?;
    let asked =
        Asked { verb: ask.operate_type, remark: ask.remark, target: format!("alarm {id}"), all: false };
    give(&api, &access, vec![row], asked).await
}

async fn batch(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<HandleBatch>,
) -> Result<Accepted<Json<Ordered>>, Problem> {
    if !(1..=BATCH).contains(&ask.alarms.len()) {
        return Err(Problem::invalid(format!("alarms: 1 to {BATCH}, not {}", ask.alarms.len())));
    }
    let mut ids = ask.alarms.clone();
    ids.sort_unstable();
    ids.dedup();
    let mut rows = Vec::with_capacity(ids.len());
    for id in &ids {
        rows.push(within(&api, &access, id).await?);
    }
    let target = format!("alarms {}", ids.join(" "));
    let asked = Asked { verb: ask.operate_type, remark: ask.remark, target, all: false };
    give(&api, &access, rows, asked).await
}

async fn all(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<HandleAll>,
) -> Result<Accepted<Json<Ordered>>, Problem> {
    let scope = match &ask.project {
        Some(project) => Scope::Projects(vec![projects::within(&api, &access, project).await?.id]),
        None => access.scope.clone(),
    };
    let undoes = ask.operate_type.word().parse::<lazaret_model::Handling>().ok().and_then(|h| h.undoes());
    let filter = AlarmFilter {
        classes: vec![ask.class.word().to_owned()],
        handled: Some(undoes.is_some()),
        in_container: ask.in_container,
        ..AlarmFilter::default()
    };
    let mut rows = Vec::new();
    let mut cursor = Cursor { after: None, limit: 1000 };
    loop {
        let page = api.store.alarms_page(&scope, &filter, &cursor).await?;
        let fits = |a: &AlarmRow| undoes.is_none_or(|u| a.handled_by == u.word());
        rows.extend(page.items.into_iter().filter(fits));
        let Some(next) = page.next.filter(|_| rows.len() < ALL) else { break };
        cursor.after = Some(next);
    }
    rows.truncate(ALL);
    let target = format!("all alarms of the class {}", ask.class.word());
    let asked = Asked { verb: ask.operate_type, remark: ask.remark, target, all: true };
    give(&api, &access, rows, asked).await
}

/// Whether a verb fits an alarm as it stands; else why not.
fn unfit(a: &AlarmRow, verb: Verb) -> Option<String> {
    let handled = a.handled.then_some(a.handled_by.as_str());
    let needed = match verb {
        Verb::AddToLoginWhitelist | Verb::RemoveFromLoginWhitelist => {
            return Some(
                "the login whitelist is for alarms about logins; this one is about a program".to_owned(),
            );
        }
        Verb::Unhandle => "mark_as_handled",
        Verb::DoNotIgnore => "ignore",
        Verb::RemoveFromAlarmWhitelist => "add_to_alarm_whitelist",
        Verb::DoNotIsolateOrKill => "isolate_and_kill",
        _ => return handled.map(|by| format!("handled already ({by}); take that back first")),
    };
    match handled {
        Some(by) if by == needed => None,
        // Isolated by a person on the host or by policy: the restore is the same.
        _ if verb == Verb::DoNotIsolateOrKill && !a.isolated.is_empty() => None,
        Some(by) => Some(format!("{} takes {needed} back, but the handling was {by}", verb.word())),
        None => Some(format!("{} takes {needed} back, but nobody has handled it", verb.word())),
    }
}

/// What was asked for some alarms.
struct Asked {
    verb: Verb,
    remark: String,
    target: String,
    /// Of a type, not one by one.
    all: bool,
}

async fn give(
    api: &Api,
    access: &Access,
    rows: Vec<AlarmRow>,
    asked: Asked,
) -> Result<Accepted<Json<Ordered>>, Problem> {
    let Asked { verb, remark, target, all } = asked;
    check_text("remark", &remark, 512)?;
    if let Some(projects) = request::handling_waits(api, &rows, verb, all).await? {
        let alarms = rows.into_iter().map(|a| a.id).collect();
        let waits = Request::Handle { alarms, operate_type: verb, remark, target };
        let address = request::wait(api, access, projects, &waits).await?;
        return Ok(Accepted(Json(Ordered::waiting(address))));
    }
    let order = put_together(api, access, &rows, verb, &remark, target).await?;
    if !order.done.is_empty() {
        api.store.set_handled(&order.done, kept_word(verb), access.who(), &remark, time::now_ms()).await?;
    }
    orders::give(api, order).await.map(|o| Accepted(Json(o)))
}

/// What is kept of a verb; nothing of those that open an alarm again.
pub(crate) fn kept_word(verb: Verb) -> &'static str {
    if matches!(verb, Verb::Unhandle | Verb::DoNotIgnore) { "" } else { verb.word() }
}

/// The order for alarms by their ids; those that are gone are refused.
pub(crate) async fn prepare(
    api: &Api,
    access: &Access,
    ids: &[String],
    verb: Verb,
    remark: &str,
    target: String,
) -> Result<Order, Problem> {
    let mut rows = Vec::with_capacity(ids.len());
    let mut gone = Vec::new();
    for id in ids {
        match api.store.alarm(id).await {
            Ok(row) if access.covers(&row.project) => rows.push(row),
            Ok(_) | Err(StoreError::NotFound(_)) => gone.push(id),
            Err(e) => return Err(e.into()),
        }
    }
    let mut order = put_together(api, access, &rows, verb, remark, target).await?;
    for id in gone {
        order.refuse(id, "it is not there any more");
    }
    Ok(order)
}

async fn put_together(
    api: &Api,
    access: &Access,
    rows: &[AlarmRow],
    verb: Verb,
    remark: &str,
    target: String,
) -> Result<Order, Problem> {
    let hosts = hosts_of(api, access, rows.iter().map(|a| a.host.as_str())).await?;
    let mut order = Order::new(access, "handle", "alarm.handle");
    order.target = target;
    order.asked = format!("{}: {remark}", verb.word());
    for a in rows {
        add(&mut order, a, &hosts, verb, remark);
    }
    Ok(order)
}

/// One alarm of an order: to its host, done here, or refused.
fn add(order: &mut Order, a: &AlarmRow, hosts: &HashMap<String, HostRow>, verb: Verb, remark: &str) {
    if let Some(why) = unfit(a, verb) {
        return order.refuse(&a.id, why);
    }
    let closes = matches!(verb, Verb::MarkAsHandled | Verb::Ignore | Verb::Unhandle | Verb::DoNotIgnore);
    let host = hosts.get(&a.host);
    let gone = host.is_none_or(|h| h.removed);
    match host {
        // Nobody else has it, or will ever come for it: it is closed where it is kept.
        _ if closes && (is_own(a) || gone) => order.done.push(a.id.clone()),
        _ if is_own(a) => order.refuse(&a.id, "it is about the host itself, not about a file"),
        Some(host) => {
            let what =
                v1::Handle { id: a.id.clone(), handling: verb.word().to_owned(), remark: remark.to_owned() };
            order.to(host, &a.id, command::Verb::Handle(what));
        }
        None => order.refuse(&a.id, "its host is not there any more"),
    }
}

/// An order about one alarm that its host has.
async fn about(
    api: &Api,
    access: &Access,
    id: &str,
    names: (&'static str, &'static str),
    what: command::Verb,
) -> Result<Accepted<Json<Ordered>>, Problem> {
    let row = within(api, access, id).await?;
    if is_own(&row) {
        return Err(Problem::conflict("this alarm is about the host itself, not about a file"));
    }
    let host = crate::api::hosts::within(api, access, &row.host).await?;
    let mut order = Order::new(access, names.0, names.1);
    order.target = format!("alarm {id}");
    order.to(&host, id, what);
    orders::give(api, order).await.map(|o| Accepted(Json(o)))
}

async fn preview(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Accepted<Json<Ordered>>, Problem> {
    let what = v1::PreviewIsolate { what: Some(v1::preview_isolate::What::Alarm(id.clone())) };
    about(&api, &access, &id, ("preview", "alarm.preview"), command::Verb::Preview(what)).await
}

async fn thaw(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    Json(ask): Json<ThawAsk>,
) -> Result<Accepted<Json<Ordered>>, Problem> {
    check_text("remark", &ask.remark, 512)?;
    let what = v1::Thaw { id: id.clone(), remark: ask.remark };
    about(&api, &access, &id, ("thaw", "alarm.thaw"), command::Verb::Thaw(what)).await
}

async fn collect(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    Json(ask): Json<Collect>,
) -> Result<Accepted<Json<Ordered>>, Problem> {
    let max_bytes = ask.max_bytes.unwrap_or(16 << 20);
    if !(1..=100 << 20).contains(&max_bytes) {
        return Err(Problem::invalid("max_bytes: 1 to 104857600"));
    }
    let what = v1::CollectSample { alarm: id.clone(), max_bytes };
    about(&api, &access, &id, ("collect", "alarm.collect_sample"), command::Verb::Collect(what)).await
}
