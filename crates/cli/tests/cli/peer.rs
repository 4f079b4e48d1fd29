// SPDX-License-Identifier: Apache-2.0
//! The other end of the control socket, and a way to run the built `lazaret` against it.

use lazaret_proto::v1::request::Verb;
use lazaret_proto::v1::response::Answer;
use lazaret_proto::{frame, v1};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What a peer answers: `None` closes the connection without a last frame.
pub(crate) type Reply = Option<Vec<Answer>>;

/// A peer that speaks the frames; ends when it is dropped.
pub(crate) struct Peer {
    dir: tempfile::TempDir,
    seen: Arc<Mutex<Vec<v1::Request>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Peer {
    /// Answers every request by what `answer` says.
    pub(crate) fn new(answer: impl Fn(&Verb) -> Reply + Send + 'static) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join("control.sock")).unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (requests, stopping) = (Arc::clone(&seen), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopping.load(Ordering::SeqCst) {
                    return;
                }
                let mut stream = stream.unwrap();
                let Ok(Some(request)) = frame::read::<v1::Request>(&mut stream) else { continue };
                let answers = answer(request.verb.as_ref().unwrap());
                requests.lock().unwrap().push(request);
                let Some(answers) = answers else { continue };
                for answer in answers {
                    // A caller that has seen enough closes; the next one is served.
                    let _ = frame::write(&mut stream, &v1::Response { last: false, answer: Some(answer) });
                }
                let _ = frame::write(&mut stream, &v1::Response { last: true, answer: None });
            }
        });
        Self { dir, seen, stop, thread: Some(thread) }
    }

    /// A peer that refuses everything like this.
    pub(crate) fn refusing(kind: v1::failure::Kind, message: &str) -> Self {
        let message = message.to_owned();
        Self::new(move |_| {
            Some(vec![Answer::Failure(v1::Failure { kind: kind.into(), message: message.clone() })])
        })
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("control.sock")
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Verb> {
        self.seen.lock().unwrap().iter().map(|r| r.verb.clone().unwrap()).collect()
    }

    /// Runs `lazaret --socket ...` with these words.
    pub(crate) fn lazaret(&self, words: &[&str]) -> Ended {
        lazaret_with(&self.socket(), words)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = std::os::unix::net::UnixStream::connect(self.socket());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// How a run of `lazaret` ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(o: Output) -> Self {
        Self {
            status: o.status.code(),
            stdout: String::from_utf8(o.stdout).unwrap(),
            stderr: String::from_utf8(o.stderr).unwrap(),
        }
    }
}

/// The built program.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lazaret"));
    command.stdin(std::process::Stdio::null());
    command
}

/// Runs it with these words.
pub(crate) fn lazaret(words: &[&str]) -> Ended {
    program().args(words).output().unwrap().into()
}

fn lazaret_with(socket: &Path, words: &[&str]) -> Ended {
    program().arg("--socket").arg(socket).args(words).output().unwrap().into()
}
