// SPDX-License-Identifier: Apache-2.0
//! How long until the next try: twice as long each time, up to a limit, and never the same for two targets
//! that failed together.

use crate::outbound::Limits;
use std::time::Duration;

/// After so many failures.
pub(crate) fn after(failures: i64, most: Duration, limits: &Limits) -> i64 {
    let doublings = u32::try_from(failures.clamp(1, 30) - 1).unwrap_or(0);
    let full = limits.first_retry.saturating_mul(1u32 << doublings).min(most);
    let full = u64::try_from(full.as_millis()).unwrap_or(u64::MAX);
    let mut bytes = [0; 8];
    // Without random numbers it is only less spread.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    let half = full / 2;
    i64::try_from(half + u64::from_le_bytes(bytes) % (half + 1)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_its_limit_with_jitter() {
        let limits = Limits::default();
        for (failures, full) in [(1, 1_000), (2, 2_000), (5, 16_000), (11, 600_000), (1_000, 600_000)] {
            for _ in 0..50 {
                let ms = after(failures, limits.most_retry, &limits);
                assert!((full / 2..=full).contains(&ms), "{failures}: {ms}");
            }
        }
        let spread: std::collections::BTreeSet<i64> =
            (0..20).map(|_| after(9, limits.most_retry, &limits)).collect();
        assert!(spread.len() > 5, "{spread:?}");
    }
}
