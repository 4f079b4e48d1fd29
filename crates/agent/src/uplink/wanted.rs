// SPDX-License-Identifier: Apache-2.0
//! The settings in force: defaults < lazaretd.toml < what was switched here < the server's desired state,
//! as far as this host takes that. Pure: the same input gives the same settings.

use crate::cloud::Consent;
use crate::config::Config;
use crate::control::{DRY_RUN, ISOLATE_AND_KILL, TEST_PROGRAMS, checked_entry};
use crate::core::Scope;
use crate::log::printable;
use lazaret_model::{MalwareClass, Thresholds, WhitelistId};
use lazaret_policy::{ClassSet, DisarmedRule, Policy, ProtectMode, Whitelist, WhitelistEntry};
use lazaret_proto::v1;
use lazaret_state::{Database, StateError};
use lazaret_vault::check_recipient;
use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

/// A server's window is this long at most, whatever the host allows itself.
const MAX_FREEZE: u32 = 15;
/// Actions an hour.
const MAX_PER_HOUR: u32 = 100_000;
/// Folders of one kind.
const MAX_FOLDERS: usize = 1_000;
/// Bytes of one path.
const MAX_PATH: usize = 4_096;
/// Rules that a server can disarm, and characters of the name of one.
const MAX_DISARMED: usize = 1_000;
const MAX_RULE: usize = 256;
/// Characters of what people said about it.
const MAX_REMARK: usize = 512;
/// Reasons that are told; a state with more of them is broken as a whole.
const MAX_REASONS: usize = 200;

/// Folders that a server cannot leave out: with them nearly everything would be.
const TOO_WIDE: [&[u8]; 20] = [
    b"/",
    b"/bin",
    b"/sbin",
    b"/lib",
    b"/lib64",
    b"/usr",
    b"/usr/bin",
    b"/usr/sbin",
    b"/usr/lib",
    b"/usr/local",
    b"/etc",
    b"/boot",
    b"/tmp",
    b"/var",
    b"/var/tmp",
    b"/dev",
    b"/dev/shm",
    b"/root",
    b"/home",
    b"/run",
];

/// What is in force.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) policy: Policy,
    pub(crate) dry_run: bool,
    pub(crate) freeze: Option<Duration>,
    pub(crate) max_isolations_per_hour: u32,
    pub(crate) max_kills_per_hour: u32,
    pub(crate) scope: Scope,
    /// The server's entries; the host's own are kept elsewhere.
    pub(crate) whitelist: Vec<WhitelistEntry>,
    /// Rules that the server lets only alarm.
    pub(crate) disarmed: Vec<DisarmedRule>,
    /// Age recipient of the fleet's recovery key. The vault's own keys open everything, whatever it is.
    pub(crate) recovery: Option<String>,
    /// What leaves this host.
    pub(crate) cloud: Consent,
}

fn bytes(paths: &[PathBuf]) -> Vec<Vec<u8>> {
    paths.iter().map(|p| p.as_os_str().as_bytes().to_vec()).collect()
}

impl Wanted {
    /// Without a server.
    pub(crate) fn of_host(config: &Config, database: &Database) -> anyhow::Result<Self> {
        let r = &config.response;
        let mut policy = Policy {
            isolate_and_kill: r.isolate_and_kill,
            thresholds: config.thresholds()?,
            test_programs: r.test_programs,
            condemn_archives: r.condemn_archives,
            ..Policy::default()
        };
        if let Some(classes) = config.classes()? {
            policy.automatic = classes.into_iter().collect();
        }
        let switched =
            |key: &str| -> Result<Option<bool>, StateError> { Ok(database.setting(key)?.map(|v| v == "on")) };
        if let Some(on) = switched(ISOLATE_AND_KILL)? {
            policy.isolate_and_kill = on;
        }
        if let Some(on) = switched(TEST_PROGRAMS)? {
            policy.test_programs = on;
        }
        Ok(Self {
            policy,
            dry_run: switched(DRY_RUN)?.unwrap_or(r.dry_run),
            freeze: r.freeze(),
            max_isolations_per_hour: r.max_isolations_per_hour,
            max_kills_per_hour: r.max_kills_per_hour,
            scope: Scope {
                excluded: bytes(&config.protect.exclude),
                web_roots: bytes(&config.protect.web_roots),
            },
            whitelist: Vec::new(),
            disarmed: Vec::new(),
            recovery: None,
            cloud: Consent::none(&config.cloud, config.deadline()),
        })
    }
}

/// What became of a desired state.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Overlaid {
    pub(crate) wanted: Wanted,
    /// Not in force, each with the reason.
    pub(crate) refused: Vec<String>,
    /// Keys that the server sets now.
    pub(crate) governs: Vec<&'static str>,
}

/// Puts a desired state over the host's own settings. `own` are ids of the host's whitelist.
pub(crate) fn overlay(
    host: Wanted,
    state: &v1::DesiredState,
    pins: &[String],
    own: &HashSet<WhitelistId>,
) -> Overlaid {
    let mut overlay =
        Overlay { pins, out: Overlaid { wanted: host, refused: Vec::new(), governs: Vec::new() } };
    if let Some(policy) = &state.policy {
        overlay.policy(policy);
    }
    overlay.whitelist(&state.whitelist, own);
    overlay.disarm(&state.disarmed);
    overlay.recovery(&state.recovery_recipient);
    let out = &mut overlay.out;
    if out.refused.len() > MAX_REASONS {
        let more = out.refused.len() - MAX_REASONS;
        out.refused.truncate(MAX_REASONS);
        out.refused.push(format!("and {more} more"));
    }
    overlay.out
}

struct Overlay<'a> {
    pins: &'a [String],
    out: Overlaid,
}

impl Overlay<'_> {
    fn refuse(&mut self, what: &str, why: impl std::fmt::Display) {
        self.out.refused.push(format!("{what}: {why}"));
    }

    /// Whether the server's value of a key counts here.
    fn takes(&mut self, key: &'static str) -> bool {
        if self.pins.iter().any(|p| p == key) {
            self.refuse(key, "pinned on this host ([local] pin in lazaretd.toml)");
            return false;
        }
        true
    }

    fn governs(&mut self, key: &'static str) {
        self.out.governs.push(key);
    }

    fn policy(&mut self, p: &v1::HostPolicy) {
        if let Some(on) = p.isolate_and_kill
            && self.takes("response.isolate_and_kill")
        {
            self.out.wanted.policy.isolate_and_kill = on;
            self.governs("response.isolate_and_kill");
        }
        if let Some(on) = p.dry_run
            && self.takes("response.dry_run")
        {
            self.out.wanted.dry_run = on;
            self.governs("response.dry_run");
        }
        if let Some(on) = p.test_programs
            && self.takes("response.test_programs")
        {
            self.out.wanted.policy.test_programs = on;
            self.governs("response.test_programs");
        }
        if let Some(on) = p.condemn_archives
            && self.takes("response.condemn_archives")
        {
            self.out.wanted.policy.condemn_archives = on;
            self.governs("response.condemn_archives");
        }
        if let Some(word) = &p.protect_mode
            && self.takes("response.protect_mode")
        {
            match word.parse::<ProtectMode>() {
                Ok(mode) => {
                    self.out.wanted.policy.protect_mode = mode;
                    self.governs("response.protect_mode");
                }
                Err(e) => self.refuse("response.protect_mode", e),
            }
        }
        if p.classes_set && self.takes("response.classes") {
            self.classes(&p.automatic_classes);
        }
        self.thresholds(p);
        if let Some(seconds) = p.freeze_seconds
            && self.takes("response.freeze_seconds")
        {
            if seconds > MAX_FREEZE {
                self.refuse(
                    "response.freeze_seconds",
                    format!("{seconds}: a server can ask for 0 to {MAX_FREEZE}"),
                );
            } else {
                self.out.wanted.freeze = (seconds > 0).then(|| Duration::from_secs(seconds.into()));
                self.governs("response.freeze_seconds");
            }
        }
        if let Some(n) = self.limit("response.max_isolations_per_hour", p.max_isolations_per_hour) {
            self.out.wanted.max_isolations_per_hour = n;
        }
        if let Some(n) = self.limit("response.max_kills_per_hour", p.max_kills_per_hour) {
            self.out.wanted.max_kills_per_hour = n;
        }
        if let Some(folders) = self.folders("protect.web_roots", &p.web_roots, &[b"/"]) {
            self.out.wanted.scope.web_roots = folders;
        }
        if let Some(folders) = self.folders("protect.exclude", &p.exclude, &TOO_WIDE) {
            self.out.wanted.scope.excluded = folders;
        }
        let (cloud, refused) = self.out.wanted.cloud.clone().with(p);
        self.out.wanted.cloud = cloud;
        self.out.refused.extend(refused);
    }

    fn classes(&mut self, words: &[String]) {
        let mut set = ClassSet::EMPTY;
        for word in words {
            match word.parse::<MalwareClass>() {
                Ok(class) => set.insert(class),
                Err(e) => self.refuse("response.classes", e),
            }
        }
        self.out.wanted.policy.automatic = set;
        self.governs("response.classes");
    }

    fn thresholds(&mut self, p: &v1::HostPolicy) {
        let (high, medium) = (p.high_threshold, p.medium_threshold);
        let high = high.filter(|_| self.takes("response.high"));
        let medium = medium.filter(|_| self.takes("response.medium"));
        // One that is out of bounds does not take the other with it.
        for (key, high, medium) in [("response.high", high, None), ("response.medium", None, medium)] {
            let Some(given) = high.or(medium) else { continue };
            let now = self.out.wanted.policy.thresholds;
            let byte = u8::try_from(given).map_err(|_| format!("{given} is no confidence"));
            let made = byte.and_then(|b| {
                let (high, medium) = if high.is_some() { (b, now.medium()) } else { (now.high(), b) };
                Thresholds::new(high, medium).map_err(|e| e.to_string())
            });
            match made {
                Ok(thresholds) => {
                    self.out.wanted.policy.thresholds = thresholds;
                    self.governs(key);
                }
                Err(e) => self.refuse(key, e),
            }
        }
    }

    /// 0, which is no limit, is for the host itself to say.
    fn limit(&mut self, key: &'static str, given: Option<u32>) -> Option<u32> {
        let n = given?;
        if !self.takes(key) {
            return None;
        }
        if n == 0 || n > MAX_PER_HOUR {
            self.refuse(key, format!("{n}: a server can set 1 to {MAX_PER_HOUR}"));
            return None;
        }
        self.governs(key);
        Some(n)
    }

    fn folders(&mut self, key: &'static str, given: &[Vec<u8>], too_wide: &[&[u8]]) -> Option<Vec<Vec<u8>>> {
        if given.is_empty() || !self.takes(key) {
            return None;
        }
        let mut out: Vec<Vec<u8>> = Vec::new();
        for path in given {
            match folder(path, too_wide) {
                _ if out.len() >= MAX_FOLDERS => {
                    self.refuse(key, format!("more than {MAX_FOLDERS} folders; the others are left out"));
                    break;
                }
                Ok(path) => out.push(path),
                Err(why) => self.refuse(key, format!("{}: {why}", printable(path))),
            }
        }
        self.governs(key);
        Some(out)
    }

    fn whitelist(&mut self, given: &[v1::WhitelistEntry], own: &HashSet<WhitelistId>) {
        if given.is_empty() || !self.takes("whitelist") {
            return;
        }
        let room = Whitelist::LIMIT.saturating_sub(own.len());
        let mut seen = HashSet::new();
        for entry in given {
            let named = format!("whitelist entry {}", printable(entry.id.as_bytes()));
            let checked = match entry.id.parse::<WhitelistId>() {
                Err(_) => Err("its id is no UUID".to_owned()),
                Ok(id) if own.contains(&id) => Err("this host has an entry of its own with that id".into()),
                Ok(id) if !seen.insert(id) => Err("it stands there twice".into()),
                Ok(_) if seen.len() > room => Err(format!("a host holds {} entries", Whitelist::LIMIT)),
                Ok(id) => checked_entry(id, entry.clone()),
            };
            match checked {
                Ok(entry) => self.out.wanted.whitelist.push(entry),
                Err(why) => self.refuse(&named, why),
            }
        }
    }

    /// It lets its holder read what is isolated here, so a host can pin it.
    fn recovery(&mut self, recipient: &str) {
        if recipient.is_empty() || !self.takes("vault.recovery") {
            return;
        }
        match check_recipient(recipient) {
            Ok(recipient) => {
                self.out.wanted.recovery = Some(recipient);
                self.governs("vault.recovery");
            }
            Err(e) => self.refuse("vault.recovery", e),
        }
    }

    /// Not to be pinned: a host only acts less by it.
    fn disarm(&mut self, given: &[v1::DisarmOrder]) {
        for (i, d) in given.iter().enumerate() {
            let sound = !d.rule.is_empty()
                && d.rule.chars().count() <= MAX_RULE
                && !d.rule.chars().any(char::is_control);
            if i >= MAX_DISARMED {
                self.refuse("disarmed", format!("more than {MAX_DISARMED} rules; the others stay armed"));
                return;
            }
            if !sound {
                let named: String = d.rule.chars().take(64).collect();
                self.refuse("disarmed", format!("{}: no rule is called that", printable(named.as_bytes())));
                continue;
            }
            let short = |text: &str| -> String {
                text.chars().take(MAX_REMARK).map(|c| if c.is_control() { ' ' } else { c }).collect()
            };
            self.out.wanted.disarmed.push(DisarmedRule {
                rule: d.rule.clone(),
                reason: short(&d.reason),
                who: short(&d.who),
                at_ms: d.at_ms,
            });
        }
    }
}

/// Absolute, without steps back, and not nearly everything.
pub(crate) fn folder(path: &[u8], too_wide: &[&[u8]]) -> Result<Vec<u8>, String> {
    if !path.starts_with(b"/") {
        return Err("it is not absolute".into());
    }
    if path.len() > MAX_PATH || path.contains(&0) {
        return Err("no path looks like that".into());
    }
    if path.split(|b| *b == b'/').any(|part| matches!(part, b"." | b"..")) {
        return Err("it has . or .. in it".into());
    }
    // As it is compared later: one slash between parts, none at the end.
    let parts: Vec<&[u8]> = path.split(|b| *b == b'/').filter(|p| !p.is_empty()).collect();
    let plain = [b"/".as_slice(), &parts.join(&b'/')].concat();
    if too_wide.contains(&plain.as_slice()) {
        return Err("too wide for a server to say; on the host it can stand in lazaretd.toml".into());
    }
    Ok(plain)
}

#[cfg(test)]
mod tests;
