// SPDX-License-Identifier: Apache-2.0
//! A host of the API: what HSS says of every host, wherever it is named.

use crate::call::Call;
use crate::error::HssError;
use crate::hosts::editions::NONE;
use crate::ids;
use crate::rest::Query;
use crate::words::text;
use serde_json::Value;
use std::collections::HashMap;

/// Hosts by their ids, removed ones too.
pub(crate) async fn by_id<'a>(
    call: &Call,
    ids: impl IntoIterator<Item = &'a str> + Send,
) -> Result<HashMap<String, Value>, HssError> {
    let query: Query = vec![("removed", "true".to_owned())];
    let rows = ids::rows(&call.rest, "/hosts", &query, ids).await?;
    Ok(rows.into_iter().map(|h| (text(&h, "id").to_owned(), h)).collect())
}

/// Hosts by their ids, in the projects that are asked for.
pub(crate) async fn here<'a>(
    call: &Call,
    ids: impl IntoIterator<Item = &'a str> + Send,
) -> Result<HashMap<String, Value>, HssError> {
    let rows = ids::rows(&call.rest, "/hosts", &call.scoped(), ids).await?;
    Ok(rows.into_iter().map(|h| (text(&h, "id").to_owned(), h)).collect())
}

/// Whether its agent is connected.
pub(crate) fn is_online(host: &Value) -> bool {
    text(host, "status") == "online"
}

/// Whether a quota is in force for it.
pub(crate) fn has_edition(host: &Value) -> bool {
    !["", NONE].contains(&text(host, "edition.edition"))
}

/// Whether it acts on some of what it is to protect, as far as it said.
fn acts(host: &Value) -> bool {
    ["full", "partial"].contains(&text(host, "protection.state"))
}

/// `closed`: no edition is in force; `protection_exception`: one is, and the agent is away or protects nothing.
pub(crate) fn protect_status(host: &Value) -> &'static str {
    match (has_edition(host), is_online(host) && acts(host)) {
        (false, _) => "closed",
        (true, true) => "opened",
        (true, false) => "protection_exception",
    }
}

/// Where there are only two words: what is not known to be protected is not.
pub(crate) fn open_or_closed(host: &Value) -> &'static str {
    if protect_status(host) == "opened" { "opened" } else { "closed" }
}

/// Only of hosts whose agents are connected Lazaret knows that they run.
pub(crate) fn host_status(host: &Value) -> Option<&'static str> {
    is_online(host).then_some("ACTIVE")
}

/// `PRETTY_NAME` as `os_name` and `os_version`: the version begins with the first word that is a number.
pub(crate) fn system(pretty: &str) -> (Option<&str>, Option<&str>) {
    let mut before = ' ';
    let number = pretty.char_indices().find_map(|(at, c)| {
        let begins = before == ' ' && c.is_ascii_digit();
        before = c;
        begins.then_some(at)
    });
    let (name, version) = pretty.split_at(number.unwrap_or(pretty.len()));
    let filled = |t: &'_ str| !t.trim().is_empty();
    (Some(name.trim()).filter(|t| filled(t)), Some(version.trim()).filter(|t| filled(t)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn protection_in_two_words_and_three() {
        for (status, state, edition, word) in [
            ("online", "full", "enterprise", "opened"),
            ("online", "partial", "basic", "opened"),
            ("online", "none", "enterprise", "protection_exception"),
            ("online", "unknown", "enterprise", "protection_exception"),
            ("offline", "full", "enterprise", "protection_exception"),
            ("online", "full", "none", "closed"),
            ("offline", "full", "", "closed"),
        ] {
            let host = json!({ "status": status, "edition": { "edition": edition }, "protection": { "state": state } });
            assert_eq!(protect_status(&host), word, "{status} {state} {edition}");
            assert_eq!(open_or_closed(&host) == "opened", word == "opened");
            assert_eq!(host_status(&host).is_some(), status == "online");
        }
    }

    #[test]
    fn names_of_systems() {
        assert_eq!(system("Ubuntu 22.04.3 LTS"), (Some("Ubuntu"), Some("22.04.3 LTS")));
        assert_eq!(
            system("Debian GNU/Linux 12 (bookworm)"),
            (Some("Debian GNU/Linux"), Some("12 (bookworm)"))
        );
        assert_eq!(system("openSUSE Tumbleweed"), (Some("openSUSE Tumbleweed"), None));
        assert_eq!(system("Alma8 Linux"), (Some("Alma8 Linux"), None));
        assert_eq!(system(""), (None, None));
    }
}
