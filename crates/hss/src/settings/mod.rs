// SPDX-License-Identifier: Apache-2.0
//! Settings of a project: its switches, its consent to send samples, who is told of alarms, how hosts are added.

mod alarm_config;
mod alarm_targets;
mod collect;
mod install;
mod switches;

pub(crate) use alarm_config::{list_alarm_config, update_alarm_config};
pub(crate) use collect::{
    change_malware_collect_status, list_malware_collect_status, set_malware_reminders, show_malware_reminders,
};
pub(crate) use install::list_agent_install_script;
pub(crate) use switches::{
    HIGH_DETECTION, change_switches_status, is_on, list_auto_kill_virus_status, set, show_switches_status,
    start_auto_kill_virus_status,
};

use crate::error::HssError;
use crate::order;
use serde_json::{Value, json};

/// What is told of a setting that was written: nothing. SDKs read no field of that answer, so that it waits for a second
/// person must be an error to be seen.
pub(crate) fn told(done: &Value) -> Result<Value, HssError> {
    match done.get("approval").and_then(Value::as_str) {
        Some(address) => Err(HssError::conflict(order::waits(address))),
        None => Ok(json!({})),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_is_told_so() {
        let waits = told(&json!({ "approval": "/api/v1/approvals/7" })).unwrap_err();
        assert!(waits.message().contains("approve it at /api/v1/approvals/7"));
        assert_eq!(told(&json!({ "project": "0", "on": true })).unwrap(), json!({}));
    }
}
