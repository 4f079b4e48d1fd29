// SPDX-License-Identifier: Apache-2.0
//! How much each host may ask of this gateway. Kept over its sessions: who connects anew gains nothing by it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Hosts that are remembered; beyond that those go that have used nothing.
const MAX_HOSTS: usize = 30_000;

/// One bucket of tokens for each host.
pub(super) struct Buckets {
    burst: f64,
    per_second: f64,
    seen: Mutex<HashMap<String, (Instant, f64)>>,
}

impl Buckets {
    pub(super) fn new(burst: u32, per_second: u32) -> Self {
        let (burst, per_second) = (f64::from(burst.max(1)), f64::from(per_second.max(1)));
        Self { burst, per_second, seen: Mutex::default() }
    }

    /// Takes up to `wanted` tokens: how many there were, and after how long the rest would be there.
    pub(super) fn take(&self, host: &str, wanted: u32, now: Instant) -> (u32, Duration) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MAX_HOSTS && !seen.contains_key(host) {
            seen.retain(|_, (at, left)| self.filled(*at, *left, now) < self.burst);
        }
        let entry = seen.entry(host.to_owned()).or_insert((now, self.burst));
        let mut left = self.filled(entry.0, entry.1, now);
        let mut taken = 0;
        while taken < wanted && left >= 1.0 {
            left -= 1.0;
            taken += 1;
        }
        *entry = (now, left);
        // More than the bucket holds is never there at once.
        let missing = f64::from(wanted - taken).min(self.burst) - left;
        let wait = if taken == wanted { 0.0 } else { (missing / self.per_second).clamp(0.001, 3_600.0) };
        (taken, Duration::from_secs_f64(wait))
    }

    fn filled(&self, at: Instant, left: f64, now: Instant) -> f64 {
        let more = now.saturating_duration_since(at).as_secs_f64() * self.per_second;
        (left + more).min(self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_burst_then_the_rate() {
        let buckets = Buckets::new(10, 5);
        let start = Instant::now();
        assert_eq!(buckets.take("a", 4, start), (4, Duration::ZERO));
        let (taken, wait) = buckets.take("a", 8, start);
        assert_eq!((taken, wait), (6, Duration::from_millis(400)), "two are missing, five come a second");
        assert_eq!(buckets.take("b", 10, start), (10, Duration::ZERO), "another host has its own");
        assert_eq!(buckets.take("a", 2, start + wait), (2, Duration::ZERO));
        let later = start + Duration::from_secs(3_600);
        assert_eq!(buckets.take("a", 11, later).0, 10, "never more than the burst");
        assert_eq!(buckets.take("a", 1, start).0, 0, "a time that went back gives nothing");
    }

    #[test]
    fn the_wait_is_bounded() {
        let buckets = Buckets::new(3, 1);
        let (taken, wait) = buckets.take("a", u32::MAX, Instant::now());
        assert_eq!((taken, wait), (3, Duration::from_secs(3)));
    }
}
