// SPDX-License-Identifier: Apache-2.0
//! How statements reach either database.

pub(crate) mod bulk;
pub(crate) mod conn;
pub(crate) mod migrate;
pub(crate) mod open;
pub(crate) mod page;
pub(crate) mod sql;
pub(crate) mod value;
