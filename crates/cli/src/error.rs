// SPDX-License-Identifier: Apache-2.0
//! Why a verb did not do what it was asked, and the exit status for it. Every message names the
//! thing, the cause and the way out.

use crate::escape;
use lazaret_proto::v1;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Something was found, or the action failed.
pub(crate) const EXIT_FOUND: u8 = 1;
/// Nothing found, but something could not be scanned.
pub(crate) const EXIT_UNSCANNED: u8 = 2;
/// `EX_USAGE` of sysexits.h.
pub(crate) const EXIT_USAGE: u8 = 64;
/// `EX_UNAVAILABLE` of sysexits.h.
pub(crate) const EXIT_NO_DAEMON: u8 = 69;
/// `EX_NOPERM` of sysexits.h.
pub(crate) const EXIT_NOT_PERMITTED: u8 = 77;
/// 128 and SIGINT, as a shell reports an interrupted program.
pub(crate) const EXIT_INTERRUPTED: u8 = 130;
/// 128 and SIGPIPE, as a shell reports a program whose reader went away.
const EXIT_BROKEN_PIPE: u8 = 141;

/// Why a verb ended.
#[derive(Debug)]
pub(crate) enum CliError {
    /// The arguments make no sense together, or the daemon says so.
    Usage(String),
    /// Nobody answers at the socket.
    NoDaemon {
        /// Where it was looked for.
        socket: PathBuf,
        /// What the connection said.
        cause: String,
    },
    /// The fleet's server cannot be reached, or is not who it should be.
    NoServer {
        /// Where it was looked for.
        url: String,
        /// What the connection said.
        cause: String,
    },
    /// This user may not do that.
    NotPermitted(String),
    /// It was tried and did not work.
    Failed(String),
    /// A scan that could not even begin.
    Unscanned(String),
    /// The reader of the output is gone.
    BrokenPipe,
    /// Ctrl-C.
    Interrupted,
}

impl CliError {
    /// The process's exit status.
    pub(crate) const fn exit_status(&self) -> u8 {
        match self {
            Self::Usage(_) => EXIT_USAGE,
            Self::NoDaemon { .. } | Self::NoServer { .. } => EXIT_NO_DAEMON,
            Self::NotPermitted(_) => EXIT_NOT_PERMITTED,
            Self::Failed(_) => EXIT_FOUND,
            Self::Unscanned(_) => EXIT_UNSCANNED,
            Self::BrokenPipe => EXIT_BROKEN_PIPE,
            Self::Interrupted => EXIT_INTERRUPTED,
        }
    }

    /// The word in JSON.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Usage(_) => "usage",
            Self::NoDaemon { .. } => "no_daemon",
            Self::NoServer { .. } => "no_server",
            Self::NotPermitted(_) => "not_permitted",
            Self::Failed(_) => "failed",
            Self::Unscanned(_) => "unscanned",
            Self::BrokenPipe => "broken_pipe",
            Self::Interrupted => "interrupted",
        }
    }

    /// Whether there is nothing to tell and nobody to tell it to.
    pub(crate) const fn is_quiet(&self) -> bool {
        matches!(self, Self::BrokenPipe)
    }

    /// A file that could not be read or written.
    pub(crate) fn file(doing: &str, path: &Path, cause: &io::Error) -> Self {
        let text = format!("cannot {doing} {}: {cause}", escape::path(path));
        if cause.kind() == io::ErrorKind::PermissionDenied {
            Self::NotPermitted(text)
        } else {
            Self::Failed(text)
        }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::NotPermitted(text) | Self::Failed(text) | Self::Unscanned(text) => {
                f.write_str(text)
            }
            Self::NoDaemon { socket, cause } => write!(
                f,
                "the daemon does not answer at {}: {cause}. Start it with `systemctl start lazaretd`, name \
                 another socket with --socket or --config, or look for malware without it: `lazaret scan PATH`",
                escape::path(socket)
            ),
            Self::NoServer { url, cause } => write!(
                f,
                "the server does not answer at {}: {cause}. Is it running, and is this its address? Where its \
                 authority changed, sign in again with --ca-fingerprint",
                escape::text(url)
            ),
            Self::BrokenPipe => f.write_str("nobody reads the output"),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl std::error::Error for CliError {}

impl From<v1::Failure> for CliError {
    fn from(failure: v1::Failure) -> Self {
        use v1::failure::Kind;
        let text = if failure.message.is_empty() {
            "the daemon refused without saying why; its log may: `journalctl -u lazaretd`".to_owned()
        } else {
            escape::text(&failure.message)
        };
        match failure.kind() {
            Kind::NotPermitted => Self::NotPermitted(text),
            Kind::BadRequest => Self::Usage(text),
            Kind::NotFound | Kind::Refused | Kind::Failed | Kind::UnsupportedVersion | Kind::Unspecified => {
                Self::Failed(text)
            }
        }
    }
}

/// What writing to stdout may end in.
impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::BrokenPipe
        } else {
            Self::Failed(format!("cannot write the output: {error}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use v1::failure::Kind;

    #[test]
    fn each_failure_of_the_daemon_has_its_exit_status() {
        let status = |kind: Kind| {
            CliError::from(v1::Failure { kind: kind.into(), message: "why".into() }).exit_status()
        };
        assert_eq!(status(Kind::NotPermitted), 77);
        assert_eq!(status(Kind::BadRequest), 64);
        assert_eq!(status(Kind::NotFound), 1);
        assert_eq!(status(Kind::Refused), 1);
        assert_eq!(status(Kind::Failed), 1);
        assert_eq!(status(Kind::UnsupportedVersion), 1);
    }

    #[test]
    fn a_missing_daemon_comes_with_two_ways_out() {
        let text = CliError::NoDaemon { socket: "/run/x".into(), cause: "gone".into() }.to_string();
        assert!(text.contains("systemctl start lazaretd") && text.contains("lazaret scan"), "{text}");
    }
}
