// SPDX-License-Identifier: Apache-2.0
//! A real clamd for one test: its own folder, its own signatures, its own socket, gone with the test.
//!
//! It never asks anybody for signatures: what it finds is what the test wrote.

use crate::eventually;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const START_LIMIT: Duration = Duration::from_secs(30);

/// What it knows.
#[derive(Debug, Clone)]
pub struct Signature {
    /// What it calls a match; clamd adds `.UNOFFICIAL`.
    pub name: String,
    /// Found wherever these bytes stand in a file.
    pub bytes: Vec<u8>,
}

impl Signature {
    /// A file that holds `bytes` is `name`.
    #[must_use]
    pub fn new(name: &str, bytes: &[u8]) -> Self {
        Self { name: name.to_owned(), bytes: bytes.to_owned() }
    }
}

/// How it is set up.
#[derive(Debug, Clone, Default)]
pub struct ClamdSetup {
    /// What it knows; at least one, it starts with none only to end.
    pub signatures: Vec<Signature>,
    /// It takes no longer stream, bytes; 0: 100 MiB.
    pub stream_bytes: u64,
    /// A TCP port of 127.0.0.1 too.
    pub tcp: bool,
}

/// A running clamd.
pub struct Clamd {
    folder: tempfile::TempDir,
    port: u16,
    process: Option<Child>,
}

impl Clamd {
    /// Starts one that knows these.
    ///
    /// # Panics
    /// Without clamd on this machine (`apt-get install clamav-daemon`), or when it does not start.
    #[must_use]
    pub fn start(signatures: &[Signature]) -> Self {
        Self::start_with(&ClamdSetup { signatures: signatures.to_vec(), ..ClamdSetup::default() })
    }

    /// The same with settings of its own.
    ///
    /// # Panics
    /// As [`Self::start`].
    #[must_use]
    pub fn start_with(setup: &ClamdSetup) -> Self {
        let folder = tempfile::Builder::new().prefix("lazaret-clamd-").tempdir().expect("temporary folder");
        // It may become another user.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("mode");
        let port = if setup.tcp { free_port() } else { 0 };
        write(folder.path(), setup, port);
        let mut clamd = Self { folder, port, process: None };
        clamd.run_again();
        clamd
    }

    /// As a connector's address.
    #[must_use]
    pub fn address(&self) -> String {
        format!("unix:{}", self.socket().display())
    }

    /// The same of its port.
    ///
    /// # Panics
    /// Without one.
    #[must_use]
    pub fn tcp_address(&self) -> String {
        assert_ne!(self.port, 0, "it was started without a port");
        format!("tcp:127.0.0.1:{}", self.port)
    }

    /// Its socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// Ends it as a crash would; its socket stays behind.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Stops it where it is: it takes connections (the kernel does) and says nothing.
    ///
    /// # Panics
    /// When it does not run.
    pub fn freeze(&self) {
        self.signal(rustix::process::Signal::STOP);
    }

    /// Lets it go on.
    ///
    /// # Panics
    /// When it does not run.
    pub fn thaw(&self) {
        self.signal(rustix::process::Signal::CONT);
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let process = self.process.as_ref().expect("it runs");
        rustix::process::kill_process(rustix::process::Pid::from_child(process), signal).expect("it runs");
    }

    /// Starts it again after `kill`, where it was.
    ///
    /// # Panics
    /// When it does not start.
    pub fn run_again(&mut self) {
        self.kill();
        let _ = std::fs::remove_file(self.socket());
        let log = std::fs::File::options().create(true).append(true).open(self.folder.path().join("out"));
        let log = log.expect("log of clamd");
        let process = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", program()])
            .arg(format!("--config-file={}", self.folder.path().join("clamd.conf").display()))
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("log of clamd"))
            .stderr(log)
            .spawn()
            .expect("setpriv of util-linux");
        self.process = Some(process);
        let ready = eventually(START_LIMIT, || UnixStream::connect(self.socket()).is_ok());
        assert!(ready, "clamd does not start (apt-get install clamav-daemon): {}", self.log());
    }

    /// What it wrote.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("out")).unwrap_or_default()
    }
}

impl Drop for Clamd {
    fn drop(&mut self) {
        self.kill();
    }
}

fn program() -> &'static str {
    if Path::new("/usr/sbin/clamd").exists() { "/usr/sbin/clamd" } else { "clamd" }
}

fn write(folder: &Path, setup: &ClamdSetup, port: u16) {
    let database = folder.join("signatures");
    std::fs::create_dir(&database).expect("folder of signatures");
    let mut list = String::new();
    for signature in &setup.signatures {
        let hex = signature.bytes.iter().fold(String::new(), |mut hex, b| {
            let _ = write!(hex, "{b:02x}");
            hex
        });
        // Any type of file, at any offset.
        let _ = writeln!(list, "{}:0:*:{hex}", signature.name);
    }
    std::fs::write(database.join("test.ndb"), list).expect("signatures");
    let mut text = format!(
        "Foreground yes\nLocalSocket {}\nLocalSocketMode 666\nFixStaleSocket yes\nDatabaseDirectory {}\n\
         TemporaryDirectory {}\nMaxThreads 4\nStreamMaxLength {}\nSelfCheck 3600\nDisableCertCheck yes\n",
        folder.join("socket").display(),
        database.display(),
        folder.display(),
        if setup.stream_bytes == 0 { 100 << 20 } else { setup.stream_bytes },
    );
    if port != 0 {
        let _ = write!(text, "TCPSocket {port}\nTCPAddr 127.0.0.1\n");
    }
    std::fs::write(folder.join("clamd.conf"), text).expect("configuration of clamd");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its number").port()
}
