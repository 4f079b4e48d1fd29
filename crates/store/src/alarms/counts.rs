// SPDX-License-Identifier: Apache-2.0
//! How many alarms there are of each kind.

use super::filter::filter;
use crate::db::sql::Sql;
use crate::error::Result;
use crate::fleet::add;
use crate::{AlarmCounts, AlarmFilter, Scope, Store};

impl Store {
    /// How many there are of each kind.
    ///
    /// # Errors
    /// Of the database.
    pub async fn alarm_counts(&self, scope: &Scope, asked: &AlarmFilter) -> Result<AlarmCounts> {
        let inner = filter(scope, asked).select(
            "severity, class, rating, handled, last_ms / 86400000 AS day, host, count(*) AS n",
            "alarms",
        );
        let mut sql = Sql::built(format!(
            "SELECT severity, class, rating, handled, day, COALESCE(hosts.importance, ''), CAST(sum(n) AS BIGINT) \
             FROM ({} GROUP BY severity, class, rating, handled, last_ms / 86400000, host) AS grouped \
             LEFT JOIN hosts ON hosts.id = grouped.host \
             GROUP BY severity, class, rating, handled, day, COALESCE(hosts.importance, '')",
            inner.text
        ));
        sql.args = inner.args;
        let mut counts = AlarmCounts::default();
        for row in self.pools.all(sql).await? {
            let mut f = row.fields();
            let (severity, class, rating) = (f.int()?, f.text()?, f.text()?);
            let (handled, day, importance, n) = (f.flag()?, f.int()?, f.text()?, f.count()?);
            counts.total += n;
            add(&mut counts.severity, severity, n);
            add(&mut counts.class, class, n);
            add(&mut counts.rating, rating, n);
            add(&mut counts.day, day, n);
            add(&mut counts.importance, importance, n);
            *(if handled { &mut counts.handled } else { &mut counts.unhandled }) += n;
        }
        Ok(counts)
    }
}
