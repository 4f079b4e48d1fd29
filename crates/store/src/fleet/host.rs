// SPDX-License-Identifier: Apache-2.0
//! One host: enrolled, looked at, changed, removed.

use crate::cloud;
use crate::db::conn::Tx;
use crate::db::sql::{searchable, sql};
use crate::db::value::{Fields, Row};
use crate::error::{Result, StoreError};
use crate::quotas;
use crate::{ChangeKind, HostFacts, HostRow, Position, Store};

/// As `read_host` reads them.
pub(crate) const HOST_COLUMNS: &str = "id, project, host_group, name, status, importance, version, os, kernel, arch, \
     addresses, content_version, protection, protection_reason, enrolled_ms, seen_ms, status_ms, stopped, revoked, \
     removed, generation, generation_applied, refused, acked_epoch, acked_seq, run, gateway, machine_id, boot_id, \
     serial, certificate_until_ms, report";

pub(crate) fn read_host(f: &mut Fields<'_>) -> Result<HostRow> {
    Ok(HostRow {
        id: f.text()?,
        project: f.text()?,
        group: f.maybe_text()?,
        name: f.text()?,
        status: f.text()?,
        importance: f.text()?,
        version: f.text()?,
        os: f.text()?,
        kernel: f.text()?,
        arch: f.text()?,
        addresses: f.text()?,
        content_version: f.text()?,
        protection: f.text()?,
        protection_reason: f.text()?,
        enrolled_ms: f.int()?,
        seen_ms: f.int()?,
        status_ms: f.int()?,
        stopped: f.flag()?,
        revoked: f.flag()?,
        removed: f.flag()?,
        generation: f.int()?,
        generation_applied: f.int()?,
        refused: f.text()?,
        acked: f.position()?,
        run: f.text()?,
        gateway: f.text()?,
        machine_id: f.text()?,
        boot_id: f.text()?,
        serial: f.text()?,
        certificate_until_ms: f.int()?,
        report: f.bytes()?,
    })
}

pub(super) fn hosts(rows: &[Row]) -> Result<Vec<HostRow>> {
    rows.iter().map(|r| read_host(&mut r.fields())).collect()
}

impl Store {
    /// Takes a host in.
    ///
    /// # Errors
    /// `Conflict` when the id is taken or project or group do not exist.
    pub async fn insert_host(&self, h: &HostRow) -> Result<()> {
        let mut insert = sql("");
        insert.push(&format!("INSERT INTO hosts ({HOST_COLUMNS}, silent_told, name_search, search) VALUES "));
        let values: Vec<crate::db::value::Value> = vec![
            (&h.id).into(),
            (&h.project).into(),
            (&h.group).into(),
            (&h.name).into(),
            (&h.status).into(),
            (&h.importance).into(),
            (&h.version).into(),
            (&h.os).into(),
            (&h.kernel).into(),
            (&h.arch).into(),
            (&h.addresses).into(),
            (&h.content_version).into(),
            (&h.protection).into(),
            (&h.protection_reason).into(),
            h.enrolled_ms.into(),
            h.seen_ms.into(),
            h.status_ms.into(),
            h.stopped.into(),
            h.revoked.into(),
            h.removed.into(),
            h.generation.into(),
            h.generation_applied.into(),
            (&h.refused).into(),
            h.acked.epoch.into(),
            h.acked.seq.into(),
            (&h.run).into(),
            (&h.gateway).into(),
            (&h.machine_id).into(),
            (&h.boot_id).into(),
            (&h.serial).into(),
            h.certificate_until_ms.into(),
            (&h.report).into(),
            false.into(),
            searchable(&[&h.name]).into(),
            searchable(&[&h.name, &h.id, &h.addresses]).into(),
        ];
        insert.list(values);
        let mut tx = self.begin().await?;
        tx.run(insert).await?;
        quotas::automatic(&mut tx, &h.id, &h.project, h.enrolled_ms).await?;
        self.commit(tx).await?;
        self.note_change(&h.project, ChangeKind::Host, &h.id);
        Ok(())
    }

    /// One host, also a removed one.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn host(&self, id: &str) -> Result<HostRow> {
        let mut select = sql("");
        select.push(&format!("SELECT {HOST_COLUMNS} FROM hosts WHERE id = "));
        select.arg(id);
        let row = self.pools.one(select).await?.ok_or_else(|| StoreError::missing("host", id))?;
        read_host(&mut row.fields())
    }

    /// Those that said they are this machine, to tell clones and old enrolments.
    ///
    /// # Errors
    /// Of the database.
    pub async fn host_by_machine(&self, machine_id: &str) -> Result<Vec<HostRow>> {
        let mut select = sql("");
        select.push(&format!("SELECT {HOST_COLUMNS} FROM hosts WHERE machine_id = "));
        select.arg(machine_id);
        select.push(" ORDER BY enrolled_ms, id LIMIT 100");
        hosts(&self.pools.all(select).await?)
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn update_facts(&self, host: &str, facts: &HostFacts, now_ms: i64) -> Result<()> {
        let update = sql(
            "UPDATE hosts SET name = $2, version = $3, os = $4, kernel = $5, arch = $6, addresses = $7, \
             content_version = $8, protection = $9, protection_reason = $10, report = $11, \
             machine_id = CASE WHEN $12 = '' THEN machine_id ELSE $12 END, \
             boot_id = CASE WHEN $13 = '' THEN boot_id ELSE $13 END, \
             name_search = $14, search = $15, \
             seen_ms = CASE WHEN seen_ms < $16 THEN $16 ELSE seen_ms END WHERE id = $1 RETURNING project",
        )
        .bind(host)
        .bind(&facts.name)
        .bind(&facts.version)
        .bind(&facts.os)
        .bind(&facts.kernel)
        .bind(&facts.arch)
        .bind(&facts.addresses)
        .bind(&facts.content_version)
        .bind(&facts.protection)
        .bind(&facts.protection_reason)
        .bind(&facts.report)
        .bind(&facts.machine_id)
        .bind(&facts.boot_id)
        .bind(searchable(&[&facts.name]))
        .bind(searchable(&[&facts.name, host, &facts.addresses]))
        .bind(now_ms);
        self.changed_host(update, host).await
    }

    /// Sets the status; false when it was that already.
    ///
    /// # Errors
    /// Of the database.
    pub async fn set_host_status(&self, host: &str, status: &str, now_ms: i64) -> Result<bool> {
        let update = sql("UPDATE hosts SET status = $2, status_ms = $3 WHERE id = $1 AND status <> $2 \
             RETURNING id, project")
        .bind(host)
        .bind(status)
        .bind(now_ms);
        Ok(self.changed_hosts(update).await? > 0)
    }

    /// The certificate that it has from now on.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn set_certificate(&self, host: &str, serial: &str, until_ms: i64) -> Result<()> {
        let update =
            sql("UPDATE hosts SET serial = $2, certificate_until_ms = $3 WHERE id = $1 RETURNING project")
                .bind(host)
                .bind(serial)
                .bind(until_ms);
        self.changed_host(update, host).await
    }

    /// Its certificate is no longer taken.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn revoke_host(&self, host: &str) -> Result<()> {
        self.changed_host(
            sql("UPDATE hosts SET revoked = TRUE WHERE id = $1 RETURNING project").bind(host),
            host,
        )
        .await
    }

    /// Removes it: revoked, its open commands cancelled; its alarms and isolated files stay.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn remove_host(&self, host: &str, now_ms: i64) -> Result<()> {
        let mut tx = self.begin().await?;
        let update =
            sql("UPDATE hosts SET removed = TRUE, revoked = TRUE, status = 'not_installed', status_ms = $2 \
             WHERE id = $1 RETURNING project")
            .bind(host)
            .bind(now_ms);
        let row = tx.one(update).await?.ok_or_else(|| StoreError::missing("host", host))?;
        let project = row.fields().text()?;
        quotas::release(&mut tx, host).await?;
        cloud::forget_host(&mut tx, &project, host, now_ms).await?;
        tx.run(
            sql(
                "UPDATE commands SET state = 'cancelled', reason = 'the host was removed', finished_ms = $2 \
                 WHERE host = $1 AND state IN ('pending', 'sent')",
            )
            .bind(host)
            .bind(now_ms),
        )
        .await?;
        self.commit(tx).await?;
        self.note_change(&project, ChangeKind::Host, host);
        self.note_change(&project, ChangeKind::Command, host);
        Ok(())
    }

    /// After a fork of its journal, or when it was pruned: the next record is the one behind this.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn reset_acked(&self, host: &str, position: Position) -> Result<()> {
        let update = sql("UPDATE hosts SET acked_epoch = $2, acked_seq = $3 WHERE id = $1 RETURNING project")
            .bind(host)
            .bind(position.epoch)
            .bind(position.seq);
        self.changed_host(update, host).await
    }

    /// An update of one host that returns its project.
    pub(super) async fn changed_host(&self, update: crate::db::sql::Sql, host: &str) -> Result<()> {
        let rows = self.write_all(update).await?;
        let row = rows.first().ok_or_else(|| StoreError::missing("host", host))?;
        self.note_change(&row.fields().text()?, ChangeKind::Host, host);
        Ok(())
    }

    /// An update of many that returns id and project.
    pub(super) async fn changed_hosts(&self, update: crate::db::sql::Sql) -> Result<u64> {
        let rows = self.write_all(update).await?;
        self.note_hosts(&rows)
    }

    pub(super) fn note_hosts(&self, rows: &[Row]) -> Result<u64> {
        for row in rows {
            let mut f = row.fields();
            let (id, project) = (f.text()?, f.text()?);
            self.note_change(&project, ChangeKind::Host, &id);
        }
        Ok(rows.len() as u64)
    }
}

/// The project of a host, in a transaction.
pub(crate) async fn project_of(tx: &mut Tx, host: &str) -> Result<String> {
    let row = tx.one(sql("SELECT project FROM hosts WHERE id = $1").bind(host)).await?;
    row.ok_or_else(|| StoreError::missing("host", host))?.fields().text()
}
