// SPDX-License-Identifier: Apache-2.0
//! Virus scans of many hosts: what is wanted, when it begins, and how it is given to the hosts.

pub(crate) mod cloud;
pub(crate) mod plan;
pub(crate) mod run;
