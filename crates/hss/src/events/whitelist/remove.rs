// SPDX-License-Identifier: Apache-2.0
//! Removing rules: those that a request describes, or all.

use super::described::{Described, to_remove};
use super::{PATH, living};
use crate::ask::{MOST, Offset};
use crate::call::{Answer, Call, Reply};
use crate::error::HssError;
use crate::kinds;
use crate::order;
use crate::page;
use crate::words::{self, at, text};
use serde_json::{Value, json};

/// Entries of one request that describes them.
const MOST_ENTRIES: u64 = 10_000;
/// For all: so often so many.
const ROUNDS: usize = 10;

/// `remove_alarm_white_list`.
pub(crate) async fn remove_alarm_white_list(call: &Call) -> Answer {
    let body = &call.ask.body;
    let flag = |name: &str| body.get(name).and_then(Value::as_bool).unwrap_or(false);
    let list = body.get("data_list").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let restore = flag("restore_alarm");
    match (list.is_empty(), flag("delete_all")) {
        (false, true) => Err(HssError::invalid("data_list: not with delete_all: one or the other")),
        (true, false) => Err(HssError::invalid(
            "data_list: is missing: describe 1 to 100 rules, or send delete_all true for all of them",
        )),
        (true, true) => all(call, restore).await,
        (false, false) => some(call, list, restore).await,
    }
}

/// Those that are described; each description must mean one at least.
async fn some(call: &Call, list: &[Value], restore: bool) -> Answer {
    // Beside a list it says nothing more, and is checked.
    class(call)?;
    let mut all = Vec::with_capacity(list.len());
    for (i, entry) in list.iter().enumerate() {
        all.push(Described::of(&format!("data_list[{i}]."), entry)?);
    }
    let meant = |entry: &Value| all.iter().any(|d| d.means(entry));
    let whole = Offset { offset: 0, limit: MOST_ENTRIES };
    let found = page::kept(&call.rest, PATH, &living(call), whole, meant).await?;
    if found.total > MOST_ENTRIES {
        return Err(HssError::invalid(format!(
            "data_list: it describes {} entries, {MOST_ENTRIES} at most in one request",
            found.total
        )));
    }
    let ids = to_remove(&all, &found.items)?;
    let removed = removed(call, &ids, &found.items, restore).await?;
    Ok(removed.answer())
}

/// The class that `event_type` means; `Some(None)`: nothing of Lazaret is of it.
fn class(call: &Call) -> Result<Option<Option<&'static str>>, HssError> {
    let Some(number) = call.ask.body.get("event_type").and_then(Value::as_i64) else { return Ok(None) };
    Ok(Some(words::classes_of_type(kinds::event_type("event_type", number)?).pop()))
}

/// All of the projects that are asked for, or all of a type.
async fn all(call: &Call, restore: bool) -> Answer {
    let mut query = living(call);
    match class(call)? {
        Some(None) => return Ok(Removed::default().answer()),
        Some(Some(class)) => query.push(("class", class.to_owned())),
        None => {}
    }
    let mut sum = Removed::default();
    for _ in 0..ROUNDS {
        let some = page::all(&call.rest, PATH, &query, MOST_ENTRIES).await?;
        if some.is_empty() {
            return Ok(sum.answer());
        }
        let ids: Vec<String> = some.iter().map(|e| text(e, "id").to_owned()).collect();
        match removed(call, &ids, &some, restore).await {
            Ok(more) => {
                sum = Removed { entries: sum.entries + more.entries, alarms: sum.alarms + more.alarms }
            }
            Err(e) if sum.entries == 0 => return Err(e),
            Err(e) => {
                return Err(HssError::conflict(format!(
                    "{} entries were removed, then: {}",
                    sum.entries,
                    e.message()
                )));
            }
        }
    }
    Err(HssError::conflict(format!("{} entries were removed, and there are more: ask again", sum.entries)))
}

/// How many entries, and alarms that are listed again.
#[derive(Debug, Default)]
struct Removed {
    entries: u64,
    alarms: u64,
}

impl Removed {
    fn answer(&self) -> Reply {
        json!({ "lazaret_removed": self.entries, "lazaret_alarms_restored": self.alarms }).into()
    }
}

/// Takes entries out by their ids; `entries` has them whole.
async fn removed(call: &Call, ids: &[String], entries: &[Value], restore: bool) -> Result<Removed, HssError> {
    let mut sum = Removed::default();
    for some in ids.chunks(MOST) {
        let order = json!({ "entries": some, "restore_alarm": restore });
        match call.rest.post(&format!("{PATH}/delete"), &order).await {
            Ok(answer) => {
                sum.entries += at(&answer, "entries").as_u64().unwrap_or(0);
                sum.alarms += at(&answer, "alarms").as_u64().unwrap_or(0);
                let gone = entries.iter().filter(|e| some.iter().any(|id| text(e, "id") == id));
                sum.alarms += by_hosts(call, gone).await.map_err(|e| then(sum.entries, ids.len(), &e))?;
            }
            Err(e) if sum.entries == 0 => return Err(e),
            Err(e) => return Err(then(sum.entries, ids.len(), &e)),
        }
    }
    Ok(sum)
}

/// How far it came.
fn then(removed: u64, of: usize, why: &HssError) -> HssError {
    HssError::conflict(format!("{removed} of {of} entries were removed, then: {}", why.message()))
}

/// An entry that was made by handling an alarm has a brother on the alarm's host, which would go on letting the file be:
/// the handling is taken back too, so the alarm is open again. How many.
async fn by_hosts(call: &Call, entries: impl Iterator<Item = &Value>) -> Result<u64, HssError> {
    let mut ids: Vec<&str> = entries.map(|e| text(e, "alarm")).filter(|a| !a.is_empty()).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(0);
    }
    let mut query = call.scoped();
    query.extend([("ids", ids.join(",")), ("limit", MOST.to_string())]);
    let found = call.rest.get("/alarms", &query).await?;
    let handled = |a: &&Value| text(a, "handled.by") == "add_to_alarm_whitelist";
    let alarms = at(&found, "items").as_array().into_iter().flatten().filter(handled);
    let alarms: Vec<&str> = alarms.map(|a| text(a, "id")).collect();
    if alarms.is_empty() {
        return Ok(0);
    }
    let asked = json!({ "alarms": alarms, "operate_type": "remove_from_alarm_whitelist", "remark": "" });
    let answer = call.rest.post("/alarms/handle", &asked).await.map_err(|e| {
        HssError::conflict(format!("the entries were removed, and not yet on their hosts: {}", e.message()))
    })?;
    order::told("event", &[answer], &[])
        .map_err(|e| e.and("; those events are whitelisted on their hosts as before"))?;
    Ok(u64::try_from(alarms.len()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_is_said() {
        let e = then(100, 250, &HssError::invalid("refused for a (gone)"));
        assert_eq!(e.message(), "100 of 250 entries were removed, then: refused for a (gone)");
    }
}
