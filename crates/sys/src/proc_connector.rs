// SPDX-License-Identifier: Apache-2.0
//! Process life from the kernel's connector (`CN_IDX_PROC`): advisory, never a gate, because the
//! process may be gone before the message is read.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// What happened to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcEvent {
    /// It runs another program now.
    Exec {
        /// Thread group.
        pid: i32,
    },
    /// It ended.
    Exit {
        /// Thread group.
        pid: i32,
    },
    /// Messages were lost: look at all processes.
    Lost,
}

const CN_IDX_PROC: u32 = 1;
const CN_VAL_PROC: u32 = 1;
const PROC_CN_MCAST_LISTEN: u32 = 1;
const PROC_EVENT_EXEC: u32 = 0x0000_0002;
const PROC_EVENT_EXIT: u32 = 0x8000_0000;
const NLMSG_HEADER: usize = 16;
const CN_HEADER: usize = 20;
/// `what`, `cpu`, `timestamp_ns`.
const EVENT_HEADER: usize = 16;

/// A subscription.
#[derive(Debug)]
pub struct ProcConnector {
    socket: OwnedFd,
}

impl ProcConnector {
    /// Needs `CAP_NET_ADMIN` in the initial user namespace.
    ///
    /// # Errors
    /// `EPERM` without it, `EPROTONOSUPPORT` where the kernel has no connector.
    pub fn open() -> io::Result<Self> {
        // SAFETY: no pointers.
        let fd = unsafe {
            libc::socket(
                libc::AF_NETLINK,
                libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK,
                libc::NETLINK_CONNECTOR,
            )
        };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call succeeded, so that `fd` is open and nobody else owns it.
        let socket = unsafe { OwnedFd::from_raw_fd(fd) };
        // A burst of short-lived processes must not lose messages; the limit is best effort.
        let bytes: libc::c_int = 4 * 1024 * 1024;
        // SAFETY: the option value is a C int on our stack, its length is given.
        unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_RCVBUFFORCE,
                std::ptr::from_ref(&bytes).cast(),
                size_of_val(&bytes).try_into().unwrap_or(4),
            );
        }
        // SAFETY: an all-zero `sockaddr_nl` is valid.
        let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
        address.nl_family = libc::AF_NETLINK.try_into().unwrap_or(16);
        address.nl_groups = CN_IDX_PROC;
        // SAFETY: the address is on our stack and its length is given.
        let r = unsafe {
            libc::bind(
                socket.as_raw_fd(),
                std::ptr::from_ref(&address).cast(),
                size_of_val(&address).try_into().unwrap_or(12),
            )
        };
        if r < 0 {
            return Err(io::Error::last_os_error());
        }
        let request = listen_request();
        rustix::net::send(&socket, &request, rustix::net::SendFlags::empty())?;
        Ok(Self { socket })
    }

    /// Reads what is there without waiting.
    ///
    /// # Errors
    /// What the socket reports; lost messages are [`ProcEvent::Lost`], not an error.
    pub fn read(&self, mut each: impl FnMut(ProcEvent)) -> io::Result<()> {
        let mut buffer = [0_u8; 8192];
        loop {
            match rustix::net::recv(&self.socket, &mut buffer[..], rustix::net::RecvFlags::DONTWAIT) {
                Ok((0, _)) => return Ok(()),
                Ok((got, _)) => parse(&buffer[..got.min(8192)], &mut each),
                Err(rustix::io::Errno::AGAIN) => return Ok(()),
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::NOBUFS) => each(ProcEvent::Lost),
                Err(e) => return Err(e.into()),
            }
        }
    }
}

impl AsFd for ProcConnector {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn listen_request() -> Vec<u8> {
    let length = u32::try_from(NLMSG_HEADER + CN_HEADER + 4).unwrap_or(40);
    let mut m = Vec::with_capacity(40);
    m.extend(length.to_ne_bytes());
    m.extend(u16::try_from(libc::NLMSG_DONE).unwrap_or(3).to_ne_bytes());
    m.extend([0; 2 + 4 + 4]); // flags, sequence, port
    m.extend(CN_IDX_PROC.to_ne_bytes());
    m.extend(CN_VAL_PROC.to_ne_bytes());
    m.extend([0; 8]); // sequence, acknowledgement
    m.extend(4_u16.to_ne_bytes());
    m.extend([0; 2]);
    m.extend(PROC_CN_MCAST_LISTEN.to_ne_bytes());
    m
}

fn parse(mut rest: &[u8], each: &mut impl FnMut(ProcEvent)) {
    let word =
        |b: &[u8], at: usize| b.get(at..at + 4).and_then(|w| w.try_into().ok()).map(u32::from_ne_bytes);
    while let Some(length) = word(rest, 0).map(|l| l as usize) {
        if length < NLMSG_HEADER || length > rest.len() {
            return;
        }
        let event = rest.get(NLMSG_HEADER + CN_HEADER..length).unwrap_or_default();
        // pid, then tgid: the thread group is the process.
        let tgid = word(event, EVENT_HEADER + 4).map(u32::cast_signed);
        let pid = word(event, EVENT_HEADER).map(u32::cast_signed);
        match (word(event, 0), pid, tgid) {
            (Some(PROC_EVENT_EXEC), _, Some(tgid)) => each(ProcEvent::Exec { pid: tgid }),
            (Some(PROC_EVENT_EXIT), Some(pid), Some(tgid)) if pid == tgid => {
                each(ProcEvent::Exit { pid: tgid })
            }
            _ => {}
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn hostile_bytes_end_the_parse() {
        let mut seen = 0;
        parse(&[0xff; 64], &mut |_| seen += 1);
        parse(&[0; 3], &mut |_| seen += 1);
        assert_eq!(seen, 0);
    }

    #[test]
    fn an_exec_is_told() {
        let Ok(connector) = ProcConnector::open() else {
            assert!(!rustix::process::geteuid().is_root(), "root can subscribe");
            return;
        };
        let child = std::process::Command::new("/bin/true").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let mut child = child;
        child.wait().unwrap();
        let end = Instant::now() + Duration::from_secs(5);
        let mut seen = false;
        while !seen && Instant::now() < end {
            connector.read(|e| seen |= e == ProcEvent::Exec { pid }).unwrap();
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(seen, "no exec of {pid} within 5 s");
    }
}
