// SPDX-License-Identifier: Apache-2.0
//! On PostgreSQL what is wide of alarms lies in partitions by the day of their birth, so that a day goes
//! at once.
//!
//! An alarm's id is a UUIDv7: it begins with the time of birth, never changes, and as text it is in the
//! order of time. The partitions of `alarm_details` are ranges of ids: the key stays the id alone, and an
//! alarm that comes again finds its row whatever day it is. `alarms` itself is one table: its key is the
//! place in the list, and lists of a table in partitions are many times slower (docs/adr/0015). What has an
//! id of another kind, or of a day without a partition, lies in the default partition and is deleted row by
//! row.

use crate::Store;
use crate::db::conn::Tx;
use crate::db::sql::sql;
use crate::error::Result;

/// One day.
const DAY_MS: i64 = 86_400_000;
/// Days for which there are partitions before they begin: a server may be stopped for so long, and
/// clocks of hosts may be ahead.
const AHEAD: i64 = 7;
/// How the name of a day's partition begins.
const PREFIX: &str = "alarm_details_d";
/// Nobody else makes or drops partitions meanwhile.
const LOCK: i64 = 0x6c61_7a61_7265_7402;

/// What every id of that time or later is not below.
fn bound(ms: i64) -> String {
    let ms = ms.max(0);
    format!("{:08x}-{:04x}", ms >> 16, ms & 0xffff)
}

/// `20261126`.
fn name_of(day: i64) -> String {
    // Days to a civil date: Howard Hinnant's algorithm.
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (d, m) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    let y = yoe + era * 400 + i64::from(m <= 2);
    format!("{y:04}{m:02}{d:02}")
}

/// The day of a partition.
fn day_of(partition: &str) -> Option<i64> {
    let digits = partition.strip_prefix(PREFIX)?;
    let (y, m, d) = (digits.get(..4)?, digits.get(4..6)?, digits.get(6..8)?);
    let (y, m, d): (i64, i64, i64) = (y.parse().ok()?, m.parse().ok()?, d.parse().ok()?);
    let y = if m <= 2 { y - 1 } else { y };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (if m > 2 { m - 3 } else { m + 9 }) + 2) / 5 + d - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    let day = era * 146_097 + doe - 719_468;
    (name_of(day) == digits).then_some(day)
}

async fn partitions(tx: &mut Tx) -> Result<Vec<String>> {
    let select = sql("SELECT CAST(c.relname AS TEXT) FROM pg_catalog.pg_inherits i \
         JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid \
         WHERE i.inhparent = CAST('alarm_details' AS regclass) ORDER BY 1");
    tx.all(select).await?.iter().map(|r| r.fields().text()).collect()
}

/// Makes the partitions of yesterday to next week that are not there; nothing on SQLite.
pub(crate) async fn prepare(tx: &mut Tx, now_ms: i64) -> Result<()> {
    prepare_from(tx, now_ms / DAY_MS - 1, now_ms).await
}

/// The same from a day on.
pub(crate) async fn prepare_from(tx: &mut Tx, first: i64, now_ms: i64) -> Result<()> {
    if !tx.is_postgres() {
        return Ok(());
    }
    tx.lock(LOCK).await?;
    let known = partitions(tx).await?;
    for day in first.max(0)..=now_ms / DAY_MS + AHEAD {
        let name = format!("{PREFIX}{}", name_of(day));
        if known.contains(&name) {
            continue;
        }
        let (low, high) = (bound(day * DAY_MS), bound((day + 1) * DAY_MS));
        // What came before its day (a clock that is ahead) lies in the default partition, which may not
        // hold what belongs to another one.
        tx.script(&format!(
            "CREATE TABLE {name} (LIKE alarm_details INCLUDING DEFAULTS INCLUDING CONSTRAINTS);\
             WITH moved AS (DELETE FROM alarm_details_rest WHERE alarm_id >= '{low}' AND alarm_id < '{high}' \
             RETURNING *) INSERT INTO {name} SELECT * FROM moved;\
             ALTER TABLE alarm_details ATTACH PARTITION {name} FOR VALUES FROM ('{low}') TO ('{high}')"
        ))
        .await?;
    }
    Ok(())
}

/// The first day that does not go as a whole when what is from before goes.
fn first_kept(before_ms: i64) -> i64 {
    before_ms.max(0) / DAY_MS
}

/// Deletes what is wide of alarms that go; on PostgreSQL without what lies in days that are over.
pub(super) async fn delete(tx: &mut Tx, ids: &[String], before_ms: i64) -> Result<()> {
    if tx.is_postgres() {
        let mut delete = sql("DELETE FROM alarm_details_rest WHERE alarm_id IN ");
        delete.list(ids);
        tx.run(delete).await?;
        let kept = bound(first_kept(before_ms) * DAY_MS);
        let ids: Vec<&String> = ids.iter().filter(|id| **id >= kept).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let mut delete = sql("DELETE FROM alarm_details WHERE alarm_id IN ");
        delete.list(ids);
        tx.run(delete).await?;
        return Ok(());
    }
    let mut delete = sql("DELETE FROM alarm_details WHERE alarm_id IN ");
    delete.list(ids);
    tx.run(delete).await?;
    Ok(())
}

impl Store {
    /// Makes the partitions of the days to come; nothing on SQLite.
    ///
    /// # Errors
    /// Of the database.
    pub async fn prepare_alarm_days(&self, now_ms: i64) -> Result<()> {
        if !self.is_postgres() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        prepare(&mut tx, now_ms).await?;
        tx.commit().await
    }

    /// Drops what is wide of the days that ended before; how many days. What belongs to alarms that are
    /// still there stays: they came again since, or came late. So it comes behind
    /// [`Store::delete_alarms_before`]. Nothing on SQLite.
    ///
    /// # Errors
    /// Of the database.
    pub async fn drop_alarm_days(&self, before_ms: i64) -> Result<u64> {
        if !self.is_postgres() {
            return Ok(0);
        }
        let mut dropped = 0;
        loop {
            // One day in one transaction: the locks are held for a moment.
            let mut tx = self.begin().await?;
            tx.lock(LOCK).await?;
            let old = partitions(&mut tx)
                .await?
                .into_iter()
                .find_map(|p| day_of(&p).filter(|day| *day < first_kept(before_ms)));
            let Some(day) = old else { return Ok(dropped) };
            let name = format!("{PREFIX}{}", name_of(day));
            let (low, high) = (bound(day * DAY_MS), bound((day + 1) * DAY_MS));
            tx.script(&format!(
                "ALTER TABLE alarm_details DETACH PARTITION {name};\
                 INSERT INTO alarm_details SELECT {name}.* FROM {name} JOIN alarms ON id = alarm_id \
                 WHERE id >= '{low}' AND id < '{high}';\
                 DROP TABLE {name}"
            ))
            .await?;
            tx.commit().await?;
            dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_names_and_come_back() {
        for (day, name) in [(0, "19700101"), (19_782, "20240229"), (20_783, "20261126"), (20_819, "20270101")]
        {
            assert_eq!(name_of(day), name);
            assert_eq!(day_of(&format!("alarm_details_d{name}")), Some(day));
        }
        for other in [
            "alarm_details_rest",
            "alarm_details_d2026",
            "alarm_details_d20261301",
            "alarm_details_dxxxxxxxx",
            "alarms_d20261126",
        ] {
            assert_eq!(day_of(other), None, "{other}");
        }
    }

    #[test]
    fn an_id_is_within_its_day() {
        let ms = 20_783 * DAY_MS;
        let id = |ms: i64| {
            let seconds = u64::try_from(ms / 1000).unwrap();
            let nanos = u32::try_from(ms % 1000).unwrap() * 1_000_000;
            uuid::Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos)).to_string()
        };
        for at in [ms, ms + 1, ms + DAY_MS - 1] {
            assert!(id(at) >= bound(ms) && id(at) < bound(ms + DAY_MS), "{at}");
        }
        assert!(id(ms - 1) < bound(ms) && id(ms + DAY_MS) >= bound(ms + DAY_MS));
    }
}
