// SPDX-License-Identifier: Apache-2.0
//! Hosts and what is set for many of them.

pub(crate) mod desired;
pub(crate) mod disarmed;
mod groups;
mod host;
mod list;
mod policy_groups;
mod session;
pub(crate) mod switches;
mod tokens;

pub(crate) use host::project_of;
pub(crate) use list::add;
