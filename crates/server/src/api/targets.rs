// SPDX-License-Identifier: Apache-2.0
//! Where alarms are told to: mails, web hooks, exports (docs/notifications.md, docs/export.md).

use super::extract::{Created, Empty, IfMatch, Json, Path, Tagged};
use super::gate::Access;
use super::host_groups::{fresh, raced};
use super::permission::Permission;
use super::problem::{Kind, Problem};
use super::projects::{self, check_name};
use super::record::Record;
use super::route::{Routes, delete, get, post, put};
use super::state::Api;
use super::target_view::{
    NewTarget, RotateSecret, Target, TargetChange, TargetSecret, TargetTest, Targets, settings_of, view,
};
use crate::time;
use axum::extract::State;
use lazaret_notify::{Secrets, Settings};
use lazaret_store::{Scope, StoreError, TargetRow, TargetState};
use uuid::Uuid;

/// Targets of one project.
const MOST: usize = 100;

pub(crate) fn routes(r: &mut Routes) {
    let p = Permission::Administer;
    r.add(
        Permission::View,
        get("/targets", "listTargets", "Where alarms are told to").answers::<Targets>(200),
        list,
    );
    r.add(
        p,
        post("/targets", "createTarget", "A new target")
            .describe("It is told what comes from now on. Without a project it is told of every project; that, and the kind `file`, need an administrator of all projects. A web hook's secret is shown this once.")
            .body::<NewTarget>()
            .answers::<TargetSecret>(201)
            .problem(404)
            .problem(409),
        create,
    );
    r.add(
        Permission::View,
        get("/targets/{id}", "getTarget", "One target, and how far it is").tagged().answers::<Target>(200),
        show,
    );
    r.add(
        p,
        put("/targets/{id}", "updateTarget", "Change a target")
            .describe("The kind and the project stay. A password or token that is absent stays, an empty one goes; another server or URL wants it given anew.")
            .if_match()
            .body::<TargetChange>()
            .tagged()
            .answers::<Target>(200)
            .problem(409),
        update,
    );
    r.add(p, delete("/targets/{id}", "deleteTarget", "Delete a target").if_match().answers_empty(), remove);
    r.add(
        p,
        post("/targets/{id}/test", "testTarget", "Send one test message and say what came of it")
            .answers::<TargetTest>(200),
        test,
    );
    r.add(
        p,
        post("/targets/{id}/rotate-secret", "rotateTargetSecret", "A new secret for a web hook")
            .describe("Messages are signed with the new and, where it is kept, the one before, until the next rotation.")
            .body::<RotateSecret>()
            .answers::<TargetSecret>(200)
            .problem(409),
        rotate,
    );
}

/// A target that is there and within what the caller may.
pub(crate) async fn within(api: &Api, access: &Access, id: &str) -> Result<TargetRow, Problem> {
    access.check(api.store.target(id).await, |t| &t.project, "target", id)
}

async fn list(State(api): State<Api>, access: Access) -> Result<Json<Targets>, Problem> {
    let states = api.store.target_states().await?;
    let mut items = Vec::new();
    for row in api.store.targets(&access.scope).await? {
        let state = states.iter().find(|s| s.target == row.id).cloned().unwrap_or_default();
        items.push(view(&row, &state, &*api.outbound.seal)?);
    }
    Ok(Json(Targets { items }))
}

async fn shown(api: &Api, row: &TargetRow) -> Result<Target, Problem> {
    view(row, &api.store.target_state(&row.id).await?, &*api.outbound.seal)
}

async fn show(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Tagged<Target>, Problem> {
    let row = within(&api, &access, &id).await?;
    Ok(Tagged(row.revision, shown(&api, &row).await?))
}

/// Settings that can work, of somebody who may set them.
fn check(access: &Access, settings: &Settings, secrets: &Secrets) -> Result<lazaret_notify::Kind, Problem> {
    settings.check().map_err(Problem::invalid)?;
    let kind = settings.kind().map_err(Problem::invalid)?;
    if kind == lazaret_notify::Kind::File && access.scope != Scope::All {
        return Err(Problem::new(
            Kind::Forbidden,
            "a file lies on the server's own disk: only an administrator of all projects can set it",
        ));
    }
    let user = settings.email.as_ref().is_some_and(|e| e.user.is_some());
    if secrets.password.is_some() && !user {
        return Err(Problem::invalid("password: only beside email.user"));
    }
    if secrets.token.is_some() && settings.http.is_none() {
        return Err(Problem::invalid("token: only for http"));
    }
    for text in [&secrets.password, &secrets.token].into_iter().flatten() {
        if text.len() > 1024 || text.chars().any(char::is_control) {
            return Err(Problem::invalid(
                "password, token: 1024 bytes at most, none of them a control character",
            ));
        }
    }
    Ok(kind)
}

/// As they go into the target's row.
fn sealed(api: &Api, target: &str, secrets: &Secrets) -> Result<String, Problem> {
    secrets.sealed(target, &*api.outbound.seal).map_err(|e| Problem::new(Kind::Internal, e))
}

async fn create(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<NewTarget>,
) -> Result<Created<Json<TargetSecret>>, Problem> {
    check_name("name", &ask.name)?;
    let project = match ask.project {
        Some(id) => projects::within(&api, &access, &id).await?.id,
        None if access.scope == Scope::All => String::new(),
        None => {
            return Err(Problem::new(
                Kind::Forbidden,
                "project: only an administrator of all projects can leave it out",
            ));
        }
    };
    let mut secrets = Secrets {
        password: ask.password.filter(|p| !p.is_empty()),
        token: ask.token.filter(|t| !t.is_empty()),
        webhook: Vec::new(),
    };
    let kind = check(&access, &ask.settings, &secrets)?;
    if api.store.targets(&Scope::Projects(vec![project.clone()])).await?.len() >= MOST {
        return Err(Problem::conflict(format!("the project has {MOST} targets already: delete one")));
    }
    let secret = if kind == lazaret_notify::Kind::Webhook {
        Some(secrets.rotate(false).map_err(|e| Problem::new(Kind::Internal, e))?)
    } else {
        None
    };
    let id = Uuid::now_v7().to_string();
    let row = TargetRow {
        secrets: sealed(&api, &id, &secrets)?,
        id,
        project,
        name: ask.name,
        kind: kind.word().to_owned(),
        settings: serde_json::to_string(&ask.settings).unwrap_or_default(),
        enabled: ask.enabled.unwrap_or(true),
        revision: 1,
        updated_ms: time::now_ms(),
        updated_by: access.who().to_owned(),
    };
    let target = view(&row, &TargetState::default(), &*api.outbound.seal)?;
    let record = Record::new(&access, &row.project, "target.create", format!("target {}", row.id));
    record.after(&target).on(&api).create_target(&row).await?;
    Ok(Created(Json(TargetSecret { target, secret })))
}

/// A mail server, its port and how it is talked to.
type MailServer<'a> = (&'a str, Option<u16>, lazaret_notify::Security);

/// Where a target's secrets go: a mail server, or an address.
fn place(s: &Settings) -> (Option<MailServer<'_>>, Option<&str>) {
    let mail = s.email.as_ref().map(|e| (e.server.as_str(), e.port, e.security));
    (mail, s.http.as_ref().map(|h| h.url.as_str()))
}

async fn update(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    IfMatch(seen): IfMatch,
    Json(ask): Json<TargetChange>,
) -> Result<Tagged<Target>, Problem> {
    let before = within(&api, &access, &id).await?;
    fresh(seen, before.revision)?;
    check_name("name", &ask.name)?;
    let old = settings_of(&before)?;
    let mut secrets =
        Secrets::of(&before, &*api.outbound.seal).map_err(|e| Problem::new(Kind::Internal, e))?;
    // Or whoever may change the address could have the secret sent to one of their own.
    let moved = place(&old) != place(&ask.settings);
    for (name, given, kept) in
        [("password", ask.password, &mut secrets.password), ("token", ask.token, &mut secrets.token)]
    {
        match given {
            Some(new) => *kept = Some(new).filter(|n| !n.is_empty()),
            None if moved && kept.is_some() => {
                return Err(Problem::invalid(format!(
                    "{name}: give it again, as it would go somewhere else now"
                )));
            }
            None => {}
        }
    }
    let kind = check(&access, &ask.settings, &secrets)?;
    if kind.word() != before.kind {
        return Err(Problem::invalid(format!(
            "settings: it is of the kind {}; make another target",
            before.kind
        )));
    }
    let row = TargetRow {
        name: ask.name,
        settings: serde_json::to_string(&ask.settings).unwrap_or_default(),
        secrets: sealed(&api, &id, &secrets)?,
        enabled: ask.enabled,
        updated_ms: time::now_ms(),
        updated_by: access.who().to_owned(),
        ..before.clone()
    };
    let record = Record::new(&access, &before.project, "target.update", format!("target {id}"));
    let store = record.before(&shown(&api, &before).await?).after(&shown(&api, &row).await?).on(&api);
    let written = store.update_target(&row).await;
    let after = raced(written, async { api.store.target(&id).await.map(|t| t.revision) }, seen).await?;
    Ok(Tagged(after.revision, shown(&api, &after).await?))
}

async fn remove(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    IfMatch(seen): IfMatch,
) -> Result<Empty, Problem> {
    let before = within(&api, &access, &id).await?;
    fresh(seen, before.revision)?;
    let record = Record::new(&access, &before.project, "target.delete", format!("target {id}"));
    let written = record.before(&shown(&api, &before).await?).on(&api).delete_target(&id, seen).await;
    raced(written, async { api.store.target(&id).await.map(|t| t.revision) }, seen).await?;
    Ok(Empty)
}

async fn test(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Json<TargetTest>, Problem> {
    let row = within(&api, &access, &id).await?;
    let settings = settings_of(&row)?;
    check(&access, &settings, &Secrets::default())?;
    let result = TargetTest::of(lazaret_notify::test(&api.outbound, &row).await);
    Record::new(&access, &row.project, "target.test", format!("target {id}"))
        .after(&result)
        .write(&api)
        .await?;
    Ok(Json(result))
}

async fn rotate(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    Json(ask): Json<RotateSecret>,
) -> Result<Json<TargetSecret>, Problem> {
    let before = within(&api, &access, &id).await?;
    if before.kind != lazaret_notify::Kind::Webhook.word() {
        return Err(Problem::conflict("only web hooks have a secret of this kind"));
    }
    let inside = |e| Problem::new(Kind::Internal, e);
    let mut secrets = Secrets::of(&before, &*api.outbound.seal).map_err(inside)?;
    let secret = secrets.rotate(ask.keep_old).map_err(inside)?;
    let row = TargetRow {
        secrets: sealed(&api, &id, &secrets)?,
        updated_ms: time::now_ms(),
        updated_by: access.who().to_owned(),
        ..before.clone()
    };
    let record = Record::new(&access, &before.project, "target.rotate_secret", format!("target {id}"));
    let store = record.after(&shown(&api, &row).await?).on(&api);
    let after = store.update_target(&row).await.map_err(|e| match e {
        StoreError::Conflict(_) => Problem::conflict("somebody changed it at the same time; do it again"),
        e => e.into(),
    })?;
    let target = shown(&api, &after).await?;
    Ok(Json(TargetSecret { target, secret: Some(secret) }))
}
