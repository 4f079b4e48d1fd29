// SPDX-License-Identifier: Apache-2.0
//! What a file is, by its bytes: names lie.
//!
//! Besides the one type that is reported, a file can be *also* of another: an interpreter runs what is
//! for it wherever it stands. A picture with PHP in it is PHP to a web server, a script with a zip behind
//! it is a program to Python.

use crate::elf;
use lazaret_model::FileType;
use memchr::memmem;

/// Types that need a look at more than the first bytes look at this many.
const HEAD: usize = 4096;
/// An open tag this near to the start makes PHP of any text.
const NEAR: usize = 256;

/// The type that is reported.
#[must_use]
pub fn file_type(bytes: &[u8]) -> FileType {
    detect(bytes).main
}

/// What a file is, and what else it is to an interpreter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Detected {
    pub(crate) main: FileType,
    pub(crate) also: Option<Also>,
}

/// A second type whose rules apply too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Also {
    pub(crate) file_type: FileType,
    /// Beyond doubt; else it could just as well be text *about* PHP, and no evidence from there is
    /// decisive.
    pub(crate) certain: bool,
}

pub(crate) fn detect(bytes: &[u8]) -> Detected {
    let main = main_type(bytes);
    let also = match main {
        FileType::Script | FileType::Text | FileType::Jsp | FileType::Other | FileType::Pe => {
            php_tag(bytes).map(|at| Also {
                file_type: FileType::Php,
                // `#!/usr/bin/php` and a line end before the tag is how PHP programs begin.
                certain: main == FileType::Script && at < NEAR,
            })
        }
        _ => None,
    };
    Detected { main, also }
}

fn main_type(bytes: &[u8]) -> FileType {
    if bytes.is_empty() {
        return FileType::Empty;
    }
    if let Some(kind) = elf::kind(bytes) {
        return if kind == elf::Kind::Core { FileType::CoreDump } else { FileType::Elf };
    }
    if bytes.starts_with(b"#!") {
        return FileType::Script;
    }
    if let Some(packed) = packed_type(bytes) {
        return packed;
    }
    if is_pe(bytes) {
        return FileType::Pe;
    }
    let head = bytes.get(..HEAD).unwrap_or(bytes);
    if let Some(at) = php_tag(head) {
        let rest = head.trim_ascii_start();
        let rest = rest.strip_prefix(b"\xef\xbb\xbf").unwrap_or(rest).trim_ascii_start();
        if at < NEAR || rest.starts_with(b"<") || is_media(head) {
            return FileType::Php;
        }
    }
    if !is_text(head) {
        return FileType::Other;
    }
    if is_jsp(head) { FileType::Jsp } else { FileType::Text }
}

fn packed_type(bytes: &[u8]) -> Option<FileType> {
    Some(match bytes {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => FileType::Zip,
        [0x1f, 0x8b, 8, ..] => FileType::Gzip,
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => FileType::Xz,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => FileType::Zstd,
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
        | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => FileType::Bzip2,
        _ if bytes.get(257..262) == Some(b"ustar") => FileType::Tar,
        _ => return None,
    })
}

fn is_pe(bytes: &[u8]) -> bool {
    if !bytes.starts_with(b"MZ") {
        return false;
    }
    let Some(offset) = bytes.get(0x3c..0x40).and_then(|b| b.first_chunk::<4>()) else { return false };
    let offset = u32::from_le_bytes(*offset) as usize;
    bytes.get(offset..).is_some_and(|b| b.starts_with(b"PE\0\0"))
}

/// Pictures and documents that web shells hide behind: servers let them be uploaded.
fn is_media(head: &[u8]) -> bool {
    [&b"GIF8"[..], b"\x89PNG", b"\xff\xd8\xff", b"BM", b"%PDF", b"RIFF", b"\0\0\x01\0"]
        .iter()
        .any(|magic| head.starts_with(magic))
}

/// Offset of the first PHP open tag: `<?php` in any case, or `<?=` near the start (three bytes turn up
/// in any large file).
fn php_tag(bytes: &[u8]) -> Option<usize> {
    memmem::find_iter(bytes, b"<?").find(|&at| {
        let after = bytes.get(at + 2..).unwrap_or_default();
        let word = after.get(..3).is_some_and(|w| w.eq_ignore_ascii_case(b"php"));
        word || (at < HEAD && after.first() == Some(&b'=') && after.get(1).is_some_and(|&b| is_php_start(b)))
    })
}

fn is_php_start(b: u8) -> bool {
    b.is_ascii_whitespace()
        || b.is_ascii_alphabetic()
        || matches!(b, b'$' | b'"' | b'\'' | b'`' | b'(' | b'_')
}

fn is_jsp(head: &[u8]) -> bool {
    let has = |needle: &[u8]| memmem::find(head, needle).is_some();
    has(b"<%@") && (has(b"page") || has(b"taglib") || has(b"include"))
        || has(b"<%!")
        || has(b"<jsp:")
        || has(b"<%") && (has(b"java.") || has(b"Runtime") || has(b"request.getParameter") || has(b"javax."))
}

/// No NUL, and hardly any control characters; UTF-16 with its mark counts too.
fn is_text(head: &[u8]) -> bool {
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        return true;
    }
    let mut odd = 0usize;
    let mut high = 0usize;
    // In pieces whose counts fit a byte and without branches: the compiler makes vectors of it.
    for piece in head.chunks(255) {
        let mut zeros = false;
        let mut odd_here = 0u8;
        let mut high_here = 0u8;
        for &b in piece {
            let fine = matches!(b, b'\t' | b'\n' | b'\r' | 0x08 | 0x0c | 0x1b | 0x20..=0x7e | 0x80..);
            zeros |= b == 0;
            odd_here = odd_here.wrapping_add(u8::from(!fine));
            high_here = high_here.wrapping_add(u8::from(b >= 0x80));
        }
        if zeros {
            return false;
        }
        odd += usize::from(odd_here);
        high += usize::from(high_here);
    }
    if odd * 20 > head.len() {
        return false;
    }
    // Old eight-bit encodings have some high bytes, UTF-8 may have nothing else.
    high * 10 <= head.len() * 3
        || match std::str::from_utf8(head) {
            Ok(_) => true,
            // Cut in the middle of the last character.
            Err(e) => e.error_len().is_none(),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn php(certain: bool) -> Option<Also> {
        Some(Also { file_type: FileType::Php, certain })
    }

    #[test]
    fn plain_types() {
        for (bytes, expected) in [
            (&b""[..], FileType::Empty),
            (b"#!/bin/sh\n", FileType::Script),
            (b"<?php echo 1;", FileType::Php),
            (b"\xef\xbb\xbf  <?PHP echo 1;", FileType::Php),
            (b"<?= `id` ?>", FileType::Php),
            (b"GIF89a\0\0\0\0<?php echo 1;", FileType::Php),
            (b"<%@ page import=\"java.io.*\" %>", FileType::Jsp),
            (b"<% if (x) { %>", FileType::Text),
            (b"<?xml version=\"1.0\"?>", FileType::Text),
            (b"hello", FileType::Text),
            ("gr\u{fc}\u{df} dich".as_bytes(), FileType::Text),
            (b"\xff\xfeh\0i\0", FileType::Text),
            (b"PK\x03\x04", FileType::Zip),
            (b"PK\x05\x06", FileType::Zip),
            (b"\x1f\x8b\x08\0", FileType::Gzip),
            (b"\xfd7zXZ\0", FileType::Xz),
            (b"BZh91AY&SY", FileType::Bzip2),
            (b"BZh9 is how it begins", FileType::Text),
            (b"\x28\xb5\x2f\xfd", FileType::Zstd),
            (b"MZ\0\0", FileType::Other),
            (b"\0\x01\x02", FileType::Other),
            (b"\x7fELF", FileType::Elf),
        ] {
            assert_eq!(file_type(bytes), expected, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn deeper_types() {
        let mut tar = vec![0; 512];
        tar[257..263].copy_from_slice(b"ustar\0");
        assert_eq!(file_type(&tar), FileType::Tar);
        let mut pe = vec![0; 256];
        pe[..2].copy_from_slice(b"MZ");
        pe[0x3c] = 0x80;
        pe[0x80..0x84].copy_from_slice(b"PE\0\0");
        assert_eq!(file_type(&pe), FileType::Pe);
        let mut core = lazaret_pack::minimal_elf(b"");
        core[16] = 4;
        assert_eq!(file_type(&core), FileType::CoreDump);
        core[5] = 2;
        core[16..18].copy_from_slice(&[0, 4]);
        assert_eq!(file_type(&core), FileType::CoreDump);
    }

    #[test]
    fn php_in_other_things() {
        let far = |head: &str| format!("{head}{}<?php system($x);", "text\n".repeat(100)).into_bytes();
        assert_eq!(detect(&far("")), Detected { main: FileType::Text, also: php(false) });
        assert_eq!(detect(&far("<html>")), Detected { main: FileType::Php, also: None });
        let program = b"#!/usr/bin/env php\n<?php echo 1;";
        assert_eq!(detect(program), Detected { main: FileType::Script, also: php(true) });
        let mut picture = b"\xff\xd8\xff\xe0\0\x10".to_vec();
        picture.resize(100_000, 0);
        picture.extend_from_slice(b"<?php system($x);");
        assert_eq!(detect(&picture), Detected { main: FileType::Other, also: php(false) });
        assert_eq!(detect(b"#!/bin/sh\necho").also, None);
    }
}
