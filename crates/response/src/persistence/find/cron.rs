// SPDX-License-Identifier: Apache-2.0
//! cron: crontabs of the system and of users, and the folders whose scripts it runs.

use super::tree::{Base, TextFile};
use super::{Hunt, Lines, SEARCH, join, numbered};
use lazaret_model::{PersistenceKind, PersistenceLink};
use std::rc::Rc;

const FOLDERS: [&[u8]; 5] =
    [b"etc/cron.hourly", b"etc/cron.daily", b"etc/cron.weekly", b"etc/cron.monthly", b"etc/cron.yearly"];

const SPOOLS: [&[u8]; 3] = [b"var/spool/cron/crontabs", b"var/spool/cron/tabs", b"var/spool/cron"];

const LINES: Lines<'static> = Lines {
    only_shown: "",
    // Most lines of the system's crontabs run as root.
    home: Some(b"/root"),
    ..Lines::shown(PersistenceKind::Cron).with_search(&SEARCH)
};

pub(super) fn search(hunt: &mut Hunt<'_>) {
    let system = hunt.tree.system();
    for file in [&b"etc/crontab"[..], b"etc/anacrontab"] {
        crontab(hunt, &system, file, LINES);
    }
    for name in hunt.tree.names(&system, b"etc/cron.d") {
        crontab(hunt, &system, &join(b"etc/cron.d", &name), LINES);
    }
    for spool in SPOOLS {
        for name in hunt.tree.names(&system, spool) {
            // A crontab is called as its user is.
            let home = hunt.users.iter().rev().find(|(user, _)| *user == name).map(|(_, home)| home.clone());
            let lines = Lines { user: true, home: home.as_deref(), ..LINES };
            crontab(hunt, &system, &join(spool, &name), lines);
        }
    }
    for folder in FOLDERS {
        for name in hunt.tree.names(&system, folder) {
            script(hunt, &system, &join(folder, &name));
        }
    }
}

fn crontab(hunt: &mut Hunt<'_>, base: &Rc<Base>, path: &[u8], lines: Lines<'_>) {
    if hunt.link(base, path, Lines { only_shown: "the crontab is a link: remove it yourself", ..lines }) {
        return;
    }
    let Some(file) = hunt.tree.text(base, path) else { return };
    let only_shown =
        if file.by_link { "the crontab is reached through a link: change it yourself" } else { "" };
    let lines = Lines { only_shown, ..lines };
    hunt.text(&file, lines);
    for (number, line) in numbered(&file.bytes, b"#") {
        if hunt.started.commands.iter().any(|c| runs(line, c)) {
            let why = "cron started this command, and it brought the file back".to_owned();
            // One that names the file as well is listed once, as such.
            if !hunt.entries.iter().any(|e| e.file == file.path && e.line == number) {
                hunt.push(&file, number, line, lines, PersistenceLink::Started, why);
            }
        }
    }
}

/// Whether this line is where cron has the command from; what stands behind a `%` is its input.
fn runs(line: &[u8], command: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let at_end = |l: &[u8]| {
        l.strip_suffix(command).is_some_and(|rest| rest.last().is_some_and(u8::is_ascii_whitespace))
    };
    let input =
        line.iter().enumerate().find(|(i, b)| **b == b'%' && line.get(i.wrapping_sub(1)) != Some(&b'\\'));
    command.len() > 3 && (at_end(line) || input.is_some_and(|(i, _)| line.get(..i).is_some_and(at_end)))
}

/// A script as a whole: run-parts runs what is executable.
fn script(hunt: &mut Hunt<'_>, base: &Rc<Base>, path: &[u8]) {
    if hunt.link(base, path, LINES) {
        return;
    }
    let Some(file) = hunt.tree.text(base, path) else { return };
    let only_shown = match &file {
        TextFile { by_link: true, .. } => "the script is reached through a link: change it yourself",
        TextFile { mode, .. } if mode & 0o111 == 0 => "it is not executable, so cron leaves it out",
        _ => "",
    };
    let before = hunt.entries.len();
    hunt.text(&file, Lines { only_shown, ..LINES });
    // It is disabled as a whole: one entry is enough.
    hunt.entries.truncate(before + 1);
}

#[cfg(test)]
mod tests {
    use super::runs;

    #[test]
    fn a_command_is_found_in_its_line() {
        let command = b"/opt/get -q \"a b\"";
        assert!(runs(b"*/5 * * * * root /opt/get -q \"a b\"", command));
        assert!(runs(b"@reboot /opt/get -q \"a b\"%input%more", command));
        assert!(!runs(b"*/5 * * * * root X/opt/get -q \"a b\"", command));
        assert!(!runs(b"*/5 * * * * root /opt/get -q \"a b\" c", command));
        assert!(!runs(b"* * * * * x", b"x"), "too short to mean anything");
    }
}
