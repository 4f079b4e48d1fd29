// SPDX-License-Identifier: Apache-2.0
//! The swarm: thousands of hosts in one process, over the real protocol, for figures and stories about many.
//!
//! Each host has its own key, certificate, source address and journal, and runs the agent's side of the session
//! as `lazaretd` does; what it raises, has and asks is made, not detected. `lazaret-swarm` is the program.

mod alarm;
mod cloud;
mod drive;
mod figures;
mod host;
mod lies;
mod plan;
mod process;
mod report;
mod way;

pub use alarm::FIRST;
pub use cloud::{Cloud, hash};
pub use drive::{room, run};
pub use plan::{Authority, Mode, Plan, USAGE, Wanted, parse};
pub use process::Swarm;
