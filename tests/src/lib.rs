// SPDX-License-Identifier: Apache-2.0
//! The test kit: real mounts, real daemons, real servers, real processes, all cleaned up.

#![forbid(unsafe_code)]

pub mod bad;
pub mod binaries;
pub mod clamd;
pub mod daemon;
pub mod fleet;
pub mod fs;
pub mod hook;
pub mod idp;
pub mod net;
pub mod ocsf;
pub mod passage;
pub mod pg;
pub mod pki;
pub mod proc;
pub mod python;
pub mod rule;
pub mod s3;
pub mod server;
pub mod smtp;
pub mod spin;
pub mod stage;
pub mod swarm;
pub mod syslog;
pub mod wait;

pub use clamd::Clamd;
pub use daemon::{Daemon, Setup};
pub use fleet::{Server, ServerSetup};
pub use fs::Volume;
pub use idp::Idp;
pub use net::Net;
pub use s3::S3;
pub use swarm::Swarm;
pub use wait::eventually;

/// Stories need root and a kernel with fanotify; a run without them must not look green.
///
/// # Panics
/// Without root.
pub fn needs_root() {
    assert!(rustix::process::geteuid().is_root(), "the stories run as root: sudo cargo xtask test");
}
