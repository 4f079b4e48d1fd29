// SPDX-License-Identifier: Apache-2.0
//! Scans that are sold one by one: not here, where a host's edition says which scans it includes.

use crate::call::{Answer, Call};
use crate::error::HssError;

/// Why.
pub(super) const WHY: &str =
    "scans are not sold one by one here; a host's edition says which scans it includes";

fn none(call: &Call) -> Answer {
    Err(HssError::unsupported(&call.ask.operation.name, WHY))
}

pub(crate) async fn show_antivirus_pay_per_scan_status(call: &Call) -> Answer {
    none(call)
}

pub(crate) async fn change_antivirus_pay_per_scan_status(call: &Call) -> Answer {
    none(call)
}

pub(crate) async fn show_antivirus_free_quota(call: &Call) -> Answer {
    none(call)
}

pub(crate) async fn list_anti_virus_paid_hosts(call: &Call) -> Answer {
    none(call)
}

pub(crate) async fn create_anti_virus_paid_task(call: &Call) -> Answer {
    none(call)
}
