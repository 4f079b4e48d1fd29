// SPDX-License-Identifier: Apache-2.0
//! The engine as its users see it: bytes and files in, reports out.

#![forbid(unsafe_code)]

mod archives;
mod broken_input;
mod confidence;
mod digest_lists;
mod extra_rules;
mod files;
mod gates;
mod popular_php;
mod shipped_content;
mod stand_ins;
mod test_program;
