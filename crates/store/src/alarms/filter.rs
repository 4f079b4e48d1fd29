// SPDX-License-Identifier: Apache-2.0
//! What a list of alarms is asked for, as conditions.

use crate::db::sql::Filter;
use crate::{AlarmFilter, Scope};

pub(super) fn filter(scope: &Scope, a: &AlarmFilter) -> Filter {
    let mut w = Filter::new();
    w.scope("project", scope);
    w.and(if a.suppressed { "suppressed <> ''" } else { "suppressed = ''" });
    if let Some(ms) = a.since_ms {
        w.value("last_ms >=", ms);
    }
    if let Some(ms) = a.until_ms {
        w.value("last_ms <", ms);
    }
    w.exact("host", &a.host);
    if !a.group.is_empty() || !a.host_name.is_empty() || !a.importance.is_empty() {
        w.host_where(|h| {
            h.exact("host_group", &a.group);
            h.contains("name_search", &a.host_name);
            h.exact("importance", &a.importance);
        });
    }
    w.any("severity", a.severities.iter().copied());
    w.any("class", a.classes.iter());
    w.any("rating", a.ratings.iter());
    for (column, wanted) in [("handled", a.handled), ("auto_block", a.auto_block), ("test", a.test)] {
        match wanted {
            Some(true) => w.and(column),
            Some(false) => w.and(&format!("NOT {column}")),
            None => {}
        }
    }
    if !a.sha256.is_empty() {
        w.and("length(sha256) > 0");
        w.value("sha256 =", &a.sha256);
    }
    w.contains("search", &a.text);
    w.any("id", a.ids.iter());
    w
}
