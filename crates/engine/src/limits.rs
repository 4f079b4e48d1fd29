// SPDX-License-Identifier: Apache-2.0
//! How much of a file is unpacked: little on a host, where somebody waits, more in the deep scan of a server.

use crate::unpack::{MAX_DEPTH, MAX_MEMBER, MAX_MEMBERS, MAX_OUTPUT};

/// Limits that hold for one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How deep archives in archives are opened.
    pub depth: usize,
    /// Members, nested ones included.
    pub members: u32,
    /// One member, bytes: larger ones are not judged.
    pub member: u64,
    /// All that is unpacked, bytes.
    pub output: u64,
}

impl Limits {
    /// Beyond that nobody gets: each level holds its member in memory.
    pub const MOST: Self = Self { depth: 16, members: 1_000_000, member: 512 << 20, output: 16 << 30 };

    /// Each at most as [`Limits::MOST`], and at least one.
    #[must_use]
    pub fn bounded(self) -> Self {
        Self {
            depth: self.depth.clamp(1, Self::MOST.depth),
            members: self.members.clamp(1, Self::MOST.members),
            member: self.member.clamp(1, Self::MOST.member),
            output: self.output.clamp(1, Self::MOST.output),
        }
    }
}

impl Default for Limits {
    /// Those of hosts.
    fn default() -> Self {
        Self { depth: MAX_DEPTH, members: MAX_MEMBERS, member: MAX_MEMBER, output: MAX_OUTPUT }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gets_beyond_the_most() {
        let greedy =
            Limits { depth: usize::MAX, members: u32::MAX, member: u64::MAX, output: u64::MAX }.bounded();
        assert_eq!(greedy, Limits::MOST);
        let none = Limits { depth: 0, members: 0, member: 0, output: 0 }.bounded();
        assert_eq!(none, Limits { depth: 1, members: 1, member: 1, output: 1 });
        assert_eq!(Limits::default().bounded(), Limits::default());
    }
}
