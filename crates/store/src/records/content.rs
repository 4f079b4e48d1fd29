// SPDX-License-Identifier: Apache-2.0
//! A project's content: what people added, and the packs that were signed.

/// A YARA file or a list of digests that somebody added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentItemRow {
    /// Identity.
    pub id: String,
    /// Whose.
    pub project: String,
    /// Unique in the project; names it in evidence.
    pub name: String,
    /// `yara`, `hashes`.
    pub kind: String,
    /// As it was sent.
    pub body: Vec<u8>,
    /// Of the body.
    pub sha256: Vec<u8>,
    /// Rules or digests in it.
    pub entries: i64,
    /// May reach the rating high.
    pub promoted: bool,
    /// Who said so; empty.
    pub promoted_by: String,
    /// Who added it.
    pub added_by: String,
    /// When.
    pub added_ms: i64,
}

/// A signed pack, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentPackRow {
    /// Whose.
    pub project: String,
    /// Counts up; hosts take no lower one.
    pub number: i64,
    /// One line.
    pub version: String,
    /// Of the bytes.
    pub sha256: Vec<u8>,
    /// Bytes.
    pub size: i64,
    /// Hosts take it up to then.
    pub expires_ms: i64,
    /// Over all of it.
    pub signature: Vec<u8>,
}
