// SPDX-License-Identifier: Apache-2.0
//! How a unit is disabled by systemd's own means: its `[Install]` links go; a mask stands in front
//! of it where its name is free in the administrator's folder; else a drop-in there, whose
//! condition never holds (systemd.unit(5)).

use super::edit::{Edit, LinkImage, read_link};
use super::{find, place};
use crate::open;
use lazaret_model::{AlarmId, JournalId};
use lazaret_vault::{RawBytes, RawPath};
use rustix::fs::{Dir, fstat};
use rustix::io::Errno;
use std::path::Path;

const SYSTEM: &[u8] = b"/etc/systemd/system";
const ALL_USERS: &[u8] = b"/etc/systemd/user";

/// How the name of a drop-in of ours begins.
const DROP_IN: &[u8] = b"zz-lazaret-";

/// Links in these folders of a unit are made by `systemctl enable`.
const WANTS: [&[u8]; 3] = [b".wants", b".requires", b".upholds"];

/// Where a unit is disabled: the folder that goes before the one that its file is in.
pub(super) struct Home {
    folder: Vec<u8>,
    pub(super) system: bool,
}

pub(super) fn home(file: &[u8]) -> Option<Home> {
    if !find::in_own_folder(file) {
        return None;
    }
    for part in [&b"/.config/systemd/user/"[..], b"/.local/share/systemd/user/"] {
        if let Some(at) = file.windows(part.len()).position(|w| w == part) {
            let folder = [file.get(..at)?, b"/.config/systemd/user"].concat();
            return Some(Home { folder, system: false });
        }
    }
    let system =
        file.windows(16).any(|w| w == b"/systemd/system/") || file.windows(9).any(|w| w == b"/system.a");
    let folder = if system { SYSTEM } else { ALL_USERS };
    Some(Home { folder: folder.to_vec(), system })
}

/// The changes that disable a unit.
///
/// # Errors
/// For people, when it cannot be done.
pub(super) fn edits(
    root: &Path,
    home: &Home,
    file: &[u8],
    alarm: Option<AlarmId>,
    id: JournalId,
) -> Result<Vec<Edit>, String> {
    let (_, name) = open::split(file).ok_or("it is no path of a unit")?;
    let shown = String::from_utf8_lossy(name).into_owned();
    let mut edits = Vec::new();
    let owner = folders(root, &home.folder, &mut edits)?;
    if edits.is_empty() {
        for entry in names(root, &home.folder)? {
            let path = open::join(&home.folder, &entry);
            if WANTS.iter().any(|w| entry.ends_with(w)) {
                for wanted in names(root, &path).unwrap_or_default() {
                    if wanted == name || is_instance(&wanted, name) {
                        edits.extend(remove_link(root, &open::join(&path, &wanted)));
                    }
                }
            } else if entry != name
                && let Some(Edit::RemoveLink { path, link }) = remove_link(root, &path)
                && leads_to(&link.target.0, file, name)
            {
                // `Alias=`: the unit under another name.
                edits.push(Edit::RemoveLink { path, link });
            }
        }
    }
    let own = RawPath(open::join(&home.folder, name));
    let taken = match place(root, &own) {
        Ok(place) => match open::look(&place.dir, &place.name) {
            Ok(Some(_)) if read_link(&place).is_some_and(|l| l.target.0 == b"/dev/null") => {
                return Err(format!("{shown} is masked already"));
            }
            Ok(seen) => seen.is_some(),
            Err(e) => return Err(format!("{}: {e}", own.lossy())),
        },
        Err(_) => false,
    };
    if !taken {
        let target = RawPath(b"/dev/null".to_vec());
        let link = LinkImage { target, uid: owner.0, gid: owner.1, atime: None, mtime: None };
        edits.push(Edit::MakeLink { path: own, link });
        return Ok(edits);
    }
    let parts = [own.0.as_slice(), b".d"].concat();
    let beside = names(root, &parts).unwrap_or_default();
    if beside.iter().any(|n| n.starts_with(DROP_IN)) {
        return Err(format!("{shown} is disabled by Lazaret already"));
    }
    if !place(root, &RawPath(parts.clone())).is_ok_and(|p| p.exists()) {
        edits.push(Edit::MakeFolder { path: RawPath(parts.clone()), owner });
    }
    // Read last: nothing may come after it that lifts the condition.
    let name = [DROP_IN, id.to_string().as_bytes(), b".conf"].concat();
    let path = RawPath(open::join(&parts, &name));
    edits.push(Edit::MakeFile { path, content: RawBytes(drop_in(alarm)), owner });
    Ok(edits)
}

fn drop_in(alarm: Option<AlarmId>) -> Vec<u8> {
    let alarm = alarm.map_or_else(|| "-".to_owned(), |a| a.to_string());
    format!(
        "# Lazaret disabled this unit for alarm {alarm}.\n\
         # To take that back: lazaret persistence enable {alarm}\n\
         [Unit]\n\
         ConditionPathExists=!/\n"
    )
    .into_bytes()
}

/// Owner of what is made in the folder; folders that are missing on the way to it are made.
fn folders(root: &Path, folder: &[u8], edits: &mut Vec<Edit>) -> Result<(u32, u32), String> {
    let path = RawPath(folder.to_vec());
    if let Ok(p) = place(root, &path) {
        match open::look(&p.dir, &p.name) {
            Ok(Some(s)) => return Ok((s.st_uid, s.st_gid)),
            Ok(None) => {
                let s = fstat(&p.dir).map_err(|e| e.to_string())?;
                edits.push(Edit::MakeFolder { path, owner: (s.st_uid, s.st_gid) });
                return Ok((s.st_uid, s.st_gid));
            }
            Err(e) => return Err(format!("{}: {e}", path.lossy())),
        }
    }
    let (above, _) = open::split(folder).ok_or_else(|| format!("{} cannot be made", path.lossy()))?;
    if above == b"/" {
        return Err(format!("{} cannot be made", path.lossy()));
    }
    let owner = folders(root, above, edits)?;
    edits.push(Edit::MakeFolder { path, owner });
    Ok(owner)
}

fn names(root: &Path, folder: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let inside = RawPath(open::join(folder, b"x"));
    let dir = place(root, &inside)?.dir;
    let listing =
        Dir::read_from(&dir).map_err(|e: Errno| format!("{}: {e}", String::from_utf8_lossy(folder)))?;
    let mut names: Vec<Vec<u8>> = listing
        .flatten()
        .map(|e| e.file_name().to_bytes().to_vec())
        .filter(|n| n != b"." && n != b"..")
        .collect();
    names.sort();
    Ok(names)
}

fn remove_link(root: &Path, path: &[u8]) -> Option<Edit> {
    let path = RawPath(path.to_vec());
    let link = read_link(&place(root, &path).ok()?)?;
    Some(Edit::RemoveLink { path, link })
}

/// Whether a link's target is the unit's file, absolute or in the same folder.
fn leads_to(target: &[u8], file: &[u8], name: &[u8]) -> bool {
    let usr_merged = [b"/usr", target].concat();
    target == file || target == name || usr_merged == file
}

/// `a@x.service` of `a@.service`.
fn is_instance(unit: &[u8], template: &[u8]) -> bool {
    let Some(at) = template.windows(2).position(|w| w == b"@.") else { return false };
    let (Some(before), Some(after)) = (template.get(..=at), template.get(at + 1..)) else { return false };
    unit.len() > template.len() && unit.starts_with(before) && unit.ends_with(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_has_its_folder() {
        let of = |file: &[u8]| home(file).map(|h| (String::from_utf8(h.folder).unwrap(), h.system));
        let system = Some(("/etc/systemd/system".to_owned(), true));
        assert_eq!(of(b"/etc/systemd/system/a.service"), system);
        assert_eq!(of(b"/usr/lib/systemd/system/a.service"), system);
        assert_eq!(of(b"/etc/systemd/system.attached/a.service"), system);
        assert_eq!(of(b"/usr/lib/systemd/user/a.timer"), Some(("/etc/systemd/user".into(), false)));
        let own = Some(("/home/u/.config/systemd/user".to_owned(), false));
        assert_eq!(of(b"/home/u/.config/systemd/user/a.service"), own);
        assert_eq!(of(b"/home/u/.local/share/systemd/user/a.service"), own);
        assert_eq!(of(b"/opt/a.service"), None);
        assert!(is_instance(b"a@x.service", b"a@.service"));
        assert!(!is_instance(b"a@.service", b"a@.service") && !is_instance(b"b@x.service", b"a@.service"));
        assert!(leads_to(
            b"/lib/systemd/system/a.service",
            b"/usr/lib/systemd/system/a.service",
            b"a.service"
        ));
    }
}
