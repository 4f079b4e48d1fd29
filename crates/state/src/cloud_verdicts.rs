// SPDX-License-Identifier: Apache-2.0
//! The server's verdicts on hashes, with how far this host has come in their numbering.

use crate::error::While as _;
use crate::{Database, StateError};
use lazaret_model::Sha256;
use rusqlite::{OptionalExtension as _, Transaction, params};

/// The setting that holds the place in the feed.
const PLACE: &str = "cloud_feed";

/// How far a host has come: it has everything of that feed up to the number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Feed {
    /// Names a numbering; empty before the first one.
    pub name: String,
    /// The last number.
    pub number: u64,
}

/// A verdict as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudVerdictRow {
    /// On which content.
    pub sha256: Sha256,
    /// Its place in the feed.
    pub number: u64,
    /// The whole message, encoded.
    pub verdict: Vec<u8>,
    /// It does not hold any more.
    pub withdrawn: bool,
    /// This host's ring is reached.
    pub act: bool,
    /// What follows of it was done on this host.
    pub done: bool,
}

/// What has to be known of a verdict all the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownVerdict {
    /// Its place in the feed.
    pub number: u64,
    /// It does not hold any more.
    pub withdrawn: bool,
    /// This host's ring is reached.
    pub act: bool,
}

fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl Database {
    /// How far this host has come.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn cloud_feed(&self) -> Result<Feed, StateError> {
        let text = self.setting(PLACE)?.unwrap_or_default();
        let (digits, name) = text.split_once(' ').unwrap_or_default();
        Ok(Feed { name: name.to_owned(), number: digits.parse().unwrap_or(0) })
    }

    /// Keeps verdicts, the newest of each content, and with them the place in the feed; of all of them only
    /// the newest `at_most`. `all_up_to_here`: what else stands there with a number up to that place is
    /// dropped, and everything of another feed. Gives those that were news.
    ///
    /// # Errors
    /// When SQLite cannot write; none is kept then.
    pub fn put_cloud_verdicts(
        &self,
        place: Option<&Feed>,
        all_up_to_here: bool,
        rows: &[CloudVerdictRow],
        at_most: u32,
    ) -> Result<Vec<CloudVerdictRow>, StateError> {
        let before = self.cloud_feed()?;
        let mut connection = self.lock();
        let tx = connection.transaction().while_to("store verdicts")?;
        let news = put(&tx, &before, place, all_up_to_here, rows, at_most).while_to("store verdicts")?;
        tx.commit().while_to("store verdicts")?;
        Ok(news)
    }

    /// The verdict on a content.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn cloud_verdict(&self, sha256: Sha256) -> Result<Option<CloudVerdictRow>, StateError> {
        self.lock()
            .prepare_cached(
                "SELECT sha256, number, verdict, withdrawn, act, done FROM cloud_verdicts WHERE sha256 = ?1",
            )
            .and_then(|mut s| s.query_row([sha256.0], row).optional())
            .while_to("look a verdict up")
    }

    /// All verdicts, without what they say.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn known_cloud_verdicts(&self) -> Result<Vec<(Sha256, KnownVerdict)>, StateError> {
        self.lock()
            .prepare("SELECT sha256, number, withdrawn, act FROM cloud_verdicts")
            .and_then(|mut s| {
                s.query_map([], |r| {
                    let n: i64 = r.get(1)?;
                    let known =
                        KnownVerdict { number: n.cast_unsigned(), withdrawn: r.get(2)?, act: r.get(3)? };
                    Ok((Sha256(r.get(0)?), known))
                })?
                .collect()
            })
            .while_to("list verdicts")
    }

    /// Verdicts that still have to be acted on, in their order.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn undone_cloud_verdicts(&self, limit: u32) -> Result<Vec<CloudVerdictRow>, StateError> {
        self.lock()
            .prepare_cached(
                "SELECT sha256, number, verdict, withdrawn, act, done FROM cloud_verdicts WHERE done = 0 \
                 ORDER BY number LIMIT ?1",
            )
            .and_then(|mut s| s.query_map([limit], row)?.collect())
            .while_to("list verdicts to act on")
    }

    /// These were acted on; one that changed meanwhile stays to be.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn cloud_verdicts_done(&self, rows: &[CloudVerdictRow]) -> Result<(), StateError> {
        let mut connection = self.lock();
        let tx = connection.transaction().while_to("note verdicts")?;
        for one in rows {
            tx.prepare_cached("UPDATE cloud_verdicts SET done = 1 WHERE sha256 = ?1 AND number = ?2")
                .and_then(|mut s| s.execute(params![one.sha256.0, number(one.number)]))
                .while_to("note a verdict")?;
        }
        tx.commit().while_to("note verdicts")
    }
}

fn row(r: &rusqlite::Row<'_>) -> rusqlite::Result<CloudVerdictRow> {
    let n: i64 = r.get(1)?;
    Ok(CloudVerdictRow {
        sha256: Sha256(r.get(0)?),
        number: n.cast_unsigned(),
        verdict: r.get(2)?,
        withdrawn: r.get(3)?,
        act: r.get(4)?,
        done: r.get(5)?,
    })
}

fn put(
    tx: &Transaction<'_>,
    before: &Feed,
    place: Option<&Feed>,
    all_up_to_here: bool,
    rows: &[CloudVerdictRow],
    at_most: u32,
) -> rusqlite::Result<Vec<CloudVerdictRow>> {
    if let Some(place) = place.filter(|_| all_up_to_here) {
        if place.name == before.name {
            let listed: std::collections::HashSet<Sha256> = rows.iter().map(|r| r.sha256).collect();
            let there: Vec<Sha256> = tx
                .prepare_cached("SELECT sha256 FROM cloud_verdicts WHERE number <= ?1")?
                .query_map([number(place.number)], |r| r.get(0).map(Sha256))?
                .collect::<rusqlite::Result<_>>()?;
            for sha256 in there.iter().filter(|s| !listed.contains(s)) {
                tx.prepare_cached("DELETE FROM cloud_verdicts WHERE sha256 = ?1")?.execute([sha256.0])?;
            }
        } else {
            tx.execute("DELETE FROM cloud_verdicts", [])?;
        }
    }
    let mut news = Vec::new();
    for one in rows {
        let changed = tx
            .prepare_cached(
                "INSERT INTO cloud_verdicts (sha256, number, verdict, withdrawn, act, done) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (sha256) DO UPDATE SET number = excluded.number, \
                 verdict = excluded.verdict, withdrawn = excluded.withdrawn, act = excluded.act, done = excluded.done \
                 WHERE excluded.number > cloud_verdicts.number",
            )?
            .execute(params![
                one.sha256.0,
                number(one.number),
                one.verdict,
                one.withdrawn,
                one.act,
                one.done
            ])?;
        if changed > 0 {
            news.push(one.clone());
        }
    }
    tx.execute(
        "DELETE FROM cloud_verdicts WHERE number < \
         (SELECT number FROM cloud_verdicts ORDER BY number DESC LIMIT 1 OFFSET ?1)",
        [at_most.saturating_sub(1)],
    )?;
    if let Some(place) = place {
        tx.execute(
            "INSERT OR REPLACE INTO settings (key, value) VALUES (?1, ?2)",
            params![PLACE, format!("{} {}", place.number, place.name)],
        )?;
    }
    Ok(news)
}
