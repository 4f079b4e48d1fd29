// SPDX-License-Identifier: Apache-2.0
//! Who owns a file, is it as its package shipped it, and does anything signed vouch for the package.
//!
//! Reads the databases of dpkg and rpm by itself: no package tool is run, so an answer takes
//! microseconds, holds under fanotify, and works when the tools are broken. Nothing is written.
//!
//! What the answer is worth: dpkg records MD5 digests, which show accidents and ordinary tampering;
//! a second file with the digest of a given one is not known to be feasible, two files made
//! together are. Therefore a package counts as *trusted* only with a signed source, and a trusted,
//! intact file still alarms: it is never silently let go. Someone who is root can rewrite every
//! database here; the trust rule is there so that installing a package does not buy immunity, not
//! to withstand a person who forges the databases themselves.

#![forbid(unsafe_code)]

mod aliases;
mod apt;
mod database;
mod digest;
mod dpkg;
mod index;
mod rpm;
mod stamp;
mod standing;

pub use database::PackageDb;
pub use standing::{Manager, Standing};
