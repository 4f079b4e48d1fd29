// SPDX-License-Identifier: Apache-2.0
//! Runs the built `lazaret`: against a peer on a real socket, and alone.

#![allow(missing_docs, reason = "tests")]

mod cloud;
mod daemon_verbs;
mod peer;
mod scan;
mod self_test;
mod vault;
