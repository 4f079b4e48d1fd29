// SPDX-License-Identifier: Apache-2.0
//! How many hosts may have which edition, and which have.

/// The project of a pool that all projects share.
pub const SHARED_POOL: &str = "*";

/// A number of hosts that may have an edition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaPoolRow {
    /// Identity.
    pub id: String,
    /// Whose, or [`SHARED_POOL`].
    pub project: String,
    /// `basic`, `professional`, `enterprise`, `premium`, `wtp`, `container`.
    pub edition: String,
    /// Hosts; -1: without a limit.
    pub total: i64,
    /// `normal`, `expired`, `freeze`.
    pub status: String,
    /// Ends then; 0: never.
    pub expires_ms: i64,
    /// Hosts that enrol take from it by themselves.
    pub automatic: bool,
    /// For people.
    pub note: String,
    /// When.
    pub created_ms: i64,
    /// Counts up with each change.
    pub revision: i64,
}

/// What a host has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostQuotaRow {
    /// Which.
    pub host: String,
    /// Of which pool.
    pub pool: String,
    /// The pool's.
    pub edition: String,
    /// The pool's.
    pub status: String,
    /// The pool's.
    pub expires_ms: i64,
    /// When.
    pub bound_ms: i64,
    /// By whom; `server` when it enrolled.
    pub bound_by: String,
}
