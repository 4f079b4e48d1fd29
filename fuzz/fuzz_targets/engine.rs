// SPDX-License-Identifier: Apache-2.0
//! The engine with the shipped content: any bytes, with their members, give a report or an error,
//! twice the same.
#![no_main]

use lazaret_engine::{Engine, FileScanner};
use std::cell::RefCell;
use std::path::Path;
use std::sync::LazyLock;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let content = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../content"));
    Engine::load(&lazaret_pack::read_source(content).expect("the shipped content"), &[]).0
});

thread_local! {
    static SCANNER: RefCell<FileScanner<'static>> = RefCell::new(ENGINE.scanner());
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    SCANNER.with_borrow_mut(|scanner| {
        let first = scanner.scan_bytes(bytes, true).map(|report| report.verdict);
        let again = scanner.scan_bytes(bytes, true).map(|report| report.verdict);
        if let (Ok(first), Ok(again)) = (first, again) {
            assert_eq!(first, again);
        }
    });
});
