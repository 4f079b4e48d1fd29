// SPDX-License-Identifier: Apache-2.0
//! The files of one package in `/var/lib/dpkg/info`: `NAME.list`, `NAME.md5sums`, with `:ARCH` in the
//! name for packages of several architectures.

use super::Package;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

/// Where dpkg keeps it.
pub(crate) fn info_file(info: &Path, package: &Package, suffix: &str) -> PathBuf {
    let qualified = info.join(format!("{}:{}.{suffix}", package.name, package.arch));
    if qualified.exists() { qualified } else { info.join(format!("{}.{suffix}", package.name)) }
}

/// Every listed path but folders that hold other listed ones.
pub(crate) fn each_path(list: &Path, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let mut reader = BufReader::new(File::open(list)?);
    let (mut previous, mut line) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        let end = reader.read_until(b'\n', &mut line)? == 0;
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        // dpkg lists a folder right before what is in it; the root folder is `/.`.
        let is_folder = line.strip_prefix(previous.as_slice()).is_some_and(|rest| rest.starts_with(b"/"));
        if !is_folder && previous.len() > 1 && previous != b"/." {
            each(&previous);
        }
        if end {
            return Ok(());
        }
        std::mem::swap(&mut previous, &mut line);
    }
}

/// The recorded digest of a listed path, `None` when none is recorded.
pub(crate) fn recorded_md5(md5sums: &Path, listed: &[u8]) -> io::Result<Option<[u8; 32]>> {
    let file = match File::open(md5sums) {
        Ok(f) => f,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    let relative = listed.strip_prefix(b"/").unwrap_or(listed);
    for line in BufReader::new(file).split(b'\n') {
        let line = line?;
        let Some((md5, rest)) = line.split_at_checked(32) else { continue };
        let Some(name) = rest.strip_prefix(b"  ").or_else(|| rest.strip_prefix(b" *")) else { continue };
        let name = name.strip_prefix(b"./").unwrap_or(name);
        if name.strip_prefix(b"/").unwrap_or(name) == relative {
            return Ok(md5.to_ascii_lowercase().try_into().ok());
        }
    }
    Ok(None)
}
