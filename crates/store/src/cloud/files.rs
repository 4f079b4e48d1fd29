// SPDX-License-Identifier: Apache-2.0
//! Files of a project, and where they are.

use super::{check_hash, missing};
use crate::db::page::{Kind, Order, page};
use crate::db::sql::Filter;
use crate::db::value::Fields;
use crate::error::{Result, StoreError};
use crate::{Cursor, FileRow, FilesQuery, HostFileRow, Page, PlaceRow, Store};

const COLUMNS: &str = "project, sha256, size, kind, tlsh, first_ms, last_ms, first_host, hosts, packaged_hosts, \
     standing, standing_ms, settled";

fn read(f: &mut Fields<'_>) -> Result<FileRow> {
    Ok(FileRow {
        project: f.text()?,
        sha256: f.bytes()?,
        size: f.int()?,
        kind: f.text()?,
        tlsh: f.text()?,
        first_ms: f.int()?,
        last_ms: f.int()?,
        first_host: f.text()?,
        hosts: f.int()?,
        packaged_hosts: f.int()?,
        standing: f.text()?,
        standing_ms: f.int()?,
        settled: f.flag()?,
    })
}

fn read_place(f: &mut Fields<'_>) -> Result<PlaceRow> {
    Ok(PlaceRow {
        host: f.text()?,
        host_name: f.text()?,
        file: HostFileRow {
            path: f.bytes()?,
            sha256: f.bytes()?,
            size: f.int()?,
            kind: f.text()?,
            packaged: f.flag()?,
            first_ms: f.int()?,
            last_ms: f.int()?,
            version: f.int()?,
            gone: f.flag()?,
        },
    })
}

const PLACE: &str = "p.host, h.name, p.path, p.sha256, p.size, p.kind, p.packaged, p.first_ms, p.last_ms, \
     p.version, p.gone";
const PLACES: &str = "host_files p JOIN hosts h ON h.id = p.host";
const BY_HOST: Order = Order { first: "p.host", second: "p.path_key", kind: Kind::AlphabetBytes };

/// The first and the last hash that begin so.
fn between(prefix: &str) -> Result<(Vec<u8>, Vec<u8>)> {
    let filled = |with: char| {
        let text: String = prefix.chars().chain(std::iter::repeat_n(with, 64)).take(64).collect();
        text.parse::<lazaret_model::Sha256>().map(|d| d.0.to_vec())
    };
    match (filled('0'), filled('f')) {
        (Ok(low), Ok(high)) if prefix.len() <= 64 => Ok((low, high)),
        _ => Err(StoreError::BadRequest(format!(
            "no hash begins with {prefix:.80?}: give 1 to 64 hexadecimal digits"
        ))),
    }
}

impl Store {
    /// One file of a project.
    ///
    /// # Errors
    /// `NotFound`, also when only another project knows it.
    pub async fn file(&self, project: &str, sha256: &[u8]) -> Result<FileRow> {
        check_hash(sha256)?;
        let mut w = Filter::new();
        w.value("project =", project);
        w.value("sha256 =", sha256);
        let row = self.pools.one(w.select(COLUMNS, "files")).await?;
        read(&mut row.ok_or_else(|| missing("file", sha256))?.fields())
    }

    /// Files of a project, those that it knows shortest first.
    ///
    /// # Errors
    /// `BadRequest` for a limit or a cursor that makes no sense.
    pub async fn files(&self, q: &FilesQuery) -> Result<Page<FileRow>> {
        let mut w = Filter::new();
        w.value("project =", &q.project);
        w.any("standing", q.standings.iter());
        w.exact("kind", &q.kind);
        w.any("sha256", q.sha256.iter());
        if !q.host.is_empty() {
            w.and("sha256 IN (SELECT sha256 FROM host_files WHERE NOT gone AND host =");
            w.value_here(&q.host);
            // A host of another project shows nothing of this one.
            w.append(" AND project =");
            w.value_here(&q.project);
            w.close();
        }
        if !q.class.is_empty() {
            w.and("sha256 IN (SELECT sha256 FROM file_verdicts WHERE NOT withdrawn AND project =");
            w.value_here(&q.project);
            w.append(" AND class =");
            w.value_here(&q.class);
            w.close();
        }
        if !q.path.is_empty() {
            self.under(&mut w, &q.path);
        }
        if !q.prefix.is_empty() {
            let (low, high) = between(&q.prefix)?;
            w.value("sha256 >=", low);
            w.value("sha256 <=", high);
        }
        if let Some(ms) = q.since_ms {
            w.value("first_ms >=", ms);
        }
        if let Some(ms) = q.until_ms {
            w.value("first_ms <", ms);
        }
        match q.present {
            Some(true) => w.and("hosts > 0"),
            Some(false) => w.and("hosts = 0"),
            None => {}
        }
        let order = Order { first: "first_ms", second: "sha256", kind: Kind::NewestBytes };
        page(&self.pools, (COLUMNS, "files"), &w, &order, &q.page, read).await
    }

    /// What some host has under such a path: bytes are compared, paths need not be text.
    fn under(&self, w: &mut Filter, path: &str) {
        let bytes = path.as_bytes().to_vec();
        w.and("EXISTS (SELECT 1 FROM host_files AS p WHERE p.project = files.project AND p.sha256 = files.sha256 AND NOT p.gone AND");
        if self.is_postgres() {
            w.append(" position(");
            w.value_here(bytes);
            w.append(" IN p.path) > 0");
        } else {
            w.append(" instr(p.path,");
            w.value_here(bytes);
            w.append(") > 0");
        }
        w.close();
    }

    /// Where a file of a project is, and was: by host, also rows that are gone.
    ///
    /// # Errors
    /// `BadRequest` for a limit or a cursor that makes no sense.
    pub async fn places(&self, project: &str, sha256: &[u8], cursor: &Cursor) -> Result<Page<PlaceRow>> {
        check_hash(sha256)?;
        let mut w = Filter::new();
        w.value("p.project =", project);
        w.value("p.sha256 =", sha256);
        page(&self.pools, (PLACE, PLACES), &w, &BY_HOST, cursor, read_place).await
    }

    /// What a host of a project has, also rows that are gone.
    ///
    /// # Errors
    /// `BadRequest` for a limit or a cursor that makes no sense.
    pub async fn inventory(&self, project: &str, host: &str, cursor: &Cursor) -> Result<Page<PlaceRow>> {
        let mut w = Filter::new();
        w.value("p.host =", host);
        w.value("p.project =", project);
        page(&self.pools, (PLACE, PLACES), &w, &BY_HOST, cursor, read_place).await
    }
}

#[cfg(test)]
mod tests {
    use super::between;

    #[test]
    fn a_beginning_is_a_range() {
        let (low, high) = between("5a6").unwrap();
        assert_eq!((low[..2].to_vec(), high[..2].to_vec()), (vec![0x5a, 0x60], vec![0x5a, 0x6f]));
        assert_eq!((low.len(), low[31], high[31]), (32, 0, 0xff));
        let (low, high) = between(&"ab".repeat(32)).unwrap();
        assert_eq!(low, high);
        assert!(between("xy").is_err() && between(&"a".repeat(65)).is_err());
    }
}
