// SPDX-License-Identifier: Apache-2.0
//! What has become of the content, looked up without asking the code that is judged: the name, the vault, the
//! staging folder. Only opening a sealed object is left to the vault.

use crate::calls::Ran;
use crate::scene::{Scene, content};
use lazaret_model::{IsolatedId, IsolatedStatus, Sha256};
use lazaret_vault::{Manifest, Vault};
use rustix::fs::{fgetxattr, flistxattr, ioctl_getflags};
use serde_json::Value;
use sha2::Digest;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Everything of a file that a restore brings back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) properties: Vec<(String, String)>,
    ino: u64,
}

impl Seen {
    pub(crate) fn at(path: &Path) -> Option<Self> {
        path.symlink_metadata().ok()?;
        let file = File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let m = file.metadata().unwrap();
        let bytes = std::fs::read(path).unwrap();
        let mut names = vec![0; 4096];
        let n = flistxattr(&file, &mut names).unwrap();
        let mut properties = vec![
            ("sha256".to_owned(), Sha256(sha2::Sha256::digest(&bytes).into()).to_string()),
            ("mode".to_owned(), format!("{:o}", m.mode())),
            ("owner".to_owned(), m.uid().to_string()),
            ("group".to_owned(), m.gid().to_string()),
            ("names".to_owned(), m.nlink().to_string()),
            ("modification time".to_owned(), format!("{}.{:09}", m.mtime(), m.mtime_nsec())),
            ("access time".to_owned(), format!("{}.{:09}", m.atime(), m.atime_nsec())),
            ("inode flags".to_owned(), format!("{:x}", ioctl_getflags(&file).unwrap().bits() & 0x70)),
        ];
        let mut attributes: Vec<_> = names[..n].split(|b| *b == 0).filter(|n| !n.is_empty()).collect();
        attributes.sort_unstable();
        for name in attributes {
            let mut value = vec![0; 4096];
            let n = fgetxattr(&file, name, &mut value).unwrap();
            let name = String::from_utf8_lossy(name).into_owned();
            properties.push((format!("xattr {name}"), format!("{:02x?}", &value[..n])));
        }
        Some(Self { properties, ino: m.ino() })
    }

    /// The properties that are not as in `other`.
    pub(crate) fn differing(&self, other: &Self) -> Vec<String> {
        let missing = other.properties.iter().filter(|(k, _)| !self.properties.iter().any(|(l, _)| l == k));
        self.properties
            .iter()
            .filter(|p| !other.properties.contains(p))
            .chain(missing)
            .map(|(k, _)| k.clone())
            .collect()
    }
}

/// Where the content is in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// Where it was, the verb had not begun and nobody was told that it had.
    NotBegun,
    /// Where it was, as it was, and the report or the replay says so.
    Back,
    /// Where it was, the report says so, and it is denied.
    DeniedInPlace,
    /// In the vault, whole; no name left.
    Sealed,
    /// In the staging folder, and the manifest says so.
    Staged,
    /// Destroyed, as ordered.
    Destroyed,
}

/// What the verb was to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Isolate,
    Restore,
    Delete,
}

/// The one object of the vault.
pub(crate) struct Object {
    pub(crate) id: IsolatedId,
    pub(crate) manifest: Manifest,
    sealed: bool,
}

pub(crate) fn object(scene: &Scene) -> Result<Option<Object>, String> {
    let vault = Vault::open(&scene.state().join("vault")).map_err(|e| e.to_string())?;
    let listed = vault.list().map_err(|e| e.to_string())?;
    if listed.len() > 1 {
        return Err(format!("the vault holds {} objects of one file", listed.len()));
    }
    let Some(l) = listed.into_iter().next() else { return Ok(None) };
    let manifest = l.manifest.map_err(|e| e.to_string())?;
    let right = content();
    let digest = Sha256(sha2::Sha256::digest(&right).into());
    if l.has_content {
        vault.compare(l.id, digest, right.len() as u64).map_err(|e| e.to_string())?;
    }
    Ok(Some(Object { id: l.id, manifest, sealed: l.has_content }))
}

fn names(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<_> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
    all.sort();
    all
}

/// What people were told.
struct Told<'a> {
    report: Option<&'a Value>,
    replayed: Vec<&'a Value>,
}

impl Told<'_> {
    /// Outcome words, newest last.
    fn words(&self) -> Vec<&str> {
        let replayed = self.replayed.iter().map(|r| &r["replayed"]);
        self.report.into_iter().chain(replayed).filter_map(|r| r["outcome"]["word"].as_str()).collect()
    }

    fn reasons(&self) -> impl Iterator<Item = &str> {
        let replayed = self.replayed.iter().map(|r| &r["replayed"]);
        self.report.into_iter().chain(replayed).filter_map(|r| r["outcome"]["reason"].as_str())
    }

    /// Properties that a receipt named as not brought back.
    fn named(&self) -> Vec<&str> {
        let replayed = self.replayed.iter().map(|r| &r["replayed"]);
        let all = self.report.into_iter().chain(replayed).filter_map(|r| r["differences"].as_array());
        all.flatten().filter_map(Value::as_str).collect()
    }

    fn rescan(&self) -> bool {
        self.replayed.iter().any(|r| r["rescan"] == true)
    }

    fn begun(&self) -> bool {
        self.report.is_some() || !self.replayed.is_empty()
    }

    fn says_done(&self) -> bool {
        matches!(self.words().last(), Some(&"done" | &"already_gone"))
    }
}

/// The content exists once; where it is live everybody was told; nothing half-made lies about.
pub(crate) fn judge(
    scene: &Scene,
    verb: Verb,
    before: &Seen,
    ran: &Ran,
    replay: &Ran,
) -> Result<(Fate, Option<Object>), String> {
    let replayed = ran.replayed().into_iter().chain(replay.replayed()).collect();
    let told = Told { report: ran.report(), replayed };
    let object = object(scene)?;
    let (f, g) = (Seen::at(&scene.path()), Seen::at(&scene.second()));
    let staged = object.as_ref().and_then(|o| o.manifest.staged.clone()).map(|p| {
        let path = PathBuf::from(std::ffi::OsStr::from_bytes(&p.0));
        let there = std::fs::read(&path).is_ok_and(|b| b == content());
        (path, there)
    });
    let is_staged = staged.as_ref().is_some_and(|(_, there)| *there);
    let sealed = object.as_ref().is_some_and(|o| o.sealed);
    let status = object.as_ref().map(|o| o.manifest.status);
    leftovers(scene, staged.as_ref().filter(|(_, there)| *there).map(|(p, _)| p.as_path()))?;
    if let Some(open) = replay.replayed().into_iter().find(|r| r["open"] == true) {
        return Err(format!("an intent stays open: {open}"));
    }
    let fate = match (&f, sealed, is_staged) {
        (Some(f), false, false) => live(verb, before, f, g.as_ref(), status, &told)?,
        (Some(f), true, false)
            if status == Some(IsolatedStatus::IsolatedInPlace) && verb != Verb::Restore =>
        {
            let differing = f.differing(before);
            if told.says_done() || !differing.is_empty() {
                return Err(format!(
                    "sealed and live, and what was told is {:?}, {differing:?}",
                    told.words()
                ));
            }
            Fate::DeniedInPlace
        }
        (None, true, false) => {
            let good: &[IsolatedStatus] = match verb {
                Verb::Isolate => &[IsolatedStatus::Isolated, IsolatedStatus::IsolatedInPlace],
                Verb::Restore => &[IsolatedStatus::Isolated, IsolatedStatus::RestoreFailed],
                Verb::Delete => &[IsolatedStatus::Isolated, IsolatedStatus::DeleteFailed],
            };
            if !status.is_some_and(|s| good.contains(&s)) {
                return Err(format!("sealed, but its status is {status:?}"));
            }
            if verb != Verb::Isolate && told.says_done() {
                return Err("done, it was said, but the vault still holds it".to_owned());
            }
            let partial = status == Some(IsolatedStatus::IsolatedInPlace) && !told.says_done();
            if g.is_some() && !(verb == Verb::Isolate && partial) {
                return Err(format!("its second name is live, told was {:?}", told.words()));
            }
            if told.begun() { Fate::Sealed } else { Fate::NotBegun }
        }
        (None, false, true) => {
            if status != Some(IsolatedStatus::IsolatedInPlace) {
                return Err(format!("staged, but its status is {status:?}"));
            }
            if told.says_done() {
                return Err("done, it was said, but the file lies staged".to_owned());
            }
            let said = verb != Verb::Isolate || told.reasons().any(|r| r.contains("other name"));
            if g.is_some() && !said {
                return Err("staged, and nobody was told that its second name is live".to_owned());
            }
            if told.begun() { Fate::Staged } else { Fate::NotBegun }
        }
        (None, false, false) if verb == Verb::Delete && g.is_none() => {
            let unsure = status == Some(IsolatedStatus::DeleteFailed) && !told.says_done();
            if status != Some(IsolatedStatus::Deleted) && !unsure {
                return Err(format!("destroyed, but its status is {status:?}"));
            }
            Fate::Destroyed
        }
        (None, false, false) => {
            return Err(format!("LOST (second name: {}; {:?})", g.is_some(), told.words()));
        }
        (f, sealed, staged) => {
            return Err(format!(
                "more than once: live {}, sealed {sealed}, staged {staged}, status {status:?}, told {:?}",
                f.is_some(),
                told.words()
            ));
        }
    };
    Ok((fate, object))
}

fn live(
    verb: Verb,
    before: &Seen,
    f: &Seen,
    g: Option<&Seen>,
    status: Option<IsolatedStatus>,
    told: &Told<'_>,
) -> Result<Fate, String> {
    let named = told.named();
    let differing: Vec<String> = f.differing(before);
    // A further name that a restore could not make shows as fewer names; its receipt says which.
    let excused = |d: &String| {
        named.contains(&d.as_str()) || (d == "names" && named.iter().any(|n| n.starts_with("link ")))
    };
    if let Some(d) = differing.iter().find(|d| !excused(d)) {
        return Err(format!("where it was, but its {d} is not as it was, and nobody was told ({named:?})"));
    }
    if g.is_some_and(|g| g.ino != f.ino) || (g.is_none() && named.is_empty()) {
        return Err("its second name is not the same file any more".to_owned());
    }
    match verb {
        Verb::Isolate if !told.begun() => Ok(Fate::NotBegun),
        Verb::Isolate if told.says_done() => Err("LIVE, and done was what was told".to_owned()),
        Verb::Isolate if status == Some(IsolatedStatus::IsolatedInPlace) => Ok(Fate::DeniedInPlace),
        Verb::Isolate if told.report.is_some() || told.rescan() => Ok(Fate::Back),
        Verb::Isolate => Err("LIVE, and replay does not ask for a scan".to_owned()),
        Verb::Restore if status == Some(IsolatedStatus::Restored) => Ok(Fate::Back),
        Verb::Restore => Err(format!("restored, but its status is {status:?}")),
        Verb::Delete => Err("LIVE after a deletion".to_owned()),
    }
}

/// Names that nobody will ever look for again.
fn leftovers(scene: &Scene, staged: Option<&Path>) -> Result<(), String> {
    let mut odd = Vec::new();
    for mount in scene.mounts() {
        odd.extend(names(&mount.point.join(".lazaret-staging")));
    }
    odd.extend(names(&scene.folder()).into_iter().filter(|p| *p != scene.path() && *p != scene.second()));
    // A staged file, and the record that says where it came from.
    let kept = |p: &PathBuf| {
        let name = p.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let first = name.split(".from-").next().unwrap_or_default().to_owned();
        staged.is_some_and(|s| s == p.with_file_name(first))
    };
    odd.retain(|p| !kept(p));
    odd.extend(names(&scene.objects()).into_iter().filter(|p| p.extension().is_some_and(|e| e == "tmp")));
    if odd.is_empty() { Ok(()) } else { Err(format!("left behind: {odd:?}")) }
}
