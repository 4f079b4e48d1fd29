// SPDX-License-Identifier: Apache-2.0
//! The journal's segments: any bytes open as a journal, whose damage is told and which goes on.
#![no_main]

use lazaret_response::journal::Journal;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join(format!("{:016}.journal", 1)), bytes).expect("a segment");
    if let Ok((journal, entries)) = Journal::open(folder.path(), 0) {
        assert!(entries.len() <= bytes.len());
        let _ = journal.problems();
    }
});
