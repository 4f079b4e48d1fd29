// SPDX-License-Identifier: Apache-2.0
//! Where the server is, and by which digest its authority is known.

use sha2::{Digest as _, Sha256};
use std::fmt;

/// `wss://HOST[:PORT]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
}

const PORT: u16 = 7443;

impl Address {
    /// Takes `https://` as well: people copy it from a browser.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let form = "it must be wss://HOST[:PORT], as wss://lazaret.example.com:7443";
        let rest = ["wss://", "https://"].into_iter().find_map(|s| url.trim().strip_prefix(s)).ok_or(form)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.strip_prefix('[') {
            Some(v6) => {
                let (host, after) = v6.split_once(']').ok_or(form)?;
                (host, after.strip_prefix(':'))
            }
            None => rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
        };
        let port = match port {
            Some(text) => text.parse().ok().filter(|p| *p != 0).ok_or("its port is not 1 to 65535")?,
            None => PORT,
        };
        let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if host.is_empty() || !host.chars().all(sound) {
            return Err(form.to_owned());
        }
        Ok(Self { host: host.to_owned(), port })
    }

    /// As it stands in a `Host` header.
    pub(crate) fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wss://{}", self.authority())
    }
}

/// 32 bytes from 64 digits; colons and spaces between them are how `openssl` prints them.
pub(crate) fn fingerprint(text: &str) -> Result<[u8; 32], String> {
    let text = text.trim();
    let text = text.strip_prefix("sha256:").or_else(|| text.strip_prefix("SHA256:")).unwrap_or(text);
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
    unhex(&digits)
        .and_then(|b| b.try_into().ok())
        .ok_or_else(|| format!("a SHA-256 digest has 64 hexadecimal digits, this has {}", digits.len()))
}

/// Of a certificate, DER.
pub(crate) fn digest(der: &[u8]) -> [u8; 32] {
    Sha256::digest(der).into()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    digits
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|p| u8::from_str_radix(p, 16).ok()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let a = |u: &str| Address::parse(u).map(|a| a.to_string());
        assert_eq!(a("wss://s.example").as_deref(), Ok("wss://s.example:7443"));
        assert_eq!(a("https://10.0.0.1:9/").as_deref(), Ok("wss://10.0.0.1:9"));
        assert_eq!(a("wss://[::1]:443").as_deref(), Ok("wss://[::1]:443"));
        for bad in
            ["", "s", "http://s", "wss://", "wss://s:0", "wss://s:x", "wss://a/b", "wss://u@h", "wss://[::1"]
        {
            assert!(a(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn fingerprints() {
        let d = digest(b"x");
        assert_eq!(fingerprint(&hex(&d)), Ok(d));
        let colons: Vec<String> = d.iter().map(|b| format!("{b:02X}")).collect();
        assert_eq!(fingerprint(&format!("sha256:{}", colons.join(":"))), Ok(d));
        assert!(fingerprint("abcd").unwrap_err().contains("64"));
        assert!(fingerprint(&"zz".repeat(32)).is_err());
        assert!(fingerprint(&"\u{e9}".repeat(32)).is_err());
    }
}
