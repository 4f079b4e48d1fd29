// SPDX-License-Identifier: Apache-2.0
//! The layers that an overlay mount was made of.

use super::{Mount, unescape};
use rustix::fs::{FsWord, fstatfs};
use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// `OVERLAYFS_SUPER_MAGIC`, `linux/magic.h`.
pub(crate) const OVERLAY: FsWord = 0x794c_7630;

/// Whether an open file lies on overlayfs.
///
/// # Errors
/// What `fstatfs` reports.
pub fn is_overlay(file: impl AsFd) -> io::Result<bool> {
    Ok(fstatfs(file)?.f_type == OVERLAY)
}

/// Folders of an overlay as whoever mounted it named them: relative ones, and those of another mount
/// namespace, lead nowhere here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layers {
    /// What is written goes here; absent on a read-only overlay.
    pub upper: Option<PathBuf>,
    /// What is below, topmost first; an image's layers.
    pub lower: Vec<PathBuf>,
}

impl Mount {
    /// The layers, where this is an overlay that names them.
    #[must_use]
    pub fn layers(&self) -> Option<Layers> {
        if self.fs_type != "overlay" {
            return None;
        }
        let mut out = Layers::default();
        let path = |b: &[u8]| PathBuf::from(OsString::from_vec(without_backslashes(&unescape(b))));
        for option in self.options.split(|b| *b == b',') {
            let mut parts = option.splitn(2, |b| *b == b'=');
            let (Some(name), Some(value)) = (parts.next(), parts.next()) else { continue };
            match name {
                b"upperdir" => out.upper = Some(path(value)),
                // Since Linux 6.8 one option for each.
                b"lowerdir+" => out.lower.push(path(value)),
                b"lowerdir" => out.lower.extend(split(value).into_iter().map(path)),
                _ => {}
            }
        }
        (!out.lower.is_empty()).then_some(out)
    }
}

/// At colons that no backslash stands before; `::` begins data-only layers, which hold no names.
fn split(value: &[u8]) -> Vec<&[u8]> {
    let end = value.windows(2).position(|w| w == b"::").unwrap_or(value.len());
    let value = value.get(..end).unwrap_or(value);
    let mut out = Vec::new();
    let mut from = 0;
    for (at, byte) in value.iter().enumerate() {
        // A backslash comes as \134.
        let escaped = value.get(..at).is_some_and(|b| b.ends_with(b"\\134") || b.ends_with(b"\\"));
        if *byte == b':' && !escaped {
            out.extend(value.get(from..at).filter(|p| !p.is_empty()));
            from = at + 1;
        }
    }
    out.extend(value.get(from..).filter(|p| !p.is_empty()));
    out
}

/// Whoever mounted it wrote `\:` for a colon in a name.
fn without_backslashes(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    let mut bytes = path.iter().copied().peekable();
    while let Some(b) = bytes.next() {
        if b == b'\\' && matches!(bytes.peek(), Some(b':' | b'\\' | b',')) {
            continue;
        }
        out.push(b);
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::mounts::parse;
    use std::path::PathBuf;

    fn layers(options: &str) -> super::Layers {
        let line = format!("45 42 0:40 / /m rw,relatime - overlay overlay {options}");
        parse(line.as_bytes()).remove(0).layers().unwrap()
    }

    #[test]
    fn both_ways_to_name_layers() {
        let l = layers("rw,lowerdir=/l/A:/l/B,upperdir=/u,workdir=/w,uuid=on");
        assert_eq!(l.upper, Some(PathBuf::from("/u")));
        assert_eq!(l.lower, [PathBuf::from("/l/A"), PathBuf::from("/l/B")]);
        let l = layers("ro,lowerdir+=/l/A,lowerdir+=/l/B\\040b,datadir+=/d");
        assert_eq!((l.upper, l.lower), (None, vec![PathBuf::from("/l/A"), PathBuf::from("/l/B b")]));
        let l = layers("rw,lowerdir=/a\\134:b:/c::/data,upperdir=/u");
        assert_eq!(l.lower, [PathBuf::from("/a:b"), PathBuf::from("/c")]);
    }

    #[test]
    fn others_have_none() {
        let line = b"45 42 0:40 / /m rw - ext4 /dev/x rw,lowerdir=/a";
        assert_eq!(parse(line).remove(0).layers(), None);
    }
}
