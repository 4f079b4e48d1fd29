// SPDX-License-Identifier: Apache-2.0
//! Whether people of a project are reminded while malicious programs are not isolated and killed by themselves.

use super::extract::{Json, Path};
use super::gate::Access;
use super::permission::Permission;
use super::problem::{Kind, Problem};
use super::projects;
use super::record::Record;
use super::route::{Routes, get, put};
use super::state::Api;
use crate::time;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether a project's people are reminded.
#[derive(Debug, Serialize, ToSchema)]
struct Reminders {
    project: String,
    reminders: bool,
    /// Absent when nobody has set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    set_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    set_at: Option<String>,
}

/// Yes or no.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RemindersChange {
    reminders: bool,
}

/// As the store keeps it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    reminders: bool,
    who: String,
    at_ms: i64,
}

pub(crate) fn routes(r: &mut Routes) {
    r.add(
        Permission::View,
        get(
            "/projects/{project}/reminders",
            "getReminders",
            "Whether people are reminded that nothing acts by itself",
        )
        .describe("The console reminds while the switch `isolate_and_kill` of the project is off.")
        .answers::<Reminders>(200),
        show,
    );
    r.add(
        Permission::Administer,
        put("/projects/{project}/reminders", "setReminders", "Say whether people are reminded")
            .describe("Changes nothing on hosts.")
            .body::<RemindersChange>()
            .answers::<Reminders>(200),
        set,
    );
}

/// Key of the setting.
fn key(project: &str) -> String {
    format!("reminders {project}")
}

/// Of what is kept. What cannot be read counts as never set: to remind harms nothing.
fn read(kept: Option<&str>) -> Kept {
    let never = Kept { reminders: true, who: String::new(), at_ms: 0 };
    kept.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(never)
}

fn view(project: &str, kept: &Kept) -> Reminders {
    Reminders {
        project: project.to_owned(),
        reminders: kept.reminders,
        set_by: crate::json::some(&kept.who),
        set_at: time::some_rfc3339(kept.at_ms),
    }
}

async fn kept(api: &Api, project: &str) -> Result<Reminders, Problem> {
    let text = api.store.setting(&key(project)).await?;
    Ok(view(project, &read(text.as_deref())))
}

async fn show(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Json<Reminders>, Problem> {
    projects::within(&api, &access, &id).await?;
    Ok(Json(kept(&api, &id).await?))
}

async fn set(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    Json(ask): Json<RemindersChange>,
) -> Result<Json<Reminders>, Problem> {
    projects::within(&api, &access, &id).await?;
    let before = kept(&api, &id).await?;
    let after = Kept { reminders: ask.reminders, who: access.who().to_owned(), at_ms: time::now_ms() };
    let shown = view(&id, &after);
    let text = serde_json::to_string(&after)
        .map_err(|e| Problem::new(Kind::Internal, format!("the setting: {e}")))?;
    Record::new(&access, &id, "project.reminders", format!("project {id}"))
        .before(&before)
        .after(&shown)
        .on(&api)
        .set_setting(&key(&id), &text)
        .await?;
    Ok(Json(shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_reminded_unless_somebody_said_no() {
        for never in [None, Some(""), Some("no"), Some("{}")] {
            let shown = view("0", &read(never));
            assert!(shown.reminders, "{never:?}");
            assert_eq!(serde_json::to_string(&shown).unwrap(), r#"{"project":"0","reminders":true}"#);
        }
        let kept = Kept { reminders: false, who: "ada".to_owned(), at_ms: 1_709_210_096_789 };
        let text = serde_json::to_string(&kept).unwrap();
        assert_eq!(read(Some(&text)), kept);
        let shown = view("0", &kept);
        assert_eq!((shown.reminders, shown.set_by.as_deref()), (false, Some("ada")));
        assert_eq!(shown.set_at.as_deref(), Some("2024-02-29T12:34:56.789Z"));
    }
}
