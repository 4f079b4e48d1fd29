// SPDX-License-Identifier: Apache-2.0
//! Whether something signed vouches for an installed Debian package.
//!
//! A package is trusted when its name, version and architecture stand in an index in
//! `/var/lib/apt/lists` that is covered by a signed release file there (whose SHA256 section names
//! this very index with this very digest), and the index describes the package as the status file
//! does (maintainer, size, dependencies, description). apt checked the release's signature when it
//! stored the file; it is not checked again here.
//!
//! Limits: indexes kept as `.xz` or `.gz` are not read (plain and `.lz4` are, the two that apt's
//! defaults and container images use). A package whose version has left the index after an update
//! of the lists is not trusted until it is upgraded. A package made by hand that copies every one
//! of these fields of the version in the index passes: the index has the digest of the whole `.deb`,
//! which is not kept after installation.

mod lz4;
mod release;

use crate::dpkg::{Identity, Installed, Stanza, Stanzas, description_md5};
use crate::stamp::Stamp;
use release::Release;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

/// What is missing for trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Distrust {
    /// No index was usable at all.
    NoSignedIndex,
    /// The version is in none of the signed indexes.
    NotInIndex,
    /// Name, version and architecture are there, but of another package.
    Differs(&'static str),
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSignedIndex => f.write_str("no signed package index is on this host"),
            Self::NotInIndex => f.write_str("this version is in no signed package index on this host"),
            Self::Differs(field) => {
                write!(f, "the signed package index has another {field} for this version")
            }
        }
    }
}

/// The judgement over all installed packages.
pub(crate) struct Verdicts {
    /// In the order of the packages; `None`: trusted.
    pub(crate) distrust: Vec<Option<Distrust>>,
    /// How many are trusted, or why none is.
    pub(crate) trust: Result<usize, String>,
    /// Indexes that could not be used.
    pub(crate) problems: Vec<String>,
}

/// Reads the lists once.
pub(crate) fn judge(lists: &Path, installed: &[Installed], stamp: &mut Stamp) -> Verdicts {
    stamp.watch(lists.to_owned());
    let by_name: HashMap<&str, Vec<usize>> =
        installed.iter().enumerate().fold(HashMap::new(), |mut map, (i, p)| {
            map.entry(&*p.name).or_insert_with(Vec::new).push(i);
            map
        });
    let mut distrust = vec![Some(Distrust::NotInIndex); installed.len()];
    let mut problems = Vec::new();
    let mut usable = 0;
    for (release, indexes) in find(lists, &mut problems) {
        stamp.watch(release.path.clone());
        for index in indexes {
            stamp.watch(index.clone());
            match read_index(&index, &release, installed, &by_name) {
                Ok(found) => {
                    usable += 1;
                    for (i, verdict) in found {
                        // One index that agrees is enough; among others the more telling reason stays.
                        if let Some(slot) = distrust.get_mut(i)
                            && slot.is_some()
                        {
                            *slot = verdict;
                        }
                    }
                }
                Err(why) => problems.push(format!("{}: {why}", index.display())),
            }
        }
    }
    if usable == 0 {
        distrust.fill(Some(Distrust::NoSignedIndex));
    }
    let trusted = distrust.iter().filter(|d| d.is_none()).count();
    let trust = if usable == 0 {
        Err(format!("there is no usable signed package index in {} (run apt-get update)", lists.display()))
    } else if trusted == 0 {
        Err(format!("no installed package is in the signed indexes in {}", lists.display()))
    } else {
        Ok(trusted)
    };
    Verdicts { distrust, trust, problems }
}

/// Every signed release with the indexes that lie beside it.
fn find(lists: &Path, problems: &mut Vec<String>) -> Vec<(Release, Vec<PathBuf>)> {
    let mut names: Vec<String> = match std::fs::read_dir(lists) {
        Ok(entries) => {
            entries.filter_map(Result::ok).filter_map(|e| e.file_name().into_string().ok()).collect()
        }
        Err(_) => return Vec::new(),
    };
    names.sort();
    let mut releases = Vec::new();
    for name in &names {
        let Some(prefix) = name.strip_suffix("InRelease").or_else(|| name.strip_suffix("Release")) else {
            continue;
        };
        match Release::read(&lists.join(name), prefix) {
            Ok(r) => releases.push((r, Vec::new())),
            Err(why) => problems.push(format!("{}: {why}", lists.join(name).display())),
        }
    }
    for name in names.iter().filter(|n| n.contains("Packages")) {
        let plain = name.strip_suffix(".lz4").unwrap_or(name);
        if !plain.ends_with("Packages") {
            problems.push(format!("{}: indexes kept in this form are not read", lists.join(name).display()));
            continue;
        }
        // The longest beginning: `host_debian_dists_x-updates_` also begins like `host_debian_`.
        let covering = releases
            .iter_mut()
            .filter(|(r, _)| plain.starts_with(&r.prefix))
            .max_by_key(|(r, _)| r.prefix.len());
        match covering {
            Some((_, indexes)) => indexes.push(lists.join(name)),
            None => problems.push(format!("{}: no signed release covers it", lists.join(name).display())),
        }
    }
    releases.retain(|(_, indexes)| !indexes.is_empty());
    releases
}

/// Compares the installed packages with one index; what it found counts only when the digest of
/// the whole index is the signed one.
fn read_index(
    path: &Path,
    release: &Release,
    installed: &[Installed],
    by_name: &HashMap<&str, Vec<usize>>,
) -> Result<Vec<(usize, Option<Distrust>)>, String> {
    let failed = |e: io::Error| format!("it could not be read: {e}");
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    let (plain, packed) = match name.strip_suffix(".lz4") {
        Some(plain) => (plain, true),
        None => (name, false),
    };
    let signed = release.digest_of(plain).ok_or("the signed release does not list it")?;
    release::only_root_writes(path)?;
    let file = File::open(path).map_err(failed)?;
    let reader: Box<dyn Read> =
        if packed { Box::new(lz4::Frames::new(BufReader::new(file))) } else { Box::new(file) };
    let mut hashing = Hashing { reader, digest: Sha256::new() };
    let mut found = Vec::new();
    {
        let mut stanzas = Stanzas::new(BufReader::with_capacity(256 * 1024, &mut hashing));
        while let Some(stanza) = stanzas.next().map_err(failed)? {
            let candidates = stanza.text("Package").and_then(|n| by_name.get(n)).into_iter().flatten();
            for i in candidates {
                let Some(package) = installed.get(*i) else { continue };
                if stanza.text("Version") == Some(&package.version)
                    && stanza.text("Architecture") == Some(&package.arch)
                {
                    found.push((*i, compare(stanza, &package.identity)));
                }
            }
        }
    }
    if <[u8; 32]>::from(hashing.digest.finalize()) != signed {
        return Err("its digest is not the one that the signed release names".to_owned());
    }
    Ok(found)
}

fn compare(stanza: Stanza<'_>, ours: &Identity) -> Option<Distrust> {
    let description = match stanza.text("Description-md5") {
        Some(md5) => md5.to_owned(),
        None => description_md5(stanza.field("Description").unwrap_or_default()),
    };
    let theirs = Identity::of(stanza, &description);
    [
        ("maintainer", theirs.maintainer == ours.maintainer),
        ("installed size", theirs.installed_size == ours.installed_size),
        ("list of dependencies", theirs.depends == ours.depends && theirs.pre_depends == ours.pre_depends),
        ("description", theirs.description_md5 == ours.description_md5),
    ]
    .into_iter()
    .find(|(_, same)| !same)
    .map(|(field, _)| Distrust::Differs(field))
}

struct Hashing<R> {
    reader: R,
    digest: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.digest.update(buffer.get(..n).unwrap_or_default());
        Ok(n)
    }
}
