// SPDX-License-Identifier: Apache-2.0
//! `lazaretd.toml`. Unknown keys are refused with their line: a misspelt key that silently does
//! nothing is a host that is not protected as its administrator believes.

mod cloud;
mod metrics;
mod server;
mod vault;

pub(crate) use cloud::Cloud;
use lazaret_model::{MalwareClass, Thresholds};
pub(crate) use metrics::{Metrics, Place};
use serde::Deserialize;
pub(crate) use server::{Local, Server};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
pub(crate) use vault::Vault;

/// The whole file; every key has a default.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) paths: Paths,
    pub(crate) protect: Protect,
    pub(crate) response: Response,
    pub(crate) budget: Budget,
    pub(crate) vault: Vault,
    pub(crate) server: Server,
    pub(crate) local: Local,
    pub(crate) metrics: Metrics,
    pub(crate) cloud: Cloud,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Paths {
    /// Journal, vault, database.
    pub(crate) state: PathBuf,
    /// Control socket.
    pub(crate) run: PathBuf,
    /// Below here it is looked for what brings a program back.
    pub(crate) root: PathBuf,
    /// Content pack; default: beside the program, then /usr/share/lazaret.
    pub(crate) content: Option<PathBuf>,
    /// Folders or files with further YARA rules.
    pub(crate) rules: Vec<PathBuf>,
    /// `lazaret-scanner`; default: beside the program, then /usr/lib/lazaret.
    pub(crate) scanner: Option<PathBuf>,
    /// Root folder of the system whose package databases are asked.
    pub(crate) packages: PathBuf,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            state: "/var/lib/lazaret".into(),
            run: "/run/lazaret".into(),
            root: "/".into(),
            content: None,
            rules: Vec::new(),
            scanner: None,
            packages: "/".into(),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Protect {
    /// Mount points; empty: all local filesystems, also those that are mounted later.
    pub(crate) mounts: Vec<PathBuf>,
    /// Folders where every file counts as a program, whatever it looks like.
    pub(crate) web_roots: Vec<PathBuf>,
    /// Files under these folders are never judged.
    pub(crate) exclude: Vec<PathBuf>,
    /// Scan what runs from filesystems that our mount table does not show, and mark them.
    pub(crate) unlisted_filesystems: bool,
}

impl Default for Protect {
    fn default() -> Self {
        Self { mounts: Vec::new(), web_roots: Vec::new(), exclude: Vec::new(), unlisted_filesystems: true }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Response {
    /// Isolate and kill at once what is rated high; a later `switch` command overrides it.
    pub(crate) isolate_and_kill: bool,
    /// Classes that are isolated and killed automatically; default: the class table's.
    pub(crate) classes: Option<Vec<String>>,
    /// Confidence from which a verdict is high, 80 to 100.
    pub(crate) high: u8,
    /// Confidence from which a verdict is medium, 30 to 79.
    pub(crate) medium: u8,
    /// A bad member condemns its archive.
    pub(crate) condemn_archives: bool,
    /// Lazaret test programs and EICAR count.
    pub(crate) test_programs: bool,
    /// Disable what brings a program back that was isolated and killed automatically.
    pub(crate) disable_persistence: OnOff,
    /// How long after an isolation the same file at the same place has come back, seconds.
    pub(crate) watch_seconds: u64,
    /// What would be killed is frozen for so long first, seconds; 0: killed at once.
    pub(crate) freeze_seconds: u64,
    /// Lets `freeze_seconds` be more than 15, up to 3600: probes and leases of services expire.
    pub(crate) freeze_seconds_unbounded: bool,
    /// Everything is decided and nothing is done; a later `switch` command overrides it.
    pub(crate) dry_run: bool,
    /// A rule's breaker opens when it hits more than so many things that speak against it, 1 to 1000,
    pub(crate) breaker_hits: usize,
    /// within so many minutes, 1 to 10080.
    pub(crate) breaker_minutes: u32,
    /// Isolations in an hour, of every origin; 0: no limit.
    pub(crate) max_isolations_per_hour: u32,
    /// Processes killed in an hour before the next response is held back; 0: no limit.
    pub(crate) max_kills_per_hour: u32,
    /// Programs that are never ended, beside those that never are; a folder ends with `/`.
    pub(crate) never_kill: Vec<PathBuf>,
}

impl Default for Response {
    fn default() -> Self {
        let t = Thresholds::default();
        Self {
            isolate_and_kill: false,
            classes: None,
            high: t.high(),
            medium: t.medium(),
            condemn_archives: false,
            test_programs: true,
            disable_persistence: OnOff::Off,
            watch_seconds: 300,
            freeze_seconds: 0,
            freeze_seconds_unbounded: false,
            dry_run: false,
            breaker_hits: 3,
            breaker_minutes: 60,
            max_isolations_per_hour: 5_000,
            max_kills_per_hour: 10_000,
            never_kill: Vec::new(),
        }
    }
}

impl Response {
    /// How long what would be killed is frozen first.
    pub(crate) fn freeze(&self) -> Option<Duration> {
        (self.freeze_seconds > 0).then(|| Duration::from_secs(self.freeze_seconds))
    }

    fn check(&self) -> Result<(), ConfigError> {
        let most = if self.freeze_seconds_unbounded { 3_600 } else { 15 };
        if self.freeze_seconds > most {
            let way_out = if self.freeze_seconds_unbounded {
                ""
            } else {
                "; probes and leases of services expire meanwhile, freeze_seconds_unbounded = true takes that upon itself"
            };
            let given = self.freeze_seconds;
            return Err(ConfigError(format!(
                "[response] freeze_seconds = {given}: must be 0 to {most}{way_out}"
            )));
        }
        if !(1..=1_000).contains(&self.breaker_hits) {
            let given = self.breaker_hits;
            return Err(ConfigError(format!("[response] breaker_hits = {given}: must be 1 to 1000")));
        }
        if !(1..=10_080).contains(&self.breaker_minutes) {
            let given = self.breaker_minutes;
            return Err(ConfigError(format!("[response] breaker_minutes = {given}: must be 1 to 10080")));
        }
        for (key, n) in [
            ("max_isolations_per_hour", self.max_isolations_per_hour),
            ("max_kills_per_hour", self.max_kills_per_hour),
        ] {
            if n > 100_000 {
                return Err(ConfigError(format!("[response] {key} = {n}: must be 0 (no limit) to 100000")));
            }
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Budget {
    /// Jailed scanners, 1 to 64.
    pub(crate) workers: usize,
    /// A question is answered after this long whatever happens, milliseconds, 100 to 60000.
    pub(crate) deadline_ms: u64,
    /// What the answer is then.
    pub(crate) on_error: OnError,
    /// The earlier name of `[vault] total_bytes`.
    pub(crate) vault_bytes: Option<u64>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { workers: 2, deadline_ms: 5_000, on_error: OnError::Allow, vault_bytes: None }
    }
}

/// A switch in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnOff {
    Off,
    On,
}

/// The answer to a question that could not be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnError {
    Allow,
    Deny,
}

/// A configuration that cannot be used.
#[derive(Debug)]
pub(crate) struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads and checks the file.
    pub(crate) fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| ConfigError(format!("cannot read the configuration {}: {e}", path.display())))?;
        Self::parse(&text).map_err(|e| ConfigError(format!("{}: {e}", path.display())))
    }

    fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|e| {
            let line = e.span().map(|s| text.get(..s.start).unwrap_or_default().matches('\n').count() + 1);
            let place = line.map(|l| format!("line {l}: ")).unwrap_or_default();
            ConfigError(format!("{place}{}", e.message()))
        })?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let absolute = [&self.paths.state, &self.paths.run, &self.paths.root, &self.paths.packages]
            .into_iter()
            .chain(&self.paths.content)
            .chain(&self.paths.scanner)
            .chain(&self.paths.rules)
            .chain(&self.protect.mounts)
            .chain(&self.protect.web_roots)
            .chain(&self.protect.exclude)
            .chain(&self.response.never_kill);
        for path in absolute {
            if !path.is_absolute() {
                return Err(ConfigError(format!("\"{}\" must be an absolute path", path.display())));
            }
        }
        self.thresholds()?;
        self.classes()?;
        self.vault.check(self.budget.vault_bytes)?;
        self.response.check()?;
        self.server.check()?;
        self.local.check()?;
        self.metrics.place()?;
        self.cloud.check()?;
        if !(1..=64).contains(&self.budget.workers) {
            return Err(ConfigError(format!("[budget] workers = {}: must be 1 to 64", self.budget.workers)));
        }
        if !(100..=60_000).contains(&self.budget.deadline_ms) {
            return Err(ConfigError(format!(
                "[budget] deadline_ms = {}: must be 100 to 60000",
                self.budget.deadline_ms
            )));
        }
        Ok(())
    }

    /// Where *high* and *medium* begin.
    pub(crate) fn thresholds(&self) -> Result<Thresholds, ConfigError> {
        Thresholds::new(self.response.high, self.response.medium)
            .map_err(|e| ConfigError(format!("[response] {e}")))
    }

    /// Classes that are acted on automatically; `None` for the default of the class table.
    pub(crate) fn classes(&self) -> Result<Option<Vec<MalwareClass>>, ConfigError> {
        let Some(words) = &self.response.classes else { return Ok(None) };
        let parse = |w: &String| w.parse().map_err(|e| ConfigError(format!("[response] classes: {e}")));
        words.iter().map(parse).collect::<Result<_, _>>().map(Some)
    }

    pub(crate) fn deadline(&self) -> Duration {
        Duration::from_millis(self.budget.deadline_ms)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.paths.run.join("control.sock")
    }

    /// The pack to load, or where it was looked for.
    pub(crate) fn content(&self) -> Result<PathBuf, ConfigError> {
        find("content pack", self.paths.content.as_deref(), "lazaret.pack", "/usr/share/lazaret/content.pack")
    }

    /// The scanner to start, or where it was looked for.
    pub(crate) fn scanner(&self) -> Result<PathBuf, ConfigError> {
        find("scanner", self.paths.scanner.as_deref(), "lazaret-scanner", "/usr/lib/lazaret/lazaret-scanner")
    }
}

fn find(what: &str, given: Option<&Path>, beside: &str, installed: &str) -> Result<PathBuf, ConfigError> {
    let own = std::env::current_exe().ok().and_then(|p| Some(p.parent()?.join(beside)));
    let places: Vec<PathBuf> = match given {
        Some(path) => vec![path.to_owned()],
        None => own.into_iter().chain([PathBuf::from(installed)]).collect(),
    };
    if let Some(found) = places.iter().find(|p| p.is_file()) {
        return Ok(found.clone());
    }
    let looked: Vec<String> = places.iter().map(|p| p.display().to_string()).collect();
    Err(ConfigError(format!("no {what} at {}; install it, or name it under [paths]", looked.join(" or "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Config::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn empty_is_the_default() {
        let c = Config::parse("").unwrap();
        assert!(!c.response.isolate_and_kill, "off until somebody switches it on");
        assert_eq!(c.socket(), Path::new("/run/lazaret/control.sock"));
    }

    #[test]
    fn unknown_keys_are_refused_with_their_line() {
        let e = refused("[paths]\nstate = \"/s\"\n[protect]\nmount = [\"/x\"]\n");
        assert!(e.contains("line 4") && e.contains("mount"), "{e}");
    }

    #[test]
    fn values_are_checked() {
        assert!(refused("[paths]\nstate = \"s\"").contains("absolute"));
        assert!(refused("[response]\nhigh = 50").contains("80 to 100"));
        assert!(refused("[response]\nnever_kill = [\"mysqld\"]").contains("absolute"));
        assert!(refused("[response]\nclasses = [\"spam\"]").contains("webshell"));
        assert!(refused("[paths]\nroot = \"here\"").contains("absolute"));
        assert!(refused("[response]\ndisable_persistence = true").contains("line 2"));
        assert!(refused("[response]\nfreeze_seconds = 16").contains("freeze_seconds_unbounded"));
        assert!(Config::parse("[response]\nfreeze_seconds = 60\nfreeze_seconds_unbounded = true").is_ok());
        assert!(refused("[response]\nfreeze_seconds = -1").contains("line 2"));
        assert!(refused("[response]\nbreaker_hits = 0").contains("1 to 1000"));
        assert!(refused("[response]\nmax_kills_per_hour = 100001").contains("no limit"));
        assert!(refused("[budget]\nworkers = 0").contains("1 to 64"));
        assert!(refused("[budget]\non_error = \"maybe\"").contains("line 2"));
        assert!(refused("[vault]\nuser_byte = 1").contains("line 2"));
        assert!(refused("this is not TOML").contains("line 1"));
    }

    #[test]
    fn the_shipped_example_names_real_keys() {
        let text = include_str!("../../../packaging/lazaretd.toml");
        let is_key = |rest: &str| rest.split_once(" = ").is_some_and(|(k, _)| !k.contains(' '));
        let keys = |l: &&str| l.strip_prefix('#').is_some_and(is_key);
        assert!(text.lines().filter(keys).count() >= 15, "every key stands there, commented out");
        let set: String = text
            .lines()
            .map(|l| l.strip_prefix('#').filter(|r| is_key(r)).unwrap_or(l))
            .map(|l| format!("{l}\n"))
            .collect();
        let shown = Config::parse(&set).unwrap().response;
        let c = Config::parse(text).unwrap().response;
        assert!(!c.isolate_and_kill && !c.dry_run && c.freeze().is_none());
        // What is commented out is the default.
        assert_eq!(
            (shown.freeze_seconds, shown.freeze_seconds_unbounded, shown.dry_run, shown.breaker_hits),
            (c.freeze_seconds, c.freeze_seconds_unbounded, c.dry_run, c.breaker_hits)
        );
        assert_eq!(
            (shown.breaker_minutes, shown.max_isolations_per_hour, shown.max_kills_per_hour),
            (c.breaker_minutes, c.max_isolations_per_hour, c.max_kills_per_hour)
        );
    }
}
