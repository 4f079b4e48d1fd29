// SPDX-License-Identifier: Apache-2.0
//! Rate limits: a bucket for each credential and each address, refilled evenly.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Buckets remembered at most; when they are all in use, full ones are forgotten first.
const MOST: usize = 65_536;

/// So many in a minute, each key for itself.
#[derive(Debug)]
pub(crate) struct Limit<K> {
    per_minute: f64,
    buckets: Mutex<HashMap<K, (f64, Instant)>>,
}

impl<K: Hash + Eq> Limit<K> {
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { per_minute: f64::from(per_minute.max(1)), buckets: Mutex::new(HashMap::new()) }
    }

    /// Takes one.
    ///
    /// # Errors
    /// Seconds after which there is one again.
    pub(crate) fn take(&self, key: K, now: Instant) -> Result<(), u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let per_second = self.per_minute / 60.0;
        if buckets.len() >= MOST && !buckets.contains_key(&key) {
            let most = self.per_minute;
            buckets.retain(|_, (left, at)| *left + now.duration_since(*at).as_secs_f64() * per_second < most);
            if buckets.len() >= MOST {
                // So many at once that each has used some: nobody can be told apart from a flood.
                return Err(1);
            }
        }
        let (left, at) = buckets.entry(key).or_insert((self.per_minute, now));
        *left = (*left + now.duration_since(*at).as_secs_f64() * per_second).min(self.per_minute);
        *at = now;
        if *left >= 1.0 {
            *left -= 1.0;
            return Ok(());
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 60 by the lines above"
        )]
        let seconds = ((1.0 - *left) / per_second).ceil() as u64;
        Err(seconds.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn so_many_in_a_minute_and_no_more() {
        let l = Limit::new(60);
        let now = Instant::now();
        for _ in 0..60 {
            assert_eq!(l.take("a", now), Ok(()));
        }
        assert_eq!(l.take("a", now), Err(1));
        assert_eq!(l.take("b", now), Ok(()), "another one is not concerned");
        assert_eq!(l.take("a", now + Duration::from_secs(2)), Ok(()), "it fills again");
        assert_eq!(Limit::new(1).take(1, now), Ok(()));
    }

    #[test]
    fn a_flood_of_keys_stays_bounded() {
        let l = Limit::new(1);
        let now = Instant::now();
        for k in 0..MOST {
            assert_eq!(l.take(k, now), Ok(()));
        }
        assert_eq!(l.take(MOST, now), Err(1));
        assert_eq!(l.take(MOST, now + Duration::from_secs(61)), Ok(()), "full ones are forgotten");
    }
}
