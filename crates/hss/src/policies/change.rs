// SPDX-License-Identifier: Apache-2.0
//! Copies of policy groups, and how closely hosts look.

use super::{default_group, find, group_id, path};
use crate::ask::one_of;
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::settings;
use crate::words;
use serde_json::{Value, json};

/// Words of HSS; ours are the same.
const MODES: [(&str, &str); 2] = [("high_detection", "high_detection"), ("equalization", "equalization")];

pub(crate) async fn add_policy_group(call: &Call) -> Answer {
    let body = &call.ask.body;
    let project = call.project()?;
    let (name, description) = named(body)?;
    let source = group_id(body, "group_id")?;
    let settings = if source == default_group::id(project) {
        json!({})
    } else {
        words::at(&find(call, source).await?, "settings").clone()
    };
    let new = json!({ "project": project, "name": name, "description": description, "settings": settings });
    let made = call.rest.post("/policy-groups", &new).await?;
    Ok(json!({ "lazaret_group_id": words::at(&made, "id") }).into())
}

/// Name and description within HSS's bounds.
fn named(body: &Value) -> Result<(&str, &str), HssError> {
    let (name, description) = (words::text(body, "name"), words::text(body, "description"));
    if name.trim().is_empty() {
        return Err(HssError::invalid("name: is missing; 1 to 32 characters"));
    }
    if name.starts_with(default_group::NAME) {
        return Err(HssError::invalid(format!(
            "name: begins with {}; that is for defaults",
            default_group::NAME
        )));
    }
    plain("name", name, 32)?;
    plain("description", description, 64)?;
    Ok((name, description))
}

fn plain(field: &str, text: &str, most: usize) -> Result<(), HssError> {
    let good = |c: char| {
        c.is_ascii_alphanumeric() || ('\u{4e00}'..='\u{9fff}').contains(&c) || ",.，。 _-".contains(c)
    };
    if text.chars().count() > most || !text.chars().all(good) {
        return Err(HssError::invalid(format!(
            "{field}: {most} characters at most, of Chinese characters, letters, digits, spaces and , . _ -"
        )));
    }
    Ok(())
}

pub(crate) async fn change_policy_group(call: &Call) -> Answer {
    let body = &call.ask.body;
    let id = group_id(body, "group_id")?;
    let mode = words::text(body, "protect_mode");
    if mode.is_empty() {
        return Err(HssError::invalid("protect_mode: is missing; say high_detection or equalization"));
    }
    let mode = one_of("protect_mode", mode, &MODES)?;
    // The default group is the project's switches.
    if let Some(project) = default_group::project_of(call, id).await? {
        let high = mode == "high_detection";
        return Ok(settings::set(&call.rest, &project, settings::HIGH_DETECTION, high).await?.into());
    }
    find(call, id).await?;
    call.rest.change(&path(id), |group| with_mode(group, mode)).await?;
    Ok(json!({}).into())
}

/// The whole group as it is to be.
fn with_mode(group: &Value, mode: &str) -> Result<Value, HssError> {
    let settings = words::at(group, "settings").as_object();
    let mut settings = settings
        .cloned()
        .ok_or_else(|| HssError::internal("the API shows a policy group without settings"))?;
    settings.insert("protect_mode".to_owned(), json!(mode));
    Ok(json!({
        "name": words::at(group, "name"),
        "description": words::at(group, "description"),
        "settings": settings,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_held_to_their_bounds() {
        let body = json!({ "name": "网页 web-1_a", "description": "x, y." });
        assert_eq!(named(&body).unwrap(), ("网页 web-1_a", "x, y."));
        assert_eq!(named(&json!({ "name": "a" })).unwrap(), ("a", ""));
        for (body, word) in [
            (json!({}), "name: is missing"),
            (json!({ "name": "  " }), "name: is missing"),
            (json!({ "name": "default_policy_group_2" }), "defaults"),
            (json!({ "name": "a".repeat(33) }), "name: 32"),
            (json!({ "name": "a/b" }), "name: 32"),
            (json!({ "name": "a", "description": "x".repeat(65) }), "description: 64"),
            (json!({ "name": "a", "description": "<b>" }), "description: 64"),
        ] {
            let e = named(&body).unwrap_err();
            assert!(e.message().contains(word), "{body}: {}", e.message());
        }
    }

    #[test]
    fn all_but_the_mode_stays() {
        let group = json!({
            "id": "p", "name": "web", "description": "d", "revision": 3,
            "settings": { "exclude": ["/srv"], "protect_mode": "equalization" },
        });
        let body = with_mode(&group, "high_detection").unwrap();
        let settings = json!({ "exclude": ["/srv"], "protect_mode": "high_detection" });
        assert_eq!(body, json!({ "name": "web", "description": "d", "settings": settings }));
        assert!(with_mode(&json!({}), "equalization").is_err());
    }
}
