// SPDX-License-Identifier: Apache-2.0
//! Isolated files. They outlive their alarms.

mod list;
pub(crate) mod write;

pub(crate) use list::{COLUMNS, read};
