// SPDX-License-Identifier: Apache-2.0
//! Editions: pools, and what hosts take from them.

mod bind;
mod pools;

pub(crate) use bind::{automatic, release};

/// Who looks how much of a pool is left takes turns.
const LOCK: i64 = 0x6c61_7a61_7265_7405;
