// SPDX-License-Identifier: Apache-2.0
//! Two processes that restart each other, again and again: 50 times, 1000 with `LAZARET_FULL=1`
//! (the figures of docs/reliability.md).

use crate::stand_in::{Running, alive, alive_are, copy, end};
use crate::support::{Fs, State, isolate, target};
use lazaret_model::{Action, Outcome};
use lazaret_sys::process::{ProcessHandle, Signal};
use std::time::{Duration, Instant};

fn quantile(sorted: &[Duration], part: f64) -> f64 {
    let at = ((sorted.len() - 1) as f64 * part).round() as usize;
    sorted[at].as_secs_f64() * 1e3
}

/// What one would do without thinking: look, kill, look again until nothing is there. For the
/// figures only: it has no end that it could prove, and here nobody shows it a new pid late.
fn naive(program: &std::path::Path) -> Duration {
    let file = target(program).identity;
    let began = Instant::now();
    loop {
        let found: Vec<ProcessHandle> =
            alive(&file).into_iter().filter_map(|p| ProcessHandle::open(p).ok()).collect();
        for handle in &found {
            let _ = handle.signal(Signal::KILL);
        }
        if found.is_empty() {
            return began.elapsed();
        }
        for handle in found {
            assert!(handle.wait_gone(Duration::from_secs(5)));
        }
    }
}

/// For comparison, under the same load.
fn reference(rounds: usize, dir: &std::path::Path) {
    let mut took = Vec::new();
    for _ in 0..rounds {
        let program = copy(dir, "bad");
        let _first = Running::start(&program, &["pair", &end(), "0", "100"]);
        alive_are(&target(&program).identity, 2);
        took.push(naive(&program));
        std::fs::remove_file(&program).unwrap();
    }
    took.sort();
    println!(
        "for comparison, {rounds} pairs by looking and killing in turn: p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
        quantile(&took, 0.5),
        quantile(&took, 0.99),
        quantile(&took, 1.0)
    );
}

#[test]
fn case_32_respawn_pairs_are_killed_and_bystanders_live() {
    let rounds = if std::env::var_os("LAZARET_FULL").is_some_and(|v| v == "1") { 1000 } else { 50 };
    let fs = Fs::new("tmpfs");
    let state = State::fast();
    let r = state.open();
    // The same program in another file, and others: they must outlive every round.
    let innocent = copy(&fs.dir, "innocent");
    let (mut took, mut after_name, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    let (mut killed, mut wrong) = (0, 0);
    for round in 0..rounds {
        let program = copy(&fs.dir, "bad");
        let mut bystanders = [
            Running::start(&innocent, &["idle", &end()]),
            Running::start(std::path::Path::new("/bin/sleep"), &["15"]),
        ];
        let mut first = Running::start(&program, &["pair", &end(), "0", "100"]);
        let mut t = target(&program);
        let file = t.identity;
        alive_are(&file, 2);
        t.kill = true;
        let report = isolate(&r, t);
        assert_eq!(report.outcome(Action::Kill), Some(&Outcome::Done), "round {round}: {report:?}");
        assert!(report.killed.len() >= 2, "round {round}: {report:?}");
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(alive(&file), Vec::<i32>::new(), "round {round}: {report:?}");
        assert!(first.ended());
        killed += report.killed.len();
        wrong += bystanders.iter_mut().filter_map(|b| b.ended().then_some(())).count();
        let gone = report.timings.last_gone.unwrap();
        took.push(gone);
        after_name.push(gone - report.timings.name_gone.unwrap());
        whole.push(report.timings.total);
        let id = report.isolated.unwrap();
        crate::support::delete(&r, id);
    }
    assert_eq!(wrong, 0);
    reference(rounds / 5, &fs.dir);
    for set in [&mut took, &mut after_name, &mut whole] {
        set.sort();
    }
    println!(
        "{rounds} pairs, {killed} processes, 0 wrong; decision to last process gone: p50 {:.1} ms, p99 {:.1} ms, \
         max {:.1} ms; from the name being gone: p50 {:.1} ms, p99 {:.1} ms; isolated and sealed: p50 {:.1} ms",
        quantile(&took, 0.5),
        quantile(&took, 0.99),
        quantile(&took, 1.0),
        quantile(&after_name, 0.5),
        quantile(&after_name, 0.99),
        quantile(&whole, 0.5),
    );
}
