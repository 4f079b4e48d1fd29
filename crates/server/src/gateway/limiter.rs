// SPDX-License-Identifier: Apache-2.0
//! Counts failures by address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Addresses that are remembered; beyond that the oldest window goes.
const MAX_ADDRESSES: usize = 10_000;

/// At most so many failures in a window.
pub(super) struct Limiter {
    most: u32,
    window: Duration,
    seen: Mutex<HashMap<IpAddr, (Instant, u32)>>,
}

impl Limiter {
    pub(super) fn new(most: u32, window: Duration) -> Self {
        Self { most, window, seen: Mutex::default() }
    }

    /// Whether this address has failed too often.
    pub(super) fn blocked(&self, address: IpAddr) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(&key(address)).is_some_and(|(since, n)| since.elapsed() < self.window && *n >= self.most)
    }

    pub(super) fn failed(&self, address: IpAddr) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MAX_ADDRESSES {
            seen.retain(|_, (since, _)| since.elapsed() < self.window);
        }
        if seen.len() >= MAX_ADDRESSES {
            seen.clear();
        }
        let entry = seen.entry(key(address)).or_insert_with(|| (Instant::now(), 0));
        if entry.0.elapsed() >= self.window {
            *entry = (Instant::now(), 0);
        }
        entry.1 = entry.1.saturating_add(1);
    }
}

/// One machine has a whole /64 of IPv6.
fn key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(a) => IpAddr::V6(Ipv6Addr::from_bits(a.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_who_fails_and_nobody_else() {
        let limiter = Limiter::new(3, Duration::from_secs(60));
        let (bad, good): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        for _ in 0..3 {
            assert!(!limiter.blocked(bad));
            limiter.failed(bad);
        }
        assert!(limiter.blocked(bad) && !limiter.blocked(good));
        assert!(limiter.blocked("::ffff:192.0.2.1".parse().unwrap()));
        for n in 0..3 {
            limiter.failed(format!("2001:db8::{n}").parse().unwrap());
        }
        assert!(limiter.blocked("2001:db8::ffff".parse().unwrap()));
        assert!(!limiter.blocked("2001:db8:0:1::1".parse().unwrap()));
    }

    #[test]
    fn forgives() {
        let limiter = Limiter::new(1, Duration::ZERO);
        let address = "192.0.2.1".parse().unwrap();
        limiter.failed(address);
        assert!(!limiter.blocked(address));
    }
}
