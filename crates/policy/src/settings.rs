// SPDX-License-Identifier: Apache-2.0
//! What people can set.

use crate::ClassSet;
use lazaret_model::Thresholds;
use std::fmt;
use std::str::FromStr;

/// Moves the thresholds as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ProtectMode {
    /// The thresholds as they are set.
    #[default]
    Equalization,
    /// *medium* begins 15 points and *high* 5 points lower, within the bounds of [`Thresholds::new`].
    /// *high* still needs a decisive evidence, so this mostly finds more to look at.
    HighDetection,
}

impl ProtectMode {
    /// The word in configuration and in the HSS API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Equalization => "equalization",
            Self::HighDetection => "high_detection",
        }
    }
}

/// A word that names no protect mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownProtectMode(pub String);

impl fmt::Display for UnknownProtectMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown protect mode \"{}\"; known: equalization, high_detection", self.0)
    }
}

impl std::error::Error for UnknownProtectMode {}

impl FromStr for ProtectMode {
    type Err = UnknownProtectMode;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        [Self::Equalization, Self::HighDetection]
            .into_iter()
            .find(|m| m.word() == s)
            .ok_or_else(|| UnknownProtectMode(s.to_owned()))
    }
}

/// The policy in force on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The switch *isolate and kill*. Off: alarms only, nothing is refused, isolated or killed.
    pub isolate_and_kill: bool,
    /// Where *high* and *medium* begin, before [`ProtectMode`] moves them.
    pub thresholds: Thresholds,
    /// The classes that the switch acts on by itself; the others alarm.
    pub automatic: ClassSet,
    /// Moves the thresholds.
    pub protect_mode: ProtectMode,
    /// Whether EICAR and the Lazaret test program count. Off: they are allowed.
    pub test_programs: bool,
    /// Whether a bad member condemns the archive it lies in. Off: the archive alarms and stays.
    pub condemn_archives: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            isolate_and_kill: false,
            thresholds: Thresholds::default(),
            automatic: ClassSet::default(),
            protect_mode: ProtectMode::default(),
            test_programs: true,
            condemn_archives: false,
        }
    }
}

impl Policy {
    /// The thresholds after the protect mode has moved them.
    #[must_use]
    pub fn effective_thresholds(&self) -> Thresholds {
        let t = self.thresholds;
        match self.protect_mode {
            ProtectMode::Equalization => t,
            ProtectMode::HighDetection => {
                let high = t.high().saturating_sub(5).max(80);
                let medium = t.medium().saturating_sub(15).max(30);
                Thresholds::new(high, medium).unwrap_or(t)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn high_detection_only_lowers_and_stays_in_bounds() {
        for high in 80..=100 {
            for medium in 30..=79 {
                let thresholds = Thresholds::new(high, medium).unwrap();
                let p = Policy { thresholds, protect_mode: ProtectMode::HighDetection, ..Policy::default() };
                let e = p.effective_thresholds();
                assert!(e.high() <= high && e.high() >= 80 && e.medium() <= medium && e.medium() >= 30);
            }
        }
    }

    #[test]
    fn words_come_back() {
        for m in [ProtectMode::Equalization, ProtectMode::HighDetection] {
            assert_eq!(m.word().parse::<ProtectMode>(), Ok(m));
        }
        assert!("turbo".parse::<ProtectMode>().unwrap_err().to_string().contains("turbo"));
    }
}
