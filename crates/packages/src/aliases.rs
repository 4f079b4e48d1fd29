// SPDX-License-Identifier: Apache-2.0
//! Folders that are links to others on this host: a package may list `/bin/x` while the kernel
//! names the file `/usr/bin/x`.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;

/// Top-level folders that distributions have turned into links, and `/usr/sbin` (Fedora 42).
const CANDIDATES: &[&str] = &[
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/lib32",
    "/libx32",
    "/usr/sbin",
    "/usr/lib64",
    "/var/run",
    "/var/lock",
];

/// The links that this host really has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Aliases {
    /// From and to, both absolute with a slash at the end.
    links: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Aliases {
    /// Looks at the root folder.
    pub(crate) fn read(root: &Path) -> Self {
        let mut links = Vec::new();
        for from in CANDIDATES {
            let Ok(to) = std::fs::read_link(crate::database::under(root, from.as_bytes())) else { continue };
            let to = to.into_os_string().into_vec();
            if to.is_empty() || to.split(|b| *b == b'/').any(|p| p == b"..") {
                continue;
            }
            let absolute = if to.starts_with(b"/") {
                to
            } else {
                let parent = Path::new(from).parent().unwrap_or(Path::new("/"));
                parent.join(OsStr::from_bytes(&to)).into_os_string().into_vec()
            };
            let slashed = |p: &[u8]| {
                let mut p = p.to_vec();
                while p.last() == Some(&b'/') {
                    p.pop();
                }
                p.push(b'/');
                p
            };
            links.push((slashed(from.as_bytes()), slashed(&absolute)));
        }
        Self { links }
    }

    /// The path with such a folder replaced by what it links to; at most two steps (`/sbin` to
    /// `/usr/sbin` to `/usr/bin`).
    pub(crate) fn resolve<'a>(&self, path: &'a [u8]) -> Cow<'a, [u8]> {
        let mut path = Cow::Borrowed(path);
        for _ in 0..2 {
            let Some((from, to)) = self.links.iter().find(|(from, _)| path.starts_with(from)) else { break };
            let rest = path.get(from.len()..).unwrap_or_default();
            path = Cow::Owned([to.as_slice(), rest].concat());
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_links_that_are_there() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("usr/bin")).unwrap();
        std::fs::create_dir(root.path().join("lib")).unwrap();
        symlink("usr/sbin", root.path().join("sbin")).unwrap();
        symlink("bin", root.path().join("usr/sbin")).unwrap();
        symlink("/usr/bin/", root.path().join("bin")).unwrap();
        let a = Aliases::read(root.path());
        assert_eq!(a.resolve(b"/sbin/x").as_ref(), b"/usr/bin/x");
        assert_eq!(a.resolve(b"/bin/x").as_ref(), b"/usr/bin/x");
        assert_eq!(a.resolve(b"/lib/x").as_ref(), b"/lib/x");
        assert_eq!(a.resolve(b"/binary").as_ref(), b"/binary");
        assert_eq!(a.resolve(b"").as_ref(), b"");
    }
}
