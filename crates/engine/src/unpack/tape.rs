// SPDX-License-Identifier: Apache-2.0
//! tar, read as a stream: also from a decoder, without ever holding the whole archive.

use super::budget::Gate;
use super::{Halt, Walk, join};
use std::cell::Cell;
use std::io::Read;
use std::rc::Rc;

/// What may be read from the end of one member to the beginning of the next: long names are kept in
/// members of their own, which the reader takes in whole.
const MAX_HEADER: u64 = 2 << 20;

impl Walk<'_, '_> {
    /// `reader` keeps the budget already.
    pub(super) fn tar(&mut self, reader: impl Read, path: &[u8], depth: usize) -> Result<(), Halt> {
        let budget = Rc::clone(&self.budget);
        let allowed = Rc::new(Cell::new(MAX_HEADER));
        let gate = Gate::new(reader, &budget, Rc::clone(&allowed), MAX_HEADER);
        let mut archive = tar::Archive::new(gate);
        let entries = match archive.entries() {
            Ok(entries) => entries,
            Err(e) => {
                self.note(path, &format!("it is not a tar archive that can be read: {e}"));
                return Ok(());
            }
        };
        for entry in entries {
            let mut entry = match entry {
                Ok(entry) => entry,
                Err(e) => {
                    if let Some(limit) = self.budget.reached() {
                        return self.stop(path, limit);
                    }
                    self.note(
                        path,
                        &format!("its tar archive is broken ({e}); members behind that were not scanned"),
                    );
                    return Ok(());
                }
            };
            allowed.set(u64::MAX);
            if entry.header().entry_type().is_file()
                || entry.header().entry_type().is_contiguous()
                || entry.header().entry_type().is_gnu_sparse()
            {
                let inner = join(path, &entry.path_bytes());
                self.member(&inner, &mut entry, depth)?;
            }
            // What is left of it is skipped by reading, outside of the allowance for headers.
            // When it ends early the next member says so.
            if std::io::copy(&mut entry, &mut std::io::sink()).is_err()
                && let Some(limit) = self.budget.reached()
            {
                return self.stop(path, limit);
            }
            allowed.set(MAX_HEADER);
        }
        Ok(())
    }
}
