// SPDX-License-Identifier: Apache-2.0
//! Malware Cloud Scan for people: consent, the files of a project by their content, verdicts, samples, deep
//! scans (docs/cloud-scan.md).

pub(crate) mod consent;
mod deep_scans;
mod download;
mod files;
mod history;
mod host_files;
mod leaves;
mod page;
mod samples;
pub(crate) mod verdict;
pub(crate) mod view;

use super::extract::Query;
use super::gate::Access;
use super::problem::Problem;
use super::route::Routes;
use super::state::Api;
use lazaret_store::{FileRow, SampleRow, StoreError};
use serde::Deserialize;
use utoipa::IntoParams;

pub(crate) fn routes(r: &mut Routes) {
    consent::routes(r);
    files::routes(r);
    page::routes(r);
    verdict::routes(r);
    host_files::routes(r);
    samples::routes(r);
    download::routes(r);
    deep_scans::routes(r);
}

/// Of which project; `0` unless said otherwise. The same content is another file in another project.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct OfProject {
    #[param(min_length = 1, max_length = 64)]
    project: Option<String>,
}

fn project_or_default(given: Option<String>) -> String {
    given.unwrap_or_else(|| lazaret_store::DEFAULT_PROJECT.to_owned())
}

/// A content in a project that the caller may use so.
struct Place {
    project: String,
    /// 64 hexadecimal digits.
    digest: String,
    sha256: Vec<u8>,
}

impl OfProject {
    /// What is not within what the caller may is as if it were not there, and so is what is no digest.
    async fn place(self, api: &Api, access: &Access, digest: &str, what: &str) -> Result<Place, Problem> {
        let project = project_or_default(self.project);
        let sha256 = lower(digest).ok_or_else(|| Problem::no(what, digest))?;
        if !access.covers(&project) {
            return Err(Problem::no(what, digest));
        }
        match api.store.project(&project).await {
            Ok(_) => Ok(Place { project, digest: digest.to_owned(), sha256 }),
            Err(StoreError::NotFound(_)) => Err(Problem::no(what, digest)),
            Err(e) => Err(e.into()),
        }
    }
}

impl Place {
    /// What the project knows of it; what it does not know is not there.
    async fn file(&self, api: &Api) -> Result<FileRow, Problem> {
        match api.store.file(&self.project, &self.sha256).await {
            Ok(row) => Ok(row),
            Err(StoreError::NotFound(_)) => Err(Problem::no("file", &self.digest)),
            Err(e) => Err(e.into()),
        }
    }

    /// Its sample, in whatever state.
    async fn sample(&self, api: &Api) -> Result<SampleRow, Problem> {
        match api.store.sample(&self.project, &self.sha256).await {
            Ok(row) => Ok(row),
            Err(StoreError::NotFound(_)) => Err(Problem::no("sample", &self.digest)),
            Err(e) => Err(e.into()),
        }
    }
}

/// What there may be none of.
fn maybe<T>(found: Result<T, StoreError>) -> Result<Option<T>, Problem> {
    match found {
        Ok(row) => Ok(Some(row)),
        Err(StoreError::NotFound(_)) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// 64 hexadecimal digits, lower case: one name for each content.
fn lower(digest: &str) -> Option<Vec<u8>> {
    let plain = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if digest.len() != 64 || !digest.bytes().all(plain) {
        return None;
    }
    digest.parse::<lazaret_model::Sha256>().ok().map(|d| d.0.to_vec())
}

type Of = Query<OfProject>;

#[cfg(test)]
mod tests {
    use super::lower;

    #[test]
    fn a_content_has_one_name() {
        assert_eq!(lower(&"0a".repeat(32)), Some(vec![10; 32]));
        for bad in ["", "0a", &"0A".repeat(32), &"0g".repeat(32), &"0a".repeat(33)] {
            assert_eq!(lower(bad), None, "{bad}");
        }
    }
}
