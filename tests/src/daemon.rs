// SPDX-License-Identifier: Apache-2.0
//! A real lazaretd, limited to the volumes of its story.

use crate::{binaries, eventually};
use serde_json::Value;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// What is special about this daemon.
#[derive(Default)]
pub struct Setup {
    /// Mount points to protect; never `/`.
    pub mounts: Vec<PathBuf>,
    /// The switch.
    pub isolate_and_kill: bool,
    /// Scan what runs from filesystems of other mount namespaces.
    pub unlisted: bool,
    /// Further lines of `[paths]`.
    pub paths: String,
    /// Further lines: of `[response]`, then whole TOML sections.
    pub more: String,
    /// State folder to use instead of a fresh one.
    pub state: Option<PathBuf>,
    /// Where it is looked for what brings a program back; absent: nowhere.
    pub root: Option<PathBuf>,
    /// Network namespace to start it in, as `ip netns` names it.
    pub namespace: Option<String>,
    /// Lines of a shell that run before it, in a mount namespace that both share and nobody else sees;
    /// not together with `namespace`.
    pub before: String,
    /// Name that it takes this machine to have, in a namespace of its own; absent: the machine's. Not
    /// together with `namespace` or `before`.
    pub host_name: Option<String>,
}

impl Setup {
    /// Protects one place with the switch on.
    #[must_use]
    pub fn armed(mount: &Path) -> Self {
        Self { mounts: vec![mount.to_owned()], isolate_and_kill: true, ..Self::default() }
    }
}

/// A running daemon; stopped when dropped.
pub struct Daemon {
    watchdog: Child,
    folder: TempDir,
    config: PathBuf,
    /// What it said on standard error so far.
    log: PathBuf,
}

impl Daemon {
    /// Starts it and waits until protection is in force.
    ///
    /// # Panics
    /// When it is not ready within 30 s.
    #[must_use]
    pub fn start(setup: &Setup) -> Self {
        crate::needs_root();
        assert!(
            !setup.mounts.is_empty() && !setup.mounts.iter().any(|m| m == Path::new("/")),
            "limit the daemon"
        );
        let _ = binaries::pack();
        let _ = binaries::path("lazaret-scanner");
        let folder =
            tempfile::Builder::new().prefix("lazaretd-").tempdir_in("/var/tmp").expect("temporary folder");
        let config = folder.path().join("lazaretd.toml");
        std::fs::write(&config, toml(setup, folder.path())).expect("configuration");
        let log = folder.path().join("log");
        let watchdog = spawn(&config, &log, setup);
        let mut daemon = Self { watchdog, folder, config, log };
        daemon.wait_ready();
        daemon
    }

    fn wait_ready(&mut self) {
        let out = self.watchdog.stdout.take().expect("piped");
        let mut lines = BufReader::new(out).lines();
        let first = lines.next();
        let ready = matches!(&first, Some(Ok(l)) if l == "ready");
        assert!(ready, "lazaretd did not start: {first:?}\n{}", self.log());
        // Later lines (the agent was started again) must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
    }

    /// What it said on standard error.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its configuration file.
    #[must_use]
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Its state folder, as [`Setup::state`] left it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs `lazaret --config ... ARGUMENTS`.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn cli<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Output {
        Command::new(binaries::path("lazaret"))
            .arg("--config")
            .arg(&self.config)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("lazaret")
    }

    /// The same with `--json`, one value a line.
    ///
    /// # Panics
    /// When it fails or prints something else.
    pub fn json<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Vec<Value> {
        let mut all: Vec<std::ffi::OsString> = vec!["--json".into()];
        all.extend(arguments.into_iter().map(|a| a.as_ref().to_owned()));
        let out = self.cli(&all);
        assert!(
            out.status.success(),
            "{all:?}: {}\n{}{}\n{}",
            out.status,
            String::from_utf8_lossy(&out.stdout),
            String::from_utf8_lossy(&out.stderr),
            self.log()
        );
        let text = String::from_utf8(out.stdout).expect("JSON is UTF-8");
        text.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"))).collect()
    }

    /// `status --json`.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn status(&self) -> Value {
        self.json(["status"]).into_iter().next().expect("one object")
    }

    /// The agent's pid; the process that was started is the watchdog.
    ///
    /// # Panics
    /// When status does not tell.
    #[must_use]
    pub fn agent_pid(&self) -> i32 {
        let pid = self.status()["pid"].as_i64().expect("pid");
        i32::try_from(pid).expect("pid")
    }

    /// The watchdog's pid.
    #[must_use]
    pub fn watchdog_pid(&self) -> i32 {
        self.watchdog.id().cast_signed()
    }

    /// Isolated files that satisfy a condition, waiting for the first up to 10 s.
    ///
    /// # Panics
    /// When there is none by then.
    pub fn isolated_path(&self, path: &Path) -> Value {
        let mut found = None;
        let seen = eventually(Duration::from_secs(10), || {
            found = self
                .json(["isolated", "list"])
                .into_iter()
                .find(|i| i["path"] == path.to_str().unwrap_or_default() && i["status"] == "isolated");
            found.is_some()
        });
        assert!(seen, "{} was not isolated\n{}", path.display(), self.log());
        found.expect("seen")
    }

    /// Alarms about a path, waiting for the first up to 10 s.
    ///
    /// # Panics
    /// When there is none by then.
    pub fn alarm_about(&self, path: &Path) -> Value {
        let mut found = None;
        let seen = eventually(Duration::from_secs(10), || {
            found = self
                .json(["alarms", "list"])
                .into_iter()
                .find(|a| a["file"]["path"] == path.to_str().unwrap_or_default());
            found.is_some()
        });
        assert!(seen, "no alarm about {}\n{}", path.display(), self.log());
        found.expect("seen")
    }

    /// Stops it in order.
    ///
    /// # Panics
    /// When it does not end within 20 s.
    pub fn stop(mut self) -> TempDir {
        self.terminate();
        std::mem::replace(&mut self.folder, TempDir::new().expect("temporary folder"))
    }

    fn terminate(&mut self) {
        let watchdog = lazaret_sys::process::ProcessHandle::open(self.watchdog.id().cast_signed());
        if let Ok(watchdog) = watchdog {
            let _ = watchdog.signal(lazaret_sys::process::Signal::TERM);
        }
        if !eventually(Duration::from_secs(20), || self.watchdog.try_wait().is_ok_and(|s| s.is_some())) {
            // The agent dies with its watchdog, and the kernel allows what is pending.
            let _ = self.watchdog.kill();
            let _ = self.watchdog.wait();
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.terminate();
    }
}

fn spawn(config: &Path, log: &Path, setup: &Setup) -> Child {
    let errors = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("log");
    let program = binaries::path("lazaretd");
    let mut command = match &setup.namespace {
        // Each becomes the program: the pid stays.
        None if setup.host_name.is_some() => {
            let script = "printf %s \"$1\" > /proc/sys/kernel/hostname; shift; exec \"$@\"";
            let mut named = Command::new("unshare");
            named.args(["--uts", "--", "sh", "-ec", script, "sh"]);
            named.args(&setup.host_name).arg(program);
            named
        }
        None if !setup.before.is_empty() => {
            let script = format!("set -e\n{}\nexec \"$0\" \"$@\"", setup.before);
            let mut apart = Command::new("unshare");
            apart.args(["--mount", "--propagation", "private", "--", "sh", "-c", &script]).arg(program);
            apart
        }
        Some(name) => {
            let mut enter = Command::new("nsenter");
            enter.arg(format!("--net=/run/netns/{name}")).arg("--").arg(program);
            enter
        }
        None => Command::new(program),
    };
    command
        .arg("--config")
        .arg(config)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(errors)
        .spawn()
        .expect("lazaretd")
}

fn toml(setup: &Setup, folder: &Path) -> String {
    let state = setup.state.clone().unwrap_or_else(|| folder.join("state"));
    let root = setup.root.clone().unwrap_or_else(|| folder.join("root"));
    let mut text = String::new();
    let mounts: Vec<String> = setup.mounts.iter().map(|m| format!("{:?}", m.display().to_string())).collect();
    let _ = writeln!(text, "[paths]\nstate = {:?}\nrun = {:?}\nroot = {:?}", state, folder.join("run"), root);
    text.push_str(&setup.paths);
    let _ = writeln!(text, "[protect]\nmounts = [{}]", mounts.join(", "));
    let _ = writeln!(text, "unlisted_filesystems = {}", setup.unlisted);
    let _ = writeln!(text, "[response]\nisolate_and_kill = {}", setup.isolate_and_kill);
    text.push_str(&setup.more);
    text
}
