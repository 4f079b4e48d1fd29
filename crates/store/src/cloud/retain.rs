// SPDX-License-Identifier: Apache-2.0
//! What is kept for its time: rows of files that are gone, and of files that no host has any more.

use crate::Store;
use crate::db::sql::sql;
use crate::error::Result;

impl Store {
    /// Forgets where files were before, and files that no host of their project has had since and of which nothing
    /// else is known (a verdict, a sample, a deep scan), at most `limit` of each; how many.
    ///
    /// # Errors
    /// Of the database.
    pub async fn delete_files_before(&self, before_ms: i64, limit: u32) -> Result<u64> {
        let places =
            sql("DELETE FROM host_files WHERE (host, path_key) IN (SELECT host, path_key FROM host_files \
             WHERE gone AND last_ms < $1 ORDER BY last_ms LIMIT $2)")
            .bind(before_ms)
            .bind(limit);
        // One that comes back meanwhile is not among them: looked at again where it is deleted.
        let files = sql("DELETE FROM files WHERE hosts = 0 AND last_ms < $1 AND (project, sha256) IN (SELECT \
             f.project, f.sha256 FROM files AS f WHERE f.hosts = 0 AND f.last_ms < $1 AND NOT f.settled \
             AND NOT EXISTS (SELECT 1 FROM file_verdicts AS v WHERE v.project = f.project AND v.sha256 = f.sha256) \
             AND NOT EXISTS (SELECT 1 FROM samples AS s WHERE s.project = f.project AND s.sha256 = f.sha256) \
             AND NOT EXISTS (SELECT 1 FROM host_files AS h WHERE h.project = f.project AND h.sha256 = f.sha256) \
             ORDER BY f.last_ms LIMIT $2)")
        .bind(before_ms)
        .bind(limit);
        Ok(self.pools.run(places).await? + self.pools.run(files).await?)
    }
}
