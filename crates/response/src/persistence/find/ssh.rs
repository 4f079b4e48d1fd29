// SPDX-License-Identifier: Apache-2.0
//! What sshd runs when somebody logs in: `rc` files and commands of keys.

use super::{Hunt, Lines, SEARCH};
use lazaret_model::PersistenceKind;

pub(super) fn search(hunt: &mut Hunt<'_>) {
    let system = hunt.tree.system();
    let rc = Lines::shown(PersistenceKind::SshRc).with_search(&SEARCH);
    let key = Lines::shown(PersistenceKind::SshKey).keep(has_command).with_search(&SEARCH);
    hunt.file(&system, b"etc/ssh/sshrc", rc);
    let forced = Lines::shown(PersistenceKind::SshRc).keep(forces).with_search(&SEARCH);
    hunt.file(&system, b"etc/ssh/sshd_config", forced);
    hunt.folder(&system, b"etc/ssh/sshd_config.d", |name| name.ends_with(b".conf"), forced);
    for home in hunt.homes.clone() {
        hunt.file(&home, b".ssh/rc", rc.of_user(&home.path));
        for file in [&b".ssh/authorized_keys"[..], b".ssh/authorized_keys2"] {
            hunt.file(&home, file, key.of_user(&home.path));
        }
    }
}

fn has_command(line: &[u8]) -> bool {
    line.windows(8).any(|w| w.eq_ignore_ascii_case(b"command="))
}

fn forces(line: &[u8]) -> bool {
    let line = line.trim_ascii_start().to_ascii_lowercase();
    [&b"forcecommand"[..], b"authorizedkeyscommand", b"authorizedprincipalscommand", b"subsystem"]
        .iter()
        .any(|k| line.starts_with(k))
}
