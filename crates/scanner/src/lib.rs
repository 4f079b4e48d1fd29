// SPDX-License-Identifier: Apache-2.0
//! The jailed scanner: a spawner that loads content once and forks sealed workers.
//!
//! The program is `lazaret-scanner`; its parts are a library only so that the example `misbehave`
//! runs in the very same jail. Nobody starts it by hand: the pool does, with a `SOCK_SEQPACKET`
//! socket as descriptor 3, an empty environment and nothing else open.

#![forbid(unsafe_code)]

pub mod answer;
pub mod arguments;
pub mod judge;
pub mod run;
mod spawner;
mod worker;

pub use arguments::Arguments;
pub use judge::{Content, Judge};
pub use run::run;
