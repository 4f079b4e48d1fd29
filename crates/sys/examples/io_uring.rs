// SPDX-License-Identifier: Apache-2.0
//! Opens or writes a file through an `io_uring`, without the system calls that sensors usually watch.
//!
//! `io_uring read PATH` prints what it reads, `io_uring write PATH` writes what comes on standard
//! input. Exit status 1 with the error's name when the kernel says no.

use io_uring::{IoUring, opcode, squeue, types};
use std::ffi::{CString, OsString};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

/// Puts one entry on the ring and waits for its result.
fn one(ring: &mut IoUring, entry: &squeue::Entry) -> io::Result<i32> {
    // SAFETY: everything that an entry here points to is held by the caller until this returns, and
    // this returns only after the kernel has completed the entry.
    unsafe { ring.submission().push(entry) }.map_err(io::Error::other)?;
    ring.submit_and_wait(1)?;
    let done = ring.completion().next().ok_or_else(|| io::Error::other("no completion"))?;
    if done.result() < 0 { Err(io::Error::from_raw_os_error(-done.result())) } else { Ok(done.result()) }
}

fn run(verb: &str, path: OsString) -> io::Result<()> {
    let path = CString::new(path.into_vec())?;
    let mut ring = IoUring::new(4)?;
    let open = opcode::OpenAt::new(types::Fd(libc::AT_FDCWD), path.as_ptr());
    if verb == "read" {
        let fd = types::Fd(one(&mut ring, &open.flags(libc::O_RDONLY).build())?);
        let mut buffer = vec![0_u8; 65_536];
        let length = u32::try_from(buffer.len()).map_err(io::Error::other)?;
        let got = one(&mut ring, &opcode::Read::new(fd, buffer.as_mut_ptr(), length).build())?;
        return io::stdout().write_all(&buffer[..usize::try_from(got).map_err(io::Error::other)?]);
    }
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes)?;
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC;
    let fd = types::Fd(one(&mut ring, &open.flags(flags).mode(0o755).build())?);
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    one(&mut ring, &opcode::Write::new(fd, bytes.as_ptr(), length).build())?;
    one(&mut ring, &opcode::Close::new(fd).build()).map(drop)
}

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let (verb, path) = (args.next().unwrap_or_default(), args.next().unwrap_or_default());
    match run(&verb.to_string_lossy(), path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            let _ = writeln!(io::stdout(), "{:?}", e.kind());
            ExitCode::FAILURE
        }
    }
}
