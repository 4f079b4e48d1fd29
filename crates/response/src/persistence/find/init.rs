// SPDX-License-Identifier: Apache-2.0
//! What runs at boot without systemd: rc.local, init.d and rc?.d.

use super::{Hunt, Lines, SEARCH};
use lazaret_model::PersistenceKind;

const RUNLEVELS: [&str; 8] = ["0", "1", "2", "3", "4", "5", "6", "S"];

pub(super) fn search(hunt: &mut Hunt<'_>) {
    let system = hunt.tree.system();
    let local = Lines::shown(PersistenceKind::RcLocal).with_search(&SEARCH);
    for file in [&b"etc/rc.local"[..], b"etc/rc.d/rc.local", b"etc/boot.local", b"etc/init.d/boot.local"] {
        hunt.file(&system, file, local);
    }
    let scripts = Lines::shown(PersistenceKind::InitScript).with_search(&SEARCH);
    for folder in [&b"etc/init.d"[..], b"etc/rc.d/init.d"] {
        hunt.folder(&system, folder, |name| name != b"boot.local", scripts);
    }
    hunt.file(&system, b"etc/inittab", scripts);
    for level in RUNLEVELS {
        for above in ["etc", "etc/rc.d"] {
            let folder = format!("{above}/rc{level}.d").into_bytes();
            for name in hunt.tree.names(&system, &folder) {
                let path = super::join(&folder, &name);
                // Links to init.d are found there.
                if !hunt.link(&system, &path, scripts) && hunt.tree.link(&system, &path).is_none() {
                    hunt.file(&system, &path, scripts);
                }
            }
        }
    }
}
