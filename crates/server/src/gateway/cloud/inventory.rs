// SPDX-License-Identifier: Apache-2.0
//! What a host has: committed, then acknowledged. What is not taken is not acknowledged, and comes again.

use super::view::View;
use crate::gateway::live::Live;
use crate::gateway::{Inner, facts, now_ms};
use crate::numbers::{self, One};
use lazaret_proto::v1;
use lazaret_store::{HostFileRow, StoreError};
use std::time::Instant;

/// Commits a part; up to which version, then.
pub(in crate::gateway) async fn take(
    inner: &Inner,
    live: &std::sync::Arc<Live>,
    view: &View,
    part: v1::InventoryPart,
) -> Result<Option<u64>, StoreError> {
    let refused = |why: &'static str, count: usize| {
        metrics::counter!("lazaret_gateway_inventory_rows_refused_total", "why" => why)
            .increment(count as u64);
        Ok(None)
    };
    let count = part.rows.len();
    if !view.hashes() {
        return refused("consent", count);
    }
    if inner.settings.read_only.is_on() {
        return refused("read_only", count);
    }
    let queued = One::of(metrics::gauge!("lazaret_gateway_inventories_queued"));
    let Ok(_place) = inner.cloud.inventories.acquire().await else { return Ok(None) };
    drop(queued);
    // One that comes late must not take away what the host's newer session has told.
    let current = inner.lives.get(&live.host).is_some_and(|now| std::sync::Arc::ptr_eq(&now, live));
    if !current {
        return refused("late", count);
    }
    let begun = Instant::now();
    let rows = part.rows.into_iter().map(row).collect();
    match inner.store.put_inventory(&live.host, &view.project, part.anew, rows, now_ms()).await {
        Ok(_) => {
            metrics::counter!("lazaret_gateway_inventory_rows_total").increment(count as u64);
            metrics::histogram!("lazaret_gateway_inventory_seconds").record(begun.elapsed().as_secs_f64());
            Ok(Some(part.version))
        }
        Err(e) if e.is_retryable() => {
            numbers::database(&e);
            refused("database", count)
        }
        Err(e) => {
            numbers::database(&e);
            Err(e)
        }
    }
}

/// A row comes from a host that may be hostile: words are cut to a size, times are kept as they came.
fn row(row: v1::InventoryRow) -> HostFileRow {
    let int = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    // What is gone may come without one.
    let sha256 = if row.sha256.is_empty() { vec![0; 32] } else { row.sha256 };
    HostFileRow {
        path: row.path,
        sha256,
        size: int(row.size),
        kind: facts::line(&row.kind, 64),
        packaged: row.packaged,
        first_ms: row.first_ms,
        last_ms: row.last_ms,
        gone: row.gone,
        version: int(row.version),
    }
}
