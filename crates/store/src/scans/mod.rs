// SPDX-License-Identifier: Apache-2.0
//! Virus scans: plans, tasks, and how each host stands.

mod hosts;
mod policies;
mod tasks;
