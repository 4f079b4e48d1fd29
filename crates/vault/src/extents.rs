// SPDX-License-Identifier: Apache-2.0
//! Where the data of a sparse file is.

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::io;
use std::os::fd::BorrowedFd;

/// A file cut into more pieces than this is treated as one piece from there on: a manifest is not
/// the place for millions of extents.
const MAX_EXTENTS: usize = 4096;

/// A run of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// First byte.
    pub offset: u64,
    /// Bytes, at least 1.
    pub len: u64,
}

/// The data extents of a file up to `size`, ascending, without overlap. Moves the descriptor's
/// offset. Filesystems that know no holes answer with one extent.
///
/// # Errors
/// When the descriptor cannot seek.
pub fn data_extents(file: BorrowedFd<'_>, size: u64) -> io::Result<Vec<Extent>> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < size {
        let start = match seek(file, SeekFrom::Data(at)) {
            Ok(start) => start.max(at),
            // Nothing but a hole from here on.
            Err(Errno::NXIO) => break,
            Err(Errno::INVAL | Errno::OPNOTSUPP) => at,
            Err(e) => return Err(e.into()),
        };
        if start >= size {
            break;
        }
        let end = match seek(file, SeekFrom::Hole(start)) {
            Ok(end) if out.len() + 1 < MAX_EXTENTS => end.min(size),
            Err(Errno::NXIO) => break,
            _ => size,
        };
        if end <= start {
            break;
        }
        out.push(Extent { offset: start, len: end - start });
        at = end;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;
    use std::os::unix::fs::FileExt;

    #[test]
    fn holes_are_found() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(1 << 30).unwrap();
        assert_eq!(data_extents(file.as_fd(), 1 << 30).unwrap(), []);
        file.write_all_at(b"x", 10 << 20).unwrap();
        let e = data_extents(file.as_fd(), 1 << 30).unwrap();
        assert_eq!(e.len(), 1);
        assert!(e[0].offset <= 10 << 20 && e[0].offset + e[0].len > 10 << 20 && e[0].len <= 1 << 20);
        assert_eq!(data_extents(file.as_fd(), 0).unwrap(), []);
        // Shorter than asked for is no error: reading will tell.
        assert!(data_extents(file.as_fd(), 2 << 30).is_ok());
    }
}
