// SPDX-License-Identifier: Apache-2.0
//! A new entry, held to the rules of the hosts, and what is isolated that it would have let be.

use super::view::{WhitelistEntry, shown, tag};
use crate::api::alarms;
use crate::api::alarms::filter::sha256;
use crate::api::extract::{Created, Json, Tagged};
use crate::api::gate::Access;
use crate::api::isolated::{self, IsolatedItem, RESTORABLE};
use crate::api::page::moment;
use crate::api::problem::Problem;
use crate::api::projects::{self, check_text};
use crate::api::record::Record;
use crate::api::state::Api;
use crate::api::words::{Class, Judge, WhitelistField, WhitelistScope};
use crate::api::{host_groups, hosts};
use crate::time;
use axum::extract::State;
use base64::Engine as _;
use lazaret_store::{Cursor, IsolatedFilter, IsolatedRow, Scope, WhitelistRow};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Isolated files that are offered.
const OFFERED: usize = 100;

/// A new one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewEntry {
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

/// The entry, and what is isolated that it would have let be: POST /isolated-files/restore brings it back.
#[derive(Serialize, ToSchema)]
pub(super) struct Added {
    entry: WhitelistEntry,
    isolated: Vec<IsolatedItem>,
    /// There are more.
    isolated_more: bool,
}

pub(super) fn end(text: Option<&str>) -> Result<i64, Problem> {
    let at = moment("expires_at", text)?.unwrap_or(0);
    if at != 0 && at <= time::now_ms() {
        return Err(Problem::invalid("expires_at: has passed"));
    }
    Ok(at)
}

/// The scope's id, when it is of the project and within what the caller may.
pub(super) async fn scope_id(api: &Api, access: &Access, ask: &NewEntry) -> Result<String, Problem> {
    let Some(id) = &ask.scope_id else {
        return match ask.scope {
            WhitelistScope::Project => Ok(String::new()),
            s => Err(Problem::invalid(format!("scope_id: the scope {} needs one", s.word()))),
        };
    };
    let project = match ask.scope {
        WhitelistScope::Project => return Err(Problem::invalid("scope_id: the scope project has none")),
        WhitelistScope::Group => host_groups::within(api, access, id).await?.project,
        WhitelistScope::Host => hosts::within(api, access, id).await?.project,
    };
    if project == ask.project {
        return Ok(id.clone());
    }
    Err(Problem::invalid("scope_id: of another project"))
}

/// What it compares with, in bytes.
pub(super) fn bytes(ask: &NewEntry) -> Result<Vec<u8>, Problem> {
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
pub(super) fn check(ask: &NewEntry, value: &[u8], digest: &[u8]) -> Result<(), Problem> {
    use lazaret_policy::{Judge as J, WhitelistEntry as Entry};
    let judge = match ask.judge {
        Judge::Equal => J::Equal,
        Judge::Contain => J::Contain,
        Judge::NotEqual => J::NotEqual,
        Judge::NotContain => J::NotContain,
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
        class: ask.class.and_then(|c| c.word().parse().ok()),
        expires_ms: None,
    };
    entry.validate().map_err(|e| Problem::invalid(e.to_string()))?;
    if matches!(ask.judge, Judge::NotEqual | Judge::NotContain) && ask.class.is_none() {
        return Err(Problem::invalid(
            "class: an entry that holds for everything but its value must be limited to one",
        ));
    }
    Ok(())
}

pub(super) async fn add(
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
    let entry = shown(&row);
    Record::new(&access, &row.project, "whitelist.add", format!("whitelist {}", row.id))
        .after(&entry)
        .on(&api)
        .add_whitelist(&row)
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
    let hosts = alarms::hosts_of(api, access, page.items.iter().map(|i| i.host.as_str())).await?;
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
