// SPDX-License-Identifier: Apache-2.0
//! Waiting for something to become true, bounded.

use std::time::{Duration, Instant};

/// Asks every 5 ms until the answer is yes, at most `limit`.
pub fn eventually(limit: Duration, mut ask: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if ask() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
