// SPDX-License-Identifier: Apache-2.0
//! What is known of many hashes at once: the way of every question of a host. Nothing is written.

use super::keys::{self, Keys};
use super::verdicts::{VERDICT, read_verdict};
use super::{SHA256, check_hash};
use crate::db::page::unhex;
use crate::db::sql::Sql;
use crate::error::{Result, StoreError};
use crate::{KnownFile, Standing, Store};
use std::collections::HashMap;

/// More are asked in several calls.
const MOST: usize = 4096;

struct File {
    standing: String,
    settled: bool,
    hosts: i64,
    packaged_hosts: i64,
    first_ms: i64,
    sample: String,
}

impl Store {
    /// What a project knows of these files, in their order. Rows of other projects are never looked at; what
    /// content lists say is the same for all.
    ///
    /// # Errors
    /// `BadRequest` for a hash that is none, or too many at once.
    pub async fn look_up(&self, project: &str, hashes: &[Vec<u8>]) -> Result<Vec<Standing>> {
        if hashes.len() > MOST {
            return Err(StoreError::BadRequest(format!("{} hashes at once: at most {MOST}", hashes.len())));
        }
        hashes.iter().try_for_each(|h| check_hash(h))?;
        let (known, files) = tokio::try_join!(self.known_of(hashes), self.files_of(project, hashes))?;
        let bad: Vec<&[u8]> =
            files.iter().filter(|(_, f)| f.standing == "bad").map(|(h, _)| h.as_slice()).collect();
        let mut verdicts = HashMap::new();
        for part in bad.chunks(keys::MOST) {
            let select = Keys {
                columns: VERDICT,
                table: "file_verdicts",
                joins: "",
                key: "sha256",
                equal: &[("project", project)],
            }
            .select(self.is_postgres(), part);
            for row in self.pools.all(select).await? {
                let verdict = read_verdict(&mut row.fields())?;
                if !verdict.withdrawn {
                    verdicts.insert(verdict.sha256.clone(), verdict);
                }
            }
        }
        Ok(hashes
            .iter()
            .map(|hash| {
                let known = known.get(hash);
                let mut out = Standing { sha256: hash.clone(), known: known.cloned(), ..Standing::default() };
                out.verdict = verdicts.get(hash).cloned();
                let mut word = "unknown";
                if let Some(f) = files.get(hash) {
                    word = f.standing.as_str();
                    out.noted = true;
                    out.settled = f.settled;
                    out.hosts = f.hosts;
                    out.packaged_hosts = f.packaged_hosts;
                    out.first_ms = f.first_ms;
                    out.sample.clone_from(&f.sample);
                }
                out.standing = match (word, known) {
                    ("bad", _) if out.verdict.is_some() => "bad",
                    // Withdrawn between the two looks.
                    ("bad", _) => "unknown",
                    (word, _) if out.settled => word,
                    (_, Some(known)) if known.bad => "bad",
                    (_, Some(_)) => "known_good",
                    (word, None) => word,
                }
                .to_owned();
                out
            })
            .collect())
    }

    async fn known_of(&self, hashes: &[Vec<u8>]) -> Result<HashMap<Vec<u8>, KnownFile>> {
        let mut out = HashMap::with_capacity(hashes.len());
        let keys = |columns| Keys {
            columns,
            table: "known_files",
            joins: " JOIN known_sources AS s ON s.number = t.source",
            key: "sha256",
            equal: &[],
        };
        let mut add = |sha256: Vec<u8>, bad, source, name| {
            out.insert(sha256.clone(), KnownFile { sha256, bad, source, name });
        };
        for part in slices(hashes).chunks(keys::MOST) {
            if self.is_postgres() {
                let select = keys("t.sha256, t.bad, s.name, t.name").select(true, part);
                for row in self.pools.all(select).await? {
                    let mut f = row.fields();
                    add(f.bytes()?, f.flag()?, f.text()?, f.text()?);
                }
                continue;
            }
            let select = keys("json_group_array(json_array(hex(t.sha256), t.bad, s.name, t.name))");
            let all: Vec<(String, i64, String, String)> = self.packed(select.select(false, part)).await?;
            for (sha256, bad, source, name) in all {
                add(bytes(&sha256)?, bad != 0, source, name);
            }
        }
        Ok(out)
    }

    async fn files_of(&self, project: &str, hashes: &[Vec<u8>]) -> Result<HashMap<Vec<u8>, File>> {
        let mut out = HashMap::with_capacity(hashes.len());
        let equal = [("project", project)];
        let keys = |columns| Keys {
            columns,
            table: "files",
            joins: " LEFT JOIN samples AS s ON s.project = t.project AND s.sha256 = t.sha256",
            key: "sha256",
            equal: &equal,
        };
        for part in slices(hashes).chunks(keys::MOST) {
            if self.is_postgres() {
                let columns =
                    "t.sha256, t.standing, t.settled, t.hosts, t.packaged_hosts, t.first_ms, s.state";
                for row in self.pools.all(keys(columns).select(true, part)).await? {
                    let mut f = row.fields();
                    let hash = f.bytes()?;
                    debug_assert_eq!(hash.len(), SHA256);
                    let file = File {
                        standing: f.text()?,
                        settled: f.flag()?,
                        hosts: f.int()?,
                        packaged_hosts: f.int()?,
                        first_ms: f.int()?,
                        sample: f.maybe_text()?.unwrap_or_default(),
                    };
                    out.insert(hash, file);
                }
                continue;
            }
            let select = keys(
                "json_group_array(json_array(hex(t.sha256), t.standing, t.settled, t.hosts, t.packaged_hosts, \
                 t.first_ms, s.state))",
            );
            type Row = (String, String, i64, i64, i64, i64, Option<String>);
            let all: Vec<Row> = self.packed(select.select(false, part)).await?;
            for (sha256, standing, settled, hosts, packaged_hosts, first_ms, sample) in all {
                let file = File {
                    standing,
                    settled: settled != 0,
                    hosts,
                    packaged_hosts,
                    first_ms,
                    sample: sample.unwrap_or_default(),
                };
                out.insert(bytes(&sha256)?, file);
            }
        }
        Ok(out)
    }

    /// SQLite hands each row from thread to thread, which takes longer than to find it: all rows as one.
    async fn packed<T: serde::de::DeserializeOwned>(&self, select: Sql) -> Result<Vec<T>> {
        let Some(row) = self.pools.one(select).await? else { return Ok(Vec::new()) };
        let text = row.fields().text()?;
        serde_json::from_str(&text).map_err(|e| StoreError::Corrupt(format!("rows as JSON: {e}")))
    }
}

fn bytes(hex: &str) -> Result<Vec<u8>> {
    unhex(hex).ok_or_else(|| StoreError::Corrupt("no hexadecimal digits".to_owned()))
}

fn slices(hashes: &[Vec<u8>]) -> Vec<&[u8]> {
    hashes.iter().map(Vec::as_slice).collect()
}
