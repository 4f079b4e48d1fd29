// SPDX-License-Identifier: Apache-2.0
//! People: who they are, what they hold, what they did.

mod answers;
pub(crate) mod audit;
mod audit_list;
mod audited;
mod credentials;
mod users;

use crate::error::{Result, StoreError};

/// Grants as they are stored.
fn grants_text(grants: &[(String, String)]) -> Result<String> {
    serde_json::to_string(grants).map_err(|e| StoreError::Other(format!("grants cannot be written ({e})")))
}

fn grants(text: &str) -> Result<Vec<(String, String)>> {
    serde_json::from_str(text)
        .map_err(|e| StoreError::Corrupt(format!("stored grants cannot be read ({e}): set them anew")))
}
