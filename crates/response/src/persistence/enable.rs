// SPDX-License-Identifier: Apache-2.0
//! Putting a disabled entry back as it was.

use super::disable::outcome;
use super::edit::Edit;
use super::inverse::inverse;
use super::record::DisabledRecord;
use super::{NotChanged, TURN};
use crate::config::Step;
use crate::journal::{Body, Closing, EnableIntent, Intent};
use crate::plan::Report;
use crate::replay::Replayed;
use crate::responder::Responder;
use lazaret_model::{Action, JournalId, Outcome};

impl Responder {
    pub(crate) fn enable(&self, who: &str, disabled: JournalId) -> Report {
        let mut report = Report::new(JournalId::new());
        let _turn = self.turns.take(TURN);
        let record = match self.records.get(disabled) {
            Ok(record) => record,
            Err(why) => {
                report.record(Action::Enable, Outcome::Refused(why), disabled.to_string());
                return report;
            }
        };
        let edits = match inverse(&record.root(), &record) {
            Ok(edits) => edits,
            Err(why) => {
                report.record(Action::Enable, Outcome::Refused(why), record.shown());
                return report;
            }
        };
        let intent = EnableIntent { record, edits, who: who.to_owned() };
        let body = Body::Intent(Intent::Enable(intent.clone()));
        if let Err(e) = self.journal.append(report.journal, body, true) {
            let why = format!("the journal cannot be written: {e}");
            report.record(Action::Enable, Outcome::Refused(why), intent.record.shown());
            return report;
        }
        self.step(Step::EnableIntentWritten);
        self.bring_back(&mut report, &intent, false);
        report
    }

    /// Its changes backwards; the record goes last, since only it knows them.
    fn bring_back(&self, report: &mut Report, intent: &EnableIntent, replayed: bool) {
        let EnableIntent { record, edits, .. } = intent;
        let root = record.root();
        let mut shown = record.shown();
        let done = edits.iter().try_for_each(|edit: &Edit| {
            self.apply(&root, edit, report.journal)?;
            self.step(Step::EditApplied);
            Ok::<(), NotChanged>(())
        });
        let outcome = match &done {
            Ok(()) => match record.after_change(&root, false) {
                Ok(note) => {
                    shown.push_str(note);
                    Outcome::Done
                }
                Err(e) => Outcome::Partial(format!("it is back, but {e}")),
            },
            Err(why) => outcome(why),
        };
        report.record(Action::Enable, outcome, shown);
        let reason = report.records.last().map(|r| r.outcome.reason().to_owned()).unwrap_or_default();
        self.close(report, &reason, None, replayed);
        self.step(Step::EnableOutcomeWritten);
        if done.is_ok() {
            let _ = self.records.remove(record.id);
            self.step(Step::EnableForgotten);
        }
    }

    /// The outcome of a disabling was written, and the crash came before the record of one that
    /// failed went.
    pub(crate) fn after_disable(&self, closing: &Closing, record: &DisabledRecord) {
        if !was_done(closing, Action::Disable) {
            self.forget_undone(record);
        }
    }

    /// The same for an enabling that was done.
    pub(crate) fn after_enable(&self, closing: &Closing, intent: &EnableIntent) {
        if was_done(closing, Action::Enable) {
            let _ = self.records.remove(intent.record.id);
        }
    }

    pub(crate) fn replay_enable(&self, id: JournalId, intent: &EnableIntent) -> Replayed {
        let mut report = Report::new(id);
        self.bring_back(&mut report, intent, true);
        intent.record.replayed(report)
    }
}

fn was_done(closing: &Closing, action: Action) -> bool {
    let last = closing.records.iter().rev().find(|r| r.action == action.word());
    last.is_some_and(|r| matches!(r.outcome, Outcome::Done | Outcome::Partial(_)))
}
