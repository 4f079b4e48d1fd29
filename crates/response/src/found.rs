// SPDX-License-Identifier: Apache-2.0
//! What replay finds at the places where a file may be: there, not there, or not readable now.

use crate::filesystem::{self, Kind};
use crate::folders;
use crate::journal::{IsolateIntent, Progress};
use crate::metadata;
use crate::open::{self, Inode};
use crate::receipt;
use crate::stage::Place;
use lazaret_model::Sha256;
use lazaret_vault::Manifest;
use rustix::fs::FileType;
use rustix::io::Errno;
use std::os::fd::{AsFd, OwnedFd};

/// The file of an intent, opened.
pub(crate) struct Found {
    pub(crate) place: Place,
    pub(crate) file: OwnedFd,
    pub(crate) sha256: Sha256,
}

/// Why an intent stays open.
pub(crate) fn later(why: &str) -> String {
    format!(
        "interrupted, and it cannot be told what became of it: {why}; it is tried again at the next start"
    )
}

fn lossy(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// The place `path`, whatever is there; `None` where its folder is gone.
///
/// # Errors
/// For people, when the folder may be there and cannot be opened.
pub(crate) fn place(path: &[u8]) -> Result<Option<Place>, String> {
    let Some((folder, name)) = open::split(path) else { return Ok(None) };
    match open::folder(folder) {
        Ok(dir) => Ok(Some(Place { dir, dir_path: folder.to_vec(), name: name.to_vec() })),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::INVAL | Errno::NAMETOOLONG) => Ok(None),
        Err(e) => Err(format!("{}: {e}", lossy(folder))),
    }
}

/// Opens what lies at a place if it has the manifest's inode number (the device may have another number
/// after a reboot; the digest decides). An overlay gives the copy of a lower file another number: there the
/// content alone tells.
///
/// # Errors
/// For people, when it may be there and cannot be read.
pub(crate) fn at(place: Place, manifest: &Manifest) -> Result<Option<Found>, String> {
    let error = |e: &dyn std::fmt::Display| format!("{}: {e}", lossy(&place.path()));
    let Some(seen) = open::look(&place.dir, &place.name).map_err(|e| error(&e))? else { return Ok(None) };
    let same = Inode::from(&seen).ino == manifest.ino;
    let regular = FileType::from_raw_mode(seen.st_mode) == FileType::RegularFile;
    let as_long = u64::try_from(seen.st_size) == Ok(manifest.size);
    let copied = || regular && as_long && filesystem::kind(&place.dir) == Kind::Overlay;
    if !(same || copied()) {
        return Ok(None);
    }
    let file = match open::file(&place.dir, &place.name) {
        // Exchanged or removed at this moment.
        Err(Errno::NOENT | Errno::LOOP) => return Ok(None),
        opened => opened.map_err(|e| error(&e))?,
    };
    let (sha256, _) = receipt::digest(file.as_fd()).map_err(|e| error(&e))?;
    Ok((same || sha256 == manifest.sha256).then_some(Found { place, file, sha256 }))
}

/// Every staged name of the file, the first of its names first.
///
/// # Errors
/// For people, when there may be one and it cannot be read.
pub(crate) fn staged(intent: &IsolateIntent, progress: &[Progress]) -> Result<Vec<Found>, String> {
    let mut paths = Vec::new();
    for folder in [&intent.staging, &intent.parent].into_iter().flatten() {
        paths.push(open::join(&folder.0, &intent.staged_name.0));
    }
    for p in progress {
        if let Progress::Link { staging, staged_name, .. } = p {
            paths.push(open::join(&staging.0, &staged_name.0));
        }
    }
    let mut all = Vec::new();
    for path in paths {
        let Some(place) = place(&path)? else { continue };
        all.extend(at(place, &intent.manifest)?);
    }
    Ok(all)
}

/// The manifest with what its intent leaves out.
///
/// # Errors
/// For people, when that cannot be recorded: then the inode itself has to be kept.
pub(crate) fn whole(
    intent: &IsolateIntent,
    manifest: &Manifest,
    file: &OwnedFd,
    original: Option<&Place>,
) -> Result<Manifest, String> {
    let mut manifest = manifest.clone();
    if intent.xattrs_left_out {
        let now = metadata::capture(file).map_err(|e| format!("the staged file cannot be asked: {e}"))?;
        if !now.unread.is_empty() {
            return Err(now.unread.join("; "));
        }
        manifest.xattrs = now.xattrs;
    }
    if let Some(place) = original {
        manifest.around = folders::around(place);
    }
    Ok(manifest)
}
