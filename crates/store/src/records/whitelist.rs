// SPDX-License-Identifier: Apache-2.0
//! Whitelist entries.

/// A whitelist entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhitelistRow {
    /// Identity, the same on the hosts.
    pub id: String,
    /// Whose.
    pub project: String,
    /// `project`, `group`, `host`.
    pub scope: String,
    /// Group or host, or empty.
    pub scope_id: String,
    /// `hash`, `file_path`, `process_path`, `process_cmdline`.
    pub field: String,
    /// `equal`, `contain`, `not_equal`, `not_contain`.
    pub judge: String,
    /// Raw bytes.
    pub value: Vec<u8>,
    /// 32 bytes, or empty.
    pub sha256: Vec<u8>,
    /// A path entry holds whatever the content.
    pub any_content: bool,
    /// Class that it is limited to, or empty.
    pub class: String,
    /// For people.
    pub description: String,
    /// Who answers for it.
    pub owner: String,
    /// Who added it.
    pub added_by: String,
    /// When.
    pub added_ms: i64,
    /// 0: never.
    pub expires_ms: i64,
    /// Alarm that it was made from, or empty.
    pub alarm: String,
    /// Ever.
    pub hits_total: i64,
    /// On `hits_day`.
    pub hits_today: i64,
    /// Days since 1970.
    pub hits_day: i64,
    /// Last hit, 0.
    pub last_hit_ms: i64,
}

/// Filters; empty fields do not filter.
#[derive(Debug, Clone, Default)]
pub struct WhitelistFilter {
    /// Exact: `project`, `group`, `host`.
    pub scope: String,
    /// Exact.
    pub scope_id: String,
    /// Exact.
    pub field: String,
    /// Exact.
    pub class: String,
    /// Part of value, description or owner.
    pub text: String,
    /// These only.
    pub ids: Vec<String>,
    /// Alarm that it was made from.
    pub alarm: String,
    /// Expired ones only (by the time given), or living ones only.
    pub expired: Option<(bool, i64)>,
}

/// What an entry let through on a host, for its shadow report. The newest thousand per entry are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HitRow {
    /// Which entry.
    pub entry: String,
    /// Where.
    pub host: String,
    /// Last of them.
    pub at_ms: i64,
    /// How often.
    pub count: i64,
    /// Raw bytes.
    pub path: Vec<u8>,
    /// 32 bytes, or empty.
    pub sha256: Vec<u8>,
}
