// SPDX-License-Identifier: Apache-2.0
//! Libraries that the dynamic linker puts into every program.

use super::{Hunt, Lines};
use lazaret_model::PersistenceKind;

/// Where the dynamic linker finds a library that is named without a folder.
const FOLDERS: [&[u8]; 8] = [
    b"/lib",
    b"/usr/lib",
    b"/lib64",
    b"/usr/lib64",
    b"/usr/local/lib",
    b"/lib/x86_64-linux-gnu",
    b"/usr/lib/x86_64-linux-gnu",
    b"/usr/lib/aarch64-linux-gnu",
];

pub(super) fn search(hunt: &mut Hunt<'_>) {
    let system = hunt.tree.system();
    let lines = Lines::shown(PersistenceKind::Preload).with_search(&FOLDERS);
    hunt.file(&system, b"etc/ld.so.preload", lines);
}
