// SPDX-License-Identifier: Apache-2.0
//! What a project consented to.

use crate::db::conn::Tx;
use crate::db::sql::sql;
use crate::db::value::{Fields, Row};
use crate::error::{Result, StoreError};
use crate::fleet::desired::bump;
use crate::{CloudConsent, Store, Target};

fn packed(folders: &[Vec<u8>]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for folder in folders {
        if folder.contains(&0) || folder.is_empty() {
            return Err(StoreError::BadRequest("an excluded folder is empty or has a NUL in it".to_owned()));
        }
        out.extend_from_slice(folder);
        out.push(0);
    }
    Ok(out)
}

fn words(text: &str) -> Vec<String> {
    text.split(',').filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

fn read(f: &mut Fields<'_>) -> Result<CloudConsent> {
    Ok(CloudConsent {
        project: f.text()?,
        hashes: f.flag()?,
        samples: f.flag()?,
        max_sample_bytes: f.int()?,
        exclude: f.bytes()?.split(|b| *b == 0).filter(|p| !p.is_empty()).map(<[u8]>::to_vec).collect(),
        kinds: words(&f.text()?),
        wait_ms: f.int()?,
        fail_closed: f.flag()?,
        bytes_per_second: f.int()?,
        ring_seconds: f.int()?,
        canary_groups: words(&f.text()?),
        sample_days: f.int()?,
        revision: f.int()?,
        updated_ms: f.int()?,
        updated_by: f.text()?,
    })
}

impl Store {
    /// Of a project; when nobody set any, nothing leaves its hosts (revision 0).
    ///
    /// # Errors
    /// Of the database.
    pub async fn cloud_consent(&self, project: &str) -> Result<CloudConsent> {
        let select = sql("SELECT project, hashes, samples, max_sample_bytes, exclude, kinds, wait_ms, \
             fail_closed, bytes_per_second, ring_seconds, canary_groups, sample_days, revision, updated_ms, \
             updated_by FROM cloud_consents WHERE project = $1")
        .bind(project);
        match self.pools.one(select).await? {
            Some(row) => read(&mut row.fields()),
            None => Ok(CloudConsent::unset(project)),
        }
    }

    /// Sets it, when the revision is still the one of `c`; the new revision. The project's hosts are to apply it.
    ///
    /// # Errors
    /// `Conflict` when somebody else was first or the project does not exist; `BadRequest` for a folder that
    /// is none.
    pub async fn set_cloud_consent(&self, c: &CloudConsent) -> Result<i64> {
        let mut tx = self.begin().await?;
        let (revision, hosts) = put(&mut tx, c).await?;
        self.commit(tx).await?;
        self.note_desired(&hosts)?;
        Ok(revision)
    }
}

/// Sets it in a transaction; the new revision, and the hosts that are to apply it.
pub(crate) async fn put(tx: &mut Tx, c: &CloudConsent) -> Result<(i64, Vec<Row>)> {
    let set = sql("INSERT INTO cloud_consents (project, hashes, samples, max_sample_bytes, exclude, kinds, \
             wait_ms, fail_closed, bytes_per_second, ring_seconds, canary_groups, sample_days, revision, \
             updated_ms, updated_by) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13, $14 \
             WHERE $15 = 0 OR EXISTS (SELECT 1 FROM cloud_consents WHERE project = $1) \
             ON CONFLICT (project) DO UPDATE SET hashes = excluded.hashes, samples = excluded.samples, \
             max_sample_bytes = excluded.max_sample_bytes, exclude = excluded.exclude, kinds = excluded.kinds, \
             wait_ms = excluded.wait_ms, fail_closed = excluded.fail_closed, \
             bytes_per_second = excluded.bytes_per_second, ring_seconds = excluded.ring_seconds, \
             canary_groups = excluded.canary_groups, sample_days = excluded.sample_days, \
             revision = cloud_consents.revision + 1, updated_ms = excluded.updated_ms, \
             updated_by = excluded.updated_by WHERE cloud_consents.revision = $15 RETURNING revision")
        .bind(&c.project)
        .bind(c.hashes)
        .bind(c.samples)
        .bind(c.max_sample_bytes)
        .bind(packed(&c.exclude)?)
        .bind(c.kinds.join(","))
        .bind(c.wait_ms)
        .bind(c.fail_closed)
        .bind(c.bytes_per_second)
        .bind(c.ring_seconds)
        .bind(c.canary_groups.join(","))
        .bind(c.sample_days)
        .bind(c.updated_ms)
        .bind(&c.updated_by)
        .bind(c.revision);
    let row = tx.one(set).await?.ok_or_else(|| {
        StoreError::Conflict(format!(
            "what project {:?} consented to is no longer at revision {}: read it again",
            c.project, c.revision
        ))
    })?;
    let revision = row.fields().int()?;
    let hosts = bump(tx, &Target::Project(c.project.clone())).await?;
    Ok((revision, hosts))
}
