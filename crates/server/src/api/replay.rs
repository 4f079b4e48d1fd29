// SPDX-License-Identifier: Apache-2.0
//! The past under other settings: the verdicts that were kept, judged again by the same pure function
//! that the hosts use.

use super::problem::Problem;
use super::state::Api;
use super::switches;
use crate::settings::PolicySettings;
use crate::{json, time};
use lazaret_model::{Alarm, Confidence, Decision, MalwareClass, Rating, ScanReport, Thresholds, Verdict};
use lazaret_policy::{
    Brakes, CircuitBreaker, ClassSet, CriticalPrograms, PackageStanding, Policy, RateLimit, Subject,
    Whitelist, decide,
};
use lazaret_proto::{Message as _, v1};
use lazaret_store::{AlarmFilter, AlarmRow, Cursor, Scope};
use serde::Serialize;
use utoipa::ToSchema;

/// How far back.
const DAYS: i64 = 30;
/// Alarms looked at.
const MOST: u64 = 50_000;
/// Differences shown.
const SHOWN: usize = 1_000;
/// Alarms of one page.
const PAGE: u32 = 500;

/// Which alarms.
pub(crate) struct Concerned {
    pub(crate) project: String,
    /// Of the hosts whose group has this one; `None`: of all hosts of the project whose group has none.
    pub(crate) policy_group: Option<String>,
}

/// What would have differed.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Replay {
    /// Alarms with a verdict that were judged again.
    judged: u64,
    /// Could not be judged: what is kept of them is not whole.
    unreadable: u64,
    /// There were more than could be looked at.
    incomplete: bool,
    /// Isolated and killed under these settings, and not then.
    more_isolations: u64,
    /// Isolated and killed then, and not under these settings.
    fewer_isolations: u64,
    /// Rated otherwise.
    other_ratings: u64,
    /// Would not have been alarms at all.
    gone_alarms: u64,
    /// The first thousand, newest first.
    differences: Vec<Difference>,
}

/// One alarm that would have ended otherwise.
#[derive(Debug, Serialize, ToSchema)]
struct Difference {
    alarm: String,
    host: String,
    #[schema(format = DateTime)]
    at: String,
    title: String,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    class: String,
    confidence: u8,
    rating_before: Option<String>,
    rating_after: Option<String>,
    decision_before: String,
    decision_after: String,
    /// Why so, under the proposed settings.
    reasons: Vec<String>,
}

/// The policy that settings and switches make.
pub(crate) async fn proposed(
    api: &Api,
    project: &str,
    settings: Option<&PolicySettings>,
    changed: &[(String, bool)],
) -> Result<Policy, Problem> {
    let stored = api.store.switches(project).await?;
    let on = |name: &str| {
        let changed = changed.iter().find(|(n, _)| n == name).map(|(_, on)| *on);
        changed.unwrap_or_else(|| stored.iter().any(|s| s.name == name && s.on))
    };
    let none = PolicySettings::default();
    let isolate = on(switches::ISOLATE_AND_KILL);
    let high_detection = on(switches::HIGH_DETECTION);
    Ok(policy_of(&settings.unwrap_or(&none).policy(isolate, false, high_detection, "")))
}

/// What a host makes of it; what is absent is the host's default.
fn policy_of(wanted: &v1::HostPolicy) -> Policy {
    let base = Policy::default();
    let byte = |n: u32| u8::try_from(n).unwrap_or(u8::MAX);
    let high = wanted.high_threshold.map_or(base.thresholds.high(), byte);
    let medium = wanted.medium_threshold.map_or(base.thresholds.medium(), byte);
    let classes = wanted.automatic_classes.iter().filter_map(|w| w.parse::<MalwareClass>().ok());
    Policy {
        isolate_and_kill: wanted.isolate_and_kill.unwrap_or(base.isolate_and_kill)
            && !wanted.dry_run.unwrap_or_default(),
        thresholds: Thresholds::new(high, medium).unwrap_or(base.thresholds),
        automatic: if wanted.classes_set { classes.collect::<ClassSet>() } else { base.automatic },
        protect_mode: wanted
            .protect_mode
            .as_deref()
            .and_then(|m| m.parse().ok())
            .unwrap_or(base.protect_mode),
        test_programs: wanted.test_programs.unwrap_or(base.test_programs),
        condemn_archives: wanted.condemn_archives.unwrap_or(base.condemn_archives),
    }
}

pub(crate) async fn run(api: &Api, concerned: &Concerned, policy: &Policy) -> Result<Replay, Problem> {
    let scope = Scope::Projects(vec![concerned.project.clone()]);
    let groups = api.store.host_groups(&scope).await?;
    let mut filter =
        AlarmFilter { since_ms: Some(time::now_ms() - DAYS * time::DAY_MS), ..AlarmFilter::default() };
    let mut out = Replay::default();
    let mut seen = 0;
    match &concerned.policy_group {
        Some(policy_group) => {
            for group in groups.iter().filter(|g| g.policy_group.as_ref() == Some(policy_group)) {
                filter.group.clone_from(&group.id);
                pages(api, &scope, &filter, policy, &mut out, &mut seen, |_| true).await?;
            }
        }
        None => {
            // Hosts of a group with settings of its own go by those; what they leave open is not told apart here.
            let own: Vec<&str> =
                groups.iter().filter(|g| g.policy_group.is_some()).map(|g| g.id.as_str()).collect();
            let hosts = hosts_of(api, &scope, &own).await?;
            pages(api, &scope, &filter, policy, &mut out, &mut seen, |a| !hosts.contains(&a.host)).await?;
        }
    }
    Ok(out)
}

/// Hosts of these groups.
async fn hosts_of(
    api: &Api,
    scope: &Scope,
    groups: &[&str],
) -> Result<std::collections::HashSet<String>, Problem> {
    let mut hosts = std::collections::HashSet::new();
    for group in groups {
        let filter =
            lazaret_store::HostFilter { group: (*group).to_owned(), removed: true, ..Default::default() };
        let mut cursor = Cursor { after: None, limit: 1000 };
        loop {
            let page = api.store.hosts_page(scope, &filter, &cursor).await?;
            hosts.extend(page.items.into_iter().map(|h| h.id));
            let Some(next) = page.next else { break };
            cursor.after = Some(next);
        }
    }
    Ok(hosts)
}

async fn pages(
    api: &Api,
    scope: &Scope,
    filter: &AlarmFilter,
    policy: &Policy,
    out: &mut Replay,
    seen: &mut u64,
    wanted: impl Fn(&AlarmRow) -> bool,
) -> Result<(), Problem> {
    let critical = CriticalPrograms::new();
    let mut cursor = Cursor { after: None, limit: PAGE };
    loop {
        let page = api.store.alarms_page(scope, filter, &cursor).await?;
        for row in page.items.iter().filter(|r| wanted(r)) {
            *seen += 1;
            if *seen > MOST {
                out.incomplete = true;
                return Ok(());
            }
            judge(row, policy, &critical, out);
        }
        let Some(next) = page.next else { return Ok(()) };
        cursor.after = Some(next);
        tokio::task::yield_now().await;
    }
}

fn judge(row: &AlarmRow, policy: &Policy, critical: &CriticalPrograms, out: &mut Replay) {
    if row.class.is_empty() {
        return;
    }
    let kept = v1::Alarm::decode(row.details.as_slice()).ok().and_then(|a| Alarm::try_from(a).ok());
    let Some((alarm, verdict)) = kept.as_ref().and_then(|a| Some((a, a.verdict.as_ref()?))) else {
        out.unreadable += 1;
        return;
    };
    out.judged += 1;
    let (rating, decision, reasons) = again(alarm, verdict, policy, critical);
    if rating == alarm.rating && decision == alarm.decision {
        return;
    }
    let acts = |d: Decision| d == Decision::IsolateAndKill;
    out.more_isolations += u64::from(acts(decision) && !acts(alarm.decision));
    out.fewer_isolations += u64::from(!acts(decision) && acts(alarm.decision));
    out.other_ratings += u64::from(rating != alarm.rating);
    out.gone_alarms += u64::from(decision == Decision::Allow && alarm.decision != Decision::Allow);
    if out.differences.len() < SHOWN {
        out.differences.push(Difference {
            alarm: row.id.clone(),
            host: row.host.clone(),
            at: time::rfc3339(alarm.last_ms),
            title: alarm.title.clone(),
            path: json::lossy(&row.path),
            path_b64: json::exact(&row.path),
            class: row.class.clone(),
            confidence: verdict.confidence.value(),
            rating_before: alarm.rating.map(|r| r.word().to_owned()),
            rating_after: rating.map(|r| r.word().to_owned()),
            decision_before: alarm.decision.word().to_owned(),
            decision_after: decision.word().to_owned(),
            reasons,
        });
    }
}

/// Rating and decision of an alarm's verdict under a policy.
fn again(
    alarm: &Alarm,
    verdict: &Verdict,
    policy: &Policy,
    critical: &CriticalPrograms,
) -> (Option<Rating>, Decision, Vec<String>) {
    let none = CircuitBreaker::default();
    let calm = RateLimit::per_hour(0);
    let brakes = Brakes { breaker: &none, isolations: &calm, kills: &calm, now_ms: alarm.last_ms };
    let file = alarm.forensics.file.as_ref();
    let path = file.map(|f| f.path.clone()).unwrap_or_default();
    let mut subject = Subject::new(&path);
    subject.critical = critical.why(&path);
    if let Some((package, intact)) = file.and_then(|f| Some((f.package.clone()?, f.package_intact?))) {
        // Whether something signed vouched for the package was not kept. Then it did: a replay never
        // promises an isolation that a guard would have held back.
        subject.package = PackageStanding::Owned { package, intact, trusted: true };
    }
    let decided = decide(&report(verdict), policy, &subject, &Whitelist::default(), &brakes);
    let mut decision = decided.decision;
    let mut reasons = decided.reasons;
    if decision == Decision::IsolateAndKill
        && let Some(by) = held(alarm)
    {
        reasons = vec![format!("held back then, and so now: {by}")];
        decision = alarm.decision;
    }
    (decided.rating, decision, reasons)
}

/// What held the isolation back then, where it was not policy.
fn held(alarm: &Alarm) -> Option<String> {
    if alarm.rating != Some(Rating::High) || alarm.decision == Decision::IsolateAndKill {
        return None;
    }
    let by_policy = |r: &String| {
        r.starts_with("the switch isolate and kill is off")
            || r.starts_with("the class ")
            || r.starts_with("a member of this archive")
            || r.contains("dry run")
    };
    if alarm.decision == Decision::Alarm && (alarm.reasons.is_empty() || alarm.reasons.iter().any(by_policy))
    {
        return None;
    }
    Some(alarm.reasons.first().cloned().unwrap_or_else(|| "a guard".to_owned()))
}

/// The report that had this verdict: of the file, or of a member of it.
fn report(verdict: &Verdict) -> ScanReport {
    let whole = |verdict, members| ScanReport {
        verdict,
        members,
        objects: 1,
        bytes: 0,
        unscanned: Vec::new(),
        elf: None,
        tlsh: String::new(),
    };
    if verdict.member.is_none() {
        return whole(verdict.clone(), Vec::new());
    }
    let archive =
        Verdict { member: None, evidence: Vec::new(), confidence: Confidence::default(), ..verdict.clone() };
    whole(archive, vec![verdict.clone()])
}
