// SPDX-License-Identifier: Apache-2.0
//! The journal: append-only, hash-chained, preallocated (docs/journal-format.md).
//!
//! It is both the memory that replay works from and the outbox that uplinks read. An append that
//! asks for durability costs one write and one `fdatasync` into space that exists already, so a
//! full disk does not stop it until the kept-ready segment is used up too.

mod entry;
mod frame;
mod lock;
mod log;
mod recover;
mod segment;

pub use entry::{
    Body, Closing, Done, EnableIntent, Entry, HeldProcess, Intent, IsolateIntent, Note, Progress,
    RestoreIntent, WindowIntent,
};
pub use lock::is_held;
pub use log::{Journal, JournalError};

/// Milliseconds UTC now.
pub(crate) fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
