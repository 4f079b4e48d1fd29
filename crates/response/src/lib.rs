// SPDX-License-Identifier: Apache-2.0
//! Everything that changes a host: deny, freeze, kill, isolate, restore, delete,
//! restart.
//!
//! [`Responder::execute`] is the only door. It writes what it is about to do into the journal
//! first and what came of it afterwards; [`Responder::open`] closes whatever a crash left open.
//! Nothing here judges: a [`Plan`] says what to do, guards may only take away from it.

#![forbid(unsafe_code)]

mod aged;
mod bounded;
mod bystanders;
mod config;
mod delete;
mod durable;
mod error;
mod filesystem;
mod folders;
mod found;
mod freeze;
mod guard;
mod intent;
mod interrupted;
mod isolate;
pub mod journal;
mod keep;
mod kill;
mod layers;
mod links;
mod look;
mod members;
mod metadata;
mod names;
mod objection;
mod open;
mod orphans;
mod parents;
pub mod persistence;
mod plan;
mod preview;
mod rearm;
mod receipt;
mod record;
mod replay;
mod replay_back;
mod respawn;
mod responder;
mod restart;
mod restore;
mod service_manager;
mod stage;
mod sweep;
mod tally;
mod turns;
mod unstage;
mod window;

pub use aged::{AGE_LIMIT, AgeLimit, Aged, AgedLook, AgedNow};
pub use config::{DenyInode, ResponderConfig, SpareNobody, SpareProcess, Step};
pub use error::ResponseError;
pub use interrupted::{Interrupted, let_go_frozen};
pub use metadata::{MAX_XATTRS, capture};
pub use objection::{Answer, Objection};
pub use plan::{
    KnownProcesses, MayKill, OFFLINE, Order, Plan, Receipt, ReceiptLine, Report, Target, Timings,
};
pub use preview::{Preview, PreviewProcess};
pub use replay::Replayed;
pub use responder::Responder;
pub use service_manager::ServiceManager;
pub use window::{Standstill, Window, WindowEnd};
