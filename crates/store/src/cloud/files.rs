// SPDX-License-Identifier: Apache-2.0
//! Files of a project, and where they are.

use super::{check_hash, missing};
use crate::db::page::{Kind, Order, page};
use crate::db::sql::Filter;
use crate::db::value::Fields;
use crate::error::Result;
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
            w.close();
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
