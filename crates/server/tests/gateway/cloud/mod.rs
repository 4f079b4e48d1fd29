// SPDX-License-Identifier: Apache-2.0
//! Malware Cloud Scan between hosts and a gateway, on both databases.

mod feed;
mod hostile;
mod kit;
mod questions;
mod samples;
