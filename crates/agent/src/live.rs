// SPDX-License-Identifier: Apache-2.0
//! Policy, whitelist and brakes as they stand at this moment.

use crate::cloud::is_of_server;
use crate::config::Response;
use crate::uplink::Wanted;
use lazaret_model::{Decision, Guard, Rating, ScanReport, Sha256, Verdict, WhitelistId};
use lazaret_policy::{
    Brakes, CircuitBreaker, Decided, DisarmedRule, OpenBreaker, Policy, RateLimit, Subject, Whitelist,
    WhitelistEntry, WhitelistError, decide, rate,
};
use std::borrow::Cow;
use std::collections::HashSet;
use std::time::Duration;

/// A test program counts against no breaker, unless a server alone says that it is one: its word would switch
/// off what bounds it.
fn counted(verdict: &Verdict) -> Cow<'_, Verdict> {
    if verdict.test && verdict.evidence.iter().any(|e| is_of_server(&e.id)) {
        return Cow::Owned(Verdict { test: false, ..verdict.clone() });
    }
    Cow::Borrowed(verdict)
}

pub(crate) struct Live {
    pub(crate) policy: Policy,
    pub(crate) whitelist: Whitelist,
    pub(crate) exceptions: HashSet<Sha256>,
    /// Everything is decided and nothing is done.
    pub(crate) dry_run: bool,
    /// How long what would be killed is frozen first.
    pub(crate) freeze: Option<Duration>,
    breaker: CircuitBreaker,
    isolations: RateLimit,
    kills: RateLimit,
    /// Opened since somebody last asked; they become alarms and rows of the database.
    opened: Vec<OpenBreaker>,
    /// Rules whose findings were held back since then, once for each.
    held: Vec<String>,
    /// Entries of the whitelist that are the server's.
    of_server: HashSet<WhitelistId>,
}

impl Live {
    pub(crate) fn new(settings: &Response) -> Self {
        Self {
            policy: Policy::default(),
            whitelist: Whitelist::default(),
            exceptions: HashSet::new(),
            dry_run: settings.dry_run,
            freeze: settings.freeze(),
            breaker: CircuitBreaker::new(settings.breaker_hits, i64::from(settings.breaker_minutes) * 60_000),
            isolations: RateLimit::per_hour(settings.max_isolations_per_hour),
            kills: RateLimit::per_hour(settings.max_kills_per_hour),
            opened: Vec::new(),
            held: Vec::new(),
            of_server: HashSet::new(),
        }
    }

    /// Puts settings and the server's whitelist in force; what was counted stays counted. Gives the
    /// entries that could not be.
    pub(crate) fn put(&mut self, wanted: &Wanted) -> Vec<(WhitelistId, WhitelistError)> {
        self.policy = wanted.policy.clone();
        self.dry_run = wanted.dry_run;
        self.freeze = wanted.freeze;
        self.isolations.set_per_hour(wanted.max_isolations_per_hour);
        self.kills.set_per_hour(wanted.max_kills_per_hour);
        self.breaker.set_disarmed(wanted.disarmed.iter().cloned());
        for id in std::mem::take(&mut self.of_server) {
            self.whitelist.remove(id);
        }
        let mut refused = Vec::new();
        for entry in &wanted.whitelist {
            match self.whitelist.add(entry.clone()) {
                Ok(()) => {
                    self.of_server.insert(entry.id);
                }
                Err(e) => refused.push((entry.id, e)),
            }
        }
        refused
    }

    pub(crate) fn is_of_server(&self, id: WhitelistId) -> bool {
        self.of_server.contains(&id)
    }

    pub(crate) fn is_excepted(&self, content: &Sha256) -> bool {
        self.exceptions.contains(content)
    }

    /// Counts the hit for the breakers, decides, and counts what will be done for the limits. `refuse_only`:
    /// what the server says may refuse the file here, and no more yet.
    pub(crate) fn decide(
        &mut self,
        report: &ScanReport,
        subject: &Subject<'_>,
        refuse_only: bool,
        now_ms: i64,
    ) -> Decided {
        if self.policy.isolate_and_kill {
            for verdict in report.verdicts().filter(|v| rate(v, &self.policy) == Some(Rating::High)) {
                let opened = self.breaker.observe(&counted(verdict), subject, |_| None, now_ms);
                self.opened.extend(opened);
            }
        }
        let mut decided = self.foresee(report, subject, now_ms);
        if refuse_only && decided.decision == Decision::IsolateAndKill {
            decided.decision = Decision::Deny;
            decided.reasons.push(
                "refused to run but left in place: the server's verdict is new, and this host's ring is not reached yet"
                    .to_owned(),
            );
        }
        if matches!(decided.guard, Some(Guard::CircuitBreaker(_))) {
            for e in decided.verdict(report).evidence.iter().filter(|e| e.decisive && e.is_bad()) {
                if self.breaker.held_back(&e.id) && !self.held.contains(&e.id) {
                    self.held.push(e.id.clone());
                }
            }
        }
        if decided.decision == Decision::IsolateAndKill {
            self.isolations.record(now_ms);
        }
        decided
    }

    /// Decides, and counts nothing.
    pub(crate) fn foresee(&self, report: &ScanReport, subject: &Subject<'_>, now_ms: i64) -> Decided {
        let brakes =
            Brakes { breaker: &self.breaker, isolations: &self.isolations, kills: &self.kills, now_ms };
        decide(report, &self.policy, subject, &self.whitelist, &brakes)
    }

    pub(crate) fn count_kill(&mut self, now_ms: i64) {
        self.kills.record(now_ms);
    }

    /// An isolation that a person ordered.
    pub(crate) fn count_isolation(&mut self, now_ms: i64) {
        self.isolations.record(now_ms);
    }

    /// The rate limit that is reached, for every origin.
    pub(crate) fn limit(&self, now_ms: i64) -> Option<Guard> {
        Brakes { breaker: &self.breaker, isolations: &self.isolations, kills: &self.kills, now_ms }.limit()
    }

    /// The open breaker that would hold this verdict back.
    pub(crate) fn breaker_of(&self, report: &ScanReport) -> Option<&OpenBreaker> {
        let decisive = report.verdicts().flat_map(|v| &v.evidence).filter(|e| e.decisive && e.is_bad());
        decisive.filter_map(|e| self.breaker.get(&e.id)).next()
    }

    /// Why the server lets the rules that carry this verdict only alarm.
    pub(crate) fn disarmed_for(&self, report: &ScanReport) -> Option<&DisarmedRule> {
        let decisive = report.verdicts().flat_map(|v| &v.evidence).filter(|e| e.decisive && e.is_bad());
        decisive.filter_map(|e| self.breaker.disarmed(&e.id)).next()
    }

    /// The rule's entry in the server's list.
    pub(crate) fn disarmed(&self, rule: &str) -> Option<&DisarmedRule> {
        self.breaker.disarmed(rule)
    }

    /// The server's list.
    pub(crate) fn all_disarmed(&self) -> Vec<&DisarmedRule> {
        self.breaker.all_disarmed()
    }

    /// Those that opened since somebody last asked, and the rules of what was held back.
    pub(crate) fn take_breakers(&mut self) -> (Vec<OpenBreaker>, Vec<String>) {
        (std::mem::take(&mut self.opened), std::mem::take(&mut self.held))
    }

    /// How much a rule's open breaker has held back; `None` when it is not open.
    pub(crate) fn breaker_hits(&self, rule: &str) -> Option<u64> {
        self.breaker.get(rule).map(|open| open.hits)
    }

    pub(crate) fn open_breakers(&self) -> Vec<&OpenBreaker> {
        self.breaker.open()
    }

    pub(crate) fn reopen(&mut self, open: OpenBreaker) {
        self.breaker.reopen(open);
    }

    /// Empty: all. Returns which were closed.
    pub(crate) fn rearm(&mut self, rule: &str) -> Vec<String> {
        let rules: Vec<String> = self
            .breaker
            .open()
            .iter()
            .map(|b| b.rule.clone())
            .filter(|r| rule.is_empty() || r == rule)
            .collect();
        rules.into_iter().filter(|r| self.breaker.rearm(r)).collect()
    }

    pub(crate) fn whitelist_add(&mut self, entry: WhitelistEntry) -> Result<(), WhitelistError> {
        self.whitelist.add(entry)
    }

    pub(crate) fn whitelist_remove(&mut self, id: WhitelistId) -> Option<WhitelistEntry> {
        self.whitelist.remove(id)
    }
}
