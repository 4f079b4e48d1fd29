// SPDX-License-Identifier: Apache-2.0
//! One suite over both databases: each story runs on a SQLite file and on a PostgreSQL of its own.

/// Makes a test of each story for each database.
macro_rules! on_both {
    ($($story:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $story() {
                crate::bed::run(crate::bed::Bed::sqlite, super::$story);
            })+
        }
        mod postgres {
            $(#[test]
            fn $story() {
                crate::bed::run(crate::bed::Bed::postgres, super::$story);
            })+
        }
    };
}

mod approvals;
mod audit;
mod bed;
mod changes;
mod cloud_inventory;
mod cloud_look_up;
mod cloud_rows;
mod cloud_samples;
mod cloud_scans;
mod cloud_verdicts;
mod commands;
mod exports;
mod faults;
mod fleet;
mod handling;
mod ingest;
mod lists;
mod many_hosts;
mod migration;
mod outbound;
mod people;
mod quotas;
mod rows;
mod scans;
mod search;
mod sign_on;
mod upkeep;
mod whitelist;
