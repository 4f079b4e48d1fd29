// SPDX-License-Identifier: Apache-2.0
//! What handling all events of a class has in the whitelist.

use super::Category;
use crate::alarm;
use crate::ask::MOST;
use crate::call::Call;
use crate::error::HssError;
use crate::handling::{UNWHITELISTS, WHITELISTS};
use crate::page;
use crate::rest::Query;
use crate::rights::Rights;
use crate::rule::content;
use crate::rule::handled::Follows;
use crate::words::text;
use serde_json::Value;
use std::collections::BTreeSet;

/// Events that the API handles at once.
const MOST_EVENTS: u64 = 10_000;
/// Whitelist entries of a class that are looked at.
const MOST_ENTRIES: u64 = 10_000;

fn of(call: &Call, class: &str) -> Query {
    let mut query = call.scoped();
    query.push(("class", class.to_owned()));
    query
}

/// What follows, and what is to be known of it. Looked up before anything is handled: afterwards the events are others.
pub(super) async fn follows(
    call: &Call,
    class: &str,
    category: Option<Category>,
    verb: &str,
    remark: &str,
) -> Result<(Follows, Option<String>), HssError> {
    match verb {
        WHITELISTS => Ok(match contents(call, class, category).await? {
            Some(alarms) => (Follows::Contents(alarms, remark.to_owned()), None),
            None => (Follows::Nothing, Some(too_many())),
        }),
        UNWHITELISTS => Ok((Follows::Gone(entries(call, class, category).await?), None)),
        _ => Ok((Follows::Nothing, None)),
    }
}

fn too_many() -> String {
    format!(
        "over {MOST} different contents: only the hosts that raised them let them be, and no whitelist entry is made for \
         the others; change_event makes them, 100 events at a time"
    )
}

/// One event of each content that is handled so; `None`: there are too many.
async fn contents(
    call: &Call,
    class: &str,
    category: Option<Category>,
) -> Result<Option<Vec<Value>>, HssError> {
    let mut query = of(call, class);
    query.push(("handle_status", "unhandled".to_owned()));
    query.extend(category.and_then(Category::in_container).map(|c| ("in_container", c.to_string())));
    let rights = Rights::of(call).await?;
    let (mut seen, mut firsts) = (BTreeSet::new(), Vec::new());
    let all = page::each(&call.rest, "/alarms", &query, MOST_EVENTS, |alarm| {
        if let Some((project, sha256, _)) = content::of(alarm)
            && rights.operates(project)
            && seen.insert((project.to_owned(), sha256.to_owned()))
        {
            firsts.push(alarm.clone());
        }
        firsts.len() <= MOST
    });
    // Of more events than the API handles at once the others are of the next request.
    all.await?;
    Ok((firsts.len() <= MOST).then_some(firsts))
}

/// Entries that were made by handling events of the class, as far as this takes that back.
async fn entries(call: &Call, class: &str, category: Option<Category>) -> Result<Vec<Value>, HssError> {
    let mut query = of(call, class);
    query.extend([("field", "hash".to_owned()), ("scope", "project".to_owned())]);
    let rights = Rights::of(call).await?;
    let mut found = page::all(&call.rest, "/whitelist", &query, MOST_ENTRIES).await?;
    found.retain(|e| content::is_of_content(e) && rights.operates(text(e, "project")));
    let alarms = alarm::by_id(call, &call.scoped(), found.iter().map(|e| text(e, "alarm"))).await?;
    found.retain(|e| goes(category, alarms.get(text(e, "alarm"))));
    Ok(found)
}

/// Whether an entry goes, by the alarm that it was made from: with one that is whitelisted still, and with those that are
/// not kept any more.
fn goes(category: Option<Category>, alarm: Option<&Value>) -> bool {
    match alarm {
        Some(a) => text(a, "handled.by") == WHITELISTS && category.is_none_or(|c| c.has(a)),
        None => category.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn entries_go_with_their_alarms() {
        let alarm =
            |by: &str, container: Option<&str>| json!({ "handled": { "by": by }, "container": container });
        assert!(goes(None, Some(&alarm(WHITELISTS, None))) && goes(None, None));
        assert!(!goes(None, Some(&alarm("ignore", None))));
        assert!(goes(Some(Category::Container), Some(&alarm(WHITELISTS, Some("web")))));
        assert!(!goes(Some(Category::Container), Some(&alarm(WHITELISTS, None))));
        assert!(!goes(Some(Category::Host), None), "nobody knows where it was");
    }

    #[test]
    fn too_many_are_said() {
        assert!(too_many().starts_with("over 100 different contents"));
    }
}
