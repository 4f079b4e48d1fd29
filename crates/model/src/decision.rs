// SPDX-License-Identifier: Apache-2.0
//! What policy makes of a verdict.

use std::fmt;

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Decision {
    /// Nothing.
    Allow,
    /// Tell a person.
    Alarm,
    /// Refuse to run, leave in place, tell a person.
    Deny,
    /// Refuse, isolate the file, kill its processes, tell a person.
    IsolateAndKill,
}

impl Decision {
    /// The word in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Alarm => "alarm",
            Self::Deny => "deny",
            Self::IsolateAndKill => "isolate_and_kill",
        }
    }
}

/// Why something is left alone that the verdict alone would act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// pid 1, a kernel thread, Lazaret itself or one of its ancestors.
    Untouchable(String),
    /// A program the host cannot start, log in or repair itself without, or its library.
    CriticalProgram(String),
    /// Belongs to an intact package of trusted origin.
    IntactPackage(String),
    /// Carries other people's data: mail spool, log, database, backup, version-control pack.
    Carrier(String),
    /// A container runtime.
    ContainerRuntime(String),
    /// The circuit breaker of this rule is open.
    CircuitBreaker(String),
    /// People at the server have disarmed every rule that carries the verdict.
    Disarmed(String),
    /// Too many actions in the window.
    RateLimit(String),
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untouchable(w) => write!(f, "never touched: {w}"),
            Self::CriticalProgram(w) => write!(f, "critical program: {w}"),
            Self::IntactPackage(w) => write!(f, "part of the intact package {w}"),
            Self::Carrier(w) => write!(f, "carries data: {w}"),
            Self::ContainerRuntime(w) => write!(f, "container runtime: {w}"),
            Self::CircuitBreaker(w) => write!(f, "circuit breaker open: {w}"),
            Self::Disarmed(w) => write!(f, "disarmed at the server: {w}"),
            Self::RateLimit(w) => write!(f, "rate limit reached: {w}"),
        }
    }
}
