// SPDX-License-Identifier: Apache-2.0
//! The whitelist: what is not to be an alarm, where, for how long, and who answers for it.

use super::alarms::filter::sha256;
use super::extract::{Created, Empty, Json, Path, Query, Tagged};
use super::gate::Access;
use super::isolated::{self, IsolatedItem, RESTORABLE};
use super::page::{PageOf, cursor, moment};
use super::permission::Permission;
use super::problem::{Kind, Problem};
use super::projects::{self, check_text};
use super::record::Record;
use super::route::{Routes, delete, get, post, put};
use super::state::Api;
use super::words::{Class, Judge, WhitelistField, WhitelistScope};
use crate::json::{exact, hex, lossy, some};
use crate::time;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use lazaret_store::{Cursor, IsolatedFilter, IsolatedRow, Scope, WhitelistFilter, WhitelistRow};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Isolated files that are offered when an entry is added.
const OFFERED: usize = 100;
/// Entries of one deletion.
const BATCH: usize = 100;

/// A whitelist entry.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct WhitelistEntry {
    #[schema(format = Uuid)]
    id: String,
    project: String,
    /// `project`, `group`, `host`.
    scope: String,
    /// Group or host.
    scope_id: Option<String>,
    field: String,
    judge: String,
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_b64: Option<String>,
    sha256: Option<String>,
    any_content: bool,
    class: Option<String>,
    description: String,
    owner: String,
    added_by: String,
    #[schema(format = DateTime)]
    added_at: String,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    expired: bool,
    alarm: Option<String>,
    hits_total: i64,
    hits_today: i64,
    #[schema(format = DateTime)]
    last_hit_at: Option<String>,
}

/// A new one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewEntry {
    #[schema(min_length = 1, max_length = 64)]
    project: String,
    scope: WhitelistScope,
    /// Group or host, for those scopes.
    #[serde(default)]
    #[schema(format = Uuid)]
    scope_id: Option<String>,
    field: WhitelistField,
    judge: Judge,
    /// For `hash` 64 hexadecimal digits.
    #[serde(default)]
    #[schema(max_length = 4096)]
    value: Option<String>,
    /// Instead of `value`, where it is not UTF-8: its bytes in base64.
    #[serde(default)]
    #[schema(max_length = 5464)]
    value_b64: Option<String>,
    /// The content that a path entry is for.
    #[serde(default)]
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: Option<String>,
    /// A path entry holds whatever the content.
    #[serde(default)]
    any_content: bool,
    /// Only for this class.
    #[serde(default)]
    class: Option<Class>,
    /// Why.
    #[schema(min_length = 1, max_length = 512)]
    description: String,
    /// Who answers for it; the caller unless said otherwise.
    #[serde(default)]
    #[schema(max_length = 64)]
    owner: Option<String>,
    #[serde(default)]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Alarm that it is made from.
    #[serde(default)]
    #[schema(format = Uuid)]
    alarm: Option<String>,
}

/// What can be changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EntryChange {
    #[schema(min_length = 1, max_length = 512)]
    description: String,
    #[schema(min_length = 1, max_length = 64)]
    owner: String,
    #[serde(default)]
    class: Option<Class>,
    #[serde(default)]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// The entry, and what is isolated that it would have let be: POST /isolated-files/restore brings it back.
#[derive(Serialize, ToSchema)]
struct Added {
    entry: WhitelistEntry,
    isolated: Vec<IsolatedItem>,
    /// There are more.
    isolated_more: bool,
}

/// Several entries.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Removal {
    #[schema(min_items = 1, max_items = 100)]
    entries: Vec<String>,
    /// Bring the alarms back that they suppressed.
    #[serde(default)]
    restore_alarm: bool,
}

/// What was removed.
#[derive(Serialize, ToSchema)]
struct Removed {
    entries: u64,
    /// Alarms that are listed again.
    alarms: u64,
}

/// What an entry let through on a host.
#[derive(Debug, Serialize, ToSchema)]
struct Hit {
    host: String,
    #[schema(format = DateTime)]
    at: String,
    count: i64,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    sha256: Option<String>,
}

/// Filters of entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct EntryQuery {
    #[param(inline)]
    scope: Option<WhitelistScope>,
    #[param(format = Uuid)]
    scope_id: Option<String>,
    #[param(inline)]
    field: Option<WhitelistField>,
    #[param(inline)]
    class: Option<Class>,
    /// Part of value, description or owner.
    #[param(max_length = 200)]
    text: Option<String>,
    #[param(format = Uuid)]
    alarm: Option<String>,
    /// Ended ones only, or living ones only.
    expired: Option<bool>,
    after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct HitQuery {
    after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// What becomes of its alarms.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct RemovalQuery {
    /// Bring the alarms back that it suppressed.
    restore_alarm: Option<bool>,
}

pub(crate) fn routes(r: &mut Routes) {
    let (view, administer) = (Permission::View, Permission::Administer);
    r.add(
        view,
        get("/whitelist", "listWhitelist", "Whitelist entries, newest first").query::<EntryQuery>().page::<WhitelistEntry>(),
        list,
    );
    r.add(
        administer,
        post("/whitelist", "addWhitelistEntry", "A new whitelist entry")
            .describe("The answer names isolated files that it matches, to be restored where wanted.")
            .body::<NewEntry>()
            .tagged()
            .answers::<Added>(201)
            .problem(404)
            .problem(409),
        add,
    );
    r.add(
        administer,
        post("/whitelist/delete", "removeWhitelistEntries", "Remove several entries")
            .body::<Removal>()
            .answers::<Removed>(200)
            .problem(404),
        remove_several,
    );
    r.add(
        view,
        get("/whitelist/{id}", "getWhitelistEntry", "One entry").tagged().answers::<WhitelistEntry>(200),
        show,
    );
    r.add(
        administer,
        put("/whitelist/{id}", "updateWhitelistEntry", "Reason, owner, class and end of an entry")
            .body::<EntryChange>()
            .if_match()
            .tagged()
            .answers::<WhitelistEntry>(200),
        update,
    );
    r.add(
        administer,
        delete("/whitelist/{id}", "removeWhitelistEntry", "Remove an entry")
            .query::<RemovalQuery>()
            .answers::<Removed>(200)
            .problem(422),
        remove,
    );
    r.add(
        view,
        get("/whitelist/{id}/hits", "whitelistHits", "What an entry let through: its shadow report")
            .query::<HitQuery>()
            .page::<Hit>(),
        hits,
    );
}

/// Days since 1970 of now.
fn today() -> i64 {
    time::now_ms().div_euclid(time::DAY_MS)
}

fn shown(w: &WhitelistRow) -> WhitelistEntry {
    let is_hash = w.field == "hash";
    WhitelistEntry {
        id: w.id.clone(),
        project: w.project.clone(),
        scope: w.scope.clone(),
        scope_id: some(&w.scope_id),
        field: w.field.clone(),
        judge: w.judge.clone(),
        value: hex(&w.value).filter(|_| is_hash).unwrap_or_else(|| lossy(&w.value)),
        value_b64: exact(&w.value).filter(|_| !is_hash),
        sha256: hex(&w.sha256),
        any_content: w.any_content,
        class: some(&w.class),
        description: w.description.clone(),
        owner: w.owner.clone(),
        added_by: w.added_by.clone(),
        added_at: time::rfc3339(w.added_ms),
        expires_at: time::some_rfc3339(w.expires_ms),
        expired: w.expires_ms != 0 && w.expires_ms <= time::now_ms(),
        alarm: some(&w.alarm),
        hits_total: w.hits_total,
        hits_today: if w.hits_day == today() { w.hits_today } else { 0 },
        last_hit_at: time::some_rfc3339(w.last_hit_ms),
    }
}

/// Of what can be changed; an entry has no revision of its own. The first 63 bits of a digest.
fn tag(w: &WhitelistRow) -> i64 {
    let text = format!("{}\0{}\0{}\0{}", w.description, w.owner, w.class, w.expires_ms);
    let digest = Sha256::digest(text.as_bytes());
    let first = digest.iter().take(8).fold(0u64, |n, b| n << 8 | u64::from(*b));
    i64::try_from(first >> 1).unwrap_or_default()
}

async fn within(api: &Api, access: &Access, id: &str) -> Result<WhitelistRow, Problem> {
    access.check(api.store.whitelist_entry(id).await, |w| &w.project, "whitelist entry", id)
}

async fn list(
    State(api): State<Api>,
    access: Access,
    Query(q): Query<EntryQuery>,
) -> Result<Json<PageOf<WhitelistEntry>>, Problem> {
    let filter = WhitelistFilter {
        scope: q.scope.map(|s| s.word().to_owned()).unwrap_or_default(),
        scope_id: q.scope_id.unwrap_or_default(),
        field: q.field.map(|f| f.word().to_owned()).unwrap_or_default(),
        class: q.class.map(|c| c.word().to_owned()).unwrap_or_default(),
        text: q.text.unwrap_or_default(),
        ids: Vec::new(),
        alarm: q.alarm.unwrap_or_default(),
        expired: q.expired.map(|e| (e, time::now_ms())),
    };
    let page = api.store.whitelist_page(&access.scope, &filter, &cursor(q.after, q.limit)?).await?;
    Ok(Json(PageOf::of(page, |w| shown(&w))))
}

async fn show(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Tagged<WhitelistEntry>, Problem> {
    let row = within(&api, &access, &id).await?;
    Ok(Tagged(tag(&row), shown(&row)))
}

fn end(text: Option<&str>) -> Result<i64, Problem> {
    let at = moment("expires_at", text)?.unwrap_or(0);
    if at != 0 && at <= time::now_ms() {
        return Err(Problem::invalid("expires_at: has passed"));
    }
    Ok(at)
}

/// The scope's id, when it is of the project and within what the caller may.
async fn scope_id(api: &Api, access: &Access, ask: &NewEntry) -> Result<String, Problem> {
    let Some(id) = &ask.scope_id else {
        return match ask.scope {
            WhitelistScope::Project => Ok(String::new()),
            s => Err(Problem::invalid(format!("scope_id: the scope {} needs one", s.word()))),
        };
    };
    let project = match ask.scope {
        WhitelistScope::Project => return Err(Problem::invalid("scope_id: the scope project has none")),
        WhitelistScope::Group => super::host_groups::within(api, access, id).await?.project,
        WhitelistScope::Host => super::hosts::within(api, access, id).await?.project,
    };
    if project == ask.project {
        return Ok(id.clone());
    }
    Err(Problem::invalid("scope_id: of another project"))
}

/// What it compares with, in bytes.
fn bytes(ask: &NewEntry) -> Result<Vec<u8>, Problem> {
    match (&ask.value, &ask.value_b64) {
        (Some(text), None) if ask.field == WhitelistField::Hash => sha256(text),
        (Some(text), None) => Ok(text.clone().into_bytes()),
        (None, Some(b64)) => base64::engine::general_purpose::STANDARD
            .decode(b64)
            .map_err(|_| Problem::invalid("value_b64: no base64")),
        _ => Err(Problem::invalid("value and value_b64: one of them")),
    }
}

/// The same rules as on the hosts: what they would refuse is refused here.
fn check(ask: &NewEntry, value: &[u8], digest: &[u8]) -> Result<(), Problem> {
    use lazaret_policy::{Judge as J, WhitelistEntry as Entry};
    let judge = match ask.judge {
        Judge::Equal | Judge::NotEqual => J::Equal,
        Judge::Contain | Judge::NotContain => J::Contain,
    };
    let field = ask.field.word().parse().map_err(|e| Problem::invalid(format!("field: {e}")))?;
    let entry = Entry {
        id: lazaret_model::WhitelistId(Uuid::nil()),
        field,
        judge,
        value: value.to_vec(),
        sha256: lazaret_model::Sha256::from_slice(digest),
        any_content: ask.any_content,
        description: String::new(),
        added_ms: 0,
        added_by: String::new(),
    };
    entry.validate().map_err(|e| Problem::invalid(e.to_string()))?;
    if matches!(ask.judge, Judge::NotEqual | Judge::NotContain) && ask.class.is_none() {
        return Err(Problem::invalid(
            "class: an entry that holds for everything but its value must be limited to one",
        ));
    }
    Ok(())
}

async fn add(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<NewEntry>,
) -> Result<Created<Tagged<Added>>, Problem> {
    projects::within(&api, &access, &ask.project).await?;
    let scope_id = scope_id(&api, &access, &ask).await?;
    let value = bytes(&ask)?;
    let digest = ask.sha256.as_deref().map(sha256).transpose()?.unwrap_or_default();
    check(&ask, &value, &digest)?;
    if ask.description.trim().is_empty() {
        return Err(Problem::invalid("description: say why"));
    }
    check_text("description", &ask.description, 512)?;
    let owner = ask.owner.clone().unwrap_or_else(|| access.who().to_owned());
    check_text("owner", &owner, 64)?;
    if let Some(alarm) = &ask.alarm {
        let found = api.store.alarm(alarm).await;
        access.check(found, |a| &a.project, "alarm", alarm)?;
    }
    let row = WhitelistRow {
        id: Uuid::now_v7().to_string(),
        project: ask.project.clone(),
        scope: ask.scope.word().to_owned(),
        scope_id,
        field: ask.field.word().to_owned(),
        judge: ask.judge.word().to_owned(),
        sha256: digest,
        value,
        any_content: ask.any_content,
        class: ask.class.map(|c| c.word().to_owned()).unwrap_or_default(),
        description: ask.description.clone(),
        owner,
        added_by: access.who().to_owned(),
        added_ms: time::now_ms(),
        expires_ms: end(ask.expires_at.as_deref())?,
        alarm: ask.alarm.clone().unwrap_or_default(),
        hits_total: 0,
        hits_today: 0,
        hits_day: 0,
        last_hit_ms: 0,
    };
    api.store.add_whitelist(&row).await?;
    let entry = shown(&row);
    Record::new(&access, &row.project, "whitelist.add", format!("whitelist {}", row.id))
        .after(&entry)
        .write(&api)
        .await?;
    let (isolated, isolated_more) = matching(&api, &access, &row).await?;
    Ok(Created(Tagged(tag(&row), Added { entry, isolated, isolated_more })))
}

/// Isolated files that an entry would have let be, as far as path and content tell.
async fn matching(
    api: &Api,
    access: &Access,
    row: &WhitelistRow,
) -> Result<(Vec<IsolatedItem>, bool), Problem> {
    let scope = Scope::Projects(vec![row.project.clone()]);
    let mut filter = IsolatedFilter {
        statuses: RESTORABLE.iter().map(|s| (*s).to_owned()).collect(),
        ..IsolatedFilter::default()
    };
    if row.scope == "host" {
        filter.host.clone_from(&row.scope_id);
    }
    match (row.field.as_str(), row.judge.as_str()) {
        ("hash", "equal") => filter.sha256.clone_from(&row.value),
        ("file_path", "equal" | "contain") => {
            if !row.any_content {
                filter.sha256.clone_from(&row.sha256);
            }
            // Only to have fewer rows: what holds is compared below, byte by byte.
            if let Ok(text) = std::str::from_utf8(&row.value) {
                text.clone_into(&mut filter.path);
            }
        }
        // What process acted is on the alarm, not on the file.
        _ => return Ok((Vec::new(), false)),
    }
    let holds = |i: &IsolatedRow| match (row.field.as_str(), row.judge.as_str()) {
        ("hash", _) => i.sha256 == row.value,
        (_, "equal") => i.path == row.value,
        _ => i.path.windows(row.value.len().max(1)).any(|w| w == row.value),
    };
    let in_class = |i: &IsolatedRow| row.class.is_empty() || i.class == row.class;
    let page = api.store.isolated_page(&scope, &filter, &Cursor { after: None, limit: 1000 }).await?;
    let mut more = page.next.is_some();
    let hosts = super::alarms::hosts_of(api, access, page.items.iter().map(|i| i.host.as_str())).await?;
    let in_group = |i: &IsolatedRow| {
        row.scope != "group" || hosts.get(&i.host).is_some_and(|h| h.group.as_deref() == Some(&row.scope_id))
    };
    let mut items: Vec<IsolatedItem> = page
        .items
        .iter()
        .filter(|i| holds(i) && in_class(i) && in_group(i))
        .map(|i| isolated::item(i, hosts.get(&i.host)))
        .collect();
    more |= items.len() > OFFERED;
    items.truncate(OFFERED);
    Ok((items, more))
}

async fn update(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(ask): Json<EntryChange>,
) -> Result<Tagged<WhitelistEntry>, Problem> {
    let Some(seen) = headers.get(header::IF_MATCH) else {
        return Err(Problem::new(Kind::PreconditionRequired, "send If-Match with the ETag of what you read"));
    };
    let before = within(&api, &access, &id).await?;
    if seen.to_str().unwrap_or_default().trim() != format!("\"{}\"", tag(&before)) {
        return Err(Problem::new(Kind::Stale, "somebody changed it since it was read; read it again"));
    }
    if ask.description.trim().is_empty() || ask.owner.trim().is_empty() {
        return Err(Problem::invalid("description and owner: say why, and who answers for it"));
    }
    check_text("description", &ask.description, 512)?;
    check_text("owner", &ask.owner, 64)?;
    let after = WhitelistRow {
        description: ask.description,
        owner: ask.owner,
        class: ask.class.map(|c| c.word().to_owned()).unwrap_or_default(),
        expires_ms: end(ask.expires_at.as_deref())?,
        ..before.clone()
    };
    if after.judge.starts_with("not_") && after.class.is_empty() {
        return Err(Problem::invalid(
            "class: an entry that holds for everything but its value must be limited to one",
        ));
    }
    api.store.update_whitelist(&after).await?;
    let entry = shown(&after);
    Record::new(&access, &before.project, "whitelist.update", format!("whitelist {id}"))
        .before(&shown(&before))
        .after(&entry)
        .write(&api)
        .await?;
    Ok(Tagged(tag(&after), entry))
}

async fn take_out(
    api: &Api,
    access: &Access,
    rows: Vec<WhitelistRow>,
    restore_alarm: bool,
) -> Result<Json<Removed>, Problem> {
    let mut alarms = 0;
    if restore_alarm {
        for row in &rows {
            alarms += api.store.unsuppress(&row.id).await?;
        }
    }
    let ids: Vec<String> = rows.iter().map(|r| r.id.clone()).collect();
    let entries = api.store.remove_whitelist(&ids).await?;
    for row in &rows {
        Record::new(access, &row.project, "whitelist.remove", format!("whitelist {}", row.id))
            .before(&shown(row))
            .write(api)
            .await?;
    }
    Ok(Json(Removed { entries, alarms }))
}

async fn remove(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    Query(q): Query<RemovalQuery>,
) -> Result<Json<Removed>, Problem> {
    let row = within(&api, &access, &id).await?;
    take_out(&api, &access, vec![row], q.restore_alarm.unwrap_or(false)).await
}

async fn remove_several(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<Removal>,
) -> Result<Json<Removed>, Problem> {
    if !(1..=BATCH).contains(&ask.entries.len()) {
        return Err(Problem::invalid(format!("entries: 1 to {BATCH}, not {}", ask.entries.len())));
    }
    let mut rows = Vec::with_capacity(ask.entries.len());
    for id in &ask.entries {
        rows.push(within(&api, &access, id).await?);
    }
    take_out(&api, &access, rows, ask.restore_alarm).await
}

async fn hits(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    Query(q): Query<HitQuery>,
) -> Result<Json<PageOf<Hit>>, Problem> {
    within(&api, &access, &id).await?;
    let page = api.store.whitelist_hits(&id, &cursor(q.after, q.limit)?).await?;
    Ok(Json(PageOf::of(page, |h| Hit {
        host: h.host,
        at: time::rfc3339(h.at_ms),
        count: h.count,
        path: lossy(&h.path),
        path_b64: exact(&h.path),
        sha256: hex(&h.sha256),
    })))
}
