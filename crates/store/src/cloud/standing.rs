// SPDX-License-Identifier: Apache-2.0
//! The word that a project has for a file.

use crate::db::conn::Tx;
use crate::db::sql::sql;
use crate::error::Result;

/// A row for a file that no host of the project may have told of.
pub(super) async fn ensure(
    tx: &mut Tx,
    (project, sha256): (&str, &[u8]),
    (size, kind, host): (i64, &str, &str),
    now_ms: i64,
) -> Result<()> {
    let insert =
        sql("INSERT INTO files (project, sha256, size, kind, tlsh, first_ms, last_ms, first_host, hosts, \
         packaged_hosts, standing, standing_ms, settled) \
         VALUES ($1, $2, $3, $4, '', $5, $5, $6, 0, 0, 'unknown', $5, FALSE) \
         ON CONFLICT (project, sha256) DO NOTHING")
        .bind(project)
        .bind(sha256)
        .bind(size)
        .bind(kind)
        .bind(now_ms)
        .bind(host);
    tx.run(insert).await?;
    Ok(())
}

/// What machines say; where a person said something, that stays.
pub(super) async fn by_machine(
    tx: &mut Tx,
    (project, sha256): (&str, &[u8]),
    standing: &str,
    now_ms: i64,
) -> Result<()> {
    let update = sql("UPDATE files SET standing = $3, standing_ms = $4 \
         WHERE project = $1 AND sha256 = $2 AND NOT settled AND standing <> $3")
    .bind(project)
    .bind(sha256)
    .bind(standing)
    .bind(now_ms);
    tx.run(update).await?;
    Ok(())
}

/// What a person says.
pub(super) async fn by_person(
    tx: &mut Tx,
    (project, sha256): (&str, &[u8]),
    standing: &str,
    now_ms: i64,
) -> Result<()> {
    let update = sql("UPDATE files SET standing = $3, standing_ms = $4, settled = TRUE \
         WHERE project = $1 AND sha256 = $2")
    .bind(project)
    .bind(sha256)
    .bind(standing)
    .bind(now_ms);
    tx.run(update).await?;
    Ok(())
}

/// What is said when no scan is to come any more.
pub(super) async fn not_pending(tx: &mut Tx, (project, sha256): (&str, &[u8]), now_ms: i64) -> Result<()> {
    let update = sql("UPDATE files SET standing = 'unknown', standing_ms = $3 \
         WHERE project = $1 AND sha256 = $2 AND NOT settled AND standing = 'pending'")
    .bind(project)
    .bind(sha256)
    .bind(now_ms);
    tx.run(update).await?;
    Ok(())
}
