// SPDX-License-Identifier: Apache-2.0
//! A real clamd with a signature database of its test: its own folder, its own socket, gone with the test.

use crate::eventually;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// It reads a handful of signatures: a second at the most.
const START_LIMIT: Duration = Duration::from_secs(30);
/// What one answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Of a stream; clamd takes up to `StreamMaxLength` in all.
const CHUNK: usize = 256 << 10;

/// A running clamd.
pub struct Clamd {
    folder: tempfile::TempDir,
    server: Option<Child>,
}

impl Clamd {
    /// Starts one that finds these byte strings, each under its name, and nothing else.
    ///
    /// # Panics
    /// Without clamd on this machine (`apt-get install clamav-daemon`), or when it does not start.
    #[must_use]
    pub fn start(signatures: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::Builder::new().prefix("lazaret-clamd-").tempdir().expect("temporary folder");
        let mut database = String::new();
        for (name, bytes) in signatures {
            let _ = write!(database, "{name}:0:*:");
            bytes.iter().for_each(|b| {
                let _ = write!(database, "{b:02x}");
            });
            database.push('\n');
        }
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("db")).expect("folder of signatures");
        std::fs::write(at("db/story.ndb"), database).expect("signatures");
        let config = format!(
            "Foreground yes\nLocalSocket {}\nLocalSocketMode 666\nFixStaleSocket yes\nDatabaseDirectory {}\n\
             TemporaryDirectory {}\nLogFile {}\nLogClean yes\nSelfCheck 0\nMaxThreads 4\nReadTimeout 60\n\
             StreamMaxLength 64M\nMaxFileSize 64M\nMaxScanSize 256M\n",
            at("socket").display(),
            at("db").display(),
            folder.path().display(),
            at("log").display()
        );
        std::fs::write(at("clamd.conf"), config).expect("configuration");
        let mut clamd = Self { folder, server: None };
        clamd.run_again();
        clamd
    }

    /// Starts it again after [`Self::kill`], where it was.
    ///
    /// # Panics
    /// When it does not start.
    pub fn run_again(&mut self) {
        let errors = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("errors"))
            .expect("log of clamd");
        // Ends with the thread that starts it.
        let server = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", "clamd", "--config-file"])
            .arg(self.folder.path().join("clamd.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .expect("setpriv of util-linux");
        self.server = Some(server);
        let ready = eventually(START_LIMIT, || self.ask(b"zPING\0").is_ok_and(|a| a == "PONG"));
        assert!(
            ready,
            "clamd does not start (apt-get install clamav-daemon): {}{}",
            self.errors(),
            self.log()
        );
    }

    /// Ends it without a word, in the middle of whatever it does.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// Stops it where it is: connections stand, nobody answers.
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
        let server = self.server.as_ref().expect("a running clamd");
        rustix::process::kill_process(rustix::process::Pid::from_child(server), signal).expect("it runs");
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// What it says of these bytes: `OK`, or `NAME FOUND`, over INSTREAM as others ask it too.
    ///
    /// # Errors
    /// It is gone, or does not answer within a minute.
    pub fn scan(&self, bytes: &[u8]) -> std::io::Result<String> {
        let mut asked = self.connect()?;
        asked.write_all(b"zINSTREAM\0")?;
        for part in bytes.chunks(CHUNK) {
            asked.write_all(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes())?;
            asked.write_all(part)?;
        }
        asked.write_all(&0_u32.to_be_bytes())?;
        let answer = answer(asked)?;
        Ok(answer.strip_prefix("stream: ").unwrap_or(&answer).to_owned())
    }

    fn ask(&self, words: &[u8]) -> std::io::Result<String> {
        let mut asked = self.connect()?;
        asked.write_all(words)?;
        answer(asked)
    }

    fn connect(&self) -> std::io::Result<UnixStream> {
        let stream = UnixStream::connect(self.socket())?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// How many streams it has looked at.
    #[must_use]
    pub fn looked(&self) -> usize {
        self.log().lines().filter(|l| l.contains("instream(")).count()
    }

    /// What it wrote down.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn errors(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("errors")).unwrap_or_default()
    }
}

impl Drop for Clamd {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Up to its end, without the byte that ends it.
fn answer(from: UnixStream) -> std::io::Result<String> {
    let mut said = Vec::new();
    from.take(4096).read_to_end(&mut said)?;
    Ok(String::from_utf8_lossy(&said).trim_end_matches('\0').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_its_own_signatures_and_comes_back() {
        let words = std::hint::black_box(["lazaret-clamd-", "stand-in"]).concat();
        let mut clamd = Clamd::start(&[("Story.StandIn", words.as_bytes())]);
        let bad = format!("#!/bin/sh\n# {words}\n");
        assert_eq!(clamd.scan(bad.as_bytes()).unwrap(), "Story.StandIn.UNOFFICIAL FOUND");
        assert_eq!(clamd.scan(&vec![0x20; 3 * CHUNK + 1]).unwrap(), "OK");
        assert_eq!(clamd.looked(), 2, "{}", clamd.log());
        clamd.kill();
        assert!(clamd.scan(b"x").is_err());
        clamd.run_again();
        assert_eq!(clamd.scan(b"x").unwrap(), "OK");
    }
}
