// SPDX-License-Identifier: Apache-2.0
//! The answer.

/// Whose database it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Manager {
    /// Debian's.
    Dpkg,
    /// Red Hat's and SUSE's.
    Rpm,
}

impl Manager {
    /// `dpkg` or `rpm`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dpkg => "dpkg",
            Self::Rpm => "rpm",
        }
    }
}

/// What the package databases say about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// No installed package lists the path, or the host has no package database.
    Unowned,
    /// An installed package lists the path.
    Owned {
        /// `name version`.
        package: String,
        /// Whose database says so.
        manager: Manager,
        /// The content has the digest that the package recorded.
        intact: bool,
        /// Something signed vouches for the package.
        trusted: bool,
        /// What is missing for intact or trusted, for people; empty when nothing is.
        why: String,
    },
    /// The database could not answer; says why.
    Unknown(String),
}
