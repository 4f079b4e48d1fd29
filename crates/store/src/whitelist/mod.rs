// SPDX-License-Identifier: Apache-2.0
//! Whitelist entries and what they let through.

pub(crate) mod entry;
pub(crate) mod hits;
mod list;

use crate::WhitelistRow;
use crate::db::value::Fields;
use crate::error::Result;

/// As `read` reads them.
const COLUMNS: &str = "id, project, scope, scope_id, field, judge, value, sha256, any_content, class, description, \
     owner, added_by, added_ms, expires_ms, alarm, hits_total, hits_today, hits_day, last_hit_ms";

fn read(f: &mut Fields<'_>) -> Result<WhitelistRow> {
    Ok(WhitelistRow {
        id: f.text()?,
        project: f.text()?,
        scope: f.text()?,
        scope_id: f.text()?,
        field: f.text()?,
        judge: f.text()?,
        value: f.bytes()?,
        sha256: f.bytes()?,
        any_content: f.flag()?,
        class: f.text()?,
        description: f.text()?,
        owner: f.text()?,
        added_by: f.text()?,
        added_ms: f.int()?,
        expires_ms: f.int()?,
        alarm: f.text()?,
        hits_total: f.int()?,
        hits_today: f.int()?,
        hits_day: f.int()?,
        last_hit_ms: f.int()?,
    })
}
