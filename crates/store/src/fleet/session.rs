// SPDX-License-Identifier: Apache-2.0
//! Who is connected where, who is silent.

use super::host::{HOST_COLUMNS, hosts, read_host};
use crate::db::sql::{Sql, sql};
use crate::error::{Result, StoreError};
use crate::{ChangeKind, HostRow, Store};

impl Store {
    /// A session begins: online, held by this gateway. The host as it is from now on.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn set_connected(&self, host: &str, run: &str, gateway: &str, now_ms: i64) -> Result<HostRow> {
        let mut update =
            sql("UPDATE hosts SET run = $2, gateway = $3, stopped = FALSE, silent_told = FALSE, \
             status_ms = CASE WHEN status = 'online' THEN status_ms ELSE $4 END, status = 'online', \
             seen_ms = CASE WHEN seen_ms < $4 THEN $4 ELSE seen_ms END WHERE id = $1 RETURNING ")
            .bind(host)
            .bind(run)
            .bind(gateway)
            .bind(now_ms);
        update.push(HOST_COLUMNS);
        let rows = self.write_all(update).await?;
        let row = rows.first().ok_or_else(|| StoreError::missing("host", host))?;
        let host = read_host(&mut row.fields())?;
        self.note_change(&host.project, ChangeKind::Host, &host.id);
        Ok(host)
    }

    /// A session ended; false when another `run` has taken over since.
    ///
    /// # Errors
    /// Of the database.
    pub async fn set_disconnected(&self, host: &str, run: &str, stopped: bool, now_ms: i64) -> Result<bool> {
        let update = sql(
            "UPDATE hosts SET run = '', gateway = '', status = 'offline', status_ms = $3, stopped = $4, \
             seen_ms = CASE WHEN seen_ms < $3 THEN $3 ELSE seen_ms END \
             WHERE id = $1 AND run = $2 AND run <> '' RETURNING id, project",
        )
        .bind(host)
        .bind(run)
        .bind(now_ms)
        .bind(stopped);
        Ok(self.changed_hosts(update).await? > 0)
    }

    /// Ends all sessions of a gateway instance: at its start, and when it was found dead.
    ///
    /// # Errors
    /// Of the database.
    pub async fn disconnect_gateway(&self, gateway: &str, now_ms: i64) -> Result<u64> {
        let update = sql("UPDATE hosts SET run = '', gateway = '', status = 'offline', status_ms = $2 \
             WHERE gateway = $1 AND gateway <> '' RETURNING id, project")
        .bind(gateway)
        .bind(now_ms);
        self.changed_hosts(update).await
    }

    /// Notes for many hosts when they were heard of; never backwards.
    ///
    /// # Errors
    /// Of the database.
    pub async fn touch_seen(&self, seen: &[(String, i64)]) -> Result<()> {
        // In one order, so that two gateways never wait for each other.
        let mut seen: Vec<_> = seen.iter().collect();
        seen.sort();
        for part in seen.chunks(500) {
            let mut update = Sql::built("UPDATE hosts SET seen_ms = v.column2 FROM (VALUES ".into());
            for (n, (host, at)) in part.iter().enumerate() {
                update.push(if n == 0 { "(" } else { ", (" });
                update.arg(host);
                update.push(", ");
                update.arg(*at);
                update.push(")");
            }
            update.push(") AS v WHERE hosts.id = v.column1 AND hosts.seen_ms < v.column2");
            self.write(update).await?;
        }
        Ok(())
    }

    /// Ids of the hosts that a gateway holds.
    ///
    /// # Errors
    /// Of the database.
    pub async fn hosts_of_gateway(&self, gateway: &str) -> Result<Vec<String>> {
        let select =
            sql("SELECT id FROM hosts WHERE gateway = $1 AND gateway <> '' ORDER BY id").bind(gateway);
        self.pools.all(select).await?.iter().map(|r| r.fields().text()).collect()
    }

    /// Hosts that should be heard of and were not since `before_ms`; each is given until it was told.
    ///
    /// # Errors
    /// Of the database.
    pub async fn silent_hosts(&self, before_ms: i64, limit: u32) -> Result<Vec<HostRow>> {
        let mut select = sql("");
        select.push(&format!(
            "SELECT {HOST_COLUMNS} FROM hosts WHERE status IN ('online', 'offline') AND seen_ms < "
        ));
        select.arg(before_ms);
        select.push(
            " AND NOT stopped AND NOT removed AND NOT revoked AND NOT silent_told ORDER BY seen_ms, id LIMIT ",
        );
        select.arg(limit);
        hosts(&self.pools.all(select).await?)
    }

    /// They are offline, and there is an alarm: not given again until they connect.
    ///
    /// # Errors
    /// Of the database.
    pub async fn set_silent_told(&self, ids: &[String], now_ms: i64) -> Result<()> {
        for part in ids.chunks(500) {
            let mut update = sql("UPDATE hosts SET silent_told = TRUE, run = '', gateway = '', \
                 status_ms = CASE WHEN status = 'offline' THEN status_ms ELSE $1 END, status = 'offline' WHERE id IN ")
            .bind(now_ms);
            update.list(part);
            update.push(" RETURNING id, project");
            self.changed_hosts(update).await?;
        }
        Ok(())
    }
}
