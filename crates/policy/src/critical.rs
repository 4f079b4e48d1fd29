// SPDX-License-Identifier: Apache-2.0
//! Critical programs: infected or not, they are never isolated without a person.

use crate::critical_seeds::{ANY_VERSION, SEED_DIRECTORIES, SEED_PROGRAMS};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

/// Why the host cannot do without a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CriticalRole {
    /// Runs as pid 1 or is started by it on every boot.
    Init,
    /// Lets people in.
    Login,
    /// Shells and interpreters that the system's own scripts need. The file is critical; a process
    /// of it is not, or no bad script could be ended.
    Shell,
    /// Installs and repairs packages.
    PackageManager,
    /// Needed to start the machine.
    Boot,
    /// The dynamic linker and what critical programs load.
    Library,
}

impl CriticalRole {
    /// For people, after "it is".
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Init => "part of the init system",
            Self::Login => "needed to log in",
            Self::Shell => "an interpreter that the system needs",
            Self::PackageManager => "needed to install and repair packages",
            Self::Boot => "needed to start the machine",
            Self::Library => "a library of critical programs",
        }
    }
}

impl fmt::Display for CriticalRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.describe())
    }
}

/// The path with `/bin`, `/sbin`, `/lib`, `/lib32`, `/lib64` and `/libx32` moved under `/usr`, so
/// that one form stands for merged and unmerged hosts.
#[must_use]
pub fn merged_path(path: &[u8]) -> Cow<'_, [u8]> {
    const TOP: [&[u8]; 6] = [b"/bin/", b"/sbin/", b"/lib/", b"/lib64/", b"/lib32/", b"/libx32/"];
    if TOP.iter().any(|t| path.starts_with(t)) {
        let mut merged = Vec::with_capacity(path.len() + 4);
        merged.extend_from_slice(b"/usr");
        merged.extend_from_slice(path);
        Cow::Owned(merged)
    } else {
        Cow::Borrowed(path)
    }
}

/// The role of a path by the seeds alone, in merged or unmerged form.
#[must_use]
pub fn critical_role(path: &[u8]) -> Option<CriticalRole> {
    let path = merged_path(path);
    let slash = path.iter().rposition(|b| *b == b'/')?;
    let (directory, name) = (path.get(..slash)?, path.get(slash + 1..)?);
    if name.is_empty() {
        return None;
    }
    let by_name = SEED_PROGRAMS.iter().find(|s| {
        same_bin(s.directory.as_bytes(), directory) && s.names.iter().any(|n| n.as_bytes() == name)
    });
    if let Some(s) = by_name {
        return Some(s.role);
    }
    SEED_DIRECTORIES
        .iter()
        .find(|s| is_directory(s.directory.as_bytes(), directory) && has_form(name, s.prefix, s.contains))
        .map(|s| s.role)
}

/// Some distributions link `/usr/sbin` to `/usr/bin`, so the two are one folder here.
fn same_bin(seed: &[u8], directory: &[u8]) -> bool {
    const BIN: [&[u8]; 2] = [b"/usr/bin", b"/usr/sbin"];
    seed == directory || (BIN.contains(&seed) && BIN.contains(&directory))
}

fn is_directory(pattern: &[u8], directory: &[u8]) -> bool {
    let mut want = pattern.split(|b| *b == b'/');
    let mut have = directory.split(|b| *b == b'/');
    loop {
        match (want.next(), have.next()) {
            (None, None) => return true,
            (Some(w), Some(h)) if w == b"*" || w == h => {}
            _ => return false,
        }
    }
}

fn has_form(name: &[u8], prefix: &str, contains: &str) -> bool {
    name.strip_prefix(prefix.as_bytes()).is_some_and(|rest| {
        if contains == ANY_VERSION {
            return rest.iter().all(|b| b.is_ascii_digit() || *b == b'.');
        }
        contains.is_empty() || rest.windows(contains.len()).any(|w| w == contains.as_bytes())
    })
}

/// The critical files of one host: the seeds and what the agent found them to load.
#[derive(Debug, Clone, Default)]
pub struct CriticalPrograms {
    extra: HashMap<Vec<u8>, (CriticalRole, String)>,
}

impl CriticalPrograms {
    /// The seeds alone.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file that the seeds do not know: a library out of the closure, pid 1's own program.
    /// `why` is for people: `loaded by /usr/sbin/sshd`.
    pub fn add(&mut self, path: &[u8], role: CriticalRole, why: impl Into<String>) {
        self.extra.entry(merged_path(path).into_owned()).or_insert_with(|| (role, why.into()));
    }

    /// The role of a file, `None` when it is not critical.
    #[must_use]
    pub fn role(&self, path: &[u8]) -> Option<CriticalRole> {
        critical_role(path).or_else(|| self.extra.get(merged_path(path).as_ref()).map(|(role, _)| *role))
    }

    /// Why the host cannot do without a file, for [`crate::Subject::critical`].
    #[must_use]
    pub fn why(&self, path: &[u8]) -> Option<&str> {
        critical_role(path)
            .map(CriticalRole::describe)
            .or_else(|| self.extra.get(merged_path(path).as_ref()).map(|(_, why)| why.as_str()))
    }

    /// Files that were added to the seeds.
    #[must_use]
    pub fn added(&self) -> usize {
        self.extra.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_layouts() {
        for (path, role) in [
            ("/usr/sbin/sshd", CriticalRole::Login),
            ("/sbin/init", CriticalRole::Init),
            ("/usr/bin/sshd", CriticalRole::Login),
            ("/lib/systemd/systemd", CriticalRole::Init),
            ("/lib/x86_64-linux-gnu/security/pam_unix.so", CriticalRole::Login),
            ("/usr/lib64/security/pam_sss.so", CriticalRole::Login),
            ("/lib/x86_64-linux-gnu/libnss_files.so.2", CriticalRole::Login),
            ("/lib64/ld-linux-x86-64.so.2", CriticalRole::Library),
            ("/usr/lib/aarch64-linux-gnu/libc.so.6", CriticalRole::Library),
            ("/bin/bash", CriticalRole::Shell),
            ("/usr/bin/python3.11", CriticalRole::Shell),
            ("/usr/bin/perl", CriticalRole::Shell),
            ("/usr/libexec/platform-python3.6", CriticalRole::Shell),
            ("/boot/vmlinuz-6.1.0-18-amd64", CriticalRole::Boot),
            ("/usr/bin/dnf-3", CriticalRole::PackageManager),
            ("/usr/bin/zypper", CriticalRole::PackageManager),
        ] {
            assert_eq!(critical_role(path.as_bytes()), Some(role), "{path}");
        }
    }

    #[test]
    fn a_folder_alone_buys_nothing() {
        for path in [
            "/usr/lib/systemd/evil",
            "/tmp/sshd",
            "/home/a/bin/bash",
            "/usr/lib/x/y/security/pam_x.so",
            "/var/lib/docker/overlay2/abc/diff/usr/sbin/sshd",
            "/usr/sbin/sshd/",
            "sshd",
            "",
            "/usr/lib/x86_64-linux-gnu/security/evil.so",
            "/boot/grub/evil",
            "/usr/bin/python3.evil",
            "/usr/bin/perl-miner",
        ] {
            assert_eq!(critical_role(path.as_bytes()), None, "{path}");
        }
    }

    #[test]
    fn closure_is_added_in_any_form() {
        let mut c = CriticalPrograms::new();
        assert_eq!(c.why(b"/usr/lib/x86_64-linux-gnu/libcrypto.so.3"), None);
        c.add(b"/lib/x86_64-linux-gnu/libcrypto.so.3", CriticalRole::Library, "loaded by /usr/sbin/sshd");
        assert_eq!(c.why(b"/usr/lib/x86_64-linux-gnu/libcrypto.so.3"), Some("loaded by /usr/sbin/sshd"));
        assert_eq!(c.role(b"/lib/x86_64-linux-gnu/libcrypto.so.3"), Some(CriticalRole::Library));
        assert_eq!(c.added(), 1);
    }

    #[test]
    fn seeds_are_in_merged_form() {
        for s in SEED_PROGRAMS {
            assert_eq!(merged_path(s.directory.as_bytes()), s.directory.as_bytes());
            for n in s.names {
                let path = format!("{}/{n}", s.directory);
                assert!(critical_role(path.as_bytes()).is_some(), "{path}");
            }
        }
        for s in SEED_DIRECTORIES {
            assert!(
                !s.prefix.is_empty() || !s.contains.is_empty(),
                "{} would take a whole folder",
                s.directory
            );
        }
    }
}
