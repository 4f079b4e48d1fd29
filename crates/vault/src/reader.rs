// SPDX-License-Identifier: Apache-2.0
//! What can be learnt from a vault without changing it; needs no daemon and not its host key.

use crate::keys::Keys;
use crate::{Manifest, VaultError, check, object, seal};
use lazaret_model::{IsolatedId, Sha256};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

/// One entry of [`Reader::list`].
#[derive(Debug)]
pub struct Listed {
    /// The object.
    pub id: IsolatedId,
    /// Whether the vault holds its content.
    pub has_content: bool,
    /// What is known about it, or why that cannot be told.
    pub manifest: Result<Manifest, VaultError>,
}

/// Reads a vault's folder and never writes into it, so that it may be used beside a daemon. What
/// the daemon is about to change can look unfinished then.
pub struct Reader {
    pub(crate) objects: PathBuf,
    pub(crate) keys: Keys,
}

impl Reader {
    /// Opens with the folder's own host key.
    ///
    /// # Errors
    /// [`VaultError::Key`] where keys are missing or broken.
    pub fn open(dir: &Path) -> Result<Self, VaultError> {
        Ok(Self::with(dir, Keys::look(dir)?))
    }

    /// Opens with the keys in a file: age identities, one a line, as the recovery key was printed.
    ///
    /// # Errors
    /// [`VaultError::Key`] where the file holds none.
    pub fn with_identity(dir: &Path, file: &Path) -> Result<Self, VaultError> {
        Ok(Self::with(dir, Keys::with_identity(dir, file)?))
    }

    pub(crate) fn with(dir: &Path, keys: Keys) -> Self {
        Self { objects: dir.join("objects"), keys }
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

    /// Everything the vault knows of, oldest first (ids are ordered by time). An object whose
    /// manifest is broken or missing is listed with the error.
    ///
    /// # Errors
    /// When the folder itself cannot be read.
    pub fn list(&self) -> Result<Vec<Listed>, VaultError> {
        let mut ids = BTreeSet::new();
        for entry in object::read_dir(&self.objects)? {
            if let Some((id, "age" | "json")) = entry.file_name().to_str().and_then(object::parse) {
                ids.insert(id);
            }
        }
        Ok(ids
            .into_iter()
            .map(|id| Listed { id, has_content: self.has_content(id), manifest: self.manifest(id) })
            .collect())
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
        if manifest.id == id { Ok(manifest) } else { Err(bad(format!("it is of object {}", manifest.id))) }
    }

    /// Streams the content into `out` and compares digest and length with the manifest. What was
    /// written is only good when this returns `Ok`.
    ///
    /// # Errors
    /// [`VaultError::Corrupt`] when it is not what was sealed.
    pub fn take(&self, id: IsolatedId, out: &mut dyn Write) -> Result<(), VaultError> {
        let manifest = self.manifest(id)?;
        same(id, self.take_unchecked(id, out)?, (manifest.sha256, manifest.size))
    }

    /// Streams the content of an object whose manifest is lost; gives digest and length, which
    /// nothing here can confirm. age itself notices a changed or cut blob.
    ///
    /// # Errors
    /// [`VaultError::Corrupt`] when the blob cannot be opened, [`VaultError::NotFound`] without one.
    pub fn take_unchecked(&self, id: IsolatedId, out: &mut dyn Write) -> Result<(Sha256, u64), VaultError> {
        seal::open(&self.keys, id, &self.blob_path(id), out)
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
    pub fn compare(&self, id: IsolatedId, sha256: Sha256, size: u64) -> Result<(), VaultError> {
        same(id, self.take_unchecked(id, &mut std::io::sink())?, (sha256, size))
    }

    /// Looks at everything in the vault's folder and says for each object whether it is whole, and
    /// if not, the way out. A blob that objects share is opened once.
    ///
    /// # Errors
    /// When the folder itself cannot be read, or what `each` returns.
    pub fn check<E: From<VaultError>>(
        &self,
        only: Option<IsolatedId>,
        each: impl FnMut(check::Checked) -> Result<(), E>,
    ) -> Result<(), E> {
        check::run(self, only, each)
    }
}

pub(crate) fn same(id: IsolatedId, found: (Sha256, u64), expected: (Sha256, u64)) -> Result<(), VaultError> {
    if found == expected {
        return Ok(());
    }
    let why = format!(
        "SHA-256 {} and {} bytes were sealed, {} and {} come back",
        expected.0, expected.1, found.0, found.1
    );
    Err(VaultError::Corrupt { id, why })
}
