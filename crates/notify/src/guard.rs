// SPDX-License-Identifier: Apache-2.0
//! Where requests may go: nothing that only the server itself can reach, unless its administrator said so in
//! the configuration. What is checked is the address that is connected to, so a name that answers
//! differently the second time gains nothing.

use crate::failure::Failure;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The first bits of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Prefix {
    address: IpAddr,
    bits: u32,
}

/// What is let through.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    allow: Vec<Prefix>,
}

/// Not on the public internet, or of no single host there (IANA special-purpose registries).
const PRIVATE_4: [([u8; 4], u32); 16] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
    ([255, 255, 255, 255], 32),
];

/// IPv6 has one block of public addresses; inside it these hold IPv4 addresses or examples.
const PRIVATE_6: [([u16; 2], u32); 4] =
    [([0x2001, 0], 32), ([0x2001, 0x10], 28), ([0x2001, 0xdb8], 32), ([0x2002, 0], 16)];

impl Guard {
    /// With what `[outbound] allow` says: addresses, or prefixes as `10.1.0.0/16`.
    ///
    /// # Errors
    /// Names the entry that is neither.
    pub fn new(allow: &[String]) -> Result<Self, String> {
        let read = |text: &String| {
            Prefix::read(text).ok_or_else(|| format!("\"{text}\": neither an address nor ADDRESS/BITS"))
        };
        Ok(Self { allow: allow.iter().map(read).collect::<Result<_, _>>()? })
    }

    /// Whether somebody allowed it by name.
    pub(crate) fn allows(&self, address: IpAddr) -> bool {
        self.allow.iter().any(|p| p.holds(address) || p.holds(address.to_canonical()))
    }

    /// Whether a connection to it may be made.
    ///
    /// # Errors
    /// Says why not, and who can change that.
    pub fn check(&self, address: IpAddr) -> Result<(), Failure> {
        if is_public(address) || self.allows(address) {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{address} is not a public address: the server's administrator can allow it with [outbound] allow"
        )))
    }
}

impl Prefix {
    fn read(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address.parse().ok()?, bits.parse().ok()?),
            None => {
                let address: IpAddr = text.parse().ok()?;
                (address, if address.is_ipv4() { 32 } else { 128 })
            }
        };
        let most = if IpAddr::is_ipv4(&address) { 32 } else { 128 };
        (bits <= most).then_some(Self { address, bits })
    }

    fn holds(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                let mask = u32::MAX.checked_shl(32 - self.bits).unwrap_or(0);
                a.to_bits() & mask == b.to_bits() & mask
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => {
                let mask = u128::MAX.checked_shl(128 - self.bits).unwrap_or(0);
                a.to_bits() & mask == b.to_bits() & mask
            }
            _ => false,
        }
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => !PRIVATE_4
            .iter()
            .any(|(p, bits)| Prefix { address: Ipv4Addr::from(*p).into(), bits: *bits }.holds(a.into())),
        // Global unicast is 2000::/3; mapped, translated, local and multicast ones are elsewhere.
        IpAddr::V6(a) => {
            a.segments()[0] & 0xe000 == 0x2000
                && !PRIVATE_6.iter().any(|([x, y], bits)| {
                    let p = Ipv6Addr::new(*x, *y, 0, 0, 0, 0, 0, 0);
                    Prefix { address: p.into(), bits: *bits }.holds(a.into())
                })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_public_addresses_are_let_through() {
        let guard = Guard::new(&[]).unwrap();
        for private in [
            "0.0.0.0",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "239.255.255.255",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            let said = guard.check(ip(private)).unwrap_err().to_string();
            assert!(said.contains("[outbound] allow"), "{private}: {said}");
        }
        for public in ["8.8.8.8", "100.128.0.1", "172.32.0.1", "192.0.1.1", "2606:4700::1111", "2a00::1"] {
            assert!(guard.check(ip(public)).is_ok(), "{public}");
        }
    }

    #[test]
    fn the_administrator_may_allow_more() {
        let guard = Guard::new(&["127.0.0.0/8".into(), "fd00::/8".into(), "10.1.2.3".into()]).unwrap();
        for yes in ["127.0.0.1", "::ffff:127.0.0.1", "fd12::1", "10.1.2.3"] {
            assert!(guard.check(ip(yes)).is_ok(), "{yes}");
        }
        for no in ["10.1.2.4", "::1", "192.168.1.1"] {
            assert!(guard.check(ip(no)).is_err(), "{no}");
        }
        assert!(Guard::new(&["0.0.0.0/0".into()]).unwrap().check(ip("10.0.0.1")).is_ok());
        for bad in ["10.0.0.0/33", "ten", "10.0.0.0/", "::/129", ""] {
            assert!(Guard::new(&[bad.into()]).is_err(), "{bad}");
        }
    }
}
