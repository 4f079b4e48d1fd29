// SPDX-License-Identifier: Apache-2.0
//! The harmless files that the self-test drops. Their telling strings are put together at run time,
//! so that neither this source nor the program made of it looks like one of them.

use lazaret_model::{
    MAX_TEST_PROGRAM_SIZE, MalwareClass, TestRating, cloud_test_program_marker, test_program_marker,
};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::SystemTime;

/// The EICAR test file (eicar.org, "Anti-Malware Testfile"), 68 bytes.
pub(super) fn eicar() -> Vec<u8> {
    // Last piece first: the linker may lay the pieces side by side.
    let pieces = std::hint::black_box([
        "$H+H*",
        "-TEST-FILE!",
        "-ANTIVIRUS",
        "ICAR-STANDARD",
        "7CC)7}$E",
        "PZX54(P^)",
        "X5O!P%@AP[4\\",
    ]);
    pieces.into_iter().rev().collect::<String>().into_bytes()
}

/// A shell script that leaves `witness` behind when it runs, with the marker or without.
pub(super) fn script(witness: &Path, marker: Option<(MalwareClass, TestRating)>) -> Vec<u8> {
    let comment = marker.map(|(class, rating)| format!("# {}\n", test_program_marker(class, rating)));
    // The folder's name holds digits and letters only; whatever stands before it is quoted.
    let quoted = witness.display().to_string().replace('\'', "'\\''");
    format!("#!/bin/sh\n{}: > '{quoted}'\n", comment.unwrap_or_default()).into_bytes()
}

/// A script with the marker that only a server's deep scan finds; new every time, so that it is never known.
pub(super) fn cloud_script(witness: &Path, class: MalwareClass) -> Vec<u8> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut out = script(witness, None);
    let tail =
        format!("# {} {} {}\n", cloud_test_program_marker(class), std::process::id(), since.as_nanos());
    out.extend_from_slice(tail.as_bytes());
    out
}

/// A program that sleeps as many seconds as its first argument says.
pub(super) struct Sleeper {
    /// Its bytes, marker included.
    pub(super) bytes: Vec<u8>,
    /// What it is made of, for people.
    pub(super) made_of: String,
}

/// A copy of the host's own `sleep` with the marker behind its end, which no loader looks at. Where
/// that is no small ELF file (one binary for all tools), a script.
pub(super) fn sleeper(marker: Option<(MalwareClass, TestRating)>) -> Sleeper {
    let tail = marker.map(|(class, rating)| test_program_marker(class, rating)).unwrap_or_default();
    for path in ["/bin/sleep", "/usr/bin/sleep"] {
        if let Some(mut bytes) = small_elf(Path::new(path), tail.len() as u64) {
            bytes.extend_from_slice(tail.as_bytes());
            return Sleeper { bytes, made_of: format!("copy of {path}") };
        }
    }
    let bytes = format!("#!/bin/sh\n# {tail}\nexec sleep \"$1\"\n").into_bytes();
    Sleeper { bytes, made_of: "shell script".into() }
}

fn small_elf(path: &Path, more: u64) -> Option<Vec<u8>> {
    let file = File::open(path).ok()?;
    let mut bytes = Vec::new();
    file.take(MAX_TEST_PROGRAM_SIZE + 1).read_to_end(&mut bytes).ok()?;
    let fits = bytes.len() as u64 + more <= MAX_TEST_PROGRAM_SIZE;
    (fits && bytes.starts_with(b"\x7fELF")).then_some(bytes)
}

/// Writes a new file with this mode and, where given, modification time; the write ends when this
/// returns.
pub(super) fn drop_file(
    path: &Path,
    bytes: &[u8],
    mode: u32,
    modified: Option<SystemTime>,
) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.set_permissions(std::fs::Permissions::from_mode(mode))?;
    if let Some(time) = modified {
        file.set_modified(time)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eicar_has_its_published_form() {
        let bytes = eicar();
        assert_eq!(bytes.len(), 68);
        // The published digest of the 68 bytes.
        use sha2::Digest as _;
        let digest = lazaret_model::Sha256::from_slice(&sha2::Sha256::digest(&bytes)).unwrap();
        assert_eq!(digest.to_string(), "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f");
    }

    #[test]
    fn the_programs_run_when_nobody_stops_them() {
        let dir = tempfile::tempdir().unwrap();
        let marker = (MalwareClass::Trojan, TestRating::Low);
        let witness = dir.path().join("it's here");
        let file = dir.path().join("s.sh");
        drop_file(&file, &script(&witness, Some(marker)), 0o644, None).unwrap();
        assert!(std::process::Command::new("/bin/sh").arg(&file).status().unwrap().success());
        assert!(witness.exists());
        let cloud = cloud_script(&witness, MalwareClass::Trojan);
        assert!(cloud.starts_with(b"#!/bin/sh\n") && cloud.windows(7).any(|w| w == b"/cloud/"));
        let sleeper = sleeper(Some(marker));
        assert!(sleeper.bytes.len() as u64 <= MAX_TEST_PROGRAM_SIZE);
        let text = test_program_marker(marker.0, marker.1);
        assert!(sleeper.bytes.windows(text.len()).any(|w| w == text.as_bytes()));
    }
}
