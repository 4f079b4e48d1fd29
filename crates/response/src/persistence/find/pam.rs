// SPDX-License-Identifier: Apache-2.0
//! PAM services that run a command (`pam_exec.so`) or load the program as a module.

use super::{Hunt, Lines};
use lazaret_model::PersistenceKind;

/// Where modules lie that are named without a folder.
const FOLDERS: [&[u8]; 7] = [
    b"/lib/security",
    b"/usr/lib/security",
    b"/lib64/security",
    b"/usr/lib64/security",
    b"/lib/x86_64-linux-gnu/security",
    b"/usr/lib/x86_64-linux-gnu/security",
    b"/usr/lib/aarch64-linux-gnu/security",
];

pub(super) fn search(hunt: &mut Hunt<'_>) {
    let system = hunt.tree.system();
    let lines = Lines::shown(PersistenceKind::Pam).with_search(&FOLDERS);
    hunt.file(&system, b"etc/pam.conf", lines);
    for folder in [&b"etc/pam.d"[..], b"usr/lib/pam.d"] {
        hunt.folder(&system, folder, |_| true, lines);
    }
}
