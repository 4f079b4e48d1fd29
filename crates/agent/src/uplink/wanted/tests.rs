// SPDX-License-Identifier: Apache-2.0
//! Desired states of servers that mean well, and of one that lies.

use super::*;

fn host() -> Wanted {
    Wanted {
        policy: Policy::default(),
        dry_run: false,
        freeze: None,
        max_isolations_per_hour: 5_000,
        max_kills_per_hour: 10_000,
        scope: Scope { excluded: vec![b"/opt/own".to_vec()], web_roots: Vec::new() },
        whitelist: Vec::new(),
        disarmed: Vec::new(),
        recovery: None,
        cloud: Consent::none(&crate::config::Cloud::default(), Duration::from_secs(5)),
    }
}

fn state(policy: v1::HostPolicy) -> v1::DesiredState {
    v1::DesiredState { generation: 7, policy: Some(policy), ..v1::DesiredState::default() }
}

fn over(state: &v1::DesiredState, pins: &[&str]) -> Overlaid {
    let pins: Vec<String> = pins.iter().map(|p| (*p).to_owned()).collect();
    overlay(host(), state, &pins, &HashSet::new())
}

fn says(o: &Overlaid, words: &[&str]) -> bool {
    o.refused.iter().any(|r| words.iter().all(|w| r.contains(w)))
}

#[test]
fn an_empty_state_changes_nothing() {
    for s in [v1::DesiredState::default(), state(v1::HostPolicy::default())] {
        let o = over(&s, &[]);
        assert_eq!((o.wanted, o.refused.len(), o.governs.len()), (host(), 0, 0));
    }
}

#[test]
fn what_is_within_bounds_is_in_force() {
    let o = over(
        &state(v1::HostPolicy {
            isolate_and_kill: Some(true),
            protect_mode: Some("high_detection".into()),
            automatic_classes: vec!["miner".into(), "backdoor".into()],
            classes_set: true,
            high_threshold: Some(95),
            medium_threshold: Some(40),
            dry_run: Some(true),
            freeze_seconds: Some(15),
            web_roots: vec![b"/srv/www//x/".to_vec()],
            exclude: vec![b"/var/lib/db".to_vec()],
            test_programs: Some(false),
            condemn_archives: Some(true),
            max_isolations_per_hour: Some(1),
            max_kills_per_hour: Some(100_000),
            ..v1::HostPolicy::default()
        }),
        &[],
    );
    assert!(o.refused.is_empty(), "{:?}", o.refused);
    let w = &o.wanted;
    assert!(w.policy.isolate_and_kill && w.dry_run && !w.policy.test_programs && w.policy.condemn_archives);
    assert_eq!((w.policy.thresholds.high(), w.policy.thresholds.medium()), (95, 40));
    assert_eq!(w.policy.automatic.iter().count(), 2);
    assert_eq!(w.policy.protect_mode, ProtectMode::HighDetection);
    assert_eq!(w.freeze, Some(Duration::from_secs(15)));
    assert_eq!((w.max_isolations_per_hour, w.max_kills_per_hour), (1, 100_000));
    assert_eq!(w.scope.web_roots, [b"/srv/www/x".to_vec()]);
    assert_eq!(w.scope.excluded, [b"/var/lib/db".to_vec()]);
    assert_eq!(o.governs.len(), 13);
}

#[test]
fn a_server_that_lies_changes_nothing() {
    let o = over(
        &state(v1::HostPolicy {
            protect_mode: Some("off".into()),
            high_threshold: Some(30),
            medium_threshold: Some(300),
            freeze_seconds: Some(3600),
            exclude: vec![
                b"/".to_vec(),
                b"//usr/".to_vec(),
                b"/opt/../usr".to_vec(),
                b"tmp".to_vec(),
                b"/x\0y".to_vec(),
                vec![b'/'; 5000],
            ],
            web_roots: vec![b"/".to_vec()],
            max_isolations_per_hour: Some(0),
            max_kills_per_hour: Some(u32::MAX),
            automatic_classes: vec!["everything".into()],
            classes_set: true,
            ..v1::HostPolicy::default()
        }),
        &[],
    );
    let own = host();
    assert_eq!(o.wanted.policy.thresholds, own.policy.thresholds);
    assert_eq!(o.wanted.policy.protect_mode, own.policy.protect_mode);
    assert_eq!((o.wanted.freeze, o.wanted.max_isolations_per_hour), (None, 5_000));
    assert_eq!(o.wanted.max_kills_per_hour, 10_000);
    assert!(o.wanted.scope.excluded.is_empty() && o.wanted.scope.web_roots.is_empty());
    assert_eq!(
        o.wanted.policy.automatic,
        ClassSet::EMPTY,
        "a class that is not known is not taken for another"
    );
    for words in [
        ["response.protect_mode", "off"],
        ["response.high", "80 to 100"],
        ["response.medium", "300"],
        ["response.freeze_seconds", "15"],
        ["response.max_isolations_per_hour", "1 to"],
        ["response.classes", "everything"],
        ["protect.exclude", "too wide"],
        ["protect.exclude", ".."],
        ["protect.exclude", "absolute"],
        ["protect.web_roots", "too wide"],
    ] {
        assert!(says(&o, &words), "{words:?} {:?}", o.refused);
    }
}

#[test]
fn pinned_keys_stay() {
    let all = state(v1::HostPolicy {
        isolate_and_kill: Some(true),
        dry_run: Some(true),
        exclude: vec![b"/srv".to_vec()],
        high_threshold: Some(80),
        ..v1::HostPolicy::default()
    });
    let o = over(&all, &["response.isolate_and_kill", "protect.exclude", "response.high"]);
    assert!(!o.wanted.policy.isolate_and_kill && o.wanted.dry_run);
    assert_eq!(o.wanted.scope, host().scope);
    assert_eq!(o.wanted.policy.thresholds, host().policy.thresholds);
    assert_eq!(o.governs, ["response.dry_run"]);
    assert!(o.refused.len() == 3 && o.refused.iter().all(|r| r.contains("pinned")), "{:?}", o.refused);
}

#[test]
fn whitelist_entries_are_checked_one_by_one() {
    let own = WhitelistId::new();
    let good = v1::WhitelistEntry {
        id: WhitelistId::new().to_string(),
        field: "hash".into(),
        judge: "equal".into(),
        value: vec![1; 32],
        ..v1::WhitelistEntry::default()
    };
    let with = |f: &dyn Fn(&mut v1::WhitelistEntry)| {
        let mut e = v1::WhitelistEntry { id: WhitelistId::new().to_string(), ..good.clone() };
        f(&mut e);
        e
    };
    let entries = vec![
        good.clone(),
        good.clone(),
        with(&|e| e.id = "x".into()),
        with(&|e| e.id = own.to_string()),
        with(&|e| e.field = "anything".into()),
        with(&|e| e.judge = "like".into()),
        with(&|e| e.value.clear()),
        with(&|e| (e.field, e.value) = ("file_path".into(), b"/x".to_vec())),
        with(&|e| e.class = "spam".into()),
        with(&|e| e.sha256 = vec![1; 31]),
        with(&|e| (e.field, e.judge, e.value) = ("process_path".into(), "not_equal".into(), b"/x".to_vec())),
    ];
    let state = v1::DesiredState { whitelist: entries, ..v1::DesiredState::default() };
    let o = overlay(host(), &state, &[], &HashSet::from([own]));
    assert_eq!(o.wanted.whitelist.len(), 1);
    assert_eq!(o.refused.len(), 10, "{:?}", o.refused);
    let pinned = overlay(host(), &state, &["whitelist".to_owned()], &HashSet::new());
    assert!(pinned.wanted.whitelist.is_empty() && pinned.refused.len() == 1);
}

#[test]
fn a_recovery_key_of_the_fleet_is_checked_and_can_be_pinned() {
    let good = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    let with = |text: &str| v1::DesiredState { recovery_recipient: text.into(), ..Default::default() };
    let o = over(&with(good), &[]);
    assert_eq!((o.wanted.recovery.as_deref(), o.refused.len()), (Some(good), 0), "{:?}", o.refused);
    let o = over(&with(good), &["vault.recovery"]);
    assert!(o.wanted.recovery.is_none() && says(&o, &["vault.recovery", "pinned"]), "{:?}", o.refused);
    let o = over(&with("age1nonsense\n"), &[]);
    assert!(o.wanted.recovery.is_none() && says(&o, &["vault.recovery", "X25519"]), "{:?}", o.refused);
    assert!(!o.refused[0].contains('\n'));
}

#[test]
fn disarmed_rules_are_checked_and_no_pin_keeps_one_armed() {
    let order = |rule: &str| v1::DisarmOrder {
        rule: rule.into(),
        reason: "our own\ntool".into(),
        who: "ana".into(),
        at_ms: 5,
    };
    let orders = vec![order("webshell_php_eval"), order(""), order("a\nb"), order(&"x".repeat(257))];
    let state = v1::DesiredState { disarmed: orders, ..v1::DesiredState::default() };
    let o = over(&state, &["disarmed", "whitelist"]);
    let expected = DisarmedRule {
        rule: "webshell_php_eval".into(),
        reason: "our own tool".into(),
        who: "ana".into(),
        at_ms: 5,
    };
    assert_eq!(o.wanted.disarmed, [expected]);
    assert_eq!(o.refused.len(), 3, "{:?}", o.refused);
    assert!(o.refused.iter().all(|r| !r.contains('\n')), "{:?}", o.refused);
    let many = v1::DesiredState { disarmed: vec![order("r"); 5_000], ..v1::DesiredState::default() };
    let o = over(&many, &[]);
    assert!(o.wanted.disarmed.len() == MAX_DISARMED && says(&o, &["1000 rules"]), "{:?}", o.refused);
}

#[test]
fn reasons_are_bounded() {
    let entry = v1::WhitelistEntry { id: "x".into(), ..v1::WhitelistEntry::default() };
    let state = v1::DesiredState { whitelist: vec![entry; 5_000], ..v1::DesiredState::default() };
    let o = over(&state, &[]);
    assert_eq!(o.refused.len(), MAX_REASONS + 1);
    assert!(says(&o, &["4800 more"]));
}

#[test]
fn what_leaves_the_host_is_for_the_project_to_say_and_for_the_host_to_bound() {
    let consent = v1::CloudPolicy {
        hashes: true,
        samples: true,
        max_sample_bytes: 1 << 20,
        exclude: vec![b"/home".to_vec()],
        kinds: vec!["executable".into()],
        wait_ms: 300,
        fail_closed: false,
        bytes_per_second: 0,
    };
    let policy = v1::HostPolicy {
        malware_cloud_scan: Some(true),
        cloud: Some(consent.clone()),
        ..v1::HostPolicy::default()
    };
    let o = over(&state(policy.clone()), &[]);
    assert!(o.wanted.cloud.hashes && o.wanted.cloud.samples && o.refused.is_empty());
    assert!(o.wanted.cloud.can_send(crate::cloud::Kind::Executable, 5, b"/usr/bin/x"));
    let broken = v1::CloudPolicy { exclude: vec![b"../home".to_vec()], ..consent };
    let o = over(&state(v1::HostPolicy { cloud: Some(broken), ..policy }), &[]);
    assert!(o.wanted.cloud.hashes && !o.wanted.cloud.samples, "what is not understood sends less");
    assert!(says(&o, &["cloud.exclude", "../home"]));
}
