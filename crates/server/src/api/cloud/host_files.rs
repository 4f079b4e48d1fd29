// SPDX-License-Identifier: Apache-2.0
//! Where a content is, and what a host has.

use super::OfProject;
use crate::api::alarms::hosts_of;
use crate::api::alarms::view::HostBrief;
use crate::api::extract::{Json, Path, Query};
use crate::api::gate::Access;
use crate::api::hosts;
use crate::api::page::{PageOf, cursor};
use crate::api::permission::Permission;
use crate::api::problem::Problem;
use crate::api::route::{Routes, get};
use crate::api::state::Api;
use crate::json::{exact, hex, lossy};
use crate::time;
use axum::extract::State;
use lazaret_store::{HostFileRow, Standing};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use utoipa::{IntoParams, ToSchema};

/// A path on a host that has a content, or had it.
#[derive(Debug, Serialize, ToSchema)]
struct FilePlace {
    host: HostBrief,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    /// A package of the host owns it, unchanged.
    packaged: bool,
    /// By the host's clock, as far as it can be.
    #[schema(format = DateTime)]
    first_seen_at: String,
    #[schema(format = DateTime)]
    last_seen_at: String,
    /// It is not there any more, or has another content by now.
    gone: bool,
}

/// What a host has under a path.
#[derive(Debug, Serialize, ToSchema)]
struct HostFile {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
    /// As hosts are answered.
    standing: String,
    /// Of a verdict in force.
    class: Option<String>,
    size: i64,
    kind: String,
    packaged: bool,
    #[schema(format = DateTime)]
    first_seen_at: String,
    #[schema(format = DateTime)]
    last_seen_at: String,
    gone: bool,
}

/// Which page of the places.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct PlacesQuery {
    /// Of which project; `0` unless said otherwise.
    #[param(min_length = 1, max_length = 64)]
    project: Option<String>,
    after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Which page of a host's files.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct HostFilesQuery {
    after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

pub(super) fn routes(r: &mut Routes) {
    r.add(
        Permission::View,
        get("/files/{sha256}/places", "listFilePlaces", "Hosts and paths that have a content, or had it")
            .query::<PlacesQuery>()
            .page::<FilePlace>(),
        places,
    );
    r.add(
        Permission::View,
        get("/hosts/{id}/files", "listHostFiles", "Programs and scripts that a host has, or had")
            .query::<HostFilesQuery>()
            .page::<HostFile>(),
        of_host,
    );
}

async fn places(
    State(api): State<Api>,
    access: Access,
    Path(digest): Path<String>,
    Query(q): Query<PlacesQuery>,
) -> Result<Json<PageOf<FilePlace>>, Problem> {
    let place = OfProject { project: q.project }.place(&api, &access, &digest, "file").await?;
    let cursor = cursor(q.after, q.limit)?;
    // A content that the project does not know is not there.
    place.file(&api).await?;
    let page = api.store.places(&place.project, &place.sha256, &cursor).await?;
    let hosts = hosts_of(&api, &access, page.items.iter().map(|p| p.host.as_str())).await?;
    Ok(Json(PageOf::of(page, |p| {
        let HostFileRow { path, packaged, first_ms, last_ms, gone, .. } = p.file;
        FilePlace {
            host: HostBrief::of(&p.host, hosts.get(&p.host)),
            path: lossy(&path),
            path_b64: exact(&path),
            packaged,
            first_seen_at: time::rfc3339(first_ms),
            last_seen_at: time::rfc3339(last_ms),
            gone,
        }
    })))
}

async fn of_host(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    Query(q): Query<HostFilesQuery>,
) -> Result<Json<PageOf<HostFile>>, Problem> {
    let host = hosts::within(&api, &access, &id).await?;
    let page = api.store.inventory(&host.project, &host.id, &cursor(q.after, q.limit)?).await?;
    let mut hashes: Vec<Vec<u8>> = page.items.iter().map(|p| p.file.sha256.clone()).collect();
    hashes.sort_unstable();
    hashes.dedup();
    let standings = api.store.look_up(&host.project, &hashes).await?;
    let of: HashMap<&[u8], &Standing> = standings.iter().map(|s| (s.sha256.as_slice(), s)).collect();
    Ok(Json(PageOf::of(page, |p| {
        let f = p.file;
        let standing = of.get(f.sha256.as_slice());
        HostFile {
            path: lossy(&f.path),
            path_b64: exact(&f.path),
            sha256: hex(&f.sha256).unwrap_or_default(),
            standing: standing.map_or_else(|| "unknown".to_owned(), |s| s.standing.clone()),
            class: standing.and_then(|s| s.verdict.as_ref()).map(|v| v.class.clone()),
            size: f.size,
            kind: f.kind,
            packaged: f.packaged,
            first_seen_at: time::rfc3339(f.first_ms),
            last_seen_at: time::rfc3339(f.last_ms),
            gone: f.gone,
        }
    })))
}
