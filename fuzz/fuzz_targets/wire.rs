// SPDX-License-Identifier: Apache-2.0
//! Frames: what a scanner or a client may send gives a message or an error, and what was understood
//! comes back the same after the way to `model` and back.
#![no_main]

use lazaret_proto::{Message, frame, v1};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = frame::read::<v1::Request>(&mut &bytes[..]);
    let _ = frame::read::<v1::Response>(&mut &bytes[..]);
    let _ = v1::ScanAnswer::decode(bytes);
    if let Ok(alarm) = v1::Alarm::decode(bytes) {
        if let Ok(alarm) = lazaret_model::Alarm::try_from(alarm) {
            let again = lazaret_model::Alarm::try_from(v1::Alarm::from(&alarm));
            assert!(again.is_ok_and(|again| again == alarm));
        }
    }
    if let Ok(report) = v1::ScanReport::decode(bytes) {
        let _ = lazaret_model::ScanReport::try_from(report);
    }
});
