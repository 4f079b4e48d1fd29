// SPDX-License-Identifier: Apache-2.0
//! The binaries of this build: beside the test's own executable.

use std::path::PathBuf;
use std::process::Command;

/// `target/<profile>`; of a program that was copied out of it, the folder that it lies in.
///
/// # Panics
/// When this executable has no path.
#[must_use]
pub fn folder() -> PathBuf {
    let own = std::env::current_exe().expect("own path");
    let target = own.ancestors().find(|p| p.join("deps").is_dir());
    target.or(own.parent()).expect("a program lies in a folder").to_owned()
}

/// The path of a binary.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn path(name: &str) -> PathBuf {
    let path = folder().join(name);
    assert!(
        path.is_file(),
        "{} is missing: build the workspace first (cargo xtask test does)",
        path.display()
    );
    path
}

/// The shipped content as a pack beside the binaries; built when it is missing or older than its
/// sources.
///
/// # Panics
/// When it cannot be built.
#[must_use]
pub fn pack() -> PathBuf {
    built("lazaret.pack", &["content"])
}

/// The same with what only the deep scan of a server knows.
///
/// # Panics
/// When it cannot be built.
#[must_use]
pub fn deep_pack() -> PathBuf {
    built("deep.pack", &["content", "content/deep"])
}

fn built(name: &str, sources: &[&str]) -> PathBuf {
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock();
    let pack = folder().join(name);
    let built = std::fs::metadata(&pack).and_then(|m| m.modified()).ok();
    let copied = built.is_some() && !folder().join("deps").is_dir();
    if copied || built.is_some_and(|b| !newer(&repository().join("content"), b)) {
        return pack;
    }
    let fresh = folder().join(format!("{name}.{}", std::process::id()));
    let sources = sources.iter().map(|s| repository().join(s));
    let made =
        Command::new(path("lazaret-content")).arg("build").args(sources).arg(&fresh).output().expect("run");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    std::fs::rename(&fresh, &pack).expect("rename");
    pack
}

fn newer(folder: &std::path::Path, than: std::time::SystemTime) -> bool {
    std::fs::read_dir(folder).into_iter().flatten().flatten().any(|e| {
        let path = e.path();
        if path.is_dir() {
            newer(&path, than)
        } else {
            e.metadata().and_then(|m| m.modified()).is_ok_and(|m| m > than)
        }
    })
}

/// The checkout.
#[must_use]
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("tests lies in the repository").to_owned()
}
