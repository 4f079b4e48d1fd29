// SPDX-License-Identifier: Apache-2.0
//! Hands open files to jailed scanners and owns the deadline.
//!
//! A [`Pool`] starts `lazaret-scanner` once; that process loads the content and forks sealed
//! workers. Files travel as open descriptors, answers as bounded messages. A worker that overruns,
//! dies or answers nonsense is replaced, and its file answers a [`lazaret_model::ScanError`], which
//! is never a verdict. This crate does not link the engine: untrusted bytes are parsed in the jail
//! only.

#![forbid(unsafe_code)]

pub mod cache;
mod config;
mod connection;
mod error;
mod found;
mod job;
mod monitor;
mod pool;
mod queue;
mod reload;
mod serve;
mod slot;
mod spawner;
pub mod tree;
pub mod walk;

pub use config::{DeepLimits, PidChange, PidObserver, PoolConfig};
pub use error::PoolError;
pub use job::{Done, Job, Priority};
pub use pool::Pool;
pub use slot::WorkerInfo;
pub use tree::{Found, TreeOptions, TreeSummary, scan_tree};
