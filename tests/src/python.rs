// SPDX-License-Identifier: Apache-2.0
//! The Python of the tests, with the packages of `tests/requirements.txt`.

use std::path::{Path, PathBuf};

/// Its interpreter.
///
/// # Panics
/// When it was not installed.
#[must_use]
pub fn interpreter() -> PathBuf {
    let home = std::env::var_os("HOME").expect("HOME");
    let path = Path::new(&home).join(".cache/lazaret/python/bin/python3");
    assert!(path.exists(), "{} is missing: `cargo xtask test` installs it", path.display());
    path
}
