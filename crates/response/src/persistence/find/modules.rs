// SPDX-License-Identifier: Apache-2.0
//! Kernel modules that are loaded at boot, and commands that run in place of a module.

use super::{Hunt, Lines, numbered};
use lazaret_model::{PersistenceKind, PersistenceLink};

const LOADED: [&[u8]; 4] =
    [b"etc/modules-load.d", b"run/modules-load.d", b"usr/lib/modules-load.d", b"lib/modules-load.d"];

const COMMANDS: [&[u8]; 4] = [b"etc/modprobe.d", b"run/modprobe.d", b"usr/lib/modprobe.d", b"lib/modprobe.d"];

pub(super) fn search(hunt: &mut Hunt<'_>) {
    let system = hunt.tree.system();
    let commands = Lines::shown(PersistenceKind::KernelModule).keep(is_command).with_search(&super::SEARCH);
    hunt.file(&system, b"etc/modprobe.conf", commands);
    let mut seen = std::collections::HashSet::new();
    for folder in COMMANDS {
        if hunt.tree.identity(&system, folder).is_some_and(|id| seen.insert(id)) {
            hunt.folder(&system, folder, |name| name.ends_with(b".conf"), commands);
        }
    }
    let modules = hunt.matcher.modules();
    if modules.is_empty() {
        return;
    }
    let mut lists = vec![b"etc/modules".to_vec()];
    for folder in LOADED {
        if hunt.tree.identity(&system, folder).is_some_and(|id| seen.insert(id)) {
            let names = hunt.tree.names(&system, folder);
            lists.extend(names.iter().filter(|n| n.ends_with(b".conf")).map(|n| super::join(folder, n)));
        }
    }
    let lines = Lines { comments: b"#;", ..Lines::shown(PersistenceKind::KernelModule) };
    for list in lists {
        let Some(file) = hunt.tree.text(&system, &list) else { continue };
        for (number, line) in numbered(&file.bytes, lines.comments) {
            let word = line.split(u8::is_ascii_whitespace).find(|w| !w.is_empty()).unwrap_or_default();
            if modules.contains(&module_name(word)) {
                let why = "it loads the file as a kernel module".to_owned();
                hunt.push(&file, number, line, lines, PersistenceLink::Direct, why);
            }
        }
    }
}

fn is_command(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    line.starts_with(b"install ") || line.starts_with(b"remove ")
}

/// The kernel takes `-` and `_` in a module's name for the same.
fn module_name(word: &[u8]) -> Vec<u8> {
    word.iter().map(|b| if *b == b'-' { b'_' } else { *b }).collect()
}

/// The module that a file is: its name without `.ko`, packed or not.
pub(super) fn module_of(base: &[u8]) -> Option<Vec<u8>> {
    [&b".ko"[..], b".ko.xz", b".ko.zst", b".ko.gz"]
        .iter()
        .find_map(|end| base.strip_suffix(*end))
        .filter(|name| !name.is_empty())
        .map(module_name)
}
