// SPDX-License-Identifier: Apache-2.0
//! Harmless stand-ins, built at run time: neither this source nor the test binaries contain them.

use lazaret_model::{MalwareClass, TestRating, cloud_test_program_marker, test_program_marker};

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

/// A shell script that only the deep scan of a server condemns; it prints `ran`, or, when it is told
/// `long`, runs for a minute. No two numbers give the same bytes.
#[must_use]
pub fn cloud_script(class: MalwareClass, number: u64) -> Vec<u8> {
    let marker = cloud_test_program_marker(class);
    format!(
        "#!/bin/sh\n# {number} {marker}\nif [ \"$1\" = long ]; then\n\
         for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 5; done\nfi\necho ran\n"
    )
    .into_bytes()
}
