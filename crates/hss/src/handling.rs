// SPDX-License-Identifier: Apache-2.0
//! Ways of handling alarms, which have the same words here and in the API.

/// Whether somebody dealt with an alarm; ours are the same words.
pub(crate) const STATUSES: [(&str, &str); 2] = [("unhandled", "unhandled"), ("handled", "handled")];

/// What rules of one's own can go with.
pub(crate) const WHITELISTS: &str = "add_to_alarm_whitelist";

/// What takes that back.
pub(crate) const UNWHITELISTS: &str = "remove_from_alarm_whitelist";

/// What takes something back, and what it takes back.
const UNDOES: [(&str, &str); 4] = [
    ("unhandle", "mark_as_handled"),
    ("do_not_ignore", "ignore"),
    (UNWHITELISTS, WHITELISTS),
    ("do_not_isolate_or_kill", "isolate_and_kill"),
];

/// What takes which handling back; `None`: it takes none back.
pub(crate) fn undoes(verb: &str) -> Option<&'static str> {
    UNDOES.iter().find(|(v, _)| *v == verb).map(|(_, u)| *u)
}

/// How an alarm stands after it.
pub(crate) fn status_after(verb: &str) -> &'static str {
    if undoes(verb).is_some() { "unhandled" } else { "handled" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_back_is_open_again() {
        assert_eq!((status_after("unhandle"), status_after("isolate_and_kill")), ("unhandled", "handled"));
        assert_eq!((undoes("do_not_ignore"), undoes("ignore")), (Some("ignore"), None));
    }
}
