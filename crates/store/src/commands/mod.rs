// SPDX-License-Identifier: Apache-2.0
//! Orders to hosts: given, sent, ended once.

mod end;
mod list;
pub(crate) mod order;

pub use order::Order;

use crate::CommandRow;
use crate::db::value::Fields;
use crate::error::Result;

/// As `read` reads them.
const COLUMNS: &str = "id, host, project, task, verb, about, state, reason, who, created_ms, expires_ms, sent_ms, \
     finished_ms, cancel, payload, result";

fn read(f: &mut Fields<'_>) -> Result<CommandRow> {
    Ok(CommandRow {
        id: f.text()?,
        host: f.text()?,
        project: f.text()?,
        task: f.text()?,
        verb: f.text()?,
        about: f.text()?,
        state: f.text()?,
        reason: f.text()?,
        who: f.text()?,
        created_ms: f.int()?,
        expires_ms: f.int()?,
        sent_ms: f.int()?,
        finished_ms: f.int()?,
        cancel: f.flag()?,
        payload: f.bytes()?,
        result: f.bytes()?,
    })
}
