// SPDX-License-Identifier: Apache-2.0
//! What brings a killed program back: looked for after the response, in a thread of its own, and
//! kept on the alarm; disabled where policy or a person says so.

mod change;
mod returns;
mod search;

pub(crate) use change::{disable, enable, reconcile};
pub(crate) use search::preview;

use crate::core::Core;
use crate::log::log;
use crossbeam_channel::{Receiver, Sender, bounded};
use lazaret_model::{AlarmId, ProcessFacts};
use std::sync::Arc;
use std::time::Duration;

/// Searches that wait; a search takes less than a second.
const WAITING: usize = 256;

/// What is looked for.
pub(crate) struct Inquiry {
    /// The alarm that isolated the file.
    pub(crate) alarm: AlarmId,
    /// Who acted on the file, and their ancestors.
    pub(crate) chain: Vec<ProcessFacts>,
    /// Policy ordered the isolation, so it may order the disabling as well.
    pub(crate) automatic: bool,
}

/// Jobs on their way to the thread.
pub(crate) struct Desk {
    sender: Sender<Inquiry>,
    jobs: Receiver<Inquiry>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let (sender, jobs) = bounded(WAITING);
        Self { sender, jobs }
    }

    /// Never waits: a flood of isolations must not be held up by searches.
    pub(crate) fn ask(&self, job: Inquiry) {
        let alarm = job.alarm;
        if let Err(e) = self.sender.try_send(job) {
            log!("what brings the file of alarm {alarm} back is not looked for: {e}");
        }
    }
}

/// Searches until the daemon stops.
pub(crate) fn run(core: &Arc<Core>) {
    while !core.is_stopping() {
        if let Ok(job) = core.persistence.jobs.recv_timeout(Duration::from_millis(200)) {
            let returned = returns::note(core, &job);
            search::search(core, &job, returned);
        }
    }
}
