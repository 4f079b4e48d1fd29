// SPDX-License-Identifier: Apache-2.0
//! The list of what was sent: written before it leaves, so that it never lacks anything.

use super::Cloud;
use crate::core::Core;
use crate::log::log;
use crate::look::now_ms;
use lazaret_model::Sha256;
use lazaret_state::{Sending, SentRetention, SentWhat};

impl Cloud {
    /// These hashes leave now, in whatever message. False: it cannot be noted, and they must not.
    pub(super) fn note_hashes<'a>(
        &self,
        core: &Core,
        files: impl Iterator<Item = (&'a [u8], Sha256)>,
    ) -> bool {
        let sending: Vec<Sending> = files
            .map(|(path, sha256)| Sending { what: SentWhat::Hash, path: path.to_vec(), sha256, bytes: 0 })
            .collect();
        let server = core.uplink.server();
        let noted = core.database.note_sent(&server, &sending, now_ms(), SentRetention::default());
        if let Err(e) = &noted {
            log!("hashes wait, since that they are sent cannot be noted: {e}");
        }
        noted.is_ok()
    }
}
