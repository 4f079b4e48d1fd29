// SPDX-License-Identifier: Apache-2.0
//! Says beside a staged name where it came from, on the same filesystem.
//!
//! A name may go before the journal's intent is durable, because this record is made first and on
//! the same filesystem: its own journal keeps the order of the two, so that after a power cut a
//! staged file without its record does not exist (docs/adr/0004). The record is a symbolic link
//! that nobody follows; its text is the path. A link needs no sync and no block of its own.

use crate::stage::Staging;
use rustix::fs::{AtFlags, readlinkat, symlinkat, unlinkat};
use rustix::io::Errno;
use std::os::fd::{AsFd, OwnedFd};

/// Tells the records of one journal from those of another on the same filesystem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner(pub(crate) String);

/// `<staged name>.from-<owner>`.
fn name(staged: &[u8], owner: &Owner) -> Vec<u8> {
    let mut out = staged.to_vec();
    out.extend_from_slice(b".from-");
    out.extend_from_slice(owner.0.as_bytes());
    out
}

/// The staged name that a record belongs to, when it is one of `owner`.
pub(crate) fn staged_of<'n>(name: &'n [u8], owner: &Owner) -> Option<&'n [u8]> {
    name.strip_suffix(owner.0.as_bytes())?.strip_suffix(b".from-")
}

/// Makes the record. `Err` where there cannot be one (a path longer than the filesystem lets a link
/// be): then the intent must be durable before the name goes.
pub(crate) fn write(staging: &Staging, staged: &[u8], owner: &Owner, path: &[u8]) -> Result<(), Errno> {
    symlinkat(path, &staging.dir, name(staged, owner).as_slice())
}

/// The path that a record holds.
pub(crate) fn read(dir: &OwnedFd, staged: &[u8], owner: &Owner) -> Result<Vec<u8>, Errno> {
    readlinkat(dir, name(staged, owner).as_slice(), Vec::new()).map(std::ffi::CString::into_bytes)
}

/// Takes the record away, after the staged name. Nothing happens where there is none.
pub(crate) fn remove(dir: impl AsFd, staged: &[u8], owner: &Owner) {
    let _ = unlinkat(dir, name(staged, owner).as_slice(), AtFlags::empty());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_belongs_to_its_owner_only() {
        let (a, b) = (Owner("aa".into()), Owner("bb".into()));
        let n = name(b".lazaret-1", &a);
        assert_eq!(staged_of(&n, &a), Some(b".lazaret-1".as_slice()));
        assert_eq!(staged_of(&n, &b), None);
        assert_eq!(staged_of(b".lazaret-1", &a), None);
    }
}
