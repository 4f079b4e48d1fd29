// SPDX-License-Identifier: Apache-2.0
//! What a project has consented to: what leaves its hosts, who isolates first, how long samples are kept.
//! Nothing leaves a host before somebody said so here, and the answer says in words what does.

use super::leaves;
use crate::api::approvals::request::{self, Request};
use crate::api::extract::{Accepted, IfMatch, Json, Path, Tagged};
use crate::api::gate::Access;
use crate::api::host_groups::{self, fresh, raced};
use crate::api::permission::Permission;
use crate::api::problem::{Problem, shown};
use crate::api::projects;
use crate::api::record::Record;
use crate::api::route::{Routes, get, put};
use crate::api::state::Api;
use crate::api::switches::{CLOUD_SCAN, Waiting};
use crate::json::{lossy, some};
use crate::scans::cloud;
use crate::time;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use lazaret_store::CloudConsent;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Folders that are left out.
const MOST_FOLDERS: usize = 100;
/// Groups that go first.
const MOST_GROUPS: usize = 100;

/// Kinds of files that may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CloudScanKind)]
pub(crate) enum Kind {
    Executable,
    Script,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Executable => "executable",
            Self::Script => "script",
        }
    }

    pub(super) const fn plural(self) -> &'static str {
        match self {
            Self::Executable => "programs",
            Self::Script => "scripts",
        }
    }
}

/// What may leave the hosts of a project, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CloudScanConsent)]
pub(crate) struct Consent {
    /// Paths, digests, sizes and kinds of programs and scripts are told, and asked about.
    pub(crate) hashes: bool,
    /// Unknown ones are sent as a whole. Wants `hashes`: a host asks before it sends.
    pub(crate) samples: bool,
    /// Larger ones are never sent.
    #[schema(minimum = 1024, maximum = 1_073_741_824)]
    pub(crate) max_sample_bytes: i64,
    /// Absolute folders from which nothing is sent.
    #[schema(max_items = 100)]
    pub(crate) exclude: Vec<String>,
    /// Of other kinds nothing is sent.
    #[schema(max_items = 2)]
    pub(crate) kinds: Vec<Kind>,
    /// An execution waits so long for an answer at most, milliseconds.
    #[schema(minimum = 0, maximum = 5000)]
    pub(crate) wait_ms: i64,
    /// Without an answer in time what no package owns is refused; else it runs.
    pub(crate) fail_closed: bool,
    /// Of samples, of one host; 0: no bound.
    #[schema(minimum = 0, maximum = 1_073_741_824)]
    pub(crate) bytes_per_second: i64,
    /// Host groups whose hosts isolate and kill first.
    #[schema(max_items = 100)]
    pub(crate) canary_groups: Vec<String>,
    /// All others follow after so many seconds; 0: at the same time; -1: only when a person says so.
    #[schema(minimum = -1, maximum = 86_400)]
    pub(crate) ring_seconds: i64,
    /// Samples are kept so many days; 0: until somebody deletes them.
    #[schema(minimum = 0, maximum = 3_650)]
    pub(crate) retention_days: i64,
}

/// The last quick scan that the switch began.
#[derive(Debug, Serialize, ToSchema)]
struct CloudScanTask {
    #[schema(format = Uuid)]
    task: String,
    runs: bool,
}

/// How Malware Cloud Scan stands in a project.
#[derive(Debug, Serialize, ToSchema)]
struct CloudScan {
    project: String,
    /// The switch `malware_cloud_scan`.
    on: bool,
    consent: Consent,
    /// What leaves the hosts now, in words.
    leaves_hosts: Vec<String>,
    scan: Option<CloudScanTask>,
    /// 0: nobody has set anything.
    revision: i64,
    #[schema(format = DateTime)]
    updated_at: Option<String>,
    updated_by: Option<String>,
}

pub(super) fn routes(r: &mut Routes) {
    r.add(
        Permission::View,
        get(
            "/projects/{project}/cloud-scan",
            "getCloudScan",
            "What leaves the hosts of a project for Malware Cloud Scan",
        )
        .tagged()
        .answers::<CloudScan>(200),
        show,
    );
    r.add(
        Permission::Administer,
        put("/projects/{project}/cloud-scan", "setCloudScan", "Consent to what leaves the hosts of a project, or take that back")
            .describe("The answer says in words what leaves the hosts from then on. The switch `malware_cloud_scan` is set apart; without it nothing leaves.")
            .body::<Consent>()
            .if_match()
            .tagged()
            .answers::<CloudScan>(200)
            .answers::<Waiting>(202)
            .problem(409),
        set,
    );
}

impl Consent {
    pub(crate) fn of(row: &CloudConsent) -> Self {
        let kind = |word: &String| match word.as_str() {
            "executable" => Some(Kind::Executable),
            "script" => Some(Kind::Script),
            _ => None,
        };
        Self {
            hashes: row.hashes,
            samples: row.samples,
            max_sample_bytes: row.max_sample_bytes,
            exclude: row.exclude.iter().map(|f| lossy(f)).collect(),
            kinds: row.kinds.iter().filter_map(kind).collect(),
            wait_ms: row.wait_ms,
            fail_closed: row.fail_closed,
            bytes_per_second: row.bytes_per_second,
            canary_groups: row.canary_groups.clone(),
            ring_seconds: row.ring_seconds,
            retention_days: row.sample_days,
        }
    }

    /// The row that sets it.
    pub(crate) fn row(&self, project: &str, revision: i64, who: &str) -> CloudConsent {
        CloudConsent {
            project: project.to_owned(),
            hashes: self.hashes,
            samples: self.samples,
            max_sample_bytes: self.max_sample_bytes,
            exclude: self.exclude.iter().map(|f| f.clone().into_bytes()).collect(),
            kinds: self.kinds.iter().map(|k| k.word().to_owned()).collect(),
            wait_ms: self.wait_ms,
            fail_closed: self.fail_closed,
            bytes_per_second: self.bytes_per_second,
            canary_groups: self.canary_groups.clone(),
            ring_seconds: self.ring_seconds,
            sample_days: self.retention_days,
            revision,
            updated_ms: time::now_ms(),
            updated_by: who.to_owned(),
        }
    }

    /// What is wrong with it.
    fn fault(&self) -> Option<String> {
        for (field, n, least, most) in [
            ("max_sample_bytes", self.max_sample_bytes, 1024, 1 << 30),
            ("wait_ms", self.wait_ms, 0, 5_000),
            ("bytes_per_second", self.bytes_per_second, 0, 1 << 30),
            ("ring_seconds", self.ring_seconds, -1, 86_400),
            ("retention_days", self.retention_days, 0, 3_650),
        ] {
            if !(least..=most).contains(&n) {
                return Some(format!("{field} = {n}: must be {least} to {most}"));
            }
        }
        if self.samples && !self.hashes {
            return Some("samples: a host asks by digest before it sends: allow hashes too".to_owned());
        }
        if self.samples && self.kinds.is_empty() {
            return Some("kinds: samples of no kind are none: name executable, script or both".to_owned());
        }
        if self.kinds.iter().enumerate().any(|(i, k)| self.kinds.iter().take(i).any(|b| b == k)) {
            return Some("kinds: one of them twice".to_owned());
        }
        if self.canary_groups.len() > MOST_GROUPS {
            return Some(format!("canary_groups: {MOST_GROUPS} at most"));
        }
        if self.exclude.len() > MOST_FOLDERS {
            return Some(format!("exclude: {MOST_FOLDERS} folders at most"));
        }
        let bad = |f: &&String| {
            !f.starts_with('/')
                || f.len() > 4095
                || f.contains(['\0', '\n'])
                || f.split('/').any(|p| p == "..")
        };
        let folder = self.exclude.iter().find(bad)?;
        Some(format!("exclude: \"{}\" is no absolute path without \"..\"", shown(folder)))
    }
}

async fn view(api: &Api, row: &CloudConsent) -> Result<CloudScan, Problem> {
    let on = api.store.switch(&row.project, CLOUD_SCAN).await?.on;
    let consent = Consent::of(row);
    let scan = cloud::last(&api.store, &row.project).await?;
    Ok(CloudScan {
        project: row.project.clone(),
        on,
        leaves_hosts: leaves::words(&consent, on),
        consent,
        scan: scan.map(|t| CloudScanTask { runs: cloud::runs(&t), task: t.id }),
        revision: row.revision,
        updated_at: time::some_rfc3339(row.updated_ms),
        updated_by: some(&row.updated_by),
    })
}

async fn show(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Tagged<CloudScan>, Problem> {
    projects::within(&api, &access, &id).await?;
    let row = api.store.cloud_consent(&id).await?;
    Ok(Tagged(row.revision, view(&api, &row).await?))
}

async fn set(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    IfMatch(seen): IfMatch,
    Json(ask): Json<Consent>,
) -> Result<Response, Problem> {
    projects::within(&api, &access, &id).await?;
    let before = api.store.cloud_consent(&id).await?;
    // What can never be taken is refused whatever it was based on.
    if let Some(fault) = ask.fault() {
        return Err(Problem::invalid(fault));
    }
    fresh(seen, before.revision)?;
    for group in &ask.canary_groups {
        if host_groups::within(&api, &access, group).await?.project != id {
            return Err(Problem::invalid(format!("canary_groups: {group} is of another project")));
        }
    }
    if request::two_person(&api, &id).await? {
        let waits = Request::CloudScan { project: id.clone(), consent: ask, revision: seen };
        let address = request::wait(&api, &access, [id].into(), &waits).await?;
        return Ok(Accepted(Json(Waiting { approval: address })).into_response());
    }
    let row = ask.row(&id, seen, access.who());
    let record = Record::new(&access, &id, "cloud_scan.consent", format!("project {id}"));
    let store = record.before(&Consent::of(&before)).after(&ask).on(&api);
    let written = store.set_cloud_consent(&row).await;
    let current = async { api.store.cloud_consent(&id).await.map(|c| c.revision) };
    raced(written, current, seen).await?;
    let after = api.store.cloud_consent(&id).await?;
    Ok(Tagged(after.revision, view(&api, &after).await?).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Consent {
        Consent {
            hashes: true,
            samples: true,
            max_sample_bytes: 32 << 20,
            exclude: vec!["/home".to_owned()],
            kinds: vec![Kind::Script],
            wait_ms: 300,
            fail_closed: false,
            bytes_per_second: 0,
            canary_groups: vec![],
            ring_seconds: 60,
            retention_days: 30,
        }
    }

    #[test]
    fn faults_are_named() {
        assert_eq!(good().fault(), None);
        for (bad, word) in [
            (Consent { hashes: false, ..good() }, "hashes"),
            (Consent { kinds: vec![], ..good() }, "kinds"),
            (Consent { kinds: vec![Kind::Script, Kind::Script], ..good() }, "twice"),
            (Consent { max_sample_bytes: 1, ..good() }, "max_sample_bytes"),
            (Consent { wait_ms: 5_001, ..good() }, "wait_ms"),
            (Consent { ring_seconds: -2, ..good() }, "ring_seconds"),
            (Consent { retention_days: -1, ..good() }, "retention_days"),
            (Consent { canary_groups: vec!["g".into(); 101], ..good() }, "canary_groups"),
            (Consent { exclude: vec!["tmp".into()], ..good() }, "exclude"),
            (Consent { exclude: vec!["/a/../b".into()], ..good() }, "exclude"),
            (Consent { exclude: vec!["/a".into(); 101], ..good() }, "100"),
        ] {
            let fault = bad.fault().unwrap_or_default();
            assert!(fault.contains(word), "{word}: {fault}");
        }
        assert_eq!(Consent { hashes: false, samples: false, kinds: vec![], ..good() }.fault(), None);
    }
}
