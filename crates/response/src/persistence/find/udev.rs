// SPDX-License-Identifier: Apache-2.0
//! udev rules that run a program when a device comes or goes.

use super::{Hunt, Lines};
use lazaret_model::PersistenceKind;

const FOLDERS: [&[u8]; 5] = [
    b"etc/udev/rules.d",
    b"run/udev/rules.d",
    b"usr/local/lib/udev/rules.d",
    b"usr/lib/udev/rules.d",
    b"lib/udev/rules.d",
];

pub(super) fn search(hunt: &mut Hunt<'_>) {
    let system = hunt.tree.system();
    let lines =
        Lines::shown(PersistenceKind::UdevRule).keep(runs).with_search(&[b"/usr/lib/udev", b"/lib/udev"]);
    let mut seen = std::collections::HashSet::new();
    for folder in FOLDERS {
        if hunt.tree.identity(&system, folder).is_some_and(|id| seen.insert(id)) {
            hunt.folder(&system, folder, |name| name.ends_with(b".rules"), lines);
        }
    }
}

/// A rule's line may go on in the next one; then that one counts as well.
fn runs(line: &[u8]) -> bool {
    [&b"RUN"[..], b"PROGRAM", b"IMPORT{program}"].iter().any(|k| line.windows(k.len()).any(|w| w == *k))
}
