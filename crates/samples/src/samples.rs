// SPDX-License-Identifier: Apache-2.0
//! All that can be done with samples.

use crate::{SampleError, SamplesConfig};
use std::fs::File;
use std::path::Path;

/// What a project has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Samples.
    pub samples: u64,
    /// Their bytes, sealed.
    pub bytes: u64,
    /// At most so many ([`SamplesConfig::project_bytes`]).
    pub most: u64,
}

/// An object as it lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// `<project>/<first two hex>/<sha256>.age`, without the prefix.
    pub key: String,
    /// The project that it is of.
    pub project: String,
    /// 32 bytes.
    pub sha256: Vec<u8>,
    /// Sealed.
    pub bytes: u64,
}

/// Objects one after the other, see [`Samples::list`].
#[derive(Debug)]
pub struct Listing(tokio::sync::mpsc::Receiver<Result<StoredObject, SampleError>>);

impl Listing {
    /// The next one; `None` at the end. An error ends it.
    pub async fn next(&mut self) -> Option<Result<StoredObject, SampleError>> {
        self.0.recv().await
    }
}

/// The samples of all projects. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Samples(());

/// Makes `samples.key` in the authority's folder where there is none yet; gives its public half.
///
/// # Errors
/// The folder cannot be written, or what lies there is no key.
pub fn make_key(key_folder: &Path) -> Result<String, SampleError> {
    Err(SampleError::Setup(key_folder.display().to_string()))
}

impl Samples {
    /// Opens them: folders are made, what a crash left is removed. An S3-compatible store is not asked yet, it may be down.
    ///
    /// # Errors
    /// The key, a folder or the configuration cannot be used.
    pub fn open(config: &SamplesConfig, key_folder: &Path) -> Result<Self, SampleError> {
        Err(SampleError::Setup(format!("{config:?} {}", key_folder.display())))
    }

    /// Where they lie, for people.
    #[must_use]
    pub fn place(&self) -> &str {
        ""
    }

    /// Whether the folder can be written or the bucket be listed.
    ///
    /// # Errors
    /// Names folder or bucket and the cause.
    pub async fn check(&self) -> Result<(), SampleError> {
        Ok(())
    }

    /// Takes a part of a sample of `size` bytes in all. Gives how much is here: the next part begins there. A part that
    /// begins elsewhere is not taken, and is no error: a repeated or lost one.
    ///
    /// # Errors
    /// Too large, too much at once, no room, or what was sent contradicts itself.
    pub async fn put_part(
        &self,
        project: &str,
        sha: &[u8],
        size: u64,
        offset: u64,
        data: &[u8],
    ) -> Result<u64, SampleError> {
        let _ = (project, sha, size, offset, data);
        Ok(0)
    }

    /// Compares hash and length of what is here, seals and stores it. What lied is dropped; after an error of the store the
    /// parts stay, and it can be tried again.
    ///
    /// # Errors
    /// [`SampleError::Lied`], the project's quota, or the store's.
    pub async fn finish(&self, project: &str, sha: &[u8]) -> Result<(), SampleError> {
        let _ = (project, sha);
        Ok(())
    }

    /// Drops the parts that are here.
    ///
    /// # Errors
    /// They cannot be removed.
    pub async fn give_up(&self, project: &str, sha: &[u8]) -> Result<(), SampleError> {
        let _ = (project, sha);
        Ok(())
    }

    /// Drops parts that nobody went on with for an hour; gives how many samples. To be called every minute or so.
    pub async fn sweep(&self) -> u64 {
        0
    }

    /// The plain content, compared with its hash, in a memory file that cannot be changed any more, at its beginning.
    ///
    /// # Errors
    /// It is not there, damaged, or the store's.
    pub async fn open_sample(&self, project: &str, sha: &[u8]) -> Result<File, SampleError> {
        let _ = project;
        Err(SampleError::NotFound(format!("{sha:?}")))
    }

    /// The content in an age file that opens with the password (`age -d`), in a memory file, at its beginning.
    ///
    /// # Errors
    /// As [`Self::open_sample`]; the password is shorter than 12 characters or longer than 256.
    pub async fn archive(&self, project: &str, sha: &[u8], password: &str) -> Result<File, SampleError> {
        let _ = (project, password);
        Err(SampleError::NotFound(format!("{sha:?}")))
    }

    /// Deletes it, with the parts that are here. It need not be there.
    ///
    /// # Errors
    /// The store's; it is still there then.
    pub async fn delete(&self, project: &str, sha: &[u8]) -> Result<(), SampleError> {
        let _ = (project, sha);
        Ok(())
    }

    /// Whether it is stored.
    ///
    /// # Errors
    /// The store's.
    pub async fn exists(&self, project: &str, sha: &[u8]) -> Result<bool, SampleError> {
        let _ = (project, sha);
        Ok(false)
    }

    /// What a project has; counted anew every few minutes.
    ///
    /// # Errors
    /// The store's.
    pub async fn usage(&self, project: &str) -> Result<Usage, SampleError> {
        let _ = project;
        Ok(Usage::default())
    }

    /// All samples of all projects, as they come.
    #[must_use]
    pub fn list(&self) -> Listing {
        Listing(tokio::sync::mpsc::channel(1).1)
    }

    /// An object as it is stored, sealed, for a backup: a memory file, at its beginning.
    ///
    /// # Errors
    /// It is gone meanwhile, or the store's.
    pub async fn sealed(&self, object: &StoredObject) -> Result<File, SampleError> {
        Err(SampleError::NotFound(object.key.clone()))
    }

    /// Puts an object of a backup back, by its [`StoredObject::key`]; one that is there stays as it is.
    ///
    /// # Errors
    /// The key is none, or the store's.
    pub async fn put_sealed(&self, key: &str, from: File) -> Result<(), SampleError> {
        let _ = (key, from);
        Ok(())
    }
}
