// SPDX-License-Identifier: Apache-2.0
//! Cuts a scan into folders, in one order, so that it can say how far it is and go on after a restart.

use super::address::hex;
use crate::core::Core;
use crate::log::printable;
use lazaret_proto::v1;
use lazaret_sys::procfs;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Paths of one order.
const MAX_PATHS: usize = 1_000;
/// More folders than this are not cut any finer.
const MAX_UNITS: usize = 20_000;

/// Where programs that nobody installed lie most often.
const QUICK: [&str; 15] = [
    "/tmp",
    "/var/tmp",
    "/dev/shm",
    "/run",
    "/root",
    "/home",
    "/opt",
    "/srv",
    "/var/www",
    "/var/spool/cron",
    "/etc/cron.d",
    "/etc/init.d",
    "/etc/systemd/system",
    "/usr/local",
    "/var/lib/php",
];

/// One part of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unit {
    /// A folder or file with everything below.
    Tree(PathBuf),
    /// The files of a folder, without its folders.
    Files(PathBuf),
    /// Programs of running processes.
    Running(Vec<PathBuf>),
}

impl Unit {
    /// Ordered, and never empty: where a scan begins.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Running(_) => "0".into(),
            Self::Files(path) => format!("1{}00", hex(path.as_os_str().as_bytes())),
            Self::Tree(path) => format!("1{}01", hex(path.as_os_str().as_bytes())),
        }
    }

    /// Whether it lies in what is left out; the walk itself leaves out what is below its roots.
    pub(super) fn is_below(&self, folders: &[Vec<u8>]) -> bool {
        match self {
            Self::Running(_) => false,
            Self::Tree(path) | Self::Files(path) => {
                folders.iter().any(|f| path.starts_with(Path::new(OsStr::from_bytes(f))))
            }
        }
    }

    /// For the walk.
    pub(super) fn roots(&self) -> Vec<PathBuf> {
        match self {
            Self::Tree(path) => vec![path.clone()],
            Self::Running(paths) => paths.clone(),
            Self::Files(path) => {
                let entries = fs::read_dir(path).into_iter().flatten().flatten();
                entries.filter(|e| e.file_type().is_ok_and(|t| t.is_file())).map(|e| e.path()).collect()
            }
        }
    }
}

/// In the order of their names. Says why where nothing of it can be scanned.
pub(super) fn units(core: &Core, order: &v1::ScanCommand) -> Result<Vec<Unit>, String> {
    let given: Vec<PathBuf> = order.paths.iter().map(|p| PathBuf::from(OsStr::from_bytes(p))).collect();
    let mut out = BTreeMap::new();
    let roots = match order.kind.as_str() {
        "full" => core.protection.roots(),
        "quick" => {
            let mut running: Vec<PathBuf> = procfs::pids()
                .filter_map(|pid| fs::read_link(format!("/proc/{pid}/exe")).ok())
                .filter(|path| is_protected(core, path))
                .collect();
            running.sort_unstable();
            running.dedup();
            let unit = Unit::Running(running);
            out.insert(unit.name(), unit);
            let web = core.scope().web_roots.clone();
            let web = web.into_iter().map(|p| PathBuf::from(std::ffi::OsString::from_vec(p)));
            let all: Vec<PathBuf> = QUICK.into_iter().map(PathBuf::from).chain(web).collect();
            // A host that protects single mounts has little else that is worth a look.
            let own = core.config.protect.mounts.clone();
            all.into_iter().chain(own).filter(|p| is_protected(core, p)).collect()
        }
        "custom" => checked(core, given)?,
        other => {
            let shown = printable(other.as_bytes());
            return Err(format!("there is no scan \"{shown}\"; known: quick, full, custom"));
        }
    };
    if roots.is_empty() && out.is_empty() {
        return Err("no filesystem is protected on this host: there is nothing to scan".into());
    }
    for root in roots {
        cut(&root, 2, &mut out);
    }
    Ok(out.into_values().collect())
}

fn is_protected(core: &Core, path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|m| !m.is_symlink() && core.protection.is_protected(m.dev()))
}

fn checked(core: &Core, paths: Vec<PathBuf>) -> Result<Vec<PathBuf>, String> {
    if paths.is_empty() || paths.len() > MAX_PATHS {
        return Err(format!("a custom scan names 1 to {MAX_PATHS} paths, this one {}", paths.len()));
    }
    for path in &paths {
        let bytes = path.as_os_str().as_bytes();
        let shown = printable(bytes);
        let steps_back = bytes.split(|b| *b == b'/').any(|part| matches!(part, b"." | b".."));
        if !path.is_absolute() || bytes.contains(&0) || steps_back {
            return Err(format!("\"{shown}\" is no absolute path without . and .."));
        }
        match fs::symlink_metadata(path) {
            Err(e) => return Err(format!("{shown}: {e}")),
            Ok(m) if m.is_symlink() => {
                return Err(format!("{shown} is a symbolic link: name what it leads to"));
            }
            Ok(m) if !core.protection.is_protected(m.dev()) => {
                return Err(format!("{shown} is on a filesystem that this host does not protect"));
            }
            Ok(_) => {}
        }
    }
    Ok(paths)
}

/// As fine as `levels` of folders.
fn cut(path: &Path, levels: u32, out: &mut BTreeMap<String, Unit>) {
    let mut add = |unit: Unit| {
        out.insert(unit.name(), unit);
    };
    let Ok(meta) = fs::symlink_metadata(path) else { return };
    let below = (meta.is_dir() && levels > 0).then(|| fs::read_dir(path).ok()).flatten();
    let Some(below) = below else { return add(Unit::Tree(path.to_owned())) };
    add(Unit::Files(path.to_owned()));
    for entry in below.flatten() {
        let is_folder = entry.file_type().is_ok_and(|t| t.is_dir());
        // What is mounted there has a root of its own.
        let here = is_folder && entry.metadata().is_ok_and(|m| m.dev() == meta.dev());
        if here {
            let levels = if out.len() < MAX_UNITS { levels - 1 } else { 0 };
            cut(&entry.path(), levels, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_in_one_unit() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["f", "a/g", "a/b/h", "a/b/c/i", "d/j"] {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        std::os::unix::fs::symlink("/etc", dir.path().join("link")).unwrap();
        let mut out = BTreeMap::new();
        cut(dir.path(), 2, &mut out);
        let at = |p: &str| dir.path().join(p);
        let units: Vec<Unit> = out.into_values().collect();
        assert!(units.contains(&Unit::Tree(at("a/b"))) && units.contains(&Unit::Files(at("a"))));
        assert_eq!(units.len(), 4, "{units:?}");
        let names: Vec<String> = units.iter().map(Unit::name).collect();
        assert!(names.is_sorted() && names.iter().all(|n| n.as_str() > ""), "{names:?}");
        let files = units.iter().find(|u| **u == Unit::Files(dir.path().to_owned())).unwrap();
        assert_eq!(files.roots(), [at("f")]);
        // A path that is a file is one unit.
        let mut out = BTreeMap::new();
        cut(&at("f"), 2, &mut out);
        assert_eq!(out.into_values().collect::<Vec<_>>(), [Unit::Tree(at("f"))]);
    }
}
