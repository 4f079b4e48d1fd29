// SPDX-License-Identifier: Apache-2.0
//! Overlays: which file of which layer stands behind a merged name, and back.
//!
//! A merged file and the file of the layer below have different device numbers, and an event may
//! bring either. Files are taken away through the merged mount: changing a layer behind a mounted
//! overlay's back leaves the merged name working.

use crate::filesystem::{self, Kind};
use crate::names::{self, Found};
use crate::open::{self, Inode};
use crate::receipt;
use crate::stage::{self, Place};
use lazaret_model::{FileRef, Sha256};
use lazaret_sys::mounts::{self, Layers, Mount};
use lazaret_vault::{LayerFile, RawPath};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags, Stat, openat};
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Overlays looked at for a file that came without a usable path.
const MAX_OVERLAYS: usize = 512;

/// A file of a layer.
pub(crate) struct Real {
    dir: OwnedFd,
    name: Vec<u8>,
    path: Vec<u8>,
    stat: Stat,
}

impl Real {
    pub(crate) fn inode(&self) -> Inode {
        Inode::from(&self.stat)
    }

    fn record(&self) -> LayerFile {
        let ctime = lazaret_vault::Stamp {
            sec: self.stat.st_ctime,
            nsec: u32::try_from(self.stat.st_ctime_nsec).unwrap_or(0),
        };
        LayerFile {
            path: RawPath(self.path.clone()),
            dev: self.stat.st_dev,
            ino: self.stat.st_ino,
            ctime,
            size: self.stat.st_size.cast_unsigned(),
        }
    }

    fn holds(&self, sha256: Sha256) -> bool {
        let digest = || receipt::digest(open::file(&self.dir, &self.name).ok()?.as_fd()).ok();
        digest().is_some_and(|(found, _)| found == sha256)
    }
}

/// Where to find out what stands behind a merged name, also after the name is gone.
pub(crate) struct Behind {
    layers: Layers,
    /// From the overlay's root.
    relative: Vec<u8>,
}

impl Behind {
    /// `None` where the place is not on an overlay of this mount namespace.
    pub(crate) fn of(place: &Place) -> Option<Self> {
        if filesystem::kind(&place.dir) != Kind::Overlay {
            return None;
        }
        let mount = filesystem::mount_of(&place.dir)?;
        let path = place.path();
        let below = path.strip_prefix(mount.point.as_os_str().as_bytes())?;
        let below = below.strip_prefix(b"/").unwrap_or(below);
        let from_root = open::join(mount.root.as_os_str().as_bytes(), below);
        Some(Self { layers: mount.layers()?, relative: from_root.strip_prefix(b"/")?.to_vec() })
    }

    /// The file in the upper layer.
    pub(crate) fn upper(&self) -> Option<Real> {
        real(self.layers.upper.as_ref()?, &self.relative)
    }

    /// Files of lower layers under this name that hold this content; they outlive the name.
    pub(crate) fn held(&self, sha256: Sha256, size: u64) -> Vec<LayerFile> {
        let same_size = |r: &Real| r.stat.st_size.cast_unsigned() == size;
        let lower = self.layers.lower.iter().filter_map(|l| real(l, &self.relative));
        lower.filter(same_size).filter(|r| r.holds(sha256)).map(|r| r.record()).collect()
    }

    /// The file that the merged name shows: the upper one, else the topmost lower one.
    fn shown(&self) -> Option<Real> {
        self.upper().or_else(|| self.layers.lower.iter().find_map(|l| real(l, &self.relative)))
    }
}

/// The regular file `relative` of a layer. The layer's own path comes from the kernel's mount table
/// and may lead through links; below it none is followed.
fn real(layer: &Path, relative: &[u8]) -> Option<Real> {
    if !layer.is_absolute() {
        return None;
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::open(layer, flags, Mode::empty()).ok()?;
    let path = open::join(layer.as_os_str().as_bytes(), relative);
    let (folder, name) = match relative.iter().rposition(|b| *b == b'/') {
        Some(slash) => (relative.get(..slash)?, relative.get(slash + 1..)?),
        None => (b"".as_slice(), relative),
    };
    let dir = open::below(root, folder).ok()?;
    let stat = open::look(&dir, name).ok().flatten()?;
    let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    regular.then(|| Real { dir, name: name.to_vec(), path, stat })
}

/// The overlays of this mount namespace, read again only when the mount table changed.
#[derive(Default)]
pub(crate) struct Overlays {
    known: Mutex<Option<(File, Arc<Vec<Overlay>>)>>,
}

/// One overlay mount.
pub(crate) struct Overlay {
    mount: Mount,
    layers: Layers,
    /// The same without links, to find a path among them.
    upper: Option<PathBuf>,
    lower: Vec<PathBuf>,
}

impl Overlays {
    pub(crate) fn now(&self) -> Arc<Vec<Overlay>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((table, overlays)) = &*known {
            // The kernel tells of a change once, as urgent data.
            let mut fds = [PollFd::new(table, PollFlags::PRI)];
            let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
            if matches!(poll(&mut fds, Some(&zero)), Ok(0)) {
                return Arc::clone(overlays);
            }
        }
        let table = File::open("/proc/self/mountinfo");
        let overlays = Arc::new(read());
        *known = table.ok().map(|table| (table, Arc::clone(&overlays)));
        overlays
    }
}

fn read() -> Vec<Overlay> {
    let overlay = |mount: Mount| {
        let layers = mount.layers()?;
        let real = |p: &PathBuf| p.is_absolute().then(|| std::fs::canonicalize(p).ok()).flatten();
        let upper = layers.upper.as_ref().and_then(real);
        let lower = layers.lower.iter().filter_map(real).collect();
        Some(Overlay { mount, layers, upper, lower })
    };
    mounts::mounts().unwrap_or_default().into_iter().filter_map(overlay).take(MAX_OVERLAYS).collect()
}

/// What an overlay makes of a file of one of its layers.
pub(crate) enum Owner {
    /// It is shown under this name.
    Merged(Found),
    /// It is of a lower layer, which others share, and is shown no more: it stays, and why.
    Shared(String),
}

/// The overlay that a file of a layer belongs to. `inside`: the path is one inside the layer, as the
/// kernel names the file of an event; else one of this mount namespace.
pub(crate) fn owner(overlays: &[Overlay], path: &[u8], inside: bool, inode: Inode) -> Option<Owner> {
    let merged = |o: &Overlay| merged_at(o, path, inside, inode);
    if let Some(found) = overlays.iter().find_map(merged) {
        return Some(Owner::Merged(found));
    }
    let lower = |o: &Overlay| {
        let relative = relative(o.lower.iter(), path, inside)?;
        let real = o.lower.iter().filter_map(|l| real(l, relative)).find(|r| r.inode() == inode)?;
        Some(Owner::Shared(format!("an image layer holds it ({})", String::from_utf8_lossy(&real.path))))
    };
    overlays.iter().find_map(lower)
}

/// The path from the root of the layers.
fn relative(mut layers: impl Iterator<Item = impl AsRef<Path>>, path: &[u8], inside: bool) -> Option<&[u8]> {
    if inside {
        return path.strip_prefix(b"/");
    }
    layers.find_map(|l| path.strip_prefix(l.as_ref().as_os_str().as_bytes())?.strip_prefix(b"/"))
}

fn merged_at(overlay: &Overlay, path: &[u8], inside: bool, inode: Inode) -> Option<Found> {
    let relative = relative(overlay.upper.iter().chain(&overlay.lower), path, inside)?;
    let behind = Behind { layers: overlay.layers.clone(), relative: relative.to_vec() };
    if behind.shown()?.inode() != inode {
        return None;
    }
    let point = overlay.mount.point.as_os_str().as_bytes();
    let from_root = open::join(b"/", relative);
    let place = names::place(&open::join(point, names::inside(&overlay.mount, &from_root)?))?;
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(&place.dir, place.name.as_slice(), flags, Mode::empty()).ok()?;
    let number = stage::now(&file).ok()?;
    // Still ours after it was opened: what is moved is compared with this descriptor.
    (behind.shown()?.inode() == inode).then_some(Found { place, file, inode: number })
}

/// As the gate knows them.
pub(crate) fn refs(held: &[LayerFile]) -> impl Iterator<Item = FileRef> + '_ {
    held.iter().map(|l| FileRef { dev: l.dev, ino: l.ino, ctime: l.ctime.into(), size: l.size })
}

/// For people.
pub(crate) fn said(held: &[LayerFile]) -> String {
    let paths: Vec<String> = held.iter().map(|l| l.path.lossy()).collect();
    format!("an image layer still holds it ({}); execution stays denied", paths.join(", "))
}
