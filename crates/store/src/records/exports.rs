// SPDX-License-Identifier: Apache-2.0
//! Files that are made for people.

/// An export: how it stands. Its content is asked for in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRow {
    /// Identity.
    pub id: String,
    /// Whose: nobody else is to see it.
    pub user: String,
    /// When it was asked for.
    pub created_ms: i64,
    /// When something was written last.
    pub updated_ms: i64,
    /// `running`, `done`, `failed`.
    pub state: String,
    /// Rows so far.
    pub rows: u64,
    /// Bytes so far.
    pub bytes: u64,
    /// Parts so far; numbered from 0.
    pub parts: u64,
    /// Why it failed, or empty.
    pub reason: String,
}

/// What exports may take, all of them together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportLimits {
    /// Being written at the same time.
    pub running: u64,
    /// Kept at the same time.
    pub kept: u64,
    /// Bytes of all that are kept.
    pub bytes: u64,
    /// One that was not written to since then is not being written any more: its server ended.
    pub stale_ms: i64,
}

/// Bytes of a part, at most.
pub const EXPORT_PART: usize = 1 << 20;
