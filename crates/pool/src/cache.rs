// SPDX-License-Identifier: Apache-2.0
//! Files that were found clean, kept on disk for the next walk.
//!
//! A file counts as the same while device, inode, size, mtime and ctime (both in ns) are. That is
//! not enough by itself: a store through an already dirty shared mapping changes none of them. So a
//! file is kept only when its ctime is older than 100 ms and a read lease could be had after its
//! scan (nobody has it open for writing or mapped writably), and is used again without opening it
//! only where no untrusted user can write it; elsewhere a lease must be had at that moment too.

mod disk;
mod key;

pub use disk::{CleanCache, Known, LoadProblem};
pub(crate) use key::now;
pub use key::{Key, Trust};
