// SPDX-License-Identifier: Apache-2.0
//! Diversions: where dpkg really put a file that a package lists under another name.

use std::collections::HashMap;
use std::path::Path;

/// Three lines each: listed path, real path, diverting package (`:` for a local one).
#[derive(Debug, Default)]
pub(crate) struct Diversions {
    by_listed: HashMap<Box<[u8]>, Diversion>,
}

#[derive(Debug)]
struct Diversion {
    real: Box<[u8]>,
    by: Box<str>,
}

impl Diversions {
    /// A missing file means none.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let bytes = match std::fs::read(path) {
            Ok(b) => b,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(format!("{} could not be read: {e}", path.display())),
        };
        let mut by_listed = HashMap::new();
        let mut lines = bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty());
        while let (Some(listed), Some(real), Some(package)) = (lines.next(), lines.next(), lines.next()) {
            by_listed.insert(
                listed.into(),
                Diversion { real: real.into(), by: String::from_utf8_lossy(package).into() },
            );
        }
        Ok(Self { by_listed })
    }

    /// Where the file is that `package` lists as `listed`: the diverting package keeps the name, all
    /// others get the diverted one.
    pub(crate) fn actual<'a>(&'a self, listed: &'a [u8], package: &str) -> &'a [u8] {
        match self.by_listed.get(listed) {
            Some(d) if &*d.by != package => &d.real,
            _ => listed,
        }
    }
}
