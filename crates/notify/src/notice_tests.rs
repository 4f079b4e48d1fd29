// SPDX-License-Identifier: Apache-2.0
//! What becomes of changes.

use super::*;
use lazaret_store::Position;

const A: &str = "0198c0de-0000-7000-8000-000000000001";
const I: &str = "0198c0de-0000-7000-8000-000000000002";

fn row() -> AlarmRow {
    AlarmRow {
        id: A.into(),
        host: "h".into(),
        project: "0".into(),
        at_ms: 10,
        last_ms: 20,
        received_ms: 20,
        count: 1,
        severity: 1,
        class: "miner".into(),
        rating: "high".into(),
        confidence: 99,
        title: "Miner".into(),
        path: b"/tmp/\xff".to_vec(),
        sha256: vec![7; 32],
        process_sha256: Vec::new(),
        cmdline: Vec::new(),
        uid: 0,
        container: String::new(),
        origin: "exec".into(),
        decision: "isolate_and_kill".into(),
        auto_block: true,
        test: false,
        isolated: String::new(),
        handled: false,
        handled_by: String::new(),
        handled_who: String::new(),
        handled_ms: 0,
        remark: String::new(),
        suppressed: String::new(),
        attack_tag: "attack_blocked".into(),
        attack_phase: "actions".into(),
        technique: "T1496.001".into(),
        position: Position::default(),
        details: Vec::new(),
    }
}

fn line(action: &str, outcome: &str, at_ms: i64) -> v1::ActionRecord {
    v1::ActionRecord {
        at_ms,
        action: action.into(),
        outcome: outcome.into(),
        reason: String::new(),
        target: "/tmp/x".into(),
    }
}

fn words(row: &AlarmRow, before: Option<&State>) -> (State, Vec<String>) {
    let mut notices = Vec::new();
    let (state, _) = of_alarm(row, &v1::Alarm::default(), before, &mut notices);
    (state, notices.into_iter().map(|n| n.word).collect())
}

#[test]
fn an_alarm_is_new_once_and_then_changes() {
    let mut a = row();
    let (s, w) = words(&a, None);
    assert_eq!(w, ["new"]);
    let (s, w) = words(&a, Some(&s));
    assert!(w.is_empty(), "the same again is nothing: {w:?}");
    a.count = 2;
    let (s, w) = words(&a, Some(&s));
    assert_eq!(w, ["changed"]);
    a.severity = 3;
    let (s, w) = words(&a, Some(&s));
    assert_eq!(w, ["raised"]);
    a.handled = true;
    let (s, w) = words(&a, Some(&s));
    assert_eq!(w, ["handled"]);
    a.handled = false;
    let (s, w) = words(&a, Some(&s));
    assert_eq!(w, ["reopened"]);
    a.suppressed = "entry".into();
    assert_eq!(words(&a, Some(&s)).1, ["suppressed"]);
    assert_eq!(words(&a, None).1, ["suppressed"], "nobody is told of what a whitelist keeps out");
    a.suppressed.clear();
    a.handled = true;
    assert_eq!(words(&a, None).1, ["new", "handled"]);
}

#[test]
fn each_action_is_told_once_with_the_order_behind_it() {
    let mut a = row();
    a.isolated = I.into();
    let timeline = vec![line("deny", "done", 1), line("isolate", "done", 100), line("kill", "done", 101)];
    let mut details = v1::Alarm { timeline, ..v1::Alarm::default() };
    let mut notices = Vec::new();
    let (s, actions) = of_alarm(&a, &details, None, &mut notices);
    let said: Vec<(&str, bool)> = actions.iter().map(|x| (x.word.as_str(), x.process)).collect();
    assert_eq!(said, [("isolate", false)], "the kill comes with the isolated file");
    details.timeline.push(line("restore", "refused", 10_000));
    let (s, actions) = of_alarm(&a, &details, Some(&s), &mut notices);
    assert_eq!(actions.len(), 1);
    let order = |id: &str, verb: &str, about: &str, created_ms: i64, state: &str| CommandRow {
        id: id.into(),
        host: "h".into(),
        project: "0".into(),
        task: String::new(),
        verb: verb.into(),
        about: about.into(),
        state: state.into(),
        reason: String::new(),
        who: "ann".into(),
        created_ms,
        expires_ms: 0,
        sent_ms: 0,
        finished_ms: 0,
        cancel: false,
        payload: Vec::new(),
        result: Vec::new(),
    };
    let orders = [
        order("early", "restore", I, 500, "done"),
        order("cause", "restore", I, 9_000, "sent"),
        order("other", "handle", "another", 9_500, "done"),
        order("late", "restore", I, 90_000, "done"),
    ];
    let n = actions[0].clone().notice("0".into(), &orders);
    let told: Action = serde_json::from_str(&n.detail).unwrap();
    assert_eq!((n.kind.as_str(), n.about.as_str(), told.command.as_str()), ("file", A, "cause"));
    assert_eq!(told.path(), b"/tmp/\xff");
    details.timeline.truncate(1);
    let (s, actions) = of_alarm(&a, &details, Some(&s), &mut notices);
    assert!(actions.is_empty() && s.lines == 4, "an older form takes nothing back");
    a.isolated.clear();
    let kill = v1::Alarm {
        timeline: vec![line("kill", "partial", 5), line("kill", "already_gone", 6)],
        chain: vec![v1::ProcessFacts {
            process: Some(v1::ProcessRef { pid: 77, ..v1::ProcessRef::default() }),
            exe: b"/tmp/run".to_vec(),
            ..v1::ProcessFacts::default()
        }],
        ..v1::Alarm::default()
    };
    let (_, actions) = of_alarm(&a, &kill, None, &mut notices);
    assert_eq!(actions.len(), 1);
    assert_eq!((actions[0].pid, actions[0].outcome.as_str()), (Some(77), "partial"));
    let n = actions[0].clone().notice("0".into(), &[]);
    let told: Action = serde_json::from_str(&n.detail).unwrap();
    assert_eq!(told.command, A, "what the agent did by itself carries the alarm");
}

#[test]
fn an_isolated_file_tells_each_process_and_its_own_way() {
    let row = IsolatedRow {
        id: I.into(),
        host: "h".into(),
        project: "0".into(),
        path: b"/tmp/x".to_vec(),
        sha256: vec![1; 32],
        size: 1,
        class: "worm".into(),
        family: String::new(),
        confidence: 99,
        status: "isolated".into(),
        reason: String::new(),
        alarm: A.into(),
        alarm_title: String::new(),
        source: "event".into(),
        isolated_ms: 7,
        updated_ms: 8,
        position: Position::default(),
        details: Vec::new(),
    };
    let killed = |pid| v1::Killed {
        process: Some(v1::ProcessRef { pid, ..v1::ProcessRef::default() }),
        exe: b"/tmp/x".to_vec(),
        outcome: "done".into(),
        ..v1::Killed::default()
    };
    let mut details = v1::Isolated { killed: vec![killed(5), killed(6)], ..v1::Isolated::default() };
    let (s, actions) = notice_action::of_file(&row, &details, None);
    let pids: Vec<Option<i32>> = actions.iter().map(|a| a.pid).collect();
    assert_eq!(pids, [Some(5), Some(6)]);
    details.killed.push(killed(9));
    let restored = IsolatedRow { status: "restored".into(), ..row.clone() };
    let (s, actions) = notice_action::of_file(&restored, &details, Some(&s));
    assert_eq!(actions.len(), 1, "its alarm tells of the restore");
    let alone = IsolatedRow { alarm: String::new(), status: "deleted".into(), ..row };
    let (_, actions) = notice_action::of_file(&alone, &details, Some(&s));
    assert_eq!(actions.len(), 1);
    assert_eq!((actions[0].word.as_str(), actions[0].outcome.as_str()), ("delete", "done"));
}

#[test]
fn what_was_there_before_the_first_target_is_not_new() {
    let mut a = row();
    let details = v1::Alarm { timeline: vec![line("isolate", "done", 15)], ..v1::Alarm::default() };
    assert_eq!(older(&a, &details, 5), None);
    let before = older(&a, &details, 1_000).unwrap();
    assert_eq!(before.lines, 1);
    a.handled = true;
    a.handled_ms = 2_000;
    let before = older(&a, &details, 1_000).unwrap();
    assert_eq!(words(&a, Some(&before)).1, ["handled"]);
}
