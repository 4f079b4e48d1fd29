// SPDX-License-Identifier: Apache-2.0
//! Samples within an archive: sealed as they are, so that the archive tells nothing that the key does not open.
//! The key (`samples.key`) is in the authority's folder, and goes with it.

use super::archive::{Entry, Writer};
use crate::config::Config;
use crate::init;
use anyhow::{Context as _, bail, ensure};
use lazaret_samples::Samples;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// Before the name that a sample has where it lies.
pub(super) const PREFIX: &str = "samples/";

/// What became of them.
pub(super) struct Kept {
    /// Where they lie, for people.
    pub(super) place: String,
    /// Whether they are in the archive.
    pub(super) copied: bool,
}

/// Where they lie, when that is a folder.
pub(super) fn folder(config: &Config) -> anyhow::Result<Option<PathBuf>> {
    let settings = config.samples.resolve(&config.server.data).map_err(anyhow::Error::msg)?;
    Ok(settings.s3.is_none().then_some(settings.folder))
}

/// Samples with a spool of our own: whoever opens one clears it, and a server that runs has parts in its.
struct Opened {
    samples: Samples,
    spool: PathBuf,
}

impl Drop for Opened {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.spool);
    }
}

async fn open(config: &Config, keys: &Path) -> anyhow::Result<Opened> {
    let mut settings = config.samples.resolve(&config.server.data).map_err(anyhow::Error::msg)?;
    settings.spool = config.server.data.join(format!("samples-spool-{}", uuid::Uuid::now_v7()));
    let (keys, spool) = (keys.to_owned(), settings.spool.clone());
    let opened = tokio::task::spawn_blocking(move || Samples::open(&settings, &keys)).await?;
    Ok(Opened { samples: opened.context("cannot open the samples")?, spool })
}

/// Puts them into the archive: always from a folder, from an S3-compatible store where somebody asks.
pub(super) async fn write(config: &Config, copy: bool, w: &mut Writer) -> anyhow::Result<Kept> {
    if let Some(folder) = folder(config)? {
        from_folder(&folder, PREFIX.trim_end_matches('/'), w)?;
        return Ok(Kept { place: folder.display().to_string(), copied: true });
    }
    let opened = open(config, &init::authority_folder(config)).await?;
    let samples = &opened.samples;
    let kept = Kept { place: samples.place().to_owned(), copied: copy };
    if !copy {
        return Ok(kept);
    }
    let mut list = samples.list();
    while let Some(object) = list.next().await {
        let object = object.with_context(|| format!("cannot list the samples in {}", kept.place))?;
        match samples.sealed(&object).await {
            Ok(file) => w.put_file(&format!("{PREFIX}{}", object.key), file)?,
            // Its time was over while we were under way.
            Err(lazaret_samples::SampleError::NotFound(_)) => {}
            Err(e) => return Err(e).with_context(|| format!("cannot copy the sample {}", object.key)),
        }
    }
    Ok(kept)
}

fn from_folder(folder: &Path, name: &str, w: &mut Writer) -> anyhow::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => bail!("cannot read {}: {e}", folder.display()),
    };
    let mut entries: Vec<_> = entries.collect::<Result<_, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            from_folder(&entry.path(), &name, w)?;
        } else if kind.is_file() {
            match File::open(entry.path()) {
                Ok(file) => w.put_file(&name, file).with_context(|| name.clone())?,
                // Its time was over while we were under way.
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => bail!("cannot read {}: {e}", entry.path().display()),
            }
        }
    }
    Ok(())
}

/// Puts those of an archive back into an S3-compatible store; what is there stays as it is. `keys`: the folder of
/// the authority that comes back with them.
pub(super) async fn put_back(
    config: &Config,
    keys: &Path,
    file: &mut File,
    parts: &[(&str, &Entry)],
) -> anyhow::Result<()> {
    let opened = open(config, keys).await?;
    for (key, entry) in parts {
        let mut part = tempfile_in(keys)?;
        file.seek(SeekFrom::Start(entry.offset))?;
        let copied = std::io::copy(&mut file.take(entry.size), &mut part)?;
        ensure!(copied == entry.size, "{key} was cut off meanwhile");
        part.seek(SeekFrom::Start(0))?;
        opened
            .samples
            .put_sealed(key, part)
            .await
            .with_context(|| format!("cannot put the sample {key} back"))?;
    }
    Ok(())
}

/// A file without a name.
fn tempfile_in(folder: &Path) -> anyhow::Result<File> {
    let path = folder.join(format!(".sample-{}", uuid::Uuid::now_v7()));
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)
        .with_context(|| format!("cannot write into {}", folder.display()))?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
