// SPDX-License-Identifier: Apache-2.0
//! systemd: units that run the program, and what triggers them; of the system and of users.

use super::tree::{Base, TextFile};
use super::{Hunt, Lines, SEARCH, join};
use lazaret_model::{PersistenceKind, PersistenceLink};
use std::collections::HashSet;
use std::rc::Rc;

const SYSTEM: [(&[u8], &str); 12] = [
    (b"etc/systemd/system.control", CONTROL),
    (b"run/systemd/system.control", CONTROL),
    (b"run/systemd/transient", TRANSIENT),
    (b"run/systemd/generator.early", GENERATED),
    (b"etc/systemd/system", ""),
    (b"etc/systemd/system.attached", ""),
    (b"run/systemd/system", ""),
    (b"run/systemd/generator", GENERATED),
    (b"usr/local/lib/systemd/system", ""),
    (b"usr/lib/systemd/system", ""),
    (b"lib/systemd/system", ""),
    (b"run/systemd/generator.late", GENERATED),
];

const ALL_USERS: [(&[u8], &str); 5] = [
    (b"etc/systemd/user", ""),
    (b"run/systemd/user", ""),
    (b"usr/local/lib/systemd/user", ""),
    (b"usr/lib/systemd/user", ""),
    (b"lib/systemd/user", ""),
];

const ONE_USER: [(&[u8], &str); 3] = [
    (b".config/systemd/user.control", CONTROL),
    (b".config/systemd/user", ""),
    (b".local/share/systemd/user", ""),
];

const CONTROL: &str = "it was set with systemctl: take it back with `systemctl revert UNIT`";
const TRANSIENT: &str = "it is transient: `systemctl stop UNIT` ends it for good";
const GENERATED: &str = "it is made anew at each boot: what it is made from must be changed";
const DROP_IN: &str = "it is a part of a unit that may be good: remove it yourself";

/// Units that start others.
const TRIGGERS: [&[u8]; 3] = [b".timer", b".path", b".socket"];

pub(super) fn search(hunt: &mut Hunt<'_>) {
    let system = hunt.tree.system();
    scope(hunt, &system, &SYSTEM, false);
    scope(hunt, &system, &ALL_USERS, true);
    for home in hunt.homes.clone() {
        scope(hunt, &home, &ONE_USER, true);
    }
}

/// The unit files of one service manager: first what runs the program, then what starts that.
fn scope(hunt: &mut Hunt<'_>, base: &Rc<Base>, folders: &[(&[u8], &'static str)], user: bool) {
    let mut seen = HashSet::new();
    let mut hits: Vec<(Vec<u8>, PersistenceLink)> = Vec::new();
    let mut triggers: Vec<(TextFile, Vec<u8>, &'static str)> = Vec::new();
    for (folder, only_shown) in folders {
        if !hunt.tree.identity(base, folder).is_some_and(|id| seen.insert(id)) {
            continue;
        }
        for name in hunt.tree.names(base, folder) {
            let path = join(folder, &name);
            let lines = lines_of(user, base, only_shown);
            if name.ends_with(b".d") {
                for part in hunt.tree.names(base, &path) {
                    if part.ends_with(b".conf") {
                        let lines = Lines { only_shown: DROP_IN, ..lines };
                        hunt_unit(hunt, base, &join(&path, &part), lines);
                    }
                }
            } else if is_unit(&name) && !is_alias(hunt, base, &path) {
                let Some((file, found)) = hunt_unit(hunt, base, &path, lines) else { continue };
                if let Some(link) = found.or_else(|| started(hunt, &file, &name, lines)) {
                    hits.push((name.clone(), link));
                }
                if TRIGGERS.iter().any(|t| name.ends_with(t)) {
                    triggers.push((file, name, *only_shown));
                }
            }
        }
    }
    for (file, name, only_shown) in triggers {
        let started = starts(&file.bytes, &name);
        let Some((unit, link)) = hits.iter().find(|(unit, _)| *unit == started) else { continue };
        let kind = if name.ends_with(b".timer") {
            PersistenceKind::SystemdTimer
        } else {
            PersistenceKind::SystemdUnit
        };
        let lines = Lines { kind, ..lines_of(user, base, only_shown) };
        let (number, text) = telling_line(&file.bytes);
        let why = format!("it starts {}, which is listed as well", String::from_utf8_lossy(unit));
        hunt.push(&file, number, &text, lines, *link, why);
    }
}

fn lines_of<'a>(user: bool, base: &'a Base, only_shown: &'a str) -> Lines<'a> {
    let lines = Lines { comments: b"#;", only_shown, ..Lines::shown(PersistenceKind::SystemdUnit) };
    let lines = Lines { user, ..lines.keep(runs_something).with_search(&SEARCH) };
    if base.path.is_empty() { lines } else { lines.of_user(&base.path) }
}

fn is_unit(name: &[u8]) -> bool {
    [&b".service"[..], b".socket", b".timer", b".path", b".mount", b".swap"].iter().any(|e| name.ends_with(e))
}

/// A link to a unit file is looked at where that stands.
fn is_alias(hunt: &Hunt<'_>, base: &Base, path: &[u8]) -> bool {
    hunt.tree.link(base, path).is_some_and(|link| {
        let real = hunt.tree.resolve(&link.path);
        in_own_folder(&real) || real == b"/dev/null"
    })
}

/// Whether a file lies directly in one of the folders that systemd reads.
pub(crate) fn in_own_folder(path: &[u8]) -> bool {
    let slash = path.iter().rposition(|b| *b == b'/').unwrap_or(0);
    let folder = path.get(..slash).unwrap_or_default();
    SYSTEM
        .iter()
        .chain(&ALL_USERS)
        .chain(&ONE_USER)
        .any(|(f, _)| folder.strip_suffix(*f).is_some_and(|rest| rest.last() == Some(&b'/')))
}

/// Reads one unit file; what it says over several lines is joined. Gives how it is tied to the
/// program.
fn hunt_unit(
    hunt: &mut Hunt<'_>,
    base: &Rc<Base>,
    path: &[u8],
    lines: Lines<'_>,
) -> Option<(TextFile, Option<PersistenceLink>)> {
    let mut file = hunt.tree.text(base, path)?;
    file.bytes = joined(&file.bytes);
    let before = hunt.entries.len();
    hunt.text(&file, lines);
    // A unit is disabled as a whole: one entry is enough.
    hunt.entries.truncate(before + 1);
    let link = hunt.entries.get(before).map(|e| e.link);
    Some((file, link))
}

/// The unit whose process brought the file back.
fn started(hunt: &mut Hunt<'_>, file: &TextFile, name: &[u8], lines: Lines<'_>) -> Option<PersistenceLink> {
    let is_it = |unit: &String| {
        let unit = unit.as_bytes();
        unit == name || template_of(unit).is_some_and(|t| t == name)
    };
    if !hunt.started.units.iter().any(is_it) {
        return None;
    }
    let (number, text) = telling_line(&file.bytes);
    let why = "a process of this unit brought the file back".to_owned();
    hunt.push(file, number, &text, lines, PersistenceLink::Started, why);
    Some(PersistenceLink::Started)
}

/// `a@.service` of `a@x.service`.
fn template_of(unit: &[u8]) -> Option<Vec<u8>> {
    let at = unit.iter().position(|b| *b == b'@')?;
    let dot = unit.iter().rposition(|b| *b == b'.').filter(|d| *d > at)?;
    Some([unit.get(..=at)?, unit.get(dot..)?].concat())
}

/// Lines that end in a backslash and the next are one; numbers stay right.
fn joined(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut open = 0;
    for line in text.split(|b| *b == b'\n') {
        if let Some(part) = line.strip_suffix(b"\\") {
            out.extend_from_slice(part);
            out.push(b' ');
            open += 1;
        } else {
            out.extend_from_slice(line);
            out.resize(out.len() + open + 1, b'\n');
            open = 0;
        }
    }
    out.pop();
    out
}

fn runs_something(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    line.starts_with(b"Exec") || line.starts_with(b"Environment")
}

/// Which unit a trigger starts: `Unit=`, `Service=`, or the service of its own name.
fn starts(text: &[u8], name: &[u8]) -> Vec<u8> {
    let mut named = text.split(|b| *b == b'\n').filter_map(|line| {
        let line = line.trim_ascii();
        line.strip_prefix(b"Unit=").or_else(|| line.strip_prefix(b"Service="))
    });
    named.next_back().map(|n| n.trim_ascii().to_vec()).filter(|n| !n.is_empty()).unwrap_or_else(|| {
        let dot = name.iter().rposition(|b| *b == b'.').unwrap_or(name.len());
        [name.get(..dot).unwrap_or_default(), b".service"].concat()
    })
}

/// The line that says most about a unit.
fn telling_line(text: &[u8]) -> (u32, Vec<u8>) {
    let lines = || super::numbered(text, b"#;");
    let keys = [&b"On"[..], b"Path", b"Directory", b"Listen", b"ExecStart", b"Unit=", b"["];
    keys.iter()
        .find_map(|key| lines().find(|(_, line)| line.trim_ascii_start().starts_with(key)))
        .map_or((0, Vec::new()), |(number, line)| (number, line.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_files_are_understood() {
        let text = b"[Service]\nExecStart=/bin/sh \\\n  -c /tmp/x\nUser=u\n";
        let lines = joined(text);
        let lines: Vec<&[u8]> = lines.split(|b| *b == b'\n').collect();
        assert_eq!(lines, [&b"[Service]"[..], b"ExecStart=/bin/sh    -c /tmp/x", b"", b"User=u", b""]);
        assert_eq!(starts(b"[Timer]\nOnBootSec=1\n", b"a.timer"), b"a.service");
        assert_eq!(starts(b"[Timer]\nUnit = \nUnit=b.service \n", b"a.timer"), b"b.service");
        assert_eq!(template_of(b"a@x.y.service").as_deref(), Some(&b"a@.service"[..]));
        assert_eq!(template_of(b"a.service"), None);
        assert_eq!(telling_line(b"#x\n[Timer]\nOnCalendar=daily\n"), (3, b"OnCalendar=daily".to_vec()));
        assert!(in_own_folder(b"/etc/systemd/system/x.service"));
        assert!(in_own_folder(b"/home/u/.config/systemd/user/x.service"));
        assert!(!in_own_folder(b"/opt/x.service"));
    }
}
