// SPDX-License-Identifier: Apache-2.0
//! How many messages a target gets: some at once, then so many in a minute.

use std::time::{Duration, Instant};

/// Messages in a minute unless said otherwise.
const PER_MINUTE: u32 = 12;
/// Messages at once.
const BURST: u32 = 5;

/// Of one target.
#[derive(Debug)]
pub(crate) struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    pub(crate) fn full(now: Instant) -> Self {
        Self { tokens: f64::from(BURST), at: now }
    }

    /// Whole messages that may go now.
    pub(crate) fn left(&mut self, per_minute: Option<u32>, now: Instant) -> u32 {
        let rate = f64::from(per_minute.unwrap_or(PER_MINUTE)) / 60.0;
        let most = f64::from(BURST.min(per_minute.unwrap_or(PER_MINUTE)));
        self.tokens = (self.tokens + now.saturating_duration_since(self.at).as_secs_f64() * rate).min(most);
        self.at = now;
        // Rounding must not make an exact second wait once more.
        let whole = (self.tokens + 1e-6).floor();
        // At most BURST, never below 0.
        (0..=BURST).rev().find(|n| f64::from(*n) <= whole).unwrap_or(0)
    }

    pub(crate) fn take(&mut self) {
        self.tokens = (self.tokens - 1.0).max(0.0);
    }

    /// Until there is one.
    pub(crate) fn wait(&self, per_minute: Option<u32>) -> Duration {
        let rate = f64::from(per_minute.unwrap_or(PER_MINUTE)) / 60.0;
        Duration::from_secs_f64(((1.0 - self.tokens) / rate).clamp(0.05, 60.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_at_once_then_a_few() {
        let start = Instant::now();
        let mut b = Bucket::full(start);
        assert_eq!(b.left(None, start), 5);
        for _ in 0..5 {
            b.take();
        }
        assert_eq!(b.left(None, start), 0);
        assert_eq!(b.wait(None), Duration::from_secs(5));
        assert_eq!(b.left(None, start + Duration::from_secs(5)), 1);
        b.take();
        assert_eq!(b.left(None, start + Duration::from_secs(3600)), 5);
        assert_eq!(Bucket::full(start).left(Some(1), start), 1);
    }
}
