// SPDX-License-Identifier: Apache-2.0
//! Hosts take from pools, by a person or at their enrolment, and give back.

use super::LOCK;
use super::pools::locked;
use crate::db::conn::Tx;
use crate::db::sql::{Filter, sql};
use crate::error::{Result, StoreError};
use crate::fleet::desired::bump;
use crate::{HostQuotaRow, SHARED_POOL, Store, Target};
use std::collections::HashMap;

/// How many hosts have of a pool.
pub(super) async fn used(tx: &mut Tx, pool: &str) -> Result<i64> {
    let row = tx.one(sql("SELECT count(*) FROM quota_uses WHERE pool = $1").bind(pool)).await?;
    row.map_or(Ok(0), |row| row.fields().int())
}

async fn put(tx: &mut Tx, host: &str, pool: &str, who: &str, now_ms: i64) -> Result<()> {
    let put = sql("INSERT INTO quota_uses (host, pool, bound_ms, bound_by) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (host) DO UPDATE SET pool = excluded.pool, bound_ms = excluded.bound_ms, \
         bound_by = excluded.bound_by")
    .bind(host)
    .bind(pool)
    .bind(now_ms)
    .bind(who);
    tx.run(put).await?;
    Ok(())
}

/// A host that enrols takes from the first pool that has something left: of its project before those that
/// all share, older before newer. With none it has no edition.
pub(crate) async fn automatic(tx: &mut Tx, host: &str, project: &str, now_ms: i64) -> Result<()> {
    let candidates = sql("SELECT id, total FROM quota_pools WHERE automatic AND status = 'normal' \
         AND (expires_ms = 0 OR expires_ms > $2) AND (project = $1 OR project = '*') \
         ORDER BY CASE WHEN project = '*' THEN 1 ELSE 0 END, created_ms, id")
    .bind(project)
    .bind(now_ms);
    for row in tx.all(candidates).await? {
        let mut f = row.fields();
        let (pool, total) = (f.text()?, f.int()?);
        if total >= 0 {
            tx.lock(LOCK).await?;
            if used(tx, &pool).await? >= total {
                continue;
            }
        }
        return put(tx, host, &pool, "server", now_ms).await;
    }
    Ok(())
}

/// A host that is removed gives back.
pub(crate) async fn release(tx: &mut Tx, host: &str) -> Result<()> {
    tx.run(sql("DELETE FROM quota_uses WHERE host = $1").bind(host)).await?;
    Ok(())
}

impl Store {
    /// Gives hosts of a pool, all or none; what they had goes back.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when too little is left, or the pool is not in force or of another project.
    pub async fn bind_quota(&self, pool: &str, hosts: &[String], who: &str, now_ms: i64) -> Result<()> {
        let mut tx = self.begin().await?;
        let row = locked(&mut tx, pool).await?;
        let over = row.expires_ms > 0 && row.expires_ms <= now_ms;
        if row.status != "normal" || over {
            let status = if over { "expired" } else { row.status.as_str() };
            return Err(StoreError::Conflict(format!("the quota {pool:?} is {status}: take another one")));
        }
        let mut changed = Vec::new();
        for host in hosts {
            let found = tx.one(sql("SELECT project FROM hosts WHERE id = $1").bind(host)).await?;
            let project = found.ok_or_else(|| StoreError::missing("host", host))?.fields().text()?;
            if row.project != SHARED_POOL && row.project != project {
                return Err(StoreError::Conflict(format!(
                    "the quota {pool:?} is of another project than the host {host:?}"
                )));
            }
            put(&mut tx, host, pool, who, now_ms).await?;
            changed.extend(bump(&mut tx, &Target::Host(host.clone())).await?);
        }
        let used = used(&mut tx, pool).await?;
        if row.total >= 0 && used > row.total {
            return Err(StoreError::Conflict(format!(
                "the quota {pool:?} is for {} hosts, and {used} would have it: take fewer, or another one",
                row.total
            )));
        }
        self.commit(tx).await?;
        self.note_desired(&changed)?;
        Ok(())
    }

    /// Takes from hosts what they have; how many had something.
    ///
    /// # Errors
    /// Of the database.
    pub async fn unbind_quota(&self, hosts: &[String]) -> Result<usize> {
        let mut tx = self.begin().await?;
        let (mut changed, mut had) = (Vec::new(), 0);
        for host in hosts {
            if tx.run(sql("DELETE FROM quota_uses WHERE host = $1").bind(host)).await? > 0 {
                had += 1;
                changed.extend(bump(&mut tx, &Target::Host(host.clone())).await?);
            }
        }
        self.commit(tx).await?;
        self.note_desired(&changed)?;
        Ok(had)
    }

    /// What these hosts have.
    ///
    /// # Errors
    /// Of the database.
    pub async fn host_quotas(&self, hosts: &[String]) -> Result<HashMap<String, HostQuotaRow>> {
        let mut out = HashMap::new();
        for part in hosts.chunks(500) {
            let mut w = Filter::new();
            w.any("u.host", part.iter());
            let select = w.select(
                "u.host, u.pool, p.edition, p.status, p.expires_ms, u.bound_ms, u.bound_by",
                "quota_uses u JOIN quota_pools p ON p.id = u.pool",
            );
            for row in self.pools.all(select).await? {
                let mut f = row.fields();
                let row = HostQuotaRow {
                    host: f.text()?,
                    pool: f.text()?,
                    edition: f.text()?,
                    status: f.text()?,
                    expires_ms: f.int()?,
                    bound_ms: f.int()?,
                    bound_by: f.text()?,
                };
                out.insert(row.host.clone(), row);
            }
        }
        Ok(out)
    }
}
