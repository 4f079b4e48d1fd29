// SPDX-License-Identifier: Apache-2.0
//! A real SMTP server (aiosmtpd) that keeps what it gets.

use crate::pki::Identity;
use crate::python;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempDir;

/// A running server; ended when dropped.
pub struct Smtp {
    child: Child,
    port: u16,
    seen: Arc<Mutex<Vec<Value>>>,
    _folder: TempDir,
}

/// User and password, both empty: nobody signs in.
pub type Login<'a> = (&'a str, &'a str);

impl Smtp {
    /// Starts it: `starttls`, `tls` or `none`. The first `refused` mails it does not take.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(kind: &str, (user, password): Login<'_>, identity: &Identity, refused: usize) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let (certificate, key) = (folder.path().join("certificate"), folder.path().join("key"));
        std::fs::write(&certificate, &identity.pem).expect("certificate");
        std::fs::write(&key, &identity.key_pem).expect("key");
        let mut child = Command::new(python::interpreter())
            .args(["-c", include_str!("smtp_sink.py"), kind, user, password])
            .args([&certificate, &key])
            .arg(refused.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let first = lines.next().and_then(Result::ok).expect("the SMTP server says its port");
        let first: Value = serde_json::from_str(&first).expect("JSON");
        let port = first["port"].as_u64().and_then(|p| u16::try_from(p).ok()).expect("port");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Ok(mail) = serde_json::from_str(&line) {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
                }
            }
        });
        Self { child, port, seen, _folder: folder }
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Mails: `from`, `to`, `data`, `tls`, `user`.
    #[must_use]
    pub fn seen(&self) -> Vec<Value> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
