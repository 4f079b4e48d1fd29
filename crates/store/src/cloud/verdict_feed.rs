// SPDX-License-Identifier: Apache-2.0
//! The verdicts of a project by number. A number is taken in the transaction of its row, and the counter stays
//! locked until that is committed: whoever sees a number sees all before it.

use super::verdicts::{VERDICT, read_verdict};
use crate::Store;
use crate::VerdictFeed;
use crate::db::conn::Tx;
use crate::db::sql::{Sql, sql};
use crate::error::{Result, StoreError};

/// The next number of a project.
pub(super) async fn next_number(tx: &mut Tx, project: &str) -> Result<i64> {
    let next = sql("INSERT INTO cloud_feeds (project, feed, number) VALUES ($1, $2, 1) \
         ON CONFLICT (project) DO UPDATE SET number = cloud_feeds.number + 1 RETURNING number")
    .bind(project)
    .bind(uuid::Uuid::now_v7().to_string());
    let row = tx.one(next).await?;
    row.ok_or_else(|| StoreError::Other("a counter gave no number: report this as a defect".to_owned()))?
        .fields()
        .int()
}

impl Store {
    /// The verdicts of a project behind a number, at most `limit`. From 0 on, those that are withdrawn are left
    /// out: who begins there has none of them.
    ///
    /// The feed has another name after the data was put back from a backup (a new incarnation): numbers of
    /// before say nothing then, and who has them begins at 0.
    ///
    /// # Errors
    /// `BadRequest` for a limit that makes no sense.
    pub async fn verdicts_after(&self, project: &str, number: i64, limit: u32) -> Result<VerdictFeed> {
        if limit == 0 || limit > 10_000 {
            return Err(StoreError::BadRequest(format!(
                "a part of a feed has 1 to 10000 verdicts, not {limit}"
            )));
        }
        // The counter first: the rows up to it are there, whatever comes in between.
        let select = sql("SELECT m.value, COALESCE(f.feed, ''), COALESCE(f.number, 0) FROM meta AS m \
             LEFT JOIN cloud_feeds AS f ON f.project = $1 WHERE m.name = 'incarnation'")
        .bind(project);
        let row = self.pools.one(select).await?;
        let row = row.ok_or_else(|| {
            StoreError::Corrupt("the database has no incarnation: run `lazaret-server migrate`".to_owned())
        })?;
        let mut f = row.fields();
        let (incarnation, feed, newest) = (f.text()?, f.text()?, f.int()?);
        let feed = format!("{incarnation}/{feed}");
        let mut select = Sql::built(format!(
            "SELECT {VERDICT} FROM file_verdicts AS t WHERE t.project = $1 AND t.number > $2 AND t.number <= $3{} \
             ORDER BY t.number LIMIT ",
            if number <= 0 { " AND NOT t.withdrawn" } else { "" }
        ))
        .bind(project)
        .bind(number)
        .bind(newest);
        select.arg(i64::from(limit) + 1);
        let mut rows = Vec::new();
        for row in self.pools.all(select).await? {
            rows.push(read_verdict(&mut row.fields())?);
        }
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let to = if more { rows.last().map_or(newest, |r| r.number) } else { newest };
        Ok(VerdictFeed { feed, to, more, rows })
    }
}
