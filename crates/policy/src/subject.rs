// SPDX-License-Identifier: Apache-2.0
//! What is known about the file on this host, beside its verdict.

use lazaret_model::ProcessFacts;

/// What the package databases say about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackageStanding {
    /// No package owns it (or the host has no package database).
    Unowned,
    /// A package owns the path.
    Owned {
        /// `name version`.
        package: String,
        /// The content is what the package shipped.
        intact: bool,
        /// The package's digest list itself comes from a signed source; without this an installed
        /// malicious package would vouch for itself.
        trusted: bool,
    },
    /// The database could not answer; says why.
    Unknown(String),
}

/// One file on this host, as [`crate::decide`] needs it.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    /// Path at the time of the event, raw bytes, as the kernel gave it (absolute, no links left).
    pub path: &'a [u8],
    /// What the package databases say.
    pub package: PackageStanding,
    /// Why the host cannot do without this file, from [`crate::CriticalPrograms::why`]. Only for
    /// files of the host itself: a path inside a container's root is not the host's program.
    pub critical: Option<&'a str>,
    /// A restore lets this content be on this host.
    pub exception: bool,
    /// Inode change time, milliseconds UTC. Not the modification time: everybody can set that one.
    pub changed_ms: Option<i64>,
    /// The acting or running process, where there is one.
    pub process: Option<&'a ProcessFacts>,
    /// That process runs the file, or is about to, and does so for a service of the system: not for
    /// one that a user started for himself.
    pub serves: bool,
    /// Something signed vouches for packages on this host at all. Where nothing does, a package
    /// without it is no stranger than every other.
    pub vouched: bool,
}

impl<'a> Subject<'a> {
    /// A file about which nothing is known but its path.
    #[must_use]
    pub const fn new(path: &'a [u8]) -> Self {
        Self {
            path,
            package: PackageStanding::Unowned,
            critical: None,
            exception: false,
            changed_ms: None,
            process: None,
            serves: false,
            vouched: true,
        }
    }
}
