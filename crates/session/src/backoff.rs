// SPDX-License-Identifier: Apache-2.0
//! How long an agent waits before it connects again.

use std::time::Duration;

/// Never sooner.
pub const SHORTEST: Duration = Duration::from_secs(1);
/// Never later by itself; a server may ask for more.
pub const LONGEST: Duration = Duration::from_secs(300);

/// Doubles with each attempt (from 0) and lies anywhere between one step and the next, so that a fleet
/// that lost its server does not come back in one moment. `asked` is the server's wish.
#[must_use]
pub fn delay(attempt: u32, seed: u64, asked: Duration) -> Duration {
    let low = 1_u64.checked_shl(attempt.min(20)).unwrap_or(u64::MAX).saturating_mul(1000).min(150_000);
    let own = Duration::from_millis(low + mix(seed, attempt) % (low + 1)).clamp(SHORTEST, LONGEST);
    if asked.is_zero() {
        return own;
    }
    // A quarter more at most, for the same reason. An hour is what a server may ask for.
    let asked = asked.min(Duration::from_secs(3600));
    let more = u64::try_from(asked.as_millis() / 4).unwrap_or(u64::MAX).max(1);
    asked.max(SHORTEST) + Duration::from_millis(mix(seed ^ 0xa5a5, attempt) % more)
}

/// SplitMix64: spreads what differs in one bit.
fn mix(seed: u64, attempt: u32) -> u64 {
    let mut z = seed.wrapping_add(u64::from(attempt).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_within_bounds_and_is_repeatable() {
        for seed in 0..200 {
            let mut floor = Duration::ZERO;
            for attempt in 0..64 {
                let d = delay(attempt, seed, Duration::ZERO);
                assert!(d >= SHORTEST && d <= LONGEST, "{attempt} {seed} {d:?}");
                assert_eq!(d, delay(attempt, seed, Duration::ZERO));
                let low = Duration::from_millis((1000_u64 << attempt.min(20)).min(150_000));
                assert!(d >= low && low >= floor, "{attempt} {seed} {d:?}");
                floor = low;
            }
        }
    }

    #[test]
    fn a_fleet_is_spread() {
        let mut slots = [0_u32; 10];
        for seed in 0..5000 {
            let ms = delay(0, seed, Duration::ZERO).as_millis();
            slots[((ms - 1000) / 101).min(9) as usize] += 1;
        }
        assert!(slots.iter().all(|n| (300..700).contains(n)), "{slots:?}");
    }

    #[test]
    fn a_server_is_heeded() {
        for seed in 0..100 {
            let d = delay(0, seed, Duration::from_secs(40));
            assert!(d >= Duration::from_secs(40) && d < Duration::from_secs(51), "{d:?}");
            assert!(delay(9, seed, Duration::from_millis(5)) >= SHORTEST);
            assert!(delay(0, seed, Duration::MAX) < Duration::from_secs(4600));
        }
    }
}
