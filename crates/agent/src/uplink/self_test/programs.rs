// SPDX-License-Identifier: Apache-2.0
//! The harmless files of the self-test, and the processes that write and run them.

use lazaret_model::{
    MAX_TEST_PROGRAM_SIZE, MalwareClass, TestRating, cloud_test_program_marker, test_program_marker,
};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// How long the running test program sleeps at most, seconds.
const SLEEP: &str = "15";

/// The EICAR test file, put together at run time: this program must not hold it.
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

/// A script that leaves `witness` behind when it runs; new every time.
pub(super) fn script(witness: &Path, marker: Option<(MalwareClass, TestRating)>) -> Vec<u8> {
    marked(witness, marker.map(|(class, rating)| test_program_marker(class, rating)))
}

/// The same with the marker that only a server's deep scan finds.
pub(super) fn cloud_script(witness: &Path, class: MalwareClass) -> Vec<u8> {
    marked(witness, Some(cloud_test_program_marker(class)))
}

fn marked(witness: &Path, marker: Option<String>) -> Vec<u8> {
    let comment = marker.map(|marker| format!("# {marker}\n"));
    let quoted = witness.display().to_string().replace('\'', "'\\''");
    format!("#!/bin/sh\n{}# {}\n: > '{quoted}'\n", comment.unwrap_or_default(), uuid::Uuid::now_v7())
        .into_bytes()
}

/// A copy of the host's own `sleep` with the marker behind its end; where that is no small ELF file, a
/// script.
pub(super) fn sleeper(class: MalwareClass, rating: TestRating) -> Vec<u8> {
    let tail = format!("{}\n{}", test_program_marker(class, rating), uuid::Uuid::now_v7());
    for path in ["/bin/sleep", "/usr/bin/sleep"] {
        if let Some(mut bytes) = small_elf(Path::new(path), tail.len() as u64) {
            bytes.extend_from_slice(tail.as_bytes());
            return bytes;
        }
    }
    format!("#!/bin/sh\n# {}\nexec sleep \"$1\"\n", tail.replace('\n', " ")).into_bytes()
}

fn small_elf(path: &Path, more: u64) -> Option<Vec<u8>> {
    let file = File::open(path).ok()?;
    let mut bytes = Vec::new();
    file.take(MAX_TEST_PROGRAM_SIZE + 1).read_to_end(&mut bytes).ok()?;
    let fits = bytes.len() as u64 + more <= MAX_TEST_PROGRAM_SIZE;
    (fits && bytes.starts_with(b"\x7fELF")).then_some(bytes)
}

/// Written by a process of its own. The empty file with its mode is ours: it can be executed as soon as
/// the write ends.
pub(super) fn drop_file(path: &Path, bytes: &[u8], mode: u32) -> Result<(), String> {
    let failed = |e: io::Error| format!("the test file could not be written: {e}");
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    file.set_permissions(std::fs::Permissions::from_mode(mode)).map_err(failed)?;
    drop(file);
    let mut child = Command::new("/bin/sh")
        .args(["-c", "exec cat > \"$0\""])
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let wrote = child.stdin.take().map(|mut pipe| pipe.write_all(bytes));
    let status = child.wait().map_err(failed)?;
    match wrote {
        Some(Err(e)) => Err(failed(e)),
        _ if status.success() => Ok(()),
        _ => Err(format!("the test file could not be written: {status}")),
    }
}

/// Runs the sleeper. None of the daemon's descriptors is inherited: they all close on exec.
pub(super) fn spawn(path: &Path) -> io::Result<Child> {
    Command::new(path)
        // One binary for all tools goes by the name that it is called with.
        .arg0("sleep")
        .arg(SLEEP)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// Our child, ended when the step is over, however it is over.
pub(super) struct Running(pub(super) Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only for a child that is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_what_they_should_be() {
        assert_eq!(eicar().len(), 68);
        let dir = tempfile::tempdir().unwrap();
        let (file, witness) = (dir.path().join("s"), dir.path().join("it's here"));
        drop_file(&file, &script(&witness, Some((MalwareClass::Trojan, TestRating::Low))), 0o750).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o750);
        assert!(Command::new("/bin/sh").arg(&file).status().unwrap().success() && witness.exists());
        assert!(drop_file(&file, b"x", 0o600).is_err(), "never over another file");
        let cloud = cloud_script(&witness, MalwareClass::Trojan);
        assert!(cloud.starts_with(b"#!/bin/sh\n# ") && cloud.windows(7).any(|w| w == b"/cloud/"));
        assert_ne!(cloud, cloud_script(&witness, MalwareClass::Trojan), "new every time");
        let bytes = sleeper(MalwareClass::Miner, TestRating::Medium);
        let marker = test_program_marker(MalwareClass::Miner, TestRating::Medium);
        assert!(bytes.len() as u64 <= MAX_TEST_PROGRAM_SIZE);
        assert!(bytes.windows(marker.len()).any(|w| w == marker.as_bytes()));
    }
}
