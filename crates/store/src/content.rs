// SPDX-License-Identifier: Apache-2.0
//! A project's content: what people added to it, and the packs that were signed from it.

use crate::db::sql::sql;
use crate::db::value::Row;
use crate::error::{Result, StoreError};
use crate::{ContentItemRow, ContentPackRow, Store};

const ITEM: &str =
    "id, project, name, kind, body, sha256, entries, promoted, promoted_by, added_by, added_ms";
/// Packs of a project that are kept: one may be read while the next is signed.
const KEPT: u32 = 3;

fn item(row: &Row) -> Result<ContentItemRow> {
    let mut f = row.fields();
    Ok(ContentItemRow {
        id: f.text()?,
        project: f.text()?,
        name: f.text()?,
        kind: f.text()?,
        body: f.bytes()?,
        sha256: f.bytes()?,
        entries: f.int()?,
        promoted: f.flag()?,
        promoted_by: f.text()?,
        added_by: f.text()?,
        added_ms: f.int()?,
    })
}

impl Store {
    /// What was added to a project, by name.
    ///
    /// # Errors
    /// Of the database.
    pub async fn content_items(&self, project: &str) -> Result<Vec<ContentItemRow>> {
        let mut select = sql("SELECT ");
        select.push(ITEM);
        select.push(" FROM content_items WHERE project = ");
        select.arg(project);
        select.push(" ORDER BY name");
        self.pools.all(select).await?.iter().map(item).collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn content_item(&self, id: &str) -> Result<ContentItemRow> {
        let mut select = sql("SELECT ");
        select.push(ITEM);
        select.push(" FROM content_items WHERE id = ");
        select.arg(id);
        let row = self.pools.one(select).await?.ok_or_else(|| StoreError::missing("content", id))?;
        item(&row)
    }

    /// Adds one.
    ///
    /// # Errors
    /// `Conflict` when the project has one of this name.
    pub async fn add_content_item(&self, row: &ContentItemRow) -> Result<()> {
        let insert =
            sql("INSERT INTO content_items (id, project, name, kind, body, sha256, entries, promoted, \
             promoted_by, added_by, added_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
            .bind(&row.id)
            .bind(&row.project)
            .bind(&row.name)
            .bind(&row.kind)
            .bind(&row.body)
            .bind(&row.sha256)
            .bind(row.entries)
            .bind(row.promoted)
            .bind(&row.promoted_by)
            .bind(&row.added_by)
            .bind(row.added_ms);
        self.write(insert).await.map_err(|e| {
            e.taken(|| {
                format!(
                    "the project has content named {:?}: take another name, or remove that first",
                    row.name
                )
            })
        })?;
        Ok(())
    }

    /// Lets it reach the rating high, or no longer.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn promote_content_item(&self, id: &str, promoted: bool, who: &str) -> Result<()> {
        let update = sql("UPDATE content_items SET promoted = $1, promoted_by = $2 WHERE id = $3")
            .bind(promoted)
            .bind(if promoted { who } else { "" })
            .bind(id);
        match self.write(update).await? {
            0 => Err(StoreError::missing("content", id)),
            _ => Ok(()),
        }
    }

    /// Takes it away.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn remove_content_item(&self, id: &str) -> Result<()> {
        match self.write(sql("DELETE FROM content_items WHERE id = $1").bind(id)).await? {
            0 => Err(StoreError::missing("content", id)),
            _ => Ok(()),
        }
    }

    /// The pack that hosts of a project should have; none before the first.
    ///
    /// # Errors
    /// Of the database.
    pub async fn newest_pack(&self, project: &str) -> Result<Option<ContentPackRow>> {
        let select =
            sql("SELECT project, number, version, sha256, size, expires_ms, signature FROM content_packs \
             WHERE project = $1 ORDER BY number DESC LIMIT 1")
            .bind(project);
        let Some(row) = self.pools.one(select).await? else { return Ok(None) };
        let mut f = row.fields();
        Ok(Some(ContentPackRow {
            project: f.text()?,
            number: f.int()?,
            version: f.text()?,
            sha256: f.bytes()?,
            size: f.int()?,
            expires_ms: f.int()?,
            signature: f.bytes()?,
        }))
    }

    /// The bytes of a pack of a project.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn pack_body(&self, project: &str, sha256: &[u8]) -> Result<Vec<u8>> {
        let select = sql(
            "SELECT body FROM content_packs WHERE project = $1 AND sha256 = $2 ORDER BY number DESC LIMIT 1",
        )
        .bind(project)
        .bind(sha256);
        let row = self.pools.one(select).await?;
        let row =
            row.ok_or_else(|| StoreError::NotFound("the project has no such pack (any more)".to_owned()))?;
        row.fields().bytes()
    }

    /// Puts a pack in the place of the newest one, and counts the generation of the project's hosts up.
    ///
    /// # Errors
    /// `Conflict` when somebody was first with this number or a higher one.
    pub async fn put_pack(&self, row: &ContentPackRow, body: &[u8]) -> Result<()> {
        let mut tx = self.begin().await?;
        let insert =
            sql("INSERT INTO content_packs (project, number, version, sha256, size, expires_ms, signature, \
             body) SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE NOT EXISTS \
             (SELECT 1 FROM content_packs WHERE project = $1 AND number >= $2)")
            .bind(&row.project)
            .bind(row.number)
            .bind(&row.version)
            .bind(&row.sha256)
            .bind(row.size)
            .bind(row.expires_ms)
            .bind(&row.signature)
            .bind(body);
        if tx.run(insert).await? == 0 {
            return Err(StoreError::Conflict("a newer pack of the project is there already".to_owned()));
        }
        let clear =
            sql("DELETE FROM content_packs WHERE project = $1 AND number < (SELECT min(number) FROM \
             (SELECT number FROM content_packs WHERE project = $1 ORDER BY number DESC LIMIT $2) kept)")
            .bind(&row.project)
            .bind(KEPT);
        tx.run(clear).await?;
        let hosts =
            crate::fleet::desired::bump(&mut tx, &crate::Target::Project(row.project.clone())).await?;
        tx.commit().await?;
        self.note_desired(&hosts)?;
        Ok(())
    }
}
