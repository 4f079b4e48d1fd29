// SPDX-License-Identifier: Apache-2.0
//! Where sealed samples lie. Both kinds know objects by their key and no more: whole or not there, the same one written
//! twice is the same.

pub(crate) mod bucket;
mod fault;
pub(crate) mod folder;

use crate::SampleError;
use crate::key::Key;
use bucket::Bucket;
use folder::Folder;
use std::fs::File;
use tokio::sync::mpsc::{Receiver, Sender};

/// A folder or a bucket.
#[derive(Debug)]
pub(crate) enum Place {
    Folder(Folder),
    Bucket(Bucket),
}

/// An object that was listed.
pub(crate) type Found = Result<(Key, u64), SampleError>;

impl Place {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Folder(f) => f.name(),
            Self::Bucket(b) => b.name(),
        }
    }

    pub(crate) async fn check(&self) -> Result<(), SampleError> {
        match self {
            Self::Folder(f) => {
                let f = f.clone();
                blocking(move || f.check()).await
            }
            Self::Bucket(b) => b.check().await,
        }
    }

    /// Of a sealed sample, `from` its beginning.
    pub(crate) async fn put(&self, key: &Key, from: File) -> Result<(), SampleError> {
        match self {
            Self::Folder(f) => {
                let (f, key) = (f.clone(), key.clone());
                blocking(move || f.put(&key, from)).await
            }
            Self::Bucket(b) => b.put(key, from).await,
        }
    }

    /// Bytes of an object; `None`: it is not there.
    pub(crate) async fn size(&self, key: &Key) -> Result<Option<u64>, SampleError> {
        match self {
            Self::Folder(f) => {
                let (f, key) = (f.clone(), key.clone());
                blocking(move || f.size(&key)).await
            }
            Self::Bucket(b) => b.size(key).await,
        }
    }

    /// The object, at its beginning; refused where it is larger than `most`.
    pub(crate) async fn get(&self, key: &Key, most: u64) -> Result<File, SampleError> {
        match self {
            Self::Folder(f) => {
                let (f, key) = (f.clone(), key.clone());
                blocking(move || f.get(&key, most)).await
            }
            Self::Bucket(b) => b.get(key, most).await,
        }
    }

    /// It need not be there.
    pub(crate) async fn delete(&self, key: &Key) -> Result<(), SampleError> {
        match self {
            Self::Folder(f) => {
                let (f, key) = (f.clone(), key.clone());
                blocking(move || f.delete(&key)).await
            }
            Self::Bucket(b) => b.delete(key).await,
        }
    }

    /// Objects of one project's folder, or all, in no order.
    pub(crate) fn list(&self, folder: Option<String>) -> Receiver<Found> {
        let (out, found) = tokio::sync::mpsc::channel(256);
        match self {
            Self::Folder(f) => {
                let f = f.clone();
                drop(tokio::task::spawn_blocking(move || f.list(folder.as_deref(), &out)));
            }
            Self::Bucket(b) => {
                let b = b.clone();
                drop(tokio::spawn(async move { b.list(folder.as_deref(), out).await }));
            }
        }
        found
    }
}

/// Gives an object on; `false`: nobody wants more.
fn tell(out: &Sender<Found>, found: Found) -> bool {
    out.blocking_send(found).is_ok()
}

/// Work that waits for a disk.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SampleError> + Send + 'static,
) -> Result<T, SampleError> {
    tokio::task::spawn_blocking(work).await.map_err(SampleError::stopped)?
}

/// Refuses what memory is not spent on.
fn bounded(key: &Key, size: u64, most: u64) -> Result<(), SampleError> {
    if size > most {
        return Err(SampleError::Corrupt {
            key: key.object(),
            why: format!(
                "it has {size} bytes, and at most {most} are opened; raise [samples] max_sample_bytes"
            ),
        });
    }
    Ok(())
}
