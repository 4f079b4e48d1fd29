// SPDX-License-Identifier: Apache-2.0
//! Isolated files that are older than a limit: told first, and removed only where the configuration
//! says so, each through the journal.

use crate::plan::{Order, Plan, Report};
use crate::responder::Responder;
use lazaret_model::{AlarmId, IsolatedId, IsolatedStatus};
use lazaret_vault::{RawPath, VaultError};
use std::collections::HashSet;

/// Who asks for such a removal, in the journal.
pub const AGE_LIMIT: &str = "policy: age limit";

const DAY_MS: i64 = 24 * 3600 * 1000;

/// When an isolated file is old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgeLimit {
    /// Days since it was isolated, by the wall clock; at least 1.
    pub days: u32,
    /// Whether old ones are destroyed. Else they are only told.
    pub remove: bool,
}

/// An old isolated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aged {
    /// Which.
    pub id: IsolatedId,
    /// Where it was.
    pub path: RawPath,
    /// The alarm it belongs to.
    pub alarm: Option<AlarmId>,
    /// Whole days since it was isolated.
    pub days: i64,
}

/// Looks now and then. A file is removed at the earliest by the look after the one that told of it,
/// so that a clock that is wrong for a while destroys nothing.
#[derive(Debug, Default)]
pub struct AgedLook {
    told: HashSet<IsolatedId>,
}

/// What one look found and did.
#[derive(Debug, Default)]
pub struct AgedNow {
    /// Old ones that the vault still holds.
    pub held: Vec<Aged>,
    /// Those of them that no earlier look told of.
    pub new: Vec<Aged>,
    /// What was removed, or tried, with the report of the deletion.
    pub removed: Vec<(Aged, Report)>,
}

impl AgedLook {
    /// One look; `now_ms` in milliseconds UTC.
    ///
    /// # Errors
    /// When the vault's folder cannot be read.
    pub fn look(
        &mut self,
        responder: &Responder,
        limit: AgeLimit,
        now_ms: i64,
    ) -> Result<AgedNow, VaultError> {
        let mut out = AgedNow::default();
        for aged in responder.aged(limit.days, now_ms)? {
            let told = !self.told.insert(aged.id);
            if told && limit.remove {
                let order = Order::Delete { id: aged.id };
                let report = responder.execute(Plan { alarm: aged.alarm, who: AGE_LIMIT.to_owned(), order });
                if report.status != Some(IsolatedStatus::Deleted) {
                    out.held.push(aged.clone());
                }
                out.removed.push((aged, report));
                continue;
            }
            if !told {
                out.new.push(aged.clone());
            }
            out.held.push(aged);
        }
        Ok(out)
    }
}

impl Responder {
    /// Isolated files of at least that many days, oldest first. Those that were restored, deleted or
    /// cannot be read are not among them, nor those that are only denied where they are.
    ///
    /// # Errors
    /// When the vault's folder cannot be read.
    pub fn aged(&self, days: u32, now_ms: i64) -> Result<Vec<Aged>, VaultError> {
        let mut out = Vec::new();
        for listed in self.vault().list()? {
            let Ok(m) = listed.manifest else { continue };
            let held = match m.status {
                IsolatedStatus::Isolated | IsolatedStatus::RestoreFailed | IsolatedStatus::DeleteFailed => {
                    true
                }
                IsolatedStatus::IsolatedInPlace => m.staged.is_some() || listed.has_content,
                _ => false,
            };
            let old = now_ms.saturating_sub(m.isolated_at_ms) / DAY_MS;
            if held && old >= i64::from(days.max(1)) {
                out.push(Aged { id: m.id, path: m.path, alarm: m.alarm, days: old });
            }
        }
        Ok(out)
    }
}
