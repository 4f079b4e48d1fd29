// SPDX-License-Identifier: Apache-2.0
//! The hard cases of killing. Every stand-in ends by itself within 20 s; nothing else is harmed.
#![allow(clippy::print_stdout, reason = "figures, and what was skipped and why")]

mod containers;
mod hard;
mod libraries;
mod pairs;
mod restart;
mod stand_in;
#[path = "../support/mod.rs"]
mod support;
