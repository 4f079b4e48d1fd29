// SPDX-License-Identifier: Apache-2.0
//! A project's content: what hosts are offered, and what people added: YARA files and lists of digests
//! that others wrote. They reach the rating medium at most, until an administrator promotes them.

use super::extract::{Created, Empty, Json, Path, Query};
use super::gate::Access;
use super::permission::Permission;
use super::problem::Problem;
use super::projects;
use super::record::Record;
use super::route::{Routes, delete, get, post, put};
use super::state::Api;
use crate::content::{ContentError, MAX_ITEMS, MAX_TOTAL, Rejected};
use crate::time;
use axum::extract::State;
use lazaret_store::ContentItemRow;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Something that people added.
#[derive(Debug, Serialize, ToSchema)]
struct ContentItem {
    #[schema(format = Uuid)]
    id: String,
    project: String,
    name: String,
    /// `yara`, `hashes`.
    kind: String,
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
    /// Rules or digests in it.
    entries: i64,
    /// May reach the rating high, and so act by itself.
    promoted: bool,
    promoted_by: Option<String>,
    added_by: String,
    #[schema(format = DateTime)]
    added_at: String,
}

/// The pack that hosts of the project are offered.
#[derive(Debug, Serialize, ToSchema)]
struct ContentPack {
    version: String,
    /// Counts up; hosts take no lower one.
    number: i64,
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
    size: i64,
    /// It is signed anew long before.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// The content of a project.
#[derive(Debug, Serialize, ToSchema)]
struct ProjectContent {
    project: String,
    /// Absent: hosts use what is installed there.
    pack: Option<ContentPack>,
    items: Vec<ContentItem>,
}

/// Which project; `0` unless said otherwise.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct ContentQuery {
    #[param(min_length = 1, max_length = 64)]
    project: Option<String>,
}

/// Something to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewContent {
    #[schema(min_length = 1, max_length = 64)]
    project: String,
    /// Names it in evidence: letters, digits and `. _ -`.
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9._-]+$")]
    name: String,
    /// `yara`: a file of rules; `hashes`: one `SHA-256[,class[,family]]` a line.
    #[schema(pattern = "^(yara|hashes)$")]
    kind: String,
    #[schema(min_length = 1, max_length = 524_288)]
    body: String,
}

/// Whether it may reach the rating high.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Promotion {
    promoted: bool,
}

pub(crate) fn routes(r: &mut Routes) {
    r.add(
        Permission::View,
        get("/content", "getContent", "The content of a project")
            .query::<ContentQuery>()
            .answers::<ProjectContent>(200)
            .problem(404),
        show,
    );
    r.add(
        Permission::Administer,
        post("/content", "addContent", "Add YARA rules or digests that others wrote")
            .describe("Compiled by a scanner first; refused with the line and the reason. Hosts of the project get it \
                       within seconds. It reaches the rating medium at most, until it is promoted.")
            .body::<NewContent>()
            .answers::<ContentItem>(201)
            .problem(404)
            .problem(409),
        add,
    );
    r.add(
        Permission::Administer,
        put("/content/{id}", "promoteContent", "Let it reach the rating high, or no longer")
            .body::<Promotion>()
            .answers::<ContentItem>(200),
        promote,
    );
    r.add(
        Permission::Administer,
        delete("/content/{id}", "removeContent", "Take it away from the project's hosts").answers_empty(),
        remove,
    );
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

fn view(row: &ContentItemRow) -> ContentItem {
    ContentItem {
        id: row.id.clone(),
        project: row.project.clone(),
        name: row.name.clone(),
        kind: row.kind.clone(),
        sha256: hex(&row.sha256),
        entries: row.entries,
        promoted: row.promoted,
        promoted_by: crate::json::some(&row.promoted_by),
        added_by: row.added_by.clone(),
        added_at: time::rfc3339(row.added_ms),
    }
}

impl From<ContentError> for Problem {
    fn from(e: ContentError) -> Self {
        match e {
            ContentError::Store(e) => e.into(),
            ContentError::Own(why) => Self::conflict(why),
        }
    }
}

async fn show(
    State(api): State<Api>,
    access: Access,
    Query(q): Query<ContentQuery>,
) -> Result<Json<ProjectContent>, Problem> {
    let project = q.project.unwrap_or_else(|| lazaret_store::DEFAULT_PROJECT.to_owned());
    projects::within(&api, &access, &project).await?;
    let items = api.store.content_items(&project).await?.iter().map(view).collect();
    let pack = api.store.newest_pack(&project).await?.map(|p| ContentPack {
        version: p.version,
        number: p.number,
        sha256: hex(&p.sha256),
        size: p.size,
        expires_at: time::rfc3339(p.expires_ms),
    });
    Ok(Json(ProjectContent { project, pack, items }))
}

async fn add(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<NewContent>,
) -> Result<Created<Json<ContentItem>>, Problem> {
    projects::within(&api, &access, &ask.project).await?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if ask.name.is_empty() || ask.name.len() > 100 || !ask.name.chars().all(plain) {
        return Err(Problem::invalid("name: 1 to 100 letters, digits and . _ -"));
    }
    if !["yara", "hashes"].contains(&ask.kind.as_str()) {
        return Err(Problem::invalid("kind: yara or hashes"));
    }
    let there = api.store.content_items(&ask.project).await?;
    let total: usize = there.iter().map(|i| i.body.len()).sum();
    if there.len() >= MAX_ITEMS || total + ask.body.len() > MAX_TOTAL {
        return Err(Problem::conflict(format!(
            "the project has {} files with {total} bytes; at most {MAX_ITEMS} and {MAX_TOTAL}: remove some first",
            there.len()
        )));
    }
    let entries = match api.checker.check(&ask.name, &ask.kind, &ask.body).await {
        Ok(entries) => i64::try_from(entries).unwrap_or(i64::MAX),
        Err(Rejected::Problem(why)) => {
            return Err(Problem::invalid(format!("{} is not taken: {why}", ask.name)));
        }
        Err(Rejected::Own(e)) => return Err(e.into()),
    };
    let row = ContentItemRow {
        id: Uuid::now_v7().to_string(),
        project: ask.project,
        name: ask.name,
        kind: ask.kind,
        sha256: Sha256::digest(ask.body.as_bytes()).to_vec(),
        body: ask.body.into_bytes(),
        entries,
        promoted: false,
        promoted_by: String::new(),
        added_by: access.who().to_owned(),
        added_ms: time::now_ms(),
    };
    let shown = view(&row);
    let record = |verb| Record::new(&access, &row.project, verb, format!("content {}", row.id));
    record("content.add").after(&shown).on(&api).add_content_item(&row).await?;
    if let Err(e) = api.publisher.publish(&row.project).await {
        // Nothing that hosts would never get.
        let undo = record("content.remove").before(&shown).outcome("undone: it could not be signed");
        undo.on(&api).remove_content_item(&row.id).await?;
        return Err(e.into());
    }
    Ok(Created(Json(shown)))
}

async fn within(api: &Api, access: &Access, id: &str) -> Result<ContentItemRow, Problem> {
    access.check(api.store.content_item(id).await, |i| &i.project, "content", id)
}

/// What is changed stays so; the worker tries again.
async fn publish(api: &Api, project: &str) {
    if let Err(e) = api.publisher.publish(project).await {
        crate::log::line(&format!("content of project {project} is not signed yet: {e}"));
    }
}

async fn promote(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    Json(ask): Json<Promotion>,
) -> Result<Json<ContentItem>, Problem> {
    let before = within(&api, &access, &id).await?;
    let verb = if ask.promoted { "content.promote" } else { "content.demote" };
    let promoted_by = if ask.promoted { access.who().to_owned() } else { String::new() };
    let after = ContentItemRow { promoted: ask.promoted, promoted_by, ..before.clone() };
    let record = Record::new(&access, &before.project, verb, format!("content {id}"));
    let store = record.before(&view(&before)).after(&view(&after)).on(&api);
    store.promote_content_item(&id, ask.promoted, access.who()).await?;
    publish(&api, &before.project).await;
    Ok(Json(view(&within(&api, &access, &id).await?)))
}

async fn remove(State(api): State<Api>, access: Access, Path(id): Path<String>) -> Result<Empty, Problem> {
    let before = within(&api, &access, &id).await?;
    let record = Record::new(&access, &before.project, "content.remove", format!("content {id}"));
    record.before(&view(&before)).on(&api).remove_content_item(&id).await?;
    publish(&api, &before.project).await;
    Ok(Empty)
}
