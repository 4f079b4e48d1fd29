// SPDX-License-Identifier: Apache-2.0
//! Why a pool could not be started or reloaded.

use std::io;
use std::path::PathBuf;

/// Why a pool could not be started or reloaded.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// The scanner program did not start.
    #[error("the scanner {} could not be started: {cause}", program.display())]
    Start {
        /// Which program.
        program: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The content did not load; what was in force before stays in force.
    #[error("content {} was not loaded: {reason}", content.display())]
    Content {
        /// Which content.
        content: PathBuf,
        /// The scanner's words.
        reason: String,
    },
    /// The scanner started, then ended or was silent before it was ready.
    #[error("the scanner {} is not ready: {reason}", program.display())]
    Silent {
        /// Which program.
        program: PathBuf,
        /// What was seen.
        reason: String,
    },
    /// No worker could be had from a running spawner.
    #[error("no scanner worker could be had: {0}")]
    Worker(String),
    /// A configuration that cannot work.
    #[error("{0}")]
    Config(String),
}
