// SPDX-License-Identifier: Apache-2.0
//! Batches of several hosts in one transaction.

use super::consecutive::new_ones;
use super::events;
use crate::alarms::facets::Marks;
use crate::alarms::write::{self, Written};
use crate::db::conn::{Pools, Tx};
use crate::db::sql::{Sql, sql};
use crate::error::{Result, StoreError};
use crate::isolated::write::{self as isolated, Kept};
use crate::outbound;
use crate::whitelist::hits;
use crate::{Batch, Ingested, Position, What};
use std::collections::BTreeMap;

/// Project and what is acknowledged.
struct Known {
    project: String,
    acked: Position,
}

/// What came of each batch; the project is that of its host.
pub(super) type Outcome = Result<(String, Ingested)>;

/// Commits them all. A batch that does not fit says so and leaves the others alone; an error of the whole
/// is one of the database.
pub(super) async fn apply(pools: &Pools, marks: &Marks, batches: &[&Batch]) -> Result<Vec<Outcome>> {
    let mut attempt = 0;
    loop {
        match try_once(pools, marks, batches, attempt).await {
            Err(e) if write::met(&e) && attempt < write::ATTEMPTS => attempt += 1,
            other => return other,
        }
    }
}

async fn try_once(pools: &Pools, marks: &Marks, batches: &[&Batch], attempt: u32) -> Result<Vec<Outcome>> {
    let mut tx = pools.begin().await?;
    let mut hosts = known(&mut tx, batches).await?;
    let mut outcomes = Vec::with_capacity(batches.len());
    let mut taken = Vec::new();
    for batch in batches {
        let Some(host) = hosts.get_mut(batch.host.as_str()) else {
            outcomes.push(Err(StoreError::missing("host", &batch.host)));
            continue;
        };
        match new_ones(&batch.host, host.acked, &batch.records) {
            Ok(new) => {
                if let Some(last) = new.last() {
                    host.acked = last.at;
                }
                let mut said = Ingested { acked: host.acked, taken: new.len() as u64, ..Ingested::default() };
                for record in new {
                    match &record.what {
                        What::Alarm(a) => said.alarms.push(a.id.clone()),
                        What::Isolated(i) => said.isolated.push(i.id.clone()),
                        _ => {}
                    }
                }
                taken.push((batch.host.as_str(), new));
                outcomes.push(Ok((host.project.clone(), said)));
            }
            Err(e) => outcomes.push(Err(e)),
        }
    }
    let mut unread = Vec::new();
    let (mut alarms, mut kept, mut lines, mut counted) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for &(host, new) in &taken {
        let project = hosts.get(host).map_or("", |k| k.project.as_str());
        for record in new {
            match &record.what {
                What::Alarm(alarm) => alarms.push(Written { alarm, host, project, at: record.at }),
                What::Isolated(file) => kept.push(Kept { file, host, project, at: record.at }),
                What::Event { kind, text, alarm } => {
                    lines.push((host, record, kind.as_str(), text.as_str(), alarm.as_str()));
                }
                What::Unread { text, record: bytes, received_ms } => {
                    lines.push((host, record, "server", text.as_str(), ""));
                    unread.push((host, record.at, *received_ms, bytes));
                }
                What::Hits(list) => counted.extend(list.iter().map(|h| (host, project, h))),
                What::Nothing => {}
            }
        }
    }
    events::unread(&mut tx, unread).await?;
    let raised: Vec<&str> = alarms.iter().map(|w| w.alarm.id.as_str()).collect();
    let moved: Vec<&str> = kept.iter().map(|k| k.file.id.as_str()).collect();
    let learned = write::alarms(&mut tx, marks, attempt, alarms).await?;
    isolated::files(&mut tx, kept).await?;
    outbound::arrive(&mut tx, "alarm", raised.into_iter()).await?;
    outbound::arrive(&mut tx, "isolated", moved.into_iter()).await?;
    events::lines(&mut tx, lines).await?;
    advance(&mut tx, &hosts, &taken).await?;
    // Last, as rows that several gateways write.
    hits::count(&mut tx, counted).await?;
    tx.commit().await?;
    marks.remember(learned);
    Ok(outcomes)
}

/// Locked until the end, so that two sessions of one host do not both take an entry.
async fn known<'a>(tx: &mut Tx, batches: &[&'a Batch]) -> Result<BTreeMap<&'a str, Known>> {
    let mut names: Vec<&str> = batches.iter().map(|b| b.host.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let mut hosts = BTreeMap::new();
    for part in names.chunks(500) {
        let mut select = sql("SELECT id, project, acked_epoch, acked_seq FROM hosts WHERE id IN ");
        select.list(part.iter().copied());
        select.push(" ORDER BY id");
        if tx.is_postgres() {
            select.push(" FOR UPDATE");
        }
        for row in tx.all(select).await? {
            let mut f = row.fields();
            let (id, project, acked) = (f.text()?, f.text()?, f.position()?);
            if let Some(name) = part.iter().find(|n| **n == id) {
                hosts.insert(*name, Known { project, acked });
            }
        }
    }
    Ok(hosts)
}

async fn advance(
    tx: &mut Tx,
    hosts: &BTreeMap<&str, Known>,
    taken: &[(&str, &[crate::Record])],
) -> Result<()> {
    let mut moved: Vec<&str> = taken.iter().filter(|(_, new)| !new.is_empty()).map(|(h, _)| *h).collect();
    moved.sort_unstable();
    moved.dedup();
    for part in moved.chunks(200) {
        let mut update = Sql::built(
            "UPDATE hosts SET acked_epoch = v.column2, acked_seq = v.column3 FROM (VALUES ".into(),
        );
        for (n, host) in part.iter().enumerate() {
            let acked = hosts.get(host).map(|k| k.acked).unwrap_or_default();
            update.push(if n == 0 { "(" } else { ", (" });
            update.arg(*host);
            update.push(", ");
            update.arg(acked.epoch);
            update.push(", ");
            update.arg(acked.seq);
            update.push(")");
        }
        update.push(") AS v WHERE hosts.id = v.column1");
        tx.run(update).await?;
    }
    Ok(())
}
