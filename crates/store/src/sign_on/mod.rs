// SPDX-License-Identifier: Apache-2.0
//! How people come in, beside name and password.

mod factors;
mod flows;
mod identities;
mod passwords;
pub(crate) mod rules;
