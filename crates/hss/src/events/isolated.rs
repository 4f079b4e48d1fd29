// SPDX-License-Identifier: Apache-2.0
//! Isolated files: looked at, given back, deleted.

mod find;
mod view;

use super::filter::Wanted;
use super::place::Place;
use crate::ask::MOST;
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::order;
use crate::page::{self, Listed};
use crate::rest::part;
use crate::words::{self, LONGEST_PART, at, beginning, text};
use crate::{alarm, host};
use serde_json::{Value, json};

const PATH: &str = "/isolated-files";

/// `list_isolated_file`: isolated files, last changed first.
pub(crate) async fn list_isolated_file(call: &Call) -> Answer {
    let offset = call.ask.offset()?;
    let listed = match wanted(call).await? {
        None => Listed::default(),
        Some((wanted, None)) if wanted.is_plain() => {
            page::page(&call.rest, PATH, &wanted.query, offset).await?
        }
        Some((wanted, path)) => {
            let has = |file: &Value| {
                path.as_ref().is_none_or(|p| text(file, "path").to_lowercase().contains(p.as_str()))
            };
            page::kept(&call.rest, PATH, &wanted.query, offset, |f| wanted.keeps(f) && has(f)).await?
        }
    };
    let list = shown(call, &listed.items).await?;
    Ok(json!({ "total_num": listed.total, "data_list": list }).into())
}

/// What is asked for, with a path that is too long for the API; `None`: none can be meant.
async fn wanted(call: &Call) -> Result<Option<(Wanted, Option<String>)>, HssError> {
    let ask = &call.ask;
    let place = Place::of(ask)?;
    let path = ask.short("file_path", 4096)?;
    let hash = ask.short("file_hash", 4096)?;
    let statuses = ask.word("isolation_status", &view::STATUSES)?;
    let asset = ask.word("asset_value", &words::ASSET_VALUES)?;
    let mut wanted = Wanted { query: call.scoped(), ..Wanted::default() };
    call.window(&mut wanted.query)?;
    // What was deleted is in no list of HSS.
    let every = || view::STATUSES.iter().flat_map(|(_, ours)| *ours).copied().collect::<Vec<_>>();
    let statuses = statuses.map_or_else(every, <[_]>::to_vec);
    wanted.query.push(("status", statuses.join(",")));
    if let Some(asset) = asset {
        wanted.query.push(("importance", asset.to_owned()));
    }
    if let Some(hash) = hash {
        let Some(digest) = words::sha256(hash) else { return Ok(None) };
        wanted.query.push(("sha256", digest));
    }
    if let Some(path) = path {
        wanted.query.push(("path", beginning(path)));
    }
    if !place.narrow(call, &mut wanted).await? {
        return Ok(None);
    }
    // Of alarms alone.
    wanted.query.retain(|(name, _)| *name != "address");
    let long = path.filter(|p| p.chars().count() > LONGEST_PART).map(str::to_lowercase);
    Ok(Some((wanted, long)))
}

/// With what their hosts and alarms know, and what each is told of alone.
async fn shown(call: &Call, files: &[Value]) -> Result<Vec<Value>, HssError> {
    let hosts = host::by_id(call, files.iter().map(|f| text(f, "host.id"))).await?;
    let alarms = alarm::by_id(call, &call.scoped(), files.iter().map(|f| text(f, "alarm"))).await?;
    let mut out = Vec::with_capacity(files.len());
    for file in files {
        let facts = facts(call, text(file, "id")).await?;
        let (host, alarm) = (hosts.get(text(file, "host.id")), alarms.get(text(file, "alarm")));
        out.push(view::info(file, &facts, host, alarm));
    }
    Ok(out)
}

/// Owner, mode and times of a file when it was isolated; null where the host has not told them.
async fn facts(call: &Call, id: &str) -> Result<Value, HssError> {
    match call.rest.get(&format!("{PATH}/{}", part(id)), &[]).await {
        Ok(full) => Ok(at(&full, "isolated.file").clone()),
        Err(e) if e.is_missing() => Ok(Value::Null),
        Err(e) => Err(e),
    }
}

/// `change_isolated_file`: gives files back to where they were.
pub(crate) async fn change_isolated_file(call: &Call) -> Answer {
    let found = find::files(call).await?;
    // Several of one name can be isolated one after the other; one of them can lie there again: the last.
    let mut ids: Vec<String> = found.iter().filter_map(|f| f.first()).cloned().collect();
    ids.sort_unstable();
    ids.dedup();
    // HSS has no word for it: without them a file whose folder is gone could not come back.
    let order = json!({ "files": ids, "parents": true });
    let answer = call.rest.post(&format!("{PATH}/restore"), &order).await?;
    order::told("file", &[answer], &[])
}

/// `delete_isolated_file`: deletes files for good.
pub(crate) async fn delete_isolated_file(call: &Call) -> Answer {
    let mut ids = find::files(call).await?.concat();
    ids.sort_unstable();
    ids.dedup();
    let mut answers = Vec::new();
    for some in ids.chunks(MOST) {
        match call.rest.post(&format!("{PATH}/delete"), &json!({ "files": some })).await {
            Ok(answer) => answers.push(answer),
            Err(e) if answers.is_empty() => return Err(e),
            Err(e) => return Err(order::broken_off("file", &answers, ids.len(), &e)),
        }
    }
    order::told("file", &answers, &[])
}

/// `st_mode` in decimal, as HSS has it, of the octal that the API has.
fn attributes(facts: &Value) -> Option<String> {
    u32::from_str_radix(text(facts, "mode"), 8).ok().map(|mode| mode.to_string())
}
