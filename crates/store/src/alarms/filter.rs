// SPDX-License-Identifier: Apache-2.0
//! What a list of alarms is asked for, as conditions that fit the indexes.

use crate::db::page::Split;
use crate::db::sql::Filter;
use crate::db::value::Value;
use crate::error::Result;
use crate::{AlarmFilter, Scope, Store};

/// More values than that are looked for in the order of time.
const MANY: usize = 16;

/// Conditions, and the one list of several that the page is merged from.
pub(super) struct Asked {
    pub(super) filter: Filter,
    pub(super) split: Option<Split>,
    /// The hosts are named one by one.
    few_hosts: bool,
}

impl Asked {
    /// All as conditions, for what is not a page.
    pub(super) fn whole(self) -> Filter {
        let mut filter = self.filter;
        if let Some(split) = self.split {
            filter.any(split.column, split.values.into_iter());
        }
        filter
    }

    /// A list: one value is a condition; the first list of several is merged; others are only compared (an
    /// expression, so that no index is taken that has the wrong order).
    fn list(&mut self, column: &'static str, compared: &str, values: Vec<Value>) {
        match values.len() {
            0 => {}
            1 => self.filter.any(column, values.into_iter()),
            2..=MANY if self.split.is_none() => self.split = Some(Split { column, values }),
            _ => self.filter.any(compared, values.into_iter()),
        }
    }
}

impl Store {
    pub(super) async fn asked(&self, scope: &Scope, a: &AlarmFilter) -> Result<Asked> {
        let mut asked = Asked { filter: Filter::new(), split: None, few_hosts: false };
        asked.filter.and(if a.suppressed { "suppressed <> ''" } else { "suppressed = ''" });
        asked.filter.exact("host", &a.host);
        if !a.group.is_empty() || !a.host_name.is_empty() || !a.importance.is_empty() {
            self.hosts_like(scope, a, &mut asked).await?;
        }
        // One index is read, the narrowest; what else is asked is compared, as an expression, so that no
        // planner without statistics takes a wider one.
        let by_hash = !a.sha256.is_empty() || !a.ids.is_empty();
        let by_host = by_hash || !a.host.is_empty() || asked.few_hosts;
        let texts = |list: &[String]| list.iter().map(Value::from).collect::<Vec<_>>();
        let severities: Vec<_> = a.severities.iter().map(|s| Value::from(*s)).collect();
        if by_host {
            asked.filter.any("class || ''", texts(&a.classes).into_iter());
        } else {
            asked.list("class", "class || ''", texts(&a.classes));
        }
        if by_host || !a.classes.is_empty() {
            asked.filter.any("severity + 0", severities.into_iter());
        } else {
            asked.list("severity", "severity + 0", severities);
        }
        let narrow = by_host || !a.classes.is_empty() || !a.severities.is_empty() || a.handled == Some(false);
        match scope {
            Scope::Projects(list) if narrow || list.len() > 1 => {
                asked.filter.and("project || '' IN ");
                asked.filter.list(list.iter());
            }
            _ => asked.filter.scope("project", scope),
        }
        let w = &mut asked.filter;
        if let Some(ms) = a.since_ms {
            w.value("last_ms >=", ms);
        }
        if let Some(ms) = a.until_ms {
            w.value("last_ms <", ms);
        }
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
        Ok(asked)
    }

    /// Few hosts are named one by one, many are looked up.
    async fn hosts_like(&self, scope: &Scope, a: &AlarmFilter, asked: &mut Asked) -> Result<()> {
        let like = |h: &mut Filter| {
            h.exact("host_group", &a.group);
            h.contains("name_search", &a.host_name);
            h.exact("importance", &a.importance);
        };
        let mut hosts = Filter::new();
        hosts.scope("project", scope);
        like(&mut hosts);
        let mut select = hosts.select("id", "hosts");
        select.push(" LIMIT ");
        select.arg(MANY as i64 + 1);
        let rows = self.pools.all(select).await?;
        if rows.is_empty() {
            asked.filter.and("FALSE");
        } else if rows.len() <= MANY {
            let ids = rows.iter().map(|r| Ok(Value::from(r.fields().text()?))).collect::<Result<Vec<_>>>()?;
            asked.few_hosts = true;
            asked.list("host", "host || ''", ids);
        } else {
            asked.filter.host_where("host || ''", like);
        }
        Ok(())
    }
}
