// SPDX-License-Identifier: Apache-2.0
//! What is set for many hosts: groups, switches, tokens.

/// A set of hosts of one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostGroupRow {
    /// Identity.
    pub id: String,
    /// Whose.
    pub project: String,
    /// Unique within the project.
    pub name: String,
    /// `None`: the project's switches alone.
    pub policy_group: Option<String>,
    /// Counts up with each change; its `ETag`.
    pub revision: i64,
}

/// Settings for host groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyGroupRow {
    /// Identity.
    pub id: String,
    /// Whose.
    pub project: String,
    /// Unique within the project.
    pub name: String,
    /// For people.
    pub description: String,
    /// JSON of the API's `PolicySettings`.
    pub settings: String,
    /// Counts up with each change; its `ETag`.
    pub revision: i64,
    /// Last change.
    pub updated_ms: i64,
    /// Who made it.
    pub updated_by: String,
}

/// A switch of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchRow {
    /// Whose.
    pub project: String,
    /// `isolate_and_kill`, `malware_cloud_scan`, `malware_sample_high_detect`.
    pub name: String,
    /// Off when never set.
    pub on: bool,
    /// Who set it; empty when nobody has.
    pub who: String,
    /// When; 0 when nobody has.
    pub at_ms: i64,
}

/// A rule that the hosts of a project only alarm by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisarmedRow {
    /// Whose.
    pub project: String,
    /// Evidence id.
    pub rule: String,
    /// For people.
    pub reason: String,
    /// Who disarmed it.
    pub who: String,
    /// When.
    pub at_ms: i64,
    /// The alarm that was a false positive; may be empty.
    pub alarm: String,
}

/// A right to enrol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Identity.
    pub id: String,
    /// SHA-256 of the secret.
    pub hash: Vec<u8>,
    /// New hosts go there.
    pub project: String,
    /// Same.
    pub group: Option<String>,
    /// Not taken after that.
    pub expires_ms: i64,
    /// How often it may still be used; below 0: without limit.
    pub uses_left: i64,
    /// Who made it.
    pub who: String,
    /// When.
    pub created_ms: i64,
    /// For people.
    pub note: String,
}
