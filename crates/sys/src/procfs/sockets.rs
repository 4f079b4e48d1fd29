// SPDX-License-Identifier: Apache-2.0
//! On which ports a process listens: its own sockets, in its own network namespace.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A port on which connections or datagrams are taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listening {
    /// `tcp`, `tcp6`, `udp`, `udp6`.
    pub protocol: &'static str,
    /// Unspecified for every address of the host.
    pub address: IpAddr,
    /// From 1.
    pub port: u16,
}

/// The tables, and the state that a socket has in them while it takes what comes from anybody:
/// `TCP_LISTEN`, and for UDP `TCP_CLOSE` (bound, connected to nobody), of `include/net/tcp_states.h`.
const TABLES: [(&str, &str); 4] = [("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")];

/// What a process listens on, sorted. Sockets that it shares with others are listed for each.
///
/// # Errors
/// When the process is gone, or its descriptors may not be looked at.
pub fn listening(pid: i32) -> io::Result<Vec<Listening>> {
    let sockets = sockets(pid)?;
    let mut found = Vec::new();
    if sockets.is_empty() {
        return Ok(found);
    }
    for (protocol, state) in TABLES {
        // A kernel without IPv6 has no such table.
        let Ok(text) = std::fs::read_to_string(format!("/proc/{pid}/net/{protocol}")) else { continue };
        found.extend(text.lines().skip(1).filter_map(|line| {
            let (address, port, inode) = parse(line, state)?;
            sockets.contains(&inode).then_some(Listening { protocol, address, port })
        }));
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Inode numbers of the sockets that a process holds.
fn sockets(pid: i32) -> io::Result<HashSet<u64>> {
    let mut inodes = HashSet::new();
    for entry in std::fs::read_dir(format!("/proc/{pid}/fd"))?.flatten() {
        // Closed meanwhile: not held any more.
        let Ok(link) = std::fs::read_link(entry.path()) else { continue };
        let socket = link.to_str().and_then(|l| l.strip_prefix("socket:[")?.strip_suffix(']'));
        inodes.extend(socket.and_then(|inode| inode.parse::<u64>().ok()));
    }
    Ok(inodes)
}

/// Address, port and socket inode of a line of `/proc/net/{tcp,tcp6,udp,udp6}` in the wanted state;
/// proc_net(5) and `tcp4_seq_show` describe the fields.
fn parse(line: &str, state: &str) -> Option<(IpAddr, u16, u64)> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let local = fields.next()?;
    let is_state = fields.nth(1)? == state;
    let inode = fields.nth(5)?.parse().ok()?;
    let (address, port) = local.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    (is_state && port != 0 && inode != 0).then_some((parse_address(address)?, port, inode))
}

/// Words of 32 bits in the byte order of this machine.
fn parse_address(digits: &str) -> Option<IpAddr> {
    let word = |i: usize| Some(u32::from_str_radix(digits.get(i * 8..i * 8 + 8)?, 16).ok()?.to_ne_bytes());
    match digits.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let mut bytes = [0; 16];
            for (i, four) in bytes.chunks_exact_mut(4).enumerate() {
                four.copy_from_slice(&word(i)?);
            }
            Some(Ipv6Addr::from(bytes).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream, UdpSocket};

    #[test]
    fn own_ports_and_no_others() {
        let me = i32::try_from(std::process::id()).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (tcp_port, udp_port) = (tcp.local_addr().unwrap().port(), udp.local_addr().unwrap().port());
        let other = UdpSocket::bind("127.0.0.1:0").unwrap();
        other.connect(udp.local_addr().unwrap()).unwrap();
        let connected = TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
        let found = listening(me).unwrap();
        let has = |protocol: &str, port: u16| {
            found.iter().any(|l| l.protocol == protocol && l.port == port && l.address.is_loopback())
        };
        assert!(has("tcp", tcp_port) && has("udp", udp_port), "{found:?}");
        assert!(!has("tcp", connected.local_addr().unwrap().port()), "a connection listens to nobody");
        assert!(!has("udp", other.local_addr().unwrap().port()), "{found:?}");
        drop(tcp);
        assert!(!listening(me).unwrap().iter().any(|l| l.protocol == "tcp" && l.port == tcp_port));
        assert!(listening(i32::MAX).is_err());
    }

    #[test]
    fn ipv6_where_there_is_any() {
        let Ok(tcp) = TcpListener::bind("[::1]:0") else { return };
        let port = tcp.local_addr().unwrap().port();
        let found = listening(i32::try_from(std::process::id()).unwrap()).unwrap();
        let own = found.iter().find(|l| l.port == port && l.protocol == "tcp6");
        assert_eq!(own.map(|l| l.address), Some("::1".parse().unwrap()), "{found:?}");
    }

    #[test]
    fn broken_lines_are_nothing() {
        let line =
            "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 4711 1 x";
        let loopback = u32::from_be_bytes([1, 0, 0, 127]).to_ne_bytes() == [127, 0, 0, 1];
        let parsed = parse(line, "0A").unwrap();
        assert_eq!((parsed.1, parsed.2), (8080, 4711));
        assert!(!loopback || parsed.0 == IpAddr::from([127, 0, 0, 1]));
        assert!(parse(line, "07").is_none());
        for broken in ["", "0:", "0: zz:1F90 x 0A", "0: 0100007F:0 0:0 0A a b c d 1", "é: é:é é é é"] {
            assert!(parse(broken, "0A").is_none(), "{broken}");
        }
        assert!(parse_address("0100007").is_none() && parse_address("éé0100").is_none());
    }
}
