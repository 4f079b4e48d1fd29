// SPDX-License-Identifier: Apache-2.0
//! From a decided case to `response::execute` and the alarm.

use crate::alarms::{Done, id_of, raise};
use crate::core::Core;
use crate::counters::bump;
use crate::gate::Refused;
use crate::log::{log, printable};
use crate::look::{Case, now_ms};
use crate::persistence::Inquiry;
use crate::windows;
use crossbeam_channel::Receiver;
use lazaret_model::{Action, ActionRecord, AlarmId, Decision, IsolatedStatus, Outcome};
use lazaret_response::{Order, Plan, Report, Target, Timings};
use lazaret_sys::procfs;
use std::sync::Arc;
use std::time::Duration;

/// Deals with one case: counts, refuses, isolates and kills, alarms.
pub(crate) fn respond(core: &Arc<Core>, mut case: Case) {
    tell_opened_breakers(core);
    match case.decided.decision {
        Decision::Allow => allowed(core, &case),
        Decision::Alarm => {
            complete_chain(core, &mut case);
            raise(core, AlarmId::new(), &case, Done::default());
        }
        Decision::Deny => {
            complete_chain(core, &mut case);
            let timeline = refusal(&case).into_iter().chain(rehearsed_refusal(&case)).collect();
            raise(core, AlarmId::new(), &case, Done { timeline, ..Done::default() });
        }
        Decision::IsolateAndKill if case.rehearsal => rehearse(core, case),
        Decision::IsolateAndKill => {
            let freeze = core.live().freeze;
            match freeze {
                Some(wait) => windows::begin(core, case, wait),
                None => at_once(core, case),
            }
        }
    }
}

/// A whitelist entry or an exception held: counted, and told to those who listen.
fn allowed(core: &Core, case: &Case) {
    if let Some(entry) = case.decided.whitelist {
        core.uplink.hits.count(entry, &case.facts, now_ms());
        if let Err(e) = core.database.count_whitelist_hit(entry, now_ms()) {
            log!("{e}");
        }
    }
    let why = case.decided.reasons.first().map_or("", String::as_str);
    core.events.tell("allowed", format!("{} allowed: {why}", printable(&case.facts.path)), None);
}

/// Isolates and kills, and raises the alarm about it.
pub(crate) fn at_once(core: &Core, mut case: Case) {
    let id = AlarmId::new();
    let Some(report) = execute(core, id, &mut case, "policy") else { return };
    concluded(core, id, case, report);
}

/// In a dry run: the alarm and the journal say what would have been done, with the same target set.
fn rehearse(core: &Core, mut case: Case) {
    let id = id_of(core, &case);
    let Some(target) = target_of(core, &mut case) else { return };
    let plan = Plan { alarm: Some(id), who: "policy".to_owned(), order: Order::Rehearse(target) };
    let report = core.responder.execute(plan);
    complete_chain(core, &mut case);
    raise(core, id, &case, Done { timeline: report.records, ..Done::default() });
}

/// Raises the alarm about what was done.
pub(crate) fn concluded(core: &Core, id: AlarmId, mut case: Case, report: Report) {
    let timings = describe(report.timings);
    complete_chain(core, &mut case);
    let mut timeline: Vec<ActionRecord> = refusal(&case).into_iter().collect();
    timeline.extend(report.records);
    let settled =
        timeline.iter().all(|r| r.outcome.is_settled()) && report.status == Some(IsolatedStatus::Isolated);
    let done = Done { timeline, isolated: report.isolated, settled, window: None };
    let known = raise(core, id, &case, done);
    if report.isolated.is_some() {
        core.persistence.ask(Inquiry { alarm: known, chain: case.chain.clone(), automatic: true });
    }
    core.events.tell(
        "action",
        format!("{}: isolate and kill, {timings}", printable(&case.facts.path)),
        Some(known.to_string()),
    );
}

fn describe(t: Timings) -> String {
    let ms =
        |d: Option<Duration>| d.map_or("never".to_owned(), |d| format!("{:.2} ms", d.as_secs_f64() * 1e3));
    format!(
        "journaled after {}, name gone after {}, sealed after {}",
        ms(t.journaled),
        ms(t.name_gone),
        ms(t.sealed)
    )
}

/// Programs of one chain that are hashed anew: a chain of costly ones must not hold up the next case.
const MAX_HASHED: usize = 6;

/// Adds the ancestors of the acting process and the hash of each program. After the response: nobody
/// waits for it.
pub(crate) fn complete_chain(core: &Core, case: &mut Case) {
    if let [acting] = case.chain.as_slice() {
        // A parent is older than its child; a younger one has taken over the number.
        let started = acting.process.start_time;
        let ancestors = procfs::chain(acting.ppid, 31);
        if ancestors.first().is_some_and(|p| p.process.start_time <= started) {
            case.programs.extend(ancestors.iter().map(|p| procfs::exe_file(p.process.pid).ok()));
            case.chain.extend(ancestors);
        }
    }
    let programs = std::mem::take(&mut case.programs);
    let mut fresh = MAX_HASHED;
    for (process, program) in case.chain.iter_mut().zip(programs) {
        process.sha256 = program.and_then(|file| core.hashes.of(&core.pool, file, &mut fresh));
    }
}

/// Runs the plan for one file, once: the descriptor goes with it.
pub(crate) fn execute(core: &Core, alarm: AlarmId, case: &mut Case, who: &str) -> Option<Report> {
    let target = target_of(core, case)?;
    let plan = Plan { alarm: Some(alarm), who: who.to_owned(), order: Order::IsolateAndKill(target) };
    let report = core.responder.execute(plan);
    count(core, &report);
    Some(report)
}

/// The case's file and everything that a response needs; once.
pub(crate) fn target_of(core: &Core, case: &mut Case) -> Option<Target> {
    let file = case.file.take()?;
    let (runners, identity) = (Arc::clone(&core.runners), case.facts.file);
    let verdict = case.decided.verdict(&case.report);
    Some(Target {
        file,
        identity: case.facts.file,
        sha256: case.report.verdict.sha256,
        path: case.facts.path.clone(),
        class: verdict.class,
        family: verdict.family.clone(),
        confidence: verdict.confidence,
        content_version: verdict.content_version.clone(),
        test: verdict.test,
        processes: Box::new(move || runners.of(&identity)),
        may_kill: core.guards.kill_guard(&core.gate.exempt),
        isolate: true,
        kill: true,
    })
}

/// For status and for the limits.
pub(crate) fn count(core: &Core, report: &Report) {
    if report.isolated.is_some() {
        bump(&core.gate.counters.isolated);
    }
    for _ in report.killed.iter().filter(|k| k.outcome == Outcome::Done) {
        core.live().count_kill(now_ms());
        bump(&core.gate.counters.killed);
    }
}

fn rehearsed_refusal(case: &Case) -> Option<ActionRecord> {
    case.rehearsal.then(|| ActionRecord {
        at_ms: case.at_ms,
        action: Action::Deny,
        outcome: Outcome::Refused("dry run: it would have been refused from now on".into()),
        target: printable(&case.facts.path),
    })
}

/// The line of the timeline that says that exec or open was refused.
fn refusal(case: &Case) -> Option<ActionRecord> {
    case.refused.then(|| ActionRecord {
        at_ms: case.at_ms,
        action: Action::Deny,
        outcome: Outcome::Done,
        target: printable(&case.facts.path),
    })
}

/// A breaker that opened is a matter for a person.
fn tell_opened_breakers(core: &Core) {
    let (opened, held) = core.live().take_breakers();
    for b in &opened {
        let row = lazaret_state::BreakerRow {
            rule: b.rule.clone(),
            opened_ms: b.opened_ms,
            why: b.why.clone(),
            hits: b.hits,
        };
        if let Err(e) = core.database.put_breaker(&row) {
            log!("{e}");
        }
        crate::alarms::about_daemon(
            core,
            lazaret_model::Severity::High,
            format!("circuit breaker of rule {} opened: it no longer isolates or kills", b.rule),
            vec![b.why.clone(), format!("after a look at its alarms: lazaret rules rearm {}", b.rule)],
        );
    }
    // As they stand now, also of what has just opened: another thread may have counted before its row
    // was there.
    for rule in opened.into_iter().map(|b| b.rule).chain(held) {
        let hits = core.live().breaker_hits(&rule);
        if let Some(hits) = hits
            && let Err(e) = core.database.raise_breaker_hits(&rule, hits)
        {
            log!("{e}");
        }
    }
}

/// Counts refusals that memory decided towards the alarm of their file.
pub(crate) fn count_refusals(core: &Core, refused: &Receiver<Refused>) {
    while let Ok(Refused { dev, ino, pid, exec }) = refused.recv() {
        let what = if exec { "execution" } else { "opening" };
        core.events.tell("refused", format!("{what} of inode {ino} on device {dev} by process {pid}"), None);
    }
}
