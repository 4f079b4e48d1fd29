// SPDX-License-Identifier: Apache-2.0
//! The list of what was sent: written before it leaves, so that it never lacks anything.

use super::{Cloud, lock};
use crate::core::Core;
use crate::log::log;
use crate::look::now_ms;
use lazaret_model::Sha256;
use lazaret_state::{Sending, SentRetention, SentWhat};
use std::time::{Duration, Instant};

/// After trouble with the disk it is left alone for so long.
const TROUBLE: Duration = Duration::from_secs(10);

impl Cloud {
    /// These hashes leave now, in whatever message. False: it cannot be noted, and they must not.
    pub(super) fn note_hashes<'a>(
        &self,
        core: &Core,
        files: impl Iterator<Item = (&'a [u8], Sha256)>,
    ) -> bool {
        let mut failed = lock(&self.sums.failed);
        if failed.is_some_and(|since| since.elapsed() < TROUBLE) {
            return false;
        }
        let sending: Vec<Sending> = files
            .map(|(path, sha256)| Sending { what: SentWhat::Hash, path: path.to_vec(), sha256, bytes: 0 })
            .collect();
        let server = core.uplink.server();
        let noted = core.database.note_sent(&server, &sending, now_ms(), SentRetention::default());
        if let Err(e) = &noted {
            log!("hashes wait, since that they are sent cannot be noted: {e}");
        }
        *failed = noted.is_err().then(Instant::now);
        noted.is_ok()
    }
}
