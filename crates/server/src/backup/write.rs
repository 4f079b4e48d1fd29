// SPDX-License-Identifier: Apache-2.0
//! `lazaret-server backup`: beside a server that runs.

use super::archive::Writer;
use super::manifest::{FILE, FORMAT, Manifest, PRODUCT};
use super::{archive, authority, samples};
use crate::config::Config;
use crate::{init, redact, time};
use anyhow::{Context as _, ensure};
use lazaret_store::{Options, Store, TableSink};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// What was written.
#[derive(Debug)]
pub struct Backed {
    /// Bytes of the archive.
    pub size: u64,
    /// Its SHA-256: to be kept elsewhere, it shows whether somebody exchanged it.
    pub sha256: String,
    /// The schema in it.
    pub schema: i64,
    /// Whether the authority in it is encrypted.
    pub encrypted: bool,
    /// Where samples lie that are not in it.
    pub samples_left_out: Option<String>,
}

/// Writes everything into one archive, mode 0600. `text` is the configuration's own. Samples in a folder go
/// along, sealed as they are; of those in an S3-compatible store the archive says where they lie.
///
/// # Errors
/// Names the file or the database and the cause; no archive is left then.
pub async fn backup(
    config: &Config,
    text: &str,
    to: &Path,
    recipient: Option<&str>,
) -> anyhow::Result<Backed> {
    backup_with(config, text, to, recipient, false).await
}

/// The same; with `copy_samples` also those of an S3-compatible store are copied into it.
///
/// # Errors
/// As [`backup`], and of the store.
pub async fn backup_with(
    config: &Config,
    text: &str,
    to: &Path,
    recipient: Option<&str>,
    copy_samples: bool,
) -> anyhow::Result<Backed> {
    ensure!(!to.exists(), "{} is there already: take another name", to.display());
    let name = to.file_name().with_context(|| format!("{} names no file", to.display()))?;
    let mut partial = name.to_owned();
    partial.push(format!(".{}.partial", std::process::id()));
    let partial = to.with_file_name(partial);
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&partial)
        .with_context(|| format!("cannot write {}", partial.display()))?;
    let done = write(config, text, &partial, file, (recipient, copy_samples)).await;
    let done = match done {
        Ok(done) => std::fs::hard_link(&partial, to)
            .with_context(|| format!("cannot name the archive {}", to.display()))
            .map(|()| done),
        Err(e) => Err(e),
    };
    let _ = std::fs::remove_file(&partial);
    if let Some(folder) = to.parent().filter(|f| !f.as_os_str().is_empty())
        && done.is_ok()
    {
        File::open(folder)?.sync_all()?;
    }
    done
}

struct Tables<'a> {
    w: &'a mut Writer,
    columns: &'a mut BTreeMap<String, Vec<String>>,
}

impl TableSink for Tables<'_> {
    fn begin(&mut self, table: &str, columns: &[String]) -> std::io::Result<()> {
        let name = format!("tables/{table}");
        self.w.begin(&name)?;
        self.columns.insert(name, columns.to_vec());
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.w.write(bytes)
    }

    fn end(&mut self) -> std::io::Result<()> {
        self.w.end()
    }
}

async fn write(
    config: &Config,
    text: &str,
    beside: &Path,
    file: File,
    (recipient, copy_samples): (Option<&str>, bool),
) -> anyhow::Result<Backed> {
    let mut w = Writer::new(file);
    let mut columns = BTreeMap::new();
    let (name, bytes) = authority::pack(&init::authority_folder(config), recipient)?;
    w.put(name, &bytes)?;
    w.put("config.toml", redact::toml(text)?.as_bytes())?;
    let options = Options { application: "lazaret-server backup", connections: 3, ..Options::default() };
    let store = Store::open_with(&config.database(), options).await.context("cannot open the database")?;
    let schema = store.schema().await?;
    ensure!(schema > 0, "the database is empty: there is nothing to back up");
    let meta = store.meta().await?;
    let done = if store.is_postgres() {
        store.copy_out(&mut Tables { w: &mut w, columns: &mut columns }).await.context("the tables")
    } else {
        copy_file(&store, beside, &mut w).await
    };
    store.close().await;
    done?;
    let kept = samples::write(config, copy_samples, &mut w).await?;
    let manifest = Manifest {
        product: PRODUCT.to_owned(),
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        database: if columns.is_empty() { "sqlite" } else { "postgres" }.to_owned(),
        schema,
        installation: meta.installation,
        incarnation: meta.incarnation,
        created_at: time::rfc3339(time::now_ms()),
        samples: kept.place.clone(),
        parts: Manifest::parts(w.written(), &columns),
    };
    w.put(FILE, &serde_json::to_vec_pretty(&manifest)?)?;
    let mut file = w.finish()?;
    let size = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    let mut hash = <sha2::Sha256 as sha2::Digest>::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => sha2::Digest::update(&mut hash, buffer.get(..n).unwrap_or_default()),
        }
    }
    let sha256 = archive::hex(&sha2::Digest::finalize(hash));
    let left_out = (!kept.copied).then_some(kept.place);
    Ok(Backed { size, sha256, schema, encrypted: recipient.is_some(), samples_left_out: left_out })
}

/// The database writes its copy into a folder of ours, from where it goes into the archive.
async fn copy_file(store: &Store, beside: &Path, w: &mut Writer) -> anyhow::Result<()> {
    let folder: PathBuf = beside.with_extension("folder");
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let copy = folder.join("server.db");
    let done = async {
        store.copy_file(&std::path::absolute(&copy)?).await.context("the database's copy")?;
        w.put_file("server.db", File::open(&copy)?)?;
        anyhow::Ok(())
    };
    let done = done.await;
    let _ = std::fs::remove_dir_all(&folder);
    done
}
