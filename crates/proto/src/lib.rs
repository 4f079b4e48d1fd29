// SPDX-License-Identifier: Apache-2.0
//! The only wire crate: generated messages, frames, and conversions to and from `model`.

#![forbid(unsafe_code)]

mod convert;
mod convert_alarm;
mod convert_persistence;
pub mod frame;
mod offer;

/// Generated from `proto/lazaret/v1/*.proto`.
#[allow(missing_docs, clippy::all, reason = "generated; the documentation is in the .proto files")]
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/lazaret.v1.rs"));
}

pub use convert::ConvertError;
pub use offer::offer_statement;
pub use prost::Message;

/// The compiled descriptor set, for the snapshot test that keeps changes additive.
pub const DESCRIPTOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));

/// The version of the control protocol that this build speaks.
pub const CONTROL_VERSION: u32 = 1;
