// SPDX-License-Identifier: Apache-2.0
//! What hosts have, as they tell it: in any order, and as often as it comes. On how many hosts a file is,
//! is counted along: by the difference that each part makes.

use super::keys::{self, Keys};
use super::{check_hash, forget};
use crate::db::bulk::Bulk;
use crate::db::conn::Tx;
use crate::db::sql::sql;
use crate::db::value::Value;
use crate::error::{Result, StoreError};
use crate::{ChangeKind, HostFileRow, NewFile, Store};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};

const ROWS: Bulk = Bulk {
    head: "INSERT INTO host_files (host, path_key, project, path, sha256, size, kind, packaged, first_ms, last_ms, \
           version, gone)",
    tail: "ON CONFLICT (host, path_key) DO UPDATE SET project = excluded.project, sha256 = excluded.sha256, \
           size = excluded.size, kind = excluded.kind, packaged = excluded.packaged, first_ms = excluded.first_ms, \
           last_ms = excluded.last_ms, version = excluded.version, gone = excluded.gone",
};

/// Written in the order of the hashes: nobody waits in a circle.
pub(super) const FILES: Bulk = Bulk {
    head: "INSERT INTO files (project, sha256, size, kind, tlsh, first_ms, last_ms, first_host, hosts, \
           packaged_hosts, standing, standing_ms, settled)",
    tail: "ON CONFLICT (project, sha256) DO UPDATE SET hosts = files.hosts + excluded.hosts, \
           packaged_hosts = files.packaged_hosts + excluded.packaged_hosts, \
           size = CASE WHEN files.size = 0 THEN excluded.size ELSE files.size END, \
           kind = CASE WHEN files.kind = '' THEN excluded.kind ELSE files.kind END, \
           first_host = CASE WHEN excluded.first_host <> '' AND (excluded.first_ms < files.first_ms OR \
           files.first_host = '') THEN excluded.first_host ELSE files.first_host END, \
           first_ms = CASE WHEN excluded.first_ms < files.first_ms THEN excluded.first_ms ELSE files.first_ms END, \
           last_ms = CASE WHEN excluded.last_ms > files.last_ms THEN excluded.last_ms ELSE files.last_ms END \
           WHERE excluded.hosts <> 0 OR excluded.packaged_hosts <> 0 OR excluded.first_ms < files.first_ms OR \
           excluded.last_ms > files.last_ms OR (files.kind = '' AND excluded.kind <> '')",
};

/// What a part changes of a file's row.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    pub(super) size: i64,
    pub(super) kind: String,
    pub(super) first_ms: i64,
    pub(super) last_ms: i64,
    pub(super) first_host: String,
    pub(super) hosts: i64,
    pub(super) packaged_hosts: i64,
}

pub(super) fn key_of(path: &[u8]) -> Vec<u8> {
    Sha256::digest(path).to_vec()
}

/// Which of these files a host has, and whether a package owns it.
pub(super) async fn has(
    tx: &mut Tx,
    (project, host): (&str, &str),
    files: &BTreeSet<Vec<u8>>,
) -> Result<BTreeMap<Vec<u8>, bool>> {
    let mut out = BTreeMap::new();
    let keys: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    for part in keys.chunks(keys::MOST) {
        let select = Keys {
            columns: "t.sha256, t.packaged, t.gone",
            table: "host_files",
            key: "sha256",
            equal: &[("project", project), ("host", host)],
        }
        .select(tx.is_postgres(), part);
        for row in tx.all(select).await? {
            let mut f = row.fields();
            let (sha256, packaged, gone) = (f.bytes()?, f.flag()?, f.flag()?);
            if !gone {
                *out.entry(sha256).or_insert(false) |= packaged;
            }
        }
    }
    Ok(out)
}

pub(super) async fn put_files(
    tx: &mut Tx,
    project: &str,
    told: BTreeMap<Vec<u8>, Told>,
    now_ms: i64,
) -> Result<()> {
    let rows = told.into_iter().map(|(sha256, t)| -> Vec<Value> {
        vec![
            project.into(),
            sha256.into(),
            t.size.into(),
            t.kind.into(),
            "".into(),
            t.first_ms.into(),
            t.last_ms.into(),
            t.first_host.into(),
            t.hosts.into(),
            t.packaged_hosts.into(),
            "unknown".into(),
            now_ms.into(),
            false.into(),
        ]
    });
    FILES.run(tx, rows.collect()).await?;
    Ok(())
}

/// The host's project, and nobody else writes what this host has before the transaction ends.
pub(super) async fn lock_host(tx: &mut Tx, host: &str) -> Result<String> {
    let select = if tx.is_postgres() {
        "SELECT project, removed FROM hosts WHERE id = $1 FOR NO KEY UPDATE"
    } else {
        "SELECT project, removed FROM hosts WHERE id = $1"
    };
    let row = tx.one(sql(select).bind(host)).await?.ok_or_else(|| StoreError::missing("host", host))?;
    let mut f = row.fields();
    let (project, removed) = (f.text()?, f.flag()?);
    if removed {
        return Err(StoreError::NotFound(format!("the host {host:?} was removed: enrol it again")));
    }
    Ok(project)
}

/// Of each path the row with the highest version, of equal ones the last; times that the host cannot know
/// are none of the future.
fn newest(rows: Vec<HostFileRow>, now_ms: i64) -> Result<HashMap<Vec<u8>, HostFileRow>> {
    let mut out: HashMap<Vec<u8>, HostFileRow> = HashMap::with_capacity(rows.len());
    for mut row in rows {
        check_hash(&row.sha256)?;
        row.first_ms = row.first_ms.clamp(0, now_ms);
        row.last_ms = row.last_ms.clamp(row.first_ms, now_ms);
        row.size = row.size.max(0);
        let key = key_of(&row.path);
        match out.get(&key) {
            Some(other) if other.version > row.version => {}
            _ => {
                out.insert(key, row);
            }
        }
    }
    Ok(out)
}

/// Takes out of `rows` those whose path has a newer one; the files that the others replace.
async fn replaced(
    tx: &mut Tx,
    host: &str,
    rows: &mut HashMap<Vec<u8>, HostFileRow>,
) -> Result<BTreeSet<Vec<u8>>> {
    let mut files = BTreeSet::new();
    let keys: Vec<Vec<u8>> = rows.keys().cloned().collect();
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    for part in keys.chunks(keys::MOST) {
        let select = Keys {
            columns: "t.path_key, t.sha256, t.version, t.gone",
            table: "host_files",
            key: "path_key",
            equal: &[("host", host)],
        }
        .select(tx.is_postgres(), part);
        for row in tx.all(select).await? {
            let mut f = row.fields();
            let (key, sha256, version, gone) = (f.bytes()?, f.bytes()?, f.int()?, f.flag()?);
            if rows.get(&key).is_some_and(|r| r.version < version) {
                rows.remove(&key);
            } else if !gone {
                files.insert(sha256);
            }
        }
    }
    Ok(files)
}

impl Store {
    /// What a host says that it has; with `anew` it has nothing else. Rows go to the project that the host is
    /// in now: it may have been moved since `project` was read.
    ///
    /// # Errors
    /// `NotFound` when the host does not exist any more; `BadRequest` for a hash that is none.
    pub async fn put_inventory(
        &self,
        host: &str,
        project: &str,
        anew: bool,
        rows: Vec<HostFileRow>,
        now_ms: i64,
    ) -> Result<()> {
        let mut rows = newest(rows, now_ms)?;
        let mut tx = self.begin().await?;
        let now_in = lock_host(&mut tx, host).await?;
        debug_assert!(!project.is_empty(), "the caller knows a project");
        let project = now_in.as_str();
        if anew {
            forget::take_off(&mut tx, (project, host), now_ms).await?;
        }
        let mut touched = replaced(&mut tx, host, &mut rows).await?;
        touched.extend(rows.values().filter(|r| !r.gone).map(|r| r.sha256.clone()));
        let before = has(&mut tx, (project, host), &touched).await?;
        let mut told: BTreeMap<Vec<u8>, Told> = BTreeMap::new();
        for r in rows.values().filter(|r| !r.gone) {
            let t = told
                .entry(r.sha256.clone())
                .or_insert_with(|| Told { first_ms: i64::MAX, ..Told::default() });
            t.size = r.size;
            t.kind.clone_from(&r.kind);
            t.first_host = host.to_owned();
            t.first_ms = t.first_ms.min(r.first_ms);
            t.last_ms = t.last_ms.max(r.last_ms);
        }
        let values = rows.into_iter().map(|(key, r)| -> Vec<Value> {
            vec![
                host.into(),
                key.into(),
                project.into(),
                r.path.into(),
                r.sha256.into(),
                r.size.into(),
                r.kind.into(),
                r.packaged.into(),
                r.first_ms.into(),
                r.last_ms.into(),
                r.version.into(),
                r.gone.into(),
            ]
        });
        ROWS.run(&mut tx, values.collect()).await?;
        let after = has(&mut tx, (project, host), &touched).await?;
        let mut changed = Vec::new();
        for sha256 in touched {
            let (was, is) = (before.get(&sha256), after.get(&sha256));
            let hosts = i64::from(is.is_some()) - i64::from(was.is_some());
            let packaged = i64::from(is == Some(&true)) - i64::from(was == Some(&true));
            if hosts != 0 || packaged != 0 {
                changed.push(crate::db::page::hex(&sha256));
                let t = told.entry(sha256).or_insert_with(|| Told { first_ms: now_ms, ..Told::default() });
                (t.hosts, t.packaged_hosts) = (hosts, packaged);
            }
        }
        put_files(&mut tx, project, told, now_ms).await?;
        self.commit(tx).await?;
        for id in changed {
            self.note_change(project, ChangeKind::File, &id);
        }
        Ok(())
    }

    /// Files that a host asked about, and the project had no row of. May come late and more than once.
    ///
    /// # Errors
    /// `BadRequest` for a hash that is none.
    pub async fn note_questions(
        &self,
        project: &str,
        host: &str,
        files: Vec<NewFile>,
        now_ms: i64,
    ) -> Result<()> {
        let mut rows: BTreeMap<Vec<u8>, NewFile> = BTreeMap::new();
        for file in files {
            check_hash(&file.sha256)?;
            rows.insert(file.sha256.clone(), file);
        }
        if rows.is_empty() {
            return Ok(());
        }
        let rows = rows.into_values().map(|f| -> Vec<Value> {
            vec![
                project.into(),
                f.sha256.into(),
                f.size.max(0).into(),
                f.kind.into(),
                f.tlsh.into(),
                now_ms.into(),
                now_ms.into(),
                host.into(),
                0_i64.into(),
                0_i64.into(),
                "unknown".into(),
                now_ms.into(),
                false.into(),
            ]
        });
        let rows = rows.collect();
        let mut tx = self.begin().await?;
        Bulk {
            head: FILES.head,
            tail: "ON CONFLICT (project, sha256) DO UPDATE SET last_ms = excluded.last_ms, \
                   tlsh = CASE WHEN files.tlsh = '' THEN excluded.tlsh ELSE files.tlsh END, \
                   size = CASE WHEN files.size = 0 THEN excluded.size ELSE files.size END, \
                   kind = CASE WHEN files.kind = '' THEN excluded.kind ELSE files.kind END \
                   WHERE (files.tlsh = '' AND excluded.tlsh <> '') OR files.last_ms < excluded.last_ms - 3600000",
        }
        .run(&mut tx, rows)
        .await?;
        self.commit(tx).await
    }
}
