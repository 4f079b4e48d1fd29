// SPDX-License-Identifier: Apache-2.0
//! What another scanner said of a sample, or that it said nothing; as it is kept with the job.

use serde::{Deserialize, Serialize};

/// What somebody thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opinion {
    /// It is malicious.
    Bad,
    /// It is known to be good.
    Good,
    /// It was looked at and nothing was found: no vote.
    Nothing,
    /// They never saw it: no vote.
    Unknown,
    /// They did not say: no vote.
    None,
}

impl Opinion {
    /// The word in the job's votes.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Good => "good",
            Self::Nothing => "nothing",
            Self::Unknown => "unknown",
            Self::None => "none",
        }
    }
}

/// One of a job's votes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vote {
    /// Name of the connector.
    pub connector: String,
    /// `clamd`, `virustotal`, `malwarebazaar`.
    pub kind: String,
    /// Whose word it is: votes of one source count once.
    pub source: String,
    /// What they said.
    pub opinion: Opinion,
    /// What it weighs when it is good or bad, log-odds.
    pub weight: f32,
    /// What they call it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub family: String,
    /// In their words, or why there is no vote.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Of their scanner.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Without a vote: whether to ask again is worth it, and not before so many milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again_ms: Option<u64>,
}

impl Vote {
    /// There is none yet, and it is worth to ask again.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.opinion == Opinion::None && self.again_ms.is_some()
    }
}

/// As it is kept with the job.
#[must_use]
pub fn to_json(votes: &[Vote]) -> String {
    // Of texts, numbers and words: that cannot fail.
    serde_json::to_string(votes).unwrap_or_else(|_| "[]".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_as_it_was() {
        let vote = Vote {
            connector: "clam".into(),
            kind: "clamd".into(),
            source: "clamd".into(),
            opinion: Opinion::Bad,
            weight: 5.1,
            family: "Unix.Miner".into(),
            detail: String::new(),
            version: "ClamAV 1".into(),
            again_ms: None,
        };
        let json = to_json(std::slice::from_ref(&vote));
        assert!(json.contains("\"opinion\":\"bad\"") && !json.contains("again_ms"), "{json}");
        assert_eq!(serde_json::from_str::<Vec<Vote>>(&json).unwrap(), [vote]);
    }
}
