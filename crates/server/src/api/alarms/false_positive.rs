// SPDX-License-Identifier: Apache-2.0
//! The one button for a false positive: the file comes back wherever it was isolated, its content is
//! whitelisted, the rule that found it only alarms from now on, the cloud scan's verdict on it is withdrawn, what
//! was killed is started again, and open alarms about it are closed. One task, one audit row; hosts that are away do their part when they come
//! back.

use super::view::HostBrief;
use super::{hosts_of, within};
use crate::api::extract::{Accepted, Json, Path};
use crate::api::gate::Access;
use crate::api::isolated::{self, IsolatedItem};
use crate::api::orders::{self, Order, Ordered};
use crate::api::permission::Permission;
use crate::api::problem::Problem;
use crate::api::projects::check_text;
use crate::api::route::{Routes, get, post};
use crate::api::state::Api;
use crate::json::{hex, some};
use crate::time;
use axum::extract::State;
use lazaret_proto::v1::{self, command};
use lazaret_store::{
    AlarmFilter, AlarmRow, Cursor, DisarmedRow, HostRow, IsolatedRow, StoreError, WhitelistFilter,
    WhitelistRow, Withdrawal,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use utoipa::ToSchema;
use uuid::Uuid;

/// Isolated files shown in the preview; all of them are restored.
const SHOWN: usize = 100;
/// Open alarms that are closed with it.
const ALARMS: usize = 1_000;

/// Evidence that a rule gave, as the wire names it.
const KINDS: [&str; 3] = ["rule", "third_party_rule", "heuristic"];

/// What the button would touch.
#[derive(Serialize, ToSchema)]
struct FalsePositivePreview {
    sha256: String,
    /// Would be restored.
    isolated_total: usize,
    /// The first hundred of them.
    isolated: Vec<IsolatedItem>,
    /// On these hosts.
    hosts: Vec<HostBrief>,
    /// Of them not connected: they do it when they come back.
    hosts_later: usize,
    /// Open alarms about the same content; they are closed.
    alarms: usize,
    /// Services and containers that were ended with it and are started again.
    restarts: Vec<String>,
    /// Decisive rules that found it. They are disarmed: on every host of `whitelist_projects` they only
    /// alarm until somebody arms them again (`DELETE /disarmed-rules/{rule}`). Known-bad hashes and the
    /// test program are none.
    rules: Vec<String>,
    /// In these projects the content is whitelisted, and the rules are disarmed.
    whitelist_projects: Vec<String>,
    /// In these of them the cloud scan calls it bad: that verdict is withdrawn, and hosts run it again.
    withdrawn_projects: Vec<String>,
}

/// Why it is one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FalsePositive {
    #[serde(default)]
    #[schema(max_length = 512)]
    remark: String,
    /// Start again what was ended with it; yes unless said otherwise.
    #[serde(default = "yes")]
    restart: bool,
    /// Let the rules that found it only alarm; yes unless said otherwise.
    #[serde(default = "yes")]
    disarm: bool,
}

fn yes() -> bool {
    true
}

pub(super) fn routes(r: &mut Routes) {
    r.add(
        Permission::View,
        get(
            "/alarms/{id}/false-positive",
            "previewFalsePositive",
            "What reporting a false positive would touch",
        )
        .answers::<FalsePositivePreview>(200)
        .problem(409),
        preview,
    );
    r.add(
        Permission::Administer,
        post("/alarms/{id}/false-positive", "reportFalsePositive", "It was a false positive: undo it everywhere")
            .describe("Restores by content on every host of the caller's projects, whitelists the content, disarms the rules that found it, withdraws the cloud scan's verdict on it, starts again what was ended, closes open alarms about it.")
            .body::<FalsePositive>()
            .answers::<Ordered>(202)
            .orders(),
        report,
    );
}

/// Everything that one content concerns.
struct Touched {
    sha256: Vec<u8>,
    files: Vec<IsolatedRow>,
    alarms: Vec<AlarmRow>,
    hosts: HashMap<String, HostRow>,
    projects: BTreeSet<String>,
    /// Of them those where the cloud scan calls it bad.
    called_bad: Vec<String>,
}

async fn touched(api: &Api, access: &Access, alarm: &AlarmRow) -> Result<Touched, Problem> {
    if alarm.sha256.len() != 32 {
        return Err(Problem::conflict("this alarm is about no file whose content is known; handle it alone"));
    }
    let states: Vec<String> = isolated::RESTORABLE.iter().map(|s| (*s).to_owned()).collect();
    let files = api.store.isolated_by_hash(&access.scope, &alarm.sha256, &states).await?;
    let filter = AlarmFilter { sha256: alarm.sha256.clone(), handled: Some(false), ..AlarmFilter::default() };
    let page = api.store.alarms_page(&access.scope, &filter, &Cursor { after: None, limit: 1000 }).await?;
    let mut alarms = page.items;
    alarms.truncate(ALARMS);
    let ids = files.iter().map(|f| f.host.as_str()).chain(alarms.iter().map(|a| a.host.as_str()));
    let hosts = hosts_of(api, access, ids).await?;
    let mut projects: BTreeSet<String> = files.iter().map(|f| f.project.clone()).collect();
    projects.extend(alarms.iter().map(|a| a.project.clone()));
    projects.insert(alarm.project.clone());
    let mut called_bad = Vec::new();
    for project in &projects {
        match api.store.verdict(project, &alarm.sha256).await {
            Ok(verdict) if !verdict.withdrawn => called_bad.push(project.clone()),
            Ok(_) | Err(StoreError::NotFound(_)) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(Touched { sha256: alarm.sha256.clone(), files, alarms, hosts, projects, called_bad })
}

async fn preview(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Json<FalsePositivePreview>, Problem> {
    let alarm = within(&api, &access, &id).await?;
    let t = touched(&api, &access, &alarm).await?;
    let on: BTreeSet<&str> = t.files.iter().map(|f| f.host.as_str()).collect();
    let mut restarts = BTreeSet::new();
    for file in &t.files {
        let killed = isolated::details(file).map(|d| d.killed).unwrap_or_default();
        restarts.extend(
            killed.iter().filter_map(|k| k.unit.as_deref().or(k.container.as_deref()).and_then(some)),
        );
    }
    Ok(Json(FalsePositivePreview {
        sha256: hex(&t.sha256).unwrap_or_default(),
        isolated_total: t.files.len(),
        isolated: t.files.iter().take(SHOWN).map(|f| isolated::item(f, t.hosts.get(&f.host))).collect(),
        hosts: on.iter().map(|id| HostBrief::of(id, t.hosts.get(*id))).collect(),
        hosts_later: on.iter().filter(|id| t.hosts.get(**id).is_none_or(|h| h.status != "online")).count(),
        alarms: t.alarms.len(),
        restarts: restarts.into_iter().collect(),
        rules: misfired(&alarm),
        whitelist_projects: t.projects.into_iter().collect(),
        withdrawn_projects: t.called_bad,
    }))
}

/// The rules that carried the verdict. A hash on a list is no rule, and without the test program a host
/// could not be tested any more.
fn misfired(alarm: &AlarmRow) -> Vec<String> {
    let verdict = super::view::details(alarm).and_then(|a| a.verdict).unwrap_or_default();
    let mut rules: Vec<String> = verdict
        .evidence
        .into_iter()
        .filter(|e| e.decisive && e.weight > 0.0 && KINDS.contains(&e.kind.as_str()))
        .map(|e| e.id)
        .collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

/// Whether a living entry for the content holds in the whole project.
async fn whitelisted(api: &Api, project: &str, sha256: &[u8], now_ms: i64) -> Result<bool, Problem> {
    let scope = lazaret_store::Scope::Projects(vec![project.to_owned()]);
    let filter = WhitelistFilter {
        scope: "project".to_owned(),
        field: "hash".to_owned(),
        expired: Some((false, now_ms)),
        ..WhitelistFilter::default()
    };
    let mut cursor = Cursor { after: None, limit: 1000 };
    loop {
        let page = api.store.whitelist_page(&scope, &filter, &cursor).await?;
        if page.items.iter().any(|w| w.judge == "equal" && w.class.is_empty() && w.value == sha256) {
            return Ok(true);
        }
        let Some(next) = page.next else { return Ok(false) };
        cursor.after = Some(next);
    }
}

async fn report(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    Json(ask): Json<FalsePositive>,
) -> Result<Accepted<Json<Ordered>>, Problem> {
    check_text("remark", &ask.remark, 512)?;
    let alarm = within(&api, &access, &id).await?;
    let t = touched(&api, &access, &alarm).await?;
    let mut order = Order::new(&access, "restore", "alarm.false_positive");
    order.target = format!("alarm {id}, content {}", hex(&t.sha256).unwrap_or_default());
    order.asked.clone_from(&ask.remark);
    let now_ms = time::now_ms();
    for project in &t.projects {
        if whitelisted(&api, project, &t.sha256, now_ms).await? {
            continue;
        }
        order.whitelist.push(WhitelistRow {
            id: Uuid::now_v7().to_string(),
            project: project.clone(),
            scope: "project".to_owned(),
            scope_id: String::new(),
            field: "hash".to_owned(),
            judge: "equal".to_owned(),
            value: t.sha256.clone(),
            sha256: t.sha256.clone(),
            any_content: false,
            class: String::new(),
            description: format!("false positive: {}", ask.remark).chars().take(200).collect(),
            owner: access.who().to_owned(),
            added_by: access.who().to_owned(),
            added_ms: now_ms,
            expires_ms: 0,
            alarm: id.clone(),
            hits_total: 0,
            hits_today: 0,
            hits_day: 0,
            last_hit_ms: 0,
        });
    }
    for project in &t.called_bad {
        order.withdraw.push(Withdrawal {
            project: project.clone(),
            sha256: t.sha256.clone(),
            who: access.who().to_owned(),
            why: format!("false positive: {}", ask.remark).chars().take(512).collect(),
            now_ms,
        });
    }
    if ask.disarm {
        for rule in misfired(&alarm) {
            order.disarm.extend(t.projects.iter().map(|project| DisarmedRow {
                project: project.clone(),
                rule: rule.clone(),
                reason: format!("false positive: {}", ask.remark).chars().take(512).collect(),
                who: access.who().to_owned(),
                at_ms: now_ms,
                alarm: id.clone(),
            }));
        }
    }
    for file in &t.files {
        let what =
            v1::RestoreCommand { id: file.id.clone(), released: false, parents: true, restart: ask.restart };
        match t.hosts.get(&file.host) {
            Some(host) => order.to(host, &file.id, command::Verb::Restore(what)),
            None => order.refuse(&file.id, "its host is not there any more"),
        }
    }
    for open in &t.alarms {
        let remark = format!("false positive: {}", ask.remark);
        let what = v1::Handle { id: open.id.clone(), handling: "ignore".to_owned(), remark };
        if let Some(host) = t.hosts.get(&open.host) {
            order.also("handle", host, &open.id, command::Verb::Handle(what));
        }
    }
    orders::give(&api, order).await.map(|o| Accepted(Json(o)))
}
