// SPDX-License-Identifier: Apache-2.0
//! A slow walk over the inventory: what is gone is marked, what is another file by now is looked at again, what the
//! server left open is asked again.

use super::inventory::open;
use crate::core::Core;
use crate::log::log;
use crate::look::{file_ref, now_ms};
use crate::sensor::written::examine;
use lazaret_model::{FileRef, Origin};
use lazaret_pool::Priority;
use lazaret_state::ProgramRow;
use rustix::io::Errno;
use std::collections::HashMap;
use std::sync::Arc;

/// Rows of one step.
const STEP: u32 = 200;
/// Files of one step that are scanned again.
const SCANS: usize = 20;
/// Files that are remembered as looked at again.
const MAX_LOOKED: usize = 10_000;

/// What a row's path shows now.
#[derive(Debug, PartialEq, Eq)]
enum Now {
    Same,
    Gone,
    Another,
    /// It cannot be told at the moment.
    Unknown,
}

fn look_up(row: &ProgramRow) -> Now {
    match rustix::fs::lstat(row.path.as_slice()) {
        Ok(stat) if !crate::gate::is_regular(&stat) => Now::Gone,
        Ok(stat) if file_ref(&stat) == row.file => Now::Same,
        Ok(_) => Now::Another,
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Now::Gone,
        Err(_) => Now::Unknown,
    }
}

/// Where the walk is.
#[derive(Default)]
pub(super) struct Sweep {
    behind: Vec<u8>,
    /// Files that are not what their rows say, and were looked at again: a row that is still the same then
    /// is of something that is no program any more, or is excluded.
    looked: HashMap<Vec<u8>, FileRef>,
}

impl Sweep {
    /// Looks at the next rows; begins again at the end.
    pub(super) fn step(&mut self, core: &Arc<Core>) {
        let rows = match core.database.programs_behind(&self.behind, STEP) {
            Ok(rows) => rows,
            Err(e) => return log!("{e}"),
        };
        let Some(last) = rows.last() else {
            self.behind.clear();
            return;
        };
        let mut reached = last.path.clone();
        let (mut gone, mut scans, mut asked) = (Vec::new(), 0, false);
        for row in rows {
            match look_up(&row) {
                Now::Same => asked |= core.cloud.ask_again(&row),
                Now::Unknown => {}
                Now::Gone => gone.push(row),
                Now::Another => {
                    let Some((file, stat)) = open(&row.path) else { continue };
                    let now = file_ref(&stat);
                    if self.looked.remove(&row.path) == Some(now) {
                        gone.push(row);
                        continue;
                    }
                    if self.looked.len() >= MAX_LOOKED {
                        self.looked.clear();
                    }
                    self.looked.insert(row.path.clone(), now);
                    examine(core, file.into(), Origin::Scan, None, Priority::Background);
                    scans += 1;
                    if scans >= SCANS {
                        // The others have their turn with the next step.
                        reached = row.path;
                        break;
                    }
                }
            }
        }
        self.behind = reached;
        mark_gone(core, &gone);
        if asked {
            core.cloud.questions.keep(core);
            core.uplink.ring();
        }
    }
}

/// Marks rows whose files are not there any more.
pub(super) fn mark_gone(core: &Core, rows: &[ProgramRow]) {
    if rows.is_empty() {
        return;
    }
    match core.database.programs_gone(rows, now_ms()) {
        Ok(0) => {}
        Ok(_) => {
            core.cloud.parts.changed();
            core.uplink.ring();
        }
        Err(e) => log!("{e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lazaret_model::Sha256;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn what_a_path_shows() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, "x").unwrap();
        let row = ProgramRow {
            path: path.as_os_str().as_bytes().to_vec(),
            sha256: Sha256([1; 32]),
            kind: "script".into(),
            packaged: false,
            file: file_ref(&rustix::fs::lstat(&path).unwrap()),
            first_ms: 1,
            last_ms: 1,
            gone: false,
            version: 1,
        };
        assert_eq!(look_up(&row), Now::Same);
        std::fs::write(&path, "xy").unwrap();
        assert_eq!(look_up(&row), Now::Another);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(look_up(&row), Now::Gone);
        std::os::unix::fs::symlink("/bin/true", &path).unwrap();
        assert_eq!(look_up(&row), Now::Gone, "a link is no program");
    }
}
