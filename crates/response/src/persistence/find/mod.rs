// SPDX-License-Identifier: Apache-2.0
//! Looks for what brings a program back: every place where a host writes down what to start.
//!
//! Reads only. Everything is below one root folder; folders of users are never left through a
//! link; what is no regular file is not opened; sizes, numbers and time are bounded, and what was
//! not looked at is said.

mod at;
mod autostart;
mod cron;
mod init;
mod modules;
mod pam;
mod preload;
mod profile;
mod reference;
mod ssh;
mod systemd;
mod tree;
mod udev;

use lazaret_model::{PersistenceEntry, PersistenceKind, PersistenceLink, PersistenceState};
use reference::{Context, Matcher};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tree::{Base, TextFile, Tree};

pub(crate) use systemd::in_own_folder;

/// More of a line than this is not kept, bytes.
const MAX_TEXT: usize = 4096;

/// Lines of one file that are looked at.
const MAX_LINES: usize = 20_000;

/// How much is looked at before giving up.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Files.
    pub files: usize,
    /// Bytes of one file; larger ones are named as not looked at.
    pub file_bytes: usize,
    /// Entries found.
    pub entries: usize,
    /// Home folders.
    pub homes: usize,
    /// All of it.
    pub time: Duration,
}

impl Default for Limits {
    /// 50,000 files of at most 1 MiB, 200 entries, 2,000 homes, 20 s.
    fn default() -> Self {
        Self { files: 50_000, file_bytes: 1 << 20, entries: 200, homes: 2_000, time: Duration::from_secs(20) }
    }
}

/// What was seen to bring the file back.
#[derive(Debug, Clone, Default)]
pub struct Started {
    /// Commands that cron started, as it gave them to the shell.
    pub commands: Vec<Vec<u8>>,
    /// systemd units, as `evil.service`.
    pub units: Vec<String>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// In the order in which the kinds are searched.
    pub entries: Vec<PersistenceEntry>,
    /// What could not be looked at, for people.
    pub problems: Vec<String>,
    /// Files that were read.
    pub files: usize,
}

/// Looks below `root` for what refers to one of the names (absolute paths, raw bytes) of a file, or
/// started what brought it back.
#[must_use]
pub fn find(root: &Path, names: &[Vec<u8>], started: &Started, limits: Limits) -> Found {
    let tree = match Tree::open(root, limits, Instant::now()) {
        Ok(tree) => tree,
        Err(e) => {
            let problem = format!("{} cannot be opened: {e}", root.display());
            return Found { problems: vec![problem], ..Found::default() };
        }
    };
    let users = tree.users();
    let homes = tree.homes(&users, limits.homes);
    let mut hunt = Hunt {
        tree,
        matcher: Matcher::new(names),
        started,
        users,
        homes,
        entries: Vec::new(),
        room: limits.entries,
    };
    for kind in [
        cron::search,
        systemd::search,
        init::search,
        profile::search,
        preload::search,
        at::search,
        udev::search,
        ssh::search,
        pam::search,
        modules::search,
        autostart::search,
    ] {
        kind(&mut hunt);
    }
    let Hunt { tree, entries, .. } = hunt;
    Found { entries, files: tree.read(), problems: tree.into_problems() }
}

/// A search under way.
struct Hunt<'a> {
    tree: Tree,
    matcher: Matcher,
    started: &'a Started,
    /// Names and home folders.
    users: Vec<(Vec<u8>, Vec<u8>)>,
    homes: Vec<Rc<Base>>,
    entries: Vec<PersistenceEntry>,
    room: usize,
}

/// How the lines of a kind of file are read.
#[derive(Clone, Copy)]
struct Lines<'a> {
    kind: PersistenceKind,
    user: bool,
    /// A line that begins with one of these is no entry.
    comments: &'a [u8],
    /// Which lines can start something.
    keep: fn(&[u8]) -> bool,
    /// What `~` stands for.
    home: Option<&'a [u8]>,
    /// Programs are looked for in these folders when they are named without one.
    search: &'a [&'a [u8]],
    /// Why it can only be shown; empty: it can be disabled.
    only_shown: &'a str,
}

/// Where programs are looked for when nothing else is said.
const SEARCH: [&[u8]; 6] =
    [b"/usr/local/sbin", b"/usr/local/bin", b"/usr/sbin", b"/usr/bin", b"/sbin", b"/bin"];

/// Kinds that are never changed by Lazaret.
const SHOWN: &str = "entries of this kind are only shown: remove it yourself";

impl<'a> Lines<'a> {
    const fn shown(kind: PersistenceKind) -> Self {
        Self { kind, user: false, comments: b"#", keep: |_| true, home: None, search: &[], only_shown: SHOWN }
    }

    const fn of_user(self, home: &'a [u8]) -> Self {
        Self { user: true, home: Some(home), ..self }
    }

    const fn keep(self, keep: fn(&[u8]) -> bool) -> Self {
        Self { keep, ..self }
    }

    const fn with_search(self, search: &'a [&'a [u8]]) -> Self {
        Self { search, ..self }
    }

    fn context(&self) -> Context<'a> {
        Context { home: self.home, search: self.search }
    }
}

impl Hunt<'_> {
    /// Every line of one file that refers to the program.
    fn file(&mut self, base: &Base, path: &[u8], lines: Lines<'_>) {
        let Some(file) = self.tree.text(base, path) else { return };
        self.text(&file, lines);
    }

    fn text(&mut self, file: &TextFile, lines: Lines<'_>) {
        for (number, line) in numbered(&file.bytes, lines.comments) {
            if (lines.keep)(line)
                && let Some((link, why)) = self.matcher.line(&self.tree, lines.context(), line)
            {
                self.push(file, number, line, lines, link, why);
            }
        }
    }

    /// Every file of one folder.
    fn folder(&mut self, base: &Base, path: &[u8], wanted: fn(&[u8]) -> bool, lines: Lines<'_>) {
        for name in self.tree.names(base, path) {
            if wanted(&name) {
                let path = join(path, &name);
                if !self.link(base, &path, lines) {
                    self.file(base, &path, lines);
                }
            }
        }
    }

    /// Whether the name is a link that leads to the program; it is an entry then.
    fn link(&mut self, base: &Base, path: &[u8], lines: Lines<'_>) -> bool {
        let Some(link) = self.tree.link(base, path) else { return false };
        if !self.matcher.is_name(&self.tree.resolve(&link.path)) {
            return false;
        }
        let text = [b"-> ", link.target.as_slice()].concat();
        let file = TextFile::of_link(link);
        let why = "it is a link to the file".to_owned();
        self.push(&file, 0, &text, lines, PersistenceLink::Direct, why);
        true
    }

    fn push(
        &mut self,
        file: &TextFile,
        line: u32,
        text: &[u8],
        lines: Lines<'_>,
        link: PersistenceLink,
        why: String,
    ) {
        if self.entries.len() >= self.room {
            self.tree.problem(format!("more than {} entries: the rest is not listed", self.room));
            return;
        }
        let only_shown = if !lines.only_shown.is_empty() {
            lines.only_shown.to_owned()
        } else if line > 0 && text.len() > MAX_TEXT {
            format!("its line is longer than {MAX_TEXT} bytes: remove it yourself")
        } else {
            String::new()
        };
        let entry = PersistenceEntry {
            number: 0,
            kind: lines.kind,
            user: lines.user,
            file: file.path.clone(),
            line,
            text: text.get(..MAX_TEXT).unwrap_or(text).to_vec(),
            uid: file.uid,
            link,
            why,
            only_shown,
            state: PersistenceState::Active,
            reason: String::new(),
            disabled_as: None,
        };
        if !self.entries.iter().any(|e| e.is_same(&entry) && e.line == entry.line) {
            self.entries.push(entry);
        }
    }
}

/// Lines with their numbers from 1, without the empty ones and comments.
fn numbered<'t>(text: &'t [u8], comments: &[u8]) -> impl Iterator<Item = (u32, &'t [u8])> {
    (1u32..).zip(text.split(|b| *b == b'\n')).take(MAX_LINES).filter(move |(_, line)| {
        let line = line.trim_ascii_start();
        line.first().is_some_and(|b| !comments.contains(b))
    })
}

/// `folder/name`, relative like the folder.
fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    [folder, b"/", name].concat()
}
