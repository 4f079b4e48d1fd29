// SPDX-License-Identifier: Apache-2.0
//! Hosts, groups, switches and tokens.

use crate::bed::Bed;
use crate::rows::*;
use lazaret_store::*;

async fn a_host_comes_back_as_it_was_put(bed: Bed) {
    let store = &bed.store;
    let row = HostRow { refused: "a\nb".into(), ..host("a") };
    store.insert_host(&row).await.unwrap();
    assert_eq!(store.host("a").await.unwrap(), row);
    assert!(matches!(store.insert_host(&row).await, Err(StoreError::Conflict(_))));
    let nowhere = HostRow { project: "none".into(), ..host("b") };
    assert!(matches!(store.insert_host(&nowhere).await, Err(StoreError::Conflict(_))));
    assert!(matches!(store.host("b").await, Err(StoreError::NotFound(t)) if t.contains("\"b\"")));
    let facts =
        HostFacts { name: "New Name".into(), addresses: "198.51.100.7".into(), ..HostFacts::default() };
    store.update_facts("a", &facts, 77).await.unwrap();
    let now = store.host("a").await.unwrap();
    assert_eq!((now.name.as_str(), now.seen_ms, now.machine_id.as_str()), ("New Name", 77, "machine of a"));
    let by = HostFilter { text: "100.7".into(), ..HostFilter::default() };
    assert_eq!(store.hosts_page(&Scope::All, &by, &page(10)).await.unwrap().items.len(), 1);
    let by = HostFilter { text: "new n".into(), ..HostFilter::default() };
    assert_eq!(store.hosts_page(&Scope::All, &by, &page(10)).await.unwrap().items.len(), 1);
    assert_eq!(store.host_by_machine("machine of a").await.unwrap().len(), 1);
}

async fn a_session_ends_only_for_its_run(bed: Bed) {
    let store = &bed.store;
    store.insert_host(&host("a")).await.unwrap();
    let live = store.set_connected("a", "run1", "gw1", 100).await.unwrap();
    assert_eq!((live.status.as_str(), live.gateway.as_str(), live.status_ms), ("online", "gw1", 100));
    store.set_connected("a", "run2", "gw2", 200).await.unwrap();
    assert!(!store.set_disconnected("a", "run1", false, 300).await.unwrap());
    assert_eq!(store.host("a").await.unwrap().status, "online");
    assert_eq!(store.hosts_of_gateway("gw2").await.unwrap(), ["a"]);
    assert!(store.set_disconnected("a", "run2", true, 400).await.unwrap());
    let gone = store.host("a").await.unwrap();
    assert_eq!((gone.status.as_str(), gone.stopped, gone.run.as_str()), ("offline", true, ""));
    store.set_connected("a", "run3", "gw3", 500).await.unwrap();
    assert_eq!(store.disconnect_gateway("gw3", 600).await.unwrap(), 1);
    assert_eq!(store.disconnect_gateway("gw3", 600).await.unwrap(), 0);
}

async fn silence_is_told_once(bed: Bed) {
    let store = &bed.store;
    for name in ["quiet", "stopped", "well", "back"] {
        store.insert_host(&host(name)).await.unwrap();
        store.set_connected(name, "run", "gw", 100).await.unwrap();
    }
    store.set_disconnected("stopped", "run", true, 110).await.unwrap();
    store.set_disconnected("back", "run", false, 110).await.unwrap();
    store.touch_seen(&[("well".into(), 900), ("quiet".into(), 50), ("unknown".into(), 1)]).await.unwrap();
    let silent = async || {
        let list = store.silent_hosts(500, 10).await.unwrap();
        list.into_iter().map(|h| h.id).collect::<Vec<_>>()
    };
    assert_eq!(silent().await, ["quiet", "back"]);
    store.set_silent_told(&["quiet".into(), "back".into()], 600).await.unwrap();
    assert!(silent().await.is_empty());
    assert_eq!(store.host("quiet").await.unwrap().status, "offline");
    store.set_connected("back", "again", "gw", 400).await.unwrap();
    assert_eq!(silent().await, ["back"], "it may fall silent anew");
}

async fn desired_state_counts_up_for_whom_it_concerns(bed: Bed) {
    let store = &bed.store;
    let policy = PolicyGroupRow {
        id: "pg".into(),
        project: P.into(),
        name: "strict".into(),
        description: String::new(),
        settings: "{}".into(),
        revision: 0,
        updated_ms: 1,
        updated_by: "ann".into(),
    };
    store.create_policy_group(&policy).await.unwrap();
    let group = HostGroupRow {
        id: "g".into(),
        project: P.into(),
        name: "web".into(),
        policy_group: None,
        revision: 0,
    };
    store.create_host_group(&group).await.unwrap();
    for name in ["a", "b"] {
        store.insert_host(&host(name)).await.unwrap();
        store.set_connected(name, "run", "gw", 1).await.unwrap();
    }
    let generations =
        async || (store.host("a").await.unwrap().generation, store.host("b").await.unwrap().generation);
    store.set_host_group(&["a".into()], Some("g")).await.unwrap();
    assert_eq!(generations().await, (2, 1));
    let group = HostGroupRow { policy_group: Some("pg".into()), revision: 1, ..group };
    assert_eq!(store.update_host_group(&group).await.unwrap().revision, 2);
    let policy = store.policy_group("pg").await.unwrap();
    let policy =
        store.update_policy_group(&PolicyGroupRow { settings: "{\"a\":1}".into(), ..policy }).await.unwrap();
    assert_eq!((generations().await, policy.revision), ((4, 1), 2));
    let on = SwitchRow {
        project: P.into(),
        name: "isolate_and_kill".into(),
        on: true,
        who: "ann".into(),
        at_ms: 9,
    };
    let before = store.set_switch(&on).await.unwrap();
    assert_eq!((before.on, before.who.as_str(), before.at_ms), (false, "", 0));
    assert_eq!(store.switch(P, "isolate_and_kill").await.unwrap(), on);
    assert_eq!((store.switches(P).await.unwrap(), generations().await), (vec![on], (5, 2)));
    for (target, n) in [
        (Target::Host("a".into()), 1),
        (Target::Group("g".into()), 1),
        (Target::PolicyGroup("pg".into()), 1),
        (Target::Project(P.into()), 2),
        (Target::All, 2),
    ] {
        assert_eq!(store.bump_generation(&target).await.unwrap(), n, "{target:?}");
    }
    assert_eq!(generations().await, (10, 4));
    store.set_applied("b", 4, &["scan.exclude: pinned".into()]).await.unwrap();
    let behind = store.hosts_behind("gw", 10).await.unwrap();
    assert_eq!(behind.iter().map(|h| h.id.as_str()).collect::<Vec<_>>(), ["a"]);
    store.set_applied("b", 3, &[]).await.unwrap();
    let b = store.host("b").await.unwrap();
    assert_eq!((b.generation_applied, b.refused.as_str()), (4, "scan.exclude: pinned"));
    assert!(matches!(store.delete_policy_group("pg", 2).await, Err(StoreError::Conflict(_))), "in use");
    store.delete_host_group("g", 2).await.unwrap();
    store.delete_policy_group("pg", 2).await.unwrap();
    assert_eq!(store.host("a").await.unwrap().group, None);
}

async fn of_two_who_change_one_is_told(bed: Bed) {
    let store = &bed.store;
    let group = HostGroupRow {
        id: "g".into(),
        project: P.into(),
        name: "web".into(),
        policy_group: None,
        revision: 0,
    };
    store.create_host_group(&group).await.unwrap();
    let taken = HostGroupRow { id: "g2".into(), ..group.clone() };
    assert!(matches!(store.create_host_group(&taken).await, Err(StoreError::Conflict(_))));
    let seen = store.host_group("g").await.unwrap();
    let [first, second] = ["one", "two"].map(|name| HostGroupRow { name: name.into(), ..seen.clone() });
    let (one, two) = tokio::join!(store.update_host_group(&first), store.update_host_group(&second));
    assert_eq!(u8::from(one.is_ok()) + u8::from(two.is_ok()), 1);
    assert!(matches!(one.and(two), Err(StoreError::Conflict(_))));
    assert!(matches!(store.delete_host_group("g", seen.revision).await, Err(StoreError::Conflict(_))));
    assert_eq!(store.host_group("g").await.unwrap().revision, 2);
}

async fn the_last_use_of_a_token_is_one(bed: Bed) {
    let store = &bed.store;
    let token = TokenRow {
        id: "t".into(),
        hash: vec![1; 32],
        project: P.into(),
        group: None,
        expires_ms: 100,
        uses_left: 1,
        who: "ann".into(),
        created_ms: 1,
        note: String::new(),
    };
    store.create_token(&token).await.unwrap();
    let hash = [1; 32];
    let (one, two) = tokio::join!(store.take_token(&hash, 50), store.take_token(&hash, 50));
    assert_eq!(u8::from(one.is_ok()) + u8::from(two.is_ok()), 1);
    let loser = one.and(two).unwrap_err();
    assert!(matches!(&loser, StoreError::Conflict(t) if t.contains("used up")), "{loser}");
    let many = TokenRow { id: "m".into(), hash: vec![2; 32], uses_left: -1, ..token };
    store.create_token(&many).await.unwrap();
    for _ in 0..3 {
        assert_eq!(store.take_token(&[2; 32], 50).await.unwrap().uses_left, -1);
    }
    let late = store.take_token(&[2; 32], 100).await.unwrap_err();
    assert!(matches!(&late, StoreError::Conflict(t) if t.contains("expired")), "{late}");
    assert!(matches!(store.take_token(&[3; 32], 50).await, Err(StoreError::NotFound(_))));
    store.revoke_token("m").await.unwrap();
    assert_eq!(store.tokens(&Scope::All).await.unwrap().len(), 1);
    assert!(matches!(store.token("m").await, Err(StoreError::NotFound(_))));
}

async fn a_removed_host_leaves_what_it_told(bed: Bed) {
    let store = &bed.store;
    store.insert_host(&host("a")).await.unwrap();
    store.ingest(alarms("a", 1..=2)).await.unwrap();
    store.insert_commands(&[command(1, "a", "")]).await.unwrap();
    store.set_certificate("a", "0a", 99).await.unwrap();
    store.remove_host("a", 50).await.unwrap();
    let gone = store.host("a").await.unwrap();
    assert!(gone.removed && gone.revoked);
    assert_eq!((gone.serial.as_str(), gone.status.as_str()), ("0a", "not_installed"));
    assert_eq!(store.command(&id(1)).await.unwrap().state, "cancelled");
    let listed = async |removed: bool| {
        let filter = HostFilter { removed, ..HostFilter::default() };
        store.hosts_page(&Scope::All, &filter, &page(10)).await.unwrap().total
    };
    assert_eq!((listed(false).await, listed(true).await), (0, 1));
    assert_eq!(store.alarms_page(&Scope::All, &AlarmFilter::default(), &page(10)).await.unwrap().total, 2);
    assert_eq!(store.host_counts(&Scope::All).await.unwrap().total, 0);
}

async fn hosts_move_between_projects_with_what_is_theirs(bed: Bed) {
    let store = &bed.store;
    store.create_project(&ProjectRow { id: "p2".into(), name: "two".into(), created_ms: 1 }).await.unwrap();
    let taken =
        store.create_project(&ProjectRow { id: "p3".into(), name: "two".into(), created_ms: 1 }).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))));
    for name in ["a", "b"] {
        store.insert_host(&host(name)).await.unwrap();
        store.ingest(alarms(name, 1..=3)).await.unwrap();
    }
    // One comes again, now from a container.
    let inside = AlarmRow { container: "c0ffee".into(), ..alarm("a-3", 3) };
    store.ingest(batch("a", vec![record(4, says(inside))])).await.unwrap();
    assert_eq!(store.set_host_project(&["a".into()], "p2").await.unwrap(), 1);
    let two = Scope::Projects(vec!["p2".into()]);
    assert_eq!(store.alarms_page(&two, &AlarmFilter::default(), &page(10)).await.unwrap().total, 3);
    for (inside, n) in [(true, 1), (false, 2)] {
        let filter = AlarmFilter { in_container: Some(inside), ..AlarmFilter::default() };
        assert_eq!(store.alarms_page(&two, &filter, &page(10)).await.unwrap().total, n, "{inside}");
    }
    assert_eq!(store.hosts_page(&two, &HostFilter::default(), &page(10)).await.unwrap().items[0].id, "a");
    assert_eq!(store.projects(&two).await.unwrap()[0].name, "two");
    assert_eq!(store.set_host_importance(&["a".into(), "b".into()], "important").await.unwrap(), 2);
    let counts = store.host_counts(&Scope::All).await.unwrap();
    assert_eq!((counts.total, counts.importance), (2, vec![("important".to_owned(), 2)]));
    assert!(matches!(store.set_host_project(&["a".into()], "none").await, Err(StoreError::Conflict(_))));
}

async fn a_disarmed_rule_is_one_of_its_projects_hosts(bed: Bed) {
    let store = &bed.store;
    store.create_project(&ProjectRow { id: "p2".into(), name: "two".into(), created_ms: 1 }).await.unwrap();
    store.insert_host(&host("a")).await.unwrap();
    let row = DisarmedRow {
        project: DEFAULT_PROJECT.into(),
        rule: "r/1".into(),
        reason: "ours".into(),
        who: "ana".into(),
        at_ms: 5,
        alarm: String::new(),
    };
    let before = store.host("a").await.unwrap().generation;
    assert!(store.disarm_rule(&row).await.unwrap());
    assert!(!store.disarm_rule(&DisarmedRow { who: "bo".into(), ..row.clone() }).await.unwrap());
    let elsewhere = DisarmedRow { project: "p2".into(), ..row.clone() };
    let order = Order { disarm: vec![elsewhere, row.clone()], ..Order::default() };
    store.order(&order).await.unwrap();
    assert_eq!(store.host("a").await.unwrap().generation, before + 1, "what changed nothing is no change");
    let own = Scope::Projects(vec![DEFAULT_PROJECT.into()]);
    assert_eq!(store.disarmed_rules(&own).await.unwrap(), std::slice::from_ref(&row));
    assert_eq!(store.disarmed_rules(&Scope::All).await.unwrap().len(), 2);
    assert_eq!(store.rearm_rule(DEFAULT_PROJECT, "r/1").await.unwrap(), row);
    assert!(matches!(store.rearm_rule(DEFAULT_PROJECT, "r/1").await, Err(StoreError::NotFound(_))));
    assert_eq!(store.host("a").await.unwrap().generation, before + 2);
    let nowhere = DisarmedRow { project: "none".into(), ..row };
    assert!(matches!(store.disarm_rule(&nowhere).await, Err(StoreError::Conflict(_))));
}

on_both!(
    a_disarmed_rule_is_one_of_its_projects_hosts,
    a_host_comes_back_as_it_was_put,
    a_session_ends_only_for_its_run,
    silence_is_told_once,
    desired_state_counts_up_for_whom_it_concerns,
    of_two_who_change_one_is_told,
    the_last_use_of_a_token_is_one,
    a_removed_host_leaves_what_it_told,
    hosts_move_between_projects_with_what_is_theirs,
);
