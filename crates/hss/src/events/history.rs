// SPDX-License-Identifier: Apache-2.0
//! What was done about events.

mod pages;
mod wanted;

use super::act;
use super::event::info;
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::handling::status_after;
use crate::page::Listed;
use crate::words::{self, at, ms, said, text};
use crate::{alarm, host};
use serde_json::{Value, json};
use wanted::wanted;

/// `list_event_handle_history`: what was done about events, newest first unless asked otherwise.
pub(crate) async fn list_event_handle_history(call: &Call) -> Answer {
    let ask = &call.ask;
    let part = ask.offset()?;
    ask.word("sort_key", &[("handle_time", ())])?;
    let oldest_first = ask.word("sort_dir", &[("asc", true), ("desc", false)])?.unwrap_or(false);
    let listed = match wanted(call).await? {
        Some(wanted) if oldest_first => wanted.oldest_first(call, part).await?,
        Some(wanted) => wanted.newest_first(call, part).await?,
        None => Listed::default(),
    };
    let list = shown(call, &listed.items).await?;
    Ok(json!({ "total_num": listed.total, "data_list": list }).into())
}

/// With what their alarms and hosts know.
async fn shown(call: &Call, rows: &[Value]) -> Result<Vec<Value>, HssError> {
    let alarms = alarm::by_id(call, &call.scoped(), rows.iter().map(|row| text(row, "alarm"))).await?;
    let hosts = host::by_id(call, rows.iter().map(|row| text(row, "host"))).await?;
    let one = |row: &Value| entry(row, alarms.get(text(row, "alarm")), hosts.get(text(row, "host")));
    Ok(rows.iter().map(one).collect())
}

/// A row as `EventHandleHistory`; its alarm may be gone.
fn entry(row: &Value, alarm: Option<&Value>, host: Option<&Value>) -> Value {
    let none = Value::Null;
    let host = host.unwrap_or(&none);
    let event = alarm.map_or(Value::Null, |a| info(a, Some(host).filter(|h| !h.is_null())));
    let class = text(row, "class");
    let verb = text(row, "operate_type");
    let id = lazaret_model::CLASSES.iter().find(|r| r.word == class).map(|r| r.hss_event_class_id);
    json!({
        "event_type": words::event_type(class),
        "event_class_id": id,
        "event_name": at(row, "title"),
        "event_abstract": at(row, "title"),
        "severity": words::severity(text(row, "severity")),
        "attack_tag": at(&event, "attack_tag"),
        "occur_time": at(&event, "occur_time"),
        "host_name": said(at(host, "name")),
        "private_ip": words::ip(at(host, "addresses"), true),
        "public_ip": words::ip(at(host, "addresses"), false),
        "asset_value": said(at(host, "importance")),
        "handle_status": status_after(verb),
        "handle_time": ms(at(row, "at")),
        "operate_type": act::known(verb),
        "notes": said(at(row, "remark")),
        "user_name": said(at(row, "who")),
        "lazaret_event_id": at(row, "alarm"),
        "lazaret_host_id": at(row, "host"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::without_nulls;

    fn row() -> Value {
        json!({ "alarm": "a", "host": "h", "at": "2026-01-01T00:00:06.000Z", "operate_type": "ignore", "who": "ann",
            "remark": "", "title": "Miner xmrig", "class": "miner", "severity": "high" })
    }

    #[test]
    fn a_row_with_its_alarm_and_without() {
        let alarm = json!({ "id": "a", "host": { "id": "h", "name": "db" }, "attack_tag": "attack_blocked",
            "last": "2026-01-01T00:00:05.000Z" });
        let host = json!({ "name": "db", "importance": "test", "addresses": ["10.0.0.1"] });
        let full = without_nulls(entry(&row(), Some(&alarm), Some(&host)));
        assert_eq!((text(&full, "attack_tag"), text(&full, "private_ip")), ("attack_blocked", "10.0.0.1"));
        assert_eq!(
            (at(&full, "occur_time"), at(&full, "handle_time")),
            (&json!(1_767_225_605_000_i64), &json!(1_767_225_606_000_i64))
        );
        let gone = without_nulls(entry(&row(), None, None));
        assert_eq!(
            gone,
            json!({ "event_type": 1016, "event_class_id": "av_1016", "event_name": "Miner xmrig",
                "event_abstract": "Miner xmrig", "severity": "High", "handle_status": "handled",
                "handle_time": 1_767_225_606_000_i64, "operate_type": "ignore", "user_name": "ann",
                "lazaret_event_id": "a", "lazaret_host_id": "h" })
        );
    }
}
