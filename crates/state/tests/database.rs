// SPDX-License-Identifier: Apache-2.0
//! The state database on real files: contents, damage, two processes' worth of connections.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use lazaret_model::{AlarmId, IsolatedId, MalwareClass, Rating, Sha256, WhitelistId};
use lazaret_state::{
    AlarmFilter, AlarmRow, BreakerRow, Database, ExceptionRow, Retention, StateError, WhitelistRow,
};
use std::collections::HashSet;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

fn folder() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    (dir, path)
}

fn open(path: &Path) -> Database {
    let opened = Database::open(path).unwrap();
    assert_eq!(opened.recovered, None);
    opened.database
}

fn alarm(last_ms: i64, rating: Rating) -> AlarmRow {
    AlarmRow {
        id: AlarmId::new(),
        at_ms: last_ms - 10,
        last_ms,
        count: 3,
        class: Some(MalwareClass::Miner),
        rating: Some(rating),
        path: b"/srv/\xff\nname".to_vec(),
        sha256: Some(Sha256([7; 32])),
        handled: false,
        test: false,
        isolated: None,
        title: "Miner".to_owned(),
        details: vec![0, 1, 255],
    }
}

#[test]
fn alarms_come_back_as_they_were() {
    let (_dir, path) = folder();
    let db = open(&path);
    let mut a = alarm(1_000, Rating::High);
    db.insert_alarm(&a).unwrap();
    assert!(db.insert_alarm(&a).is_err(), "an id is there once");
    assert_eq!(db.alarm(a.id).unwrap().as_ref(), Some(&a));
    let daemon =
        AlarmRow { class: None, rating: None, sha256: None, path: Vec::new(), ..alarm(5, Rating::Low) };
    db.insert_alarm(&daemon).unwrap();
    assert_eq!(db.alarm(daemon.id).unwrap(), Some(daemon));
    a.handled = true;
    a.count = u64::MAX >> 1;
    a.isolated = Some(IsolatedId::new());
    db.update_alarm(&a).unwrap();
    assert_eq!(db.alarm(a.id).unwrap().as_ref(), Some(&a));
    let unknown = alarm(1, Rating::Low);
    assert!(
        matches!(db.update_alarm(&unknown), Err(StateError::NoSuchAlarm(id)) if id == unknown.id.to_string())
    );
    drop(db);
    assert_eq!(open(&path).alarm(a.id).unwrap(), Some(a), "and after a restart");
}

#[test]
fn filters_and_order() {
    let (_dir, path) = folder();
    let db = open(&path);
    let mut rows = Vec::new();
    for (i, rating) in [Rating::Low, Rating::Medium, Rating::High, Rating::High].into_iter().enumerate() {
        let mut r = alarm(1_000 * (i as i64 + 1), rating);
        r.test = i == 0;
        r.handled = i == 3;
        r.class = Some(if i == 1 { MalwareClass::WebShell } else { MalwareClass::Miner });
        db.insert_alarm(&r).unwrap();
        rows.push(r);
    }
    let ask = |f: AlarmFilter| db.alarms(&f).unwrap().iter().map(|r| r.last_ms).collect::<Vec<_>>();
    let all = AlarmFilter::default;
    assert_eq!(ask(all()), [4_000, 3_000, 2_000, 1_000]);
    assert_eq!(ask(AlarmFilter { limit: Some(2), ..all() }), [4_000, 3_000]);
    assert_eq!(ask(AlarmFilter { rating: Some(Rating::High), ..all() }), [4_000, 3_000]);
    assert_eq!(ask(AlarmFilter { unhandled_only: true, ..all() }), [3_000, 2_000, 1_000]);
    assert_eq!(ask(AlarmFilter { tests_only: true, ..all() }), [1_000]);
    assert_eq!(ask(AlarmFilter { class: Some(MalwareClass::WebShell), ..all() }), [2_000]);
    assert_eq!(ask(AlarmFilter { since_ms: Some(3_000), ..all() }), [4_000, 3_000]);
    assert_eq!(db.count_unhandled().unwrap(), 3);
}

#[test]
fn repeats_fold_only_onto_what_is_open() {
    let (_dir, path) = folder();
    let db = open(&path);
    let mut a = alarm(10_000, Rating::High);
    db.insert_alarm(&a).unwrap();
    let same = |since| db.recent_same(a.sha256, &a.path, since).unwrap().map(|r| r.id);
    assert_eq!(same(9_000), Some(a.id));
    assert_eq!(same(10_001), None, "too long ago");
    assert_eq!(db.recent_same(Some(Sha256([8; 32])), &a.path, 0).unwrap(), None, "other content");
    assert_eq!(db.recent_same(a.sha256, b"/srv/name", 0).unwrap(), None, "other path");
    assert_eq!(db.recent_same(None, &a.path, 0).unwrap(), None);
    a.handled = true;
    db.update_alarm(&a).unwrap();
    assert_eq!(db.recent_same(a.sha256, &a.path, 0).unwrap(), None, "what was handled is over");
}

#[test]
fn an_isolation_before_is_found_within_its_time() {
    let (_dir, path) = folder();
    let db = open(&path);
    let mut first = alarm(10_000, Rating::High);
    first.at_ms = 10_000;
    first.isolated = Some(IsolatedId::new());
    first.handled = true;
    db.insert_alarm(&first).unwrap();
    let shown_only = AlarmRow { id: AlarmId::new(), isolated: None, at_ms: 11_000, ..first.clone() };
    db.insert_alarm(&shown_only).unwrap();
    let content = first.sha256.unwrap();
    let before = |but, since| db.isolated_before(but, content, &first.path, since).unwrap().map(|r| r.id);
    assert_eq!(before(AlarmId::new(), 9_000), Some(first.id), "handled or not, and isolated");
    assert_eq!(before(first.id, 9_000), None, "itself does not count");
    assert_eq!(before(AlarmId::new(), 10_001), None, "too long ago");
    assert_eq!(db.isolated_before(AlarmId::new(), Sha256([8; 32]), &first.path, 0).unwrap(), None);
    assert_eq!(db.isolated_before(AlarmId::new(), content, b"/srv/other", 0).unwrap(), None);
}

#[test]
fn alarms_are_found_by_a_part_of_their_id() {
    let (_dir, path) = folder();
    let db = open(&path);
    let mut rows = Vec::new();
    for (i, id) in [
        "01900000-0000-7000-8000-0000000000aa",
        "01900000-0000-7000-8000-0000000000ab",
        "0190ffff-0000-7000-8000-1111111100ab",
    ]
    .iter()
    .enumerate()
    {
        let r = AlarmRow { id: id.parse().unwrap(), ..alarm(i as i64, Rating::Low) };
        db.insert_alarm(&r).unwrap();
        rows.push(r);
    }
    assert_eq!(db.find_alarm("0190FFFF").unwrap(), rows[2]);
    assert_eq!(db.find_alarm("00aa").unwrap(), rows[0]);
    assert_eq!(db.find_alarm("8000-1111111100ab").unwrap(), rows[2]);
    assert_eq!(db.find_alarm(&rows[1].id.to_string()).unwrap(), rows[1]);
    match db.find_alarm("00ab") {
        Err(e @ StateError::Ambiguous { .. }) => {
            let text = e.to_string();
            assert!(
                text.contains(&rows[1].id.to_string()) && text.contains(&rows[2].id.to_string()),
                "{text}"
            );
            assert!(text.contains("more digits"), "{text}");
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(db.find_alarm("dead"), Err(StateError::NoSuchAlarm(_))));
    for bad in ["", "%", "0190%", "ab", "zzzz", "é000", "____"] {
        assert!(matches!(db.find_alarm(bad), Err(StateError::BadId(_))), "{bad}");
    }
    for i in 0..20 {
        db.insert_alarm(&AlarmRow {
            id: format!("01910000-0000-7000-8000-0000000001{i:02x}").parse().unwrap(),
            ..alarm(i, Rating::Low)
        })
        .unwrap();
    }
    match db.find_alarm("0191") {
        Err(StateError::Ambiguous { matches, more, .. }) => assert!(matches.len() == 8 && more),
        other => panic!("{other:?}"),
    }
}

#[test]
fn whitelist_exceptions_settings_breakers() {
    let (_dir, path) = folder();
    let db = open(&path);
    let mut w = WhitelistRow {
        id: WhitelistId::new(),
        field: "file_path".into(),
        judge: "equal".into(),
        value: b"/srv/\xfe".to_vec(),
        sha256: Some(Sha256([1; 32])),
        any_content: false,
        description: "ours".into(),
        added_ms: 5,
        added_by: "uid 0".into(),
        hits: 0,
        last_hit_ms: None,
        class: Some("miner".into()),
        expires_ms: Some(99),
    };
    db.put_whitelist(&w).unwrap();
    assert!(db.count_whitelist_hit(w.id, 77).unwrap());
    assert!(!db.count_whitelist_hit(WhitelistId::new(), 77).unwrap());
    w.hits = 1;
    w.last_hit_ms = Some(77);
    assert_eq!(db.whitelist().unwrap(), [w.clone()]);
    assert!(db.remove_whitelist(w.id).unwrap() && !db.remove_whitelist(w.id).unwrap());

    let e = ExceptionRow { sha256: Sha256([9; 32]), at_ms: 4, why: "restore".into() };
    db.add_exception(&e).unwrap();
    db.add_exception(&e).unwrap();
    assert!(db.has_exception(e.sha256).unwrap() && !db.has_exception(Sha256([8; 32])).unwrap());
    assert_eq!(db.exceptions().unwrap().len(), 1);
    assert_eq!(db.exceptions().unwrap().first(), Some(&e));
    assert!(db.remove_exception(e.sha256).unwrap() && !db.has_exception(e.sha256).unwrap());

    assert_eq!(db.setting("isolate_and_kill").unwrap(), None);
    db.set_setting("isolate_and_kill", "on").unwrap();
    db.set_setting("isolate_and_kill", "off").unwrap();
    assert_eq!(db.setting("isolate_and_kill").unwrap().as_deref(), Some("off"));
    assert!(db.remove_setting("isolate_and_kill").unwrap());

    let b = BreakerRow { rule: "r".into(), opened_ms: 1, why: "w".into(), hits: 2 };
    db.put_breaker(&b).unwrap();
    // Two threads store what they have seen, and the one that saw less comes last.
    db.put_breaker(&BreakerRow { hits: 5, ..b.clone() }).unwrap();
    db.put_breaker(&b).unwrap();
    db.raise_breaker_hits("r", 7).unwrap();
    db.raise_breaker_hits("r", 6).unwrap();
    db.raise_breaker_hits("another", 9).unwrap();
    assert_eq!(db.breakers().unwrap(), [BreakerRow { hits: 7, ..b }]);
    assert!(db.remove_breaker("r").unwrap() && db.breakers().unwrap().is_empty());
}

#[test]
fn alarms_outlive_their_time_while_the_vault_holds_the_file() {
    let (_dir, path) = folder();
    let db = open(&path);
    let day = 86_400_000;
    let held = IsolatedId::new();
    let keep = |r: &AlarmRow| db.alarm(r.id).unwrap().is_some();
    let old = AlarmRow { handled: true, ..alarm(1, Rating::High) };
    let old_held = AlarmRow { handled: true, isolated: Some(held), ..alarm(1, Rating::High) };
    let old_gone = AlarmRow { handled: true, isolated: Some(IsolatedId::new()), ..alarm(1, Rating::High) };
    let unhandled = alarm(1, Rating::Low);
    let young = AlarmRow { handled: true, ..alarm(50 * day, Rating::Low) };
    for r in [&old, &old_held, &old_gone, &unhandled, &young] {
        db.insert_alarm(r).unwrap();
    }
    let held = HashSet::from([held]);
    let p = db.prune(100 * day, Retention::default(), &held).unwrap();
    assert_eq!((p.old, p.over_handled, p.over_unhandled), (2, 0, 0));
    assert!(!keep(&old) && keep(&old_held) && !keep(&old_gone) && keep(&unhandled) && keep(&young));

    // A flood: the handled go first, then the lowest rating, never what the vault holds.
    let high = alarm(2, Rating::High);
    db.insert_alarm(&high).unwrap();
    let p = db.prune(100 * day, Retention { at_most: 2, ..Retention::default() }, &held).unwrap();
    assert_eq!((p.old, p.over_handled, p.over_unhandled), (0, 1, 1));
    assert!(keep(&old_held) && !keep(&young) && !keep(&unhandled) && keep(&high));
    assert_eq!(db.prune(i64::MIN, Retention::default(), &held).unwrap().old, 0);
}

#[test]
fn readers_and_writers_side_by_side() {
    let (_dir, path) = folder();
    let writer = open(&path);
    let reader = open(&path);
    std::thread::scope(|s| {
        s.spawn(|| {
            for i in 0..200 {
                writer.insert_alarm(&alarm(i, Rating::Low)).unwrap();
            }
        });
        for db in [&reader, &writer] {
            s.spawn(move || {
                let mut last = 0;
                for _ in 0..100 {
                    let n = db.count_unhandled().unwrap();
                    assert!(n >= last, "what was stored stays");
                    last = n;
                    assert!(
                        db.alarms(&AlarmFilter { limit: Some(5), ..AlarmFilter::default() }).unwrap().len()
                            <= 5
                    );
                }
            });
        }
    });
    assert_eq!(reader.count_unhandled().unwrap(), 200);
}

#[test]
fn an_empty_file_becomes_a_database_for_root_only() {
    let (_dir, path) = folder();
    let db = open(&path);
    db.set_setting("a", "b").unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let other = path.with_file_name("empty.db");
    std::fs::write(&other, b"").unwrap();
    assert_eq!(open(&other).count_unhandled().unwrap(), 0);
}

#[test]
fn rubbish_is_put_aside_and_told() {
    let (dir, path) = folder();
    let rubbish = b"this is not a database at all, but it is somebody's bytes".repeat(40);
    std::fs::write(&path, &rubbish).unwrap();
    let opened = Database::open(&path).unwrap();
    let r = opened.recovered.unwrap();
    assert_eq!(std::fs::read(&r.moved_to).unwrap(), rubbish);
    assert!(r.moved_to.file_name().unwrap().to_str().unwrap().starts_with("state.db.corrupt-"));
    assert!(r.to_string().contains("entries may be missing"), "{r}");
    opened.database.insert_alarm(&alarm(1, Rating::Low)).unwrap();
    drop(opened.database);
    assert_eq!(open(&path).count_unhandled().unwrap(), 1);
    // A second time does not overwrite the first.
    std::fs::write(&path, b"again rubbish, long enough to be looked at as a database header......").unwrap();
    drop(Database::open(&path).unwrap().recovered.unwrap());
    let aside = std::fs::read_dir(dir.path())
        .unwrap()
        .filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().contains(".corrupt-"))
        .count();
    assert!(aside >= 2, "{aside}");
}

#[test]
fn what_can_be_read_of_a_damaged_file_is_carried_over() {
    let (_dir, path) = folder();
    let db = open(&path);
    db.set_setting("isolate_and_kill", "on").unwrap();
    db.add_exception(&ExceptionRow { sha256: Sha256([3; 32]), at_ms: 1, why: "restore".into() }).unwrap();
    for i in 0..400 {
        let mut a = alarm(i, Rating::High);
        a.details = vec![b'x'; 900];
        db.insert_alarm(&a).unwrap();
    }
    drop(db);
    // The last quarter of the file is overwritten, as after a bad sector: alarms' pages.
    let length = std::fs::metadata(&path).unwrap().len();
    let mut f = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    f.seek(SeekFrom::Start(length / 4 * 3)).unwrap();
    f.write_all(&vec![0xA5; usize::try_from(length / 8).unwrap()]).unwrap();
    drop(f);
    let opened = Database::open(&path).unwrap();
    let r = opened.recovered.unwrap();
    assert!(r.incomplete.contains(&"alarms"), "{r}");
    assert!(!r.incomplete.contains(&"settings") && !r.incomplete.contains(&"exceptions"), "{r}");
    assert_eq!(opened.database.setting("isolate_and_kill").unwrap().as_deref(), Some("on"));
    assert!(opened.database.has_exception(Sha256([3; 32])).unwrap());
}

#[test]
fn a_foreign_schema_is_damage_and_a_newer_one_is_not() {
    let (_dir, path) = folder();
    let foreign = rusqlite::Connection::open(&path).unwrap();
    foreign.execute_batch("CREATE TABLE alarms (x); INSERT INTO alarms VALUES (1);").unwrap();
    drop(foreign);
    let opened = Database::open(&path).unwrap();
    assert!(opened.recovered.unwrap().moved_to.exists());
    drop(opened.database);
    let emptied = path.with_file_name("emptied.db");
    let c = rusqlite::Connection::open(&emptied).unwrap();
    c.pragma_update(None, "user_version", 1).unwrap();
    drop(c);
    assert!(Database::open(&emptied).unwrap().recovered.is_some(), "version 1 without tables");

    let newer = path.with_file_name("newer.db");
    drop(open(&newer));
    let c = rusqlite::Connection::open(&newer).unwrap();
    c.pragma_update(None, "user_version", 999).unwrap();
    drop(c);
    let before = std::fs::read(&newer).unwrap();
    match Database::open(&newer) {
        Err(e @ StateError::TooNew { found: 999, .. }) => assert!(e.to_string().contains("newer.db"), "{e}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(std::fs::read(&newer).unwrap(), before, "left untouched");
}

#[test]
fn a_folder_in_its_place_is_named() {
    let (_dir, path) = folder();
    std::fs::create_dir(&path).unwrap();
    let e = Database::open(&path).unwrap_err().to_string();
    assert!(e.contains("state.db") && e.contains("open or create"), "{e}");
}

#[test]
fn changed_alarms_are_told_until_they_are_noted() {
    let (_dir, path) = folder();
    let db = open(&path);
    let mut a = alarm(100, Rating::High);
    db.insert_alarm(&a).unwrap();
    let first = db.alarms_changed(10).unwrap();
    assert_eq!((first.len(), first[0].alarm, first[0].urgent), (1, a.id, true));
    // It repeats between the note and its confirmation.
    a.count += 1;
    db.update_alarm(&a).unwrap();
    db.alarms_noted(&first).unwrap();
    let second = db.alarms_changed(10).unwrap();
    assert_eq!((second.len(), second[0].urgent), (1, true), "still not known in its newest form");
    db.alarms_noted(&second).unwrap();
    assert!(db.alarms_changed(10).unwrap().is_empty());
    a.count += 1;
    db.update_alarm(&a).unwrap();
    assert!(!db.alarms_changed(10).unwrap()[0].urgent, "one more of the same");
    a.handled = true;
    db.update_alarm(&a).unwrap();
    assert!(open_again(db, &path).alarms_changed(10).unwrap()[0].urgent, "and then it was handled");
}

fn open_again(db: Database, path: &std::path::Path) -> Database {
    drop(db);
    open(path)
}

#[test]
fn a_command_is_taken_once_and_has_one_result() {
    let (_dir, path) = folder();
    let db = open(&path);
    assert!(db.take_command("c", 5, b"order").unwrap());
    assert!(!db.take_command("c", 6, b"another").unwrap());
    let row = db.command("c").unwrap().unwrap();
    assert_eq!((row.begun, row.command.as_slice(), row.result.as_deref()), (false, &b"order"[..], None));
    db.begin_command("c").unwrap();
    let db = open_again(db, &path);
    assert!(db.open_commands().unwrap()[0].begun);
    assert!(db.finish_command("c", 10, b"done").unwrap());
    assert!(!db.finish_command("c", 11, b"failed").unwrap());
    assert_eq!(db.command("c").unwrap().unwrap().result.as_deref(), Some(&b"done"[..]));
    assert!(db.open_commands().unwrap().is_empty() && db.command("x").unwrap().is_none());
    assert!(db.take_command("open", 1, b"").unwrap());
    assert_eq!((db.forget_commands(10).unwrap(), db.forget_commands(11).unwrap()), (0, 1));
    assert_eq!(db.open_commands().unwrap().len(), 1, "one without a result stays");
}
