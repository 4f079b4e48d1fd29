// SPDX-License-Identifier: Apache-2.0
//! Bytes to verdict: file type, digest lists, rules, facts about ELF files and scripts, archive
//! members, and the confidence that all of it adds up to (docs/confidence.md).
//!
//! [`Engine::load`] compiles content once. Each worker then makes its own [`FileScanner`], which
//! opens no file, starts no thread and maps no executable memory: it can be sealed into a jail.
//! An engine error is a [`lazaret_model::ScanError`], never a verdict in either direction.

#![forbid(unsafe_code)]

mod confidence;
mod elf;
mod engine;
mod extra_rules;
mod extra_split;
mod file_scanner;
mod file_type;
mod finding;
mod gate;
mod hash_filter;
mod judge;
mod limits;
mod listed;
mod marker_search;
mod pattern;
mod script;
mod shipped_rules;
mod unpack;
mod window;
mod yara_x;

pub use confidence::{Reason, confidence};
pub use engine::Engine;
pub use extra_rules::ExtraRules;
pub use file_scanner::FileScanner;
pub use file_type::file_type;
pub use limits::Limits;
pub use shipped_rules::gate_literals;
pub use unpack::{MAX_DEPTH, MAX_MEMBER, MAX_MEMBERS, MAX_OUTPUT};
pub use window::{MAX_FILE, TAIL_WINDOW, WINDOW};
