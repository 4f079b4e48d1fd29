// SPDX-License-Identifier: Apache-2.0
//! What people did while the daemon did not run: a file that they restored offline (`lazaret vault
//! restore`) is let be, as one that was restored through the daemon.

use crate::alarms::{decode, row_of};
use crate::log::log;
use crate::look::now_ms;
use lazaret_model::{ActionRecord, HandleStatus, IsolatedStatus, JournalId};
use lazaret_response::journal::{Body, Closing, Intent, RestoreIntent};
use lazaret_response::{OFFLINE, Responder};
use lazaret_state::{Database, ExceptionRow, StateError};
use std::collections::HashMap;

/// Setting: the last journal entry that was looked at.
const LOOKED: &str = "journal_looked_through";

/// Before anything is judged: else what came back would be isolated again at once.
pub(crate) fn take_up(responder: &Responder, database: &Database) -> Result<(), StateError> {
    let (_, newest) = responder.journal().position();
    let looked = database.setting(LOOKED)?.and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
    // A journal that begins anew has nothing of what was looked at.
    let mut after = if looked > newest { 0 } else { looked };
    let mut open: HashMap<JournalId, RestoreIntent> = HashMap::new();
    while let Ok(entries) = responder.journal().entries(after, 500) {
        let Some(last) = entries.last() else { break };
        after = last.seq;
        for entry in entries {
            match entry.body {
                Body::Intent(Intent::Restore(r)) if r.who.starts_with(OFFLINE) => {
                    open.insert(entry.id, r);
                }
                Body::Outcome(closing) => {
                    if let Some(intent) = open.remove(&entry.id)
                        && closing.status() == Some(IsolatedStatus::Restored)
                    {
                        restored(responder, database, &intent, &closing)?;
                    }
                }
                _ => {}
            }
        }
    }
    database.set_setting(LOOKED, &newest.to_string())
}

fn restored(
    responder: &Responder,
    database: &Database,
    intent: &RestoreIntent,
    closing: &Closing,
) -> Result<(), StateError> {
    let manifest = match responder.vault().manifest(intent.id) {
        Ok(m) => m,
        Err(e) => {
            log!("{} was restored offline, and its content is not let be: {e}", intent.id);
            return Ok(());
        }
    };
    let why = format!("restore of {} by {}", intent.id, intent.who);
    log!("{why}: its content is let be on this host");
    database.add_exception(&ExceptionRow { sha256: manifest.sha256, at_ms: now_ms(), why })?;
    let Some(row) = manifest.alarm.and_then(|id| database.alarm(id).ok().flatten()) else { return Ok(()) };
    let Ok(mut alarm) = decode(&row) else { return Ok(()) };
    alarm.forensics.timeline.extend(closing.records.iter().filter_map(Option::<ActionRecord>::from));
    alarm.status = HandleStatus::Unhandled;
    database.update_alarm(&row_of(&alarm))
}
