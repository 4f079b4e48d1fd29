// SPDX-License-Identifier: Apache-2.0
//! Isolated objects: a sealed blob and a manifest each (docs/vault-format.md).
//!
//! A blob is a standard age v1 file whose plaintext is exactly the isolated file's bytes, for two
//! kinds of recipients: this host's key and the recovery key, whose secret half is printed once and
//! never kept. The manifest says everything else. Nothing here decides anything: `response` does.

#![forbid(unsafe_code)]

mod durable;
pub mod encoding;
mod error;
mod extents;
mod keys;
mod manifest;
mod object;
mod seal;
mod vault;

pub use encoding::{RawBytes, RawPath};
pub use error::VaultError;
pub use extents::{Extent, data_extents};
pub use keys::RecoveryKey;
pub use manifest::{KilledRecord, MANIFEST_SCHEMA, Manifest, Stamp, Xattr};
pub use seal::Sealed;
pub use vault::{Limits, Listed, Usage, Vault};
