// SPDX-License-Identifier: Apache-2.0
//! rpm's database in its SQLite form (formats: rpm's `docs/manual/hregions.md` and `format_header.md`,
//! tag numbers from `rpmtag.h`).
//!
//! A package is trusted when its header, as rpm stored it, carries an OpenPGP signature by a key
//! that is among the imported ones (`gpg-pubkey`). rpm checked the signature at installation; it is
//! not checked again here, so a package installed with `--nosignature` and a copied signature passes.

mod header;
mod signature;

use crate::aliases::Aliases;
use crate::database::under;
use crate::digest::{self, Algorithm};
use crate::index::{Builder, PathIndex};
use crate::stamp::Stamp;
use crate::standing::{Manager, Standing};
use header::Header;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use signature::KeyId;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A longer header is no package's.
const MAX_HEADER: usize = 64 * 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Distrust {
    Unsigned,
    UnknownKey(KeyId),
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned => f.write_str("the package carries no signature"),
            Self::UnknownKey(key) => {
                write!(f, "the package is signed by the key {key}, which is not imported")
            }
        }
    }
}

#[derive(Debug)]
struct Package {
    /// Row in the database.
    number: i64,
    title: Box<str>,
    distrust: Option<Distrust>,
}

/// rpm's database, read.
#[derive(Debug)]
pub(crate) struct Rpm {
    path: PathBuf,
    packages: Vec<Package>,
    index: PathIndex,
    problems: Vec<String>,
}

impl Rpm {
    /// `None` when there is no rpm database that holds anything.
    pub(crate) fn open(root: &Path, aliases: &Aliases, stamp: &mut Stamp) -> Option<Result<Self, String>> {
        // One of the two is usually a link to the other.
        let folders = [b"/usr/lib/sysimage/rpm".as_slice(), b"/var/lib/rpm"].map(|f| under(root, f));
        for folder in &folders {
            for name in ["rpmdb.sqlite", "rpmdb.sqlite-wal", "Packages.db", "Packages"] {
                stamp.watch(folder.join(name));
            }
        }
        if let Some(path) = folders.iter().map(|f| f.join("rpmdb.sqlite")).find(|p| p.exists()) {
            return Some(Self::read(path, aliases));
        }
        let old =
            folders.iter().flat_map(|f| [f.join("Packages.db"), f.join("Packages")]).find(|p| p.exists())?;
        Some(Err(format!("{} is in a form that is not read (only SQLite is)", old.display())))
    }

    fn read(path: PathBuf, aliases: &Aliases) -> Result<Self, String> {
        let failed = |e: rusqlite::Error| format!("{} could not be read: {e}", path.display());
        let connection = connect(&path).map_err(failed)?;
        let mut statement = connection.prepare("SELECT hnum, blob FROM Packages").map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        let mut builder = Builder::default();
        let mut packages = Vec::new();
        let mut signed_by = Vec::new();
        let mut keys = Vec::new();
        let mut problems = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let number: i64 = row.get(0).map_err(failed)?;
            let blob = row.get_ref(1).map_err(failed)?;
            let header = blob.as_blob().ok().filter(|b| b.len() <= MAX_HEADER).and_then(Header::parse);
            let Some(header) = header else {
                problems.push(format!("the header {number} is damaged"));
                continue;
            };
            if header.text(header::NAME) == Some("gpg-pubkey") {
                keys.extend(signature::imported(&header));
                continue;
            }
            let package = u32::try_from(packages.len()).map_err(|_| "too many packages".to_owned())?;
            header.each_file(|file| builder.add(&aliases.resolve(&file.path), package));
            signed_by.push(signature::signer(&header));
            packages.push(Package { number, title: title(&header), distrust: None });
        }
        for (package, signer) in packages.iter_mut().zip(signed_by) {
            package.distrust = match signer {
                None => Some(Distrust::Unsigned),
                Some(key) if !keys.contains(&key) => Some(Distrust::UnknownKey(key)),
                Some(_) => None,
            };
        }
        drop(rows);
        drop(statement);
        drop(connection);
        Ok(Self { path, packages, index: builder.build(), problems })
    }

    /// What rpm says about a file; `path` with aliases resolved.
    pub(crate) fn standing(&self, path: &[u8], aliases: &Aliases, file: &File) -> Standing {
        let mut candidates =
            self.index.candidates(path).filter_map(|n| self.packages.get(n as usize)).peekable();
        if candidates.peek().is_none() {
            return Standing::Unowned;
        }
        let connection = match connect(&self.path) {
            Ok(c) => c,
            Err(e) => return Standing::Unknown(format!("{} could not be opened: {e}", self.path.display())),
        };
        let mut owned = None;
        for package in candidates {
            let blob = connection
                .query_row("SELECT blob FROM Packages WHERE hnum = ?1", [package.number], |r| {
                    r.get::<_, Vec<u8>>(0)
                })
                .optional();
            let blob = match blob {
                Ok(Some(b)) => b,
                Ok(None) => continue,
                Err(e) => {
                    return Standing::Unknown(format!("{} could not be read: {e}", self.path.display()));
                }
            };
            let Some(header) = Header::parse(&blob) else {
                return Standing::Unknown(format!("the header of {} is damaged", package.title));
            };
            let mut recorded = None;
            header.each_file(|f| {
                if recorded.is_none() && aliases.resolve(&f.path).as_ref() == path {
                    recorded = Some(f.digest.map(str::to_ascii_lowercase).unwrap_or_default());
                }
            });
            let Some(recorded) = recorded else { continue };
            let standing = judge(package, &header, &recorded, file);
            if matches!(standing, Standing::Owned { intact: true, .. }) {
                return standing;
            }
            owned = owned.or(Some(standing));
        }
        owned.unwrap_or(Standing::Unowned)
    }

    pub(crate) fn packages(&self) -> usize {
        self.packages.len()
    }

    pub(crate) fn trust(&self) -> Result<usize, String> {
        match self.packages.iter().filter(|p| p.distrust.is_none()).count() {
            0 => Err("no installed rpm package is signed by an imported key".to_owned()),
            n => Ok(n),
        }
    }

    pub(crate) fn problems(&self) -> &[String] {
        &self.problems
    }

    pub(crate) fn index(&self) -> &PathIndex {
        &self.index
    }
}

fn judge(package: &Package, header: &Header<'_>, recorded: &str, file: &File) -> Standing {
    let mut why = Vec::new();
    let mut intact = false;
    match (recorded.is_empty(), algorithm(header)) {
        (true, _) => why.push("the package recorded no digest for it".to_owned()),
        (_, Err(n)) => why.push(format!("its digest is of a kind that is not checked (number {n})")),
        (false, Ok(algorithm)) => match digest::of_file(file, algorithm) {
            Ok(found) => {
                intact = found == recorded;
                if !intact {
                    why.push("its content differs from what the package shipped".to_owned());
                }
            }
            Err(e) => why.push(e),
        },
    }
    why.extend(package.distrust.map(|d| d.to_string()));
    Standing::Owned {
        package: package.title.clone().into(),
        manager: Manager::Rpm,
        intact,
        trusted: package.distrust.is_none(),
        why: why.join("; "),
    }
}

/// The algorithm of the file digests; the numbers are OpenPGP's, MD5 when none is given.
fn algorithm(header: &Header<'_>) -> Result<Algorithm, u32> {
    match header.number(header::FILEDIGESTALGO).unwrap_or(1) {
        1 => Ok(Algorithm::Md5),
        8 => Ok(Algorithm::Sha256),
        9 => Ok(Algorithm::Sha384),
        10 => Ok(Algorithm::Sha512),
        11 => Ok(Algorithm::Sha224),
        n => Err(n),
    }
}

/// `name [epoch:]version-release`.
fn title(header: &Header<'_>) -> Box<str> {
    let text = |tag| header.text(tag).unwrap_or("?");
    let epoch = header.number(header::EPOCH).filter(|e| *e > 0).map(|e| format!("{e}:")).unwrap_or_default();
    format!("{} {epoch}{}-{}", text(header::NAME), text(header::VERSION), text(header::RELEASE)).into()
}

/// Opens for reading only. Without a log beside it the file is opened as unchanging, so that no
/// lock or shared-memory file of ours appears in rpm's folder.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let has_log = std::fs::metadata(&log).is_ok_and(|m| m.len() > 0);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = match path.to_str() {
        Some(text) if !has_log && !text.contains(['?', '#', '%']) => Connection::open_with_flags(
            format!("file:{text}?immutable=1"),
            flags | OpenFlags::SQLITE_OPEN_URI,
        )?,
        _ => Connection::open_with_flags(path, flags)?,
    };
    connection.busy_timeout(Duration::from_millis(500))?;
    Ok(connection)
}
