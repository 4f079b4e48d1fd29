// SPDX-License-Identifier: Apache-2.0
//! Policy, whitelist and brakes as they stand at this moment.

use lazaret_model::{Decision, Rating, ScanReport, Sha256, WhitelistId};
use lazaret_policy::{
    Brakes, CircuitBreaker, Decided, OpenBreaker, Policy, RateLimit, Subject, Whitelist, WhitelistEntry,
    WhitelistError, decide, rate,
};
use std::collections::HashSet;

/// One rule may hit so many package-owned files or running services within an hour.
const BREAKER_HITS: usize = 3;
const HOUR_MS: i64 = 3_600_000;
/// More isolations than this within ten minutes are a mistake or an attack on the vault.
const MAX_ISOLATIONS: usize = 1000;
const MAX_KILLS: usize = 1000;
const TEN_MINUTES_MS: i64 = 600_000;

pub(crate) struct Live {
    pub(crate) policy: Policy,
    pub(crate) whitelist: Whitelist,
    pub(crate) exceptions: HashSet<Sha256>,
    breaker: CircuitBreaker,
    isolations: RateLimit,
    kills: RateLimit,
    /// Opened since somebody last asked; they become alarms and rows of the database.
    opened: Vec<OpenBreaker>,
}

impl Live {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            policy,
            whitelist: Whitelist::default(),
            exceptions: HashSet::new(),
            breaker: CircuitBreaker::new(BREAKER_HITS, HOUR_MS),
            isolations: RateLimit::new(MAX_ISOLATIONS, TEN_MINUTES_MS),
            kills: RateLimit::new(MAX_KILLS, TEN_MINUTES_MS),
            opened: Vec::new(),
        }
    }

    pub(crate) fn is_excepted(&self, content: &Sha256) -> bool {
        self.exceptions.contains(content)
    }

    /// Counts the hit for the breakers, decides, and counts what will be done for the limits.
    pub(crate) fn decide(&mut self, report: &ScanReport, subject: &Subject<'_>, now_ms: i64) -> Decided {
        if self.policy.isolate_and_kill {
            for verdict in report.verdicts().filter(|v| rate(v, &self.policy) == Some(Rating::High)) {
                let opened = self.breaker.observe(verdict, subject, |_| None, now_ms);
                self.opened.extend(opened);
            }
        }
        let brakes =
            Brakes { breaker: &self.breaker, isolations: &self.isolations, kills: &self.kills, now_ms };
        let decided = decide(report, &self.policy, subject, &self.whitelist, &brakes);
        if decided.decision == Decision::IsolateAndKill {
            self.isolations.record(now_ms);
        }
        decided
    }

    pub(crate) fn count_kill(&mut self, now_ms: i64) {
        self.kills.record(now_ms);
    }

    pub(crate) fn take_opened(&mut self) -> Vec<OpenBreaker> {
        std::mem::take(&mut self.opened)
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
