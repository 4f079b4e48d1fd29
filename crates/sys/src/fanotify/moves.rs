// SPDX-License-Identifier: Apache-2.0
//! The group that tells of renames, with file handles instead of descriptors.

use super::{Mask, Object, mark};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

/// Longest handle that the kernel makes, bytes (`MAX_HANDLE_SZ`).
const MAX_HANDLE: usize = 128;

const METADATA: usize = size_of::<libc::fanotify_event_metadata>();

/// A filesystem-wide name of an inode; it outlives renames and goes stale with the inode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileHandle {
    /// `f_fsid` of the filesystem, as `statfs` reports it.
    pub fsid: [i32; 2],
    kind: i32,
    bytes: Vec<u8>,
}

/// One rename.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveEvent {
    /// Thread group of whoever did it, which may be gone by now.
    pub pid: i32,
    /// The moved inode, where the kernel tells (5.17).
    pub target: Option<FileHandle>,
    /// The folder it is in now.
    pub folder: Option<FileHandle>,
    /// Its name there, raw bytes.
    pub name: Vec<u8>,
}

/// What a read brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoveItem {
    /// A rename.
    Moved(MoveEvent),
    /// Events were lost.
    Overflow,
}

/// A group of class `FAN_CLASS_NOTIF` for `FAN_MOVED_TO`.
#[derive(Debug)]
pub struct MoveGroup {
    fd: OwnedFd,
}

impl MoveGroup {
    /// Needs `CAP_SYS_ADMIN`; the queue is limited (16,384 events by default) and overflows tell.
    ///
    /// # Errors
    /// What `fanotify_init` reports; `EINVAL` on kernels before 5.9.
    pub fn open() -> io::Result<Self> {
        let base = libc::FAN_CLASS_NOTIF
            | libc::FAN_CLOEXEC
            | libc::FAN_NONBLOCK
            | libc::FAN_UNLIMITED_MARKS
            | libc::FAN_REPORT_DFID_NAME;
        let with_target = base | libc::FAN_REPORT_FID | libc::FAN_REPORT_TARGET_FID;
        let mut error = io::Error::from(io::ErrorKind::Unsupported);
        for flags in [with_target, base] {
            // SAFETY: no pointers are passed.
            let fd =
                unsafe { libc::fanotify_init(flags, (libc::O_RDONLY | libc::O_CLOEXEC).cast_unsigned()) };
            if fd >= 0 {
                // SAFETY: the call succeeded, so that `fd` is open and nobody else owns it.
                return Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) } });
            }
            error = io::Error::last_os_error();
        }
        Err(error)
    }

    /// Tells of renames on the filesystem that `path` is on.
    ///
    /// # Errors
    /// `EXDEV`, `ENODEV` or `EOPNOTSUPP` for filesystems without file handles.
    pub fn mark_filesystem(&self, path: &Path) -> io::Result<()> {
        let flags = libc::FAN_MARK_ADD | libc::FAN_MARK_FILESYSTEM;
        mark(self.fd.as_fd(), flags, Mask::MOVED_TO, &Object::Path(path))
    }

    /// Takes the mark away.
    ///
    /// # Errors
    /// `ENOENT` where there is none.
    pub fn unmark_filesystem(&self, path: &Path) -> io::Result<()> {
        let flags = libc::FAN_MARK_REMOVE | libc::FAN_MARK_FILESYSTEM;
        mark(self.fd.as_fd(), flags, Mask::MOVED_TO, &Object::Path(path))
    }

    /// Reads what is there without waiting.
    ///
    /// # Errors
    /// What the kernel reports; nothing there is an empty list.
    pub fn read(&self) -> io::Result<Vec<MoveItem>> {
        let mut buffer = [0_u8; 16 * 1024];
        // SAFETY: the buffer is ours and as long as we say.
        let got = unsafe { libc::read(self.fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
        let Ok(got) = usize::try_from(got) else {
            let e = io::Error::last_os_error();
            return match e.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(Vec::new()),
                _ => Err(e),
            };
        };
        Ok(parse(&buffer[..got]))
    }
}

impl AsFd for MoveGroup {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn u32_at(b: &[u8], at: usize) -> Option<u32> {
    b.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

fn i32_at(b: &[u8], at: usize) -> Option<i32> {
    u32_at(b, at).map(u32::cast_signed)
}

/// Offsets as in `struct fanotify_event_metadata`: length 0, version 4, mask 8, fd 16, pid 20.
fn parse(mut rest: &[u8]) -> Vec<MoveItem> {
    let mut items = Vec::new();
    while let Some(length) = u32_at(rest, 0).map(|l| l as usize) {
        if length < METADATA || length > rest.len() {
            break;
        }
        let (event, next) = rest.split_at(length);
        rest = next;
        let mask = event.get(8..16).and_then(|m| m.try_into().ok()).map_or(0, u64::from_ne_bytes);
        if mask & libc::FAN_Q_OVERFLOW != 0 {
            items.push(MoveItem::Overflow);
            continue;
        }
        let mut moved =
            MoveEvent { pid: i32_at(event, 20).unwrap_or(0), target: None, folder: None, name: Vec::new() };
        parse_records(&event[METADATA..], &mut moved);
        items.push(MoveItem::Moved(moved));
    }
    items
}

/// Record: type u8, pad u8, length u16, fsid 2 x i32, then `struct file_handle` and, for folders,
/// the NUL-terminated name.
fn parse_records(mut rest: &[u8], moved: &mut MoveEvent) {
    while rest.len() >= 4 {
        let kind = rest[0];
        let length = usize::from(u16::from_ne_bytes([rest[2], rest[3]]));
        if length < 4 || length > rest.len() {
            return;
        }
        let (record, next) = rest.split_at(length);
        rest = next;
        let Some((handle, after)) = parse_handle(record) else { continue };
        match kind {
            libc::FAN_EVENT_INFO_TYPE_FID => moved.target = Some(handle),
            libc::FAN_EVENT_INFO_TYPE_DFID_NAME => {
                let name = record.get(after..).unwrap_or_default();
                moved.name = name.split(|b| *b == 0).next().unwrap_or_default().to_vec();
                moved.folder = Some(handle);
            }
            _ => {}
        }
    }
}

fn parse_handle(record: &[u8]) -> Option<(FileHandle, usize)> {
    let fsid = [i32_at(record, 4)?, i32_at(record, 8)?];
    let length = u32_at(record, 12)? as usize;
    let kind = i32_at(record, 16)?;
    if length > MAX_HANDLE {
        return None;
    }
    let bytes = record.get(20..20 + length)?.to_vec();
    Some((FileHandle { fsid, kind, bytes }, 20 + length))
}

/// Opens the inode of a handle; `mount` is any open file of its filesystem. Needs
/// `CAP_DAC_READ_SEARCH`.
///
/// # Errors
/// `ESTALE` when the inode is gone.
pub fn open_handle(
    mount: BorrowedFd<'_>,
    handle: &FileHandle,
    flags: rustix::fs::OFlags,
) -> io::Result<OwnedFd> {
    #[repr(C)]
    struct Raw {
        bytes: u32,
        kind: i32,
        data: [u8; MAX_HANDLE],
    }
    let mut raw = Raw { bytes: 0, kind: handle.kind, data: [0; MAX_HANDLE] };
    let room = raw.data.get_mut(..handle.bytes.len()).ok_or(io::ErrorKind::InvalidInput)?;
    room.copy_from_slice(&handle.bytes);
    raw.bytes = u32::try_from(handle.bytes.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let flags = (flags | rustix::fs::OFlags::CLOEXEC).bits().cast_signed();
    // SAFETY: `raw` has the layout of `struct file_handle` with its bytes behind it, its length field
    // says how many there are, and it outlives the call.
    let fd =
        unsafe { libc::open_by_handle_at(mount.as_raw_fd(), std::ptr::from_mut(&mut raw).cast(), flags) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so that `fd` is open and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_bytes_end_the_parse() {
        assert!(parse(&[]).is_empty());
        assert!(parse(&[0xff; 7]).is_empty());
        assert!(parse(&[0; 64]).is_empty());
        let mut event = vec![0; METADATA + 8];
        event[0] = u8::try_from(METADATA + 8).unwrap();
        event[METADATA + 2] = 200; // a record longer than the event
        let MoveItem::Moved(m) = &parse(&event)[0] else { panic!("no event") };
        assert!(m.target.is_none() && m.folder.is_none());
    }
}
