// SPDX-License-Identifier: Apache-2.0
//! Descriptors over `SOCK_SEQPACKET` sockets.
//!
//! One datagram carries bytes and up to [`MAX_FDS`] descriptors. What is received is close-on-exec;
//! a datagram that did not fit, in bytes or in descriptors, is an error and never a shorter message.

use rustix::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use rustix::io::{Errno, FdFlags, fcntl_getfd, fcntl_setfd};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair, sockopt,
};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;

/// Descriptors that one datagram may carry; the kernel's own bound is 253.
pub const MAX_FDS: usize = 64;

/// A connected pair of `SOCK_SEQPACKET` sockets, both close-on-exec.
///
/// # Errors
/// What `socketpair(2)` reports, chiefly `EMFILE`.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Takes over the socket that the starting process left at `fd`, and makes it close-on-exec.
///
/// # Errors
/// `EBADF` when nothing is there, `InvalidInput` when it is not a `SOCK_SEQPACKET` socket.
pub fn inherited(fd: RawFd) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(Errno::BADF.into());
    }
    // SAFETY: only borrowed for the checks below, and a closed number answers EBADF there.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    fcntl_setfd(borrowed, fcntl_getfd(borrowed)? | FdFlags::CLOEXEC)?;
    match sockopt::socket_type(borrowed) {
        Ok(SocketType::SEQPACKET) => {}
        Ok(_) | Err(Errno::NOTSOCK) => {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("descriptor {fd} is not a SOCK_SEQPACKET socket"),
            ));
        }
        Err(e) => return Err(e.into()),
    }
    // SAFETY: the descriptor is open, was left to this process by its starter for exactly this,
    // and the caller is the only one that takes it over.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sends one datagram with descriptors beside it; blocks while the peer's queue is full.
///
/// # Errors
/// `EPIPE` when the peer is gone (no signal is raised), `InvalidInput` for more than [`MAX_FDS`]
/// descriptors or an empty datagram (its receiver would take it for the end), else what
/// `sendmsg(2)` reports.
pub fn send(socket: impl AsFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    if fds.len() > MAX_FDS || bytes.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("a datagram carries 1 byte or more and at most {MAX_FDS} descriptors"),
        ));
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    loop {
        match sendmsg(&socket, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL) {
            Ok(sent) if sent == bytes.len() => return Ok(()),
            Ok(_) => return Err(io::ErrorKind::WriteZero.into()),
            Err(Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
}

/// Sends one datagram without descriptors by `sendto(2)`, which a filter can hold to that.
///
/// # Errors
/// As [`send`].
pub fn send_bytes(socket: impl AsFd, bytes: &[u8]) -> io::Result<()> {
    loop {
        match rustix::net::send(&socket, bytes, SendFlags::NOSIGNAL) {
            Ok(sent) if sent == bytes.len() => return Ok(()),
            Ok(_) => return Err(io::ErrorKind::WriteZero.into()),
            Err(Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
}

/// Receives one datagram into `buffer` and its descriptors into `fds` (cleared first).
///
/// Returns the number of bytes; 0 is the end: the peer is gone. Blocks unless the socket says not to.
///
/// # Errors
/// `InvalidData` when the datagram was longer than `buffer` or descriptors were cut off (what came
/// is closed again), else what `recvmsg(2)` reports.
pub fn receive(socket: impl AsFd, buffer: &mut [u8], fds: &mut Vec<OwnedFd>) -> io::Result<usize> {
    fds.clear();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let message = loop {
        match recvmsg(&socket, &mut [IoSliceMut::new(buffer)], &mut control, RecvFlags::CMSG_CLOEXEC) {
            Err(Errno::INTR) => {}
            other => break other?,
        }
    };
    for part in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = part {
            fds.extend(rights);
        }
    }
    // MSG_CTRUNC, also set when this process has no free descriptor left; rustix names no constant.
    let cut = libc::MSG_CTRUNC.unsigned_abs();
    if message.flags.bits() & cut != 0 {
        fds.clear();
        return Err(io::Error::new(io::ErrorKind::InvalidData, "descriptors of a datagram were cut off"));
    }
    if message.flags.contains(ReturnFlags::TRUNC) {
        fds.clear();
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("a datagram is longer than {} bytes", buffer.len()),
        ));
    }
    Ok(message.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Seek, Write};

    #[test]
    fn bytes_and_descriptors_arrive_together() {
        let (a, b) = pair().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"content").unwrap();
        file.rewind().unwrap();
        send(&a, b"hello", &[file.as_fd(), file.as_fd()]).unwrap();
        send_bytes(&a, b"again").unwrap();
        let (mut buffer, mut fds) = ([0; 64], Vec::new());
        assert_eq!(receive(&b, &mut buffer, &mut fds).unwrap(), 5);
        assert_eq!((&buffer[..5], fds.len()), (b"hello".as_slice(), 2));
        for fd in &fds {
            assert!(fcntl_getfd(fd).unwrap().contains(FdFlags::CLOEXEC));
        }
        let mut text = String::new();
        std::fs::File::from(fds.remove(0)).read_to_string(&mut text).unwrap();
        assert_eq!(text, "content");
        assert_eq!(receive(&b, &mut buffer, &mut fds).unwrap(), 5);
        assert!(fds.is_empty(), "the vector is cleared");
        drop(a);
        assert_eq!(receive(&b, &mut buffer, &mut fds).unwrap(), 0);
    }

    #[test]
    fn a_datagram_that_does_not_fit_is_an_error() {
        let (a, b) = pair().unwrap();
        send(&a, &[7; 65], &[a.as_fd()]).unwrap();
        let (mut buffer, mut fds) = ([0; 64], Vec::new());
        let e = receive(&b, &mut buffer, &mut fds).unwrap_err();
        assert_eq!(e.kind(), io::ErrorKind::InvalidData);
        assert!(fds.is_empty());
        assert!(send(&a, b"", &[]).is_err());
        assert!(send(&a, b"x", &vec![a.as_fd(); MAX_FDS + 1]).is_err());
    }

    #[test]
    fn a_gone_peer_is_epipe_and_no_signal() {
        let (a, b) = pair().unwrap();
        drop(b);
        assert_eq!(send_bytes(&a, b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn only_a_seqpacket_socket_is_taken_over() {
        assert!(inherited(-1).is_err());
        assert!(inherited(i32::MAX).is_err());
        let file = tempfile::tempfile().unwrap();
        let e = inherited(std::os::fd::AsRawFd::as_raw_fd(&file)).unwrap_err();
        assert_eq!(e.kind(), io::ErrorKind::InvalidInput);
    }
}
