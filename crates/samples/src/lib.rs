// SPDX-License-Identifier: Apache-2.0
//! Where samples lie: a folder or an S3-compatible store, sealed either way (docs/adr/0016).
//!
//! A sample comes in parts into the spool (sealed, on this machine's disk), is compared with its hash and length, sealed as a
//! whole and laid under `<prefix>/<project>/<first two hex>/<sha256>.age`. Nothing plain touches a disk: what is opened is a
//! memory file.

#![forbid(unsafe_code)]

mod config;
mod disk;
mod error;
mod key;
mod memory;
mod place;
mod samples;
mod seal;
mod spool;
mod usage;

pub use config::{MAX_PART, S3Config, SamplesConfig};
pub use error::SampleError;
pub use samples::{Listing, Samples, StoredObject, make_key};
pub use usage::Usage;
