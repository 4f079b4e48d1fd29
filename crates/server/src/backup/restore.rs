// SPDX-License-Identifier: Apache-2.0
//! `lazaret-server restore`: the whole archive is verified and made ready beside the data; then it takes its
//! place. Until then nothing is changed, and what was there is kept beside.

use super::archive::{self, Entry};
use super::manifest::Manifest;
use super::{authority, hold_alone, samples};
use crate::authority::Authority;
use crate::config::Config;
use crate::{init, read_only, time};
use anyhow::{Context as _, bail, ensure};
use lazaret_store::{Options, Store, TableSource};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// What came back.
#[derive(Debug)]
pub struct Restored {
    /// When the backup was made.
    pub created_at: String,
    /// The schema in it, and now.
    pub schema: (i64, i64),
    /// SHA-256 of the authority's certificate.
    pub fingerprint: String,
    /// Where what was there before is kept.
    pub kept: Option<PathBuf>,
}

/// Puts a backup in the place of the configured data. `identity`: an age identity, where the authority in it
/// is encrypted.
///
/// # Errors
/// The archive was changed, cut off, is newer or another product's; there is data already and `replace` is
/// not given; a server runs. Nothing is changed then.
pub async fn restore(
    config: &Config,
    from: &Path,
    replace: bool,
    identity: Option<&Path>,
) -> anyhow::Result<Restored> {
    let mut file = File::open(from).with_context(|| format!("cannot read {}", from.display()))?;
    let (manifest, parts) =
        Manifest::verified(&mut file).with_context(|| format!("{} is refused", from.display()))?;
    let on_postgres = !config.database().starts_with("sqlite:");
    let wanted = if on_postgres { "postgres" } else { "sqlite" };
    ensure!(
        manifest.database == wanted,
        "it is a backup of {}, and [server] database is {wanted}: set it to a database of the same kind",
        manifest.database
    );
    let sealed = parts.get(authority::PLAIN).or_else(|| parts.get(authority::SEALED));
    let sealed = sealed.context("it holds no authority")?;
    let bytes = archive::bytes(&mut file, sealed, 2 * authority::MOST)?;
    let keys = authority::open(&sealed.name, bytes, identity)?;
    let data = &config.server.data;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data)
        .with_context(|| format!("cannot make {}", data.display()))?;
    let _alone = hold_alone(data)?;
    let place = Place::new(config, on_postgres)?;
    if !replace {
        place.refuse_used()?;
    }
    let stage = data.join(format!("restore-{}", uuid::Uuid::now_v7()));
    std::fs::DirBuilder::new().mode(0o700).create(&stage)?;
    let work = Work { config, manifest: &manifest, parts: &parts, stage: &stage, place: &place };
    let done = work.run(&mut file, from, &keys, replace).await;
    let _ = std::fs::remove_dir_all(&stage);
    if let Some((_, stage)) = &place.samples {
        let _ = std::fs::remove_dir_all(stage);
    }
    done
}

/// Where the data is, or will be.
struct Place {
    data: PathBuf,
    authority: PathBuf,
    /// Of SQLite.
    database: Option<PathBuf>,
    /// Where samples lie, and where the new ones stand ready beside it; `None`: not in a folder.
    samples: Option<(PathBuf, PathBuf)>,
}

impl Place {
    fn new(config: &Config, on_postgres: bool) -> anyhow::Result<Self> {
        let url = config.database();
        let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")).unwrap_or(&url);
        Ok(Self {
            data: config.server.data.clone(),
            authority: init::authority_folder(config),
            database: (!on_postgres).then(|| PathBuf::from(path)),
            samples: samples::folder(config)?.map(|folder| {
                let stage = beside(&folder, &format!("restore-{}", uuid::Uuid::now_v7()));
                (folder, stage)
            }),
        })
    }

    fn refuse_used(&self) -> anyhow::Result<()> {
        for path in [Some(&self.authority), self.database.as_ref()].into_iter().flatten() {
            ensure!(
                !path.exists(),
                "{} is there: this server has data. To put the backup in its place, add --replace (what is there \
                 is kept beside)",
                path.display()
            );
        }
        Ok(())
    }

    /// Files that go aside, and where the new ones stand ready.
    fn swap(&self, stage: &Path, aside: &Path) -> anyhow::Result<bool> {
        let mut moves: Vec<(PathBuf, Option<PathBuf>, &str)> =
            vec![(self.authority.clone(), Some(stage.join("authority")), "authority")];
        if let Some(database) = &self.database {
            moves.push((database.clone(), Some(stage.join("server.db")), "server.db"));
            for tail in ["-wal", "-shm"] {
                let mut name = database.clone().into_os_string();
                name.push(tail);
                moves.push((
                    name.into(),
                    None,
                    if tail == "-wal" { "server.db-wal" } else { "server.db-shm" },
                ));
            }
        }
        if let Some((folder, stage)) = self.samples.as_ref().filter(|(_, stage)| stage.exists()) {
            if folder.starts_with(&self.data) {
                moves.push((folder.clone(), Some(stage.clone()), "samples"));
            } else {
                // Maybe on a file system of its own: what was there stays beside it.
                if folder.exists() {
                    rename(folder, &beside(folder, &format!("before-restore-{}", time::now_ms())))?;
                }
                rename(stage, folder)?;
            }
        }
        let mut kept = false;
        for (path, _, name) in &moves {
            if path.exists() {
                if !kept {
                    std::fs::DirBuilder::new().mode(0o700).create(aside)?;
                    kept = true;
                }
                rename(path, &aside.join(name))?;
            }
        }
        for (path, new, _) in &moves {
            if let Some(new) = new {
                rename(new, path)?;
            }
        }
        File::open(&self.data)?.sync_all()?;
        Ok(kept)
    }
}

/// A name next to a folder.
fn beside(folder: &Path, tail: &str) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(".");
    name.push(tail);
    name.into()
}

fn rename(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::rename(from, to).with_context(|| {
        format!("cannot move {} to {}; both must lie on one file system", from.display(), to.display())
    })
}

struct Work<'a> {
    config: &'a Config,
    manifest: &'a Manifest,
    parts: &'a BTreeMap<String, Entry>,
    stage: &'a Path,
    place: &'a Place,
}

impl Work<'_> {
    async fn run(
        &self,
        file: &mut File,
        from: &Path,
        keys: &[u8],
        replace: bool,
    ) -> anyhow::Result<Restored> {
        let folder = self.stage.join("authority");
        authority::unpack(keys, &folder)?;
        let fingerprint = Authority::load(&folder).context("the authority in it")?.fingerprint();
        self.samples(file, &folder).await?;
        if let Some(entry) = self.parts.get("config.toml") {
            // For a person to read: what is configured stays.
            let text = archive::bytes(file, entry, 1 << 20)?;
            self.write(&self.stage.join("config.toml"), &text)?;
        }
        let schema = match self.place.database {
            Some(_) => self.file(file).await?,
            None => self.tables(from, replace).await?,
        };
        let aside = self.place.data.join(format!("before-restore-{}", time::now_ms()));
        let kept = self.place.swap(self.stage, &aside)?;
        let text = self.stage.join("config.toml");
        if text.exists() {
            rename(&text, &self.place.data.join("config-of-backup.toml"))?;
        }
        Ok(Restored {
            created_at: self.manifest.created_at.clone(),
            schema: (self.manifest.schema, schema),
            fingerprint,
            kept: kept.then_some(aside),
        })
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
        let mut out = File::options().write(true).create_new(true).mode(0o600).open(path)?;
        out.write_all(bytes)?;
        out.sync_all()?;
        Ok(())
    }

    fn extract(&self, file: &mut File, entry: &Entry, to: &Path) -> anyhow::Result<()> {
        let mut out = File::options().write(true).create_new(true).mode(0o600).open(to)?;
        file.seek(SeekFrom::Start(entry.offset))?;
        let copied = std::io::copy(&mut file.take(entry.size), &mut out)?;
        ensure!(copied == entry.size, "{} was cut off meanwhile", entry.name);
        out.sync_all()?;
        Ok(())
    }

    /// Sealed as they are: the key is in the authority that comes back with them.
    async fn samples(&self, file: &mut File, keys: &Path) -> anyhow::Result<()> {
        let parts = self.parts.iter().filter_map(|(n, e)| Some((n.strip_prefix(samples::PREFIX)?, e)));
        let parts: Vec<(&str, &Entry)> = parts.collect();
        let Some((_, stage)) = &self.place.samples else {
            if parts.is_empty() {
                return Ok(());
            }
            return samples::put_back(self.config, keys, file, &parts).await;
        };
        for (name, entry) in parts {
            let path = stage.join(name);
            if let Some(folder) = path.parent() {
                std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            }
            self.extract(file, entry, &path)?;
        }
        Ok(())
    }

    /// SQLite: everything is done to a copy that nobody uses yet.
    async fn file(&self, file: &mut File) -> anyhow::Result<i64> {
        let entry = self.parts.get("server.db").context("it holds no database")?;
        let path = self.stage.join("server.db");
        self.extract(file, entry, &path)?;
        let url = format!("sqlite:{}", path.display());
        let store = Store::open(&url).await.context("the database in it")?;
        let done = async {
            store.check_integrity().await.context("the database in it")?;
            self.check(&store).await?;
            self.renew(&store).await
        };
        let done = done.await;
        store.close().await;
        done
    }

    /// PostgreSQL: one transaction, then what every start does.
    async fn tables(&self, from: &Path, replace: bool) -> anyhow::Result<i64> {
        let options = Options { application: "lazaret-server restore", connections: 3, ..Options::default() };
        let store =
            Store::open_with(&self.config.database(), options).await.context("cannot open the database")?;
        let done = async {
            let others = store.other_servers().await?;
            ensure!(
                others == 0,
                "servers are connected to the database ({others} connections): stop them first"
            );
            let mut sources = Vec::new();
            for part in self.manifest.parts.iter().filter(|p| p.name.starts_with("tables/")) {
                let entry = self.parts.get(&part.name).context("a table is missing")?;
                let mut lines = File::open(from)?;
                lines.seek(SeekFrom::Start(entry.offset))?;
                sources.push(TableSource {
                    table: part.name.trim_start_matches("tables/").to_owned(),
                    columns: part.columns.clone(),
                    lines: Box::new(lines.take(entry.size)),
                });
            }
            ensure!(!sources.is_empty(), "it holds no tables");
            match store.copy_in(self.manifest.schema, sources, replace).await {
                Ok(()) => {}
                Err(lazaret_store::StoreError::Conflict(why)) => {
                    bail!("{why}: to put the backup in its place, add --replace")
                }
                Err(e) => return Err(e).context("the tables in it"),
            }
            self.check(&store).await?;
            self.renew(&store).await
        };
        let done = done.await;
        store.close().await;
        done
    }

    async fn check(&self, store: &Store) -> anyhow::Result<()> {
        let (schema, meta) = (store.schema().await?, store.meta().await?);
        ensure!(
            schema == self.manifest.schema && meta.installation == self.manifest.installation,
            "the database in it is not the one that its manifest names"
        );
        Ok(())
    }

    /// Another life of the same server: hosts send again what this one does not know.
    async fn renew(&self, store: &Store) -> anyhow::Result<i64> {
        let migrated = store.migrate().await.context("bringing the data to this program's schema")?;
        let meta = store.begin_new_life().await?;
        // It may have been read-only while the backup was made.
        store.set_setting(read_only::SETTING, "").await?;
        let mut audit = init::by_root("server.restore", "server", time::now_ms());
        audit.after = serde_json::json!({
            "backup_of": self.manifest.created_at,
            "incarnation_before": self.manifest.incarnation,
            "incarnation": meta.incarnation,
        })
        .to_string();
        store.append_audit(&audit).await?;
        Ok(migrated.to)
    }
}
