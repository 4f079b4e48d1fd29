// SPDX-License-Identifier: Apache-2.0
//! The configuration that `up` gives to the daemon (docs/operations.md has every key).

use crate::build::Built;
use crate::run::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What differs between the self-test and the real start.
pub(crate) struct Config<'a> {
    pub(crate) state: &'a Path,
    pub(crate) run: &'a Path,
    /// Mount points; none: every local file system.
    pub(crate) mounts: &'a [PathBuf],
    pub(crate) isolate_and_kill: bool,
    /// The `[server]` section; empty: no server.
    pub(crate) server: &'a str,
}

impl Config<'_> {
    /// The configuration as TOML.
    ///
    /// # Errors
    /// A path is not UTF-8, which TOML cannot say.
    pub(crate) fn toml(&self, built: &Built) -> Result<String, Error> {
        let mut text = String::from("# Written by `cargo xtask up`, again at every start.\n\n[paths]\n");
        let pack = built.path("lazaret.pack");
        let scanner = built.path("lazaret-scanner");
        for (key, path) in
            [("state", self.state), ("run", self.run), ("content", &pack), ("scanner", &scanner)]
        {
            let _ = writeln!(text, "{key} = {}", quoted(path)?);
        }
        if !self.mounts.is_empty() {
            let mounts = self.mounts.iter().map(|m| quoted(m)).collect::<Result<Vec<_>, _>>()?;
            let _ = write!(text, "\n[protect]\nmounts = [{}]\n", mounts.join(", "));
        }
        let _ = write!(text, "\n[response]\nisolate_and_kill = {}\n", self.isolate_and_kill);
        text.push_str(self.server);
        Ok(text)
    }
}

/// A path as a TOML basic string.
pub(crate) fn quoted(path: &Path) -> Result<String, Error> {
    let text = path.to_str().ok_or_else(|| {
        Error::failed(format!("{} is not UTF-8 and cannot stand in the configuration", path.display()))
    })?;
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_toml_wants_escaped() {
        assert_eq!(quoted(Path::new("/srv/a \"b\"\\c\nd")).unwrap(), r#""/srv/a \"b\"\\c\u000Ad""#);
        assert!(
            quoted(Path::new(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"/\xff")))
                .is_err()
        );
    }
}
