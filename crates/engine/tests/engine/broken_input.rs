// SPDX-License-Identifier: Apache-2.0
//! Hostile bytes: a report or an error, never a panic.

use crate::stand_ins::{engine, shipped};
use lazaret_engine::{Engine, FileScanner, file_type};
use lazaret_model::FileType;
use proptest::prelude::*;

/// A generator with a fixed seed: the same bytes on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

fn real_program() -> Vec<u8> {
    std::fs::read("/bin/true").unwrap()
}

#[test]
fn a_real_program_cut_anywhere() {
    let engine = engine();
    let mut scanner = engine.scanner();
    let whole = real_program();
    for length in (0..whole.len()).step_by(64) {
        let report = scanner.scan_bytes(&whole[..length], true).unwrap();
        assert_eq!(report.elf.is_some(), length >= 4, "length {length}");
        assert!(report.verdict.confidence.value() < 30, "length {length}: {:?}", report.verdict);
    }
}

#[test]
fn a_real_program_with_changed_bytes() {
    let engine = engine();
    let mut scanner = engine.scanner();
    let whole = real_program();
    let mut random = Random(1);
    for round in 0..3000 {
        let mut changed = whole.clone();
        for _ in 0..=random.next() % 8 {
            // Headers and tables are where parsers break: half of the changes go to the first page.
            let span = if random.next().is_multiple_of(2) { 1024 } else { changed.len() };
            let at = (random.next() % span as u64) as usize;
            changed[at] = (random.next() & 0xff) as u8;
        }
        let report = scanner.scan_bytes(&changed, true).unwrap();
        assert!(report.verdict.confidence.value() < 60, "round {round}: {:?}", report.verdict);
    }
}

#[test]
fn extreme_numbers_in_elf_headers() {
    let engine = engine();
    let mut scanner = engine.scanner();
    let whole = real_program();
    for at in (4..0x400).step_by(2) {
        for value in [0u64, 1, u64::MAX, u64::MAX - 7, 1 << 63, 0x7fff_ffff_ffff_ffff] {
            for width in [2, 4, 8] {
                let mut changed = whole.clone();
                changed[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
                scanner.scan_bytes(&changed, false).unwrap();
            }
        }
    }
}

fn scan_all(scanner: &mut FileScanner<'_>, bytes: &[u8]) {
    let report = scanner.scan_bytes(bytes, true).unwrap();
    assert_eq!(report.verdict.size, bytes.len() as u64);
}

/// What each container begins with, so that random bytes get behind the first check.
const HEADS: [&[u8]; 12] = [
    b"",
    b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
    b"\xfd7zXZ\0\0\x04",
    b"BZh91AY&SY",
    b"\x28\xb5\x2f\xfd",
    b"#!/bin/sh\n",
    b"<?php ",
    b"GIF89a",
    b"MZ",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_behind_every_head(head in 0..HEADS.len(), tail in proptest::collection::vec(any::<u8>(), 0..2000)) {
        thread_local! {
            static ENGINE: &'static Engine = Box::leak(Box::new(engine()));
        }
        let engine = ENGINE.with(|e| *e);
        scan_all(&mut engine.scanner(), &[HEADS[head], &tail].concat());
    }

    #[test]
    fn the_type_of_anything(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert_eq!(file_type(&bytes) == FileType::Empty, bytes.is_empty());
    }
}

#[test]
fn random_bytes_and_the_shipped_content() {
    let (engine, _) = Engine::load(&shipped(), &[]);
    let mut scanner = engine.scanner();
    let mut random = Random(2);
    for head in HEADS {
        for _ in 0..20 {
            let tail: Vec<u8> = (0..random.next() % 5000).map(|_| (random.next() & 0xff) as u8).collect();
            scan_all(&mut scanner, &[head, &tail].concat());
        }
    }
}
