// SPDX-License-Identifier: Apache-2.0
//! What who asks may do in which project, for what must be known before the first of several writes.

use crate::call::Call;
use crate::error::HssError;
use crate::words::{at, text};
use serde_json::Value;

/// Their rights, as the API tells them.
#[derive(Debug)]
pub(crate) struct Rights(Value);

impl Rights {
    pub(crate) async fn of(call: &Call) -> Result<Self, HssError> {
        call.rest.get("/me", &[]).await.map(Self)
    }

    fn has(&self, project: &str, roles: &[&str]) -> bool {
        let mut grants = at(&self.0, "grants").as_array().into_iter().flatten();
        grants.any(|g| ["*", project].contains(&text(g, "project")) && roles.contains(&text(g, "role")))
    }

    /// Whether they may set things, such as the whitelist.
    pub(crate) fn administers(&self, project: &str) -> bool {
        self.has(project, &["administrator"])
    }

    /// Whether they may handle alarms.
    pub(crate) fn operates(&self, project: &str) -> bool {
        self.has(project, &["operator", "administrator"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn roles_of_a_project_and_of_all() {
        let one = Rights(json!({ "grants": [
            { "project": "a", "role": "operator" }, { "project": "b", "role": "administrator" },
            { "project": "c", "role": "viewer" },
        ] }));
        let may = |p: &str| (one.operates(p), one.administers(p));
        assert_eq!((may("a"), may("b"), may("c")), ((true, false), (true, true), (false, false)));
        assert!(!one.operates("*") && !one.administers("d"));
        let all = Rights(json!({ "grants": [{ "project": "*", "role": "administrator" }] }));
        assert!(all.operates("a") && all.administers("d"));
        assert!(!Rights(json!({})).operates("a"));
    }
}
