// SPDX-License-Identifier: Apache-2.0
//! Alarms, as HSS's events: looking at them, counting them, handling them, and what came of them.

mod act;
mod alike;
mod chain;
mod count;
mod event;
mod export;
mod filter;
mod forensic;
mod history;
mod isolated;
mod look;
mod place;
mod terms;
mod whitelist;

pub(crate) use act::{batch_change_event, change_event, list_event_operates};
pub(crate) use alike::{list_related_events, list_same_events, list_similar_handled_events};
pub(crate) use count::{
    list_event_att_ck, list_event_top_risk, list_event_type, show_event_attack_tag, show_event_severity,
};
pub(crate) use export::{download_event_source_file, export_event_request, show_export_task};
pub(crate) use forensic::list_event_forensic;
pub(crate) use history::list_event_handle_history;
pub(crate) use isolated::{change_isolated_file, delete_isolated_file, list_isolated_file};
pub(crate) use look::list_security_events;
pub(crate) use whitelist::{
    list_alarm_white_list, list_alarm_white_list_host_detail, remove_alarm_white_list,
    update_alarm_white_list_host,
};
