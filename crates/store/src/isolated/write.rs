// SPDX-License-Identifier: Apache-2.0
//! Isolated files into their table.

use crate::db::bulk::Bulk;
use crate::db::conn::Tx;
use crate::db::sql::{searchable, sql};
use crate::error::Result;
use crate::{IsolatedRow, Position};
use std::collections::BTreeMap;

/// An isolated file, and whose it is.
pub(crate) struct Kept<'a> {
    pub(crate) file: &'a IsolatedRow,
    pub(crate) host: &'a str,
    pub(crate) project: &'a str,
    /// Where in the host's journal.
    pub(crate) at: Position,
}

/// Writes them; of several with one id the last one of the host that was first.
pub(crate) async fn files(tx: &mut Tx, list: Vec<Kept<'_>>) -> Result<()> {
    let mut by_id: BTreeMap<&str, Kept<'_>> = BTreeMap::new();
    for new in list {
        match by_id.get(new.file.id.as_str()) {
            Some(old) if old.host != new.host => {}
            _ => {
                by_id.insert(new.file.id.as_str(), new);
            }
        }
    }
    if by_id.is_empty() {
        return Ok(());
    }
    let rows = by_id
        .values()
        .map(|Kept { file: i, host, project, at }| {
            vec![
                (&i.id).into(),
                (*host).into(),
                (*project).into(),
                (&i.path).into(),
                (&i.sha256).into(),
                i.size.into(),
                (&i.class).into(),
                (&i.family).into(),
                i.confidence.into(),
                (&i.status).into(),
                (&i.reason).into(),
                (&i.alarm).into(),
                (&i.alarm_title).into(),
                (&i.source).into(),
                i.isolated_ms.into(),
                i.updated_ms.into(),
                at.epoch.into(),
                at.seq.into(),
                (&i.details).into(),
                searchable(&[&String::from_utf8_lossy(&i.path)]).into(),
            ]
        })
        .collect();
    Bulk {
        head: "INSERT INTO isolated (id, host, project, path, sha256, size, class, family, confidence, status, \
               reason, alarm, alarm_title, source, isolated_ms, updated_ms, epoch, seq, details, search)",
        tail: "ON CONFLICT (id) DO UPDATE SET project = excluded.project, path = excluded.path, \
               sha256 = excluded.sha256, size = excluded.size, class = excluded.class, family = excluded.family, \
               confidence = excluded.confidence, status = excluded.status, reason = excluded.reason, \
               alarm = CASE WHEN excluded.alarm = '' THEN isolated.alarm ELSE excluded.alarm END, \
               alarm_title = CASE WHEN excluded.alarm_title = '' THEN isolated.alarm_title \
               ELSE excluded.alarm_title END, source = excluded.source, isolated_ms = excluded.isolated_ms, \
               updated_ms = excluded.updated_ms, epoch = excluded.epoch, seq = excluded.seq, \
               details = excluded.details, search = excluded.search WHERE isolated.host = excluded.host",
    }
    .run(tx, rows)
    .await?;
    let ids: Vec<&str> = by_id.keys().copied().collect();
    for part in ids.chunks(100) {
        let mut title = sql("UPDATE isolated SET alarm_title = \
             COALESCE((SELECT title FROM alarms WHERE alarms.id = isolated.alarm), '') \
             WHERE alarm_title = '' AND alarm <> '' AND id IN ");
        title.list(part.iter().copied());
        tx.run(title).await?;
    }
    Ok(())
}
