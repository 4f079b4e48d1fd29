// SPDX-License-Identifier: Apache-2.0
//! Tests of what is said of the whitelist beside an order.

use super::*;

#[test]
fn what_is_refused_gets_no_entry() {
    let answer = json!({ "refused": [{ "id": "a", "reason": "gone" }] });
    let ids = |name: &str, things: &[Value]| -> Vec<String> {
        taken(things, name, &answer).iter().map(|t| text(t, name).to_owned()).collect()
    };
    assert_eq!(ids("id", &[json!({ "id": "a" }), json!({ "id": "b" })]), ["b"]);
    assert_eq!(ids("alarm", &[json!({ "id": "b", "alarm": "a" }), json!({ "alarm": "c" })]), ["c"]);
}

#[test]
fn what_waits_leaves_the_whitelist_as_it_is() {
    let adds = Follows::Contents(Vec::new(), String::new()).while_it_waits();
    assert!(adds.contains("not made, by the approval neither"), "{adds}");
    assert!(Follows::Gone(vec![json!({})]).while_it_waits().contains("entries stay"));
    assert_eq!(Follows::Gone(Vec::new()).while_it_waits(), "");
    assert!(Follows::Rules(Vec::new()).without_it().contains("hosts were told"));
}

#[test]
fn projects_without_an_entry_are_named() {
    assert_eq!(hosts_alone(&BTreeSet::new()), None);
    let text = hosts_alone(&BTreeSet::from(["a".to_owned(), "b".to_owned()])).unwrap();
    assert!(text.contains("in the projects a b:"), "{text}");
}
