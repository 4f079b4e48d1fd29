// SPDX-License-Identifier: Apache-2.0
//! What a jailed process must not be able to do, as things to try: the proof that the jail bites.

use std::io;

/// One forbidden act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// Opens `/etc/passwd` for reading.
    Open,
    /// Connects by TCP to this host's port 9.
    Tcp,
    /// Sends one byte by UDP to this host's port 9.
    Udp,
    /// Forks.
    Fork,
    /// Runs `/bin/true` in its own place.
    Exec,
    /// Sends the null signal to process 1: no harm where the jail does not hold.
    Kill,
    /// Attaches to process 1 as a debugger.
    Ptrace,
    /// Maps executable memory.
    ExecutableMapping,
    /// Makes mapped memory executable.
    ExecutableMemory,
    /// Asks a device for its settings.
    Ioctl,
    /// Makes a file without a name.
    Memfd,
    /// Writes to a descriptor.
    Write(i32),
    /// Ends itself by `abort`: allowed, so that the signal says what happened.
    Abort,
}

impl Probe {
    /// The probe of a word, as the example takes it.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "open" => Self::Open,
            "tcp" => Self::Tcp,
            "udp" => Self::Udp,
            "fork" => Self::Fork,
            "exec" => Self::Exec,
            "kill" => Self::Kill,
            "ptrace" => Self::Ptrace,
            "map-exec" => Self::ExecutableMapping,
            "protect-exec" => Self::ExecutableMemory,
            "ioctl" => Self::Ioctl,
            "memfd" => Self::Memfd,
            "abort" => Self::Abort,
            _ => return None,
        })
    }

    /// Tries it. In the jail most of these do not return.
    ///
    /// # Errors
    /// With what the kernel refused it.
    pub fn attempt(self) -> io::Result<()> {
        // SAFETY: plain system calls on valid, static arguments; the child of a fork ends at once.
        let r = unsafe {
            match self {
                Self::Open => libc::c_long::from(libc::open(c"/etc/passwd".as_ptr(), libc::O_RDONLY)),
                Self::Tcp => reach(libc::SOCK_STREAM),
                Self::Udp => reach(libc::SOCK_DGRAM),
                Self::Fork => match libc::fork() {
                    0 => libc::_exit(0),
                    pid => libc::c_long::from(pid),
                },
                Self::Exec => {
                    let argv = [c"true".as_ptr(), std::ptr::null()];
                    libc::c_long::from(libc::execve(c"/bin/true".as_ptr(), argv.as_ptr(), std::ptr::null()))
                }
                Self::Kill => libc::c_long::from(libc::kill(1, 0)),
                Self::Ptrace => libc::ptrace(libc::PTRACE_SEIZE, 1, 0, 0),
                Self::ExecutableMapping => {
                    map(libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC).map_or(-1, |_| 0)
                }
                Self::ExecutableMemory => match map(libc::PROT_READ | libc::PROT_WRITE) {
                    Some(memory) => {
                        libc::c_long::from(libc::mprotect(memory, 4096, libc::PROT_READ | libc::PROT_EXEC))
                    }
                    None => -1,
                },
                Self::Ioctl => libc::c_long::from(libc::isatty(0)),
                Self::Memfd => libc::c_long::from(libc::memfd_create(c"probe".as_ptr(), 0)),
                Self::Write(fd) => {
                    libc::c_long::try_from(libc::pwrite(fd, c"x".as_ptr().cast(), 1, 0)).unwrap_or(-1)
                }
                Self::Abort => libc::abort(),
            }
        };
        if r < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

/// # Safety
/// None: the result is only compared and unmapped by the process's end.
unsafe fn map(protection: libc::c_int) -> Option<*mut libc::c_void> {
    // SAFETY: a new anonymous mapping touches no other memory.
    let memory = unsafe {
        libc::mmap(std::ptr::null_mut(), 4096, protection, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
    };
    (memory != libc::MAP_FAILED).then_some(memory)
}

/// # Safety
/// None: the socket is closed by the process's end.
unsafe fn reach(kind: libc::c_int) -> libc::c_long {
    // SAFETY: a zeroed address is a valid one, and its size is given.
    unsafe {
        let socket = libc::socket(libc::AF_INET, kind, 0);
        let mut address: libc::sockaddr_in = std::mem::zeroed();
        address.sin_family = libc::sa_family_t::try_from(libc::AF_INET).unwrap_or_default();
        address.sin_port = 9u16.to_be();
        address.sin_addr.s_addr = u32::from_ne_bytes([127, 0, 0, 1]);
        let size = libc::socklen_t::try_from(size_of_val(&address)).unwrap_or_default();
        if libc::connect(socket, (&raw const address).cast(), size) != 0 {
            return -1;
        }
        libc::c_long::try_from(libc::send(socket, c"x".as_ptr().cast(), 1, 0)).unwrap_or(-1)
    }
}
