// SPDX-License-Identifier: Apache-2.0
//! A real PostgreSQL for one test: its own folder, its own port, gone with the test.
//!
//! `initdb` runs once; its folder is kept in the cache and copied. As root the server runs as Debian's
//! user `postgres`, or nobody, since it refuses root.

use crate::eventually;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// User of the cluster, with all rights.
const USER: &str = "lazaret";
const START_LIMIT: Duration = Duration::from_secs(30);

/// A running cluster.
pub struct Cluster {
    folder: tempfile::TempDir,
    port: u16,
    settings: &'static [&'static str],
    server: Option<Child>,
    durable: bool,
}

impl Cluster {
    /// Starts one; empty.
    ///
    /// # Panics
    /// Without PostgreSQL on this machine (`apt-get install postgresql`), or when it does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::begin(false, &[])
    }

    /// The same with settings of its own (`fsync=on`), which count before those of tests.
    ///
    /// # Panics
    /// As `start`.
    #[must_use]
    pub fn start_with(settings: &'static [&'static str]) -> Self {
        Self::begin(false, settings)
    }

    /// The same as people run it, for figures: a commit is on the disk when it is answered.
    ///
    /// # Panics
    /// As [`Self::start`].
    #[must_use]
    pub fn durable() -> Self {
        Self::begin(true, &[])
    }

    fn begin(durable: bool, settings: &'static [&'static str]) -> Self {
        let template = template();
        let folder = tempfile::Builder::new().prefix("lazaret-pg-").tempdir().expect("temporary folder");
        own(folder.path());
        let copied = Command::new("cp").arg("-a").arg(&template).arg(folder.path().join("data")).status();
        assert!(copied.expect("cp").success(), "the template {} cannot be copied", template.display());
        let mut cluster = Self { folder, port: 0, settings, server: None, durable };
        for _ in 0..5 {
            // Somebody may take it between here and there: then another one.
            cluster.port = free_port();
            if cluster.try_run() {
                return cluster;
            }
        }
        panic!("PostgreSQL does not start: {}", cluster.log());
    }

    /// Address of its database `postgres`.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// Makes a database; its address.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn create(&self, name: &str) -> String {
        let port = self.port.to_string();
        let made = Command::new(binary("createdb"))
            .args(["-h", "127.0.0.1", "-p", &port, "-U", USER, name])
            .output()
            .expect("createdb");
        assert!(made.status.success(), "createdb: {}", String::from_utf8_lossy(&made.stderr));
        self.url_of(name)
    }

    /// Bytes of a database of this cluster, indexes included.
    ///
    /// # Panics
    /// When it cannot be asked.
    #[must_use]
    pub fn size(&self, name: &str) -> u64 {
        let port = self.port.to_string();
        let asked = Command::new(binary("psql"))
            .args(["-h", "127.0.0.1", "-p", &port, "-U", USER, "-At", name])
            .args(["-c", "SELECT pg_database_size(current_database())"])
            .output()
            .expect("psql");
        let said = String::from_utf8_lossy(&asked.stdout).into_owned();
        said.trim().parse().unwrap_or_else(|_| panic!("{said}{}", String::from_utf8_lossy(&asked.stderr)))
    }

    /// Ends it as `pg_ctl stop -m fast` does: sessions are cut off, what they had begun is undone.
    ///
    /// # Panics
    /// When it does not end.
    pub fn stop(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        let pid = rustix::process::Pid::from_child(&server);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it runs");
        let ended = eventually(START_LIMIT, || !matches!(server.try_wait(), Ok(None)));
        assert!(ended, "PostgreSQL does not stop: {}", self.log());
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        let _ = server.kill();
        let _ = server.wait();
        // Its children see that it is gone and end by themselves; until then they hold the folder.
        eventually(START_LIMIT, || !self.has_children());
        let _ = std::fs::remove_file(self.data().join("postmaster.pid"));
    }

    /// Starts it again after `kill` or `stop`, where it was.
    ///
    /// # Panics
    /// When it does not start.
    pub fn run_again(&mut self) {
        assert!(
            eventually(START_LIMIT, || self.try_run()),
            "PostgreSQL does not start again: {}",
            self.log()
        );
    }

    /// Address of one of its databases.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn try_run(&mut self) -> bool {
        let log = std::fs::File::options().create(true).append(true).open(self.folder.path().join("log"));
        let log = log.expect("log of PostgreSQL");
        let mut command = unprivileged();
        command.arg(binary("postgres")).arg("-D").arg(self.data());
        let port = format!("port={}", self.port);
        // A test's data is gone with it.
        let own: &[&str] = if self.durable {
            &["shared_buffers=512MB", "max_wal_size=4GB"]
        } else {
            &["fsync=off", "full_page_writes=off", "shared_buffers=64MB", "max_wal_size=512MB"]
        };
        let all = ["listen_addresses=127.0.0.1", &port, "unix_socket_directories=", "max_connections=100"];
        for setting in all.iter().chain(own) {
            command.args(["-c", setting]);
        }
        for setting in self.settings {
            command.args(["-c", setting]);
        }
        let server = command
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("setpriv of util-linux");
        self.server = Some(server);
        let mut ended = false;
        let ready = eventually(START_LIMIT, || {
            ended = self.server.as_mut().is_none_or(|s| !matches!(s.try_wait(), Ok(None)));
            // Its eighth line says how far it is.
            let state = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
            ended || state.lines().nth(7).is_some_and(|l| l.trim() == "ready")
        });
        if ready && !ended {
            return true;
        }
        self.kill();
        false
    }

    /// Whether a process still works in its folder.
    fn has_children(&self) -> bool {
        let Ok(data) = self.data().canonicalize() else { return false };
        std::fs::read_dir("/proc").is_ok_and(|mut list| {
            list.any(|e| {
                e.is_ok_and(|e| std::fs::read_link(e.path().join("cwd")).is_ok_and(|cwd| cwd == data))
            })
        })
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            // Immediate: the folder goes with it.
            let pid = rustix::process::Pid::from_child(server);
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::QUIT);
            let gone = eventually(Duration::from_secs(10), || !matches!(server.try_wait(), Ok(None)));
            if !gone {
                self.kill();
            }
        }
    }
}

/// A command that is run as somebody whom PostgreSQL takes, and that ends with the thread that starts it.
fn unprivileged() -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]);
    if let Some((uid, gid)) = other_user() {
        command.args(["--reuid", &uid.to_string(), "--regid", &gid.to_string(), "--clear-groups"]);
    }
    command.arg("--");
    command
}

/// Whom it runs as, if not as ourselves.
fn other_user() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let line = users.lines().find(|l| l.starts_with("postgres:"));
    let ids = line.and_then(|l| {
        let mut parts = l.split(':').skip(2);
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    });
    Some(ids.unwrap_or((65534, 65534)))
}

fn own(folder: &Path) {
    if let Some((uid, gid)) = other_user() {
        chown(folder, Some(uid), Some(gid)).expect("owner of the folder");
    }
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).expect("mode of the folder");
}

/// A folder as `initdb` leaves it, made when it is not there.
fn template() -> PathBuf {
    let version = folder_of_binaries();
    let version = version.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let uid = other_user().map_or_else(|| rustix::process::geteuid().as_raw(), |(uid, _)| uid);
    let cache =
        std::env::var_os("HOME").map_or_else(|| PathBuf::from("/var/tmp"), |h| Path::new(&h).join(".cache"));
    let cache = cache.join("lazaret");
    std::fs::create_dir_all(&cache).unwrap_or_else(|e| panic!("{}: {e}", cache.display()));
    let kept = cache.join(format!("pg-template-{version}-{uid}"));
    if std::fs::metadata(kept.join("PG_VERSION")).is_ok_and(|m| m.uid() == uid) {
        return kept;
    }
    let folder = tempfile::Builder::new().prefix("lazaret-pg-").tempdir().expect("temporary folder");
    own(folder.path());
    let made = unprivileged()
        .arg(binary("initdb"))
        .arg("-D")
        .arg(folder.path().join("data"))
        .args(["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--wal-segsize=1"])
        .current_dir("/")
        .output()
        .expect("setpriv of util-linux");
    assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    // Beside it first: another test may do the same now.
    let beside =
        tempfile::Builder::new().prefix("pg-template-").tempdir_in(&cache).expect("temporary folder");
    let target = beside.path().join("data");
    let copied =
        Command::new("cp").arg("-a").arg(folder.path().join("data")).arg(&target).status().expect("cp");
    assert!(copied.success(), "the template cannot be kept in {}", cache.display());
    if let Err(e) = std::fs::rename(&target, &kept) {
        assert!(kept.join("PG_VERSION").exists(), "{}: {e}", kept.display());
    }
    kept
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its number").port()
}

fn binary(name: &str) -> PathBuf {
    folder_of_binaries().join(name)
}

/// Debian keeps each version in a folder of its own; the newest one.
fn folder_of_binaries() -> PathBuf {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|e| {
            let path = e.ok()?.path();
            let version = path.file_name()?.to_str()?.parse().ok()?;
            path.join("bin/postgres").exists().then(|| (version, path.join("bin")))
        })
        .collect();
    found.sort();
    found
        .pop()
        .map(|(_, path)| path)
        .expect("no PostgreSQL under /usr/lib/postgresql: apt-get install postgresql")
}
