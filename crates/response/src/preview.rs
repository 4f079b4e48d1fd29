// SPDX-License-Identifier: Apache-2.0
//! What an isolation would touch, by the code that would do it. Looks only.

use crate::bystanders;
use crate::filesystem;
use crate::links;
use crate::members::{Members, Relation, Rules};
use crate::names;
use crate::open::Inode;
use crate::plan::{Report, Target};
use crate::responder::Responder;
use crate::stage;
use lazaret_model::{Action, AlarmId, JournalId, KilledProcess, Outcome, ProcessFacts};
use lazaret_sys::procfs::{self, Sought};
use lazaret_vault::{Limits, Usage};
use rustix::fs::{StatVfsMountFlags, fstat, fstatvfs};
use std::os::fd::AsFd;
use std::time::Instant;

/// A process that belongs to what would be killed.
#[derive(Debug, Clone, PartialEq)]
pub struct PreviewProcess {
    /// Who it is.
    pub facts: ProcessFacts,
    /// Why it belongs to the set, for people.
    pub why: String,
    /// The guard that would keep it; `None` when it would die.
    pub kept_by: Option<String>,
}

/// What an isolation would touch.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// Names that were found, its own first; empty when it has none that we see.
    pub names: Vec<Vec<u8>>,
    /// Names that it has beside those.
    pub names_missing: u64,
    /// Why its name could not be taken, where that is known beforehand.
    pub stays: Option<String>,
    /// Why the vault would not take it.
    pub no_room: Option<String>,
    /// What the vault holds, and may hold.
    pub vault: (Usage, Limits),
    /// Those that would die first, by pid.
    pub processes: Vec<PreviewProcess>,
    /// Who only reads it: left alone.
    pub readers: Vec<ProcessFacts>,
}

impl Preview {
    /// Processes that would be killed.
    pub fn killed(&self) -> impl Iterator<Item = &PreviewProcess> {
        self.processes.iter().filter(|p| p.kept_by.is_none())
    }
}

impl Responder {
    /// Says what [`crate::Order::IsolateAndKill`] would do with this target now, and does nothing:
    /// the journal, the file, its folder's names and the processes stay as they are. Takes as long
    /// as a look through all processes, and up to the configured time for finding further names.
    #[must_use]
    pub fn preview(&self, target: Target) -> Preview {
        let inode = Inode { dev: target.identity.dev, ino: target.identity.ino };
        let sought = Sought::open(target.file.as_fd(), &target.identity);
        let (processes, readers) =
            self.would_kill(sought, &target.path, (target.processes)(), &target.may_kill);
        let place = names::locate(&target.file, inode, &target.path);
        let nlink = fstat(&target.file).map_or(0, |s| s.st_nlink);
        let mut names: Vec<Vec<u8>> = place.iter().map(stage::Place::path).collect();
        if nlink > names.len() as u64 {
            let until = Instant::now() + self.config.link_search;
            for root in links::search_roots(place.as_ref(), inode, filesystem::kind(&target.file)) {
                for found in links::below(&root, inode, nlink, until) {
                    if !names.contains(&found.path()) {
                        names.push(found.path());
                    }
                }
                if names.len() as u64 >= nlink || Instant::now() >= until {
                    break;
                }
            }
        }
        let stays = match &place {
            Some(p) if fstatvfs(&p.dir).is_ok_and(|s| s.f_flag.contains(StatVfsMountFlags::RDONLY)) => {
                Some("the filesystem is mounted read-only".to_owned())
            }
            None if nlink > 0 => Some("none of its names was found".to_owned()),
            _ => None,
        };
        let uid = fstat(&target.file).map_or(0, |s| s.st_uid);
        let no_room = self.vault.would_refuse(target.sha256, target.identity.size, uid);
        Preview {
            names_missing: nlink.saturating_sub(names.len() as u64),
            names,
            stays,
            no_room: no_room.map(|why| format!("the vault is full: {why}")),
            vault: (self.vault.usage(), self.vault.limits().clone()),
            processes,
            readers,
        }
    }

    /// The target set as the kill would find it in its first pass, and who would be listed as a reader.
    fn would_kill(
        &self,
        sought: Sought,
        label: &[u8],
        named: Vec<lazaret_sys::process::ProcessHandle>,
        may_kill: &crate::plan::MayKill,
    ) -> (Vec<PreviewProcess>, Vec<ProcessFacts>) {
        let rules = Rules { file: sought, label, config: &self.config, may_kill, hold: &|_| {} };
        let mut members = Members::new(rules);
        let mut new: Vec<i32> = named.into_iter().filter_map(|h| members.name(h).ok().flatten()).collect();
        new.extend(members.look_everywhere());
        members.tell_arguments(&new);
        let mut out: Vec<PreviewProcess> = members
            .iter()
            .map(|m| {
                let why = why(m.relation, &m.facts);
                PreviewProcess { facts: m.facts.clone(), why, kept_by: None }
            })
            .collect();
        out.sort_by_key(|p| p.facts.process.pid);
        let mut kept: Vec<PreviewProcess> = members
            .refused()
            .chain(members.innocent())
            .filter_map(|k| {
                let facts = procfs::facts(k.process.pid).ok().filter(|f| f.process == k.process)?;
                let why = "uses the file, or was started by who does".to_owned();
                Some(PreviewProcess { facts, why, kept_by: Some(k.outcome.reason().to_owned()) })
            })
            .collect();
        kept.sort_by_key(|p| p.facts.process.pid);
        out.extend(kept);
        (out, bystanders::readers(&members))
    }

    /// Journals and reports what would have been done, and does nothing.
    pub(crate) fn rehearse(&self, alarm: Option<AlarmId>, who: &str, target: Target) -> Report {
        let mut report = Report::new(JournalId::new());
        let shown = String::from_utf8_lossy(&target.path).into_owned();
        let (sha256, identity) = (target.sha256, target.identity);
        let preview = self.preview(target);
        let would = |what: String| Outcome::Refused(format!("dry run: {what}"));
        report.killed = preview.processes.iter().map(rehearsed).collect();
        let dying: Vec<String> = preview.killed().map(|p| p.facts.process.pid.to_string()).collect();
        report.record(Action::Deny, would("it would have been refused from now on".into()), shown.clone());
        if !preview.processes.is_empty() {
            let kept = preview.processes.len() - dying.len();
            let kept = if kept == 0 { String::new() } else { format!("; {kept} kept by guards") };
            let what = format!("would have killed {} ({}){kept}", dying.len(), dying.join(", "));
            report.record(Action::Kill, would(what), shown.clone());
        }
        let taken = match (&preview.stays, &preview.no_room) {
            (Some(why), _) => format!("would have stayed, denied in place: {why}"),
            (None, Some(why)) => format!("its name would have gone, but its content could not: {why}"),
            (None, None) => format!("would have gone into the vault with {} names", preview.names.len()),
        };
        report.record(Action::Isolate, would(taken), shown);
        let data = serde_json::json!({
            "alarm": alarm.map(|a| a.to_string()),
            "who": who,
            "sha256": sha256.to_string(),
            "dev": identity.dev,
            "ino": identity.ino,
            "names": preview.names.iter().map(|n| lazaret_vault::RawPath(n.clone())).collect::<Vec<_>>(),
            "processes": report.killed.iter().map(lazaret_vault::KilledRecord::from).collect::<Vec<_>>(),
            "would": report.records.iter().map(crate::journal::Done::from).collect::<Vec<_>>(),
        });
        if let Err(e) = self.journal.note("dry_run", data) {
            report.record(Action::Isolate, Outcome::Failed(format!("not journaled: {e}")), "journal");
        }
        report
    }
}

fn rehearsed(p: &PreviewProcess) -> KilledProcess {
    let reason =
        p.kept_by.clone().unwrap_or_else(|| format!("dry run: would have been killed, it {}", p.why));
    KilledProcess {
        process: p.facts.process,
        exe: p.facts.exe.clone(),
        cmdline: p.facts.cmdline.clone(),
        outcome: Outcome::Refused(reason),
        unit: None,
        container: p.facts.container.clone(),
    }
}

fn why(relation: Relation, facts: &ProcessFacts) -> String {
    match relation {
        Relation::Executes => "executes the file".to_owned(),
        Relation::Maps => "has the file mapped executable".to_owned(),
        Relation::Named => "interprets the file".to_owned(),
        Relation::Descendant => format!("was started by it (parent {})", facts.ppid),
        Relation::Respawner => "brings it back".to_owned(),
    }
}
