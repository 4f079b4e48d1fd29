// SPDX-License-Identifier: Apache-2.0
//! `status`: what is configured beside what is in force.

use crate::core::Core;
use crate::counters::read;
use lazaret_model::IsolatedStatus;
use lazaret_proto::v1;

pub(crate) fn status(core: &Core) -> v1::Status {
    let content = core.pool.content();
    let mounts = core.protection.status();
    let jail_gaps = core.pool.jail_gaps();
    let live = core.live();
    let open_breakers: Vec<String> =
        live.open_breakers().iter().map(|b| format!("{}: {}", b.rule, b.why)).collect();
    let policy = live.policy.clone();
    let (dry_run, freeze) = (live.dry_run, live.freeze);
    drop(live);
    let thresholds = policy.effective_thresholds();
    let mut degraded = degraded(core, &mounts, &content, &open_breakers, dry_run);
    degraded.extend(super::vault::full(core).into_iter().map(|why| format!("vault: {why}")));
    v1::Status {
        version: env!("CARGO_PKG_VERSION").into(),
        started_ms: core.started_ms,
        content_version: content.version.clone(),
        degraded,
        content: Some((&content).into()),
        isolate_and_kill: policy.isolate_and_kill,
        safe_mode: core.safe_mode,
        mounts,
        workers: core
            .pool
            .workers()
            .into_iter()
            .map(|w| v1::WorkerStatus { pid: w.pid, scanned: w.scanned, busy: w.busy })
            .collect(),
        counters: Some(counters(core)),
        alarms_unhandled: core.database.count_unhandled().unwrap_or(0),
        isolated: held(core),
        state_dir: core.config.paths.state.display().to_string(),
        jail_gaps,
        open_breakers,
        pid: std::process::id().cast_signed(),
        high_threshold: thresholds.high().into(),
        medium_threshold: thresholds.medium().into(),
        automatic_classes: policy.automatic.iter().map(|c| c.word().to_owned()).collect(),
        vault: Some(super::vault::status(core)),
        dry_run,
        freeze_seconds: freeze.map_or(0, |f| u32::try_from(f.as_secs()).unwrap_or(u32::MAX)),
        windows: core.windows.status(),
        server: core.uplink.status(core),
        cloud: core.cloud.status(core),
    }
}

fn held(core: &Core) -> u64 {
    let objects = core.responder.vault().list().unwrap_or_default();
    let held = objects.iter().filter(|o| {
        let status = o.manifest.as_ref().map(|m| m.status);
        matches!(
            status,
            Ok(IsolatedStatus::Isolated | IsolatedStatus::IsolatedInPlace | IsolatedStatus::RestoreFailed)
        )
    });
    held.count() as u64
}

/// Worst first; empty means fully protected.
fn degraded(
    core: &Core,
    mounts: &[v1::MountStatus],
    content: &lazaret_model::ContentInfo,
    breakers: &[String],
    dry_run: bool,
) -> Vec<String> {
    let mut out = Vec::new();
    if dry_run {
        out.push("dry run: nothing is refused, isolated or killed".to_owned());
    }
    if core.safe_mode {
        out.push(
            "safe mode after three abnormal ends within ten minutes: nothing is refused; look at the log, then \
             stop and start the daemon"
                .to_owned(),
        );
    }
    for m in mounts.iter().filter(|m| m.effective != m.configured && !core.safe_mode) {
        let path = crate::log::printable(&m.path);
        out.push(format!("{path}: {} instead of {}: {}", m.effective, m.configured, m.reason));
    }
    out.extend(content.problems.iter().map(|p| format!("content: {p}")));
    out.extend(core.pool.jail_gaps().into_iter().map(|g| format!("jail: {g}")));
    out.extend(breakers.iter().map(|b| format!("circuit breaker open: {b}")));
    for d in core.live().all_disarmed() {
        out.push(format!("rule {} only alarms: disarmed at the server by {}: {}", d.rule, d.who, d.reason));
    }
    out.extend(core.uplink.problem().map(|why| format!("server: {why}")));
    out.extend(core.guards.trust_gap().map(|why| format!("packages: {why}")));
    out
}

fn counters(core: &Core) -> v1::Counters {
    let c = &core.gate.counters;
    v1::Counters {
        events_exec: read(&c.events_exec),
        events_open: read(&c.events_open),
        events_write: read(&c.events_write),
        events_moved: read(&c.events_moved),
        allowed_own: read(&c.allowed_own),
        allowed_cached: read(&c.allowed_cached),
        scanned: read(&c.scanned),
        denied: read(&c.denied),
        deadline_missed: read(&c.deadline_missed),
        scan_errors: read(&c.scan_errors),
        overflows: read(&c.overflows),
        workers_replaced: core.pool.replaced(),
        isolated: read(&c.isolated),
        killed: read(&c.killed),
    }
}
