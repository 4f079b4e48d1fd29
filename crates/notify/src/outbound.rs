// SPDX-License-Identifier: Apache-2.0
//! What all deliveries of a server share.

use crate::guard::Guard;
use crate::secrets::Seal;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long things may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// To find and connect to a target.
    pub connect: Duration,
    /// For all of a delivery.
    pub whole: Duration,
    /// Before the second try of a message.
    pub first_retry: Duration,
    /// Between two tries, at most.
    pub most_retry: Duration,
    /// Tries of a message before it is given up.
    pub attempts: u32,
    /// How long notices are kept for a target that does not take them.
    pub keep: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            whole: Duration::from_secs(15),
            first_retry: Duration::from_secs(1),
            most_retry: Duration::from_secs(600),
            attempts: 14,
            keep: Duration::from_secs(7 * 86_400),
        }
    }
}

/// What all deliveries of a server share.
#[derive(Debug, Clone)]
pub struct Outbound {
    /// Where requests may go.
    pub guard: Guard,
    /// Where targets of the kind `file` write.
    pub folder: PathBuf,
    /// What tells this server's messages from another's.
    pub installation: String,
    /// Of the program.
    pub version: &'static str,
    /// Where people look alarms up: the beginning of links; empty: no links.
    pub console: String,
    /// Opens the targets' secrets.
    pub seal: Arc<dyn Seal>,
    /// How long things may take.
    pub limits: Limits,
}
