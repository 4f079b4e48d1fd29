// SPDX-License-Identifier: Apache-2.0
//! The judgement, case by case.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use lazaret_model::{
    Confidence, Decision, Evidence, EvidenceKind, FileType, Guard, MalwareClass, ProcessFacts, ProcessRef,
    Rating, ScanReport, Severity, Sha256, Thresholds, Verdict, WhitelistId,
};
use lazaret_policy::{
    Brakes, BreakerHit, CircuitBreaker, Decided, DisarmedRule, Judge, OpenBreaker, PackageStanding, Policy,
    ProtectMode, RateLimit, Subject, Whitelist, WhitelistEntry, WhitelistField, decide, rate, severity,
};

fn evidence(id: &str, weight: f32, decisive: bool) -> Evidence {
    Evidence { kind: EvidenceKind::Rule, id: id.into(), weight, detail: String::new(), decisive }
}

fn verdict(class: MalwareClass, confidence: u8) -> Verdict {
    Verdict {
        sha256: Sha256([1; 32]),
        size: 10,
        file_type: FileType::Elf,
        member: None,
        class,
        family: "x".into(),
        confidence: Confidence::new(confidence),
        evidence: vec![evidence("rule-a", 5.0, true)],
        content_version: "1".into(),
        test: false,
    }
}

fn report(verdict: Verdict) -> ScanReport {
    ScanReport {
        verdict,
        members: Vec::new(),
        objects: 1,
        bytes: 10,
        unscanned: Vec::new(),
        elf: None,
        tlsh: String::new(),
    }
}

fn on() -> Policy {
    Policy { isolate_and_kill: true, ..Policy::default() }
}

fn judge_with(r: &ScanReport, p: &Policy, s: &Subject<'_>, w: &Whitelist, b: &CircuitBreaker) -> Decided {
    let (isolations, kills) = (RateLimit::default(), RateLimit::default());
    decide(r, p, s, w, &Brakes { breaker: b, isolations: &isolations, kills: &kills, now_ms: 0 })
}

fn judge(r: &ScanReport, p: &Policy, s: &Subject<'_>) -> Decided {
    judge_with(r, p, s, &Whitelist::default(), &CircuitBreaker::default())
}

fn owned(intact: bool, trusted: bool) -> PackageStanding {
    PackageStanding::Owned { package: "tool 1.0".into(), intact, trusted }
}

fn entry(field: WhitelistField, judge: Judge, value: &[u8]) -> WhitelistEntry {
    WhitelistEntry {
        id: WhitelistId::new(),
        field,
        judge,
        value: value.to_vec(),
        sha256: None,
        any_content: false,
        description: String::new(),
        added_ms: 0,
        added_by: "uid 0".into(),
        class: None,
        expires_ms: None,
    }
}

fn says(d: &Decided, word: &str) -> bool {
    d.reasons.iter().any(|r| r.contains(word))
}

#[test]
fn high_is_acted_on_only_with_switch_and_class() {
    let r = report(verdict(MalwareClass::Miner, 95));
    let s = Subject::new(b"/tmp/x");
    assert_eq!(judge(&r, &on(), &s).decision, Decision::IsolateAndKill);
    let d = judge(&r, &Policy::default(), &s);
    assert_eq!((d.decision, d.rating), (Decision::Alarm, Some(Rating::High)));
    assert!(says(&d, "switch"), "{d:?}");
    let d = judge(&report(verdict(MalwareClass::HackTool, 95)), &on(), &s);
    assert_eq!(d.decision, Decision::Alarm);
    assert!(says(&d, "Hacker tool"), "{d:?}");
    for c in [1, 59, 60, 89] {
        assert_eq!(
            judge(&report(verdict(MalwareClass::Miner, c)), &on(), &s).decision,
            Decision::Alarm,
            "{c}"
        );
    }
    let mut clean = report(verdict(MalwareClass::Miner, 0));
    clean.verdict.evidence.clear();
    let d = judge(&clean, &on(), &s);
    assert_eq!((d.decision, d.rating), (Decision::Allow, None));
}

#[test]
fn guards_alarm_and_say_why() {
    let r = report(verdict(MalwareClass::Miner, 99));
    let critical = Subject {
        critical: Some("needed to log in"),
        package: owned(false, false),
        ..Subject::new(b"/usr/sbin/sshd")
    };
    let d = judge(&r, &on(), &critical);
    assert_eq!(d.decision, Decision::Alarm);
    assert!(matches!(d.guard, Some(Guard::CriticalProgram(_))));
    assert!(says(&d, "repair") && says(&d, "tool 1.0"), "{d:?}");
    assert_eq!(severity(&r.verdict, &d), Severity::Critical);

    let packaged = Subject { package: owned(true, true), ..Subject::new(b"/usr/bin/tool") };
    let d = judge(&r, &on(), &packaged);
    assert!(
        matches!(&d.guard, Some(Guard::IntactPackage(p)) if p == "tool 1.0") && d.decision == Decision::Alarm
    );
    // An installed package that nothing signed vouches for, and a changed file, buy nothing.
    for (intact, trusted) in [(true, false), (false, true), (false, false)] {
        let s = Subject { package: owned(intact, trusted), ..Subject::new(b"/usr/bin/tool") };
        assert_eq!(judge(&r, &on(), &s).decision, Decision::IsolateAndKill, "{intact} {trusted}");
    }
    let mut mail = r.clone();
    mail.verdict.file_type = FileType::Text;
    let d = judge(&mail, &on(), &Subject::new(b"/var/mail/root"));
    assert!(matches!(d.guard, Some(Guard::Carrier(_))) && d.decision == Decision::Alarm);
    assert_eq!(judge(&r, &on(), &Subject::new(b"/var/mail/root")).decision, Decision::IsolateAndKill, "ELF");
}

#[test]
fn severities() {
    let s = Subject::new(b"/tmp/x");
    for (class, confidence, expected) in [
        (MalwareClass::Miner, 99, Severity::High),
        (MalwareClass::Ransomware, 99, Severity::Critical),
        (MalwareClass::Ransomware, 70, Severity::Medium),
        (MalwareClass::Rootkit, 10, Severity::Low),
    ] {
        let r = report(verdict(class, confidence));
        assert_eq!(severity(&r.verdict, &judge(&r, &on(), &s)), expected, "{class} {confidence}");
    }
}

#[test]
fn an_unanswered_package_question_refuses_where_packages_live() {
    let r = report(verdict(MalwareClass::Miner, 99));
    let unknown = |path| Subject { package: PackageStanding::Unknown("locked".into()), ..Subject::new(path) };
    for path in [b"/usr/bin/x".as_slice(), b"/bin/x", b"/etc/x"] {
        let d = judge(&r, &on(), &unknown(path));
        assert_eq!(d.decision, Decision::Deny);
        assert!(says(&d, "locked"), "{d:?}");
    }
    for path in [b"/tmp/x".as_slice(), b"/usr/local/bin/x", b"/home/a/x"] {
        assert_eq!(judge(&r, &on(), &unknown(path)).decision, Decision::IsolateAndKill);
    }
}

#[test]
fn high_needs_something_decisive() {
    let mut v = verdict(MalwareClass::Miner, 99);
    v.evidence = vec![evidence("third-party", 9.0, false), evidence("known-good", -1.0, true)];
    let lowest = Policy {
        thresholds: Thresholds::new(80, 30).unwrap(),
        protect_mode: ProtectMode::HighDetection,
        ..on()
    };
    assert_eq!(rate(&v, &lowest), Some(Rating::Medium));
    assert_eq!(judge(&report(v), &lowest, &Subject::new(b"/tmp/x")).decision, Decision::Alarm);
}

#[test]
fn test_programs_keep_their_rating_and_can_be_switched_off() {
    let hardest = Policy { thresholds: Thresholds::new(100, 79).unwrap(), ..on() };
    for (confidence, rating) in [(99, Rating::High), (75, Rating::Medium), (30, Rating::Low)] {
        let mut v = verdict(MalwareClass::Virus, confidence);
        v.test = true;
        assert_eq!(rate(&v, &hardest), Some(rating));
        let off = Policy { test_programs: false, ..hardest.clone() };
        let d = judge(&report(v), &off, &Subject::new(b"/tmp/x"));
        assert_eq!(d.decision, Decision::Allow);
        assert!(says(&d, "test program"), "{d:?}");
    }
}

#[test]
fn a_member_condemns_its_archive_only_as_policy_says() {
    let mut r = report(verdict(MalwareClass::Miner, 0));
    r.verdict.evidence.clear();
    r.verdict.file_type = FileType::Zip;
    let low =
        Verdict { member: Some(b"a".to_vec()), sha256: Sha256([8; 32]), ..verdict(MalwareClass::Miner, 30) };
    let bad =
        Verdict { member: Some(b"b".to_vec()), sha256: Sha256([9; 32]), ..verdict(MalwareClass::Miner, 95) };
    r.members = vec![low, bad];
    let s = Subject::new(b"/srv/a.zip");
    let d = judge(&r, &on(), &s);
    assert_eq!((d.decision, d.rating, d.member), (Decision::Alarm, Some(Rating::High), Some(1)));
    assert_eq!(d.verdict(&r).sha256, Sha256([9; 32]));
    let condemn = Policy { condemn_archives: true, ..on() };
    assert_eq!(judge(&r, &condemn, &s).decision, Decision::IsolateAndKill);
    // The archive's own verdict that rests on its members is no different.
    let mut own = report(verdict(MalwareClass::Miner, 95));
    own.verdict.evidence[0].kind = EvidenceKind::Member;
    assert_eq!(judge(&own, &on(), &s).decision, Decision::Alarm);
    assert_eq!(judge(&own, &condemn, &s).decision, Decision::IsolateAndKill);
    // A whitelisted member no longer counts, the other still does.
    let mut w = Whitelist::default();
    w.add(entry(WhitelistField::Hash, Judge::Equal, &[9; 32])).unwrap();
    let d = judge_with(&r, &condemn, &s, &w, &CircuitBreaker::default());
    assert_eq!((d.decision, d.rating, d.member), (Decision::Alarm, Some(Rating::Low), Some(0)));
}

#[test]
fn whitelist_binds_paths_to_content() {
    use WhitelistField::{FilePath, Hash, ProcessCmdline, ProcessPath};
    let r = report(verdict(MalwareClass::Miner, 99));
    let process = ProcessFacts {
        process: ProcessRef { pid: 9, start_time: 1, boot_id: [0; 16] },
        ppid: 1,
        exe: b"/opt/deploy".to_vec(),
        cmdline: b"/opt/deploy\0--run\0now\0".to_vec(),
        uid: 0,
        euid: 0,
        gid: 0,
        started_ms: 0,
        sha256: None,
        container: None,
        unit: None,
    };
    let s = Subject { process: Some(&process), ..Subject::new(b"/srv/\xff/tool") };
    let with = |e: WhitelistEntry| {
        let mut w = Whitelist::default();
        let id = e.id;
        w.add(e).map(|()| {
            let d = judge_with(&r, &on(), &s, &w, &CircuitBreaker::default());
            assert_eq!(d.whitelist.is_some(), d.decision == Decision::Allow);
            assert!(d.whitelist.is_none_or(|hit| hit == id));
            d.whitelist.is_some()
        })
    };
    let same = Some(Sha256([1; 32]));
    let other = Some(Sha256([2; 32]));
    let hits = [
        (entry(Hash, Judge::Equal, &[1; 32]), true),
        (entry(Hash, Judge::Equal, Sha256([1; 32]).to_string().as_bytes()), true),
        (entry(Hash, Judge::Equal, &[2; 32]), false),
        (WhitelistEntry { sha256: same, ..entry(FilePath, Judge::Equal, b"/srv/\xff/tool") }, true),
        (WhitelistEntry { sha256: other, ..entry(FilePath, Judge::Equal, b"/srv/\xff/tool") }, false),
        (WhitelistEntry { any_content: true, ..entry(FilePath, Judge::Contain, b"/\xff/") }, true),
        (WhitelistEntry { any_content: true, ..entry(FilePath, Judge::Equal, b"/srv/") }, false),
        (entry(ProcessPath, Judge::Equal, b"/opt/deploy"), true),
        (entry(ProcessPath, Judge::Contain, b"deploy2"), false),
        (entry(ProcessCmdline, Judge::Equal, b"/opt/deploy --run now"), true),
        (entry(ProcessCmdline, Judge::Contain, b"--run now"), true),
        (entry(ProcessCmdline, Judge::Contain, b"--run\0now"), true),
        (entry(ProcessCmdline, Judge::Equal, b"/opt/deploy"), false),
    ];
    for (e, expected) in hits {
        let shown = format!("{e:?}");
        assert_eq!(with(e), Ok(expected), "{shown}");
    }
    for (e, say) in [
        (entry(Hash, Judge::Equal, b""), "empty"),
        (entry(Hash, Judge::Equal, b"abc"), "SHA-256"),
        (entry(Hash, Judge::Contain, &[1; 32]), "equal"),
        (entry(FilePath, Judge::Equal, b"/srv/x"), "any_content"),
        (entry(FilePath, Judge::Contain, b"/s"), "at least 3"),
        (entry(FilePath, Judge::Equal, b"srv/x"), "absolute"),
        (entry(ProcessCmdline, Judge::Contain, b"x"), "at least 3"),
        (entry(ProcessCmdline, Judge::Contain, &[b'x'; 5000]), "4096"),
    ] {
        let error = with(e).unwrap_err().to_string();
        assert!(error.contains(say), "{error}");
    }
}

#[test]
fn whitelist_words_and_changes() {
    for f in WhitelistField::ALL {
        assert_eq!(f.word().parse(), Ok(f));
        assert_eq!(f.word().replace('_', "-").parse(), Ok(f));
    }
    assert_eq!("contain".parse(), Ok(Judge::Contain));
    assert!("login_ip".parse::<WhitelistField>().unwrap_err().to_string().contains("login_ip"));
    let mut w = Whitelist::default();
    let mut e = entry(WhitelistField::Hash, Judge::Equal, &[1; 32]);
    w.add(e.clone()).unwrap();
    e.value = vec![2; 32];
    w.add(e.clone()).unwrap();
    assert_eq!(w.entries(), std::slice::from_ref(&e), "the same id is replaced");
    assert_eq!(w.remove(e.id), Some(e.clone()));
    assert_eq!(w.remove(e.id), None);
}

#[test]
fn exception_lets_be() {
    let s = Subject { exception: true, ..Subject::new(b"/tmp/x") };
    let d = judge(&report(verdict(MalwareClass::Miner, 99)), &on(), &s);
    assert_eq!(d.decision, Decision::Allow);
    assert!(says(&d, "restore"), "{d:?}");
}

#[test]
fn what_the_server_disarmed_only_alarms_and_breakers_stay() {
    let order = |rule: &str| DisarmedRule {
        rule: rule.into(),
        reason: "our own tool".into(),
        who: "ana".into(),
        at_ms: 1,
    };
    let (s, w) = (Subject::new(b"/tmp/x"), Whitelist::default());
    let one = report(verdict(MalwareClass::Miner, 99));
    let mut two = one.clone();
    two.verdict.evidence.push(evidence("rule-b", 4.0, true));
    let mut b = CircuitBreaker::default();
    b.set_disarmed([order("rule-a")]);
    let d = judge_with(&one, &on(), &s, &w, &b);
    assert_eq!(d.decision, Decision::Alarm);
    assert!(matches!(&d.guard, Some(Guard::Disarmed(why)) if why.contains("ana") && why.contains("rule-a")));
    assert!(says(&d, "armed again"), "{d:?}");
    assert_eq!(judge_with(&two, &on(), &s, &w, &b).decision, Decision::IsolateAndKill, "rule-b is armed");
    // It is not counted while it cannot act.
    let packaged = Subject { package: owned(true, true), ..Subject::new(b"/usr/bin/a") };
    assert!(b.observe(&one.verdict, &packaged, |_| None, 1_000).is_empty() && !b.is_open("rule-a"));
    // With another that its breaker stopped, the denial of that one goes on.
    b.reopen(OpenBreaker { rule: "rule-b".into(), opened_ms: 1, why: "x".into(), hits: 0 });
    assert_eq!(judge_with(&two, &on(), &s, &w, &b).decision, Decision::Deny);
    // Lifted at the server; what the host's own breaker stopped stays so.
    b.reopen(OpenBreaker { rule: "rule-a".into(), opened_ms: 1, why: "x".into(), hits: 0 });
    b.set_disarmed([]);
    assert_eq!(judge_with(&one, &on(), &s, &w, &b).decision, Decision::Deny);
    assert!(b.rearm("rule-a"));
    assert_eq!(judge_with(&one, &on(), &s, &w, &b).decision, Decision::IsolateAndKill);
}

#[test]
fn breaker_opens_after_distinct_hits_and_denial_goes_on() {
    let mut b = CircuitBreaker::default();
    let v = verdict(MalwareClass::Miner, 99);
    let packaged = |path| Subject { package: owned(true, false), ..Subject::new(path) };
    for path in [b"/usr/bin/a".as_slice(), b"/usr/bin/a", b"/usr/bin/b", b"/usr/bin/c", b"/usr/bin/a"] {
        assert!(b.observe(&v, &packaged(path), |_| None, 1_000).is_empty());
    }
    let opened = b.observe(&v, &packaged(b"/usr/bin/d"), |_| None, 2_000);
    assert_eq!(opened.len(), 1);
    assert_eq!((opened[0].rule.as_str(), opened[0].opened_ms), ("rule-a", 2_000));
    let r = report(v.clone());
    let w = Whitelist::default();
    let s = Subject::new(b"/tmp/x");
    let d = judge_with(&r, &on(), &s, &w, &b);
    assert_eq!(d.decision, Decision::Deny);
    assert!(matches!(&d.guard, Some(Guard::CircuitBreaker(why)) if why.contains("intact packages")), "{d:?}");
    // Switched off, it stays an alarm.
    assert_eq!(judge_with(&r, &Policy::default(), &s, &w, &b).decision, Decision::Alarm);
    // A second decisive rule carries the verdict without the first.
    let mut two = r.clone();
    two.verdict.evidence.push(evidence("rule-b", 4.0, true));
    assert_eq!(judge_with(&two, &on(), &s, &w, &b).decision, Decision::IsolateAndKill);
    // It comes back after a restart, and only a person re-arms it.
    let mut again = CircuitBreaker::default();
    for o in b.open() {
        again.reopen(o.clone());
    }
    assert!(again.is_open("rule-a"));
    assert!(again.rearm("rule-a") && !again.rearm("rule-a"));
    assert_eq!(judge_with(&r, &on(), &s, &w, &again).decision, Decision::IsolateAndKill);
}

#[test]
fn breaker_counts_only_what_speaks_against_the_rule() {
    let v = verdict(MalwareClass::Miner, 99);
    let mut b = CircuitBreaker::default();
    for i in 0..20 {
        let path = format!("/usr/bin/{i}");
        // Changed packaged files are what a virus leaves; new files are what a dropper leaves.
        let s = Subject {
            package: owned(false, true),
            changed_ms: Some(10_000),
            ..Subject::new(path.as_bytes())
        };
        assert!(b.observe(&v, &s, |_| Some(5_000), 0).is_empty());
        let test = Verdict { test: true, ..v.clone() };
        let s = Subject { package: owned(true, true), ..Subject::new(path.as_bytes()) };
        assert!(b.observe(&test, &s, |_| None, 0).is_empty());
    }
    for i in 0..4 {
        let path = format!("/srv/{i}");
        let s = Subject { changed_ms: Some(4_000), ..Subject::new(path.as_bytes()) };
        assert_eq!(b.observe(&v, &s, |_| Some(5_000), 0).len(), usize::from(i == 3));
    }
    // Outside the window hits are forgotten.
    let mut b = CircuitBreaker::new(3, 3_600_000);
    for i in 0..10_i64 {
        let key = i.to_string();
        assert_eq!(b.record("r", BreakerHit::RunningService, key.as_bytes(), i * 1_300_000), None);
    }
    // Thousands of rules cost bounded memory and the newest is still watched.
    for i in 0..3_000 {
        b.record(&format!("rule-{i}"), BreakerHit::PackageFile, b"k", i);
    }
    for key in [b"a".as_slice(), b"b"] {
        assert_eq!(b.record("rule-2999", BreakerHit::PackageFile, key, 3_000), None);
    }
    assert!(b.record("rule-2999", BreakerHit::PackageFile, b"c", 3_000).is_some());
}

#[test]
fn rate_limit_denies() {
    let mut isolations = RateLimit::new(2, 600_000);
    let kills = RateLimit::default();
    let r = report(verdict(MalwareClass::Miner, 99));
    let (w, b) = (Whitelist::default(), CircuitBreaker::default());
    for expected in [Decision::IsolateAndKill, Decision::IsolateAndKill, Decision::Deny] {
        let brakes = Brakes { breaker: &b, isolations: &isolations, kills: &kills, now_ms: 5 };
        assert_eq!(decide(&r, &on(), &Subject::new(b"/tmp/x"), &w, &brakes).decision, expected);
        isolations.record(5);
    }
}

#[test]
fn a_file_of_an_intact_package_stops_its_rule_at_once() {
    let v = verdict(MalwareClass::Miner, 99);
    let subject = |trusted, vouched| Subject {
        package: owned(true, trusted),
        vouched,
        ..Subject::new(b"/usr/bin/tool")
    };
    // What something signed vouches for; or, where nothing vouches for anything, what is intact.
    for (trusted, vouched, opens) in [(true, true, true), (false, false, true), (false, true, false)] {
        let mut b = CircuitBreaker::default();
        let opened = b.observe(&v, &subject(trusted, vouched), |_| None, 7);
        assert_eq!(opened.len(), usize::from(opens), "{trusted} {vouched}");
        let d = judge_with(&report(v.clone()), &on(), &Subject::new(b"/tmp/x"), &Whitelist::default(), &b);
        assert_eq!(d.decision, if opens { Decision::Deny } else { Decision::IsolateAndKill });
        assert!(!opens || says(&d, "lazaret rules rearm"), "{d:?}");
    }
    // A package file that was changed speaks for the rule, not against it.
    let mut b = CircuitBreaker::default();
    let changed = Subject { package: owned(false, true), ..Subject::new(b"/usr/bin/tool") };
    assert!(b.observe(&v, &changed, |_| None, 7).is_empty());
}

#[test]
fn findings_that_were_held_back_are_counted() {
    let mut b = CircuitBreaker::default();
    assert!(!b.held_back("r"));
    assert!(b.record("r", BreakerHit::VouchedPackageFile, b"k", 0).is_some());
    for _ in 0..3 {
        assert!(b.held_back("r"));
    }
    assert_eq!(b.get("r").map(|o| o.hits), Some(3));
}
