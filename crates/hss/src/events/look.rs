// SPDX-License-Identifier: Apache-2.0
//! The list of events, and one that a request names.

use super::event::{info, occurred};
use super::filter;
use super::terms::Category;
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::host;
use crate::page::Listed;
use crate::rest::part;
use crate::words::{at, text};
use serde_json::{Value, json};

/// Alarms, newest first.
pub(crate) async fn list_security_events(call: &Call) -> Answer {
    let at = call.ask.offset()?;
    let listed = match filter::alarms(call).await? {
        Some(wanted) => wanted.page(call, at).await?,
        None => Listed::default(),
    };
    answer(call, &listed).await
}

/// A part of a list, as HSS answers it.
pub(super) async fn answer(call: &Call, listed: &Listed) -> Answer {
    let hosts = host::by_id(call, listed.items.iter().map(|a| text(a, "host.id"))).await?;
    let events: Vec<Value> = listed.items.iter().map(|a| info(a, hosts.get(text(a, "host.id")))).collect();
    Ok(json!({ "total_num": listed.total, "data_list": events }).into())
}

/// The alarm that `event_id` names, with all that is known, if the other parameters say the same of it.
pub(super) async fn asked(call: &Call) -> Result<Value, HssError> {
    let longest = match call.ask.operation.name.as_str() {
        "list_event_forensic" => 128,
        _ => 256,
    };
    let id = call.ask.short("event_id", longest)?.ok_or_else(|| {
        HssError::invalid("event_id: is missing; list_security_events gives the ids of events")
    })?;
    let category = Category::of(&call.ask)?;
    let moment = call.ask.between("occur_time", 0..=i64::MAX)?;
    let full = call.rest.get(&format!("/alarms/{}", part(id)), &[]).await?;
    let alarm = at(&full, "summary");
    let same = call.one_project().is_none_or(|p| p == text(alarm, "project"))
        && category.is_none_or(|c| c.has(alarm))
        && moment.is_none_or(|m| occurred(alarm, m));
    if same { Ok(full) } else { Err(HssError::missing("such event", id)) }
}
