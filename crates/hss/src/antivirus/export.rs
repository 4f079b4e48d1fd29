// SPDX-License-Identifier: Apache-2.0
//! Results of virus scans as a file. The API exports what its filter finds, or up to a hundred alarms by their ids: few
//! results are named one by one, and are exactly those that were asked for.

use super::found::{self, Wanted};
use crate::ask::{MOST, Offset};
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::page::{self, Listed};
use crate::rest::{Query, with};
use crate::words;
use serde_json::{Value, json};

/// Rows that one export may be asked for.
const MOST_ROWS: i64 = 1_000_000;
/// Characters of a heading.
const HEADING: usize = 256;
/// An id that no alarm has: the file has its headings alone.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

pub(crate) async fn export_anti_virus_result(call: &Call) -> Answer {
    call.ask.offset()?;
    headings(&call.ask.body)?;
    let rows = call.ask.between("export_size", 1..=MOST_ROWS)?.unwrap_or(MOST_ROWS).unsigned_abs();
    let (query, only) = match found::wanted(call).await? {
        None => (of_ids(call, &[]), true),
        Some(wanted) => {
            let first = Offset { offset: 0, limit: MOST as u64 };
            let keep = |alarm: &Value| wanted.beside.keeps(alarm);
            let listed = page::kept(&call.rest, "/alarms", &wanted.query, first, keep).await?;
            choose(call, wanted, &listed, rows)?
        }
    };
    let begun = call.rest.post_nothing(&with("/alarms/export", &query)).await?;
    let note = "the file also has alarms that no scan brought; its column origin tells them apart";
    let answer = json!({ "task_id": words::at(&begun, "id"), "lazaret_note": (!only).then_some(note) });
    Ok(answer.into())
}

fn of_ids(call: &Call, ids: &[&str]) -> Query {
    let mut query = call.scoped();
    query.push(("ids", if ids.is_empty() { NOBODY.to_owned() } else { ids.join(",") }));
    query
}

/// What the API is asked for, and whether that is what was asked for here.
fn choose(call: &Call, wanted: Wanted, listed: &Listed, rows: u64) -> Result<(Query, bool), HssError> {
    if listed.total.min(rows) <= MOST as u64 {
        let take = usize::try_from(rows).unwrap_or(MOST);
        let ids: Vec<&str> = listed.items.iter().take(take).map(|a| words::text(a, "id")).collect();
        return Ok((of_ids(call, &ids), true));
    }
    if !wanted.beside.is_plain() || rows < listed.total {
        return Err(HssError::invalid(format!(
            "{} results are asked for, and with private_ip, public_ip, file_path, malware_name, task_name, \
             manual_isolate or an export_size below their number one export takes {MOST}: narrow the request, or leave \
             those out",
            listed.total.min(rows)
        )));
    }
    Ok((wanted.query, false))
}

/// Lazaret's files have headings of their own: these are held against their lengths alone.
fn headings(body: &Value) -> Result<(), HssError> {
    let all = body.get("export_headers").and_then(Value::as_array).into_iter().flatten();
    let mut texts = all.filter_map(Value::as_array).flatten().filter_map(Value::as_str);
    if texts.any(|t| t.chars().count() > HEADING) {
        return Err(HssError::invalid(format!("export_headers: over {HEADING} characters in one")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_short() {
        assert!(
            headings(&json!({ "export_headers": [["a", "b"], []] })).is_ok() && headings(&json!({})).is_ok()
        );
        assert!(headings(&json!({ "export_headers": [["x".repeat(257)]] })).is_err());
    }
}
