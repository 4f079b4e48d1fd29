// SPDX-License-Identifier: Apache-2.0
//! Why a responder cannot be opened.

use crate::journal::JournalError;
use lazaret_vault::VaultError;

/// Why a responder cannot be opened. Without one nothing is isolated or killed.
#[derive(Debug, thiserror::Error)]
pub enum ResponseError {
    /// The journal cannot be used.
    #[error("the journal cannot be used: {0}")]
    Journal(#[from] JournalError),
    /// The vault cannot be used.
    #[error("the vault cannot be used: {0}")]
    Vault(#[from] VaultError),
}
