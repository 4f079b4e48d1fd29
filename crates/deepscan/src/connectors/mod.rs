// SPDX-License-Identifier: Apache-2.0
//! Other scanners: what they are asked, what they may answer, and what is made of an answer that is none.
//!
//! An answer of theirs is untrusted: it is bounded in size and time, and what does not follow the published
//! protocol to the letter is no vote, in neither direction.

mod bazaar;
mod clamd;
mod http;
mod settings;
mod virustotal;

pub use settings::{ConnectorKind, ConnectorSettings, MAX_WEIGHT, MIN_WEIGHT};

use crate::vote::{Opinion, Vote};
use lazaret_model::Sha256;
use std::fmt;
use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Who asked too often waits so long, unless it is told.
const PAUSE: Duration = Duration::from_secs(60);
/// Nobody makes us wait longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);

/// What others are asked about.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Of the whole.
    pub sha256: Sha256,
    /// Bytes.
    pub size: u64,
    /// Read at offsets only.
    pub file: Arc<File>,
}

/// What somebody said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) opinion: Opinion,
    /// Of a bad one.
    pub(crate) family: String,
    pub(crate) detail: String,
    /// Of the one who said it.
    pub(crate) version: String,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) why: String,
    /// Whether it is worth to ask again, and not before that.
    pub(crate) again: Option<Duration>,
}

impl Refusal {
    /// It may go better next time.
    pub(crate) fn later(why: impl fmt::Display) -> Self {
        Self { why: plain(&why.to_string(), 300), again: Some(Duration::ZERO) }
    }

    /// It will be the same the next time.
    pub(crate) fn never(why: impl fmt::Display) -> Self {
        Self { why: plain(&why.to_string(), 300), again: None }
    }

    /// They want to be left alone for so long.
    pub(crate) fn too_often(why: impl fmt::Display, after: Option<Duration>) -> Self {
        let after = after.unwrap_or(PAUSE).min(LONGEST_PAUSE);
        Self { why: plain(&why.to_string(), 300), again: Some(after) }
    }
}

enum Way {
    Clamd(clamd::Clamd),
    VirusTotal(virustotal::VirusTotal),
    MalwareBazaar(bazaar::Bazaar),
}

/// One that is asked.
pub struct Connector {
    settings: ConnectorSettings,
    way: Way,
    /// Until then they do not want to be asked.
    pause: Mutex<Option<(Instant, String)>>,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Connector {
    /// Makes ready to ask; nobody is asked yet.
    ///
    /// # Errors
    /// Names the connector and what is wrong with its settings.
    pub fn new(settings: ConnectorSettings) -> Result<Self, String> {
        settings.check()?;
        let way = match settings.kind {
            ConnectorKind::Clamd => clamd::Clamd::new(&settings).map(Way::Clamd),
            ConnectorKind::VirusTotal => virustotal::VirusTotal::new(&settings).map(Way::VirusTotal),
            ConnectorKind::MalwareBazaar => bazaar::Bazaar::new(&settings).map(Way::MalwareBazaar),
        };
        let way = way.map_err(|e| format!("connector {}: {e}", settings.name))?;
        Ok(Self { settings, way, pause: Mutex::default() })
    }

    /// What it was made from.
    #[must_use]
    pub fn settings(&self) -> &ConnectorSettings {
        &self.settings
    }

    /// Asks, for no longer than its time-out. Whatever goes wrong is a vote that says so.
    pub async fn ask(&self, sample: &Sample) -> Vote {
        let asked = match self.paused() {
            Some(refusal) => Err(refusal),
            None => tokio::time::timeout(self.settings.timeout, self.go(sample)).await.unwrap_or_else(|_| {
                let ms = self.settings.timeout.as_millis();
                Err(Refusal::later(format_args!("no answer within {ms} ms")))
            }),
        };
        let mut vote = Vote {
            connector: self.settings.name.clone(),
            kind: self.settings.kind.word().to_owned(),
            source: self.settings.source().to_owned(),
            opinion: Opinion::None,
            weight: self.settings.weight,
            family: String::new(),
            detail: String::new(),
            version: String::new(),
            again_ms: None,
        };
        match asked {
            Ok(heard) => {
                vote.opinion = heard.opinion;
                vote.family = plain(&heard.family, 100);
                vote.detail = plain(&heard.detail, 300);
                vote.version = plain(&heard.version, 100);
            }
            Err(refusal) => {
                if let Some(after) = refusal.again.filter(|a| !a.is_zero()) {
                    let until = Instant::now() + after;
                    let mut pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
                    pause.get_or_insert((until, refusal.why.clone()));
                }
                vote.detail = refusal.why;
                vote.again_ms = refusal.again.map(|a| u64::try_from(a.as_millis()).unwrap_or(u64::MAX));
            }
        }
        metrics::counter!("lazaret_deep_scan_votes_total",
            "connector" => vote.connector.clone(), "opinion" => vote.opinion.word())
        .increment(1);
        vote
    }

    async fn go(&self, sample: &Sample) -> Result<Heard, Refusal> {
        match &self.way {
            Way::Clamd(clamd) => clamd.ask(sample).await,
            Way::VirusTotal(way) => way.ask(sample).await,
            Way::MalwareBazaar(way) => way.ask(sample).await,
        }
    }

    fn paused(&self) -> Option<Refusal> {
        let mut pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, why) = pause.as_ref()?;
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            *pause = None;
            return None;
        }
        Some(Refusal { why: why.clone(), again: Some(left) })
    }
}

/// A text of others that people will read: one line, no control characters, not longer than that.
pub(crate) fn plain(text: &str, most: usize) -> String {
    text.trim().chars().take(most).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_others_are_one_short_line() {
        assert_eq!(plain(" Unix.Miner\n\u{1b}[31m", 100), "Unix.Miner\u{fffd}\u{fffd}[31m");
        assert_eq!(plain(&"é".repeat(500), 7).chars().count(), 7);
    }

    #[test]
    fn nobody_makes_us_wait_for_ever() {
        let day = Duration::from_secs(86_400);
        assert_eq!(Refusal::too_often("429", Some(day)).again, Some(LONGEST_PAUSE));
        assert_eq!(Refusal::too_often("429", None).again, Some(PAUSE));
        assert_eq!(Refusal::never("no").again, None);
    }
}
