// SPDX-License-Identifier: Apache-2.0
//! Looking at alarms: the list, one, the numbers, what is like it.

use super::filter::AlarmQuery;
use super::view::{self, AlarmFull, AlarmItem, HandlingItem, severity};
use super::{hosts_of, within};
use crate::api::commands;
use crate::api::extract::{Json, Path, Query};
use crate::api::gate::Access;
use crate::api::hosts::{Count, counts};
use crate::api::page::{PageOf, cursor, moment};
use crate::api::permission::Permission;
use crate::api::problem::Problem;
use crate::api::route::{Routes, get};
use crate::api::state::Api;
use crate::api::words::Verb;
use crate::editions::{self, HostEdition};
use crate::json::some;
use crate::time;
use axum::extract::State;
use lazaret_store::{AlarmRow, CommandFilter, Cursor, HandlingFilter, HandlingRow, Likeness, Page};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Similar ones of each kind at most.
const SIMILAR: u32 = 20;
/// Lines of history and commands that one alarm shows.
const HISTORY: u32 = 200;

/// How many.
#[derive(Serialize, ToSchema)]
struct AlarmStatistics {
    total: u64,
    handled: u64,
    unhandled: u64,
    by_severity: Vec<Count>,
    by_class: Vec<Count>,
    by_rating: Vec<Count>,
    by_importance: Vec<Count>,
    /// Days in UTC, oldest first.
    by_day: Vec<DayCount>,
}

/// How many on a day.
#[derive(Serialize, ToSchema)]
struct DayCount {
    #[schema(format = Date)]
    day: String,
    count: u64,
}

/// Handled alarms that are like one.
#[derive(Serialize, ToSchema)]
struct Similar {
    items: Vec<SimilarAlarm>,
}

/// One of them, and by what.
#[derive(Serialize, ToSchema)]
struct SimilarAlarm {
    /// Words of HSS: `sameHostAndEventType`, `sameFileHash`, `sameProcessHash`, `sameProcessCmdline`,
    /// `sameUserName`, `sameRemoteIp`, `sameRegKey`.
    similar_type: &'static str,
    alarm: AlarmItem,
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct SameQuery {
    after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Filters of the history.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct HandlingQuery {
    /// Id of a project, or `all_granted_eps`: all that the caller may see, as without it.
    #[param(min_length = 1, max_length = 64)]
    project: Option<String>,
    #[param(format = Uuid)]
    alarm: Option<String>,
    #[param(format = Uuid)]
    host: Option<String>,
    #[param(inline)]
    operate_type: Option<Verb>,
    #[param(format = DateTime)]
    since: Option<String>,
    #[param(format = DateTime)]
    until: Option<String>,
    after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

pub(super) fn routes(r: &mut Routes) {
    let p = Permission::View;
    r.add(
        p,
        get("/alarms", "listAlarms", "Alarms, newest first").query::<AlarmQuery>().page::<AlarmItem>(),
        list,
    );
    r.add(
        p,
        get("/alarms/statistics", "alarmStatistics", "How many alarms of each kind")
            .describe("Takes the filters of the list; `after` and `limit` mean nothing here.")
            .query::<AlarmQuery>()
            .answers::<AlarmStatistics>(200),
        statistics,
    );
    r.add(
        p,
        get("/alarms/handlings", "listHandlings", "What was done about alarms, newest first")
            .query::<HandlingQuery>()
            .page::<HandlingItem>(),
        handlings,
    );
    r.add(p, get("/alarms/{id}", "getAlarm", "One alarm with its forensics").answers::<AlarmFull>(200), show);
    r.add(
        p,
        get("/alarms/{id}/same", "sameAlarms", "The same file on any host")
            .query::<SameQuery>()
            .page::<AlarmItem>(),
        same,
    );
    r.add(
        p,
        get("/alarms/{id}/similar-handled", "similarHandled", "How somebody dealt with alarms like this one")
            .answers::<Similar>(200),
        similar,
    );
}

async fn items(api: &Api, access: &Access, page: Page<AlarmRow>) -> Result<Json<PageOf<AlarmItem>>, Problem> {
    let hosts = hosts_of(api, access, page.items.iter().map(|a| a.host.as_str())).await?;
    let mut ids: Vec<String> = page.items.iter().map(|a| a.host.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    let (quotas, now_ms) = (api.store.host_quotas(&ids).await?, time::now_ms());
    let edition = |host: &str| HostEdition::of(quotas.get(host), now_ms);
    let one = |a: AlarmRow| view::item(&a, hosts.get(&a.host)).with_edition(&a, &edition(&a.host));
    Ok(Json(PageOf::of(page, one)))
}

async fn list(
    State(api): State<Api>,
    access: Access,
    Query(q): Query<AlarmQuery>,
) -> Result<Json<PageOf<AlarmItem>>, Problem> {
    let scope = access.chosen(q.project.as_deref())?;
    let filter = q.filter()?;
    let page = api.store.alarms_page(&scope, &filter, &cursor(q.after, q.limit)?).await?;
    items(&api, &access, page).await
}

async fn statistics(
    State(api): State<Api>,
    access: Access,
    Query(q): Query<AlarmQuery>,
) -> Result<Json<AlarmStatistics>, Problem> {
    let c = api.store.alarm_counts(&access.chosen(q.project.as_deref())?, &q.filter()?).await?;
    let by_severity =
        c.severity.into_iter().map(|(n, count)| Count { word: severity(n).to_owned(), count }).collect();
    let day = |(day, count): (i64, u64)| {
        let at = time::rfc3339(day.saturating_mul(time::DAY_MS));
        DayCount { day: at.split('T').next().unwrap_or_default().to_owned(), count }
    };
    Ok(Json(AlarmStatistics {
        total: c.total,
        handled: c.handled,
        unhandled: c.unhandled,
        by_severity,
        by_class: counts(c.class),
        by_rating: counts(c.rating),
        by_importance: counts(c.importance),
        by_day: c.day.into_iter().map(day).collect(),
    }))
}

async fn show(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Json<AlarmFull>, Problem> {
    let row = within(&api, &access, &id).await?;
    let hosts = hosts_of(&api, &access, [row.host.as_str()].into_iter()).await?;
    let edition = editions::of_host(&api.store, &row.host).await?;
    let filter = HandlingFilter { alarm: row.id.clone(), ..HandlingFilter::default() };
    let first = Cursor { after: None, limit: HISTORY };
    let history = api.store.handlings_page(&access.scope, &filter, &first).await?;
    let filter = CommandFilter { about: row.id.clone(), ..CommandFilter::default() };
    let ordered = api.store.commands_page(&access.scope, &filter, &first).await?;
    Ok(Json(AlarmFull {
        summary: view::item(&row, hosts.get(&row.host)).with_edition(&row, &edition),
        alarm: view::details(&row).as_ref().map(Into::into),
        history: history.items.iter().map(handling).collect(),
        commands: ordered.items.iter().map(commands::view).collect(),
        recommendation: view::recommendation(&row),
    }))
}

fn handling(h: &HandlingRow) -> HandlingItem {
    HandlingItem {
        alarm: h.alarm.clone(),
        host: h.host.clone(),
        at: time::rfc3339(h.at_ms),
        operate_type: h.verb.clone(),
        who: h.who.clone(),
        remark: h.remark.clone(),
        title: h.title.clone(),
        class: some(&h.class),
        severity: severity(h.severity),
    }
}

async fn handlings(
    State(api): State<Api>,
    access: Access,
    Query(q): Query<HandlingQuery>,
) -> Result<Json<PageOf<HandlingItem>>, Problem> {
    let scope = access.chosen(q.project.as_deref())?;
    let filter = HandlingFilter {
        alarm: q.alarm.unwrap_or_default(),
        host: q.host.unwrap_or_default(),
        verb: q.operate_type.map(|v| v.word().to_owned()).unwrap_or_default(),
        since_ms: moment("since", q.since.as_deref())?,
        until_ms: moment("until", q.until.as_deref())?,
    };
    let page = api.store.handlings_page(&scope, &filter, &cursor(q.after, q.limit)?).await?;
    Ok(Json(PageOf::of(page, |h| handling(&h))))
}

async fn same(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    Query(q): Query<SameQuery>,
) -> Result<Json<PageOf<AlarmItem>>, Problem> {
    within(&api, &access, &id).await?;
    let page = api.store.same_alarms(&id, &access.scope, &cursor(q.after, q.limit)?).await?;
    items(&api, &access, page).await
}

async fn similar(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Json<Similar>, Problem> {
    within(&api, &access, &id).await?;
    let found = api.store.similar_handled(&id, &access.scope, SIMILAR).await?;
    let hosts = hosts_of(&api, &access, found.iter().map(|(_, a)| a.host.as_str())).await?;
    let one = |(by, a): &(Likeness, AlarmRow)| SimilarAlarm {
        similar_type: match by {
            Likeness::HostAndClass => "sameHostAndEventType",
            Likeness::FileHash => "sameFileHash",
            Likeness::ProcessHash => "sameProcessHash",
            Likeness::ProcessCmdline => "sameProcessCmdline",
            Likeness::UserName => "sameUserName",
            Likeness::RemoteIp => "sameRemoteIp",
            Likeness::RegKey => "sameRegKey",
        },
        alarm: view::item(a, hosts.get(&a.host)),
    };
    Ok(Json(Similar { items: found.iter().map(one).collect() }))
}
