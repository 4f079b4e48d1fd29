// SPDX-License-Identifier: Apache-2.0
//! What people say about a content: it is bad, it is not, all hosts are to act now, scan it again.

use super::view::{self, FileVerdict};
use super::{Of, OfProject, Place, maybe};
use crate::api::alarms::hosts_of;
use crate::api::approvals::request::{self, Request};
use crate::api::extract::{Accepted, Json, Path, Query};
use crate::api::gate::Access;
use crate::api::isolated::{self, IsolatedItem, RESTORABLE};
use crate::api::permission::Permission;
use crate::api::problem::Problem;
use crate::api::projects::check_text;
use crate::api::record::Record;
use crate::api::route::{Routes, post};
use crate::api::state::Api;
use crate::api::switches::Waiting;
use crate::api::words::Class;
use crate::time;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use lazaret_proto::{Message as _, v1};
use lazaret_store::{CloudConsent, IsolatedRow, NewVerdict, Scope};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Of a verdict that a person gave: certain.
const CONFIDENCE: i64 = 99;
/// Log-odds of that, above the engine's prior.
const WEIGHT: f32 = 8.6;
/// Isolated files in one answer; with one order a hundred are restored.
const SHOWN: usize = 1_000;

/// What somebody says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Said {
    /// Hosts refuse it at once, and isolate and kill it ring by ring.
    Bad,
    /// Hosts run it again; what is isolated stays so until somebody restores it.
    Withdrawn,
}

/// A person's word on a content.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SayVerdict {
    verdict: Said,
    /// Of a bad one; `malware` unless said otherwise.
    #[serde(default)]
    class: Option<Class>,
    #[schema(min_length = 1, max_length = 512)]
    reason: String,
}

/// How it stands then.
#[derive(Debug, Serialize, ToSchema)]
struct VerdictSaid {
    verdict: FileVerdict,
    /// Hosts of the project that have it now.
    hosts: i64,
    /// Isolated with that content: `POST /isolated-files/restore` brings them back, a hundred `files` with one
    /// order or all with `sha256`.
    isolated_total: usize,
    /// The first thousand.
    isolated: Vec<IsolatedItem>,
}

/// Whether there is something new to do.
#[derive(Debug, Serialize, ToSchema)]
struct Rescan {
    /// Else it is queued or under way already.
    queued: bool,
}

pub(super) fn routes(r: &mut Routes) {
    r.add(
        Permission::Administer,
        post("/files/{sha256}/verdict", "sayVerdict", "Call a content bad, or take that back")
            .describe("Bad: every host of the project refuses to run it at once; canary hosts isolate and kill it as their policy says, all others when the ring's time is over. Withdrawn: hosts run it again, and the answer lists what is isolated. A content that no host has told of can be called bad too. A person's word stays whatever scans say later. Where the project asks for two persons, calling bad what more than `most_hosts` hosts have waits; withdrawing never does.")
            .query::<OfProject>()
            .body::<SayVerdict>()
            .answers::<VerdictSaid>(200)
            .answers::<Waiting>(202)
            .problem(409),
        say,
    );
    r.add(
        Permission::Administer,
        post(
            "/files/{sha256}/release",
            "releaseVerdict",
            "Let all hosts isolate and kill it now, beyond the canary hosts",
        )
        .query::<OfProject>()
        .answers::<VerdictSaid>(200)
        .answers::<Waiting>(202)
        .problem(409),
        release,
    );
    r.add(
        Permission::Operate,
        post("/files/{sha256}/rescan", "rescanFile", "Let the deep scan look at its sample again")
            .describe("Also one that was set aside. What was found before holds until then.")
            .query::<OfProject>()
            .answers::<Rescan>(200)
            .problem(409),
        rescan,
    );
}

/// The verdict of a person, as hosts get it: one decisive evidence with the file's own name, by which their
/// breakers count.
pub(crate) fn new(
    (project, sha256, size): (&str, &[u8], i64),
    class: Class,
    (who, why): (&str, &str),
    consent: &CloudConsent,
    now_ms: i64,
) -> NewVerdict {
    let digest = crate::json::hex(sha256).unwrap_or_default();
    let verdict = v1::Verdict {
        sha256: sha256.to_vec(),
        size: u64::try_from(size).unwrap_or_default(),
        file_type: "other".to_owned(),
        class: class.word().to_owned(),
        family: String::new(),
        confidence: 99,
        evidence: vec![v1::Evidence {
            kind: "known_bad".to_owned(),
            id: format!("cloud:{digest}"),
            weight: WEIGHT,
            detail: format!("called bad by {who}: {why}"),
            decisive: true,
        }],
        ..v1::Verdict::default()
    };
    NewVerdict {
        project: project.to_owned(),
        sha256: sha256.to_vec(),
        class: class.word().to_owned(),
        family: String::new(),
        confidence: CONFIDENCE,
        rating: "high".to_owned(),
        verdict: verdict.encode_to_vec(),
        origin: "person".to_owned(),
        who: who.to_owned(),
        why: why.to_owned(),
        act_all: consent.ring_seconds == 0,
        release_ms: match consent.ring_seconds {
            // Only when a person says so.
            ..0 => 0,
            seconds => now_ms + seconds * 1_000,
        },
        now_ms,
    }
}

fn record(access: &Access, at: &Place, verb: &str) -> Record {
    Record::new(access, &at.project, verb, format!("file {}", at.digest))
}

/// How it stands, with what would be restored.
async fn said(api: &Api, access: &Access, at: &Place) -> Result<Json<VerdictSaid>, Problem> {
    let file = at.file(api).await?;
    let Some(verdict) = maybe(api.store.verdict(&at.project, &at.sha256).await)? else {
        return Err(Problem::no("verdict", &at.digest));
    };
    let scope = Scope::Projects(vec![at.project.clone()]);
    let states: Vec<String> = RESTORABLE.iter().map(|s| (*s).to_owned()).collect();
    let files = api.store.isolated_by_hash(&scope, &at.sha256, &states).await?;
    let shown: Vec<&IsolatedRow> = files.iter().take(SHOWN).collect();
    let hosts = hosts_of(api, access, shown.iter().map(|f| f.host.as_str())).await?;
    Ok(Json(VerdictSaid {
        verdict: view::verdict(&verdict),
        hosts: file.hosts,
        isolated_total: files.len(),
        isolated: shown.into_iter().map(|f| isolated::item(f, hosts.get(&f.host))).collect(),
    }))
}

async fn say(
    State(api): State<Api>,
    access: Access,
    Path(digest): Path<String>,
    Query(of): Of,
    Json(ask): Json<SayVerdict>,
) -> Result<Response, Problem> {
    check_text("reason", &ask.reason, 512)?;
    let at = of.place(&api, &access, &digest, "file").await?;
    // People know of contents before any host has one.
    let (size, hosts) =
        maybe(api.store.file(&at.project, &at.sha256).await)?.map_or((0, 0), |f| (f.size, f.hosts));
    if ask.reason.trim().is_empty() {
        return Err(Problem::invalid("reason: say why"));
    }
    let before = maybe(api.store.verdict(&at.project, &at.sha256).await)?;
    let shown = before.as_ref().map(view::verdict);
    let now_ms = time::now_ms();
    match ask.verdict {
        Said::Withdrawn if ask.class.is_some() => {
            return Err(Problem::invalid("class: a verdict that is withdrawn has none"));
        }
        Said::Withdrawn if before.is_none() => {
            return Err(Problem::conflict("nobody has called it bad: there is nothing to withdraw"));
        }
        Said::Withdrawn => {
            let store = record(&access, &at, "file.withdraw").before(&shown).after(&ask.reason).on(&api);
            store.withdraw_verdict(&at.project, &at.sha256, access.who(), &ask.reason, now_ms).await?;
        }
        Said::Bad => {
            let class = ask.class.unwrap_or(Class::Unclassified);
            if request::verdict_waits(&api, &at.project, hosts).await? {
                let waits = Request::CallBad {
                    project: at.project.clone(),
                    sha256: at.digest.clone(),
                    class,
                    reason: ask.reason,
                };
                return wait(&api, &access, at, &waits).await;
            }
            let consent = api.store.cloud_consent(&at.project).await?;
            let of = (at.project.as_str(), at.sha256.as_slice(), size);
            let verdict = new(of, class, (access.who(), &ask.reason), &consent, now_ms);
            let after = serde_json::json!({ "class": verdict.class, "reason": ask.reason });
            record(&access, &at, "file.verdict")
                .before(&shown)
                .after(&after)
                .on(&api)
                .put_verdict(&verdict)
                .await?;
        }
    }
    Ok(said(&api, &access, &at).await?.into_response())
}

async fn wait(api: &Api, access: &Access, at: Place, waits: &Request) -> Result<Response, Problem> {
    let address = request::wait(api, access, [at.project].into(), waits).await?;
    Ok(Accepted(Json(Waiting { approval: address })).into_response())
}

async fn release(
    State(api): State<Api>,
    access: Access,
    Path(digest): Path<String>,
    Query(of): Of,
) -> Result<Response, Problem> {
    let at = of.place(&api, &access, &digest, "file").await?;
    let file = at.file(&api).await?;
    let before = maybe(api.store.verdict(&at.project, &at.sha256).await)?;
    let Some(before) = before.filter(|v| !v.withdrawn) else {
        return Err(Problem::conflict("no verdict on it is in force: there is nothing to release"));
    };
    if request::verdict_waits(&api, &at.project, file.hosts).await? {
        let waits = Request::Release { project: at.project.clone(), sha256: at.digest.clone() };
        return wait(&api, &access, at, &waits).await;
    }
    let store = record(&access, &at, "file.release").before(&view::verdict(&before)).on(&api);
    store.release_verdict(&at.project, &at.sha256, access.who(), time::now_ms()).await?;
    Ok(said(&api, &access, &at).await?.into_response())
}

async fn rescan(
    State(api): State<Api>,
    access: Access,
    Path(digest): Path<String>,
    Query(of): Of,
) -> Result<Json<Rescan>, Problem> {
    let at = of.place(&api, &access, &digest, "file").await?;
    at.file(&api).await?;
    if maybe(api.store.sample(&at.project, &at.sha256).await)?.is_none() {
        return Err(Problem::conflict(
            "there is no sample of it: a host sends one where the project's consent allows samples",
        ));
    }
    let store = record(&access, &at, "file.rescan").on(&api);
    Ok(Json(Rescan { queued: store.rescan(&at.project, &at.sha256, time::now_ms()).await? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persons_verdict_is_one_that_hosts_understand() {
        let consent = |seconds| CloudConsent { ring_seconds: seconds, ..CloudConsent::unset("0") };
        let of = ("0", [7_u8; 32].as_slice(), 12);
        let made = new(of, Class::Worm, ("ada", "seen before"), &consent(60), 1_000);
        assert_eq!((made.act_all, made.release_ms, made.origin.as_str()), (false, 61_000, "person"));
        let sent = v1::Verdict::decode(made.verdict.as_slice()).unwrap();
        let verdict = lazaret_model::Verdict::try_from(sent).unwrap();
        assert!(verdict.is_found() && verdict.evidence[0].decisive);
        assert_eq!(verdict.evidence[0].id, format!("cloud:{}", "07".repeat(32)));
        assert_eq!(new(of, Class::Worm, ("a", "b"), &consent(-1), 5).release_ms, 0);
        let at_once = new(of, Class::Worm, ("a", "b"), &consent(0), 5);
        assert!(at_once.act_all);
    }
}
