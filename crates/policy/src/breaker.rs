// SPDX-License-Identifier: Apache-2.0
//! The circuit breaker: one bad rule must not take a fleet apart.
//!
//! When one rule hits what it should not (files older than the rule, running services, files of
//! packages that nothing signed vouches for) more often than a set number of times in a window,
//! isolate and kill by that rule stop until a person re-arms it; one file of an intact package with
//! a signed source is enough. Denial of execution and alarms go on, so that decoys cannot switch
//! the protection off.

use crate::{PackageStanding, Subject};
use lazaret_model::Verdict;
use std::collections::HashMap;
use std::fmt;

/// Rules that are watched at once; beyond it the one that was hit longest ago is forgotten.
const MAX_WATCHED: usize = 1024;

/// What a rule hit that speaks against the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BreakerHit {
    /// A file as its package shipped it, and that package comes from a signed source: once is
    /// enough. (A changed one does not count: a virus in packaged programs must not open the breaker
    /// of the rule that finds it.)
    VouchedPackageFile,
    /// The same of a package that nothing signed vouches for. Counted only: an installed malicious
    /// package must not disarm the rule that finds it by its first file.
    PackageFile,
    /// A file whose inode has not changed since before the rule was written.
    OlderThanRule,
    /// A program that runs as a service.
    RunningService,
}

impl BreakerHit {
    /// One such hit is enough.
    const fn at_once(self) -> bool {
        matches!(self, Self::VouchedPackageFile)
    }
}

impl fmt::Display for BreakerHit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::VouchedPackageFile => "a file of an intact package",
            Self::PackageFile => "files of intact packages",
            Self::OlderThanRule => "files older than the rule",
            Self::RunningService => "running services",
        })
    }
}

/// A breaker that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenBreaker {
    /// Evidence id.
    pub rule: String,
    /// Milliseconds UTC.
    pub opened_ms: i64,
    /// For people.
    pub why: String,
    /// Findings since then that were refused instead of isolated.
    pub hits: u64,
}

/// A rule that people at the server have disarmed: it misfired somewhere in the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisarmedRule {
    /// Evidence id.
    pub rule: String,
    /// For people.
    pub reason: String,
    /// Who did it: a user of the server.
    pub who: String,
    /// Milliseconds UTC.
    pub at_ms: i64,
}

#[derive(Debug, Clone)]
struct Seen {
    key: Vec<u8>,
    at_ms: i64,
    hit: BreakerHit,
}

/// The breakers of one host, by evidence id.
#[derive(Debug, Clone)]
pub struct CircuitBreaker {
    more_than: usize,
    window_ms: i64,
    seen: HashMap<String, Vec<Seen>>,
    open: HashMap<String, OpenBreaker>,
    disarmed: HashMap<String, DisarmedRule>,
}

impl CircuitBreaker {
    /// Opens when a rule hits more than `more_than` (1..=1000) different such things within
    /// `window_ms` (1 minute to 7 days); values outside are moved to the bound.
    #[must_use]
    pub fn new(more_than: usize, window_ms: i64) -> Self {
        Self {
            more_than: more_than.clamp(1, 1000),
            window_ms: window_ms.clamp(60_000, 7 * 86_400_000),
            seen: HashMap::new(),
            open: HashMap::new(),
            disarmed: HashMap::new(),
        }
    }

    /// What this hit says against a rule of the given age, with the key that tells repeats apart;
    /// `None` when nothing. `rule_ms` is when the rule was written, where known.
    #[must_use]
    pub fn classify(subject: &Subject<'_>, rule_ms: Option<i64>) -> Option<(BreakerHit, Vec<u8>)> {
        if let PackageStanding::Owned { intact: true, trusted, .. } = subject.package {
            // Where nothing vouches for any package, its own word is the best there is.
            let vouched = trusted || !subject.vouched;
            let hit = if vouched { BreakerHit::VouchedPackageFile } else { BreakerHit::PackageFile };
            return Some((hit, subject.path.to_vec()));
        }
        if let (Some(changed), Some(rule)) = (subject.changed_ms, rule_ms)
            && changed < rule
        {
            return Some((BreakerHit::OlderThanRule, subject.path.to_vec()));
        }
        let process = subject.process.filter(|_| subject.serves)?;
        let unit = process.unit.as_deref().filter(|u| u.ends_with(".service"))?;
        Some((BreakerHit::RunningService, unit.as_bytes().to_vec()))
    }

    /// Counts a *high* verdict against each of its decisive rules and gives back the breakers that
    /// opened by it. Call it before the decision on the same verdict, so that the hit that is one
    /// too many is already held back. The Lazaret test program and EICAR are not counted.
    pub fn observe(
        &mut self,
        verdict: &Verdict,
        subject: &Subject<'_>,
        rule_ms: impl Fn(&str) -> Option<i64>,
        now_ms: i64,
    ) -> Vec<OpenBreaker> {
        if verdict.test {
            return Vec::new();
        }
        let mut opened = Vec::new();
        for e in verdict.evidence.iter().filter(|e| e.decisive && e.is_bad()) {
            if let Some((hit, key)) = Self::classify(subject, rule_ms(&e.id)) {
                opened.extend(self.record(&e.id, hit, &key, now_ms));
            }
        }
        opened
    }

    /// Counts a finding that was held back against the open breaker; `false` when it is not open.
    pub fn held_back(&mut self, rule: &str) -> bool {
        let Some(open) = self.open.get_mut(rule) else { return false };
        open.hits = open.hits.saturating_add(1);
        true
    }

    /// Counts one hit; the same key within the window counts once. Gives back the breaker when it
    /// opened by this.
    pub fn record(&mut self, rule: &str, hit: BreakerHit, key: &[u8], now_ms: i64) -> Option<OpenBreaker> {
        // One that only alarms has nothing left to be held back from.
        if self.open.contains_key(rule) || self.disarmed.contains_key(rule) {
            return None;
        }
        self.make_room(rule);
        let window = self.window_ms.unsigned_abs();
        let seen = self.seen.entry(rule.to_owned()).or_default();
        seen.retain(|s| now_ms.saturating_sub(s.at_ms).unsigned_abs() < window);
        if let Some(old) = seen.iter_mut().find(|s| s.key == key) {
            old.at_ms = now_ms;
            return None;
        }
        seen.push(Seen { key: key.to_vec(), at_ms: now_ms, hit });
        if seen.len() <= self.more_than && !hit.at_once() {
            return None;
        }
        let why = Self::describe(seen, self.window_ms);
        self.seen.remove(rule);
        let open = OpenBreaker { rule: rule.to_owned(), opened_ms: now_ms, why, hits: 0 };
        self.open.insert(rule.to_owned(), open.clone());
        Some(open)
    }

    /// Whether isolate and kill by this rule are stopped.
    #[must_use]
    pub fn is_open(&self, rule: &str) -> bool {
        self.open.contains_key(rule)
    }

    /// The open breaker of a rule.
    #[must_use]
    pub fn get(&self, rule: &str) -> Option<&OpenBreaker> {
        self.open.get(rule)
    }

    /// All that are open, by rule, for storage and for `status`.
    #[must_use]
    pub fn open(&self) -> Vec<&OpenBreaker> {
        let mut all: Vec<_> = self.open.values().collect();
        all.sort_by(|a, b| a.rule.cmp(&b.rule));
        all
    }

    /// Puts a stored open breaker back in force at start.
    pub fn reopen(&mut self, open: OpenBreaker) {
        self.open.insert(open.rule.clone(), open);
    }

    /// A person lets the rule act again; counting starts anew. `false` when it was not open.
    pub fn rearm(&mut self, rule: &str) -> bool {
        self.seen.remove(rule);
        self.open.remove(rule).is_some()
    }

    /// Puts the server's list in force, and takes out what it no longer names. The host's own breakers
    /// stay as they are.
    pub fn set_disarmed(&mut self, rules: impl IntoIterator<Item = DisarmedRule>) {
        self.disarmed = rules.into_iter().map(|d| (d.rule.clone(), d)).collect();
    }

    /// Why the server lets this rule only alarm.
    #[must_use]
    pub fn disarmed(&self, rule: &str) -> Option<&DisarmedRule> {
        self.disarmed.get(rule)
    }

    /// The server's list, by rule.
    #[must_use]
    pub fn all_disarmed(&self) -> Vec<&DisarmedRule> {
        let mut all: Vec<_> = self.disarmed.values().collect();
        all.sort_by(|a, b| a.rule.cmp(&b.rule));
        all
    }

    fn make_room(&mut self, rule: &str) {
        if self.seen.len() < MAX_WATCHED || self.seen.contains_key(rule) {
            return;
        }
        let oldest = self
            .seen
            .iter()
            .min_by_key(|(_, s)| s.iter().map(|h| h.at_ms).max())
            .map(|(rule, _)| rule.clone());
        if let Some(rule) = oldest {
            self.seen.remove(&rule);
        }
    }

    fn describe(seen: &[Seen], window_ms: i64) -> String {
        let mut kinds: Vec<String> = Vec::new();
        for s in seen {
            let k = s.hit.to_string();
            if !kinds.contains(&k) {
                kinds.push(k);
            }
        }
        let last = seen.last().map(|s| String::from_utf8_lossy(&s.key).into_owned()).unwrap_or_default();
        format!(
            "it hit {} ({}) within {} minutes, last {last:?}",
            seen.len(),
            kinds.join(", "),
            window_ms.div_euclid(60_000)
        )
    }
}

impl Default for CircuitBreaker {
    /// More than 3 in 1 hour.
    fn default() -> Self {
        Self::new(3, 3_600_000)
    }
}
