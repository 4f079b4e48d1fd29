// SPDX-License-Identifier: Apache-2.0
//! Where the scanner program, the content and the cache of clean files are.

use crate::error::CliError;
use crate::escape;
use std::ffi::OsString;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

const SCANNER: &str = "lazaret-scanner";
/// Where packages put programs that only other programs start.
const SCANNER_FOLDERS: [&str; 2] = ["/usr/lib/lazaret", "/usr/libexec/lazaret"];
/// The installed content.
const INSTALLED_PACK: &str = "/usr/share/lazaret/content.pack";
/// Names of a pack beside the program, for a build that is not installed.
const PACKS_BESIDE: [&str; 2] = ["content.pack", "lazaret.pack"];
/// Root's cache; everybody else has an own one.
const ROOTS_CACHE: &str = "/var/cache/lazaret";

/// The folder of this program. It alone is trusted to hold the scanner: PATH and the working folder
/// belong to whoever calls.
fn beside() -> Option<PathBuf> {
    std::env::current_exe().ok()?.parent().map(Path::to_owned)
}

/// The jailed scanner.
///
/// # Errors
/// When there is none; says where it was looked for.
pub(super) fn scanner() -> Result<PathBuf, CliError> {
    let folders: Vec<PathBuf> = beside().into_iter().chain(SCANNER_FOLDERS.map(PathBuf::from)).collect();
    first_file(folders.iter().map(|f| f.join(SCANNER))).ok_or_else(|| {
        CliError::Unscanned(format!(
            "the program {SCANNER} is missing: it is in none of {}. Install the package lazaret again",
            folders.iter().map(|f| escape::path(f)).collect::<Vec<_>>().join(", ")
        ))
    })
}

/// The content pack: the one that is named, or the installed one, or one beside the program.
///
/// # Errors
/// When there is none; says where it was looked for.
pub(super) fn pack(named: Option<&Path>) -> Result<PathBuf, CliError> {
    if let Some(pack) = named {
        return if pack.exists() {
            Ok(pack.to_owned())
        } else {
            Err(CliError::Unscanned(format!("there is no content pack {}", escape::path(pack))))
        };
    }
    let mut places = vec![PathBuf::from(INSTALLED_PACK)];
    if let Some(folder) = beside() {
        places.extend(PACKS_BESIDE.map(|name| folder.join(name)));
    }
    first_file(places.iter().cloned()).ok_or_else(|| {
        CliError::Unscanned(format!(
            "no content pack was found: it is none of {}. Install the package lazaret again, or name one with --pack",
            places.iter().map(|p| escape::path(p)).collect::<Vec<_>>().join(", ")
        ))
    })
}

fn first_file(mut places: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
    places.find(|p| p.is_file())
}

/// Where the cache of clean files belongs, with its folder made; `None` for a user without a home.
///
/// # Errors
/// When the folder cannot be made.
pub(super) fn cache() -> Result<Option<PathBuf>, (PathBuf, std::io::Error)> {
    let folder = if rustix::process::geteuid().is_root() {
        Some(PathBuf::from(ROOTS_CACHE))
    } else {
        users_cache(std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("HOME"))
    };
    let Some(folder) = folder else { return Ok(None) };
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|e| (folder.clone(), e))?;
    Ok(Some(folder.join("scan.cache")))
}

/// By the XDG base directory specification: a relative path counts as none.
fn users_cache(xdg: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let absolute = |value: Option<OsString>| value.map(PathBuf::from).filter(|p| p.is_absolute());
    let base = absolute(xdg).or_else(|| absolute(home).map(|h| h.join(".cache")))?;
    Some(base.join("lazaret"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_cache_follows_the_xdg_rules() {
        let cache = |xdg: &str, home: &str| users_cache(Some(xdg.into()), Some(home.into()));
        assert_eq!(cache("/x", "/h"), Some("/x/lazaret".into()));
        assert_eq!(cache("", "/h"), Some("/h/.cache/lazaret".into()));
        assert_eq!(cache("relative", "/h"), Some("/h/.cache/lazaret".into()));
        assert_eq!(cache("", ""), None);
        assert_eq!(users_cache(None, None), None);
    }

    #[test]
    fn a_missing_pack_is_named() {
        let error = pack(Some(Path::new("/nonexistent/p.pack"))).unwrap_err();
        assert_eq!(error.exit_status(), 2);
        assert!(error.to_string().contains("/nonexistent/p.pack"));
    }
}
