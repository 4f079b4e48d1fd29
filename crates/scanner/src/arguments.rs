// SPDX-License-Identifier: Apache-2.0
//! The command line, as the pool writes it.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// What the pool asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments {
    /// Content pack.
    pub content: PathBuf,
    /// Third-party YARA rules, files or folders.
    pub rules: Vec<PathBuf>,
    /// Numeric uid and gid of the workers.
    pub uid_gid: Option<(u32, u32)>,
    /// Whether Lazaret test programs are recognised.
    pub test_programs: bool,
    /// The deep scan of a server: its test programs are recognised too.
    pub deep: bool,
    /// How deep archives in archives are opened; `None` of these: as on a host.
    pub depth: Option<u64>,
    /// Members of a file.
    pub members: Option<u64>,
    /// One member, bytes.
    pub member: Option<u64>,
    /// All that is unpacked from a file, bytes.
    pub unpacked: Option<u64>,
    /// Private memory of a worker, bytes.
    pub memory: u64,
}

/// Private memory of a worker, bytes, unless it is said.
const MEMORY: u64 = 1 << 30;
/// Least and most that may be said.
const MEMORY_BOUNDS: std::ops::RangeInclusive<u64> = 256 << 20..=16 << 30;

/// What a person who starts the program reads.
pub const USAGE: &str = "lazaret-scanner is started by Lazaret itself, with a SOCK_SEQPACKET socket as \
descriptor 3:\n  lazaret-scanner --spawner --content PACK [--rules FILE_OR_DIR]... [--uid N --gid N] \
[--no-test-programs]\n  [--deep] [--depth N] [--members N] [--member BYTES] [--unpacked BYTES] [--memory BYTES]\nTo scan files, use: lazaret scan PATH...";

impl Arguments {
    /// Parses what follows the program's name.
    ///
    /// # Errors
    /// With a sentence that names the argument.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut arguments = arguments.into_iter();
        let (mut spawner, mut content, mut rules) = (false, None, Vec::new());
        let (mut uid, mut gid, mut test_programs) = (None, None, true);
        let (mut deep, mut memory) = (false, MEMORY);
        let (mut depth, mut members, mut member, mut unpacked) = (None, None, None, None);
        while let Some(argument) = arguments.next() {
            let mut value =
                || arguments.next().ok_or_else(|| format!("{} needs a value", argument.display()));
            match argument.to_str() {
                Some("--spawner") => spawner = true,
                Some("--content") => content = Some(PathBuf::from(value()?)),
                Some("--rules") => rules.push(PathBuf::from(value()?)),
                Some("--uid") => uid = Some(number(&value()?)?),
                Some("--gid") => gid = Some(number(&value()?)?),
                Some("--no-test-programs") => test_programs = false,
                Some("--deep") => deep = true,
                Some("--depth") => depth = Some(count(&value()?)?),
                Some("--members") => members = Some(count(&value()?)?),
                Some("--member") => member = Some(count(&value()?)?),
                Some("--unpacked") => unpacked = Some(count(&value()?)?),
                Some("--memory") => memory = count(&value()?)?,
                _ => return Err(format!("unknown argument {}", argument.display())),
            }
        }
        if !spawner {
            return Err("--spawner is missing".into());
        }
        let uid_gid = match (uid, gid) {
            (Some(uid), Some(gid)) => Some((uid, gid)),
            (None, None) => None,
            _ => return Err("--uid and --gid go together".into()),
        };
        let content = content.ok_or("--content is missing")?;
        if !MEMORY_BOUNDS.contains(&memory) {
            let (least, most) = (MEMORY_BOUNDS.start(), MEMORY_BOUNDS.end());
            return Err(format!("--memory {memory}: must be {least} to {most}"));
        }
        Ok(Self { content, rules, uid_gid, test_programs, deep, depth, members, member, unpacked, memory })
    }
}

fn count(text: &OsStr) -> Result<u64, String> {
    text.to_str()
        .and_then(|t| t.parse().ok())
        .filter(|n| *n > 0)
        .ok_or_else(|| format!("{} is not a number above zero", text.display()))
}

fn number(text: &OsStr) -> Result<u32, String> {
    text.to_str()
        .and_then(|t| t.parse().ok())
        .ok_or_else(|| format!("{} is not a number from 0 to 4294967295", text.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split(' ').map(Into::into))
    }

    #[test]
    fn everything_is_understood() {
        let a = parse("--spawner --content a.pack --rules x --rules y --uid 4 --gid 5 --no-test-programs");
        let expected = Arguments {
            content: "a.pack".into(),
            rules: vec!["x".into(), "y".into()],
            uid_gid: Some((4, 5)),
            test_programs: false,
            deep: false,
            depth: None,
            members: None,
            member: None,
            unpacked: None,
            memory: MEMORY,
        };
        assert_eq!(a, Ok(expected));
    }

    #[test]
    fn a_server_asks_for_more() {
        let a = parse(
            "--spawner --content a --deep --depth 8 --members 9 --member 10 --unpacked 11 --memory 536870912",
        )
        .unwrap();
        assert!(a.deep && a.test_programs);
        assert_eq!((a.depth, a.members, a.member, a.unpacked), (Some(8), Some(9), Some(10), Some(11)));
        assert_eq!(a.memory, 536_870_912);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, what) in [
            ("--content a", "--spawner"),
            ("--spawner", "--content"),
            ("--spawner --content", "--content"),
            ("--spawner --content a --uid 4", "--gid"),
            ("--spawner --content a --uid -1 --gid 1", "-1"),
            ("--spawner --content a --shell", "--shell"),
            ("--spawner --content a --depth 0", "above zero"),
            ("--spawner --content a --memory 1", "--memory 1"),
            ("--spawner --content a --members -3", "-3"),
        ] {
            assert!(parse(line).unwrap_err().contains(what), "{line}");
        }
    }
}
