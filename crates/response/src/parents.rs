// SPDX-License-Identifier: Apache-2.0
//! Making missing folders again for a restore that was told to.

use crate::open;
use crate::plan::ReceiptLine;
use lazaret_vault::{Folder, RawPath};
use rustix::fs::{
    AtFlags, Dir, FileType, Gid, Mode, OFlags, Uid, fchmod, fchown, fstat, fsync, mkdirat, openat, unlinkat,
};
use rustix::io::Errno;
use std::os::fd::OwnedFd;

/// What a folder gets whose owner and mode nobody recorded.
const DEFAULT: Folder = Folder { uid: 0, gid: 0, mode: 0o040_755 };

/// A folder that is missing.
pub(crate) struct Missing {
    path: Vec<u8>,
    /// As it was, where that is known.
    recorded: Option<Folder>,
}

/// The missing folders of a path, outermost first. `recorded` begins with `folder` itself.
///
/// # Errors
/// When what is there of the path cannot be opened; a link on the way is `ELOOP`.
pub(crate) fn missing(folder: &[u8], recorded: &[Folder]) -> Result<Vec<Missing>, Errno> {
    let mut out = Vec::new();
    let mut path = folder;
    loop {
        match open::folder(path) {
            Ok(_) => {
                out.reverse();
                return Ok(out);
            }
            Err(Errno::NOENT) => {}
            Err(e) => return Err(e),
        }
        out.push(Missing { path: path.to_vec(), recorded: recorded.get(out.len()).cloned() });
        (path, _) = open::split(path).ok_or(Errno::NOENT)?;
    }
}

/// For the intent.
pub(crate) fn paths(missing: &[Missing]) -> Vec<RawPath> {
    missing.iter().map(|m| RawPath(m.path.clone())).collect()
}

/// Makes them, each durable before the next. What was made before an error is removed again.
pub(crate) fn make(missing: &[Missing]) -> Result<(), String> {
    for (done, one) in missing.iter().enumerate() {
        if let Err(e) = make_one(one) {
            remove(&paths(missing.get(..done).unwrap_or_default()));
            return Err(format!("the folder {} cannot be made: {e}", String::from_utf8_lossy(&one.path)));
        }
    }
    Ok(())
}

fn make_one(one: &Missing) -> Result<(), Errno> {
    let (parent, name) = open::split(&one.path).ok_or(Errno::INVAL)?;
    let parent = open::folder(parent)?;
    mkdirat(&parent, name, Mode::RWXU)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = openat(&parent, name, flags, Mode::empty())?;
    // Whoever may write in the parent may have exchanged it: only a folder as we make them is given
    // away.
    if !is_fresh(&made)? {
        return Err(Errno::EXIST);
    }
    let Folder { uid, gid, mode } = one.recorded.clone().unwrap_or(DEFAULT);
    fchown(&made, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
    fchmod(&made, Mode::from_raw_mode(mode & 0o7777))?;
    fsync(&made)?;
    fsync(&parent)
}

fn is_fresh(dir: &OwnedFd) -> Result<bool, Errno> {
    let s = fstat(dir)?;
    // A set-group-id bit may come from the parent.
    let ours = s.st_uid == rustix::process::geteuid().as_raw() && s.st_mode & 0o777 == 0o700;
    let mut entries = Dir::read_from(dir)?.flatten();
    Ok(ours && entries.all(|e| matches!(e.file_name().to_bytes(), b"." | b"..")))
}

/// Removes folders that were made for nothing, innermost first, as far as they are empty.
pub(crate) fn remove(made: &[RawPath]) {
    for path in made.iter().rev() {
        let Some((parent, name)) = open::split(&path.0) else { return };
        let Ok(parent) = open::folder(parent) else { return };
        if unlinkat(&parent, name, AtFlags::REMOVEDIR).is_err() {
            return;
        }
        let _ = fsync(&parent);
    }
}

/// What came of each, for the receipt.
pub(crate) fn lines(made: &[Missing]) -> Vec<ReceiptLine> {
    let text = |f: &Folder| format!("{}:{} {:04o}", f.uid, f.gid, f.mode & 0o7777);
    let line = |m: &Missing| {
        let now = open::folder(&m.path).and_then(|dir| fstat(&dir)).ok();
        let now = now.filter(|s| FileType::from_raw_mode(s.st_mode) == FileType::Directory);
        let after = now.map_or_else(
            || "gone again".to_owned(),
            |s| text(&Folder { uid: s.st_uid, gid: s.st_gid, mode: s.st_mode }),
        );
        let before = m.recorded.as_ref().map_or_else(|| "not recorded".to_owned(), text);
        let same = before == after;
        let note = match m.recorded {
            None => "it was missing and was made with the default owner and mode",
            Some(_) => "",
        };
        let attribute = format!("folder {}", String::from_utf8_lossy(&m.path));
        ReceiptLine { attribute, before, after, same, note: note.to_owned() }
    };
    made.iter().map(line).collect()
}
