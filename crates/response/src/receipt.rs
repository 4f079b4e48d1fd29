// SPDX-License-Identifier: Apache-2.0
//! Reading a restored file back and comparing it with what was recorded.

use crate::metadata;
use crate::open::{self, Inode};
use crate::plan::{Receipt, ReceiptLine};
use crate::stage::Place;
use lazaret_model::Sha256;
use lazaret_vault::{Extent, Manifest, RawPath, Stamp, data_extents};
use rustix::fs::fstat;
use sha2::Digest;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;

/// A further name, and whether it is back.
pub(crate) type LinkBack = (RawPath, Result<(), String>);

/// SHA-256 of everything behind a descriptor, without moving its offset.
pub(crate) fn digest(file: BorrowedFd<'_>) -> io::Result<(Sha256, u64)> {
    let file = File::from(file.try_clone_to_owned()?);
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 128 * 1024];
    let mut at = 0;
    loop {
        match file.read_at(&mut buffer, at) {
            Ok(0) => return Ok((Sha256(hasher.finalize().into()), at)),
            Ok(n) => {
                hasher.update(&buffer[..n]);
                at += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

struct Lines(Vec<ReceiptLine>);

impl Lines {
    fn add(&mut self, attribute: impl Into<String>, before: String, after: String, note: &str) {
        let same = before == after;
        let note = if same { String::new() } else { note.to_owned() };
        self.0.push(ReceiptLine { attribute: attribute.into(), before, after, same, note });
    }
}

fn time(t: Stamp) -> String {
    format!("{}.{:09}", t.sec, t.nsec)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Compares by name: what the path leads to now is what is read. `file` is what was written.
///
/// # Errors
/// For people, when the content is not back or the name leads elsewhere.
pub(crate) fn compare(
    manifest: &Manifest,
    place: &Place,
    file: &OwnedFd,
    links: &[LinkBack],
) -> Result<Receipt, String> {
    let written = fstat(file).map(|s| Inode::from(&s)).map_err(|e| e.to_string())?;
    let back = open::file(&place.dir, &place.name).map_err(|e| format!("it cannot be opened again: {e}"))?;
    let meta = metadata::capture(&back).map_err(|e| format!("it cannot be asked: {e}"))?;
    if meta.inode != written {
        return Err("its name leads to another file by now".to_owned());
    }
    let (sha256, size) = digest(back.as_fd()).map_err(|e| format!("it cannot be read again: {e}"))?;
    if sha256 != manifest.sha256 {
        return Err(format!("SHA-256 {} was isolated, {sha256} came back", manifest.sha256));
    }
    let mut l = Lines(Vec::new());
    let lossy = |p: &[u8]| String::from_utf8_lossy(p).into_owned();
    l.add("path", manifest.path.lossy(), lossy(&place.path()), "another path was asked for");
    l.add("sha256", manifest.sha256.to_string(), sha256.to_string(), "");
    l.add("size", manifest.size.to_string(), size.to_string(), "");
    l.add("owner", manifest.uid.to_string(), meta.uid.to_string(), "");
    l.add("group", manifest.gid.to_string(), meta.gid.to_string(), "");
    l.add("mode", format!("{:06o}", manifest.mode), format!("{:06o}", meta.mode), "");
    l.add("modification time", time(manifest.mtime), time(meta.mtime), "");
    l.add("access time", time(manifest.atime), time(meta.atime), "");
    xattrs(&mut l, manifest, &meta);
    flags(&mut l, manifest, &meta);
    holes(&mut l, manifest, &back);
    for (path, made) in links {
        let after = made.as_ref().map_or_else(Clone::clone, |()| "linked".to_owned());
        l.add(format!("link {}", path.lossy()), "linked".to_owned(), after, "");
    }
    if !meta.unread.is_empty() {
        let note = "the file itself was kept, they were not touched";
        l.add("extended attributes", "not recorded".to_owned(), meta.unread.join("; "), note);
    }
    if let (Some(before), Some(after)) = (manifest.btime, meta.btime) {
        l.add("birth time", time(before), time(after), "no interface sets it");
    }
    l.add("change time", time(manifest.ctime), time(meta.ctime), "no interface sets it");
    let inode = (manifest.ino.to_string(), meta.inode.ino.to_string());
    l.add("inode number", inode.0, inode.1, "the filesystem gives a new one");
    Ok(Receipt { lines: l.0 })
}

fn xattrs(l: &mut Lines, manifest: &Manifest, meta: &metadata::Metadata) {
    let find = |set: &[lazaret_vault::Xattr], name: &RawPath| {
        set.iter().find(|x| x.name == *name).map_or_else(|| "none".to_owned(), |x| hex(&x.value.0))
    };
    let mut names: Vec<&RawPath> = manifest.xattrs.iter().chain(&meta.xattrs).map(|x| &x.name).collect();
    names.sort();
    names.dedup();
    for name in names {
        let note = if name.0 == b"security.selinux" && !manifest.xattrs.iter().any(|x| x.name == *name) {
            "the security module labels every file"
        } else {
            ""
        };
        let (before, after) = (find(&manifest.xattrs, name), find(&meta.xattrs, name));
        l.add(format!("xattr {}", name.lossy()), before, after, note);
    }
}

fn flags(l: &mut Lines, manifest: &Manifest, meta: &metadata::Metadata) {
    let form = |f: Option<u32>| format!("{:08x}", metadata::settable(f));
    if manifest.flags.is_some() || meta.flags.is_some() {
        l.add("inode flags", form(manifest.flags), form(meta.flags), "");
    }
}

/// Sparse is sparse: the holes must be back, not byte by byte at the same block size.
fn holes(l: &mut Lines, manifest: &Manifest, back: &OwnedFd) {
    let bytes = |e: &[Extent]| e.iter().map(|e| e.len).sum::<u64>();
    let known = !manifest.extents.is_empty() || manifest.staged.is_none();
    if !known || manifest.size == 0 {
        return;
    }
    let Ok(after) = data_extents(back.as_fd(), manifest.size) else { return };
    let (before, after) = (bytes(&manifest.extents), bytes(&after));
    // A filesystem allocates in blocks of up to 64 KiB per extent.
    let room = 65_536 * manifest.extents.len().max(1) as u64;
    let note = if after <= before.saturating_add(room) { "rounded to the filesystem's blocks" } else { "" };
    l.add("data bytes (the rest is holes)", before.to_string(), after.to_string(), note);
}
