// SPDX-License-Identifier: Apache-2.0
//! How many HSS documents where it is not what most operations take.

use super::MOST;
use std::ops::RangeInclusive;

/// Lists of bodies that take more: model, field, entries.
const LONGER: [(&str, &str, usize); 8] = [
    ("AntiVirusEventWhiteRuleListRequestInfo", "agent_ids", 1_000),
    ("AssociateHostAssetValueRequestInfo", "host_id_list", 200),
    ("AssociateHostsGroupRequestInfo", "host_id_list", 200),
    ("AssociatePolicyGroupRequestInfo", "host_id_list", 10_000),
    ("BatchUpdateHostResourceRequestBody", "host_ids", 200),
    ("EventWhiteRuleListRequestInfo", "agent_ids", 1_000),
    ("UninstallAgentsRequestInfo", "host_id_list", 200),
    ("UpdateAlarmWhiteListRequestInfo", "agent_ids", 1_000),
];

/// Operations with pages of a thousand rows; three of them have no documented length.
const LONG_PAGES: [&str; 4] =
    ["list_alarm_white_list", "list_isolated_file", "list_same_events", "list_security_events"];

/// Entries of a list in a body.
pub(super) fn entries(model: &str, field: &str) -> usize {
    LONGER.iter().find(|(m, f, _)| (*m, *f) == (model, field)).map_or(MOST, |(_, _, most)| *most)
}

/// Rows of a page.
pub(super) fn rows(operation: &str) -> RangeInclusive<i64> {
    10..=if LONG_PAGES.contains(&operation) { 1_000 } else { 200 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdk::sdk;

    #[test]
    fn what_is_named_is_there() {
        for (model, field, most) in LONGER {
            let kind = &sdk().models[model][field];
            assert!(kind.starts_with("list[") && most > MOST, "{model}.{field}: {kind}");
            assert_eq!(entries(model, field), most);
        }
        assert_eq!(entries("ChangeHostsGroupRequestInfo", "host_id_list"), MOST);
        assert_eq!((rows("list_security_events"), rows("list_host_status")), (10..=1_000, 10..=200));
    }
}
