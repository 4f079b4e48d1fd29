// SPDX-License-Identifier: Apache-2.0
//! The one judgement: what to do about a scanned file on this host.

use crate::{
    Candidate, CircuitBreaker, PackageStanding, Policy, RateLimit, Subject, Whitelist, carrier, merged_path,
};
use lazaret_model::{Decision, EvidenceKind, Guard, Rating, ScanReport, Thresholds, Verdict, WhitelistId};

/// What holds back by count: breakers and rate limits as they stand at this moment.
#[derive(Debug, Clone, Copy)]
pub struct Brakes<'a> {
    /// Open breakers by evidence id.
    pub breaker: &'a CircuitBreaker,
    /// Isolations done lately.
    pub isolations: &'a RateLimit,
    /// Processes that were killed lately.
    pub kills: &'a RateLimit,
    /// Milliseconds UTC.
    pub now_ms: i64,
}

impl Brakes<'_> {
    /// The rate limit that is reached, whoever asks.
    #[must_use]
    pub fn limit(&self) -> Option<Guard> {
        if let Err(why) = self.isolations.check(self.now_ms) {
            return Some(Guard::RateLimit(format!("isolations: {why}")));
        }
        self.kills.check(self.now_ms).err().map(|why| Guard::RateLimit(format!("kills: {why}")))
    }
}

/// The judgement, with everything a person needs to understand it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What to do.
    pub decision: Decision,
    /// Under the thresholds in force; `None` when nothing speaks for malware.
    pub rating: Option<Rating>,
    /// What protects the file from isolation; set whether or not the switch would have acted.
    pub guard: Option<Guard>,
    /// The entry because of which nothing is done; the caller counts and journals the hit.
    pub whitelist: Option<WhitelistId>,
    /// Index in [`ScanReport::members`] of the member that led to this; `None` for the file itself.
    pub member: Option<usize>,
    /// For people, the weightiest first.
    pub reasons: Vec<String>,
}

impl Decided {
    /// The verdict that led to this.
    #[must_use]
    pub fn verdict<'r>(&self, report: &'r ScanReport) -> &'r Verdict {
        self.member.and_then(|i| report.members.get(i)).unwrap_or(&report.verdict)
    }

    fn allow(reason: Option<String>) -> Self {
        Self {
            decision: Decision::Allow,
            rating: None,
            guard: None,
            whitelist: None,
            member: None,
            reasons: reason.into_iter().collect(),
        }
    }
}

/// The rating of one verdict in force, `None` when nothing speaks for malware.
///
/// *high* needs a decisive evidence, wherever the threshold lies. EICAR and the Lazaret test
/// program keep the rating they are made for: thresholds do not move it.
#[must_use]
pub fn rate(verdict: &Verdict, policy: &Policy) -> Option<Rating> {
    let thresholds = if verdict.test { Thresholds::default() } else { policy.effective_thresholds() };
    let rating = verdict.rating(thresholds)?;
    let decisive = verdict.evidence.iter().any(|e| e.decisive && e.is_bad());
    Some(if rating == Rating::High && !decisive { Rating::Medium } else { rating })
}

/// Decides about a file by its own verdict and those of its members: the severest counts.
///
/// | case | decision |
/// |---|---|
/// | nothing found; whitelisted; exception; test program while those are off | `Allow` |
/// | low or medium | `Alarm` |
/// | high, switch off or class not ticked | `Alarm` |
/// | high, critical program, intact trusted package, carrier, or only a member is bad | `Alarm` |
/// | high, and the server has disarmed every rule that carries it | `Alarm` |
/// | high, circuit breaker open, rate limit reached, or the package database cannot answer | `Deny` |
/// | high otherwise | `IsolateAndKill` |
#[must_use]
pub fn decide(
    report: &ScanReport,
    policy: &Policy,
    subject: &Subject<'_>,
    whitelist: &Whitelist,
    brakes: &Brakes<'_>,
) -> Decided {
    if !report.verdicts().any(Verdict::is_found) {
        return Decided::allow(None);
    }
    if subject.exception {
        return Decided::allow(Some("a restore lets this content be on this host".to_owned()));
    }
    let mut worst: Option<Decided> = None;
    for (i, verdict) in report.verdicts().enumerate().filter(|(_, v)| v.is_found()) {
        let judge = Judge { report, policy, subject, whitelist, brakes, verdict };
        let decided = judge.decide(i.checked_sub(1));
        // On equal terms the earlier stays: the file before its members, and they come heaviest first.
        let key = |d: &Decided| (d.decision, d.rating);
        if worst.as_ref().is_none_or(|w| key(&decided) > key(w)) {
            worst = Some(decided);
        }
    }
    worst.unwrap_or_else(|| Decided::allow(None))
}

struct Judge<'a> {
    report: &'a ScanReport,
    policy: &'a Policy,
    subject: &'a Subject<'a>,
    whitelist: &'a Whitelist,
    brakes: &'a Brakes<'a>,
    verdict: &'a Verdict,
}

impl Judge<'_> {
    fn decide(&self, member: Option<usize>) -> Decided {
        let mut decided = self.judge(member.is_some());
        decided.member = member;
        decided
    }

    fn judge(&self, is_member: bool) -> Decided {
        if self.verdict.test && !self.policy.test_programs {
            return Decided::allow(Some("a test program, and test programs are switched off".to_owned()));
        }
        if let Some(entry) = self.whitelist.hit(&self.candidate()) {
            let mut d = Decided::allow(Some(format!(
                "whitelisted by {} ({} {})",
                entry.id,
                entry.field.word(),
                entry.judge.word()
            )));
            d.whitelist = Some(entry.id);
            return d;
        }
        let Some(rating) = rate(self.verdict, self.policy) else { return Decided::allow(None) };
        let mut reasons = Vec::new();
        let guard = self.standing_guard(&mut reasons);
        let mut d = Decided {
            decision: Decision::Alarm,
            rating: Some(rating),
            guard,
            whitelist: None,
            member: None,
            reasons: Vec::new(),
        };
        d.decision = self.act(is_member, &mut d.guard, rating, &mut reasons);
        d.reasons = reasons;
        d
    }

    /// `Alarm`, `Deny` or `IsolateAndKill` for something that was found.
    fn act(
        &self,
        is_member: bool,
        guard: &mut Option<Guard>,
        rating: Rating,
        reasons: &mut Vec<String>,
    ) -> Decision {
        if rating < Rating::High {
            reasons.push(format!(
                "rated {rating} (confidence {}): only high is acted on by itself",
                self.verdict.confidence
            ));
            return Decision::Alarm;
        }
        if guard.is_some() {
            return Decision::Alarm;
        }
        if !self.policy.isolate_and_kill {
            reasons.push("the switch isolate and kill is off".to_owned());
            return Decision::Alarm;
        }
        if !self.policy.automatic.contains(self.verdict.class) {
            reasons.push(format!(
                "the class {} is not ticked for automatic isolation",
                self.verdict.class.row().title
            ));
            return Decision::Alarm;
        }
        if (is_member || self.only_by_member()) && !self.policy.condemn_archives {
            reasons.push("a member of this archive is bad; policy leaves the archive in place".to_owned());
            return Decision::Alarm;
        }
        if let Some(held) = self.disarmed() {
            reasons.push(format!("{held}: it only alarms until it is armed again there"));
            *guard = Some(held);
            return Decision::Alarm;
        }
        *guard = self.brake().or_else(|| self.unanswered_package());
        if let Some(g) = guard {
            reasons.push(format!("refused to run but left in place: {g}"));
            match g {
                Guard::RateLimit(_) => reasons.push(
                    "root can go beyond the limit for one file: lazaret isolate PATH --override-limits".to_owned(),
                ),
                Guard::CircuitBreaker(_) => reasons.push(
                    "when the rule is right: lazaret rules rearm RULE, then lazaret handle ALARM isolate-and-kill"
                        .to_owned(),
                ),
                _ => {}
            }
            return Decision::Deny;
        }
        reasons.push(format!("rated high (confidence {})", self.verdict.confidence));
        Decision::IsolateAndKill
    }

    /// Guards that lie in the file itself.
    fn standing_guard(&self, reasons: &mut Vec<String>) -> Option<Guard> {
        let path = || String::from_utf8_lossy(self.subject.path).into_owned();
        if let Some(why) = self.subject.critical {
            let repair = match &self.subject.package {
                PackageStanding::Owned { package, .. } => {
                    format!("repair it by installing the package {package} again from a trusted source")
                }
                _ => "repair it from a trusted source".to_owned(),
            };
            reasons.push(format!(
                "{} is never isolated or killed without a person on this host: it is {why}; {repair}",
                path()
            ));
            return Some(Guard::CriticalProgram(format!("{} ({why})", path())));
        }
        match &self.subject.package {
            PackageStanding::Owned { package, intact: true, trusted: true } => {
                reasons.push(format!(
                    "the file is as the package {package} shipped it, and the package comes from a signed source"
                ));
                return Some(Guard::IntactPackage(package.clone()));
            }
            PackageStanding::Owned { package, intact: true, trusted: false } => reasons.push(format!(
                "the package {package} owns the file, but nothing signed vouches for that package"
            )),
            PackageStanding::Owned { package, intact: false, .. } => {
                reasons.push(format!("the file is not as the package {package} shipped it"));
            }
            PackageStanding::Unknown(why) => {
                reasons.push(format!("the package database could not answer: {why}"));
            }
            PackageStanding::Unowned => {}
        }
        let what = carrier(self.subject.path, self.report.verdict.file_type)?;
        reasons.push(format!("{} carries data ({what}), isolating it would lose that", path()));
        Some(Guard::Carrier(format!("{} ({what})", path())))
    }

    /// Set when the server has disarmed all decisive rules of the verdict.
    fn disarmed(&self) -> Option<Guard> {
        let mut decisive = self.verdict.evidence.iter().filter(|e| e.decisive && e.is_bad());
        let first = self.brakes.breaker.disarmed(&decisive.next()?.id)?;
        decisive
            .all(|e| self.brakes.breaker.disarmed(&e.id).is_some())
            .then(|| Guard::Disarmed(format!("rule {} by {}: {}", first.rule, first.who, first.reason)))
    }

    /// Breaker and rate limits.
    fn brake(&self) -> Option<Guard> {
        let mut open = None;
        for e in self.verdict.evidence.iter().filter(|e| e.decisive && e.is_bad()) {
            match self.brakes.breaker.get(&e.id) {
                Some(b) => open = open.or(Some(b)),
                None if self.brakes.breaker.disarmed(&e.id).is_some() => {}
                // One decisive rule that nothing is held against carries the verdict alone.
                None => {
                    open = None;
                    break;
                }
            }
        }
        if let Some(b) = open {
            return Some(Guard::CircuitBreaker(format!("rule {}: {}", b.rule, b.why)));
        }
        self.brakes.limit()
    }

    /// Where packages put their files, an unanswered question is a reason to wait for a person.
    fn unanswered_package(&self) -> Option<Guard> {
        let PackageStanding::Unknown(why) = &self.subject.package else { return None };
        let path = merged_path(self.subject.path);
        let managed = [b"/usr/".as_slice(), b"/etc/", b"/boot/"].iter().any(|d| path.starts_with(d))
            && !path.starts_with(b"/usr/local/");
        managed.then(|| Guard::IntactPackage(format!("(cannot be ruled out: {why})")))
    }

    /// The engine gave the file itself nothing but its members' evidence.
    fn only_by_member(&self) -> bool {
        self.verdict.evidence.iter().filter(|e| e.is_bad()).all(|e| e.kind == EvidenceKind::Member)
    }

    fn candidate(&self) -> Candidate<'_> {
        Candidate {
            file: self.report.verdict.sha256,
            object: self.verdict.sha256,
            path: self.subject.path,
            process_path: self.subject.process.map(|p| p.exe.as_slice()),
            process_cmdline: self.subject.process.map(|p| p.cmdline.as_slice()),
            class: self.verdict.class,
            now_ms: self.brakes.now_ms,
        }
    }
}
