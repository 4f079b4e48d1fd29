// SPDX-License-Identifier: Apache-2.0
//! What is known of many hashes at once: the way of every question of a host. Nothing is written.

use super::check_hash;
use super::keys::{self, Keys};
use super::verdicts::{VERDICT, read_verdict};
use crate::db::page::hex;
use crate::db::sql::sql;
use crate::db::value::Row;
use crate::error::{Result, StoreError};
use crate::{KnownFile, Standing, Store};
use std::collections::HashMap;

/// More are asked in several calls.
const MOST: usize = 4096;

/// What stands in the tables beside a hash.
#[derive(Default)]
struct Found {
    known: Option<KnownFile>,
    file: Option<File>,
}

struct File {
    standing: String,
    settled: bool,
    hosts: i64,
    packaged_hosts: i64,
    first_ms: i64,
    sample: String,
}

/// Of content lists: bad, list, name.
type Listed = (Option<i64>, Option<String>, Option<String>);
/// Of the project: standing, settled, hosts, packaged hosts, first, state of the sample.
type Own = (Option<String>, Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<String>);
/// Place of the hash in the question, and both.
type Packed = (usize, Listed, Own);

/// Beside each hash both tables, in one statement: to be handed from thread to thread, or to a server and back, takes
/// longer than to find a row.
const TABLES: &str = " LEFT JOIN known_files AS t ON t.sha256 = k.sha256 LEFT JOIN known_sources AS s \
     ON s.number = t.source LEFT JOIN files AS f ON f.sha256 = k.sha256 AND f.project = $1 LEFT JOIN samples AS m \
     ON m.sha256 = f.sha256 AND m.project = f.project WHERE t.sha256 IS NOT NULL OR f.sha256 IS NOT NULL";

impl Found {
    fn of(sha256: &[u8], (bad, source, name): Listed, own: Own) -> Self {
        let known = bad.map(|bad| KnownFile {
            sha256: sha256.to_vec(),
            bad: bad != 0,
            source: source.unwrap_or_default(),
            name: name.unwrap_or_default(),
        });
        let (standing, settled, hosts, packaged_hosts, first_ms, sample) = own;
        let file = standing.map(|standing| File {
            standing,
            settled: settled.unwrap_or(0) != 0,
            hosts: hosts.unwrap_or(0),
            packaged_hosts: packaged_hosts.unwrap_or(0),
            first_ms: first_ms.unwrap_or(0),
            sample: sample.unwrap_or_default(),
        });
        Self { known, file }
    }
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
        let mut found = self.beside(project, hashes).await?;
        let is_bad = |f: &Found| f.file.as_ref().is_some_and(|f| f.standing == "bad");
        let bad: Vec<&[u8]> =
            hashes.iter().zip(&found).filter(|(_, f)| is_bad(f)).map(|(h, _)| h.as_slice()).collect();
        let mut verdicts = HashMap::new();
        for part in bad.chunks(keys::MOST) {
            let select = Keys {
                columns: VERDICT,
                table: "file_verdicts",
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
            .zip(&mut found)
            .map(|(hash, found)| {
                let mut out =
                    Standing { sha256: hash.clone(), known: found.known.take(), ..Standing::default() };
                let known = out.known.as_ref();
                out.verdict = verdicts.get(hash).cloned();
                let mut word = "unknown";
                if let Some(f) = &found.file {
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

    /// In the order of the hashes.
    async fn beside(&self, project: &str, hashes: &[Vec<u8>]) -> Result<Vec<Found>> {
        let mut out = Vec::with_capacity(hashes.len());
        for part in hashes.chunks(keys::MOST) {
            let mut found: Vec<Found> = Vec::new();
            found.resize_with(part.len(), Found::default);
            let rows = if self.is_postgres() {
                self.rows(project, part).await?
            } else {
                self.packed(project, part).await?
            };
            for (at, listed, own) in rows {
                if let (Some(place), Some(sha256)) = (found.get_mut(at), part.get(at)) {
                    *place = Found::of(sha256, listed, own);
                }
            }
            out.append(&mut found);
        }
        Ok(out)
    }

    async fn rows(&self, project: &str, part: &[Vec<u8>]) -> Result<Vec<Packed>> {
        let mut select = sql("");
        select.push(
            "SELECT k.place, t.bad::INT::BIGINT, s.name, t.name, f.standing, f.settled::INT::BIGINT, f.hosts, \
             f.packaged_hosts, f.first_ms, m.state FROM (SELECT g AS place, substring($2 FROM CAST(g * 32 + 1 AS INTEGER) \
             FOR 32) AS sha256 FROM generate_series(0::BIGINT, $3) AS g) AS k",
        );
        select.push(TABLES);
        let last = i64::try_from(part.len()).unwrap_or(0) - 1;
        let select = select.bind(project).bind(part.concat()).bind(last);
        let row = |row: &Row| {
            let mut f = row.fields();
            let place = usize::try_from(f.int()?).unwrap_or(usize::MAX);
            let listed = (f.maybe_int()?, f.maybe_text()?, f.maybe_text()?);
            let standing = f.maybe_text()?;
            let own = (f.maybe_int()?, f.maybe_int()?, f.maybe_int()?, f.maybe_int()?, f.maybe_text()?);
            Ok((place, listed, (standing, own.0, own.1, own.2, own.3, own.4)))
        };
        self.pools.all(select).await?.iter().map(row).collect()
    }

    /// All rows as one, and all hashes as one parameter.
    async fn packed(&self, project: &str, part: &[Vec<u8>]) -> Result<Vec<Packed>> {
        let mut select = sql("");
        select.push(
            "SELECT json_group_array(json_array(k.place, json_array(t.bad, s.name, t.name), json_array(f.standing, \
             f.settled, f.hosts, f.packaged_hosts, f.first_ms, m.state))) FROM (SELECT key AS place, unhex(value) AS sha256 \
             FROM json_each($2)) AS k",
        );
        select.push(TABLES);
        let hashes: Vec<String> = part.iter().map(|hash| hex(hash)).collect();
        let list = serde_json::Value::from(hashes).to_string();
        let Some(row) = self.pools.one(select.bind(project).bind(list)).await? else { return Ok(Vec::new()) };
        let text = row.fields().text()?;
        serde_json::from_str(&text).map_err(|e| StoreError::Corrupt(format!("rows as JSON: {e}")))
    }
}
