// SPDX-License-Identifier: Apache-2.0
//! Notices as events of the Open Cybersecurity Schema Framework 1.8.0: Detection Finding (2004), File
//! Remediation Activity (7002), Process Remediation Activity (7003). A test validates each against the
//! published schema.

mod finding;
mod parts;
mod remediation;

use crate::notice::AlarmDetail;
use crate::notice_action::Action;
use lazaret_proto::{Message as _, v1};
use lazaret_store::{AlarmRow, HostRow, IsolatedRow, NoticeRow};
use serde_json::Value;

pub(crate) const VERSION: &str = "1.8.0";

/// Who tells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Teller<'a> {
    pub(crate) installation: &'a str,
    pub(crate) version: &'a str,
}

/// What is known about what a notice is about.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Known<'a> {
    pub(crate) alarm: Option<&'a AlarmRow>,
    pub(crate) isolated: Option<&'a IsolatedRow>,
    pub(crate) host: Option<&'a HostRow>,
}

/// The event of a notice; none when its alarm is no longer there.
pub(crate) fn event(teller: Teller<'_>, n: &NoticeRow, known: Known<'_>) -> Option<Value> {
    if n.kind == "alarm" {
        let row = known.alarm?;
        let alarm = v1::Alarm::decode(row.details.as_slice()).unwrap_or_default();
        let detail: AlarmDetail = serde_json::from_str(&n.detail).unwrap_or_default();
        Some(finding::event(teller, n, row, &alarm, known.host, &detail))
    } else {
        let action: Action = serde_json::from_str(&n.detail).ok()?;
        Some(remediation::event(teller, n, &action, known))
    }
}

/// An event that only shows that events come through.
pub(crate) fn test_event(teller: Teller<'_>, project: &str, now_ms: i64) -> Value {
    finding::test(teller, project, now_ms)
}
