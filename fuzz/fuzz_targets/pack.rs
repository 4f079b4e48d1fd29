// SPDX-License-Identifier: Apache-2.0
//! Content packs: any bytes give content or an error.
#![no_main]

use lazaret_pack::Content;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = Content::from_bytes("fuzz", bytes);
});
