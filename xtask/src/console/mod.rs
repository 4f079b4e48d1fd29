// SPDX-License-Identifier: Apache-2.0
//! The web console: `console/` becomes `console/dist`, which the server's program has in it.

mod stories;

pub(crate) use stories::{screenshots, stories};

use crate::cargo::root;
use crate::run::{self, Error};
use crate::{cache, npm};
use std::hash::{DefaultHasher, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// In `dist`: what it was built from. The name is hidden, so that it is no part of the console.
const STAMP: &str = ".built-from";
/// Not what the console is built from.
const APART: [&str; 3] = ["dist", "node_modules", "stories"];

/// `console`: builds it, or says why that is not possible.
///
/// # Errors
/// As [`build`].
pub(crate) fn console(arguments: &[String]) -> Result<(), Error> {
    match arguments.first() {
        Some(argument) => Err(Error::usage(format!("console takes no arguments, got `{argument}`"))),
        None => build(),
    }
}

/// Builds the console where that is possible; else says why not, and everything else is built all the same: the
/// server says under /ui/ that it has none.
pub(crate) fn build_or_go_on() {
    if let Err(error) = build() {
        eprintln!("{error}\nGoing on without a new web console.");
    }
}

/// Builds the console when its sources have changed.
///
/// # Errors
/// There is no Node.js, its packages cannot be installed, or it does not build.
fn build() -> Result<(), Error> {
    let folder = folder();
    let dist = folder.join("dist");
    // cargo looks at this folder, and would ask again at every build if it were not there.
    std::fs::create_dir_all(&dist).map_err(|e| Error::failed(format!("{}: {e}", dist.display())))?;
    if !folder.join("package-lock.json").is_file() {
        return Ok(());
    }
    let sources = format!("{:016x}\n", digest(&folder)?);
    let stamp = dist.join(STAMP);
    if std::fs::read_to_string(&stamp).is_ok_and(|there| there == sources) {
        return Ok(());
    }
    npm::usable()?;
    packages()?;
    run::run(npm("run", &["--silent", "build"]).stdin(Stdio::null()))?;
    std::fs::write(&stamp, sources).map_err(|e| Error::failed(format!("{}: {e}", stamp.display())))
}

/// Types, lints, texts, the API's description and sizes.
///
/// # Errors
/// Something of it is not as it should be, or Node.js is not there.
pub(crate) fn check() -> Result<(), Error> {
    npm::usable()?;
    packages()?;
    let done = run::run(npm("run", &["--silent", "check"]).stdin(Stdio::null()));
    // It builds anew from the same sources.
    let folder = folder();
    if done.is_ok() && folder.join("dist/index.html").is_file() {
        let stamp = folder.join("dist").join(STAMP);
        let _ = std::fs::write(stamp, format!("{:016x}\n", digest(&folder)?));
    }
    done
}

fn folder() -> PathBuf {
    root().join("console")
}

fn npm(verb: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.arg(verb).args(arguments).current_dir(folder());
    // No message about newer versions of npm, and no question to the network for it.
    command.env("NO_UPDATE_NOTIFIER", "1");
    command
}

/// Puts the packages of the lock file where `console/` finds them: in the cache, one folder for each lock file, so
/// that checkouts share it; `node_modules` is a link. A `node_modules` that somebody installed there stays.
fn packages() -> Result<(), Error> {
    let folder = folder();
    let lock = folder.join("package-lock.json");
    let bytes = std::fs::read(&lock).map_err(|e| Error::failed(format!("{}: {e}", lock.display())))?;
    let mut hasher = DefaultHasher::new();
    hasher.write(&bytes);
    let kept = cache::folder()?.join("tools").join(format!("console-{:016x}", hasher.finish()));
    let link = folder.join("node_modules");
    if std::fs::symlink_metadata(&link).is_ok_and(|m| m.is_dir()) {
        return npm::install_into(&folder, &folder);
    }
    npm::install_into(&folder, &kept)?;
    let wanted = kept.join("node_modules");
    if std::fs::read_link(&link).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    let _ = std::fs::remove_file(&link);
    std::os::unix::fs::symlink(&wanted, &link).map_err(|e| Error::failed(format!("{}: {e}", link.display())))
}

/// Of everything that the console is built from. It only has to be the same for the same files and the same xtask.
fn digest(folder: &Path) -> Result<u64, Error> {
    let mut names = Vec::new();
    collect(folder, "", &mut names)?;
    names.sort();
    let mut hasher = DefaultHasher::new();
    for name in names {
        let path = folder.join(&name);
        let bytes = std::fs::read(&path).map_err(|e| Error::failed(format!("{}: {e}", path.display())))?;
        for part in [name.as_bytes(), &bytes] {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
    }
    Ok(hasher.finish())
}

fn collect(folder: &Path, below: &str, names: &mut Vec<String>) -> Result<(), Error> {
    let failed = |e: std::io::Error| Error::failed(format!("{}: {e}", folder.display()));
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || below.is_empty() && APART.contains(&name.as_str()) {
            continue;
        }
        if entry.file_type().map_err(failed)?.is_dir() {
            collect(&entry.path(), &format!("{below}{name}/"), names)?;
        } else {
            names.push(format!("{below}{name}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_it_is_built_from_counts() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put("package.json", "{}");
        put("src/dist/a.ts", "1");
        let first = digest(folder.path()).unwrap();
        for name in ["dist/index.html", "node_modules/react/index.js", "stories/a.spec.ts", ".env"] {
            put(name, "other");
        }
        assert_eq!(digest(folder.path()).unwrap(), first);
        put("src/dist/a.ts", "2");
        let second = digest(folder.path()).unwrap();
        assert_ne!(second, first);
        std::fs::rename(folder.path().join("src/dist/a.ts"), folder.path().join("src/dist/b.ts")).unwrap();
        assert_ne!(digest(folder.path()).unwrap(), second);
    }
}
