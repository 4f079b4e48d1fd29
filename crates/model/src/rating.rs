// SPDX-License-Identifier: Apache-2.0
//! Confidence and rating.

use std::fmt;

/// How sure the engine is, 0 (not at all) to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Confidence(u8);

impl Confidence {
    /// The highest confidence without a decisive evidence: one below the default *high* threshold.
    pub const MAX_UNDECIDED: Self = Self(89);

    /// Clamps to 0..=100.
    #[must_use]
    pub const fn new(value: u8) -> Self {
        Self(if value > 100 { 100 } else { value })
    }

    /// 0..=100.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The confidence against the thresholds in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rating {
    /// Noticed.
    Low,
    /// A person should look.
    Medium,
    /// Isolated and killed at once where policy says so.
    High,
}

impl Rating {
    /// `low`, `medium` or `high`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl fmt::Display for Rating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Where *high* and *medium* begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    high: u8,
    medium: u8,
}

/// Thresholds outside their bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThresholdsError {
    /// What was asked for.
    pub high: u8,
    /// What was asked for.
    pub medium: u8,
}

impl fmt::Display for ThresholdsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "thresholds high {} and medium {} are out of bounds: high must be 80 to 100, medium 30 to 79",
            self.high, self.medium
        )
    }
}

impl std::error::Error for ThresholdsError {}

impl Thresholds {
    /// `high` 80..=100, `medium` 30..=79.
    ///
    /// # Errors
    /// When one is out of bounds: a threshold that low would act on guesses.
    pub const fn new(high: u8, medium: u8) -> Result<Self, ThresholdsError> {
        if high < 80 || high > 100 || medium < 30 || medium > 79 {
            return Err(ThresholdsError { high, medium });
        }
        Ok(Self { high, medium })
    }

    /// Confidence from which a verdict is *high*.
    #[must_use]
    pub const fn high(self) -> u8 {
        self.high
    }

    /// Confidence from which a verdict is *medium*.
    #[must_use]
    pub const fn medium(self) -> u8 {
        self.medium
    }

    /// Rates a confidence.
    #[must_use]
    pub const fn rate(self, confidence: Confidence) -> Rating {
        if confidence.0 >= self.high {
            Rating::High
        } else if confidence.0 >= self.medium {
            Rating::Medium
        } else {
            Rating::Low
        }
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { high: 90, medium: 60 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_bounds() {
        let t = Thresholds::default();
        assert_eq!(t.rate(Confidence::new(89)), Rating::Medium);
        assert_eq!(t.rate(Confidence::new(90)), Rating::High);
        assert_eq!(t.rate(Confidence::new(59)), Rating::Low);
        assert_eq!(t.rate(Confidence::new(60)), Rating::Medium);
        assert_eq!(t.rate(Confidence::MAX_UNDECIDED), Rating::Medium);
    }

    #[test]
    fn thresholds_refuse_guesses() {
        assert!(Thresholds::new(79, 60).is_err());
        assert!(Thresholds::new(90, 80).is_err());
        assert!(Thresholds::new(101, 60).is_err());
        assert!(Thresholds::new(80, 30).is_ok());
    }
}
