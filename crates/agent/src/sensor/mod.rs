// SPDX-License-Identifier: Apache-2.0
//! What brings files and processes to our notice, beside the gate's questions.

pub(crate) mod mounted;
pub(crate) mod moved;
pub(crate) mod old_files;
pub(crate) mod process;
pub(crate) mod rescan;
pub(crate) mod upkeep;
pub(crate) mod written;
