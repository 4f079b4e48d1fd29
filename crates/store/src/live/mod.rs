// SPDX-License-Identifier: Apache-2.0
//! What changed, told to live streams of this process and of others on the same database.

pub(crate) mod feed;
mod follow;
