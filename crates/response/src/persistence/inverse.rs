// SPDX-License-Identifier: Apache-2.0
//! What takes a list of changes back, as the host looks now.

use super::crontab::{self, Undone};
use super::edit::{Edit, FileImage, Standing, read};
use super::place;
use super::record::DisabledRecord;
use crate::metadata::{self, Metadata};
use crate::stage::Place;
use lazaret_model::Sha256;
use lazaret_vault::RawBytes;
use sha2::Digest;
use std::path::Path;

impl FileImage {
    pub(super) fn of(place: &Place, meta: &Metadata, content: Vec<u8>) -> Self {
        Self {
            content: RawBytes(content),
            uid: meta.uid,
            gid: meta.gid,
            mode: meta.mode,
            atime: meta.atime,
            mtime: meta.mtime,
            xattrs: meta.xattrs.clone(),
            flags: meta.flags,
            folder_flags: metadata::flags(&place.dir),
            dev: meta.inode.dev,
            ino: meta.inode.ino,
        }
    }
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256(sha2::Sha256::digest(bytes).into()).to_string()
}

/// The changes that undo a record, last first. What is as it was before needs none.
///
/// # Errors
/// For people, when the host looks neither as before nor as after, with the way out.
pub(super) fn inverse(root: &Path, record: &DisabledRecord) -> Result<Vec<Edit>, String> {
    let mut out = Vec::new();
    for edit in record.edits.iter().rev() {
        match edit {
            Edit::Rewrite { .. } => out.extend(lines_back(root, record, edit)?),
            edit => match edit.standing(root) {
                Standing::Before => {}
                Standing::After => out.push(backwards(edit)),
                Standing::Other(why) => return Err(format!("{why}: {}", way_out(edit))),
            },
        }
    }
    Ok(out)
}

/// The same change backwards, for a host that still looks as after it.
pub(super) fn backwards(edit: &Edit) -> Edit {
    match edit.clone() {
        Edit::Rewrite { path, before, after, .. } => {
            let times = Some((before.atime, before.mtime));
            let back = before.content.clone();
            Edit::Rewrite { path, before: FileImage { content: after, ..before }, after: back, times }
        }
        Edit::SetMode { path, ino, before, after, flags } => {
            Edit::SetMode { path, ino, before: after, after: before, flags }
        }
        Edit::RemoveLink { path, link } => Edit::MakeLink { path, link },
        Edit::MakeLink { path, link } => Edit::RemoveLink { path, link },
        Edit::MakeFolder { path, .. } => Edit::RemoveFolder { path },
        Edit::RemoveFolder { path } => Edit::MakeFolder { path, owner: (0, 0) },
        Edit::MakeFile { path, content, .. } => Edit::RemoveFile { path, content },
        Edit::RemoveFile { path, content } => Edit::MakeFile { path, content, owner: (0, 0) },
    }
}

fn way_out(edit: &Edit) -> String {
    let path = edit.path().lossy();
    match edit {
        Edit::SetMode { before, .. } => format!("`chmod {before:o} {path}` yourself, then enable it again"),
        Edit::RemoveLink { link, .. } => {
            format!("make it a link to {} again, then enable it again", link.target.lossy())
        }
        _ => "remove it yourself, then enable it again".to_owned(),
    }
}

/// Puts one line back into a file that somebody may have edited since.
fn lines_back(root: &Path, record: &DisabledRecord, edit: &Edit) -> Result<Option<Edit>, String> {
    let path = edit.path();
    let shown = path.lossy();
    let place = place(root, path)?;
    let Some((_, meta, content)) = read(&place)? else {
        return Err(format!("{shown} is gone: put it back, with the line, then enable it again"));
    };
    let text = match crontab::enable(&content, &record.text.0, record.id) {
        Undone::Already => return Ok(None),
        Undone::Text(text) => text,
        Undone::Lost => {
            return Err(format!(
                "{shown} was edited since and the disabled line is not in it any more: add \"{}\" yourself, \
                 then enable it again",
                record.text.0.escape_ascii()
            ));
        }
    };
    // With its last line back it is what it was: then its times are, too.
    let pristine = record.pristine.as_ref().filter(|p| p.sha256 == sha256(&text));
    let times = pristine.map(|p| (p.atime, p.mtime));
    Ok(Some(Edit::Rewrite {
        path: path.clone(),
        before: FileImage::of(&place, &meta, content),
        after: RawBytes(text),
        times,
    }))
}
