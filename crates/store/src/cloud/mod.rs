// SPDX-License-Identifier: Apache-2.0
//! Malware Cloud Scan (docs/adr/0016): what projects consented to, what their hosts have, what is known of
//! each file and decided about it, samples and their deep scans. Rows are locked in this order: host,
//! sample, deep scan, feed, verdict, files by hash.

mod consent;
mod deep_scans;
mod due;
mod files;
mod forget;
mod inventory;
mod keys;
mod known;
mod leases;
mod look_up;
mod retain;
mod samples;
mod scan_end;
mod standing;
mod uploads;
mod verdict_feed;
mod verdicts;

pub(crate) use consent::put as put_consent;
pub(crate) use forget::{change_project, forget_host};
pub(crate) use verdicts::{put as put_verdict, release as release_verdict, withdraw as withdraw_verdict};

use crate::error::{Result, StoreError};

/// Bytes of a SHA-256.
const SHA256: usize = 32;

fn check_hash(sha256: &[u8]) -> Result<()> {
    if sha256.len() == SHA256 {
        return Ok(());
    }
    Err(StoreError::BadRequest(format!("a SHA-256 has {SHA256} bytes, not {}", sha256.len())))
}

fn missing(what: &str, sha256: &[u8]) -> StoreError {
    StoreError::NotFound(format!(
        "the project knows no {what} of {}: list what there is and take a hash from there",
        crate::db::page::hex(sha256)
    ))
}
