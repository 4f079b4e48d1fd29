// SPDX-License-Identifier: Apache-2.0
//! What shells and logins read when they start.

use super::{Hunt, Lines, SEARCH};
use lazaret_model::PersistenceKind;

const FILES: [&[u8]; 14] = [
    b"etc/profile",
    b"etc/bash.bashrc",
    b"etc/bashrc",
    b"etc/environment",
    b"etc/zshenv",
    b"etc/zsh/zshenv",
    b"etc/zsh/zprofile",
    b"etc/zsh/zshrc",
    b"etc/zsh/zlogin",
    b"etc/csh.cshrc",
    b"etc/csh.login",
    b"etc/fish/config.fish",
    b"etc/security/pam_env.conf",
    b"etc/skel/.bashrc",
];

const FOLDERS: [&[u8]; 4] =
    [b"etc/profile.d", b"etc/environment.d", b"etc/update-motd.d", b"etc/X11/Xsession.d"];

const OF_USERS: [&[u8]; 22] = [
    b".profile",
    b".bashrc",
    b".bash_profile",
    b".bash_login",
    b".bash_logout",
    b".bash_aliases",
    b".zshenv",
    b".zprofile",
    b".zshrc",
    b".zlogin",
    b".zlogout",
    b".kshrc",
    b".cshrc",
    b".tcshrc",
    b".login",
    b".logout",
    b".xprofile",
    b".xinitrc",
    b".xsession",
    b".xsessionrc",
    b".pam_environment",
    b".config/fish/config.fish",
];

pub(super) fn search(hunt: &mut Hunt<'_>) {
    let system = hunt.tree.system();
    let lines = Lines::shown(PersistenceKind::Profile).with_search(&SEARCH);
    for file in FILES {
        hunt.file(&system, file, lines);
    }
    for folder in FOLDERS {
        hunt.folder(&system, folder, |_| true, lines);
    }
    for home in hunt.homes.clone() {
        let lines = lines.of_user(&home.path);
        for file in OF_USERS {
            if !hunt.link(&home, file, lines) {
                hunt.file(&home, file, lines);
            }
        }
    }
}
