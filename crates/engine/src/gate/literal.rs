// SPDX-License-Identifier: Apache-2.0
//! One literal, in the forms that a pattern can ask for, and how rare it is.

use memchr::memmem;

/// How the bytes may stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    Exact,
    /// In any ASCII case; the literal's own bytes are lower-case.
    Nocase,
    /// Every byte turned by the same key, which lies between these.
    Xor(u8, u8),
}

/// Bytes that must stand somewhere in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Literal {
    pub(crate) bytes: Vec<u8>,
    pub(crate) form: Form,
}

/// Words of the languages that servers are full of, in lower case. A literal that is hardly more than one
/// of them tells little, however long it is.
const COMMON: [&str; 44] = [
    "import",
    "socket",
    "import socket",
    "socket.socket(",
    "authorized_keys",
    "known_hosts",
    "id_rsa",
    "/etc/hosts",
    "/etc/shadow",
    "/etc/passwd",
    "/bin/sh",
    "/bin/bash",
    "/dev/null",
    "/dev/tcp/",
    "/tmp/",
    "curl",
    "wget",
    "chmod",
    "nohup",
    "crontab",
    "killall",
    "pkill",
    "chattr",
    "mkfifo",
    "openssl",
    "base64",
    "base64_decode",
    "eval(",
    "exec(",
    "execute",
    "system",
    "popen",
    "subprocess",
    "connect",
    ".connect(",
    "http://",
    "https://",
    "<?php",
    "$_get",
    "$_post",
    "request",
    "process.env",
    "encrypted",
    "password",
];

impl Literal {
    pub(crate) fn exact(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), form: Form::Exact }
    }

    pub(crate) fn nocase(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_ascii_lowercase(), form: Form::Nocase }
    }

    /// Whether it stands at the start of `bytes`.
    pub(crate) fn begins(&self, bytes: &[u8]) -> bool {
        let Some(there) = bytes.get(..self.bytes.len()) else { return false };
        match self.form {
            Form::Exact => there == self.bytes,
            Form::Nocase => there.eq_ignore_ascii_case(&self.bytes),
            Form::Xor(from, to) => {
                let (Some(a), Some(b)) = (there.first(), self.bytes.first()) else { return true };
                let key = a ^ b;
                (from..=to).contains(&key) && there.iter().zip(&self.bytes).all(|(a, b)| a ^ b == key)
            }
        }
    }

    /// Whether it stands somewhere in `bytes`; yes for one turned by a key, which takes long to look for.
    pub(crate) fn may_be_in(&self, bytes: &[u8]) -> bool {
        match self.form {
            Form::Exact => memmem::find(bytes, &self.bytes).is_some(),
            Form::Nocase => {
                let told = bits(&self.bytes);
                let rarest = self.bytes.iter().zip(told).enumerate().max_by(|a, b| a.1.1.total_cmp(&b.1.1));
                let Some((offset, (&byte, _))) = rarest else { return true };
                memchr::memchr2_iter(byte, byte.to_ascii_uppercase(), bytes).any(|at| {
                    at.checked_sub(offset).and_then(|s| bytes.get(s..)).is_some_and(|b| self.begins(b))
                })
            }
            Form::Xor(..) => true,
        }
    }

    /// Whether this one is in a file wherever `other` is.
    pub(crate) fn within(&self, other: &Self) -> bool {
        self.form == other.form && memmem::find(&other.bytes, &self.bytes).is_some()
    }

    /// How likely it stands at a given place of an ordinary file: 2 to the power of minus its bits. An
    /// estimate that only chooses between literals; nothing depends on its being right.
    pub(crate) fn likelihood(&self) -> f64 {
        let bits: f64 = bits(&self.bytes).iter().sum();
        let bits = if self.is_common() { bits.min(10.0) } else { bits };
        (-bits.min(60.0)).exp2()
    }

    fn is_common(&self) -> bool {
        let lower = self.bytes.to_ascii_lowercase();
        let word = lower.trim_ascii();
        COMMON.iter().any(|c| {
            c.as_bytes() == word || (word.len() < c.len() && memmem::find(c.as_bytes(), word).is_some())
        })
    }
}

/// What each byte tells, in bits, after the one before it.
pub(crate) fn bits(bytes: &[u8]) -> Vec<f64> {
    let mut before = None;
    bytes
        .iter()
        .map(|&b| {
            let alone = match b.to_ascii_lowercase() {
                0 => 1.0,
                b' ' | b'\n' => 2.5,
                b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 3.5,
                b'j' | b'q' | b'x' | b'z' | b'k' | b'v' | b'w' => 6.0,
                b'a'..=b'z' => 4.5,
                b'0'..=b'9' | b'.' | b'-' | b'/' | b'_' | b'"' | b'(' | b')' | b',' => 5.0,
                _ => 6.5,
            };
            let letter = b.is_ascii_alphabetic();
            // Letters are words, and words are known from their beginning.
            let told = match before {
                Some(true) if letter => alone * 0.6,
                _ if b.is_ascii_uppercase() => alone + 1.5,
                _ => alone,
            };
            before = Some(letter);
            told
        })
        .collect()
}
