// SPDX-License-Identifier: Apache-2.0
//! A scanner that does on purpose what a taken-over one would do: the file's text says what.
//!
//! It takes the place of `lazaret-scanner` behind a pool, in the very same jail, and so proves in
//! tests that the jail bites and that the pool survives. On a word it does not know it answers
//! a clean report, as an honest scanner would.

#![forbid(unsafe_code)]

use lazaret_model::{
    Confidence, ContentInfo, FileType, MalwareClass, ScanError, ScanReport, Sha256, Verdict,
};
use lazaret_scanner::{Content, Judge};
use lazaret_sys::fd_passing;
use lazaret_sys::jail::{ExitWhenExhausted, Probe};
use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: ExitWhenExhausted = ExitWhenExhausted;

/// A spinning worker ends by itself after this, should the pool fail to end it.
const LONGEST: Duration = Duration::from_secs(15);

struct Nothing {
    version: String,
}

impl Content for Nothing {
    fn info(&self) -> ContentInfo {
        ContentInfo { version: self.version.clone(), ..ContentInfo::default() }
    }

    fn judge(&self) -> Box<dyn Judge + '_> {
        // Taken over a second time, to talk to the pool past the worker's own loop.
        let socket = ManuallyDrop::new(fd_passing::inherited(3).ok());
        Box::new(Misbehaving { version: self.version.clone(), socket })
    }
}

struct Misbehaving {
    version: String,
    /// Owned by the worker's loop, which closes it.
    socket: ManuallyDrop<Option<OwnedFd>>,
}

impl Judge for Misbehaving {
    fn judge(&mut self, file: &File, name: &[u8], _members: bool) -> Result<ScanReport, ScanError> {
        let mut text = [0; 64];
        let length = file.read_at(&mut text, 0).map_err(|e| ScanError::Unreadable(e.to_string()))?;
        let word = String::from_utf8_lossy(text.get(..length).unwrap_or_default()).into_owned();
        let outcome = |r: std::io::Result<()>| match r {
            Ok(()) => ScanError::Unreadable(format!("{word}: SUCCEEDED")),
            Err(e) => ScanError::Unreadable(format!("{word}: {e}")),
        };
        match word.as_str() {
            "write" => Err(outcome(Probe::Write(file.as_raw_fd()).attempt())),
            "spin" => {
                let start = Instant::now();
                while start.elapsed() < LONGEST {
                    std::hint::spin_loop();
                }
                Err(ScanError::Unreadable("spin: SUCCEEDED".into()))
            }
            "allocate" => {
                let mut hoard: Vec<Vec<u8>> = Vec::new();
                while hoard.len() < 4096 {
                    hoard.push(vec![1; 1024 * 1024]);
                }
                Err(ScanError::Unreadable(format!("allocate: SUCCEEDED with {} MiB", hoard.len())))
            }
            "overflow" => Err(ScanError::Unreadable(format!("overflow: {}", deeper(u64::from(text[0]))))),
            #[allow(clippy::panic, reason = "that is what is being tried")]
            "panic" => panic!("on purpose"),
            "lie-long" => Err(self.lie(&vec![8; 100_000])),
            "lie-garbage" => Err(self.lie(&[0xff; 100])),
            // Field 1, a token that nobody gave.
            "lie-token" => Err(self.lie(&[8, 99])),
            "slow" => {
                let start = Instant::now();
                while start.elapsed() < Duration::from_millis(20) {
                    std::hint::spin_loop();
                }
                Ok(self.clean(name))
            }
            word => match Probe::from_word(word) {
                Some(probe) => Err(outcome(probe.attempt())),
                None => Ok(self.clean(name)),
            },
        }
    }
}

impl Misbehaving {
    /// Says something to the pool that is no answer; it ends this worker for that.
    fn lie(&self, bytes: &[u8]) -> ScanError {
        let sent = self.socket.as_ref().map(|socket| fd_passing::send_bytes(socket, bytes));
        ScanError::Unreadable(format!("lie: {sent:?}"))
    }

    fn clean(&self, name: &[u8]) -> ScanReport {
        ScanReport {
            verdict: Verdict {
                sha256: Sha256([0; 32]),
                size: 0,
                file_type: FileType::Other,
                member: None,
                class: MalwareClass::Trojan,
                // So that a test sees which answer it got.
                family: String::from_utf8_lossy(name).into_owned(),
                confidence: Confidence::new(0),
                evidence: Vec::new(),
                content_version: self.version.clone(),
                test: false,
            },
            members: Vec::new(),
            objects: 1,
            bytes: 0,
            unscanned: Vec::new(),
            elf: None,
            tlsh: String::new(),
        }
    }
}

#[allow(unconditional_recursion, reason = "that is what is being tried")]
fn deeper(n: u64) -> u64 {
    let room = std::hint::black_box([n; 512]);
    deeper(n + 1) + room[7]
}

fn main() -> ExitCode {
    lazaret_scanner::run(std::env::args_os().skip(1), |arguments| {
        let version = arguments.content.display().to_string();
        if version == "broken" {
            return Err("broken: this content is broken on purpose".into());
        }
        Ok(Nothing { version })
    })
}
