// SPDX-License-Identifier: Apache-2.0
//! The only crate with `unsafe`: safe, typed wrappers around what the kernel gives.

pub mod cgroup;
pub mod fanotify;
pub mod fd_passing;
pub mod jail;
pub mod lease;
pub mod life;
pub mod memory;
pub mod mounts;
pub mod proc_connector;
pub mod process;
pub mod procfs;
pub mod spawn;
