// SPDX-License-Identifier: Apache-2.0
//! Alarms: written, listed, counted, compared, handled, let go.

mod alike;
mod counts;
pub(crate) mod days;
mod filter;
mod handle;
mod list;
mod retain;
pub(crate) mod row;
pub(crate) mod write;
