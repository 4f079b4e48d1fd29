// SPDX-License-Identifier: Apache-2.0
//! Old alarms go, in portions; what they leave behind stays.

use super::handle::keep_titles;
use super::{days, place, texts};
use crate::Store;
use crate::db::sql::sql;
use crate::error::Result;

impl Store {
    /// Deletes alarms that are from before and came before, at most `limit`; how many it deleted. A host whose
    /// clock is behind does not lose its alarms early. Isolated files stay with the title of their alarm, and so
    /// does the history. What is wide of days that are over is left to [`Store::drop_alarm_days`].
    ///
    /// # Errors
    /// Of the database.
    pub async fn delete_alarms_before(&self, before_ms: i64, limit: u32) -> Result<u64> {
        let mut tx = self.begin().await?;
        let select =
            sql("SELECT id, pos FROM alarms WHERE pos < $1 AND received_ms < $2 ORDER BY pos LIMIT $3")
                .bind(place::begin_of(before_ms))
                .bind(before_ms)
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
            days::delete(&mut tx, part, before_ms).await?;
            let mut delete = sql("DELETE FROM alarms WHERE id IN ");
            delete.list(part);
            n += tx.run(delete).await?;
        }
        tx.commit().await?;
        Ok(n)
    }
}
