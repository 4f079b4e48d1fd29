// SPDX-License-Identifier: Apache-2.0
//! Where a request came from when proxies stand between. Only proxies that the configuration names are
//! believed, and only in the one header that they are said to write: a header that a proxy passes on as it
//! came is the client's own word.

use axum::http::{HeaderMap, HeaderName, header};
use serde::{Deserialize, Deserializer};
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// Proxies in a row that are looked through.
const HOPS: usize = 32;

/// An address, or a network of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    address: IpAddr,
    bits: u32,
}

impl Prefix {
    /// Whether an address is in it.
    fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(net), IpAddr::V4(one)) => {
                (net.to_bits() ^ one.to_bits()).checked_shr(32 - self.bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(net), IpAddr::V6(one)) => {
                (net.to_bits() ^ one.to_bits()).checked_shr(128 - self.bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Prefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let no = || {
            format!("\"{}\" is neither an address nor a network such as 10.0.0.0/8", text.escape_default())
        };
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| no())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().ok().filter(|b| *b <= most).ok_or_else(no)?,
            None => most,
        };
        Ok(Self { address, bits })
    }
}

impl<'de> Deserialize<'de> for Prefix {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What proxies write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, as most do.
    #[default]
    #[serde(rename = "x-forwarded-for")]
    XForwardedFor,
    /// `Forwarded` of RFC 7239.
    #[serde(rename = "forwarded")]
    Forwarded,
}

impl ForwardedHeader {
    fn name(self) -> HeaderName {
        match self {
            Self::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
            Self::Forwarded => header::FORWARDED,
        }
    }

    /// The addresses from the nearest proxy's on; `None`: something that is no address.
    fn hops(self, headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
        let lines: Vec<&str> =
            headers.get_all(self.name()).iter().map(|v| v.to_str().unwrap_or("?")).collect();
        let hops: Vec<Option<IpAddr>> = lines
            .iter()
            .rev()
            .flat_map(|line| line.rsplit(','))
            .take(HOPS)
            .map(|hop| match self {
                Self::XForwardedFor => node(hop.trim()),
                Self::Forwarded => hop.split(';').find_map(|pair| {
                    let (key, value) = pair.trim().split_once('=')?;
                    key.eq_ignore_ascii_case("for").then(|| node(value.trim().trim_matches('"')))?
                }),
            })
            .collect();
        hops.into_iter()
    }
}

/// An address with or without a port, as proxies write it.
fn node(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    let found = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|a| a.ip()));
    found.map(|ip: IpAddr| ip.to_canonical())
}

/// Whether a request came through a proxy, whoever says so.
pub(crate) fn forwarded(headers: &HeaderMap) -> bool {
    [HeaderName::from_static("x-forwarded-for"), header::FORWARDED, header::VIA]
        .iter()
        .any(|name| headers.contains_key(name))
}

/// The client's address: the other end's, unless that is a trusted proxy. Then the last address that no
/// trusted proxy has; what stands before it is the client's own word.
pub(crate) fn client(
    peer: IpAddr,
    headers: &HeaderMap,
    trusted: &[Prefix],
    header: ForwardedHeader,
) -> IpAddr {
    let mut client = peer.to_canonical();
    let is_trusted = |ip: IpAddr| trusted.iter().any(|p| p.holds(ip));
    for hop in header.hops(headers) {
        if !is_trusted(client) {
            break;
        }
        // An unknown one: the proxy that wrote it is all that is known.
        let Some(hop) = hop else { break };
        client = hop;
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: &str, header: ForwardedHeader, lines: &[&str]) -> String {
        let trusted: Vec<Prefix> =
            ["10.0.0.0/8", "2001:db8::/32", "127.0.0.1"].iter().map(|p| p.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header.name(), line.parse().unwrap());
        }
        client(peer.parse().unwrap(), &headers, &trusted, header).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let x = |peer, lines: &[&str]| from(peer, ForwardedHeader::XForwardedFor, lines);
        assert_eq!(x("198.51.100.7", &["203.0.113.1"]), "198.51.100.7", "anybody can write a header");
        assert_eq!(x("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(x("10.0.0.1", &["203.0.113.1"]), "203.0.113.1");
        assert_eq!(x("::ffff:10.0.0.1", &["::ffff:203.0.113.1"]), "203.0.113.1");
        // The client wrote the first one itself, the proxy appended where it came from.
        assert_eq!(x("10.0.0.1", &["127.0.0.1, 203.0.113.1"]), "203.0.113.1");
        assert_eq!(x("10.0.0.1", &["1.2.3.4", "203.0.113.1, 10.0.0.2"]), "203.0.113.1");
        assert_eq!(x("10.0.0.1", &["203.0.113.1:4711"]), "203.0.113.1");
        assert_eq!(x("10.0.0.1", &["[2001:470::1]:4711"]), "2001:470::1");
        assert_eq!(x("10.0.0.1", &["203.0.113.1, nonsense"]), "10.0.0.1");
        assert_eq!(x("10.0.0.1", &["", "a,b"]), "10.0.0.1");
        let many = "10.0.0.3, ".repeat(1000) + "10.0.0.2";
        assert_eq!(x("10.0.0.1", &[&many]), "10.0.0.3", "bounded");
    }

    #[test]
    fn the_standard_header_is_read_where_it_is_said_to_be_written() {
        let f = |lines: &[&str]| from("10.0.0.1", ForwardedHeader::Forwarded, lines);
        assert_eq!(f(&["for=203.0.113.1;proto=https"]), "203.0.113.1");
        assert_eq!(f(&["For=\"[2001:470::1]:4711\", for=10.0.0.9;by=10.0.0.1"]), "2001:470::1");
        assert_eq!(f(&["for=unknown"]), "10.0.0.1");
        assert_eq!(f(&["for=_hidden, for=203.0.113.1"]), "203.0.113.1");
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "203.0.113.9".parse().unwrap());
        let trusted = ["10.0.0.1".parse().unwrap()];
        let client = client("10.0.0.1".parse().unwrap(), &headers, &trusted, ForwardedHeader::Forwarded);
        assert_eq!(client.to_string(), "10.0.0.1", "the other header is nobody's word");
    }

    #[test]
    fn networks() {
        let holds = |p: &str, a: &str| p.parse::<Prefix>().unwrap().holds(a.parse().unwrap());
        assert!(holds("0.0.0.0/0", "1.2.3.4") && !holds("0.0.0.0/0", "::1"));
        assert!(holds("::/0", "::1") && holds("192.0.2.0/25", "192.0.2.127"));
        assert!(!holds("192.0.2.0/25", "192.0.2.128") && !holds("192.0.2.1", "192.0.2.2"));
        for bad in ["", "10.0.0.0/33", "::/129", "host", "10.0.0.0/", "10.0.0.0/-1", "10/8"] {
            assert!(bad.parse::<Prefix>().is_err(), "{bad}");
        }
    }
}
