// SPDX-License-Identifier: Apache-2.0
//! A real gateway on a real store, and agents that do what the test says, over TLS on loopback.

mod agent;
#[path = "../api/base.rs"]
mod base;
mod cloud;
mod editions;
mod enrolment;
mod hostile;
mod rig;
mod sessions;
mod silence;
