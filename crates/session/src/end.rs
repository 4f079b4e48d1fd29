// SPDX-License-Identifier: Apache-2.0
//! How a session ends.

use lazaret_proto::v1;
use std::fmt;
use v1::goodbye::Kind;

/// Why a session is over.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// The other side said goodbye.
    Told(v1::Goodbye),
    /// This side did.
    Said(v1::Goodbye),
    /// The connection broke or was closed without a word.
    Broken(String),
    /// Nothing was heard for too long: the connection stands only here.
    Silent,
    /// The other side broke the protocol and cannot be told more than that.
    Protocol(String),
    /// What this side needs of its own (journal, database) failed.
    Own(String),
}

impl End {
    /// The goodbye, whoever said it.
    #[must_use]
    pub fn goodbye(&self) -> Option<&v1::Goodbye> {
        match self {
            Self::Told(g) | Self::Said(g) => Some(g),
            _ => None,
        }
    }

    /// Whether the agent stopped in order, so that its silence is no alarm.
    #[must_use]
    pub fn is_shutdown(&self) -> bool {
        matches!(self, Self::Told(g) if g.kind() == Kind::Shutdown)
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Told(g) => write!(f, "the other side ended it: {} {}", g.kind().as_str_name(), g.message),
            Self::Said(g) => write!(f, "ended it: {} {}", g.kind().as_str_name(), g.message),
            Self::Broken(why) => write!(f, "the connection broke: {why}"),
            Self::Silent => write!(f, "nothing was heard for too long"),
            Self::Protocol(why) => write!(f, "the other side broke the protocol: {why}"),
            Self::Own(why) => write!(f, "{why}"),
        }
    }
}

/// A goodbye without a token.
#[must_use]
pub fn goodbye(kind: Kind, message: impl Into<String>) -> v1::Goodbye {
    v1::Goodbye { kind: kind as i32, message: message.into(), retry_after_ms: 0, token: String::new() }
}
