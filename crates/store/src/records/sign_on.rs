// SPDX-License-Identifier: Apache-2.0
//! Second factors, sign-ins at a provider, and what projects ask of people.

/// What a user proves beside the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactorRow {
    /// Whose.
    pub user: String,
    /// Sealed; the store cannot read it.
    pub secret: Vec<u8>,
    /// A first code was right: from now on it is asked for.
    pub confirmed: bool,
    /// Step of the code that was used last.
    pub last_step: i64,
    /// When.
    pub created_ms: i64,
}

/// A sign-in that is under way at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowRow {
    /// SHA-256 of what the provider gives back.
    pub state: Vec<u8>,
    /// SHA-256 of what the browser keeps: it ends where it began.
    pub browser: Vec<u8>,
    /// Name of the provider.
    pub provider: String,
    /// Must stand in the token.
    pub nonce: String,
    /// Of PKCE.
    pub verifier: String,
    /// Where the browser goes then.
    pub back: String,
    /// When.
    pub created_ms: i64,
}

/// What a project asks of its people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectRulesRow {
    /// Whose.
    pub project: String,
    /// Who signs in with a password needs a second factor.
    pub second_factor: bool,
    /// What concerns much waits for a second person.
    pub two_person: bool,
    /// More hosts than that at once are much.
    pub most_hosts: i64,
    /// More files or alarms than that at once are much.
    pub most_files: i64,
    /// It waits so long.
    pub approval_hours: i64,
    /// Counts up with each change.
    pub revision: i64,
    /// When, 0.
    pub updated_ms: i64,
    /// By whom.
    pub updated_by: String,
}

impl ProjectRulesRow {
    /// Of a project where nobody has set any.
    #[must_use]
    pub fn unset(project: &str) -> Self {
        Self {
            project: project.to_owned(),
            second_factor: false,
            two_person: false,
            most_hosts: 5,
            most_files: 20,
            approval_hours: 24,
            revision: 0,
            updated_ms: 0,
            updated_by: String::new(),
        }
    }
}
