// SPDX-License-Identifier: Apache-2.0
//! The other names of an inode: finding them on its filesystem, bounded in time and entries, and
//! taking them off.

use crate::filesystem::{self, Kind};
use crate::journal::{Body, Progress};
use crate::metadata;
use crate::open::{self, Inode};
use crate::responder::Responder;
use crate::stage::{self, FOLDER, Place};
use lazaret_model::JournalId;
use lazaret_sys::mounts;
use lazaret_vault::{Manifest, RawPath};
use rustix::fs::{Dir, FileType, Mode, OFlags, fstat, fsync, openat};
use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

/// Entries looked at before giving up: a filesystem with more is searched in part and says so.
const MAX_ENTRIES: u64 = 5_000_000;

/// Names that one manifest keeps. A file may have 65,000 and more.
const MAX_LINKS: usize = 8192;

/// Names that are held open at once; each needs a descriptor.
const MAX_OPEN: usize = 512;

/// Names that share one write of the manifest and one sync.
const BATCH: usize = 128;

/// How long names that were found are taken off.
const TAKING: Duration = Duration::from_secs(10);

/// How many names are gone, and how many there were.
pub(crate) struct Names {
    /// Those beside the main one, to come back as links.
    pub(crate) taken: Vec<RawPath>,
    there_were: u64,
    gone: u64,
    /// A move may give a file of a lower layer a new number, with one name only: then counting is
    /// what is left.
    counted: bool,
}

impl Names {
    /// How many are left, after all that could be taken are gone.
    pub(crate) fn left(&self, file: &OwnedFd) -> u64 {
        let now = fstat(file).map_or(0, |s| s.st_nlink);
        if self.counted { now.max(self.there_were.saturating_sub(self.gone)) } else { now }
    }
}

struct Search<'a> {
    journal: JournalId,
    manifest: &'a Manifest,
    inode: Inode,
    staged: Option<Vec<u8>>,
    /// The main name was not found where it should be: the first one that is found takes its part.
    renamed: bool,
    until: Instant,
}

impl Names {
    /// None was touched.
    pub(crate) fn all_stay(there_were: u64) -> Self {
        Self { taken: Vec::new(), there_were, gone: 0, counted: false }
    }
}

impl Responder {
    /// Takes the inode's other names off, as far as they are found in the time allowed. `file` is
    /// the inode as the filesystem of `place` knows it, `inode` its number before it was moved: the
    /// other names still have that.
    pub(crate) fn take_links(
        &self,
        journal: JournalId,
        manifest: &Manifest,
        (file, inode): (&OwnedFd, Inode),
        staged: Option<&Place>,
        place: Option<&Place>,
    ) -> Names {
        let kind = place.map_or_else(|| filesystem::kind(file), |p| filesystem::kind(&p.dir));
        let own = u64::from(staged.is_some());
        let mut names = Names {
            taken: Vec::new(),
            there_were: manifest.nlink,
            gone: own,
            counted: kind == Kind::Overlay,
        };
        let search = Search {
            journal,
            manifest,
            inode,
            staged: staged.map(Place::path),
            // Replay knows the folder of a name that is gone already; that name comes back.
            renamed: staged.is_none() && place.is_none(),
            until: Instant::now() + self.config.link_search,
        };
        let left = |n: &Names| {
            let now = fstat(file).map_or(0, |s| s.st_nlink).saturating_sub(own);
            if n.counted { now.max(n.there_were.saturating_sub(n.gone)) } else { now }
        };
        let until = Instant::now() + TAKING;
        while left(&names) > 0
            && Instant::now() < until
            && let Some(p) = place
        {
            let found = in_folder(&p.dir, &p.dir_path, search.inode);
            if self.take_found(&search, found, until, &mut names) == 0 {
                break;
            }
        }
        if left(&names) > 0 {
            for root in search_roots(place, search.inode, kind) {
                let want = left(&names);
                if want == 0 || Instant::now() >= search.until {
                    break;
                }
                let want = (want + own).min(MAX_OPEN as u64);
                let found = below(&root, search.inode, want, search.until);
                self.take_found(&search, found, until, &mut names);
            }
        }
        names
    }

    /// Gives how many.
    fn take_found(&self, search: &Search<'_>, found: Vec<Place>, until: Instant, names: &mut Names) -> u64 {
        let others: Vec<Place> = found.into_iter().filter(|p| Some(p.path()) != search.staged).collect();
        let before = names.gone;
        for batch in others.chunks(BATCH) {
            if Instant::now() >= until {
                break;
            }
            self.take_batch(search, batch, names);
        }
        names.gone - before
    }

    /// First the manifest, then the names: a crash in between leaves a name too many, not too few.
    fn take_batch(&self, search: &Search<'_>, batch: &[Place], names: &mut Names) {
        let id = search.manifest.id;
        let known = self.vault.update(id, |m| {
            for path in batch.iter().map(|p| RawPath(p.path())) {
                // The name that was to go stays, or the file was renamed: this is the one that a
                // restore gives back.
                if search.renamed && m.links.is_empty() && m.path == search.manifest.path {
                    m.path = path;
                } else if m.path != path && !m.links.contains(&path) && m.links.len() < MAX_LINKS {
                    m.links.push(path);
                }
            }
        });
        let Ok(known) = known else { return };
        let mut moves = Vec::new();
        for other in batch {
            let path = RawPath(other.path());
            if path != known.path && !known.links.contains(&path) {
                continue;
            }
            let staging = self.staging.of(&other.dir);
            let name = format!("{id}.{}", JournalId::new()).into_bytes();
            let progress = Progress::Link {
                path,
                staging: RawPath(staging.as_ref().map_or_else(|| other.dir_path.clone(), |s| s.path.clone())),
                staged_name: RawPath(name.clone()),
            };
            if self.journal.append(search.journal, Body::Progress(progress), false).is_err() {
                break;
            }
            moves.push((other, staging, name));
        }
        if moves.is_empty() || self.journal.sync().is_err() {
            return;
        }
        for (other, staging, name) in &moves {
            let flags = metadata::flags(&other.dir);
            let Some(file) = opened(other, search.inode) else { continue };
            let Ok(staged) = stage::stage(other, staging.as_ref(), name, &file, flags) else { continue };
            // What cannot be removed is in nobody's reach, and the next start removes it.
            let discard = || stage::now(&file).and_then(|inode| stage::discard(&staged, inode));
            names.gone += u64::from(discard().or_else(|_| discard()).is_ok());
            let path = RawPath(other.path());
            if path != known.path {
                names.taken.push(path);
            }
        }
        let mut synced: Option<&[u8]> = None;
        for (other, ..) in &moves {
            if synced != Some(other.dir_path.as_slice()) {
                let _ = fsync(&other.dir);
                synced = Some(&other.dir_path);
            }
        }
    }
}

/// The file behind the name, if it is the inode.
fn opened(place: &Place, inode: Inode) -> Option<OwnedFd> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(&place.dir, place.name.as_slice(), flags, Mode::empty()).ok()?;
    (stage::now(&file) == Ok(inode)).then_some(file)
}

/// Folders below which other names may be: the subvolume, then the mount of the name, then every
/// mount of that filesystem.
pub(crate) fn search_roots(place: Option<&Place>, inode: Inode, kind: Kind) -> Vec<Vec<u8>> {
    let mount = place.and_then(|p| filesystem::mount_of(&p.dir));
    let dev = mount.as_ref().map_or(inode.dev, |m| m.dev);
    let subvolume = match (place, &mount) {
        (Some(p), Some(m)) => stage::subvolume(&p.dir, m.id, inode.dev),
        _ => None,
    };
    let own = mount.map(|m| m.point.as_os_str().as_bytes().to_vec());
    let mut roots: Vec<Vec<u8>> = subvolume.into_iter().chain(own).collect();
    for m in mounts::mounts().unwrap_or_default() {
        let point = m.point.as_os_str().as_bytes().to_vec();
        let fits = m.dev == dev || (kind == Kind::Btrfs && m.fs_type == "btrfs");
        if fits && !roots.contains(&point) {
            roots.push(point);
        }
    }
    roots
}

/// Searches one folder; gives at most [`MAX_OPEN`] names.
pub(crate) fn in_folder(dir: &OwnedFd, dir_path: &[u8], inode: Inode) -> Vec<Place> {
    let mut out = Vec::new();
    let any_number = filesystem::kind(dir) == Kind::Overlay;
    let Ok(listing) = Dir::read_from(dir) else { return out };
    for entry in listing.flatten() {
        if (any_number || entry.ino() == inode.ino)
            && open::is(dir, entry.file_name().to_bytes(), inode)
            && let Ok(dir) = dir.try_clone()
        {
            out.push(Place { dir, dir_path: dir_path.to_vec(), name: entry.file_name().to_bytes().to_vec() });
            if out.len() >= MAX_OPEN {
                break;
            }
        }
    }
    out
}

/// Searches everything below `root` that is on the inode's filesystem, until `want` names are found
/// or `until` passes. Follows no link and leaves out the staging folder.
pub(crate) fn below(root: &[u8], inode: Inode, want: u64, until: Instant) -> Vec<Place> {
    let mut out = Vec::new();
    let mut left = MAX_ENTRIES;
    let Ok(top) = open::folder(root) else { return out };
    // An overlay's files have device numbers other than its folders, and may be listed under another
    // inode number than they have.
    let overlay = filesystem::kind(&top) == Kind::Overlay;
    let Ok(dev) = fstat(&top).map(|s| s.st_dev) else { return out };
    if !overlay && dev != inode.dev {
        return out;
    }
    let mut folders = VecDeque::from([root.to_vec()]);
    while let Some(path) = folders.pop_front() {
        let Ok(dir) = open::folder(&path) else { continue };
        if !fstat(&dir).is_ok_and(|s| s.st_dev == dev) {
            continue;
        }
        let Ok(listing) = Dir::read_from(&dir) else { continue };
        for entry in listing.flatten() {
            let name = entry.file_name().to_bytes();
            left = left.saturating_sub(1);
            if left == 0 || (left.is_multiple_of(256) && Instant::now() >= until) {
                return out;
            }
            if name == b"." || name == b".." || name == FOLDER {
                continue;
            }
            let kind = entry.file_type();
            if kind == FileType::Directory || (kind == FileType::Unknown && is_folder(&dir, name)) {
                folders.push_back(open::join(&path, name));
            } else if (overlay || entry.ino() == inode.ino)
                && open::is(&dir, name, inode)
                && let Ok(dir) = dir.try_clone()
            {
                out.push(Place { dir, dir_path: path.clone(), name: name.to_vec() });
                if out.len() as u64 >= want {
                    return out;
                }
            }
        }
    }
    out
}

fn is_folder(dir: &OwnedFd, name: &[u8]) -> bool {
    openat(dir, name, OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
        .is_ok()
}
