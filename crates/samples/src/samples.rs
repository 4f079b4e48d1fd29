// SPDX-License-Identifier: Apache-2.0
//! All that can be done with samples.

use crate::key::Key;
use crate::place::bucket::Bucket;
use crate::place::folder::Folder;
use crate::place::{Place, blocking};
use crate::seal::{self, Keys};
use crate::spool::{Held, Spool};
use crate::usage::{Books, Usage};
use crate::{MAX_PART, SampleError, SamplesConfig, memory};
use std::fs::File;
use std::io::{Seek as _, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::Receiver;

/// Archives that are made at the same time: each takes some memory and a core.
const ARCHIVES: usize = 2;
/// Between counts that fail.
const PAUSE: Duration = Duration::from_secs(5);
/// Characters of a password.
const PASSWORD: std::ops::RangeInclusive<usize> = 12..=256;

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
pub struct Listing(Receiver<crate::place::Found>);

impl Listing {
    /// The next one; `None` at the end. An error ends it.
    pub async fn next(&mut self) -> Option<Result<StoredObject, SampleError>> {
        let found = self.0.recv().await?;
        Some(found.map(|(key, bytes)| StoredObject {
            key: key.object(),
            project: key.project().to_owned(),
            sha256: key.sha().0.to_vec(),
            bytes,
        }))
    }
}

/// The samples of all projects. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Samples(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    place: Place,
    spool: Spool,
    keys: Keys,
    books: Books,
    max_sample_bytes: u64,
    archives: Semaphore,
    counts: Arc<Semaphore>,
}

/// Makes `samples.key` in the authority's folder where there is none yet; gives its public half.
///
/// # Errors
/// The folder cannot be written, or what lies there is no key.
pub fn make_key(key_folder: &Path) -> Result<String, SampleError> {
    Keys::open(key_folder).map(|keys| keys.recipient())
}

impl Samples {
    /// Opens them: folders are made, what a crash left is removed. An S3-compatible store is not asked yet, it may be down.
    ///
    /// # Errors
    /// The key, a folder or the configuration cannot be used.
    pub fn open(config: &SamplesConfig, key_folder: &Path) -> Result<Self, SampleError> {
        let place = match &config.s3 {
            Some(s3) => Place::Bucket(Bucket::open(s3, config.patience)?),
            None => Place::Folder(Folder::open(&config.folder, config.free_percent)?),
        };
        Ok(Self(Arc::new(Inner {
            place,
            spool: Spool::open(&config.spool, config.spool_bytes, config.free_percent)?,
            keys: Keys::open(key_folder)?,
            books: Books::new(config.project_bytes),
            max_sample_bytes: config.max_sample_bytes,
            archives: Semaphore::new(ARCHIVES),
            counts: Arc::new(Semaphore::new(1)),
        })))
    }

    /// Where they lie, for people.
    #[must_use]
    pub fn place(&self) -> &str {
        self.0.place.name()
    }

    /// The largest sample that is taken.
    #[must_use]
    pub fn max_sample_bytes(&self) -> u64 {
        self.0.max_sample_bytes
    }

    /// Bytes of parts on their way.
    #[must_use]
    pub fn spool_bytes(&self) -> u64 {
        self.0.spool.bytes()
    }

    /// Whether the folder can be written or the bucket be listed.
    ///
    /// # Errors
    /// Names folder or bucket and the cause.
    pub async fn check(&self) -> Result<(), SampleError> {
        self.0.place.check().await
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
        let key = Key::new(project, sha)?;
        if size > self.0.max_sample_bytes {
            return Err(SampleError::TooLarge { size, most: self.0.max_sample_bytes });
        }
        if data.len() > MAX_PART {
            return Err(SampleError::Invalid(format!(
                "a part has {} bytes, and at most {MAX_PART} are taken",
                data.len()
            )));
        }
        let inner = Arc::clone(&self.0);
        let data = data.to_vec();
        self.to_its_end(async move {
            let mut held = inner.spool.hold(&key).await?;
            if held.is_none() {
                // Refused before it is sent, as far as that is known; a store that is down stops nobody here.
                match inner.books.fits(&key, size) {
                    Ok(true) => {}
                    Ok(false) => inner.count_soon(&key),
                    Err(e) => {
                        inner.spool.release(&key, held);
                        return Err(e);
                    }
                }
            }
            let (work, of) = (Arc::clone(&inner), key.clone());
            let (held, have) = tokio::task::spawn_blocking(move || {
                let have = work.spool.begin(&of, &mut held, size);
                let have = have.and_then(|()| work.spool.take(&of, &mut held, &work.keys, offset, &data));
                (held, have)
            })
            .await
            .map_err(SampleError::stopped)?;
            inner.spool.release(&key, held);
            have
        })
        .await
    }

    /// Compares hash and length of what is here, seals and stores it. What lied is dropped; after an error of the store the
    /// parts stay, and it can be tried again.
    ///
    /// # Errors
    /// [`SampleError::Lied`], the project's quota, or the store's.
    pub async fn finish(&self, project: &str, sha: &[u8]) -> Result<(), SampleError> {
        let key = Key::new(project, sha)?;
        let inner = Arc::clone(&self.0);
        self.to_its_end(async move {
            let mut held = inner.spool.hold(&key).await?;
            if let Some(parts) = held.as_mut() {
                // Whoever cannot store it now comes again.
                parts.touch();
            }
            let (held, done) = inner.finish(&key, held).await?;
            inner.spool.release(&key, held);
            done
        })
        .await
    }

    /// Drops the parts that are here.
    ///
    /// # Errors
    /// They cannot be removed.
    pub async fn give_up(&self, project: &str, sha: &[u8]) -> Result<(), SampleError> {
        let key = Key::new(project, sha)?;
        let inner = Arc::clone(&self.0);
        self.to_its_end(async move {
            let held = inner.spool.hold(&key).await?;
            let (held, done) = inner.drop_parts(held).await?;
            inner.spool.release(&key, held);
            done
        })
        .await
    }

    /// Drops parts that nobody went on with for an hour; gives how many samples. To be called every minute or so.
    pub async fn sweep(&self) -> u64 {
        let inner = Arc::clone(&self.0);
        blocking(move || Ok(inner.spool.sweep())).await.unwrap_or(0)
    }

    /// The plain content, compared with its hash, in a memory file that cannot be changed any more, at its beginning.
    ///
    /// # Errors
    /// It is not there, damaged, or the store's.
    pub async fn open_sample(&self, project: &str, sha: &[u8]) -> Result<File, SampleError> {
        let key = Key::new(project, sha)?;
        let sealed = self.0.place.get(&key, sealed_length(self.0.max_sample_bytes)).await?;
        let inner = Arc::clone(&self.0);
        blocking(move || inner.open(&key, &sealed)).await
    }

    /// The content in an age file that opens with the password (`age -d`), in a memory file, at its beginning.
    ///
    /// # Errors
    /// As [`Self::open_sample`]; the password is shorter than 12 characters or longer than 256.
    pub async fn archive(&self, project: &str, sha: &[u8], password: &str) -> Result<File, SampleError> {
        if !PASSWORD.contains(&password.chars().count()) {
            return Err(SampleError::Invalid(format!(
                "the password must have {} to {} characters",
                PASSWORD.start(),
                PASSWORD.end()
            )));
        }
        let _turn = self.0.archives.acquire().await.map_err(|e| SampleError::Busy(e.to_string()))?;
        let plain = self.open_sample(project, sha).await?;
        let password = password.to_owned();
        blocking(move || {
            let out = memory::file()?;
            seal::with_password(&password, plain, &out).map_err(memory::failed)?;
            memory::close(out)
        })
        .await
    }

    /// Deletes it, with the parts that are here. It need not be there.
    ///
    /// # Errors
    /// The store's; it is still there then.
    pub async fn delete(&self, project: &str, sha: &[u8]) -> Result<(), SampleError> {
        let key = Key::new(project, sha)?;
        let inner = Arc::clone(&self.0);
        self.to_its_end(async move {
            // Nobody stores it meanwhile.
            let held = inner.spool.hold(&key).await?;
            let (held, dropped) = inner.drop_parts(held).await?;
            let done = inner.delete(&key).await;
            inner.spool.release(&key, held);
            dropped.and(done)
        })
        .await
    }

    /// Whether it is stored.
    ///
    /// # Errors
    /// The store's.
    pub async fn exists(&self, project: &str, sha: &[u8]) -> Result<bool, SampleError> {
        let key = Key::new(project, sha)?;
        Ok(self.0.place.size(&key).await?.is_some())
    }

    /// What a project has; counted anew every few minutes.
    ///
    /// # Errors
    /// The store's.
    pub async fn usage(&self, project: &str) -> Result<Usage, SampleError> {
        self.0.books.of(&self.0.place, project).await
    }

    /// All samples of all projects, as they come.
    #[must_use]
    pub fn list(&self) -> Listing {
        Listing(self.0.place.list(None))
    }

    /// An object as it is stored, sealed, for a backup; at its beginning.
    ///
    /// # Errors
    /// It is gone meanwhile, or the store's.
    pub async fn sealed(&self, object: &StoredObject) -> Result<File, SampleError> {
        let key = Key::new(&object.project, &object.sha256)?;
        self.0.place.get(&key, object.bytes.max(sealed_length(self.0.max_sample_bytes))).await
    }

    /// Puts an object of a backup back, by its [`StoredObject::key`]; one that is there stays as it is.
    ///
    /// # Errors
    /// The key is none, or the store's.
    pub async fn put_sealed(&self, key: &str, from: File) -> Result<(), SampleError> {
        let key = Key::parse(key)
            .ok_or_else(|| SampleError::Invalid(format!("\"{}\" is no sample", key.escape_default())))?;
        if self.0.place.size(&key).await?.is_some() {
            return Ok(());
        }
        self.0.place.put(&key, from).await
    }

    /// Work that goes on when whoever asked has gone, so that nothing is left half done.
    async fn to_its_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, SampleError>> + Send + 'static,
    ) -> Result<T, SampleError> {
        tokio::spawn(work).await.map_err(SampleError::stopped)?
    }
}

/// What `plain` bytes are at most when they are sealed: a head, and a tag on every 64 KiB.
const fn sealed_length(plain: u64) -> u64 {
    plain.saturating_add(plain / 4096).saturating_add(4096)
}

impl Inner {
    /// Counts what a project has, in a while; not more often than the store takes it.
    fn count_soon(self: &Arc<Self>, key: &Key) {
        let Ok(turn) = Arc::clone(&self.counts).try_acquire_owned() else { return };
        let (inner, project) = (Arc::clone(self), key.project().to_owned());
        drop(tokio::spawn(async move {
            if inner.books.of(&inner.place, &project).await.is_err() {
                // Whoever stores it says so.
                tokio::time::sleep(PAUSE).await;
            }
            drop(turn);
        }));
    }

    /// Gives back what was held, too.
    async fn finish(
        self: &Arc<Self>,
        key: &Key,
        held: Held,
    ) -> Result<(Held, Result<(), SampleError>), SampleError> {
        let (size, have) = held.as_ref().map_or((0, 0), |parts| (parts.size(), parts.have()));
        match self.place.size(key).await {
            // Stored before: by somebody else, or before an answer was lost. One that cannot be it is written over.
            Ok(Some(there)) if held.is_none() || (size..=sealed_length(size)).contains(&there) => {
                return self.drop_parts(held).await;
            }
            Ok(_) if held.is_some() && have == size => {}
            Ok(_) if held.is_none() => {
                return Ok((held, Err(SampleError::NotFound(key.sha().to_string()))));
            }
            Ok(_) => {
                let why = format!("{have} of the {size} bytes of {} are here", key.sha());
                return Ok((held, Err(SampleError::Busy(why))));
            }
            Err(e) => return Ok((held, Err(e))),
        }
        let (work, of) = (Arc::clone(self), key.clone());
        let sealing = tokio::task::spawn_blocking(move || {
            let sealed = work.seal(&of, &held);
            (held, sealed)
        });
        let (held, sealed) = sealing.await.map_err(SampleError::stopped)?;
        let (done, useless) = match sealed {
            Ok(sealed) => {
                let done = self.store(key, sealed).await;
                // Stored, or it will never be.
                let useless = matches!(done, Ok(()) | Err(SampleError::Quota { .. }));
                (done, useless)
            }
            Err((e, useless)) => (Err(e), useless),
        };
        if !useless {
            return Ok((held, done));
        }
        let (held, dropped) = self.drop_parts(held).await?;
        Ok((held, done.and(dropped)))
    }

    /// Reads the parts through, seals them as one; blocks. With an error: whether the parts are of no use.
    fn seal(&self, key: &Key, held: &Held) -> Result<File, (SampleError, bool)> {
        let Some(parts) = held.as_ref() else {
            return Err((SampleError::NotFound(key.sha().to_string()), false));
        };
        let mut out = self.spool.nameless(sealed_length(parts.size())).map_err(|e| (e, false))?;
        let broken = |e: std::io::Error| match e.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                (SampleError::Full(format!("sealing {}: {e}", key.sha())), false)
            }
            // Sealed for another key, or damaged on our disk: no fault of the host.
            _ => (
                SampleError::Busy(format!("the parts of {} do not open ({e}): from the start", key.sha())),
                true,
            ),
        };
        let (sha, length) = self.keys.seal_all(parts.each(&self.keys), &out).map_err(broken)?;
        if length != parts.size() || sha != *key.sha() {
            let why = format!(
                "{length} bytes with SHA-256 {sha} came, and {} bytes with {} were announced",
                parts.size(),
                key.sha()
            );
            return Err((SampleError::Lied(why), true));
        }
        out.seek(SeekFrom::Start(0)).map_err(broken)?;
        Ok(out)
    }

    async fn store(&self, key: &Key, sealed: File) -> Result<(), SampleError> {
        let bytes = sealed.metadata().map_err(memory::failed)?.len();
        let room = self.books.promise(&self.place, key, bytes).await?;
        self.place.put(key, sealed).await?;
        room.keep();
        Ok(())
    }

    async fn delete(&self, key: &Key) -> Result<(), SampleError> {
        let Some(bytes) = self.place.size(key).await? else { return Ok(()) };
        self.place.delete(key).await?;
        self.books.gone(key.project(), bytes);
        Ok(())
    }

    async fn drop_parts(
        self: &Arc<Self>,
        mut held: Held,
    ) -> Result<(Held, Result<(), SampleError>), SampleError> {
        let work = Arc::clone(self);
        let dropping = tokio::task::spawn_blocking(move || {
            let done = work.spool.drop_parts(&mut held);
            (held, done)
        });
        dropping.await.map_err(SampleError::stopped)
    }

    /// Blocks.
    fn open(&self, key: &Key, sealed: &File) -> Result<File, SampleError> {
        let corrupt = |why: String| SampleError::Corrupt { key: key.object(), why };
        let mut out = memory::file()?;
        let sha = self
            .keys
            .open_all(sealed, &mut out, self.max_sample_bytes)
            .map_err(|e| corrupt(format!("{e}; it was sealed for {}", self.keys.recipient())))?;
        if sha != *key.sha() {
            return Err(corrupt(format!("its content has the SHA-256 {sha}")));
        }
        memory::close(out)
    }
}
