// SPDX-License-Identifier: Apache-2.0
//! The schema is brought up once, and a newer one is left alone.

use crate::bed::Bed;
use lazaret_store::*;
use std::os::unix::fs::PermissionsExt;

async fn migrating_twice_changes_nothing(bed: Bed) {
    let store = &bed.store;
    let (meta, version) = (store.meta().await.unwrap(), store.schema().await.unwrap());
    assert!(version >= 1);
    assert_eq!(store.migrate().await.unwrap(), Migrated { from: version, to: version });
    assert_eq!(store.meta().await.unwrap(), meta);
    assert_eq!(store.project(DEFAULT_PROJECT).await.unwrap().name, "default");
    let new = store.bump_incarnation().await.unwrap();
    let now = store.meta().await.unwrap();
    assert_eq!(
        (now.installation, now.incarnation == new, new == meta.incarnation),
        (meta.installation, true, false)
    );
    assert_eq!(store.setting("nothing").await.unwrap(), None);
}

async fn a_newer_database_is_left_alone(bed: Bed) {
    bed.tamper("INSERT INTO schema_version (version) VALUES (999)").await;
    let refused = bed.store.migrate().await.unwrap_err();
    assert!(matches!(&refused, StoreError::Corrupt(t) if t.contains("999")), "{refused}");
    assert!(matches!(bed.store.schema().await, Err(StoreError::Corrupt(_))));
}

#[test]
fn two_servers_that_start_at_once_migrate_once() {
    crate::bed::run(Bed::postgres, async |bed: Bed| {
        let url = bed.cluster.as_ref().unwrap().create("fresh");
        let (one, two) = (Store::open(&url).await.unwrap(), Store::open(&url).await.unwrap());
        assert_eq!(one.schema().await.unwrap(), 0);
        assert!(matches!(one.meta().await, Err(StoreError::Other(_) | StoreError::Corrupt(_))));
        let (first, second) = tokio::join!(one.migrate(), two.migrate());
        let mut from = [first.unwrap().from, second.unwrap().from];
        from.sort_unstable();
        assert_eq!(from, [0, one.schema().await.unwrap()]);
    });
}

#[test]
fn addresses_that_make_no_sense_are_refused() {
    crate::bed::run(Bed::sqlite, async |bed: Bed| {
        let mode = std::fs::metadata(&bed.url).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for (url, part) in [
            ("mysql://x", "unknown kind"),
            ("sqlite::memory:", "no file"),
            ("/none/of/this.db", "cannot be opened"),
            ("postgres://u:geheim@[", "address"),
        ] {
            let refused = Store::open(url).await.unwrap_err().to_string();
            assert!(refused.contains(part) && !refused.contains("geheim"), "{url}: {refused}");
        }
        std::fs::write(format!("{}.bad", bed.url), vec![1; 8192]).unwrap();
        let damaged = match Store::open(&format!("{}.bad", bed.url)).await {
            Ok(store) => store.migrate().await.map(|_| ()),
            Err(e) => Err(e),
        };
        assert!(matches!(damaged, Err(StoreError::Corrupt(_))), "{damaged:?}");
    });
}

on_both!(migrating_twice_changes_nothing, a_newer_database_is_left_alone);
