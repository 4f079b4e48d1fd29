// SPDX-License-Identifier: Apache-2.0
//! Files of every kind and condition.

use crate::stand_ins::{BAD, engine, ids};
use lazaret_engine::{MAX_FILE, TAIL_WINDOW, WINDOW};
use lazaret_model::{FileType, ScanError};
use sha2::Digest;
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[test]
fn what_is_no_file_is_not_read() {
    let engine = engine();
    let mut scanner = engine.scanner();
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    // Opened for both, so that opening does not wait for somebody else.
    let fifo = OpenOptions::new().read(true).write(true).open(&fifo).unwrap();
    for (file, word) in [
        (fifo, "a named pipe"),
        (File::open(dir.path()).unwrap(), "a folder"),
        (File::open("/dev/zero").unwrap(), "a character device"),
    ] {
        assert_eq!(scanner.scan_file(&file, true), Err(ScanError::NotAFile(word.to_owned())));
    }
    let write_only = File::create(dir.path().join("w")).unwrap();
    write_only.set_len(10).unwrap();
    assert!(matches!(scanner.scan_file(&write_only, true), Err(ScanError::Unreadable(_))));
}

#[test]
fn the_position_of_the_descriptor_does_not_matter() {
    let engine = engine();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(BAD).unwrap();
    let report = engine.scanner().scan_file(&file, false).unwrap();
    assert_eq!(ids(&report.verdict), ["quokka"]);
    assert_eq!(report.verdict.sha256.0[..], sha2::Sha256::digest(BAD)[..]);
    assert_eq!((report.objects, report.bytes), (1, BAD.len() as u64));
    assert_eq!(file.stream_position().unwrap(), BAD.len() as u64);
}

#[test]
fn programs_that_are_alike_have_hashes_that_are() {
    let engine = engine();
    let mut scanner = engine.scanner();
    let mut tlsh = |text: &str, members| {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        scanner.scan_file(&file, members).unwrap().tlsh
    };
    let lines: String = (0..40).map(|n| format!("echo line {n} of {}\n", n * 7919)).collect();
    let script = format!("#!/bin/sh\n{lines}");
    let one = tlsh(&script, true);
    assert!(one.len() == 72 && one.starts_with("T1"), "{one}");
    let two = tlsh(&script.replace("line 7", "line seven"), true);
    let same = one.bytes().zip(two.bytes()).filter(|(a, b)| a == b).count();
    assert!(one != two && same > 50, "{one} {two}");
    assert_eq!(tlsh(&script, false), "", "who asks for no members has no time");
    assert_eq!(tlsh("#!/bin/sh\nexit 0\n", true), "", "too short");
    assert_eq!(tlsh(&format!("only text\n{lines}"), true), "", "no program");
}

#[test]
fn empty_and_small_after_large() {
    let engine = engine();
    let mut scanner = engine.scanner();
    let mut file = tempfile::tempfile().unwrap();
    assert_eq!(scanner.scan_file(&file, true).unwrap().verdict.file_type, FileType::Empty);
    file.write_all(&vec![b'x'; 100_000]).unwrap();
    file.write_all(BAD).unwrap();
    assert!(scanner.scan_file(&file, true).unwrap().verdict.is_found());
    // Nothing of the last file may be left in the buffers.
    file.set_len(50).unwrap();
    let report = scanner.scan_file(&file, true).unwrap();
    assert!(!report.verdict.is_found());
    assert_eq!(report.verdict.size, 50);
}

#[test]
fn a_sparse_terabyte_returns_at_once() {
    let engine = engine();
    let file = tempfile::tempfile().unwrap();
    file.set_len(1 << 40).unwrap();
    let start = Instant::now();
    let answer = engine.scanner().scan_file(&file, true);
    assert_eq!(answer, Err(ScanError::TooLarge { size: 1 << 40, limit: MAX_FILE }));
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn of_a_large_file_the_beginning_and_the_end_are_searched() {
    let engine = engine();
    let mut scanner = engine.scanner();
    let size = WINDOW + TAIL_WINDOW + 10_000_000;
    for (at, found) in [(0, true), (size - BAD.len() as u64, true), (WINDOW + 5_000_000, false)] {
        let file = tempfile::tempfile().unwrap();
        file.set_len(size).unwrap();
        file.write_all_at(BAD, at).unwrap();
        let report = scanner.scan_file(&file, false).unwrap();
        assert_eq!(report.verdict.is_found(), found, "at {at}");
        assert!(report.unscanned.iter().any(|l| l.contains("were searched")), "{:?}", report.unscanned);
        if found {
            let place = format!("$a at {}", at + 19);
            assert!(report.verdict.evidence[0].detail.contains(&place), "{:?}", report.verdict.evidence);
        }
        let mut hasher = sha2::Sha256::new();
        let mut whole = file.try_clone().unwrap();
        whole.seek(SeekFrom::Start(0)).unwrap();
        std::io::copy(&mut whole, &mut HashWriter(&mut hasher)).unwrap();
        assert_eq!(report.verdict.sha256.0[..], hasher.finalize()[..]);
    }
    // A little over the window: nothing lies between the two parts.
    let file = tempfile::tempfile().unwrap();
    file.set_len(WINDOW + 100).unwrap();
    file.write_all_at(BAD, WINDOW + 50).unwrap();
    let report = scanner.scan_file(&file, false).unwrap();
    assert!(report.verdict.is_found() && report.unscanned.is_empty(), "{report:?}");
}

struct HashWriter<'h>(&'h mut sha2::Sha256);

impl Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn truncated_and_grown_while_it_is_read() {
    let engine = engine();
    let mut scanner = engine.scanner();
    let file = tempfile::NamedTempFile::new().unwrap();
    let other = file.reopen().unwrap();
    let stop = AtomicBool::new(false);
    let full = 8 << 20;
    file.as_file().set_len(full).unwrap();
    let (mut whole, mut changed, mut grown) = (0, 0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                other.set_len(1000).unwrap();
                other.set_len(full).unwrap();
            }
        });
        let end = Instant::now() + Duration::from_secs(2);
        while Instant::now() < end {
            match scanner.scan_file(file.as_file(), true) {
                Ok(report) => {
                    assert!(report.verdict.size == full || report.verdict.size == 1000, "{report:?}");
                    assert!(!report.verdict.is_found());
                    if report.unscanned.is_empty() { whole += 1 } else { grown += 1 }
                }
                Err(ScanError::Changed) => changed += 1,
                Err(e) => panic!("{e}"),
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(whole + changed + grown > 10, "{whole} {changed} {grown}");
    assert!(changed + grown > 0, "the race was never met: {whole}");
}
