// SPDX-License-Identifier: Apache-2.0
//! A swarm as a process of its own, for stories and benchmarks.

use crate::{Server, binaries};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// A running `lazaret-swarm --hold`; ended when dropped.
pub struct Swarm {
    child: Child,
    lines: Receiver<Value>,
}

impl Swarm {
    /// Hosts for this server. `options` stand behind the address and the token.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(server: &Server, options: &[&str]) -> Self {
        let mut child = Command::new(binaries::path("lazaret-swarm"))
            .args(["--gateway", &server.agents, "--ca-fingerprint", &server.authority, "--hold"])
            .args(["--token", &server.enrolment_token()])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("lazaret-swarm");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if serde_json::from_str(&line).is_ok_and(|v: Value| tell.send(v).is_err()) {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// The next line that fits.
    ///
    /// # Panics
    /// When none comes in time, or the swarm ends; with what it said.
    pub fn until(&mut self, what: &str, limit: Duration, mut fits: impl FnMut(&Value) -> bool) -> Value {
        let end = Instant::now() + limit;
        let mut last = Value::Null;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) if fits(&line) => return line,
                Ok(line) => last = line,
                Err(RecvTimeoutError::Timeout) => panic!("{what}: not within {limit:?}; last: {last}"),
                Err(RecvTimeoutError::Disconnected) => {
                    let mut said = String::new();
                    let _ = self.child.stderr.take().map(|mut e| e.read_to_string(&mut said));
                    panic!("{what}: the swarm ended: {said}; last: {last}");
                }
            }
        }
    }

    /// The line of an event.
    ///
    /// # Panics
    /// As [`Self::until`].
    pub fn event(&mut self, event: &str, limit: Duration) -> Value {
        self.until(event, limit, |l| l["event"] == event)
    }

    /// Lets it end in order; its summary.
    ///
    /// # Panics
    /// When there is none within a minute.
    #[must_use]
    pub fn finish(mut self) -> Value {
        drop(self.child.stdin.take());
        let summary = self.event("summary", Duration::from_secs(60));
        let status = self.child.wait().expect("lazaret-swarm");
        assert!(status.success(), "{status}");
        summary
    }
}

impl Drop for Swarm {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
