// SPDX-License-Identifier: Apache-2.0
//! One request to the daemon: connect, one frame out, frames in until the last.

use crate::cli::Global;
use crate::config;
use crate::error::CliError;
use crate::escape;
use lazaret_proto::v1::request::Verb;
use lazaret_proto::v1::response::Answer;
use lazaret_proto::{CONTROL_VERSION, frame, v1};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long the daemon may take to accept a connection: a stopped one never does.
const CONNECT: Duration = Duration::from_secs(5);

/// How long the daemon may be silent within one request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Patience {
    /// Answers from memory or one query: 30 s.
    Short,
    /// Moves, seals or reads whole files: 30 min.
    Long,
    /// Until somebody interrupts.
    Endless,
}

impl Patience {
    const fn limit(self) -> Option<Duration> {
        match self {
            Self::Short => Some(Duration::from_secs(30)),
            Self::Long => Some(Duration::from_secs(30 * 60)),
            Self::Endless => None,
        }
    }
}

/// A daemon's control socket.
#[derive(Debug)]
pub(crate) struct Client {
    socket: PathBuf,
}

impl Client {
    /// By `--socket`, `--config` or the default; connects to nothing yet.
    ///
    /// # Errors
    /// When the configuration cannot be read.
    pub(crate) fn new(global: &Global) -> Result<Self, CliError> {
        Ok(Self { socket: config::socket(global)? })
    }

    /// Sends one request and hands each answer to `each` until the last, or until it breaks.
    ///
    /// # Errors
    /// No daemon, not permitted, the daemon's own failure answer, or what `each` returns.
    pub(crate) fn call(
        &self,
        verb: Verb,
        patience: Patience,
        mut each: impl FnMut(Answer) -> Result<ControlFlow<()>, CliError>,
    ) -> Result<(), CliError> {
        let mut stream = self.connect()?;
        stream.set_read_timeout(patience.limit()).map_err(|e| self.no_daemon(&e))?;
        stream.set_write_timeout(Some(CONNECT)).map_err(|e| self.no_daemon(&e))?;
        let request = v1::Request { version_min: 1, version_max: CONTROL_VERSION, verb: Some(verb) };
        let sent = frame::write(&mut stream, &request);
        loop {
            // A daemon that refuses the caller may answer and close before it has read the request.
            let response = match frame::read::<v1::Response>(&mut stream) {
                Ok(Some(response)) => response,
                Ok(None) => {
                    sent.map_err(|e| self.no_daemon(&e))?;
                    return Err(self.cut_short());
                }
                Err(e) => return Err(self.broken(&e, patience)),
            };
            let last = response.last;
            match response.answer {
                Some(Answer::Failure(failure)) => return Err(failure.into()),
                Some(answer) => {
                    let flow = each(answer)?;
                    if flow.is_break() {
                        return Ok(());
                    }
                }
                None => {}
            }
            if last {
                return Ok(());
            }
        }
    }

    /// All answers of one request.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub(crate) fn collect(&self, verb: Verb, patience: Patience) -> Result<Vec<Answer>, CliError> {
        let mut answers = Vec::new();
        self.call(verb, patience, |answer| {
            answers.push(answer);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(answers)
    }

    /// The daemon's status.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub(crate) fn status(&self) -> Result<v1::Status, CliError> {
        let answers = self.collect(Verb::Status(v1::StatusRequest {}), Patience::Short)?;
        answers
            .into_iter()
            .find_map(|a| if let Answer::Status(status) = a { Some(status) } else { None })
            .ok_or_else(|| CliError::Failed("the daemon answered without a status".into()))
    }

    /// Without blocking: a stopped daemon with a full backlog would hold a plain connect forever.
    fn connect(&self) -> Result<UnixStream, CliError> {
        let address = SocketAddrUnix::new(&self.socket).map_err(|e| {
            CliError::Usage(format!(
                "{} cannot be a socket: {e}. A socket's path has at most 107 bytes",
                escape::path(&self.socket)
            ))
        })?;
        let deadline = Instant::now() + CONNECT;
        loop {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let fd = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
                .map_err(|e| self.no_daemon(&e.into()))?;
            match rustix::net::connect(&fd, &address) {
                Ok(()) => {
                    let stream = UnixStream::from(fd);
                    stream.set_nonblocking(false).map_err(|e| self.no_daemon(&e))?;
                    return Ok(stream);
                }
                Err(Errno::AGAIN) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(Errno::INTR) => {}
                Err(Errno::ACCESS | Errno::PERM) => return Err(self.not_permitted()),
                Err(e) => return Err(self.no_daemon(&e.into())),
            }
        }
    }

    fn not_permitted(&self) -> CliError {
        CliError::NotPermitted(format!(
            "this user may not talk to the daemon at {}. Become root (`sudo lazaret ...`), or have root add \
             you to the group `lazaret` for the verbs that only read",
            escape::path(&self.socket)
        ))
    }

    fn no_daemon(&self, cause: &io::Error) -> CliError {
        let cause = match cause.kind() {
            io::ErrorKind::NotFound => "there is no such socket".to_owned(),
            io::ErrorKind::ConnectionRefused => "nobody listens there any more".to_owned(),
            io::ErrorKind::WouldBlock => "it accepts no connection (stopped or overloaded)".to_owned(),
            _ => cause.to_string(),
        };
        CliError::NoDaemon { socket: self.socket.clone(), cause }
    }

    fn broken(&self, cause: &io::Error, patience: Patience) -> CliError {
        match cause.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                let seconds = patience.limit().unwrap_or_default().as_secs();
                CliError::NoDaemon {
                    socket: self.socket.clone(),
                    cause: format!("it has said nothing for {seconds} s (stopped or overloaded)"),
                }
            }
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => self.cut_short(),
            _ => CliError::Failed(format!(
                "the answer from {} could not be understood: {cause}. Are lazaret and lazaretd of the same version?",
                escape::path(&self.socket)
            )),
        }
    }

    fn cut_short(&self) -> CliError {
        CliError::Failed(format!(
            "the daemon at {} closed the connection before its answer was complete. What was asked may have \
             been done: look with `lazaret events`, and at its log with `journalctl -u lazaretd`",
            escape::path(&self.socket)
        ))
    }
}
