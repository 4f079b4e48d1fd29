// SPDX-License-Identifier: Apache-2.0
//! A limit on how often something may be done in a sliding window.

use std::collections::VecDeque;

/// At most `max` times in any `window_ms`. Holds for every origin, the server's commands included.
#[derive(Debug, Clone)]
pub struct RateLimit {
    /// `None`: no limit, nothing is counted.
    max: Option<usize>,
    window_ms: i64,
    at: VecDeque<i64>,
}

impl RateLimit {
    /// `max` in 1..=100,000 and `window_ms` in 1 s..=24 h; values outside are moved to the bound.
    #[must_use]
    pub fn new(max: usize, window_ms: i64) -> Self {
        Self {
            max: Some(max.clamp(1, 100_000)),
            window_ms: window_ms.clamp(1_000, 24 * 3_600_000),
            at: VecDeque::new(),
        }
    }

    /// `max` in an hour, none for 0.
    #[must_use]
    pub fn per_hour(max: u32) -> Self {
        let limit = Self::new(usize::try_from(max).unwrap_or(usize::MAX), 3_600_000);
        if max == 0 { Self { max: None, ..limit } } else { limit }
    }

    /// Another limit an hour, 0 for none; what was counted stays counted.
    pub fn set_per_hour(&mut self, max: u32) {
        let fresh = Self::per_hour(max);
        (self.max, self.window_ms) = (fresh.max, fresh.window_ms);
    }

    /// Whether one more is allowed now.
    ///
    /// # Errors
    /// Says the limit and when the next one is allowed.
    pub fn check(&self, now_ms: i64) -> Result<(), String> {
        let Some(max) = self.max else { return Ok(()) };
        let used = self.at.iter().filter(|t| self.counts(**t, now_ms)).count();
        if used < max {
            return Ok(());
        }
        let oldest = self.at.iter().copied().filter(|t| self.counts(*t, now_ms)).min().unwrap_or(now_ms);
        let wait = oldest.saturating_add(self.window_ms).saturating_sub(now_ms).max(0);
        Err(format!(
            "{used} in {} minutes, the limit is {max}; the next one is possible in {} s",
            self.window_ms.div_euclid(60_000).max(1),
            wait.div_euclid(1_000) + 1
        ))
    }

    /// Counts one that was done.
    pub fn record(&mut self, now_ms: i64) {
        let Some(max) = self.max else { return };
        let window = self.window_ms;
        self.at.retain(|t| now_ms.saturating_sub(*t).unsigned_abs() < window.unsigned_abs());
        if self.at.len() >= max {
            self.at.pop_front();
        }
        self.at.push_back(now_ms);
    }

    /// A clock that jumps must neither block for ever nor forget at once: what lies within one
    /// window on either side counts.
    fn counts(&self, at: i64, now_ms: i64) -> bool {
        now_ms.saturating_sub(at).unsigned_abs() < self.window_ms.unsigned_abs()
    }
}

impl Default for RateLimit {
    /// 100 in 10 minutes.
    fn default() -> Self {
        Self::new(100, 600_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_slides() {
        let mut r = RateLimit::new(3, 10_000);
        for t in [0, 1_000, 2_000] {
            assert!(r.check(t).is_ok());
            r.record(t);
        }
        let why = r.check(3_000).unwrap_err();
        assert!(why.contains("limit is 3") && why.contains("8 s"), "{why}");
        assert!(r.check(10_000).is_ok());
        r.record(10_000);
        assert!(r.check(10_500).is_err());
        assert!(r.check(11_000).is_ok());
    }

    #[test]
    fn clock_that_jumps_back_does_not_block_for_ever() {
        let mut r = RateLimit::new(1, 10_000);
        r.record(1_000_000);
        assert!(r.check(995_000).is_err());
        assert!(r.check(500_000).is_ok());
        assert!(r.check(i64::MIN).is_ok());
        assert!(r.check(i64::MAX).is_ok());
    }

    #[test]
    fn none_is_never_reached() {
        let mut r = RateLimit::per_hour(0);
        for _ in 0..1_000 {
            assert_eq!(r.check(7), Ok(()));
            r.record(7);
        }
        assert!(r.at.is_empty());
        let mut r = RateLimit::per_hour(1);
        r.record(0);
        assert!(r.check(3_599_999).is_err() && r.check(3_600_000).is_ok());
    }

    #[test]
    fn memory_is_bounded_by_the_limit() {
        let mut r = RateLimit::new(5, 1_000);
        for _ in 0..1_000 {
            r.record(7);
        }
        assert_eq!(r.at.len(), 5);
    }
}
