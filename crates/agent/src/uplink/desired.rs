// SPDX-License-Identifier: Apache-2.0
//! The desired state: kept on disk, applied when it comes and at every start, before any sensor.

use super::identity::{folder, replace};
use super::wanted::{Overlaid, Wanted, overlay};
use crate::config::Config;
use crate::core::Core;
use crate::live::Live;
use crate::log::log;
use anyhow::Result;
use lazaret_model::WhitelistId;
use lazaret_proto::{Message, v1};
use lazaret_response::Answer as Ending;
use lazaret_state::Database;
use lazaret_vault::Vault;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Default)]
struct Kept {
    state: Option<v1::DesiredState>,
    refused: Vec<String>,
    governs: Vec<&'static str>,
}

/// What the server wants, and what of it this host took.
#[derive(Default)]
pub(crate) struct Desired {
    kept: Mutex<Kept>,
}

fn file(state: &Path) -> PathBuf {
    folder(state).join("desired.bin")
}

impl Desired {
    /// Reads what was kept. What is damaged is not obeyed: the server sends it again.
    pub(crate) fn load(state_folder: &Path) -> Self {
        let state = match fs::read(file(state_folder)) {
            Ok(bytes) => v1::DesiredState::decode(bytes.as_slice())
                .inspect_err(|e| log!("the desired state that was kept is damaged, and left out: {e}"))
                .ok(),
            Err(_) => None,
        };
        Self { kept: Mutex::new(Kept { state, ..Kept::default() }) }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// 0 without one.
    pub(crate) fn generation(&self) -> u64 {
        self.lock().state.as_ref().map_or(0, |s| s.generation)
    }

    pub(crate) fn refused(&self) -> Vec<String> {
        self.lock().refused.clone()
    }

    /// The policy group that it came from.
    pub(crate) fn group(&self) -> String {
        let kept = self.lock();
        kept.state.as_ref().and_then(|s| s.policy.as_ref()).map(|p| p.group.clone()).unwrap_or_default()
    }

    /// In words, for who wants to change on the host what it sets.
    pub(crate) fn origin(&self) -> String {
        match self.group() {
            group if group.is_empty() => format!("desired state {}", self.generation()),
            group => format!("policy group {group}, desired state {}", self.generation()),
        }
    }

    /// The key by which a switch can be pinned, when the server sets it now.
    pub(crate) fn governs(&self, switch: &str) -> Option<&'static str> {
        self.lock().governs.iter().copied().find(|key| key.strip_prefix("response.") == Some(switch))
    }

    /// The server's entries in force, as a list of the host shows them.
    pub(crate) fn whitelist(&self, core: &Core) -> Vec<v1::WhitelistEntry> {
        let kept = self.lock();
        let live = core.live();
        let entries = kept.state.iter().flat_map(|s| &s.whitelist);
        entries
            .filter(|e| e.id.parse::<WhitelistId>().is_ok_and(|id| live.is_of_server(id)))
            .map(|e| v1::WhitelistEntry { source: "server".into(), ..e.clone() })
            .collect()
    }

    /// What is to be in force now.
    fn settle(&self, config: &Config, database: &Database) -> Result<Wanted> {
        let host = Wanted::of_host(config, database)?;
        let own: HashSet<WhitelistId> = database.whitelist()?.into_iter().map(|row| row.id).collect();
        let mut kept = self.lock();
        let Overlaid { wanted, refused, governs } = match &kept.state {
            Some(state) => overlay(host, state, &config.local.pin, &own),
            None => Overlaid { wanted: host, refused: Vec::new(), governs: Vec::new() },
        };
        (kept.refused, kept.governs) = (refused, governs);
        Ok(wanted)
    }

    /// At the start, before anything is judged.
    pub(crate) fn begin(&self, config: &Config, database: &Database, live: &mut Live) -> Result<Wanted> {
        let wanted = self.settle(config, database)?;
        for (id, e) in live.put(&wanted) {
            self.lock().refused.push(format!("whitelist entry {id}: {e}"));
        }
        Ok(wanted)
    }

    /// Keeps a state and puts it in force.
    pub(crate) fn take(&self, core: &Core, state: v1::DesiredState) -> Result<v1::StateApplied> {
        let generation = state.generation;
        replace(&file(&core.config.paths.state), &state.encode_to_vec())?;
        let same = self.lock().state.replace(state.clone()).as_ref() == Some(&state);
        self.apply(core, same)?;
        Ok(v1::StateApplied { generation, refused: self.refused() })
    }

    /// This host belongs to no server any more, or to another one.
    pub(crate) fn forget(&self, core: &Core) -> Result<()> {
        let _ = fs::remove_file(file(&core.config.paths.state));
        if self.lock().state.take().is_none() {
            return Ok(());
        }
        self.apply(core, false)
    }

    /// Isolated files are sealed for the fleet's recovery key too, or no more.
    pub(crate) fn seal_for(&self, vault: &Vault, recipient: Option<&str>) {
        if let Err(e) = vault.seal_for(recipient) {
            self.lock().refused.push(format!("vault.recovery: {e}"));
        }
    }

    fn apply(&self, core: &Core, quietly: bool) -> Result<()> {
        let wanted = self.settle(&core.config, &core.database)?;
        let (was_armed, refused) = {
            let mut live = core.live();
            let was = live.policy.isolate_and_kill && !live.dry_run;
            (was, live.put(&wanted))
        };
        for (id, e) in refused {
            self.lock().refused.push(format!("whitelist entry {id}: {e}"));
        }
        self.seal_for(core.responder.vault(), wanted.recovery.as_deref());
        core.gate.rehearses.store(wanted.dry_run, Ordering::Relaxed);
        let armed = wanted.policy.isolate_and_kill && !wanted.dry_run;
        if was_armed && !armed {
            // What is frozen would be killed in a moment.
            core.windows.answer_all(&Ending::Thaw("the server (switch)".to_owned()));
        }
        let disarmed: HashSet<&str> = wanted.disarmed.iter().map(|d| d.rule.as_str()).collect();
        core.windows.answer_of_rules(
            |rule| disarmed.contains(rule),
            &Ending::Thaw("the server (the rule is disarmed)".to_owned()),
        );
        let (entries, rules) = (wanted.whitelist.len(), disarmed.len());
        let leaves = wanted.cloud.in_words();
        core.cloud.set_consent(wanted.cloud);
        core.set_scope(wanted.scope);
        core.judge_again();
        if !quietly {
            let sealed =
                wanted.recovery.map_or("", |_| "isolated files are sealed for the fleet's key too, ");
            let word = |on| if on { "on" } else { "off" };
            let text = format!(
                "{} is in force: isolate and kill is {}, dry run is {}, {entries} whitelist entries, {rules} rules disarmed, {sealed}{leaves}{} refused",
                self.origin(),
                word(wanted.policy.isolate_and_kill),
                word(wanted.dry_run),
                self.lock().refused.len()
            );
            log!("{text}");
            core.events.tell("switch", text, None);
        }
        Ok(())
    }
}
