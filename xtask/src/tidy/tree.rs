// SPDX-License-Identifier: Apache-2.0
//! The files that the rules look at: what git tracks, and what it would track.

use crate::run::{self, Error};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Files by their path from the root, with their bytes.
pub(super) struct Tree {
    files: BTreeMap<String, Vec<u8>>,
}

impl Tree {
    /// Reads the tree below `root`: by git where it is a checkout, else everything but `target`.
    ///
    /// # Errors
    /// The folder or a file in it cannot be read.
    pub(super) fn load(root: &Path) -> Result<Self, Error> {
        let names = if root.join(".git").exists() && run::in_path("git") {
            let mut git = Command::new("git");
            // The tree may belong to another user than the one who checks it.
            git.args([
                "-c",
                "safe.directory=*",
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ]);
            run::output(git.current_dir(root))?.split_terminator('\0').map(str::to_owned).collect()
        } else {
            let mut names = Vec::new();
            walk(root, "", &mut names)?;
            names
        };
        let mut files = BTreeMap::new();
        for name in names {
            let path = root.join(&name);
            match std::fs::symlink_metadata(&path) {
                Ok(facts) if facts.is_file() => {
                    let bytes = std::fs::read(&path).map_err(|e| cannot_read(&path, &e))?;
                    files.insert(name, bytes);
                }
                // Deleted but still tracked, or a link: nothing to check.
                Ok(_) | Err(_) => {}
            }
        }
        Ok(Self { files })
    }

    /// How many files there are.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// Every file.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
    }

    /// Every file whose name ends with `suffix`, as text; bytes that are not UTF-8 are replaced.
    pub(super) fn texts(&self, suffix: &str) -> impl Iterator<Item = (&str, String)> {
        self.files().filter(move |(name, _)| name.ends_with(suffix)).map(|(name, bytes)| (name, text(bytes)))
    }

    /// One file as text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.files.get(name).map(|bytes| text(bytes))
    }

    /// Whether a file, or a folder with files in it, is there.
    pub(super) fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let folder = format!("{path}/");
        path.is_empty()
            || self.files.contains_key(path)
            || self.files.keys().any(|name| name.starts_with(&folder))
    }

    #[cfg(test)]
    pub(super) fn of<const N: usize>(files: [(&str, &str); N]) -> Self {
        Self { files: files.into_iter().map(|(name, text)| (name.into(), text.into())).collect() }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn walk(folder: &Path, prefix: &str, names: &mut Vec<String>) -> Result<(), Error> {
    for entry in std::fs::read_dir(folder).map_err(|e| cannot_read(folder, &e))? {
        let entry = entry.map_err(|e| cannot_read(folder, &e))?;
        let name = entry.file_name();
        if name == "target" || name == ".git" {
            continue;
        }
        let name = format!("{prefix}{}", name.to_string_lossy());
        let kind = entry.file_type().map_err(|e| cannot_read(&entry.path(), &e))?;
        if kind.is_dir() {
            walk(&entry.path(), &format!("{name}/"), names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
}

fn cannot_read(path: &Path, error: &std::io::Error) -> Error {
    Error::failed(format!("{} cannot be read: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_folder_without_git() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["src/a.rs", "target/debug/b", "c.md"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        let tree = Tree::load(folder.path()).unwrap();
        assert_eq!(tree.files().map(|(name, _)| name).collect::<Vec<_>>(), ["c.md", "src/a.rs"]);
        assert!(tree.has("src/") && tree.has("src") && tree.has("c.md") && !tree.has("sr"));
        assert_eq!(tree.text("c.md").as_deref(), Some("c.md"));
    }

    #[test]
    fn sees_files_before_they_are_committed() {
        let folder = tempfile::tempdir().unwrap();
        run::run(Command::new("git").args(["init", "-q"]).current_dir(folder.path())).unwrap();
        std::fs::write(folder.path().join(".gitignore"), "*.pack\n").unwrap();
        std::fs::write(folder.path().join("new.rs"), "").unwrap();
        std::fs::write(folder.path().join("made.pack"), "").unwrap();
        let tree = Tree::load(folder.path()).unwrap();
        assert!(tree.has("new.rs") && !tree.has("made.pack"));
    }
}
