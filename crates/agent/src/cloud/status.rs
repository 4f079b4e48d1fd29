// SPDX-License-Identifier: Apache-2.0
//! How it stands with cloud scan on this host, for people and metrics.

use super::{Cloud, lock};
use crate::core::Core;
use lazaret_proto::v1;
use lazaret_state::SentTotals;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Sums over what was sent are good for so long: they cost a look at every row.
const FRESH: Duration = Duration::from_secs(10);

/// The sums of a moment ago, and since when nothing can be noted.
#[derive(Default)]
pub(super) struct Sums {
    kept: Mutex<Option<(Instant, SentTotals)>>,
    pub(super) failed: Mutex<Option<Instant>>,
}

impl Sums {
    fn get(&self, core: &Core) -> SentTotals {
        let mut kept = lock(&self.kept);
        if let Some((at, totals)) = *kept
            && at.elapsed() < FRESH
        {
            return totals;
        }
        let totals = core.database.sent_totals().unwrap_or_default();
        *kept = Some((Instant::now(), totals));
        totals
    }
}

impl Cloud {
    /// `None` where this host belongs to no server.
    pub(crate) fn status(&self, core: &Core) -> Option<v1::CloudStatus> {
        core.uplink.status(core)?;
        let sums = self.sums.get(core);
        Some(v1::CloudStatus {
            programs: core.database.count_programs().unwrap_or(0),
            programs_unsent: self.parts.unsent(core),
            open_questions: self.questions.open(),
            verdicts: self.verdicts.count(),
            samples_waiting: core.database.samples_waiting().unwrap_or(0),
            sample: self.samples.view(),
            sent_hashes: sums.hashes,
            sent_samples: sums.samples,
            sent_bytes: sums.bytes,
            ..self.consent().status()
        })
    }
}
