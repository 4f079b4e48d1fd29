// SPDX-License-Identifier: Apache-2.0
//! The status file: what is installed.

use super::{Stanza, Stanzas};
use crate::digest::hex;
use md5::{Digest as _, Md5};
use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// What an apt index must say too for a package to be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) maintainer: String,
    pub(crate) installed_size: String,
    pub(crate) depends: String,
    pub(crate) pre_depends: String,
    pub(crate) description_md5: String,
}

/// One installed package as the status file has it.
#[derive(Debug)]
pub(crate) struct Installed {
    pub(crate) name: Box<str>,
    pub(crate) version: Box<str>,
    pub(crate) arch: Box<str>,
    pub(crate) identity: Identity,
    /// Path and recorded MD5 in hexadecimal.
    pub(crate) conffiles: Vec<(Box<[u8]>, [u8; 32])>,
}

/// Reads the status file and, in their order, the updates that dpkg has not merged into it yet.
pub(crate) fn read(admin: &Path) -> Result<Vec<Installed>, String> {
    let mut all: HashMap<(Box<str>, Box<str>), Option<Installed>> = HashMap::new();
    read_file(&admin.join("status"), &mut all)?;
    let mut updates: Vec<_> = std::fs::read_dir(admin.join("updates"))
        .map(|entries| entries.filter_map(Result::ok).map(|e| e.path()).collect())
        .unwrap_or_default();
    updates.retain(|p| {
        p.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
    });
    updates.sort();
    for update in updates {
        // dpkg removes an update as soon as it is merged; the stamp on the status file tells.
        if update.exists() {
            read_file(&update, &mut all)?;
        }
    }
    let mut installed: Vec<_> = all.into_values().flatten().collect();
    installed.sort_by(|a, b| (&a.name, &a.arch).cmp(&(&b.name, &b.arch)));
    Ok(installed)
}

fn read_file(path: &Path, into: &mut HashMap<(Box<str>, Box<str>), Option<Installed>>) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("{} could not be read: {e}", path.display());
    let file = File::open(path).map_err(failed)?;
    let mut stanzas = Stanzas::new(BufReader::with_capacity(64 * 1024, file));
    while let Some(stanza) = stanzas.next().map_err(failed)? {
        let (Some(name), Some(arch)) = (stanza.text("Package"), stanza.text("Architecture")) else {
            continue;
        };
        // A name is part of a file name below.
        if name.is_empty() || name.contains('/') || arch.contains('/') {
            continue;
        }
        into.insert((name.into(), arch.into()), installed(name, arch, stanza));
    }
    Ok(())
}

/// `None` when the package's files are not (or no longer) there.
fn installed(name: &str, arch: &str, stanza: Stanza<'_>) -> Option<Installed> {
    let state = stanza.text("Status")?.rsplit(' ').next()?;
    if matches!(state, "not-installed" | "config-files") {
        return None;
    }
    Some(Installed {
        name: name.into(),
        version: stanza.text("Version").unwrap_or_default().into(),
        arch: arch.into(),
        identity: Identity::of(stanza, &description_md5(stanza.field("Description").unwrap_or_default())),
        conffiles: stanza.field("Conffiles").map(conffiles).unwrap_or_default(),
    })
}

/// Lines of ` /path md5 [obsolete]`.
fn conffiles(field: &[u8]) -> Vec<(Box<[u8]>, [u8; 32])> {
    let line = |line: &[u8]| -> Option<(Box<[u8]>, [u8; 32])> {
        let line = line.trim_ascii();
        let line = line.strip_suffix(b" obsolete").unwrap_or(line);
        let (path, md5) = line.split_at_checked(line.len().checked_sub(32)?)?;
        let path = path.strip_suffix(b" ")?;
        Some((path.into(), md5.try_into().ok()?))
    };
    field.split(|b| *b == b'\n').filter_map(line).collect()
}

impl Identity {
    /// The fields of a paragraph, in a form that survives dpkg's reformatting.
    pub(crate) fn of(stanza: Stanza<'_>, description_md5: &str) -> Self {
        let squeezed = |name: &str| -> String {
            stanza.text(name).unwrap_or_default().chars().filter(|c| !c.is_whitespace()).collect()
        };
        Self {
            maintainer: squeezed("Maintainer"),
            installed_size: squeezed("Installed-Size"),
            depends: squeezed("Depends"),
            pre_depends: squeezed("Pre-Depends"),
            description_md5: description_md5.to_owned(),
        }
    }
}

/// apt's `Description-md5`: over the whole description, its continuation lines as they stand, with
/// one line end after it.
pub(crate) fn description_md5(description: &[u8]) -> String {
    let mut md5 = Md5::new();
    md5.update(description);
    md5.update(b"\n");
    hex(&md5.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conffile_lines() {
        let c = conffiles(
            b"\n /etc/a 94bb6c1363245e46256908a5d52ba4fb\n /etc/with space 94bb6c1363245e46256908a5d52ba4fb obsolete\n /x y",
        );
        assert_eq!(c.len(), 2);
        assert_eq!(&*c[1].0, b"/etc/with space");
        assert_eq!(&c[0].1, b"94bb6c1363245e46256908a5d52ba4fb");
    }
}
