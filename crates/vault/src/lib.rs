// SPDX-License-Identifier: Apache-2.0
//! Isolated objects: a sealed blob and a manifest each (docs/vault-format.md).
//!
//! A blob is a standard age v1 file whose plaintext is exactly the isolated file's bytes, for two
//! kinds of recipients: this host's key and the recovery key, whose secret half is printed once and
//! never kept. The manifest says everything else. Equal contents are stored once: their blobs are
//! names of one file, so that the filesystem itself counts who still needs it. Nothing here decides anything: `response` does.

#![forbid(unsafe_code)]

mod books;
mod check;
mod contents;
mod durable;
pub mod encoding;
mod error;
mod extents;
mod keys;
mod limits;
mod manifest;
mod object;
mod reader;
mod seal;
mod surroundings;
mod vault;

pub use check::{Checked, Finding};
pub use encoding::{RawBytes, RawPath};
pub use error::VaultError;
pub use extents::{Extent, data_extents};
pub use keys::{RecoveryKey, check_recipient};
pub use limits::{Limits, Owned, Quota, Usage};
pub use manifest::{BLOB_FORMAT, Blob, KilledRecord, MANIFEST_SCHEMA, Manifest, Stamp, Xattr};
pub use reader::{Listed, Reader};
pub use seal::Sealed;
pub use surroundings::{Folder, LayerFile, Surroundings};
pub use vault::Vault;
