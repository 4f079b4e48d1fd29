// SPDX-License-Identifier: Apache-2.0
//! Harmless stand-ins, built at run time: neither this source nor the test binaries contain them.

use lazaret_model::{MalwareClass, TestRating, test_program_marker};

/// The EICAR test file, 68 bytes.
#[must_use]
pub fn eicar() -> Vec<u8> {
    let parts = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-", "ANTIVIRUS-TEST-FILE!", "$H+H*"];
    std::hint::black_box(parts).concat().into_bytes()
}

/// A shell script that prints `ran` and holds the marker.
#[must_use]
pub fn script(class: MalwareClass, rating: TestRating) -> Vec<u8> {
    format!("#!/bin/sh\necho ran\n# {}\n", test_program_marker(class, rating)).into_bytes()
}

/// A program of this host with the marker behind its end: it runs as before.
///
/// # Panics
/// When the program cannot be read.
#[must_use]
pub fn program(of: &str, class: MalwareClass, rating: TestRating) -> Vec<u8> {
    let mut bytes = std::fs::read(of).unwrap_or_else(|e| panic!("{of}: {e}"));
    bytes.extend(test_program_marker(class, rating).into_bytes());
    bytes
}

/// The usual one.
#[must_use]
pub fn high_script() -> Vec<u8> {
    script(MalwareClass::Trojan, TestRating::High)
}
