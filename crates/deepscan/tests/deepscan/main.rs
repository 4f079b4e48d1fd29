// SPDX-License-Identifier: Apache-2.0
//! The deep scan with real parts: a real clamd, a local server that speaks the published protocols, a real store,
//! real samples, real scanners.

mod clamd;
mod desk;
mod http;
mod lookups;
mod work;
