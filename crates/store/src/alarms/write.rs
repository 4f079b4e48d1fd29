// SPDX-License-Identifier: Apache-2.0
//! Alarms into their tables, many at once.

use super::facets::{Facet, Learned, Marks};
use super::row::{Beside, NARROW, REPLACE, narrow, search_of};
use super::texts;
use crate::db::bulk::Bulk;
use crate::db::conn::Tx;
use crate::db::sql::searchable;
use crate::error::{Result, StoreError};
use crate::outbound;
use crate::{AlarmRow, ChangeKind, Position, Store};
use std::collections::BTreeMap;

/// An alarm, and whose it is.
pub(crate) struct Written<'a> {
    pub(crate) alarm: &'a AlarmRow,
    pub(crate) host: &'a str,
    pub(crate) project: &'a str,
    /// Where in the host's journal.
    pub(crate) at: Position,
}

/// Tries before a place that is taken is an error.
pub(crate) const ATTEMPTS: u32 = 8;

/// Another alarm had drawn the same place: to be tried again in a new transaction.
pub(crate) fn met(e: &StoreError) -> bool {
    matches!(e, StoreError::Conflict(t) if t.contains("alarms_pkey") || t.contains("alarms.pos"))
}

/// Writes them; of several with one id the last one of the host that was first. What comes back is to be
/// remembered after the commit.
pub(crate) async fn alarms(
    tx: &mut Tx,
    marks: &Marks,
    attempt: u32,
    list: Vec<Written<'_>>,
) -> Result<Learned> {
    let mut by_id: BTreeMap<&str, Written<'_>> = BTreeMap::new();
    for new in list {
        match by_id.get(new.alarm.id.as_str()) {
            Some(old) if old.host != new.host => {}
            _ => {
                by_id.insert(new.alarm.id.as_str(), new);
            }
        }
    }
    if by_id.is_empty() {
        return Ok(Learned::new());
    }
    let facets = by_id.values().map(|w| Facet::of(w.alarm, w.project)).collect();
    let (numbers, learned) = marks.numbers(tx, facets).await?;
    let beside: Vec<Beside> = by_id
        .values()
        .map(|w| Beside {
            pos: marks.places.draw(w.alarm.last_ms, attempt),
            facet: numbers.get(&Facet::of(w.alarm, w.project)).copied().unwrap_or_default(),
            search: search_of(w.alarm),
            container_search: searchable(&[&w.alarm.container]).replace('\0', "\u{fffd}"),
        })
        .collect();
    let new: Vec<_> = by_id
        .values()
        .zip(&beside)
        .map(|(w, b)| texts::New {
            id: &w.alarm.id,
            host: w.host,
            pos: b.pos,
            search: &b.search,
            container_search: &b.container_search,
        })
        .collect();
    texts::keep(tx, &new).await?;
    let rows = by_id.values().zip(beside).map(|(w, b)| narrow(w.alarm, w.host, w.project, w.at, b)).collect();
    Bulk { head: NARROW, tail: REPLACE }.run(tx, rows).await?;
    let wide = by_id
        .values()
        .map(|w| {
            vec![(&w.alarm.id).into(), w.host.into(), (&w.alarm.cmdline).into(), (&w.alarm.details).into()]
        })
        .collect();
    Bulk {
        head: "INSERT INTO alarm_details (alarm_id, of_host, cmdline, details)",
        tail: "ON CONFLICT (alarm_id) DO UPDATE SET cmdline = excluded.cmdline, details = excluded.details \
               WHERE alarm_details.of_host = excluded.of_host",
    }
    .run(tx, wide)
    .await?;
    let handled: Vec<_> = by_id.values().filter(|w| w.alarm.handled && w.alarm.handled_ms > 0).collect();
    let history = handled
        .iter()
        .map(|w| {
            let a = w.alarm;
            vec![
                (&a.id).into(),
                a.handled_ms.into(),
                (&a.handled_by).into(),
                format!("{}.{}", a.id, a.handled_by).into(),
                w.host.into(),
                w.project.into(),
                (&a.handled_who).into(),
                (&a.remark).into(),
                (&a.title).into(),
                (&a.class).into(),
                a.severity.into(),
            ]
        })
        .collect();
    Bulk {
        head: "INSERT INTO handlings (alarm, at_ms, verb, id, host, project, who, remark, title, class, severity)",
        tail: "ON CONFLICT DO NOTHING",
    }
    .run(tx, history)
    .await?;
    Ok(learned)
}

impl Store {
    /// Alarms of the server's own: a host fell silent, a clone. A later one of the same id replaces it.
    ///
    /// # Errors
    /// Of the database.
    pub async fn put_alarms(&self, list: Vec<AlarmRow>) -> Result<()> {
        let mut attempt = 0;
        loop {
            match self.put(&list, attempt).await {
                Err(e) if met(&e) && attempt < ATTEMPTS => attempt += 1,
                other => break other?,
            }
        }
        for a in &list {
            self.note_change(&a.project, ChangeKind::Alarm, &a.id);
        }
        Ok(())
    }

    async fn put(&self, list: &[AlarmRow], attempt: u32) -> Result<()> {
        let mut tx = self.begin().await?;
        let written = list
            .iter()
            .map(|alarm| Written { alarm, host: &alarm.host, project: &alarm.project, at: alarm.position })
            .collect();
        let learned = alarms(&mut tx, &self.marks, attempt, written).await?;
        outbound::arrive(&mut tx, "alarm", list.iter().map(|a| a.id.as_str())).await?;
        self.commit(tx).await?;
        self.marks.remember(learned);
        Ok(())
    }
}
