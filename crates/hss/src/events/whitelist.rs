// SPDX-License-Identifier: Apache-2.0
//! The whitelist, as HSS's alarm whitelist: each living entry is a rule.

mod described;
mod entry;
mod places;
mod remove;

pub(crate) use places::{list_alarm_white_list_host_detail, update_alarm_white_list_host};
pub(crate) use remove::remove_alarm_white_list;

use crate::call::{Answer, Call};
use crate::kinds;
use crate::page::{self, Listed};
use crate::project;
use crate::rest::Query;
use crate::words::{self, text};
use entry::{is_named, shown};
use lazaret_model::CLASSES;
use serde_json::{Value, json};

const PATH: &str = "/whitelist";

/// Entries that hold, in the projects that are asked for: what has ended HSS would not have any more.
fn living(call: &Call) -> Query {
    let mut query = call.scoped();
    query.push(("expired", "false".to_owned()));
    query
}

/// `list_alarm_white_list`: entries, newest first.
pub(crate) async fn list_alarm_white_list(call: &Call) -> Answer {
    let ask = &call.ask;
    let offset = ask.offset()?;
    let hash = ask.short("hash", 256)?;
    let classes = match ask.int("event_type") {
        Some(number) => Some(words::classes_of_type(kinds::event_type("event_type", number)?)),
        None => None,
    };
    let mut query = living(call);
    if let Some(class) = classes.as_ref().and_then(|c| c.first()) {
        query.push(("class", (*class).to_owned()));
    }
    let listed = match (&classes, hash) {
        (Some(classes), _) if classes.is_empty() => Listed::default(),
        (_, Some(hash)) => page::kept(&call.rest, PATH, &query, offset, |e| is_named(e, hash)).await?,
        (_, None) => page::page(&call.rest, PATH, &query, offset).await?,
    };
    let names = project::names(call).await?;
    let list: Vec<Value> =
        listed.items.iter().map(|e| shown(e, names.get(text(e, "project")).map(String::as_str))).collect();
    let types: Vec<u32> = CLASSES.iter().map(|r| r.hss_event_type).collect();
    Ok(json!({ "total_num": listed.total, "event_type_list": types, "data_list": list }).into())
}
