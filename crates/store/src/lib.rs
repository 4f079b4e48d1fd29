// SPDX-License-Identifier: Apache-2.0
//! What a server keeps, in SQLite or PostgreSQL: one body of SQL, one suite over both (docs/adr/0008).

#![forbid(unsafe_code)]

mod records;

pub use records::*;
