// SPDX-License-Identifier: Apache-2.0
//! Old alarms go, in portions; what they leave behind stays.

use super::handle::keep_titles;
use super::{place, texts};
use crate::Store;
use crate::db::sql::{Sql, sql};
use crate::error::Result;

impl Store {
    /// Deletes alarms whose `last_ms` is before, at most `limit`; how many it deleted. Isolated files stay
    /// with the title of their alarm, and so does the history.
    ///
    /// # Errors
    /// Of the database.
    pub async fn delete_alarms_before(&self, before_ms: i64, limit: u32) -> Result<u64> {
        let mut tx = self.begin().await?;
        let select = sql("SELECT id, pos FROM alarms WHERE pos < $1 ORDER BY pos LIMIT $2")
            .bind(place::begin_of(before_ms))
            .bind(limit);
        let (mut ids, mut places) = (Vec::new(), Vec::new());
        for row in tx.all(select).await? {
            let mut f = row.fields();
            ids.push(f.text()?);
            places.push(f.int()?);
        }
        texts::forget(&mut tx, &places).await?;
        let mut n = 0;
        for part in ids.chunks(500) {
            tx.run(keep_titles(part)).await?;
            let delete = |head: &str| {
                let mut delete = Sql::built(head.to_owned());
                delete.list(part);
                delete
            };
            tx.run(delete("DELETE FROM alarm_details WHERE alarm_id IN ")).await?;
            n += tx.run(delete("DELETE FROM alarms WHERE id IN ")).await?;
        }
        tx.commit().await?;
        Ok(n)
    }
}
