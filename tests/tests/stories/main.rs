// SPDX-License-Identifier: Apache-2.0
//! Stories: a real daemon on filesystems of its own, as root.

#![forbid(unsafe_code)]

mod alarm_only;
mod bad_input;
mod brakes;
mod cache;
mod cli_contract;
mod clock;
mod cloud;
mod content;
mod crash;
mod drop_and_restore;
mod dry_run;
mod exec;
mod filesystems;
mod kernel_interface;
mod kills;
mod liar;
mod metrics;
mod own_files;
mod persistence;
mod preview;
mod running;
mod scan;
mod self_test;
mod unlisted;
mod uplink;
mod uplink_orders;
mod vault;
mod watchdog;
mod window;
