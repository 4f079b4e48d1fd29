// SPDX-License-Identifier: Apache-2.0
//! Text for people. Every function takes the wire's message and returns lines; names and messages
//! are escaped here, so that nothing from elsewhere reaches the terminal raw.

mod alarm;
mod answer;
mod cloud;
mod confidence;
mod isolated;
mod persistence;
mod preview;
mod process;
mod recommendation;
mod status;
mod vault;

pub(crate) use alarm::{alarm, alarm_after, alarms};
pub(crate) use answer::{event, receipt, verifications, whitelist};
use cloud::cloud_line;
pub(crate) use cloud::{cloud, cloud_sent, cloud_verdicts};
pub(crate) use isolated::{isolated, isolated_list};
pub(crate) use persistence::persistence_list;
pub(crate) use preview::{disarmed, preview};
pub(crate) use status::{Protection, status};
use vault::vault;

use crate::escape;
use lazaret_proto::v1;

/// The part of an identifier that tells it from its neighbours: UUIDv7 begins with the time, so
/// the last twelve digits do. Every verb takes it in place of the whole.
pub(crate) fn short_id(id: &str) -> String {
    let shown = escape::text(id);
    match shown.char_indices().rev().nth(11) {
        Some((at, _)) if shown.len() == 36 => shown[at..].to_owned(),
        _ => shown,
    }
}

/// `1 file`, `2 files`.
pub(crate) fn count(n: u64, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

/// Bytes for people, in powers of 1024.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let (mut whole, mut rest, mut unit) = (bytes, 0, "B");
    for next in UNITS {
        if whole < 1024 {
            break;
        }
        (rest, whole, unit) = (whole % 1024 * 10 / 1024, whole / 1024, next);
    }
    if unit == "B" { format!("{whole} B") } else { format!("{whole}.{rest} {unit}") }
}

/// `miner xmrig`, or the class alone.
fn kind_of_malware(class: &str, family: &str) -> String {
    match (class, family) {
        ("", "") => "-".to_owned(),
        (class, "") => escape::text(class),
        (class, family) => format!("{} {}", escape::text(class), escape::text(family)),
    }
}

/// A label, padded, and what it says; further lines of it are indented alike.
fn field(label: &str, text: &str) -> String {
    let mut out = String::new();
    for (i, line) in text.lines().enumerate() {
        out.push_str(&format!("{:<18}{line}\n", if i == 0 { label } else { "" }));
    }
    out
}

/// Where a digest is known, its digits.
fn digest(bytes: &[u8]) -> Option<String> {
    lazaret_model::Sha256::from_slice(bytes).map(|d| d.to_string())
}

/// The facts of a file, as fields.
fn file_facts(file: &v1::FileFacts) -> String {
    use crate::time::rfc3339_nanos;
    let mut out = field("File", &escape::name(&file.path));
    if let Some(id) = &file.file {
        out.push_str(&field("Size", &format!("{} ({} bytes)", size(id.size), id.size)));
    }
    out.push_str(&field("SHA-256", &digest(&file.sha256).unwrap_or_else(|| "not known".into())));
    out.push_str(&field(
        "Owner and mode",
        &format!(
            "uid {}, gid {}, mode {:04o}, {}",
            file.uid,
            file.gid,
            file.mode & 0o7777,
            count(file.nlink, "name")
        ),
    ));
    out.push_str(&field("Modified", &rfc3339_nanos(file.mtime_sec, file.mtime_nsec)));
    if let Some(id) = &file.file {
        out.push_str(&field("Inode changed", &rfc3339_nanos(id.ctime_sec, id.ctime_nsec)));
        out.push_str(&field("Identity", &format!("device {}, inode {}", id.dev, id.ino)));
    }
    let package = match (&file.package, file.package_intact) {
        (None, _) => "of no package".to_owned(),
        (Some(p), Some(true)) => format!("{}, as the package shipped it", escape::text(p)),
        (Some(p), Some(false)) => format!("{}, changed since the package shipped it", escape::text(p)),
        (Some(p), None) => format!("{}, not known whether as shipped", escape::text(p)),
    };
    out.push_str(&field("Package", &package));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(u64::MAX), "15.9 EiB");
    }

    #[test]
    fn short_ids_are_the_random_end() {
        assert_eq!(short_id("019aa0c2-7b1f-7c3e-9d55-0123456789ab"), "0123456789ab");
        assert_eq!(short_id("odd"), "odd");
        assert_eq!(short_id("\x1b[2J"), "\\x1b[2J");
    }
}
