// SPDX-License-Identifier: Apache-2.0
//! Which kind of file it is, for scans that are limited to some: by its first bytes, else by its name.

/// The words of the wire.
pub(super) const WORDS: [&str; 7] =
    ["all", "executable", "compressed", "script", "document", "image", "audio_video"];

/// How much of a file tells its kind.
pub(super) const HEAD: usize = 512;

const MAGIC: [(&[u8], &str); 27] = [
    (b"\x7fELF", "executable"),
    (b"MZ", "executable"),
    (b"\xca\xfe\xba\xbe", "executable"),
    (b"#!", "script"),
    (b"<?php", "script"),
    (b"<%", "script"),
    (b"PK\x03\x04", "compressed"),
    (b"\x1f\x8b", "compressed"),
    (b"\xfd7zXZ\0", "compressed"),
    (b"BZh", "compressed"),
    (b"\x28\xb5\x2f\xfd", "compressed"),
    (b"7z\xbc\xaf\x27\x1c", "compressed"),
    (b"Rar!", "compressed"),
    (b"MSCF", "compressed"),
    (b"%PDF", "document"),
    (b"\xd0\xcf\x11\xe0", "document"),
    (b"{\\rtf", "document"),
    (b"\x89PNG", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"),
    (b"BM", "image"),
    (b"II*\0", "image"),
    (b"MM\0*", "image"),
    (b"ID3", "audio_video"),
    (b"OggS", "audio_video"),
    (b"fLaC", "audio_video"),
    (b"\x1a\x45\xdf\xa3", "audio_video"),
];

const ENDINGS: [(&str, &[&str]); 6] = [
    ("executable", &["exe", "dll", "so", "ko", "o", "bin", "com", "class"]),
    (
        "script",
        &[
            "sh", "bash", "zsh", "csh", "py", "pl", "pm", "rb", "php", "php3", "php5", "php7", "phtml",
            "phar", "jsp", "jspx", "jspf", "asp", "aspx", "ashx", "js", "mjs", "vbs", "ps1", "lua", "awk",
            "tcl", "bat", "cmd",
        ],
    ),
    (
        "compressed",
        &["zip", "gz", "tgz", "xz", "bz2", "zst", "7z", "rar", "tar", "jar", "war", "ear", "cab", "lz4"],
    ),
    (
        "document",
        &[
            "doc", "docx", "docm", "xls", "xlsx", "xlsm", "ppt", "pptx", "pptm", "odt", "ods", "odp", "rtf",
            "pdf",
        ],
    ),
    ("image", &["png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff", "ico", "svg"]),
    (
        "audio_video",
        &["mp3", "mp4", "m4a", "wav", "ogg", "flac", "avi", "mkv", "mov", "wmv", "webm", "mpg", "mpeg"],
    ),
];

/// Whether a file is of one of the kinds. An office document is a zip inside: both hold.
pub(super) fn is_of(kinds: &[String], name: &[u8], head: &[u8]) -> bool {
    let wanted = |kind: &str| kinds.iter().any(|k| k == kind || k == "all");
    if kinds.is_empty() {
        return true;
    }
    let by_bytes = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, kind)| *kind);
    let riff = head
        .starts_with(b"RIFF")
        .then(|| if head.get(8..12) == Some(b"WEBP") { "image" } else { "audio_video" });
    let mp4 = (head.get(4..8) == Some(b"ftyp")).then_some("audio_video");
    let tar = (head.get(257..262) == Some(b"ustar")).then_some("compressed");
    if [by_bytes, riff, mp4, tar].into_iter().flatten().any(wanted) {
        return true;
    }
    let ending = name.rsplit(|b| *b == b'.').next().filter(|e| e.len() < name.len());
    let Some(ending) = ending.and_then(|e| std::str::from_utf8(e).ok()).map(str::to_ascii_lowercase) else {
        return wanted("all");
    };
    wanted("all") || ENDINGS.iter().any(|(kind, all)| all.contains(&ending.as_str()) && wanted(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(kind: &str, name: &str, head: &[u8]) -> bool {
        is_of(&[kind.to_owned()], name.as_bytes(), head)
    }

    #[test]
    fn by_bytes_and_by_name() {
        assert!(is("executable", "x", b"\x7fELF\x02") && !is("script", "x", b"\x7fELF\x02"));
        assert!(is("script", "x", b"#!/bin/sh\n") && is("script", "a.PHP", b"hello"));
        assert!(is("compressed", "a.docx", b"PK\x03\x04") && is("document", "a.docx", b"PK\x03\x04"));
        assert!(is("image", "x", b"RIFF....WEBP") && is("audio_video", "x", b"RIFF....AVI "));
        assert!(is("audio_video", "x", b"\0\0\0\x20ftypisom") && !is("image", "png", b"text"));
        assert!(is("all", "x", b"") && is_of(&[], b"x", b"") && !is("document", "x.txt", b"text"));
        let mut tar = vec![0; 300];
        tar[257..262].copy_from_slice(b"ustar");
        assert!(is("compressed", "x", &tar));
    }
}
