// SPDX-License-Identifier: Apache-2.0
//! What starts with a desktop session (XDG autostart).

use super::{Hunt, Lines, SEARCH};
use lazaret_model::PersistenceKind;

pub(super) fn search(hunt: &mut Hunt<'_>) {
    let system = hunt.tree.system();
    let lines = Lines::shown(PersistenceKind::Autostart).keep(runs).with_search(&SEARCH);
    hunt.folder(&system, b"etc/xdg/autostart", is_entry, lines);
    for home in hunt.homes.clone() {
        hunt.folder(&home, b".config/autostart", is_entry, lines.of_user(&home.path));
    }
}

fn is_entry(name: &[u8]) -> bool {
    name.ends_with(b".desktop")
}

fn runs(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"Exec")
}
