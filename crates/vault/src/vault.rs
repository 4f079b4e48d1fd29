// SPDX-License-Identifier: Apache-2.0
//! The vault: put, take, list, verify, purge.

use crate::keys::Keys;
use crate::seal::{self, Sealed};
use crate::{Manifest, RecoveryKey, VaultError, durable, object};
use lazaret_model::{IsolatedId, IsolatedStatus};
use std::collections::BTreeSet;
use std::io::Write;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// When to refuse new objects. What is stored is never dropped to make room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all blobs together.
    pub total_bytes: u64,
    /// Bytes of one file.
    pub object_bytes: u64,
    /// Bytes that stay free on the vault's filesystem.
    pub keep_free: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { total_bytes: 20 << 30, object_bytes: 8 << 30, keep_free: 16 << 20 }
    }
}

/// What the vault holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Blobs.
    pub objects: u64,
    /// Bytes of all blobs.
    pub bytes: u64,
}

/// One entry of [`Vault::list`].
#[derive(Debug)]
pub struct Listed {
    /// The object.
    pub id: IsolatedId,
    /// Whether the vault holds its content.
    pub has_content: bool,
    /// What is known about it, or why that cannot be told.
    pub manifest: Result<Manifest, VaultError>,
}

/// An open vault. Several threads may use it at once.
pub struct Vault {
    dir: PathBuf,
    objects: PathBuf,
    keys: Keys,
    limits: Limits,
    usage: Mutex<Usage>,
    // One writer of manifests at a time: reading, changing and writing belongs together.
    manifests: Mutex<()>,
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

    /// Whether `dir` holds a vault's keys.
    #[must_use]
    pub fn exists(dir: &Path) -> bool {
        Keys::exist(dir)
    }

    fn with(dir: &Path, keys: Keys) -> Result<Self, VaultError> {
        let objects = dir.join("objects");
        let mut usage = Usage::default();
        for entry in read_dir(&objects)? {
            let name = entry.file_name();
            let Some((_, ending)) = name.to_str().and_then(object::parse) else { continue };
            match ending {
                "age" => {
                    usage.objects += 1;
                    usage.bytes += entry.metadata().map_or(0, |m| m.len());
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
            objects,
            keys,
            limits: Limits::default(),
            usage: Mutex::new(usage),
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

    /// Blobs and their bytes, those being written included.
    #[must_use]
    pub fn usage(&self) -> Usage {
        *lock(&self.usage)
    }

    /// The limits in force.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// The blob's file, for `age -d`.
    #[must_use]
    pub fn blob_path(&self, id: IsolatedId) -> PathBuf {
        object::blob(&self.objects, id)
    }

    /// Whether the vault holds the content of `id`.
    #[must_use]
    pub fn has_content(&self, id: IsolatedId) -> bool {
        // What cannot be asked is not taken for missing.
        self.blob_path(id).try_exists().unwrap_or(true)
    }

    /// Whether there is a manifest of `id`, readable or not.
    #[must_use]
    pub fn has_manifest(&self, id: IsolatedId) -> bool {
        // What cannot be asked is not taken for missing: it would be written anew, and less would be known.
        object::manifest(&self.objects, id).try_exists().unwrap_or(true)
    }

    /// Seals the file behind `source` (its offset may move), makes it durable, opens it again with
    /// the host key and compares digest and length; then writes the manifest, with the extents
    /// found. `manifest.sha256` and `manifest.size` are what was judged.
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
        let blob = self.blob_path(id);
        if blob.exists() {
            return Err(VaultError::Exists(id));
        }
        let size = rustix::fs::fstat(source).map_err(|e| VaultError::Source(e.into()))?.st_size;
        let size = u64::try_from(size).unwrap_or(0);
        let reserved = self.reserve(size)?;
        let tmp = blob.with_extension("age.tmp");
        let _ = std::fs::remove_file(&tmp);
        let result = self.write_object(id, source, size, &mut manifest, &tmp, &blob);
        match result {
            Ok(sealed) => {
                let mut usage = lock(&self.usage);
                usage.bytes = usage.bytes.saturating_sub(reserved) + sealed.stored;
                drop(usage);
                Ok(sealed)
            }
            Err(e) => {
                let _ = std::fs::remove_file(&tmp);
                let _ = std::fs::remove_file(&blob);
                let _ = std::fs::remove_file(object::manifest(&self.objects, id));
                let mut usage = lock(&self.usage);
                usage.objects = usage.objects.saturating_sub(1);
                usage.bytes = usage.bytes.saturating_sub(reserved);
                Err(e)
            }
        }
    }

    /// Blob, manifest, then one sync of the folder for both names, then the look whether it opens.
    fn write_object(
        &self,
        id: IsolatedId,
        source: BorrowedFd<'_>,
        size: u64,
        manifest: &mut Manifest,
        tmp: &Path,
        blob: &Path,
    ) -> Result<Sealed, VaultError> {
        let what = tmp.display().to_string();
        let file = durable::create_new(tmp, 0o400)?;
        let sealed = seal::seal(&self.keys, source, size, &file, &what)?;
        if sealed.sha256 != manifest.sha256 {
            return Err(VaultError::Changed { expected: manifest.sha256, found: sealed.sha256 });
        }
        file.sync_all().map_err(VaultError::io(format!("syncing {what}")))?;
        std::fs::rename(tmp, blob).map_err(VaultError::io(format!("naming {}", blob.display())))?;
        manifest.extents.clone_from(&sealed.extents);
        {
            let _one = lock(&self.manifests);
            let path = object::manifest(&self.objects, id);
            let text = manifest.to_json();
            let text = text.map_err(|why| VaultError::BadManifest { path: path.clone(), why })?;
            durable::replace_unsynced_name(&path, 0o600, &text)?;
        }
        durable::sync_dir(&self.objects)?;
        self.compare(id, sealed.sha256, sealed.size)?;
        Ok(sealed)
    }

    /// Reserves room, so that several threads together stay within the limits.
    fn reserve(&self, size: u64) -> Result<u64, VaultError> {
        if size > self.limits.object_bytes {
            let why = format!("{size} bytes are over the limit of {} for one file", self.limits.object_bytes);
            return Err(VaultError::Full { why });
        }
        // age adds a 16-byte tag to each 64 KiB and a header of a few hundred bytes.
        let need = size + size / 65_536 * 16 + 1024;
        let stat = rustix::fs::statvfs(&self.objects).map_err(VaultError::io("asking for free space"))?;
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        if free < need.saturating_add(self.limits.keep_free) {
            let why = format!(
                "{need} bytes are needed, {free} are free on its filesystem and {} stay free",
                self.limits.keep_free
            );
            return Err(VaultError::Full { why });
        }
        let mut usage = lock(&self.usage);
        if usage.bytes.saturating_add(need) > self.limits.total_bytes {
            let why =
                format!("{need} bytes are needed, {} of {} are used", usage.bytes, self.limits.total_bytes);
            return Err(VaultError::Full { why });
        }
        usage.objects += 1;
        usage.bytes += need;
        Ok(need)
    }

    /// Streams the content into `out` and compares digest and length with the manifest. What was
    /// written is only good when this returns `Ok`.
    ///
    /// # Errors
    /// [`VaultError::Corrupt`] when it is not what was sealed.
    pub fn take(&self, id: IsolatedId, out: &mut dyn Write) -> Result<(), VaultError> {
        let manifest = self.manifest(id)?;
        let found = seal::open(&self.keys, id, &self.blob_path(id), out)?;
        same(id, found, (manifest.sha256, manifest.size))
    }

    /// Opens the object and compares digest and length with the manifest; writes nothing.
    ///
    /// # Errors
    /// [`VaultError::Corrupt`] with what is wrong.
    pub fn verify(&self, id: IsolatedId) -> Result<(), VaultError> {
        let manifest = self.manifest(id)?;
        self.compare(id, manifest.sha256, manifest.size)
    }

    /// As [`Self::verify`], against a digest that is known from elsewhere (the journal).
    ///
    /// # Errors
    /// [`VaultError::Corrupt`] with what is wrong.
    pub fn compare(
        &self,
        id: IsolatedId,
        sha256: lazaret_model::Sha256,
        size: u64,
    ) -> Result<(), VaultError> {
        let found = seal::open(&self.keys, id, &self.blob_path(id), &mut std::io::sink())?;
        same(id, found, (sha256, size))
    }

    /// What is known about an object.
    ///
    /// # Errors
    /// [`VaultError::NotFound`], [`VaultError::BadManifest`].
    pub fn manifest(&self, id: IsolatedId) -> Result<Manifest, VaultError> {
        let path = object::manifest(&self.objects, id);
        let bad = |why: String| VaultError::BadManifest { path: path.clone(), why };
        let text = std::fs::read(&path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound if !self.has_content(id) => VaultError::NotFound(id),
            _ => bad(e.to_string()),
        })?;
        let manifest = Manifest::from_json(&text).map_err(bad)?;
        if manifest.id == id {
            Ok(manifest)
        } else {
            Err(VaultError::BadManifest {
                path: path.clone(),
                why: format!("it is of object {}", manifest.id),
            })
        }
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
        let path = object::manifest(&self.objects, manifest.id);
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

    /// Everything the vault knows of, oldest first (ids are ordered by time). An object whose
    /// manifest is broken or missing is listed with the error.
    ///
    /// # Errors
    /// When the folder itself cannot be read.
    pub fn list(&self) -> Result<Vec<Listed>, VaultError> {
        let mut ids = BTreeSet::new();
        for entry in read_dir(&self.objects)? {
            if let Some((id, "age" | "json")) = entry.file_name().to_str().and_then(object::parse) {
                ids.insert(id);
            }
        }
        Ok(ids
            .into_iter()
            .map(|id| Listed { id, has_content: self.has_content(id), manifest: self.manifest(id) })
            .collect())
    }

    /// Destroys the content; the manifest stays. Nothing happens where there is none.
    ///
    /// # Errors
    /// What the system says.
    pub fn purge(&self, id: IsolatedId) -> Result<(), VaultError> {
        let blob = self.blob_path(id);
        let what = || format!("removing {}", blob.display());
        let stored = match std::fs::metadata(&blob) {
            Ok(m) => m.len(),
            // Perhaps removed by a call whose sync failed: gone is what a power cut does not bring back.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return durable::sync_dir(&self.objects),
            Err(e) => return Err(VaultError::io(what())(e)),
        };
        std::fs::remove_file(&blob).map_err(VaultError::io(what()))?;
        let mut usage = lock(&self.usage);
        usage.objects = usage.objects.saturating_sub(1);
        usage.bytes = usage.bytes.saturating_sub(stored);
        drop(usage);
        durable::sync_dir(&self.objects)
    }
}

fn same(
    id: IsolatedId,
    found: (lazaret_model::Sha256, u64),
    expected: (lazaret_model::Sha256, u64),
) -> Result<(), VaultError> {
    if found == expected {
        return Ok(());
    }
    let why = format!(
        "SHA-256 {} and {} bytes were sealed, {} and {} come back",
        expected.0, expected.1, found.0, found.1
    );
    Err(VaultError::Corrupt { id, why })
}

fn read_dir(dir: &Path) -> Result<impl Iterator<Item = std::fs::DirEntry>, VaultError> {
    Ok(std::fs::read_dir(dir).map_err(VaultError::io(format!("reading {}", dir.display())))?.flatten())
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
