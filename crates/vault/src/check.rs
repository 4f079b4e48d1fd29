// SPDX-License-Identifier: Apache-2.0
//! Whether everything in a vault is whole, and the way out where something is not.

use crate::reader::{Listed, Reader, same};
use crate::{Manifest, VaultError, object};
use lazaret_model::{IsolatedId, IsolatedStatus, Sha256};
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;

/// What was found about one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Finding {
    /// The blob opens, digest and size are as in the manifest.
    Whole,
    /// Its content is not in the vault but where the manifest says, see [`IsolatedStatus::IsolatedInPlace`].
    InPlace,
    /// The blob does not open, or does not give back what was sealed.
    Corrupt,
    /// There is a manifest that cannot be understood.
    ManifestUnreadable,
    /// A blob without a manifest.
    OrphanBlob,
    /// A manifest whose blob should be there and is not.
    ContentMissing,
    /// The inode that was left on its own filesystem is not there.
    StagedMissing,
    /// Restored or deleted, and the blob is still there.
    LeftOver,
    /// A file in the vault's folder that is none of the vault's.
    Stranger,
}

impl Finding {
    /// The word in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::InPlace => "in_place",
            Self::Corrupt => "corrupt",
            Self::ManifestUnreadable => "manifest_unreadable",
            Self::OrphanBlob => "orphan_blob",
            Self::ContentMissing => "content_missing",
            Self::StagedMissing => "staged_missing",
            Self::LeftOver => "left_over",
            Self::Stranger => "stranger",
        }
    }

    /// Nothing needs to be done about it.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        matches!(self, Self::Whole | Self::InPlace)
    }
}

/// What was found about one object, with the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The object's id; the file's name for a stranger.
    pub name: String,
    /// What.
    pub finding: Finding,
    /// For people: cause and way out. Empty where nothing is to be done.
    pub why: String,
}

/// Digest and size by inode, or why it does not open: a shared blob is read once.
type Opened = HashMap<u64, Result<(Sha256, u64), String>>;

pub(crate) fn run<E: From<VaultError>>(
    reader: &Reader,
    only: Option<IsolatedId>,
    mut each: impl FnMut(Checked) -> Result<(), E>,
) -> Result<(), E> {
    let mut opened = Opened::new();
    for listed in reader.list()? {
        if only.is_some_and(|id| id != listed.id) {
            continue;
        }
        if let Some((finding, why)) = look(reader, &listed, &mut opened) {
            each(Checked { name: listed.id.to_string(), finding, why })?;
        }
    }
    if only.is_some() {
        return Ok(());
    }
    for entry in object::read_dir(&reader.objects)? {
        let name = entry.file_name();
        let ours = name
            .to_str()
            .and_then(object::parse)
            .is_some_and(|(_, ending)| matches!(ending, "age" | "json" | "age.tmp" | "json.tmp"));
        if !ours {
            let name = name.to_string_lossy().into_owned();
            let why = "it is none of the vault's files (an object is ID.age and ID.json, ID a UUID): \
                       rename it to what it was, or move it elsewhere"
                .to_owned();
            each(Checked { name, finding: Finding::Stranger, why })?;
        }
    }
    Ok(())
}

/// `None` for an object that is over: restored or deleted, and nothing of it is left.
fn look(reader: &Reader, listed: &Listed, opened: &mut Opened) -> Option<(Finding, String)> {
    let id = listed.id;
    let manifest = match &listed.manifest {
        Ok(m) => m,
        Err(e) if !listed.has_content => {
            let why = format!(
                "{e}; and its blob is not there: bring both back from a backup, or remove the manifest"
            );
            return Some((Finding::ManifestUnreadable, why));
        }
        Err(e) => return Some(without_manifest(reader, id, e, opened)),
    };
    if matches!(manifest.status, IsolatedStatus::Restored | IsolatedStatus::Deleted) {
        let why = format!(
            "it is {} and its content is still here: the daemon removes it when it starts the next time",
            manifest.status.word()
        );
        return listed.has_content.then_some((Finding::LeftOver, why));
    }
    if listed.has_content {
        return Some(match open(reader, id, opened) {
            Ok(found) => match same(id, found, (manifest.sha256, manifest.size)) {
                Ok(()) => (Finding::Whole, String::new()),
                Err(e) => (Finding::Corrupt, format!("{e}; {}", from_backup(id))),
            },
            Err(e) => (Finding::Corrupt, format!("{e}; {}", from_backup(id))),
        });
    }
    if manifest.status == IsolatedStatus::IsolatedInPlace {
        return Some(in_place(manifest));
    }
    let why = format!(
        "there is a manifest ({}) and no blob: {}, or close it with `lazaret isolated delete {id}`",
        manifest.status.word(),
        from_backup(id)
    );
    Some((Finding::ContentMissing, why))
}

fn from_backup(id: IsolatedId) -> String {
    format!("bring {id}.age back from a backup of the vault")
}

fn without_manifest(
    reader: &Reader,
    id: IsolatedId,
    error: &VaultError,
    opened: &mut Opened,
) -> (Finding, String) {
    let missing = !object::manifest(&reader.objects, id).exists();
    let finding = if missing { Finding::OrphanBlob } else { Finding::ManifestUnreadable };
    let what = if missing { "there is a blob and no manifest".to_owned() } else { error.to_string() };
    match open(reader, id, opened) {
        Ok((sha256, size)) => (
            finding,
            format!(
                "{what}: its content opens ({size} bytes, SHA-256 {sha256}). Bring {id}.json back from a backup, \
                 take the content with `lazaret vault export {id} --to PATH` while the daemon is stopped, or \
                 destroy it with `lazaret isolated delete {id}`"
            ),
        ),
        Err(e) => (finding, format!("{what}; and {e}: bring both back from a backup")),
    }
}

/// Looked at only: whose name it is now, the inode says.
fn in_place(manifest: &Manifest) -> (Finding, String) {
    let Some(staged) = &manifest.staged else {
        return (Finding::InPlace, format!("execution is denied where it is: {}", manifest.reason));
    };
    use std::os::unix::ffi::OsStrExt;
    let path = std::path::Path::new(std::ffi::OsStr::from_bytes(&staged.0));
    match std::fs::symlink_metadata(path) {
        Ok(m) if m.ino() == manifest.ino => {
            (Finding::InPlace, format!("its content lies at {}: {}", staged.lossy(), manifest.reason))
        }
        Ok(_) => (
            Finding::StagedMissing,
            format!("{} is another file than the isolated one, which is gone", staged.lossy()),
        ),
        Err(e) => (
            Finding::StagedMissing,
            format!(
                "{}: {e}; if its filesystem is not mounted, mount it; if it was in memory (tmpfs), the file is \
                 gone with it and {}.json can be removed",
                staged.lossy(),
                manifest.id
            ),
        ),
    }
}

fn open(reader: &Reader, id: IsolatedId, opened: &mut Opened) -> Result<(Sha256, u64), String> {
    let inode = std::fs::metadata(reader.blob_path(id)).map_err(|e| e.to_string())?.ino();
    opened
        .entry(inode)
        .or_insert_with(|| reader.take_unchecked(id, &mut std::io::sink()).map_err(|e| e.to_string()))
        .clone()
}
