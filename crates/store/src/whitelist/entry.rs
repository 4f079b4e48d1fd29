// SPDX-License-Identifier: Apache-2.0
//! One entry: added, changed, removed, ended. The hosts concerned are to apply it.

use super::{COLUMNS, read};
use crate::db::conn::Tx;
use crate::db::sql::{Filter, searchable, sql};
use crate::error::{Result, StoreError};
use crate::fleet::desired::bump;
use crate::{Store, Target, WhitelistRow};

/// Whose desired state an entry is part of.
pub(crate) fn target(e: &WhitelistRow) -> Target {
    match e.scope.as_str() {
        "group" => Target::Group(e.scope_id.clone()),
        "host" => Target::Host(e.scope_id.clone()),
        _ => Target::Project(e.project.clone()),
    }
}

fn search(e: &WhitelistRow) -> String {
    searchable(&[&String::from_utf8_lossy(&e.value), &e.description, &e.owner])
}

pub(crate) async fn insert(tx: &mut Tx, e: &WhitelistRow) -> Result<()> {
    let mut insert = sql("");
    insert.push(&format!("INSERT INTO whitelist ({COLUMNS}, ended, search) VALUES "));
    insert.list::<crate::db::value::Value>([
        (&e.id).into(),
        (&e.project).into(),
        (&e.scope).into(),
        (&e.scope_id).into(),
        (&e.field).into(),
        (&e.judge).into(),
        (&e.value).into(),
        (&e.sha256).into(),
        e.any_content.into(),
        (&e.class).into(),
        (&e.description).into(),
        (&e.owner).into(),
        (&e.added_by).into(),
        e.added_ms.into(),
        e.expires_ms.into(),
        (&e.alarm).into(),
        e.hits_total.into(),
        e.hits_today.into(),
        e.hits_day.into(),
        e.last_hit_ms.into(),
        false.into(),
        search(e).into(),
    ]);
    tx.run(insert).await?;
    Ok(())
}

impl Store {
    /// Adds an entry.
    ///
    /// # Errors
    /// `Conflict` when the id is taken.
    pub async fn add_whitelist(&self, e: &WhitelistRow) -> Result<()> {
        let mut tx = self.begin().await?;
        insert(&mut tx, e).await?;
        let hosts = bump(&mut tx, &target(e)).await?;
        self.commit(tx).await?;
        self.note_desired(&hosts)?;
        Ok(())
    }

    /// One entry.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn whitelist_entry(&self, id: &str) -> Result<WhitelistRow> {
        let mut w = Filter::new();
        w.value("id =", id);
        let row = self.pools.one(w.select(COLUMNS, "whitelist")).await?;
        read(&mut row.ok_or_else(|| StoreError::missing("whitelist entry", id))?.fields())
    }

    /// Changes description, owner, expiry and class; what it matches is never changed.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn update_whitelist(&self, e: &WhitelistRow) -> Result<WhitelistRow> {
        let mut tx = self.begin().await?;
        let mut update =
            sql("UPDATE whitelist SET description = $2, owner = $3, expires_ms = $4, class = $5, \
             search = $6, ended = FALSE WHERE id = $1 RETURNING ")
            .bind(&e.id)
            .bind(&e.description)
            .bind(&e.owner)
            .bind(e.expires_ms)
            .bind(&e.class)
            .bind(search(e));
        update.push(COLUMNS);
        let row = tx.one(update).await?.ok_or_else(|| StoreError::missing("whitelist entry", &e.id))?;
        let now = read(&mut row.fields())?;
        let hosts = bump(&mut tx, &target(&now)).await?;
        self.commit(tx).await?;
        self.note_desired(&hosts)?;
        Ok(now)
    }

    /// Removes entries and their shadow reports; how many there were.
    ///
    /// # Errors
    /// Of the database.
    pub async fn remove_whitelist(&self, ids: &[String]) -> Result<u64> {
        let mut tx = self.begin().await?;
        let mut gone = Vec::new();
        for part in ids.chunks(500) {
            let mut delete = sql("DELETE FROM whitelist WHERE id IN ");
            delete.list(part);
            delete.push(" RETURNING ");
            delete.push(COLUMNS);
            for row in tx.all(delete).await? {
                gone.push(read(&mut row.fields())?);
            }
            let mut delete = sql("DELETE FROM whitelist_hits WHERE entry IN ");
            delete.list(part);
            tx.run(delete).await?;
        }
        let hosts = bump_all(&mut tx, &gone).await?;
        self.commit(tx).await?;
        self.note_desired(&hosts)?;
        Ok(gone.len() as u64)
    }

    /// Entries whose time is over since the last call; the hosts concerned are to forget them.
    ///
    /// # Errors
    /// Of the database.
    pub async fn expire_whitelist(&self, now_ms: i64) -> Result<Vec<WhitelistRow>> {
        let mut tx = self.begin().await?;
        let mut update =
            sql("UPDATE whitelist SET ended = TRUE WHERE expires_ms > 0 AND NOT ended AND expires_ms <= $1 RETURNING ")
                .bind(now_ms);
        update.push(COLUMNS);
        let ended = tx
            .all(update)
            .await?
            .iter()
            .map(|r| read(&mut r.fields()))
            .collect::<Result<Vec<WhitelistRow>>>()?;
        let hosts = bump_all(&mut tx, &ended).await?;
        self.commit(tx).await?;
        self.note_desired(&hosts)?;
        Ok(ended)
    }
}

async fn bump_all(tx: &mut Tx, entries: &[WhitelistRow]) -> Result<Vec<crate::db::value::Row>> {
    let mut targets: Vec<Target> = Vec::new();
    for e in entries {
        let target = target(e);
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    let mut hosts = Vec::new();
    for target in &targets {
        hosts.extend(bump(tx, target).await?);
    }
    Ok(hosts)
}
