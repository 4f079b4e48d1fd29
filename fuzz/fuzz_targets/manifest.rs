// SPDX-License-Identifier: Apache-2.0
//! Manifests of isolated files: what is read can be written and read again.
#![no_main]

use lazaret_vault::Manifest;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(manifest) = Manifest::from_json(bytes) {
        let text = manifest.to_json().expect("what was read can be written");
        let again = Manifest::from_json(&text).expect("what was written can be read");
        assert_eq!(again.to_json().ok(), Some(text));
    }
});
