// SPDX-License-Identifier: Apache-2.0
//! Alarms: written, listed, counted, compared, handled, let go.

mod alike;
mod counts;
pub(crate) mod days;
pub(crate) mod facets;
mod filter;
pub(crate) mod handle;
mod keys;
mod list;
mod place;
mod retain;
pub(crate) mod row;
mod texts;
mod way;
pub(crate) mod write;
