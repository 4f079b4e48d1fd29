// SPDX-License-Identifier: Apache-2.0
//! Pools: made, changed, ended. Whatever changes what a host has counts its generation up.

use super::LOCK;
use crate::db::conn::Tx;
use crate::db::sql::{Filter, sql};
use crate::db::value::{Row, Value};
use crate::error::{Result, StoreError};
use crate::fleet::desired::bump;
use crate::{QuotaPoolRow, SHARED_POOL, Scope, Store, Target};
use std::collections::HashMap;

const COLUMNS: &str =
    "id, project, edition, total, status, expires_ms, automatic, note, created_ms, revision";

fn read(row: &Row) -> Result<QuotaPoolRow> {
    let mut f = row.fields();
    Ok(QuotaPoolRow {
        id: f.text()?,
        project: f.text()?,
        edition: f.text()?,
        total: f.int()?,
        status: f.text()?,
        expires_ms: f.int()?,
        automatic: f.flag()?,
        note: f.text()?,
        created_ms: f.int()?,
        revision: f.int()?,
    })
}

pub(super) async fn locked(tx: &mut Tx, id: &str) -> Result<QuotaPoolRow> {
    tx.lock(LOCK).await?;
    let mut w = Filter::new();
    w.value("id =", id);
    let row = tx.one(w.select(COLUMNS, "quota_pools")).await?;
    read(&row.ok_or_else(|| StoreError::missing("quota", id))?)
}

/// The hosts of a pool are to apply what it is now.
async fn bump_hosts(tx: &mut Tx, pool: &str) -> Result<Vec<Row>> {
    let hosts = tx.all(sql("SELECT host FROM quota_uses WHERE pool = $1 ORDER BY host").bind(pool)).await?;
    let mut out = Vec::new();
    for host in hosts {
        out.extend(bump(tx, &Target::Host(host.fields().text()?)).await?);
    }
    Ok(out)
}

impl Store {
    /// Makes a pool.
    ///
    /// # Errors
    /// `Conflict` when its id is taken.
    pub async fn create_quota_pool(&self, p: &QuotaPoolRow) -> Result<()> {
        let mut insert = sql("");
        insert.push(&format!("INSERT INTO quota_pools ({COLUMNS}) VALUES "));
        insert.list::<Value>([
            (&p.id).into(),
            (&p.project).into(),
            (&p.edition).into(),
            p.total.into(),
            (&p.status).into(),
            p.expires_ms.into(),
            p.automatic.into(),
            (&p.note).into(),
            p.created_ms.into(),
            p.revision.into(),
        ]);
        self.write(insert).await?;
        Ok(())
    }

    /// Those of these projects and those that all share, oldest first.
    ///
    /// # Errors
    /// Of the database.
    pub async fn quota_pools(&self, scope: &Scope) -> Result<Vec<QuotaPoolRow>> {
        let scope = match scope {
            Scope::All => Scope::All,
            Scope::Projects(list) => {
                let mut list = list.clone();
                list.push(SHARED_POOL.to_owned());
                Scope::Projects(list)
            }
        };
        let mut w = Filter::new();
        w.scope("project", &scope);
        let mut select = w.select(COLUMNS, "quota_pools");
        select.push(" ORDER BY created_ms, id LIMIT 1000");
        self.pools.all(select).await?.iter().map(read).collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn quota_pool(&self, id: &str) -> Result<QuotaPoolRow> {
        let mut w = Filter::new();
        w.value("id =", id);
        let row = self.pools.one(w.select(COLUMNS, "quota_pools")).await?;
        read(&row.ok_or_else(|| StoreError::missing("quota", id))?)
    }

    /// How many hosts of these projects each pool serves.
    ///
    /// # Errors
    /// Of the database.
    pub async fn quota_uses(&self, scope: &Scope) -> Result<HashMap<String, u64>> {
        let mut w = Filter::new();
        w.host_where("host", |h| h.scope("project", scope));
        let mut select = w.select("pool, count(*)", "quota_uses");
        select.push(" GROUP BY pool");
        let rows = self.pools.all(select).await?;
        rows.iter()
            .map(|row| {
                let mut f = row.fields();
                Ok((f.text()?, f.count()?))
            })
            .collect()
    }

    /// Changes total, status, end, automatic binding and note, when the revision is still the one of `p`.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when somebody else was first, or more hosts have it than are left.
    pub async fn update_quota_pool(&self, p: &QuotaPoolRow) -> Result<QuotaPoolRow> {
        let mut tx = self.begin().await?;
        let before = locked(&mut tx, &p.id).await?;
        if before.revision != p.revision {
            return Err(StoreError::Conflict(format!(
                "the quota {:?} is no longer at revision {}: read it again",
                p.id, p.revision
            )));
        }
        let used = super::bind::used(&mut tx, &p.id).await?;
        if p.total >= 0 && used > p.total {
            return Err(StoreError::Conflict(format!(
                "{used} hosts have this quota, more than {}: unbind some first",
                p.total
            )));
        }
        let mut update =
            sql("UPDATE quota_pools SET total = $2, status = $3, expires_ms = $4, automatic = $5, \
             note = $6, revision = revision + 1 WHERE id = $1 RETURNING ")
            .bind(&p.id)
            .bind(p.total)
            .bind(&p.status)
            .bind(p.expires_ms)
            .bind(p.automatic)
            .bind(&p.note);
        update.push(COLUMNS);
        let row = tx.one(update).await?;
        let after = read(&row.ok_or_else(|| StoreError::missing("quota", &p.id))?)?;
        let hosts = if (&before.status, before.expires_ms) == (&after.status, after.expires_ms) {
            Vec::new()
        } else {
            bump_hosts(&mut tx, &p.id).await?
        };
        self.commit(tx).await?;
        self.note_desired(&hosts)?;
        Ok(after)
    }

    /// Deletes one that no host has.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when hosts have it, or somebody changed it.
    pub async fn delete_quota_pool(&self, id: &str, revision: i64) -> Result<()> {
        let mut tx = self.begin().await?;
        let before = locked(&mut tx, id).await?;
        let used = super::bind::used(&mut tx, id).await?;
        if before.revision != revision || used > 0 {
            let why = if used > 0 {
                format!("{used} hosts have it: unbind them")
            } else {
                "it changed: read it again".into()
            };
            return Err(StoreError::Conflict(format!("the quota {id:?} is not deleted: {why}")));
        }
        tx.run(sql("DELETE FROM quota_pools WHERE id = $1").bind(id)).await?;
        self.commit(tx).await
    }

    /// Ends pools whose time is over; which.
    ///
    /// # Errors
    /// Of the database.
    pub async fn expire_quotas(&self, now_ms: i64) -> Result<Vec<QuotaPoolRow>> {
        let mut tx = self.begin().await?;
        let mut update = sql("UPDATE quota_pools SET status = 'expired', revision = revision + 1 \
             WHERE status = 'normal' AND expires_ms > 0 AND expires_ms <= $1 RETURNING ")
        .bind(now_ms);
        update.push(COLUMNS);
        let ended: Vec<QuotaPoolRow> = tx.all(update).await?.iter().map(read).collect::<Result<_>>()?;
        let mut hosts = Vec::new();
        for pool in &ended {
            hosts.extend(bump_hosts(&mut tx, &pool.id).await?);
        }
        self.commit(tx).await?;
        self.note_desired(&hosts)?;
        Ok(ended)
    }
}
