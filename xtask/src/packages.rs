// SPDX-License-Identifier: Apache-2.0
//! Debian packages that a verb needs: a pinned list with reasons, and their installation.

use crate::run::{self, Error};
use std::process::Command;

/// One Debian package.
pub(crate) struct Package {
    /// Its name in Debian 12.
    name: &'static str,
    /// A program that shows that it is there, however it came; empty: ask dpkg.
    program: &'static str,
    /// What it is for.
    why: &'static str,
}

const fn package(name: &'static str, program: &'static str, why: &'static str) -> Package {
    Package { name, program, why }
}

/// What building and running needs beyond Rust.
pub(crate) const UP: &[Package] = &[
    package("gcc", "gcc", "compiles the bundled SQLite and links"),
    package("libc6-dev", "", "C headers and start files for linking"),
];

/// What the tests need beyond [`UP`].
pub(crate) const TEST: &[Package] = &[
    package("acl", "setfacl", "ACLs that a restore must bring back"),
    package("age", "age", "opens vault objects independently of our code"),
    package("attr", "setfattr", "extended attributes that a restore must bring back"),
    package("bindfs", "bindfs", "a file system served by a program, as network ones are"),
    package("btrfs-progs", "mkfs.btrfs", "btrfs loop mounts and subvolumes"),
    package("clamav-daemon", "clamd", "another scanner that the deep scan asks"),
    package("e2fsprogs", "mkfs.ext4", "ext4 loop mounts and inode flags"),
    package("gdb", "gdb", "a process that is stopped in a debugger"),
    package("git", "git", "lists the files of the tree for tidy"),
    package("gpg", "gpg", "signs packages and indexes in the package database tests"),
    package("gpg-agent", "gpg-agent", "holds the keys of those tests"),
    package("iproute2", "ip", "hosts as network namespaces"),
    package("libcap2-bin", "setcap", "file capabilities that a restore must bring back"),
    package("lz4", "lz4", "compressed apt indexes in the package database tests"),
    package("mount", "mount", "tmpfs and loop mounts"),
    package("nodejs", "node", "builds the web console; an OpenID provider for the tests; 20 or later"),
    package("npm", "npm", "installs that provider, and the web console's packages, as lock files pin them"),
    package(
        "postgresql-15",
        "",
        "the database of the server's stories; their own cluster in a temporary folder",
    ),
    package("python3", "python3", "scripts as test programs"),
    package("rpm", "rpmbuild", "a real rpm database, built by rpm itself"),
    package("strace", "strace", "fails and cuts off system calls one by one"),
    package("util-linux", "unshare", "namespaces and other users"),
    package("xfsprogs", "mkfs.xfs", "xfs loop mounts, and filesystems shut down as by a power cut"),
];

/// The browser of the console's stories, and letters for it.
pub(crate) const BROWSER: &[Package] = &[
    package("chromium", "chromium", "the browser before the web console, steered by its stories"),
    package("fonts-dejavu-core", "", "Latin letters in that browser"),
    package("fonts-noto-cjk", "", "Chinese letters in that browser"),
];

/// What makes Python's virtual environments, where Python alone cannot.
pub(crate) const VENV: &[Package] =
    &[package("python3-venv", "", "folders of their own for the tests' Python packages")];

/// Installs what is missing of `wanted`, says so first. Nothing happens when nothing is missing.
///
/// # Errors
/// Something is missing and cannot be installed: not root, no apt, no network.
pub(crate) fn install(wanted: &[&[Package]]) -> Result<(), Error> {
    let missing: Vec<&Package> = wanted.iter().copied().flatten().filter(|p| !present(p)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("These Debian packages are missing and are installed now:");
    for package in &missing {
        eprintln!("  {:<12} {}", package.name, package.why);
    }
    let names: Vec<&str> = missing.iter().map(|p| p.name).collect();
    let by_hand = format!("apt-get install --no-install-recommends {}", names.join(" "));
    if !run::in_path("apt-get") {
        return Err(Error::failed(format!(
            "there is no apt-get here; install the equivalents of: {}",
            names.join(" ")
        )));
    }
    if !run::is_root() {
        return Err(Error::failed(format!("installing needs root; run as root: {by_hand}")));
    }
    // Package lists may be there and fit: asking the network first would fail machines without one.
    if has_lists() && run::run(&mut apt("install", &names)).is_ok() {
        return Ok(());
    }
    run::run(&mut apt("update", &[]))
        .and_then(|()| run::run(&mut apt("install", &names)))
        .map_err(|e| Error::failed(format!("{e}; is there a network? By hand: {by_hand}")))
}

fn apt(verb: &str, names: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").stdin(std::process::Stdio::null());
    command.args(["-q", "-y", "-o", "DPkg::Lock::Timeout=300", verb]);
    if !names.is_empty() {
        command.arg("--no-install-recommends").arg("--").args(names);
    }
    command
}

fn has_lists() -> bool {
    let lists = std::fs::read_dir("/var/lib/apt/lists").into_iter().flatten().flatten();
    lists.map(|entry| entry.file_name()).any(|name| name.to_string_lossy().contains("_Packages"))
}

/// Whether the package's program is there, or dpkg says that the package is.
fn present(package: &Package) -> bool {
    if !package.program.is_empty() {
        return run::in_path(package.program);
    }
    let mut ask = Command::new("dpkg-query");
    ask.args(["--show", "--showformat", "${db:Status-Status}", "--", package.name]);
    match ask.stderr(std::process::Stdio::null()).output() {
        Ok(answer) => answer.stdout == b"installed",
        // Not a Debian: the linker will say what is missing better than we could.
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_and_without_repeats() {
        let names: Vec<_> = TEST.iter().map(|p| p.name).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        assert!(TEST.iter().all(|p| UP.iter().all(|u| u.name != p.name)));
        assert!(BROWSER.iter().all(|p| TEST.iter().all(|t| t.name != p.name)));
    }

    #[test]
    fn sees_what_is_there() {
        assert!(present(&package("bash", "bash", "")));
        assert!(!present(&package("no-such-package", "no-such-program", "")));
        if run::in_path("dpkg-query") {
            assert!(present(&package("dpkg", "", "")));
            assert!(!present(&package("no-such-package", "", "")));
        }
    }

    #[test]
    fn asks_apt_without_questions() {
        let text = run::shown(&apt("install", &["acl"]));
        assert_eq!(text, "apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends -- acl");
    }
}
