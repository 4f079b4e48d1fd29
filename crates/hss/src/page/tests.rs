// SPDX-License-Identifier: Apache-2.0
//! Tests of parts of lists.

use super::*;
use serde_json::json;

#[test]
fn places_are_found_from_the_nearest_before() {
    let list = "a list of this test";
    assert_eq!(nearest(list, 5000), (0, None));
    remember(list, 1000, "one");
    remember(list, 2000, "two");
    assert_eq!(nearest(list, 999), (0, None));
    assert_eq!(nearest(list, 1999), (1000, Some("one".to_owned())));
    assert_eq!(nearest(list, 2000), (2000, Some("two".to_owned())));
    assert_eq!(nearest("another list of this test", 2000), (0, None));
}

#[test]
fn a_part_of_what_is_here() {
    let items: Vec<Value> = (0..25).map(|n| json!(n)).collect();
    let at = Offset { offset: 20, limit: 10 };
    let listed = cut(items, at);
    assert_eq!(
        (listed.total, listed.items),
        (25, vec![json!(20), json!(21), json!(22), json!(23), json!(24)])
    );
}
