// SPDX-License-Identifier: Apache-2.0
//! What is loaded before the fork, and what judges after it.

use lazaret_model::{ContentInfo, ScanError, ScanReport};
use std::fs::File;

/// Loaded once, by the spawner, which must still have a single thread afterwards.
pub trait Content {
    /// What was loaded.
    fn info(&self) -> ContentInfo;

    /// A judge for one worker. Made in the worker before it is sealed: whatever needs executable
    /// memory or an open file must happen here.
    fn judge(&self) -> Box<dyn Judge + '_>;
}

/// Judges files, in the jail.
pub trait Judge {
    /// Judges one file, read by position only.
    ///
    /// # Errors
    /// When the file could not be judged; that is no verdict in either direction.
    fn judge(&mut self, file: &File, name: &[u8], members: bool) -> Result<ScanReport, ScanError>;
}
