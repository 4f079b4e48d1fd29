// SPDX-License-Identifier: Apache-2.0
//! Days of alarms that come and go, data that goes out and comes back, and content of projects.

use crate::bed::Bed;
use crate::cloud_rows as cloud;
use crate::rows::*;
use lazaret_store::*;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

const DAY_MS: i64 = 86_400_000;

fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// An id that was born then.
fn born(ms: i64) -> String {
    let seconds = u64::try_from(ms / 1000).unwrap();
    uuid::Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, 0)).to_string()
}

async fn total(store: &Store) -> u64 {
    store.alarms_page(&Scope::All, &AlarmFilter::default(), &page(100)).await.unwrap().total
}

async fn rows_of(store: &Store, table: &str) -> u64 {
    let counts = store.row_counts().await.unwrap();
    counts.into_iter().find(|(name, _)| name == table).unwrap().1
}

async fn days_that_are_over_go_and_what_came_again_stays(bed: Bed) {
    let store = &bed.store;
    store.insert_host(&host("a")).await.unwrap();
    let (now, then) = (now_ms(), now_ms() - 40 * DAY_MS);
    // As a server that ran then had them.
    store.prepare_alarm_days(then).await.unwrap();
    let (gone, again, fresh) = (born(then), born(then), born(now));
    let records = vec![
        record(1, says(alarm(&gone, then))),
        record(2, says(alarm(&again, now))),
        record(3, says(alarm(&fresh, now))),
        record(4, What::Isolated(Box::new(isolated("iso", &gone)))),
    ];
    store.ingest(batch("a", records)).await.unwrap();
    let before = now - 30 * DAY_MS;
    assert_eq!(store.delete_alarms_before(before, 100).await.unwrap(), 1);
    let left = if store.is_postgres() { 3 } else { 2 };
    assert_eq!(rows_of(store, "alarm_details").await, left, "what is wide of a day waits for its day");
    let days = store.drop_alarm_days(before).await.unwrap();
    assert_eq!(days > 0, store.is_postgres(), "{days}");
    assert_eq!(store.drop_alarm_days(before).await.unwrap(), 0, "once");
    assert_eq!(rows_of(store, "alarm_details").await, 2);
    assert!(matches!(store.alarm(&gone).await, Err(StoreError::NotFound(_))));
    assert_eq!(store.isolated("iso").await.unwrap().alarm_title, format!("title of {gone}"));
    assert_eq!(store.alarm(&again).await.unwrap().cmdline, alarm("x", 1).cmdline, "with its details");
    assert_eq!(total(store).await, 2);
    // Whatever day it was born, it is one row.
    let newer = AlarmRow { count: 9, ..alarm(&again, now + 1) };
    store.ingest(batch("a", vec![record(5, says(newer)), record(6, says(alarm(&gone, now)))])).await.unwrap();
    assert_eq!((store.alarm(&again).await.unwrap().count, total(store).await), (9, 3));
    assert_eq!(rows_of(store, "alarm_details").await, 3);
}

async fn what_came_late_is_kept_from_when_it_came(bed: Bed) {
    let store = &bed.store;
    store.insert_host(&host("a")).await.unwrap();
    let (now, then) = (now_ms(), now_ms() - 40 * DAY_MS);
    store.prepare_alarm_days(then).await.unwrap();
    // A host whose clock is 40 days behind, and two that are old.
    let (late, twice, old) = (born(then), born(then), born(then));
    let came = |id: &str, received_ms: i64| AlarmRow { received_ms, ..alarm(id, then) };
    let records = vec![
        record(1, says(came(&late, now))),
        record(2, says(came(&twice, then))),
        record(3, says(came(&old, then))),
        record(4, says(came(&twice, now))),
    ];
    store.ingest(batch("a", records)).await.unwrap();
    assert_eq!(store.alarm(&twice).await.unwrap().received_ms, now, "of its newest form");
    let before = now - 30 * DAY_MS;
    assert_eq!(store.delete_alarms_before(before, 100).await.unwrap(), 1);
    store.drop_alarm_days(before).await.unwrap();
    assert!(matches!(store.alarm(&old).await, Err(StoreError::NotFound(_))));
    for id in [&late, &twice] {
        let kept = store.alarm(id).await.unwrap();
        assert_eq!((kept.received_ms, kept.cmdline), (now, alarm("x", 1).cmdline), "with its details");
    }
    assert_eq!(rows_of(store, "alarm_details").await, 2);
    // Its time is over at last.
    assert_eq!(store.delete_alarms_before(now, 100).await.unwrap(), 0);
    assert_eq!(store.delete_alarms_before(now + 1, 100).await.unwrap(), 2);
    assert_eq!((total(store).await, rows_of(store, "alarm_details").await), (0, 0));
}

async fn an_alarm_that_is_ahead_of_its_day_is_moved_into_it(bed: Bed) {
    let store = &bed.store;
    store.insert_host(&host("a")).await.unwrap();
    let ahead = born(now_ms() + 20 * DAY_MS);
    store.ingest(batch("a", vec![record(1, says(alarm(&ahead, 5)))])).await.unwrap();
    store.prepare_alarm_days(now_ms() + 18 * DAY_MS).await.unwrap();
    store.prepare_alarm_days(now_ms() + 18 * DAY_MS).await.unwrap();
    assert_eq!(store.alarm(&ahead).await.unwrap().cmdline, alarm("x", 1).cmdline);
    store.ingest(batch("a", vec![record(2, says(AlarmRow { count: 4, ..alarm(&ahead, 6) }))])).await.unwrap();
    assert_eq!((store.alarm(&ahead).await.unwrap().count, total(store).await), (4, 1));
    assert_eq!(
        store.migrate().await.unwrap().from,
        store.schema().await.unwrap(),
        "a start finds its partitions"
    );
}

async fn old_histories_and_ended_orders_go(bed: Bed) {
    let store = &bed.store;
    store.insert_host(&host("a")).await.unwrap();
    let event = |seq: i64, at_ms: i64| Record {
        at: at(1, seq),
        at_ms,
        what: What::Event { kind: "daemon".into(), text: "x".into(), alarm: String::new() },
    };
    store.ingest(batch("a", vec![event(1, 10), event(2, 20), event(3, 900)])).await.unwrap();
    store.insert_commands(&[command(5, "a", ""), command(6, "a", ""), command(700, "a", "")]).await.unwrap();
    store.cancel_command(&id(5), "ann", 50).await.unwrap();
    assert_eq!(store.delete_history_before(500, 1).await.unwrap(), 2, "one of each in a portion of one");
    assert_eq!(store.delete_history_before(500, 100).await.unwrap(), 1);
    assert_eq!(store.delete_history_before(500, 100).await.unwrap(), 0);
    assert!(matches!(store.command(&id(5)).await, Err(StoreError::NotFound(_))));
    assert_eq!(store.command(&id(6)).await.unwrap().state, "pending", "what is open stays");
    store.command(&id(700)).await.unwrap();
}

#[derive(Default)]
struct Kept(Vec<(String, Vec<String>, Vec<u8>)>);

impl TableSink for Kept {
    fn begin(&mut self, table: &str, columns: &[String]) -> io::Result<()> {
        self.0.push((table.to_owned(), columns.to_vec(), Vec::new()));
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.last_mut().unwrap().2.extend_from_slice(bytes);
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Kept {
    fn sources(&self, change: impl Fn(&str, &[u8]) -> Vec<u8>) -> Vec<TableSource> {
        self.0
            .iter()
            .map(|(table, columns, bytes)| TableSource {
                table: table.clone(),
                columns: columns.clone(),
                lines: Box::new(io::Cursor::new(change(table, bytes))),
            })
            .collect()
    }
}

#[test]
fn tables_go_out_and_come_back() {
    crate::bed::run(Bed::postgres, async |bed: Bed| {
        let store = &bed.store;
        store.insert_host(&host("a")).await.unwrap();
        store.ingest(alarms("a", 1..=9)).await.unwrap();
        store.append_audit(&NewAudit { action: "x".into(), ..NewAudit::default() }).await.unwrap();
        store.put_inventory("a", P, false, vec![cloud::has("/\t\\x", 1, 1)], 1000).await.unwrap();
        store.put_verdict(&cloud::bad(P, 1, 100)).await.unwrap();
        let schema = store.schema().await.unwrap();
        let mut kept = Kept::default();
        store.copy_out(&mut kept).await.unwrap();
        let same = |_: &str, bytes: &[u8]| bytes.to_vec();
        let url = bed.cluster.as_ref().unwrap().create("target");
        let target = Store::open(&url).await.unwrap();
        target.copy_in(schema, kept.sources(same), false).await.unwrap();
        assert_eq!(target.migrate().await.unwrap(), Migrated { from: schema, to: schema });
        assert_eq!(target.meta().await.unwrap(), store.meta().await.unwrap());
        assert_eq!(target.alarm("a-3").await.unwrap(), store.alarm("a-3").await.unwrap());
        let file = [cloud::sha(1)];
        assert_eq!(target.look_up(P, &file).await.unwrap(), store.look_up(P, &file).await.unwrap());
        let of = cloud::sha(1);
        assert_eq!(
            target.places(P, &of, &page(9)).await.unwrap(),
            store.places(P, &of, &page(9)).await.unwrap()
        );
        let counts = |list: Vec<(String, u64)>| {
            list.into_iter().filter(|(t, _)| t != "change_log").collect::<Vec<_>>()
        };
        assert_eq!(counts(target.row_counts().await.unwrap()), counts(store.row_counts().await.unwrap()));
        // It goes on: numbers that the database gives, the host's journal, another life.
        target.ingest(alarms("a", 10..=12)).await.unwrap();
        let before = target.meta().await.unwrap();
        let after = target.begin_new_life().await.unwrap();
        assert_eq!(
            (after.installation == before.installation, after.incarnation == before.incarnation),
            (true, false)
        );
        // Data is not overwritten by accident, and a table that breaks off changes nothing.
        let refused = target.copy_in(schema, kept.sources(same), false).await.unwrap_err();
        assert!(matches!(refused, StoreError::Conflict(_)), "{refused}");
        let torn = |table: &str, bytes: &[u8]| {
            if table == "alarms" { bytes[..bytes.len() - 40].to_vec() } else { bytes.to_vec() }
        };
        assert!(target.copy_in(schema, kept.sources(torn), true).await.is_err());
        assert_eq!(total(&target).await, 12, "as before");
        target.copy_in(schema, kept.sources(same), true).await.unwrap();
        target.migrate().await.unwrap();
        assert_eq!(total(&target).await, 9);
        assert!(store.copy_file(std::path::Path::new("/x")).await.is_err());
        target.close().await;
    });
}

#[test]
fn a_file_is_copied_while_others_write() {
    crate::bed::run(Bed::sqlite, async |bed: Bed| {
        let store = &bed.store;
        store.insert_host(&host("a")).await.unwrap();
        store.ingest(alarms("a", 1..=50)).await.unwrap();
        let other = bed.another().await;
        let copy = std::path::PathBuf::from(format!("{}.copy", bed.url));
        let (copied, written) = tokio::join!(other.copy_file(&copy), store.ingest(alarms("a", 51..=60)));
        copied.unwrap();
        written.unwrap();
        assert!(other.copy_file(&copy).await.is_err(), "nothing is overwritten");
        let again = Store::open(copy.to_str().unwrap()).await.unwrap();
        again.check_integrity().await.unwrap();
        assert_eq!(again.meta().await.unwrap(), store.meta().await.unwrap());
        assert!([50, 60].contains(&total(&again).await), "all of one moment");
        again.close().await;
        other.close().await;
    });
}

fn item(name: &str) -> ContentItemRow {
    ContentItemRow {
        id: id(1),
        project: P.into(),
        name: name.into(),
        kind: "yara".into(),
        body: b"rule \xff".to_vec(),
        sha256: vec![1; 32],
        entries: 2,
        promoted: false,
        promoted_by: String::new(),
        added_by: "ann".into(),
        added_ms: 5,
    }
}

fn pack(number: i64) -> ContentPackRow {
    ContentPackRow {
        project: P.into(),
        number,
        version: format!("v{number}"),
        sha256: vec![u8::try_from(number).unwrap(); 32],
        size: 3,
        expires_ms: 9,
        signature: vec![4; 64],
    }
}

async fn content_of_a_project(bed: Bed) {
    let store = &bed.store;
    store.add_content_item(&item("a.yar")).await.unwrap();
    let taken = store.add_content_item(&ContentItemRow { id: id(2), ..item("a.yar") }).await.unwrap_err();
    assert!(matches!(&taken, StoreError::Conflict(t) if t.contains("a.yar")), "{taken}");
    store.promote_content_item(&id(1), true, "bob").await.unwrap();
    let promoted = ContentItemRow { promoted: true, promoted_by: "bob".into(), ..item("a.yar") };
    assert_eq!(store.content_items(P).await.unwrap(), [promoted]);
    store.promote_content_item(&id(1), false, "bob").await.unwrap();
    assert_eq!(store.content_item(&id(1)).await.unwrap(), item("a.yar"));
    store.remove_content_item(&id(1)).await.unwrap();
    assert!(matches!(store.remove_content_item(&id(1)).await, Err(StoreError::NotFound(_))));
}

async fn packs_count_up_and_call_the_hosts(bed: Bed) {
    let store = &bed.store;
    store.insert_host(&host("a")).await.unwrap();
    assert_eq!(store.newest_pack(P).await.unwrap(), None);
    for number in 1..=5 {
        store.put_pack(&pack(number), b"abc").await.unwrap();
    }
    assert_eq!(store.host("a").await.unwrap().generation, 6);
    for old in [5, 4] {
        assert!(matches!(store.put_pack(&pack(old), b"x").await, Err(StoreError::Conflict(_))));
    }
    assert_eq!(store.host("a").await.unwrap().generation, 6, "nothing was changed");
    assert_eq!(store.newest_pack(P).await.unwrap(), Some(pack(5)));
    assert_eq!(store.pack_body(P, &[5; 32]).await.unwrap(), b"abc");
    assert_eq!(store.pack_body(P, &[3; 32]).await.unwrap(), b"abc", "who reads it now goes on");
    assert!(store.pack_body(P, &[2; 32]).await.is_err() && store.pack_body("x", &[5; 32]).await.is_err());
}

on_both!(
    days_that_are_over_go_and_what_came_again_stays,
    what_came_late_is_kept_from_when_it_came,
    an_alarm_that_is_ahead_of_its_day_is_moved_into_it,
    old_histories_and_ended_orders_go,
    content_of_a_project,
    packs_count_up_and_call_the_hosts,
);
