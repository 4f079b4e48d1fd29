// SPDX-License-Identifier: Apache-2.0
//! What the build script does: a folder as a table of files, with their compressed forms.

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Stands in index.html where each answer has a number of its own.
pub(crate) const NONCE: &str = "LAZARET_CSP_NONCE";
const INDEX: &str = "index.html";

/// By the end of a name: what browsers are told, and whether it pays to compress it.
const TYPES: &[(&str, &str, bool)] = &[
    ("css", "text/css; charset=utf-8", true),
    ("html", "text/html; charset=utf-8", true),
    ("ico", "image/x-icon", false),
    ("js", "text/javascript; charset=utf-8", true),
    ("json", "application/json", true),
    ("png", "image/png", false),
    ("svg", "image/svg+xml", true),
    ("txt", "text/plain; charset=utf-8", true),
    ("webp", "image/webp", false),
    ("woff2", "font/woff2", false),
];

/// Writes `files.rs`, an expression of type `&[File]`, and what it includes into `out`.
pub(crate) fn write(dist: &Path, out: &Path) -> Result<(), String> {
    let mut names = Vec::new();
    if dist.is_dir() {
        collect(dist, &mut PathBuf::new(), &mut names)?;
    }
    names.sort();
    if !names.is_empty() && !names.iter().any(|n| n == INDEX) {
        return Err(format!("{} has no {INDEX}: build the console anew (npm run build)", dist.display()));
    }
    let mut table = String::from("&[\n");
    for (number, name) in names.iter().enumerate() {
        entry(dist, out, number, name, &mut table)?;
    }
    table.push(']');
    put(&out.join("files.rs"), table.as_bytes())
}

/// Names below the folder, with `/` between their parts.
fn collect(dist: &Path, below: &mut PathBuf, names: &mut Vec<String>) -> Result<(), String> {
    let folder = dist.join(&*below);
    let failed = |e: std::io::Error| format!("{}: {e}", folder.display());
    for entry in std::fs::read_dir(&folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        // Hidden files are notes of tools; maps of sources are for who develops.
        let text = name.to_str().ok_or(format!("{}: a name that is not text", folder.display()))?;
        if text.starts_with('.') || text.ends_with(".map") {
            continue;
        }
        below.push(&name);
        if entry.file_type().map_err(failed)?.is_dir() {
            collect(dist, below, names)?;
        } else {
            names.push(below.to_str().unwrap_or_default().to_owned());
        }
        below.pop();
    }
    Ok(())
}

fn entry(dist: &Path, out: &Path, number: usize, name: &str, table: &mut String) -> Result<(), String> {
    let path = dist.join(name);
    let bytes = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    let known = TYPES.iter().find(|(known, ..)| *known == end);
    let (_, content_type, compress) =
        known.ok_or(format!("{}: crates/console/src/embed.rs knows no type for it", path.display()))?;
    if name == INDEX && !contains(&bytes, NONCE) {
        return Err(format!("{}: has no {NONCE}: its styles would be refused by browsers", path.display()));
    }
    put(&out.join(format!("{number}.plain")), &bytes)?;
    let mut gzip = "None".to_owned();
    // Of index.html every answer is another one.
    if *compress && name != INDEX {
        let packed = packed(&bytes).map_err(|e| format!("{}: {e}", path.display()))?;
        if packed.len() < bytes.len() {
            put(&out.join(format!("{number}.gz")), &packed)?;
            gzip = format!("Some(include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{number}.gz\")))");
        }
    }
    let tag = Sha256::digest(&bytes).iter().take(12).fold(String::new(), |mut text, b| {
        let _ = write!(text, "{b:02x}");
        text
    });
    let _ = writeln!(
        table,
        "File {{ path: {name:?}, content_type: {content_type:?}, \
         plain: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{number}.plain\")), gzip: {gzip}, tag: {tag:?}, \
         forever: {} }},",
        has_hash(name)
    );
    Ok(())
}

/// Whether the name changes with the content: `assets/page-B2x_9aQ-.js`.
fn has_hash(name: &str) -> bool {
    let stem = name.strip_prefix("assets/").and_then(|n| n.rsplit_once('.')).map(|(stem, _)| stem.as_bytes());
    let Some((rest, hash)) = stem.and_then(<[u8]>::split_last_chunk::<8>) else { return false };
    rest.last() == Some(&b'-') && hash.iter().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(b))
}

fn packed(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn contains(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|w| w == word.as_bytes())
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(path, bytes).map_err(|e| format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    /// The table of a folder with these files.
    fn table(files: &[(&str, &str)]) -> Result<(String, tempfile::TempDir), String> {
        let dist = tempfile::tempdir().unwrap();
        let out = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dist.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        write(dist.path(), out.path())?;
        Ok((std::fs::read_to_string(out.path().join("files.rs")).unwrap(), out))
    }

    #[test]
    fn a_folder_becomes_a_table() {
        let script = "let a = 1;\n".repeat(100);
        let files = [
            ("index.html", "<meta nonce=\"LAZARET_CSP_NONCE\">"),
            ("assets/index-B2x_9aQ-.js", script.as_str()),
            ("assets/index-B2x_9aQ-.js.map", "{}"),
            ("favicon.svg", "<svg/>"),
            (".notes", ""),
        ];
        let (table, out) = table(&files).unwrap();
        assert_eq!(table.matches("File {").count(), 3, "{table}");
        let line = table.lines().find(|l| l.contains("assets/index")).unwrap();
        assert!(line.contains("forever: true") && line.contains("text/javascript") && line.contains("/0.gz"));
        // Smaller as it is.
        let line = table.lines().find(|l| l.contains("favicon")).unwrap();
        assert!(line.contains("forever: false") && line.contains("gzip: None"), "{line}");
        let packed = std::fs::read(out.path().join("0.gz")).unwrap();
        let mut again = String::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut again).unwrap();
        assert_eq!(again, script);
    }

    #[test]
    fn nothing_is_a_table_too_and_half_a_console_is_an_error() {
        assert_eq!(table(&[]).unwrap().0, "&[\n]");
        let out = tempfile::tempdir().unwrap();
        write(Path::new("/nonexistent/dist"), out.path()).unwrap();
        for (files, said) in [
            (&[("assets/a.js", "")][..], "has no index.html"),
            (&[("index.html", "<html>")], "has no LAZARET_CSP_NONCE"),
            (&[("index.html", "LAZARET_CSP_NONCE"), ("tool.exe", "")], "knows no type"),
        ] {
            let e = table(files).err().unwrap_or_default();
            assert!(e.contains(said), "{e}");
        }
    }

    #[test]
    fn only_hashed_names_are_kept_forever() {
        for name in ["assets/a-12345678.js", "assets/page-B2x_9aQ-.css", "assets/x/a---------.png"] {
            assert!(has_hash(name), "{name}");
        }
        for name in
            ["index.html", "assets/a.js", "a-12345678.js", "assets/a-1234567.js", "assets/12345678.js"]
        {
            assert!(!has_hash(name), "{name}");
        }
    }
}
