// SPDX-License-Identifier: Apache-2.0
//! Scans everything below some paths.

mod gather;
mod scan;

pub use scan::{Found, TreeOptions, TreeSummary, scan_tree};
