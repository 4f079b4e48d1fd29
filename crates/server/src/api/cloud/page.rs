// SPDX-License-Identifier: Apache-2.0
//! The page of a file: all that is known of a content in a project, and what happened to it.

use super::history::{self, FileEvent};
use super::samples::{self, Sample};
use super::view::{self, DeepScan, FileItem, FileKnown, FileVerdict, FileVote};
use super::{Of, OfProject, maybe};
use crate::api::alarms::view::AlarmItem;
use crate::api::alarms::{hosts_of, view as alarm_view};
use crate::api::extract::{Json, Path, Query};
use crate::api::gate::Access;
use crate::api::isolated::{self, IsolatedItem};
use crate::api::permission::Permission;
use crate::api::problem::Problem;
use crate::api::route::{Routes, get};
use crate::api::state::Api;
use crate::json;
use axum::extract::State;
use lazaret_store::{AlarmFilter, Cursor, IsolatedFilter, Scope};
use serde::Serialize;
use utoipa::ToSchema;

/// Alarms and isolated files that the page has; their lists have all.
const SHOWN: u32 = 100;

/// All that is known of a content.
#[derive(Serialize, ToSchema)]
struct FilePage {
    file: FileItem,
    /// What a list of known files in the content says.
    known: Option<FileKnown>,
    /// The last one, also a withdrawn one.
    verdict: Option<FileVerdict>,
    /// Its evidence, as hosts get it.
    judged: Option<json::Verdict>,
    /// What other scanners and services said, of the last deep scan.
    votes: Vec<FileVote>,
    deep_scan: Option<DeepScan>,
    sample: Option<Sample>,
    /// With that content, newest first; the first hundred.
    alarms: Vec<AlarmItem>,
    alarms_total: u64,
    isolated: Vec<IsolatedItem>,
    isolated_total: u64,
    /// What happened, newest first.
    history: Vec<FileEvent>,
}

pub(super) fn routes(r: &mut Routes) {
    r.add(
        Permission::View,
        get("/files/{sha256}", "getFile", "All that is known of a content, and what happened to it")
            .query::<OfProject>()
            .answers::<FilePage>(200),
        show,
    );
}

async fn show(
    State(api): State<Api>,
    access: Access,
    Path(digest): Path<String>,
    Query(of): Of,
) -> Result<Json<FilePage>, Problem> {
    let at = of.place(&api, &access, &digest, "file").await?;
    let file = at.file(&api).await?;
    let (project, sha256) = (at.project.as_str(), at.sha256.as_slice());
    let standing = api.store.look_up(project, std::slice::from_ref(&at.sha256)).await?.pop();
    let verdict = maybe(api.store.verdict(project, sha256).await)?;
    let scan = maybe(api.store.deep_scan(project, sha256).await)?;
    let sample = maybe(api.store.sample(project, sha256).await)?;
    let scope = Scope::Projects(vec![at.project.clone()]);
    let page = Cursor { after: None, limit: SHOWN };
    let filter = AlarmFilter { sha256: at.sha256.clone(), ..AlarmFilter::default() };
    let alarms = api.store.alarms_page(&scope, &filter, &page).await?;
    let filter = IsolatedFilter { sha256: at.sha256.clone(), ..IsolatedFilter::default() };
    let isolated = api.store.isolated_page(&scope, &filter, &page).await?;
    let ids = alarms.items.iter().map(|a| a.host.as_str());
    let ids = ids.chain(isolated.items.iter().map(|i| i.host.as_str()));
    let ids = ids.chain(sample.iter().map(|s| s.host.as_str()));
    let hosts = hosts_of(&api, &access, ids.chain([file.first_host.as_str()])).await?;
    let history = history::of(&history::Known {
        file: &file,
        verdict: verdict.as_ref(),
        scan: scan.as_ref(),
        sample: sample.as_ref(),
        alarms: &alarms.items,
        isolated: &isolated.items,
        hosts: &hosts,
    });
    Ok(Json(FilePage {
        known: standing.as_ref().and_then(view::known),
        file: view::file(&file, standing.as_ref()),
        judged: verdict.as_ref().and_then(view::judged),
        verdict: verdict.as_ref().map(view::verdict),
        votes: scan.as_ref().map(view::votes).unwrap_or_default(),
        deep_scan: scan.as_ref().map(view::deep_scan),
        sample: sample.as_ref().map(|s| samples::view(s, hosts.get(&s.host))),
        alarms: alarms.items.iter().map(|a| alarm_view::item(a, hosts.get(&a.host))).collect(),
        alarms_total: alarms.total,
        isolated: isolated.items.iter().map(|i| isolated::item(i, hosts.get(&i.host))).collect(),
        isolated_total: isolated.total,
        history,
    }))
}
