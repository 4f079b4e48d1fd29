// SPDX-License-Identifier: Apache-2.0
//! Whether a line refers to the program: by its path in one of the ways in which it can be written,
//! by a link that leads to it, by a script that names it, or by its bare name.

use super::numbered;
use super::tree::Tree;
use lazaret_model::PersistenceLink;
use std::cell::RefCell;
use std::collections::HashMap;

/// Paths of one line that are followed.
const MAX_PATHS: usize = 32;

/// Scripts that are remembered.
const MAX_SCRIPTS: usize = 4096;

/// What a line means depends on whose it is.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// What `~` stands for.
    pub(super) home: Option<&'a [u8]>,
    /// Where a program is looked for that is named without a folder; empty: nowhere.
    pub(super) search: &'a [&'a [u8]],
}

struct Name {
    path: Vec<u8>,
    /// Ways to write it that differ from the path itself.
    forms: Vec<Vec<u8>>,
}

impl Name {
    fn folder(&self) -> &[u8] {
        let slash = self.path.iter().rposition(|b| *b == b'/').unwrap_or(0);
        self.path.get(..slash).filter(|f| !f.is_empty()).unwrap_or(b"/")
    }

    fn base(&self) -> &[u8] {
        self.path.rsplit(|b| *b == b'/').next().unwrap_or_default()
    }
}

/// The names of the program.
pub(super) struct Matcher {
    names: Vec<Name>,
    scripts: RefCell<HashMap<Vec<u8>, Option<u32>>>,
}

impl Matcher {
    pub(super) fn new(names: &[Vec<u8>]) -> Self {
        let names = names
            .iter()
            .filter(|n| n.len() > 1 && n.first() == Some(&b'/') && n.last() != Some(&b'/'))
            .map(|n| Name { path: n.clone(), forms: forms(n) })
            .collect();
        Self { names, scripts: RefCell::new(HashMap::new()) }
    }

    /// Whether this is one of the names.
    pub(super) fn is_name(&self, path: &[u8]) -> bool {
        self.names.iter().any(|n| n.path == path)
    }

    /// The kernel modules that the names are.
    pub(super) fn modules(&self) -> Vec<Vec<u8>> {
        self.names.iter().filter_map(|n| super::modules::module_of(n.base())).collect()
    }

    /// How the line refers to the program, and the same for people.
    pub(super) fn line(
        &self,
        tree: &Tree,
        context: Context<'_>,
        line: &[u8],
    ) -> Option<(PersistenceLink, String)> {
        let direct = |why: String| Some((PersistenceLink::Direct, why));
        if let Some((n, name)) = self.names.iter().enumerate().find(|(_, name)| named(line, name, context)) {
            let shown = if n == 0 { "the file".to_owned() } else { shown(&name.path) };
            let other = if n == 0 { "" } else { ", another name of the file" };
            return direct(format!("it names {shown}{other}"));
        }
        if self.names.iter().any(|n| goes_there(line, n)) {
            return direct("it goes to the file's folder and names the file there".to_owned());
        }
        for path in paths(line, context).into_iter().take(MAX_PATHS) {
            let real = tree.resolve(&path);
            if self.is_name(&real) {
                return direct(format!("it names {}, which leads to the file", shown(&path)));
            }
            if let Some(at) = self.script(tree, &real) {
                let why = format!("it runs {}, which names the file in line {at}", shown(&path));
                return Some((PersistenceLink::Wrapper, why));
            }
        }
        let bare =
            self.names.iter().find(|n| context.search.contains(&n.folder()) && has_word(line, n.base()));
        bare.map(|n| {
            let why = format!("it runs \"{}\", which stands for the file", shown(n.base()));
            (PersistenceLink::Bare, why)
        })
    }

    /// The line of a script that names the program.
    fn script(&self, tree: &Tree, path: &[u8]) -> Option<u32> {
        if let Some(known) = self.scripts.borrow().get(path) {
            return *known;
        }
        let found = self.search_script(tree, path);
        let mut scripts = self.scripts.borrow_mut();
        if scripts.len() < MAX_SCRIPTS {
            scripts.insert(path.to_vec(), found);
        }
        found
    }

    fn search_script(&self, tree: &Tree, path: &[u8]) -> Option<u32> {
        let file = tree.script(&tree.system(), path.get(1..).filter(|p| !p.is_empty())?)?;
        let context = Context { home: None, search: &[] };
        numbered(&file.bytes, b"#")
            .find(|(_, line)| self.names.iter().any(|n| named(line, n, context) || goes_there(line, n)))
            .map(|(number, _)| number)
    }
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// How shells, systemd and crontabs write what stands for itself elsewhere.
fn forms(path: &[u8]) -> Vec<Vec<u8>> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+,:@=".contains(&b) || b >= 0x80;
    if path.iter().all(|b| plain(*b)) {
        return Vec::new();
    }
    let (mut shell, mut systemd) = (Vec::new(), Vec::new());
    for b in path {
        if !plain(*b) {
            shell.push(b'\\');
        }
        shell.push(*b);
        match b {
            b'%' | b'$' => systemd.extend([*b, *b]),
            b if plain(*b) => systemd.push(*b),
            b => systemd.extend(format!("\\x{b:02x}").into_bytes()),
        }
    }
    vec![shell, systemd]
}

const fn is_name_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'/' | b'~') || b >= 0x80
}

/// Whether `text` stands in the line as a whole path, not as a part of a longer one.
fn has(line: &[u8], text: &[u8]) -> bool {
    if text.is_empty() || line.len() < text.len() {
        return false;
    }
    line.windows(text.len()).enumerate().any(|(at, w)| {
        w == text && {
            // `-/tmp/x` is how systemd says that a failure is no matter.
            let before =
                at.checked_sub(1).and_then(|i| line.get(i)).is_some_and(|b| is_name_byte(*b) && *b != b'-');
            let rest = line.get(at + text.len()..).unwrap_or_default();
            let after = match rest {
                [b'.'] | [b'.', b' ', ..] => false,
                [b, ..] => is_name_byte(*b),
                [] => false,
            };
            !before && !after
        }
    })
}

fn named(line: &[u8], name: &Name, context: Context<'_>) -> bool {
    if has(line, &name.path) || name.forms.iter().any(|f| has(line, f)) {
        return true;
    }
    let Some(home) = context.home else { return false };
    let Some(rest) = name.path.strip_prefix(home).filter(|r| r.first() == Some(&b'/')) else { return false };
    [&b"~"[..], b"$HOME", b"${HOME}", b"%h"].iter().any(|h| has(line, &[h, rest].concat()))
}

/// `cd /tmp && ./x`.
fn goes_there(line: &[u8], name: &Name) -> bool {
    has(line, &[b"./", name.base()].concat()) && {
        let folder = name.folder();
        has(line, folder) || has(line, &[folder, b"/"].concat())
    }
}

/// A word of the line that is exactly this; for programs that are looked for in folders.
fn has_word(line: &[u8], word: &[u8]) -> bool {
    !word.is_empty() && words(line).any(|w| w == word)
}

/// What a shell or systemd would take apart.
fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|b| b.is_ascii_whitespace() || b"\"'`;|&()<>=,{}:".contains(b)).filter(|w| !w.is_empty())
}

/// Absolute paths that the line names.
fn paths(line: &[u8], context: Context<'_>) -> Vec<Vec<u8>> {
    let mut out: Vec<Vec<u8>> = Vec::new();
    for word in words(line) {
        let start = word.iter().take_while(|b| b"-@+!|".contains(b)).count();
        let word = word.get(start..).unwrap_or_default();
        let of_home = [&b"~"[..], b"$HOME", b"%h"].iter().find_map(|h| word.strip_prefix(*h));
        let path = match (of_home, context.home) {
            (Some(rest), Some(home)) if rest.first() == Some(&b'/') => [home, rest].concat(),
            _ if word.first() == Some(&b'/') && word.len() > 1 => word.to_vec(),
            _ => continue,
        };
        if !path.contains(&0) && !out.contains(&path) {
            out.push(path);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOWHERE: Context<'_> = Context { home: None, search: &[] };

    fn name(path: &[u8]) -> Name {
        Name { path: path.to_vec(), forms: forms(path) }
    }

    #[test]
    fn paths_are_whole() {
        let n = name(b"/tmp/x");
        for line in [
            "/tmp/x",
            "run /tmp/x --quiet",
            "ExecStart=-/tmp/x",
            "'/tmp/x'",
            "a;/tmp/x&",
            "(/tmp/x)",
            ">/tmp/x.",
        ] {
            assert!(named(line.as_bytes(), &n, NOWHERE), "{line}");
        }
        for line in ["/tmp/xy", "/tmp/x.sh", "/tmp/x/y", "/a/tmp/x", "/tmp/x-1", "tmp/x", "/tmp/x\u{e9}"] {
            assert!(!named(line.as_bytes(), &n, NOWHERE), "{line}");
        }
    }

    #[test]
    fn odd_names_are_found_as_they_are_written() {
        let n = name(b"/tmp/a b%\xff");
        for line in [&b"'/tmp/a b%\xff' x"[..], b"/tmp/a\\ b\\%\xff", b"ExecStart=/tmp/a\\x20b%%\xff"] {
            assert!(named(line, &n, NOWHERE), "{}", line.escape_ascii());
        }
        assert!(!named(b"/tmp/a b%\xfe", &n, NOWHERE));
    }

    #[test]
    fn homes_folders_and_words() {
        let n = name(b"/home/u/.x/run");
        let context = Context { home: Some(b"/home/u"), search: &[] };
        for line in ["~/.x/run", "$HOME/.x/run &", "\"${HOME}/.x/run\"", "ExecStart=%h/.x/run"] {
            assert!(named(line.as_bytes(), &n, context), "{line}");
            assert!(!named(line.as_bytes(), &n, NOWHERE), "{line}");
        }
        assert!(goes_there(b"cd /home/u/.x && ./run", &n));
        assert!(goes_there(b"cd /home/u/.x/; ./run", &n));
        assert!(!goes_there(b"cd /home/u/ && ./run", &n));
        assert!(has_word(b"* * * * * root kworkerd -q", b"kworkerd"));
        assert!(!has_word(b"* * * * * root kworkerd2", b"kworkerd"));
        assert_eq!(
            paths(b"X=-/a/b;~/c $HOME/d", context),
            [b"/a/b".to_vec(), b"/home/u/c".to_vec(), b"/home/u/d".to_vec()]
        );
    }
}
