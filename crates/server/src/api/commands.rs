// SPDX-License-Identifier: Apache-2.0
//! Commands and the tasks that they belong to: what was ordered, how it stands, taking it back.

use super::extract::{Json, Path, Query};
use super::gate::Access;
use super::hosts::{Count, counts};
use super::page::{PageOf, cursor, moment};
use super::permission::Permission;
use super::problem::Problem;
use super::record::Record;
use super::route::{Routes, get, post};
use super::state::Api;
use super::words::{CommandState, List};
use crate::json::{self, some};
use crate::time;
use axum::extract::State;
use lazaret_proto::{Message as _, v1};
use lazaret_store::{CommandFilter, CommandRow, Cursor};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// One order to one host.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Command {
    #[schema(format = Uuid)]
    id: String,
    #[schema(format = Uuid)]
    host: String,
    project: String,
    #[schema(format = Uuid)]
    task: Option<String>,
    verb: String,
    /// Alarm or isolated file.
    about: Option<String>,
    state: String,
    reason: String,
    ordered_by: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    expires_at: String,
    #[schema(format = DateTime)]
    sent_at: Option<String>,
    #[schema(format = DateTime)]
    finished_at: Option<String>,
    /// Somebody asked to cancel it.
    cancel: bool,
    result: Option<CommandResult>,
}

/// What the host said; one of the parts, by the verb.
#[derive(Debug, Default, Serialize, ToSchema)]
struct CommandResult {
    outcome: String,
    reason: String,
    #[schema(format = DateTime)]
    at: String,
    receipt: Option<json::Receipt>,
    alarm: Option<json::Alarm>,
    preview: Option<json::Preview>,
    scan: Option<ScanNews>,
    verify: Option<Vec<json::Verify>>,
    self_test: Option<Vec<SelfTestStep>>,
}

/// How a scan went.
#[derive(Debug, Serialize, ToSchema)]
struct ScanNews {
    state: String,
    files: u64,
    bytes: u64,
    found: u64,
    errors: u64,
    reason: String,
}

/// One step of a self-test.
#[derive(Debug, Serialize, ToSchema)]
struct SelfTestStep {
    name: String,
    ok: bool,
    micros: u64,
    detail: String,
    /// Not tried; `detail` says why.
    skipped: bool,
}

/// Several orders that were given at once.
#[derive(Serialize, ToSchema)]
struct Task {
    #[schema(format = Uuid)]
    id: String,
    verb: String,
    ordered_by: String,
    #[schema(format = DateTime)]
    created_at: String,
    total: u64,
    /// Neither pending nor sent any more.
    finished: bool,
    by_state: Vec<Count>,
}

/// How many commands are taken back.
#[derive(Serialize, ToSchema)]
struct Cancelled {
    commands: u64,
}

/// Filters of commands.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct CommandQuery {
    /// Id of a project, or `all_granted_eps`: all that the caller may see, as without it.
    #[param(min_length = 1, max_length = 64)]
    project: Option<String>,
    #[param(format = Uuid)]
    task: Option<String>,
    #[param(format = Uuid)]
    host: Option<String>,
    /// Alarm or isolated file.
    #[param(format = Uuid)]
    about: Option<String>,
    /// Any of these, separated by commas.
    #[param(inline, value_type = Option<Vec<CommandState>>, style = Form, explode = false)]
    state: Option<List<CommandState>>,
    /// Any of these, separated by commas.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, max_items = 100)]
    verb: Option<List<String>>,
    #[param(format = DateTime)]
    since: Option<String>,
    after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

pub(crate) fn routes(r: &mut Routes) {
    r.add(
        Permission::View,
        get("/commands", "listCommands", "Orders to hosts, newest first")
            .query::<CommandQuery>()
            .page::<Command>(),
        list,
    );
    r.add(Permission::View, get("/commands/{id}", "getCommand", "One order").answers::<Command>(200), show);
    r.add(
        Permission::Operate,
        post("/commands/{id}/cancel", "cancelCommand", "Take an order back, as far as it has not been done")
            .answers::<Command>(200),
        cancel,
    );
    r.add(
        Permission::View,
        get("/tasks/{id}", "getTask", "How orders stand that were given at once").answers::<Task>(200),
        task,
    );
    r.add(
        Permission::Operate,
        post(
            "/tasks/{id}/cancel",
            "cancelTask",
            "Take a task's orders back, as far as they have not been done",
        )
        .answers::<Cancelled>(200),
        cancel_task,
    );
}

pub(crate) fn view(c: &CommandRow) -> Command {
    Command {
        id: c.id.clone(),
        host: c.host.clone(),
        project: c.project.clone(),
        task: some(&c.task),
        verb: c.verb.clone(),
        about: some(&c.about),
        state: c.state.clone(),
        reason: c.reason.clone(),
        ordered_by: c.who.clone(),
        created_at: time::rfc3339(c.created_ms),
        expires_at: time::rfc3339(c.expires_ms),
        sent_at: time::some_rfc3339(c.sent_ms),
        finished_at: time::some_rfc3339(c.finished_ms),
        cancel: c.cancel,
        result: result(&c.result),
    }
}

fn result(bytes: &[u8]) -> Option<CommandResult> {
    if bytes.is_empty() {
        return None;
    }
    let r = v1::CommandResult::decode(bytes).ok()?;
    use v1::command_result::Detail;
    let mut out = CommandResult {
        outcome: r.outcome,
        reason: r.reason,
        at: time::rfc3339(r.at_ms),
        ..Default::default()
    };
    match &r.detail {
        Some(Detail::Receipt(receipt)) => out.receipt = Some(receipt.into()),
        Some(Detail::Alarm(alarm)) => out.alarm = Some(alarm.into()),
        Some(Detail::Preview(preview)) => out.preview = Some(preview.into()),
        Some(Detail::Scan(s)) => {
            out.scan = Some(ScanNews {
                state: s.state.clone(),
                files: s.files,
                bytes: s.bytes,
                found: s.found,
                errors: s.errors,
                reason: s.reason.clone(),
            });
        }
        Some(Detail::Verify(v)) => out.verify = Some(v.results.iter().map(Into::into).collect()),
        Some(Detail::SelfTest(t)) => {
            let step = |s: &v1::SelfTestStep| SelfTestStep {
                name: s.name.clone(),
                ok: s.ok,
                micros: s.micros,
                detail: s.detail.clone(),
                skipped: s.skipped,
            };
            out.self_test = Some(t.steps.iter().map(step).collect());
        }
        None => {}
    }
    Some(out)
}

async fn within(api: &Api, access: &Access, id: &str) -> Result<CommandRow, Problem> {
    access.check(api.store.command(id).await, |c| &c.project, "command", id)
}

async fn list(
    State(api): State<Api>,
    access: Access,
    Query(q): Query<CommandQuery>,
) -> Result<Json<PageOf<Command>>, Problem> {
    let scope = access.chosen(q.project.as_deref())?;
    let filter = CommandFilter {
        task: q.task.unwrap_or_default(),
        host: q.host.unwrap_or_default(),
        about: q.about.unwrap_or_default(),
        states: q.state.unwrap_or_default().0.iter().map(|s| s.word().to_owned()).collect(),
        verbs: q.verb.unwrap_or_default().0,
        ids: Vec::new(),
        since_ms: moment("since", q.since.as_deref())?,
    };
    let page = api.store.commands_page(&scope, &filter, &cursor(q.after, q.limit)?).await?;
    Ok(Json(PageOf::of(page, |c| view(&c))))
}

async fn show(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Json<Command>, Problem> {
    Ok(Json(view(&within(&api, &access, &id).await?)))
}

async fn cancel(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Json<Command>, Problem> {
    let before = within(&api, &access, &id).await?;
    let after = api.store.cancel_command(&id, access.who(), time::now_ms()).await?;
    let shown = view(&after);
    Record::new(&access, &before.project, "command.cancel", format!("command {id}"))
        .before(&view(&before))
        .after(&shown)
        .write(&api)
        .await?;
    Ok(Json(shown))
}

/// Whether a task has commands within what the caller may; and how many in all.
async fn of_task(api: &Api, access: &Access, id: &str) -> Result<Vec<CommandRow>, Problem> {
    let filter = CommandFilter { task: id.to_owned(), ..CommandFilter::default() };
    let page = api.store.commands_page(&access.scope, &filter, &Cursor { after: None, limit: 1000 }).await?;
    if id.is_empty() || page.items.is_empty() {
        return Err(Problem::no("task", id));
    }
    Ok(page.items)
}

async fn task(State(api): State<Api>, access: Access, Path(id): Path<String>) -> Result<Json<Task>, Problem> {
    of_task(&api, &access, &id).await?;
    // Of a task over several projects the caller sees their part: not even how large the rest is.
    let t = api.store.task_summary_in(&access.scope, &id).await?;
    let open = |(state, count): &(String, u64)| *count > 0 && matches!(state.as_str(), "pending" | "sent");
    Ok(Json(Task {
        id: t.task,
        verb: t.verb,
        ordered_by: t.who,
        created_at: time::rfc3339(t.created_ms),
        total: t.total,
        finished: !t.states.iter().any(open),
        by_state: counts(t.states),
    }))
}

async fn cancel_task(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Json<Cancelled>, Problem> {
    let seen = of_task(&api, &access, &id).await?;
    let t = api.store.task_summary(&id).await?;
    // A task over projects that the caller may only partly: theirs alone.
    let commands = if u64::try_from(seen.len()).is_ok_and(|n| n == t.total)
        || access.scope == lazaret_store::Scope::All
    {
        api.store.cancel_task(&id, access.who(), time::now_ms()).await?
    } else {
        let mut n = 0;
        for c in seen.iter().filter(|c| matches!(c.state.as_str(), "pending" | "sent")) {
            api.store.cancel_command(&c.id, access.who(), time::now_ms()).await?;
            n += 1;
        }
        n
    };
    let shown = Cancelled { commands };
    Record::new(&access, "", "task.cancel", format!("task {id}")).after(&shown).write(&api).await?;
    Ok(Json(shown))
}
