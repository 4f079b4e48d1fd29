// SPDX-License-Identifier: Apache-2.0
//! What to do about a verdict: one pure judgement, and the guards that hold it back.
//!
//! No I/O and no clock: time comes in as milliseconds UTC, facts come in as values. The same
//! inputs give the same [`Decided`] on every host, in a dry run and in a replay of past alarms.
//! A [`lazaret_model::ScanError`] never reaches this crate: it is no verdict in either direction.

#![forbid(unsafe_code)]

mod breaker;
mod carrier;
mod class_set;
mod critical;
mod critical_seeds;
mod decide;
mod kill;
mod rate;
mod settings;
mod severity;
mod subject;
mod whitelist;

pub use breaker::{BreakerHit, CircuitBreaker, DisarmedRule, OpenBreaker};
pub use carrier::carrier;
pub use class_set::ClassSet;
pub use critical::{CriticalPrograms, CriticalRole, critical_role, merged_path};
pub use critical_seeds::{ANY_VERSION, SEED_DIRECTORIES, SEED_PROGRAMS, Seed, SeedDirectory};
pub use decide::{Brakes, Decided, decide, rate};
pub use kill::{KillContext, may_kill};
pub use rate::RateLimit;
pub use settings::{Policy, ProtectMode, UnknownProtectMode};
pub use severity::severity;
pub use subject::{PackageStanding, Subject};
pub use whitelist::{Candidate, Judge, Whitelist, WhitelistEntry, WhitelistError, WhitelistField};
