// SPDX-License-Identifier: Apache-2.0
//! Where an alarm stands in the list: one number that orders by time and is nobody else's. It is the key
//! of the table and of the text index, so that every way through them gives the newest first.

use std::sync::atomic::{AtomicU32, Ordering};

/// Alarms of one millisecond that can be told apart.
const BITS: u32 = 20;
/// Later ones (from the year 2248 on) stand together at the end.
const LAST_MS: i64 = (1 << 43) - 1;

/// The first place of a millisecond.
pub(super) fn begin_of(ms: i64) -> i64 {
    ms.clamp(0, LAST_MS) << BITS
}

/// Whether places tell times like this apart.
pub(super) fn tells(ms: i64) -> bool {
    (0..LAST_MS).contains(&ms)
}

/// Whether two places are of one millisecond: then an alarm stays where it is (the statement that replaces
/// one says the same).
pub(super) fn same_time(one: i64, other: i64) -> bool {
    one >> BITS == other >> BITS
}

/// Gives places out.
#[derive(Debug)]
pub(crate) struct Places(AtomicU32);

impl Places {
    /// Begins anywhere, so that several processes seldom meet; who meets draws again.
    pub(super) fn new() -> Self {
        let random = uuid::Uuid::now_v7().as_u128();
        Self(AtomicU32::new(u32::try_from(random & 0xffff_ffff).unwrap_or_default()))
    }

    /// A place in this millisecond; after some that were taken, in one of the next four seconds: a million
    /// alarms of one millisecond are no reason to refuse the next.
    pub(super) fn draw(&self, ms: i64, attempt: u32) -> i64 {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let late = if attempt < 3 { 0 } else { i64::from(number.wrapping_mul(2_654_435_769) >> 20) };
        begin_of(ms.clamp(0, LAST_MS).saturating_add(late)) | i64::from(number & ((1 << BITS) - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_in_the_order_of_time_and_never_negative() {
        let places = Places::new();
        let mut last = -1;
        for ms in [0, 1, 2, 1_800_000_000_000, LAST_MS - 1, LAST_MS] {
            let (one, two) = (places.draw(ms, 0), places.draw(ms, 0));
            assert!(one != two && one.min(two) > last && one.min(two) >= begin_of(ms), "{ms}");
            last = one.max(two);
        }
        assert!(places.draw(i64::MIN, 0) >= 0 && places.draw(i64::MAX, 9) > last - (1 << BITS));
        assert!(places.draw(1000, 0) < begin_of(1001) && places.draw(1000, 5) < begin_of(1000 + 4097));
    }
}
