// SPDX-License-Identifier: Apache-2.0
//! Harmless files for scanners: programs of this machine and scripts, each filled up with bytes of its own.

use std::path::{Path, PathBuf};

const LEAST: u64 = 1 << 10;
const MOST: u64 = 8 << 20;
/// Programs that are looked at for parts.
const PROGRAMS: usize = 200;

/// A number that looks random and is the same in each run.
fn mix(n: u64) -> u64 {
    let mut x = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Of a kilobyte to eight megabytes, each power of two as often as any other; every fourth a script.
pub(super) fn file(number: u64) -> Vec<u8> {
    let powers = u64::from((MOST / LEAST).ilog2());
    let base = LEAST << (number % powers);
    let size = usize::try_from((base + mix(number) % base).min(MOST)).unwrap_or(0);
    let mut bytes = if number % 4 == 3 { script(size) } else { program(number, size) };
    let mut n = number << 32;
    while bytes.len() < size {
        n += 1;
        bytes.extend(mix(n).to_le_bytes());
    }
    bytes.truncate(size.max(16));
    // No two alike, however short.
    let end = bytes.len() - 8;
    bytes.truncate(end);
    bytes.extend(number.to_be_bytes().map(|b| b'a' + b % 26));
    bytes
}

fn script(size: usize) -> Vec<u8> {
    let line = "for name in one two three; do printf '%s\\n' \"$name\" | sort | uniq -c; done\n";
    let mut text = "#!/bin/sh\nset -eu\n".to_owned();
    while text.len() < size {
        text.push_str(line);
    }
    text.into_bytes()
}

/// The beginning is a program of this machine that is not larger.
fn program(number: u64, size: usize) -> Vec<u8> {
    let fits: Vec<&(u64, PathBuf)> = sources().iter().filter(|(len, _)| *len <= size as u64).collect();
    let chosen = fits.get(usize::try_from(mix(number)).unwrap_or(0) % fits.len().max(1));
    // Smaller ones than any program are their heads.
    let path = chosen.map_or(Path::new("/bin/true"), |(_, p)| p.as_path());
    std::fs::read(path).unwrap_or_default()
}

fn sources() -> &'static [(u64, PathBuf)] {
    static ALL: std::sync::OnceLock<Vec<(u64, PathBuf)>> = std::sync::OnceLock::new();
    ALL.get_or_init(|| {
        let mut all: Vec<(u64, PathBuf)> = std::fs::read_dir("/usr/bin")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|e| {
                let meta = e.metadata().ok().filter(|m| m.is_file() && m.len() <= MOST)?;
                let mut head = [0; 4];
                std::io::Read::read_exact(&mut std::fs::File::open(e.path()).ok()?, &mut head).ok()?;
                (head == *b"\x7fELF").then(|| (meta.len(), e.path()))
            })
            .collect();
        all.sort();
        // Spread over all sizes.
        let step = all.len().div_ceil(PROGRAMS).max(1);
        all.into_iter().step_by(step).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_all_sizes_and_no_two_alike() {
        let all: std::collections::BTreeSet<Vec<u8>> = (0..40).map(file).collect();
        assert_eq!(all.len(), 40);
        assert_eq!(file(7), file(7));
        assert!(all.iter().all(|f| (1000..=8 << 20).contains(&f.len())));
        assert!(all.iter().any(|f| f.len() < 2048) && all.iter().any(|f| f.len() > 4 << 20));
        assert!(all.iter().filter(|f| f.starts_with(b"#!/bin/sh\n")).count() == 10);
        assert!(all.iter().filter(|f| f.starts_with(b"\x7fELF")).count() == 30);
    }
}
