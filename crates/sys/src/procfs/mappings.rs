// SPDX-License-Identifier: Apache-2.0
//! What of files a process has mapped, asked in binary form (`PROCMAP_QUERY`, Linux 6.11) and read
//! from the text of `maps` before that. Numbers here only say which `map_files` link to look through.

use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::os::fd::AsRawFd;

/// A range of addresses with a file behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mapping {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) executable: bool,
    /// Device and inode number as `maps` shows them.
    pub(super) dev: (u32, u32),
    pub(super) ino: u64,
}

impl Mapping {
    /// The link that leads to the file.
    pub(super) fn link(&self, pid: i32) -> String {
        format!("/proc/{pid}/map_files/{:x}-{:x}", self.from, self.to)
    }
}

/// `struct procmap_query` of `linux/fs.h`.
#[repr(C)]
#[derive(Default)]
struct Query {
    size: u64,
    query_flags: u64,
    query_addr: u64,
    vma_start: u64,
    vma_end: u64,
    vma_flags: u64,
    vma_page_size: u64,
    vma_offset: u64,
    inode: u64,
    dev_major: u32,
    dev_minor: u32,
    vma_name_size: u32,
    build_id_size: u32,
    vma_name_addr: u64,
    build_id_addr: u64,
}

/// `_IOWR('f', 17, struct procmap_query)`.
const PROCMAP_QUERY: u64 = (3 << 30) | ((size_of::<Query>() as u64) << 16) | (0x66 << 8) | 17;
const EXECUTABLE: u64 = 0x04;
const COVERING_OR_NEXT: u64 = 0x10;
const FILE_BACKED: u64 = 0x20;

/// Tells every mapping of a file, with `exec_only` every executable one, until `tell` breaks.
///
/// # Errors
/// When the process is gone, or is a kernel thread (`ESRCH`).
pub(super) fn each(
    pid: i32,
    exec_only: bool,
    tell: &mut dyn FnMut(Mapping) -> ControlFlow<()>,
) -> io::Result<()> {
    let mut maps = File::open(format!("/proc/{pid}/maps"))?;
    let wanted = FILE_BACKED | COVERING_OR_NEXT | if exec_only { EXECUTABLE } else { 0 };
    let mut at = 0;
    loop {
        let mut q = Query {
            size: size_of::<Query>() as u64,
            query_flags: wanted,
            query_addr: at,
            ..Query::default()
        };
        // SAFETY: the kernel reads and writes at most `size` bytes of the struct, which lives for the
        // length of the call; no name and no build id are asked for.
        let r = unsafe { libc::ioctl(maps.as_raw_fd(), PROCMAP_QUERY as libc::Ioctl, &raw mut q) };
        if r != 0 {
            let e = io::Error::last_os_error();
            return match e.raw_os_error() {
                Some(libc::ENOENT) => Ok(()),
                Some(libc::ENOTTY) if at == 0 => {
                    let mut text = Vec::new();
                    maps.read_to_end(&mut text)?;
                    each_line(&text, exec_only, tell);
                    Ok(())
                }
                _ => Err(e),
            };
        }
        let mapping = Mapping {
            from: q.vma_start,
            to: q.vma_end,
            executable: q.vma_flags & EXECUTABLE != 0,
            dev: (q.dev_major, q.dev_minor),
            ino: q.inode,
        };
        if tell(mapping).is_break() || q.vma_end <= at {
            return Ok(());
        }
        at = q.vma_end;
    }
}

fn each_line(text: &[u8], exec_only: bool, tell: &mut dyn FnMut(Mapping) -> ControlFlow<()>) {
    for mapping in text.split(|b| *b == b'\n').filter_map(parse) {
        if (mapping.executable || !exec_only) && tell(mapping).is_break() {
            return;
        }
    }
}

/// `from-to perms offset major:minor inode [path]`, all but the inode in hexadecimal.
fn parse(line: &[u8]) -> Option<Mapping> {
    let mut fields = line.split(|b| *b == b' ').filter(|f| !f.is_empty());
    let text = |b| std::str::from_utf8(b).ok();
    let (from, to) = text(fields.next()?)?.split_once('-')?;
    let executable = fields.next()?.get(2) == Some(&b'x');
    let (major, minor) = text(fields.nth(1)?)?.split_once(':')?;
    let ino = text(fields.next()?)?.parse().ok().filter(|i| *i != 0)?;
    let number = |s| u64::from_str_radix(s, 16).ok();
    let part = |s| u32::from_str_radix(s, 16).ok();
    Some(Mapping { from: number(from)?, to: number(to)?, executable, dev: (part(major)?, part(minor)?), ino })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let m = parse(b"00400000-00401000 r-xp 00002000 fe:01 42          /x y").unwrap();
        assert_eq!((m.from, m.to, m.executable, m.dev, m.ino), (0x40_0000, 0x40_1000, true, (0xfe, 1), 42));
        assert_eq!(m.link(7), "/proc/7/map_files/400000-401000");
        for bad in [&b""[..], b"nonsense", b"1-2 r-xp 0 0:0 0 [vdso]", b"\xff-\xff r-xp 0 1:1 1"] {
            assert_eq!(parse(bad), None);
        }
    }

    #[test]
    fn both_ways_tell_the_same() {
        let me = i32::try_from(std::process::id()).unwrap();
        let mut asked = Vec::new();
        each(me, true, &mut |m| {
            asked.push(m);
            ControlFlow::Continue(())
        })
        .unwrap();
        let mut read = Vec::new();
        each_line(&std::fs::read("/proc/self/maps").unwrap(), true, &mut |m| {
            read.push(m);
            ControlFlow::Continue(())
        });
        assert!(!asked.is_empty());
        assert_eq!(asked, read);
        assert!(each(i32::MAX, true, &mut |_| ControlFlow::Continue(())).is_err());
    }
}
