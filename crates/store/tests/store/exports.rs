// SPDX-License-Identifier: Apache-2.0
//! Files for people: whichever server is asked has them, and they stay within their bounds.

use crate::bed::Bed;
use lazaret_store::*;

const LIMITS: ExportLimits = ExportLimits { running: 2, kept: 3, bytes: 5 << 20, stale_ms: 1000 };

async fn another_server_gives_the_file_out(bed: Bed) {
    let (one, two) = (&bed.store, bed.another().await);
    let begun = one.begin_export("e", "ann", &LIMITS, 10).await.unwrap();
    assert_eq!((begun.state.as_str(), begun.user.as_str(), begun.parts), ("running", "ann", 0));
    one.add_export_part("e", b"head\r\n\xff", 1, &LIMITS, 20).await.unwrap();
    let whole = vec![7; EXPORT_PART];
    one.add_export_part("e", &whole, 5, &LIMITS, 30).await.unwrap();
    let seen = two.export("e").await.unwrap();
    assert_eq!((seen.rows, seen.parts, seen.bytes, seen.updated_ms), (5, 2, 7 + (1 << 20), 30));
    one.end_export("e", None, 40).await.unwrap();
    assert_eq!(two.export("e").await.unwrap().state, "done");
    assert_eq!(two.export_part("e", 0).await.unwrap(), b"head\r\n\xff");
    assert_eq!(two.export_part("e", 1).await.unwrap(), whole);
    assert!(matches!(two.export_part("e", 2).await, Err(StoreError::NotFound(_))));
    assert!(matches!(two.export("none").await, Err(StoreError::NotFound(_))));
    // It is over: nothing is added behind its end.
    assert!(matches!(one.add_export_part("e", b"x", 6, &LIMITS, 50).await, Err(StoreError::Conflict(_))));
    assert!(matches!(one.end_export("e", Some("late"), 50).await, Err(StoreError::Conflict(_))));
}

async fn exports_stay_within_their_bounds(bed: Bed) {
    let store = &bed.store;
    for id in ["a", "b"] {
        store.begin_export(id, "ann", &LIMITS, 10).await.unwrap();
    }
    let third = store.begin_export("c", "ann", &LIMITS, 11).await.unwrap_err();
    assert!(matches!(&third, StoreError::Conflict(t) if t.contains("too many")), "{third}");
    let part = vec![1; EXPORT_PART];
    let long = vec![1; EXPORT_PART + 1];
    assert!(matches!(
        store.add_export_part("a", &long, 1, &LIMITS, 12).await,
        Err(StoreError::BadRequest(_))
    ));
    for n in 1..=5 {
        store.add_export_part("a", &part, n, &LIMITS, 12).await.unwrap();
    }
    let full = store.add_export_part("b", b"x", 1, &LIMITS, 12).await.unwrap_err();
    assert!(matches!(&full, StoreError::Conflict(t) if t.contains("5 MiB")), "{full}");
    assert_eq!(store.export("b").await.unwrap().parts, 0, "nothing of it is left");
    store.end_export("b", Some("no room"), 13).await.unwrap();
    assert_eq!(store.export("b").await.unwrap().reason, "no room");
    assert!(store.begin_export("c", "ann", &LIMITS, 13).await.is_err(), "they still take all room");
    store.end_export("a", Some("given up"), 14).await.unwrap();
    assert!(matches!(store.export_part("a", 0).await, Err(StoreError::NotFound(_))), "its content is gone");
    store.begin_export("c", "ann", &LIMITS, 14).await.unwrap();
    assert!(store.begin_export("d", "ann", &LIMITS, 14).await.is_err(), "three are kept");
}

async fn old_ones_go_and_forgotten_ones_end(bed: Bed) {
    let store = &bed.store;
    store.begin_export("old", "ann", &LIMITS, 10).await.unwrap();
    store.add_export_part("old", b"x", 1, &LIMITS, 10).await.unwrap();
    store.begin_export("young", "ann", &LIMITS, 900).await.unwrap();
    // The server of the first one is gone; its place is free again.
    let third = store.begin_export("third", "ann", &LIMITS, 1500).await.unwrap();
    assert_eq!(third.state, "running");
    let old = store.export("old").await.unwrap();
    assert_eq!((old.state.as_str(), old.parts), ("failed", 0));
    assert!(old.reason.contains("export anew"), "{}", old.reason);
    assert_eq!(store.delete_exports(900, 1000, 2000).await.unwrap(), 1);
    assert!(matches!(store.export("old").await, Err(StoreError::NotFound(_))));
    assert_eq!(store.export("young").await.unwrap().state, "failed");
    assert_eq!(store.export("third").await.unwrap().state, "running");
}

on_both!(
    another_server_gives_the_file_out,
    exports_stay_within_their_bounds,
    old_ones_go_and_forgotten_ones_end,
);
