// SPDX-License-Identifier: Apache-2.0
//! The schema is brought up once, and a newer one is left alone.

use crate::bed::Bed;
use crate::rows::*;
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
    bed.tamper(
        "INSERT INTO schema_version (version) VALUES (999); UPDATE meta SET value = '999' WHERE name = 'min_reader'",
    )
    .await;
    let refused = bed.store.migrate().await.unwrap_err();
    assert!(matches!(&refused, StoreError::Corrupt(t) if t.contains("999")), "{refused}");
    assert!(matches!(bed.store.schema().await, Err(StoreError::Corrupt(_))));
}

/// What a next release may do while this one still runs on the same database (docs/adr/0013).
const EXPANDED: &str = "ALTER TABLE hosts ADD COLUMN region TEXT NOT NULL DEFAULT '';\
     ALTER TABLE alarms ADD COLUMN tactic TEXT NOT NULL DEFAULT '';\
     ALTER TABLE commands ADD COLUMN priority BIGINT;\
     CREATE TABLE regions (id TEXT NOT NULL PRIMARY KEY);\
     CREATE INDEX alarms_by_tactic ON alarms (tactic);\
     INSERT INTO schema_version (version) VALUES (998)";
/// The same: SQLite's strict tables know no BIGINT.
const EXPANDED_SQLITE: &str = "ALTER TABLE hosts ADD COLUMN region TEXT NOT NULL DEFAULT '';\
     ALTER TABLE alarms ADD COLUMN tactic TEXT NOT NULL DEFAULT '';\
     ALTER TABLE commands ADD COLUMN priority INTEGER;\
     CREATE TABLE regions (id TEXT NOT NULL PRIMARY KEY);\
     CREATE INDEX alarms_by_tactic ON alarms (tactic);\
     INSERT INTO schema_version (version) VALUES (998)";

async fn this_program_works_on_a_schema_that_was_expanded(bed: Bed) {
    // One that ran before, and one that starts after it.
    bed.store.insert_host(&host("before")).await.unwrap();
    bed.store.ingest(alarms("before", 1..=3)).await.unwrap();
    bed.tamper(if bed.store.is_postgres() { EXPANDED } else { EXPANDED_SQLITE }).await;
    let after = bed.another().await;
    assert_eq!(after.migrate().await.unwrap(), Migrated { from: 998, to: 998 });
    for (store, name) in [(&bed.store, "a"), (&after, "b")] {
        store.insert_host(&host(name)).await.unwrap();
        store.ingest(alarms(name, 1..=3)).await.unwrap();
        store.ingest(alarms(name, 2..=5)).await.unwrap();
        let one = format!("{name}-2");
        assert_eq!(store.set_handled(std::slice::from_ref(&one), "ignore", "ann", "", 9).await.unwrap(), 1);
        assert!(store.alarm(&one).await.unwrap().handled);
        let all = store.alarms_page(&Scope::All, &AlarmFilter::default(), &page(100)).await.unwrap();
        assert!(all.items.iter().any(|a| a.id == one));
        store.insert_commands(&[command(if name == "a" { 1 } else { 2 }, name, "")]).await.unwrap();
        assert_eq!(store.pending_commands(&[name.to_owned()], 10).await.unwrap().len(), 1);
        store
            .ingest(batch(name, vec![record(6, What::Isolated(Box::new(isolated(name, &one))))]))
            .await
            .unwrap();
        assert_eq!(store.isolated(name).await.unwrap().alarm, one);
        store.append_audit(&NewAudit { action: name.into(), ..NewAudit::default() }).await.unwrap();
        store.prepare_alarm_days(9 * 86_400_000).await.unwrap();
    }
    assert_eq!(after.delete_alarms_before(3, 100).await.unwrap(), 6);
    after.close().await;
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

on_both!(
    migrating_twice_changes_nothing,
    a_newer_database_is_left_alone,
    this_program_works_on_a_schema_that_was_expanded,
);
