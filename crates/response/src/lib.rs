// SPDX-License-Identifier: Apache-2.0
//! Everything that changes a host: deny, freeze, kill, isolate, restore, delete,
//! restart.
//!
//! [`Responder::execute`] is the only door. It writes what it is about to do into the journal
//! first and what came of it afterwards; [`Responder::open`] closes whatever a crash left open.
//! Nothing here judges: a [`Plan`] says what to do, guards may only take away from it.

#![forbid(unsafe_code)]

mod bounded;
mod bystanders;
mod config;
mod delete;
mod error;
mod freeze;
mod guard;
mod intent;
mod isolate;
pub mod journal;
mod kill;
mod links;
mod members;
mod metadata;
mod names;
mod open;
mod orphans;
mod plan;
mod receipt;
mod record;
mod replay;
mod respawn;
mod responder;
mod restart;
mod restore;
mod service_manager;
mod stage;
mod tally;
mod turns;
mod unstage;

pub use config::{DenyInode, ResponderConfig, SpareNobody, SpareProcess, Step};
pub use error::ResponseError;
pub use metadata::capture;
pub use plan::{KnownProcesses, MayKill, Order, Plan, Receipt, ReceiptLine, Report, Target, Timings};
pub use replay::Replayed;
pub use responder::Responder;
pub use service_manager::ServiceManager;
