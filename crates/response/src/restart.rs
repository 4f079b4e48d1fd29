// SPDX-License-Identifier: Apache-2.0
//! Starting the services again that were ended with a file, once the file is back.

use crate::journal::{Body, Intent};
use crate::plan::Report;
use crate::replay::Replayed;
use crate::responder::Responder;
use crate::restore::object_key;
use lazaret_model::{Action, AlarmId, IsolatedId, IsolatedStatus, JournalId, Outcome};
use lazaret_vault::Manifest;

impl Responder {
    /// One record per service and container that was ended with it.
    pub(crate) fn restart(&self, _alarm: Option<AlarmId>, who: &str, id: IsolatedId) -> Report {
        // Not `isolated`: where the object stands is not this verb's to say.
        let mut report = Report::new(JournalId::new());
        let _turn = self.turns.take(object_key(id));
        let manifest = match self.vault.manifest(id) {
            Ok(m) => m,
            Err(e) => {
                report.record(Action::Restart, Outcome::Failed(e.to_string()), id.to_string());
                return report;
            }
        };
        if manifest.status != IsolatedStatus::Restored {
            let why = format!("its program is {}, not restored", manifest.status.word());
            report.record(Action::Restart, Outcome::Refused(why), id.to_string());
            return report;
        }
        let (units, containers) = ended(&manifest);
        if units.is_empty() && containers.is_empty() {
            let why = "no service and no container was ended with it; start its program by hand";
            report.record(Action::Restart, Outcome::Refused(why.to_owned()), id.to_string());
            return report;
        }
        for container in containers {
            let why = "a container is started by its own runtime; start it there";
            report.record(
                Action::Restart,
                Outcome::Refused(why.to_owned()),
                format!("container {container}"),
            );
        }
        if units.is_empty() {
            return report;
        }
        let intent = Intent::Restart { id, units: units.clone(), who: who.to_owned() };
        if let Err(e) = self.journal.append(report.journal, Body::Intent(intent), true) {
            let why = format!("the journal cannot be written: {e}");
            report.record(Action::Restart, Outcome::Refused(why), units.join(", "));
            return report;
        }
        for unit in units {
            let outcome = self.config.service_manager.start(&unit);
            report.record(Action::Restart, outcome, unit);
        }
        self.close(&mut report, "", None, false);
        report
    }

    /// Interrupted: the service manager has its order or has not. It is not given twice.
    pub(crate) fn replay_restart(&self, journal: JournalId, id: IsolatedId, units: &[String]) -> Replayed {
        let mut report = Report::new(journal);
        for unit in units {
            let why = format!("interrupted; see systemctl status {unit}");
            report.record(Action::Restart, Outcome::Partial(why), unit.clone());
        }
        self.close(&mut report, "interrupted", None, true);
        let alarm = self.vault.manifest(id).ok().and_then(|m| m.alarm);
        Replayed { alarm, path: Vec::new(), sha256: None, report, rescan: false, open: false }
    }
}

/// Services, and containers, of which a process was ended; each once.
fn ended(manifest: &Manifest) -> (Vec<String>, Vec<String>) {
    let (mut units, mut containers) = (Vec::new(), Vec::new());
    for k in manifest.killed.iter().filter(|k| !matches!(k.outcome, Outcome::Refused(_))) {
        match (&k.unit, &k.container) {
            // A container that is a unit of its own is started by its runtime.
            (_, Some(id)) if !containers.contains(id) => containers.push(id.clone()),
            (Some(unit), None) if !units.contains(unit) => units.push(unit.clone()),
            _ => {}
        }
    }
    (units, containers)
}
