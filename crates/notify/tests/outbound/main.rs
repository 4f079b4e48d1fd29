// SPDX-License-Identifier: Apache-2.0
//! Deliveries with real other ends: hooks, an SMTP server, a syslog receiver, the published OCSF schema. What
//! is about what is kept runs on SQLite and on PostgreSQL.

/// Makes a test of each story for each database.
macro_rules! on_both {
    ($($story:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $story() {
                crate::bed::run(crate::bed::Base::Sqlite, super::$story);
            })+
        }
        mod postgres {
            $(#[test]
            fn $story() {
                crate::bed::run(crate::bed::Base::Postgres, super::$story);
            })+
        }
    };
}

mod bed;
mod export;
mod hook;
mod hostile;
mod kept;
mod mail;
mod rows;
mod schema;
