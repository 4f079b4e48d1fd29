// SPDX-License-Identifier: Apache-2.0
//! Users, what they hold and what they did.

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// Identity.
    pub id: String,
    /// Unique, lower case.
    pub name: String,
    /// argon2id, PHC string.
    pub password: String,
    /// Must be changed at the next sign-in.
    pub must_change: bool,
    /// Cannot sign in.
    pub disabled: bool,
    /// Wrong passwords in a row.
    pub failures: i64,
    /// Locked until then.
    pub locked_until_ms: i64,
    /// When.
    pub created_ms: i64,
    /// Last sign-in, 0.
    pub last_ms: i64,
    /// Project (`*`: all) and role (`viewer`, `operator`, `administrator`, `auditor`, `analyst`).
    pub grants: Vec<(String, String)>,
}

/// A signed-in person, or a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialRow {
    /// Identity.
    pub id: String,
    /// Of which user.
    pub user: String,
    /// `session`, `enrolling`, `api_key`, `access_key`, `token`.
    pub kind: String,
    /// SHA-256 of the secret.
    pub hash: Vec<u8>,
    /// For people.
    pub note: String,
    /// When.
    pub created_ms: i64,
    /// Not taken after that; 0: never ends.
    pub expires_ms: i64,
    /// Used last.
    pub last_ms: i64,
    /// A key's grants are these of its user's; empty: all of them.
    pub grants: Vec<(String, String)>,
    /// Of an access key: what it signs with, sealed; else empty.
    pub secret: Vec<u8>,
    /// The access key that a token was got with: the token goes with it.
    pub parent: Option<String>,
}

impl CredentialRow {
    /// Made by a person for a program: it stays when sign-ins end.
    #[must_use]
    pub fn is_key(&self) -> bool {
        matches!(self.kind.as_str(), "api_key" | "access_key")
    }
}

/// One write by a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// From 1 without gaps.
    pub seq: i64,
    /// When.
    pub at_ms: i64,
    /// User's name, or `server`.
    pub who: String,
    /// Address of the caller.
    pub address: String,
    /// Whose.
    pub project: String,
    /// `switch.set`, `alarm.handle` ...
    pub action: String,
    /// Kind and id of what was written.
    pub target: String,
    /// JSON, or empty.
    pub before: String,
    /// JSON, or empty.
    pub after: String,
    /// `done`, or the refusal.
    pub outcome: String,
    /// Over this row and the hash before it.
    pub hash: Vec<u8>,
}

/// A write that is to be recorded; the store numbers and chains it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewAudit {
    /// When.
    pub at_ms: i64,
    /// User's name, or `server`.
    pub who: String,
    /// Address of the caller.
    pub address: String,
    /// Whose.
    pub project: String,
    /// `switch.set`, `alarm.handle` ...
    pub action: String,
    /// Kind and id of what was written.
    pub target: String,
    /// JSON, or empty.
    pub before: String,
    /// JSON, or empty.
    pub after: String,
    /// `done`, or the refusal.
    pub outcome: String,
}

/// Filters; empty fields do not filter.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Exact.
    pub who: String,
    /// Exact, or everything below with a trailing dot (`alarm.`).
    pub action: String,
    /// Part of the target.
    pub target: String,
    /// Not before.
    pub since_ms: Option<i64>,
    /// Before.
    pub until_ms: Option<i64>,
}

/// What the verification of the chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditCheck {
    /// Rows read.
    pub rows: u64,
    /// First row that does not fit, and why; `None`: whole.
    pub broken: Option<(i64, String)>,
}

/// The answer that was given to a request with an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRow {
    /// Of the user who sent it: keys of different users do not meet.
    pub user: String,
    /// As it was sent.
    pub key: String,
    /// SHA-256 of method, path and body: the same key for another request is a conflict.
    pub request: Vec<u8>,
    /// HTTP status; 0 while the first one still runs.
    pub status: i64,
    /// As it was given.
    pub body: Vec<u8>,
    /// When.
    pub at_ms: i64,
}
