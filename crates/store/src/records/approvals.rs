// SPDX-License-Identifier: Apache-2.0
//! What waits for a second person.

/// An order that one person gave and another one must approve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRow {
    /// Identity.
    pub id: String,
    /// The projects that it concerns, sorted.
    pub projects: Vec<String>,
    /// As in the audit log: `alarm.handle`, `switch.set` ...
    pub action: String,
    /// For people.
    pub title: String,
    /// JSON: what is done when it is approved.
    pub request: String,
    /// User who gave it.
    pub author_id: String,
    /// The name of that user.
    pub author: String,
    /// When.
    pub created_ms: i64,
    /// Not approved after that.
    pub expires_ms: i64,
    /// `pending`, `approved`, `rejected`, `cancelled`, `expired`.
    pub state: String,
    /// User who decided, or empty.
    pub decided_id: String,
    /// The name of that user.
    pub decided_by: String,
    /// When, 0.
    pub decided_ms: i64,
    /// Why.
    pub remark: String,
    /// JSON: what came of it.
    pub result: String,
}
