// SPDX-License-Identifier: Apache-2.0
//! What a target has that no answer of the API shows.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lazaret_store::TargetRow;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Closes what the database's reader shall not read, and opens it again. `about` is what it belongs to: sealed for
/// one target it does not open for another.
pub trait Seal: Send + Sync + fmt::Debug {
    /// As it is stored.
    ///
    /// # Errors
    /// Why it cannot be sealed.
    fn close(&self, about: &str, plain: &str) -> Result<String, String>;

    /// What was sealed.
    ///
    /// # Errors
    /// It was sealed with another key, or for something else.
    fn open(&self, about: &str, sealed: &str) -> Result<String, String>;
}

/// Secrets of a target, as sealed JSON in the database.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Secrets {
    /// Of an SMTP user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Sent as `Authorization: Bearer` with an HTTP export.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// `whsec_...`, the newest first; two while a receiver learns the new one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub webhook: Vec<String>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("webhook", &self.webhook.len()).finish_non_exhaustive()
    }
}

impl Secrets {
    /// Reads those of a target.
    ///
    /// # Errors
    /// The key is another one, or they were written by another version; says nothing of what they hold.
    pub fn of(row: &TargetRow, seal: &dyn Seal) -> Result<Self, String> {
        let json = seal.open(&about(&row.id), &row.secrets)?;
        serde_json::from_str(&json)
            .map_err(|_| "the target's secrets cannot be read: set them anew".to_owned())
    }

    /// As they are stored for the target of this id.
    ///
    /// # Errors
    /// Why they cannot be sealed.
    pub fn sealed(&self, target: &str, seal: &dyn Seal) -> Result<String, String> {
        seal.close(&about(target), &serde_json::to_string(self).unwrap_or_default())
    }

    /// Makes a new secret for a web hook and puts it first; the one before stays beside it unless it is not
    /// to be trusted any more.
    ///
    /// # Errors
    /// The system gave no random numbers.
    pub fn rotate(&mut self, keep_old: bool) -> Result<String, String> {
        let mut bytes = [0; 32];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| "the system gave no random numbers".to_owned())?;
        let new = format!("whsec_{}", STANDARD.encode(bytes));
        self.webhook.truncate(usize::from(keep_old));
        self.webhook.insert(0, new.clone());
        Ok(new)
    }
}

fn about(target: &str) -> String {
    format!("target {target}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_secrets_at_most_and_none_in_debug_text() {
        let mut s = Secrets { password: Some("hunter2".into()), ..Secrets::default() };
        let a = s.rotate(true).unwrap();
        let b = s.rotate(true).unwrap();
        assert_eq!(s.webhook, [b.clone(), a.clone()]);
        let c = s.rotate(true).unwrap();
        assert_eq!(s.webhook, [c.clone(), b]);
        let d = s.rotate(false).unwrap();
        assert_eq!(s.webhook, [d.as_str()]);
        let text = format!("{s:?}");
        assert!(!text.contains("hunter2") && !text.contains(&d), "{text}");
    }
}
