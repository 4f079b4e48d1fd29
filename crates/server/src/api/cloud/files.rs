// SPDX-License-Identifier: Apache-2.0
//! The programs and scripts of the fleet by their content.

use super::project_or_default;
use super::view::{self, FileItem};
use crate::api::extract::{Json, Query};
use crate::api::gate::Access;
use crate::api::page::{PageOf, cursor};
use crate::api::permission::Permission;
use crate::api::problem::Problem;
use crate::api::projects;
use crate::api::route::{Routes, get};
use crate::api::state::Api;
use crate::api::words::{self, Class, List};
use axum::extract::State;
use lazaret_store::{FilesQuery, Standing};
use serde::Deserialize;
use std::collections::HashMap;
use utoipa::IntoParams;

/// Filters of files.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct FileQuery {
    /// Of which project; `0` unless said otherwise.
    #[param(min_length = 1, max_length = 64)]
    project: Option<String>,
    /// Any of these, separated by commas.
    #[param(inline, value_type = Option<Vec<words::Standing>>, style = Form, explode = false)]
    standing: Option<List<words::Standing>>,
    /// Judged to be of this class.
    #[param(inline)]
    class: Option<Class>,
    /// Part of a path that a host has it under.
    #[param(max_length = 200)]
    path: Option<String>,
    /// On this host now.
    #[param(format = Uuid)]
    host: Option<String>,
    /// Beginning of the SHA-256.
    #[param(max_length = 64, pattern = "^[0-9a-f]{1,64}$")]
    sha256: Option<String>,
    after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

pub(super) fn routes(r: &mut Routes) {
    r.add(
        Permission::View,
        get(
            "/files",
            "listFiles",
            "Programs and scripts of the fleet by their content, newest in the project first",
        )
        .query::<FileQuery>()
        .page::<FileItem>()
        .problem(404),
        list,
    );
}

/// The beginning of a digest, as far as it was given.
fn prefix(text: &str) -> Result<String, Problem> {
    let plain = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if text.is_empty() || text.len() > 64 || !text.bytes().all(plain) {
        return Err(Problem::invalid("sha256: 1 to 64 hexadecimal digits, lower case"));
    }
    Ok(text.to_owned())
}

async fn list(
    State(api): State<Api>,
    access: Access,
    Query(q): Query<FileQuery>,
) -> Result<Json<PageOf<FileItem>>, Problem> {
    let project = projects::within(&api, &access, &project_or_default(q.project)).await?.id;
    let asked = FilesQuery {
        project: project.clone(),
        standings: q.standing.unwrap_or_default().0.iter().map(|s| s.word().to_owned()).collect(),
        class: q.class.map(|c| c.word().to_owned()).unwrap_or_default(),
        path: q.path.unwrap_or_default(),
        host: q.host.unwrap_or_default(),
        prefix: q.sha256.as_deref().map(prefix).transpose()?.unwrap_or_default(),
        page: cursor(q.after, q.limit)?,
        ..FilesQuery::default()
    };
    let page = api.store.files(&asked).await?;
    let hashes: Vec<Vec<u8>> = page.items.iter().map(|f| f.sha256.clone()).collect();
    let standings = api.store.look_up(&project, &hashes).await?;
    let of: HashMap<&[u8], &Standing> = standings.iter().map(|s| (s.sha256.as_slice(), s)).collect();
    Ok(Json(PageOf::of(page, |f| view::file(&f, of.get(f.sha256.as_slice()).copied()))))
}

#[cfg(test)]
mod tests {
    use super::prefix;

    #[test]
    fn a_beginning_is_digits_alone() {
        assert!(prefix("0af").is_ok());
        for bad in ["", "0AF", "x", "%", &"0".repeat(65)] {
            assert!(prefix(bad).is_err(), "{bad}");
        }
    }
}
