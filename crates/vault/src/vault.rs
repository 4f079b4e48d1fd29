// SPDX-License-Identifier: Apache-2.0
//! The vault: put, purge, and the manifests.

use crate::books::{Books, Content, Inode};
use crate::contents::Contents;
use crate::keys::Keys;
use crate::manifest::{BLOB_FORMAT, Blob};
use crate::seal::{self, Sealed};
use crate::{Limits, Manifest, Owned, Reader, RecoveryKey, Usage, VaultError, durable, object};
use lazaret_model::{IsolatedId, IsolatedStatus};
use std::ops::Deref;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What an object on a shared blob needs: its manifest, rarely more than a few kilobytes.
const MANIFEST_ROOM: u64 = 16 * 1024;

/// An open vault, and a [`Reader`] of it. Several threads may use it at once, one process only.
pub struct Vault {
    dir: PathBuf,
    reader: Reader,
    limits: Limits,
    /// Also held while a blob gets or loses a name, so that both agree.
    books: Mutex<Books>,
    contents: Contents,
    // One writer of manifests at a time: reading, changing and writing belongs together.
    manifests: Mutex<()>,
}

impl Deref for Vault {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}

fn lock<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Vault {
    /// Makes a vault with new keys in `dir` (created, mode 0700). The recovery key's secret half is
    /// returned once and kept nowhere: print it.
    ///
    /// # Errors
    /// [`VaultError::AlreadyInitialised`] where there are keys; else what the system says.
    pub fn init(dir: &Path) -> Result<(Self, RecoveryKey), VaultError> {
        if Keys::exist(dir) {
            return Err(VaultError::AlreadyInitialised(dir.to_owned()));
        }
        prepare(dir)?;
        let (keys, recovery) = Keys::create(dir)?;
        Ok((Self::with(dir, keys)?, recovery))
    }

    /// Opens the vault in `dir`. A folder or key that others could read is closed to them.
    ///
    /// # Errors
    /// [`VaultError::Key`] where keys are missing or broken; else what the system says.
    pub fn open(dir: &Path) -> Result<Self, VaultError> {
        let keys = Keys::load(dir)?;
        prepare(dir)?;
        Self::with(dir, keys)
    }

    /// Opens it with the keys in `identity` instead of the host key, which may be lost: everything
    /// can be taken out then, and nothing put in.
    ///
    /// # Errors
    /// [`VaultError::Key`] where the file holds no key; else what the system says.
    pub fn open_with_identity(dir: &Path, identity: &Path) -> Result<Self, VaultError> {
        let keys = Keys::with_identity(dir, identity)?;
        prepare(dir)?;
        Self::with(dir, keys)
    }

    /// Whether `dir` holds a vault's keys.
    #[must_use]
    pub fn exists(dir: &Path) -> bool {
        Keys::exist(dir)
    }

    fn with(dir: &Path, keys: Keys) -> Result<Self, VaultError> {
        let reader = Reader::with(dir, keys);
        let mut books = Books::default();
        for entry in object::read_dir(&reader.objects)? {
            let name = entry.file_name();
            let Some((id, ending)) = name.to_str().and_then(object::parse) else { continue };
            match ending {
                "age" => {
                    let Ok(meta) = entry.metadata() else { continue };
                    let manifest = reader.manifest(id).ok();
                    let content = manifest.as_ref().map(|m| (m.sha256, m.size));
                    books.hold(id, meta.ino(), meta.len(), manifest.map(|m| m.uid), content);
                }
                // Half-written before a crash; the journal knows what to do about the file itself.
                "age.tmp" | "json.tmp" => {
                    let _ = std::fs::remove_file(entry.path());
                }
                _ => {}
            }
        }
        Ok(Self {
            dir: dir.to_owned(),
            reader,
            limits: Limits::default(),
            books: Mutex::new(books),
            contents: Contents::default(),
            manifests: Mutex::new(()),
        })
    }

    /// The same vault with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Seals new objects for this age recipient too, or no more for one. The vault's own keys are always
    /// among them, and what is sealed already stays as it is.
    ///
    /// # Errors
    /// For people: it is no X25519 recipient; what was in force stays.
    pub fn seal_for(&self, recipient: Option<&str>) -> Result<(), String> {
        self.reader.keys.set_further(recipient)
    }

    /// Objects, blobs and bytes, those being written included.
    #[must_use]
    pub fn usage(&self) -> Usage {
        lock(&self.books).usage()
    }

    /// Whose files they are, by uid, the one with most bytes first. Objects whose manifest cannot be
    /// read belong to nobody here.
    #[must_use]
    pub fn owners(&self) -> Vec<(u32, Owned)> {
        lock(&self.books).owners()
    }

    /// How many objects were refused for want of room since the vault was opened.
    #[must_use]
    pub fn refused(&self) -> u64 {
        lock(&self.books).refused()
    }

    /// How many objects share this one's blob, itself included; 0 where it has none.
    #[must_use]
    pub fn holders(&self, id: IsolatedId) -> u64 {
        lock(&self.books).holders(id)
    }

    /// The limits in force.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Bytes that are free on the vault's filesystem.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub fn free(&self) -> Result<u64, VaultError> {
        let stat =
            rustix::fs::statvfs(&self.reader.objects).map_err(VaultError::io("asking for free space"))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Whether there is a manifest of `id`, readable or not.
    #[must_use]
    pub fn has_manifest(&self, id: IsolatedId) -> bool {
        // What cannot be asked is not taken for missing: it would be written anew, and less would be known.
        object::manifest(&self.reader.objects, id).try_exists().unwrap_or(true)
    }

    /// Stores the file behind `source` (its offset may move) and writes the manifest, with the
    /// extents found. `manifest.sha256` and `manifest.size` are what was judged. A content that the
    /// vault holds already gets a further name; else it is sealed and made durable. Either way the
    /// blob is opened with the host key and compared before this returns.
    ///
    /// # Errors
    /// [`VaultError::Changed`] when the bytes are not those judged, [`VaultError::Full`] over a
    /// limit, [`VaultError::Exists`] for a used id; nothing is kept then.
    pub fn put(
        &self,
        id: IsolatedId,
        source: BorrowedFd<'_>,
        mut manifest: Manifest,
    ) -> Result<Sealed, VaultError> {
        if self.has_content(id) {
            return Err(VaultError::Exists(id));
        }
        let size = rustix::fs::fstat(source).map_err(|e| VaultError::Source(e.into()))?.st_size;
        let content = (manifest.sha256, u64::try_from(size).unwrap_or(0));
        let _one = self.contents.take(content);
        match self.share(id, source, content, &mut manifest)? {
            Some(sealed) => Ok(sealed),
            None => self.seal_new(id, source, content, &mut manifest),
        }
    }

    /// A further name for a blob of the same content. `None` where there is none, or none that can
    /// be shared: it must be sealed then.
    fn share(
        &self,
        id: IsolatedId,
        source: BorrowedFd<'_>,
        content: Content,
        manifest: &mut Manifest,
    ) -> Result<Option<Sealed>, VaultError> {
        let Some((inode, stored, further)) = self.shareable(&content) else {
            // One that is there is sealed for fewer: the next is shared from then on.
            let mut books = lock(&self.books);
            if let Some((_, inode, _)) = books.same_content(&content) {
                books.distrust(&content, inode);
            }
            return Ok(None);
        };
        self.room(content.1, MANIFEST_ROOM)?;
        let reserved = lock(&self.books).reserve(&self.limits, manifest.uid, stored, Some((inode, stored)));
        let reserved = reserved.map_err(|why| VaultError::Full { why })?;
        let result = self.write_shared(id, source, content, manifest, (inode, stored, further));
        if !matches!(result, Ok(Some(_))) {
            self.forget(id);
        }
        lock(&self.books).settle(reserved);
        result
    }

    /// A blob of this content that is sealed for all whom a new one would be sealed for: its inode, its
    /// bytes, and whom it is sealed for besides the vault's own keys.
    fn shareable(&self, content: &Content) -> Option<(Inode, u64, Vec<String>)> {
        let (holder, inode, stored) = lock(&self.books).same_content(content)?;
        let further = self.manifest(holder).ok().and_then(|m| m.blob).map(|b| b.further).unwrap_or_default();
        let enough = self.reader.keys.further().is_none_or(|f| further.contains(&f));
        enough.then_some((inode, stored, further))
    }

    fn write_shared(
        &self,
        id: IsolatedId,
        source: BorrowedFd<'_>,
        content: Content,
        manifest: &mut Manifest,
        (inode, stored, further): (Inode, u64, Vec<String>),
    ) -> Result<Option<Sealed>, VaultError> {
        let sealed = seal::same_again(source, content.1, stored, further)?;
        if sealed.sha256 != manifest.sha256 {
            return Err(VaultError::Changed { expected: manifest.sha256, found: sealed.sha256 });
        }
        let blob = self.blob_path(id);
        {
            let mut books = lock(&self.books);
            // Whoever holds it now: nobody is purged while the books are ours.
            let Some((holder, ..)) = books.same_content(&content).filter(|known| known.1 == inode) else {
                return Ok(None);
            };
            let linked = std::fs::hard_link(self.blob_path(holder), &blob)
                .and_then(|()| std::fs::symlink_metadata(&blob))
                .is_ok_and(|m| m.ino() == inode);
            if !linked {
                // The filesystem gives a file no more names, or somebody exchanged it.
                books.distrust(&content, inode);
                return Ok(None);
            }
            books.hold(id, inode, stored, Some(manifest.uid), Some(content));
        }
        if self.compare(id, sealed.sha256, sealed.size).is_err() {
            // Damaged meanwhile: `verify` tells of the others, this one must be whole.
            lock(&self.books).distrust(&content, inode);
            return Ok(None);
        }
        self.name_manifest(id, manifest, &sealed)?;
        durable::sync_dir(&self.reader.objects)?;
        Ok(Some(sealed))
    }

    fn seal_new(
        &self,
        id: IsolatedId,
        source: BorrowedFd<'_>,
        content: Content,
        manifest: &mut Manifest,
    ) -> Result<Sealed, VaultError> {
        let size = content.1;
        let need = sealed_size(size);
        self.room(size, need)?;
        let reserved = lock(&self.books).reserve(&self.limits, manifest.uid, need, None);
        let reserved = reserved.map_err(|why| VaultError::Full { why })?;
        let result = self.write_object(id, source, size, manifest);
        if result.is_err() {
            self.forget(id);
        }
        let mut books = lock(&self.books);
        let sealed = result.map(|(sealed, inode)| {
            books.hold(id, inode, sealed.stored, Some(manifest.uid), Some(content));
            sealed
        });
        books.settle(reserved);
        sealed
    }

    /// Blob, manifest, then one sync of the folder for both names, then the look whether it opens.
    fn write_object(
        &self,
        id: IsolatedId,
        source: BorrowedFd<'_>,
        size: u64,
        manifest: &mut Manifest,
    ) -> Result<(Sealed, Inode), VaultError> {
        let blob = self.blob_path(id);
        let tmp = blob.with_extension("age.tmp");
        let _ = std::fs::remove_file(&tmp);
        let what = tmp.display().to_string();
        let file = durable::create_new(&tmp, 0o400)?;
        let sealed = seal::seal(&self.reader.keys, source, size, &file, &what)?;
        if sealed.sha256 != manifest.sha256 {
            return Err(VaultError::Changed { expected: manifest.sha256, found: sealed.sha256 });
        }
        file.sync_all().map_err(VaultError::io(format!("syncing {what}")))?;
        let inode = file.metadata().map_err(VaultError::io(format!("asking {what}")))?.ino();
        std::fs::rename(&tmp, &blob).map_err(VaultError::io(format!("naming {}", blob.display())))?;
        self.name_manifest(id, manifest, &sealed)?;
        durable::sync_dir(&self.reader.objects)?;
        self.compare(id, sealed.sha256, sealed.size)?;
        Ok((sealed, inode))
    }

    fn name_manifest(
        &self,
        id: IsolatedId,
        manifest: &mut Manifest,
        sealed: &Sealed,
    ) -> Result<(), VaultError> {
        manifest.extents.clone_from(&sealed.extents);
        let file = self.blob_path(id).file_name().map(|n| n.to_string_lossy().into_owned());
        manifest.blob = Some(Blob {
            file: file.unwrap_or_default(),
            format: BLOB_FORMAT.to_owned(),
            bytes: sealed.stored,
            further: sealed.further.clone(),
        });
        let _one = lock(&self.manifests);
        let path = object::manifest(&self.reader.objects, id);
        let text = manifest.to_json();
        let text = text.map_err(|why| VaultError::BadManifest { path: path.clone(), why })?;
        durable::replace_unsynced_name(&path, 0o600, &text)
    }

    /// Takes away whatever a put that did not work has made under this id.
    fn forget(&self, id: IsolatedId) {
        let blob = self.blob_path(id);
        let mut books = lock(&self.books);
        books.release(id);
        let _ = std::fs::remove_file(blob.with_extension("age.tmp"));
        let _ = std::fs::remove_file(&blob);
        let _ = std::fs::remove_file(object::manifest(&self.reader.objects, id));
    }

    /// The limits that do not depend on what is stored.
    fn room(&self, size: u64, need: u64) -> Result<(), VaultError> {
        let Some(why) = self.lacking(size, need)? else { return Ok(()) };
        lock(&self.books).count_refused();
        Err(VaultError::Full { why })
    }

    /// Why a file would be refused now, by the code that would refuse it; `None` when there is room.
    #[must_use]
    pub fn would_refuse(&self, sha256: lazaret_model::Sha256, size: u64, uid: u32) -> Option<String> {
        let on = self.shareable(&(sha256, size));
        let mut books = lock(&self.books);
        let on = on.map(|(inode, bytes, _)| (inode, bytes));
        let need = sealed_size(size);
        let why = books.would_refuse(&self.limits, uid, need, on);
        drop(books);
        let more = if on.is_some() { MANIFEST_ROOM } else { need };
        why.or_else(|| self.lacking(size, more).unwrap_or_else(|e| Some(e.to_string())))
    }

    fn lacking(&self, size: u64, need: u64) -> Result<Option<String>, VaultError> {
        let keep = self.limits.keep_free;
        let why = if size > self.limits.object_bytes {
            let max = self.limits.object_bytes;
            format!("{size} bytes are over the limit of {max} for one file ([vault] object_bytes); raise it")
        } else {
            let free = self.free()?;
            if free >= need.saturating_add(keep) {
                return Ok(None);
            }
            format!(
                "{need} bytes are needed, {free} are free on its filesystem and {keep} stay free ([vault] \
                 keep_free_bytes); make room on that filesystem"
            )
        };
        Ok(Some(why))
    }

    /// Writes a manifest, also for a file whose content could not be moved here.
    ///
    /// # Errors
    /// What the system says; the old manifest stays then.
    pub fn write_manifest(&self, manifest: &Manifest) -> Result<(), VaultError> {
        let _one = lock(&self.manifests);
        self.store(manifest)
    }

    fn store(&self, manifest: &Manifest) -> Result<(), VaultError> {
        let path = object::manifest(&self.reader.objects, manifest.id);
        let text = manifest.to_json().map_err(|why| VaultError::BadManifest { path: path.clone(), why })?;
        durable::replace(&path, 0o600, &text)
    }

    /// Changes a manifest.
    ///
    /// # Errors
    /// When it cannot be read or written; the old one stays then.
    pub fn update(&self, id: IsolatedId, change: impl FnOnce(&mut Manifest)) -> Result<Manifest, VaultError> {
        let _one = lock(&self.manifests);
        let mut manifest = self.manifest(id)?;
        change(&mut manifest);
        self.store(&manifest)?;
        Ok(manifest)
    }

    /// Changes where an object stands.
    ///
    /// # Errors
    /// When its manifest cannot be read or written.
    pub fn set_status(&self, id: IsolatedId, status: IsolatedStatus, reason: &str) -> Result<(), VaultError> {
        self.update(id, |m| {
            m.status = status;
            reason.clone_into(&mut m.reason);
        })
        .map(drop)
    }

    /// Takes the content away from an object; the manifest stays. The blob goes with the last object
    /// that holds it: until then it only loses a name. Nothing happens where there is none.
    ///
    /// # Errors
    /// What the system says.
    pub fn purge(&self, id: IsolatedId) -> Result<(), VaultError> {
        let blob = self.blob_path(id);
        {
            let mut books = lock(&self.books);
            match std::fs::remove_file(&blob) {
                Ok(()) => books.release(id),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                    // Perhaps removed by a call whose sync failed: gone is what a power cut does not
                    // bring back.
                    books.release(id);
                }
                Err(e) => return Err(VaultError::io(format!("removing {}", blob.display()))(e)),
            }
        }
        durable::sync_dir(&self.reader.objects)
    }
}

/// Makes the folders, closed to others.
fn prepare(dir: &Path) -> Result<(), VaultError> {
    let what = || format!("preparing {}", dir.display());
    for d in [dir, &dir.join("objects")] {
        std::fs::create_dir_all(d).map_err(VaultError::io(what()))?;
        let m = std::fs::metadata(d).map_err(VaultError::io(what()))?;
        let me = rustix::process::geteuid().as_raw();
        if m.uid() != me {
            let e = std::io::Error::other(format!("it belongs to uid {}, not to {me}", m.uid()));
            return Err(VaultError::io(what())(e));
        }
        if m.mode() & 0o077 != 0 {
            std::fs::set_permissions(d, std::fs::Permissions::from_mode(0o700))
                .map_err(VaultError::io(what()))?;
        }
    }
    durable::sync_dir(dir)
}

/// age adds a 16-byte tag to each 64 KiB and a header of a few hundred bytes.
const fn sealed_size(size: u64) -> u64 {
    size.saturating_add(size / 65_536 * 16).saturating_add(1024)
}
