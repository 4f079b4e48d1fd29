// SPDX-License-Identifier: Apache-2.0
//! lazaret-scanner: the jailed unprivileged process that hosts the engine.

#![forbid(unsafe_code)]

mod load;

use lazaret_sys::jail::ExitWhenExhausted;
use std::process::ExitCode;

/// A worker that needs more memory than its jail allows says so by its exit status.
#[global_allocator]
static ALLOCATOR: ExitWhenExhausted = ExitWhenExhausted;

fn main() -> ExitCode {
    lazaret_scanner::run(std::env::args_os().skip(1), load::load)
}
