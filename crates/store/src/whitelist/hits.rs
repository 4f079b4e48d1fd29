// SPDX-License-Identifier: Apache-2.0
//! Counting what entries let through.

use crate::db::conn::Tx;
use crate::db::sql::sql;
use crate::error::Result;
use crate::fleet::project_of;
use crate::{Hit, Store};

const DAY_MS: i64 = 86_400_000;
/// Lines of an entry's shadow report.
const KEPT: i64 = 1000;

/// Host, its project, hit. Entries of other projects, and unknown ones, are passed over.
pub(crate) async fn count(tx: &mut Tx, mut list: Vec<(&str, &str, &Hit)>) -> Result<()> {
    // In one order, so that two gateways never wait for each other.
    list.sort_by(|a, b| a.2.entry.cmp(&b.2.entry));
    for (host, project, hit) in list {
        let n = hit.count.clamp(0, 1_000_000_000);
        let update = sql("UPDATE whitelist SET hits_total = hits_total + $3, \
             hits_today = CASE WHEN hits_day > $4 THEN hits_today WHEN hits_day = $4 THEN hits_today + $3 \
             ELSE $3 END, \
             hits_day = CASE WHEN hits_day > $4 THEN hits_day ELSE $4 END, \
             last_hit_ms = CASE WHEN last_hit_ms > $5 THEN last_hit_ms ELSE $5 END \
             WHERE id = $1 AND project = $2")
        .bind(&hit.entry)
        .bind(project)
        .bind(n)
        .bind(hit.last_ms.div_euclid(DAY_MS))
        .bind(hit.last_ms);
        if tx.run(update).await? == 0 {
            continue;
        }
        let insert = sql("INSERT INTO whitelist_hits (entry, host, at_ms, hits, path, sha256) \
             VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(&hit.entry)
        .bind(host)
        .bind(hit.last_ms)
        .bind(n)
        .bind(&hit.path)
        .bind(&hit.sha256);
        tx.run(insert).await?;
        let prune = sql("DELETE FROM whitelist_hits WHERE entry = $1 AND seq <= \
             (SELECT seq FROM whitelist_hits WHERE entry = $1 ORDER BY seq DESC LIMIT 1 OFFSET $2)")
        .bind(&hit.entry)
        .bind(KEPT);
        tx.run(prune).await?;
    }
    Ok(())
}

impl Store {
    /// Counts hits that the server itself saw on a host (alarms that an entry suppresses).
    ///
    /// # Errors
    /// `NotFound` for an unknown host.
    pub async fn count_hits(&self, host: &str, hits: &[Hit]) -> Result<()> {
        let mut tx = self.begin().await?;
        let project = project_of(&mut tx, host).await?;
        count(&mut tx, hits.iter().map(|h| (host, project.as_str(), h)).collect()).await?;
        tx.commit().await
    }
}
