// SPDX-License-Identifier: Apache-2.0
//! A real S3-compatible server (moto's, from PyPI) for one test, and a way to it that can be closed. What it
//! keeps lies in its memory and is gone with it.

use crate::passage::Passage;
use crate::{eventually, fleet, python};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// It reads a lot of Python first.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Whom requests are signed as; moto takes anybody.
pub const KEY_ID: &str = "story";
/// See [`KEY_ID`].
pub const SECRET: &str = "a-secret-of-the-story";

/// A running server; ended when dropped.
pub struct S3 {
    child: Child,
    _folder: tempfile::TempDir,
    port: u16,
    passage: Passage,
}

impl S3 {
    /// Starts one, empty.
    ///
    /// # Panics
    /// Without moto (`cargo xtask test` installs it), or when it does not start.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("lazaret-s3-").tempdir().expect("temporary folder");
        let log = folder.path().join("log");
        let said = std::fs::File::create(&log).expect("log of moto");
        // Ends with the thread that starts it.
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program())
            .args(["-H", "127.0.0.1", "-p", "0"])
            .env("PYTHONUNBUFFERED", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()
            .expect("setpriv of util-linux");
        let read = || std::fs::read_to_string(&log).unwrap_or_default();
        let mut port = None;
        let ready = eventually(START_LIMIT, || {
            port = listening(&read());
            port.is_some() || matches!(child.try_wait(), Ok(Some(_)))
        });
        let port = port.filter(|_| ready).unwrap_or_else(|| panic!("moto does not start: {}", read()));
        Self { child, _folder: folder, port, passage: Passage::to(port) }
    }

    /// For clients; over the way that can be closed.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.passage.port())
    }

    /// Makes a bucket.
    ///
    /// # Panics
    /// When it is not made.
    pub fn make_bucket(&self, name: &str) {
        let made = fleet::http().put(self.own(name)).send_empty().expect("moto");
        assert_eq!(made.status(), 200, "bucket {name}");
    }

    /// Keys in a bucket, a thousand at most.
    ///
    /// # Panics
    /// When it cannot be asked.
    #[must_use]
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        let mut answer = fleet::http().get(format!("{}?list-type=2", self.own(bucket))).call().expect("moto");
        assert_eq!(answer.status(), 200, "bucket {bucket}");
        let text = answer.body_mut().read_to_string().expect("moto");
        let keys = text.split("<Key>").skip(1).filter_map(|p| p.split("</Key>").next());
        keys.map(str::to_owned).collect()
    }

    /// What lies under a key.
    ///
    /// # Panics
    /// When it cannot be asked.
    #[must_use]
    pub fn object(&self, bucket: &str, key: &str) -> Vec<u8> {
        // moto lists for anybody, and gives to who signs.
        let code = "import sys, boto3\n\
                    c = boto3.client('s3', endpoint_url=sys.argv[1], region_name='us-east-1', \
                    aws_access_key_id='story', aws_secret_access_key='story')\n\
                    sys.stdout.buffer.write(c.get_object(Bucket=sys.argv[2], Key=sys.argv[3])['Body'].read())";
        let got = Command::new(python::interpreter())
            .args(["-c", code, &format!("http://127.0.0.1:{}", self.port), bucket, key])
            .output()
            .expect("python");
        assert!(got.status.success(), "{}", String::from_utf8_lossy(&got.stderr));
        got.stdout
    }

    /// For clients it is away: connections are cut, and new ones too.
    pub fn close(&self) {
        self.passage.close();
    }

    /// It is back, with what it had.
    pub fn open(&self) {
        self.passage.open();
    }

    fn own(&self, bucket: &str) -> String {
        format!("http://127.0.0.1:{}/{bucket}", self.port)
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> PathBuf {
    let path = python::interpreter().with_file_name("moto_server");
    assert!(path.exists(), "{} is missing: `cargo xtask test` installs it", path.display());
    path
}

/// The port from ` * Running on http://127.0.0.1:PORT`.
fn listening(log: &str) -> Option<u16> {
    let rest = log.split("Running on http://127.0.0.1:").nth(1)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    // The whole line must be there.
    rest.contains('\n').then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_read_from_a_whole_line() {
        assert_eq!(listening(" * Running on http://127.0.0.1:4711\n"), Some(4711));
        assert_eq!(listening(" * Running on http://127.0.0.1:47"), None);
        assert_eq!(listening(""), None);
    }

    #[test]
    fn a_bucket_is_there_unless_the_way_is_closed() {
        let s3 = S3::start();
        s3.make_bucket("samples");
        assert_eq!(s3.keys("samples"), Vec::<String>::new());
        let over = || fleet::http().get(format!("{}/samples?list-type=2", s3.endpoint())).call();
        assert!(over().is_ok_and(|a| a.status() == 200));
        s3.close();
        assert!(over().is_err());
        s3.open();
        assert!(over().is_ok_and(|a| a.status() == 200));
    }
}
