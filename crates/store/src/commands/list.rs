// SPDX-License-Identifier: Apache-2.0
//! Orders that wait, and orders in pages.

use super::{COLUMNS, read};
use crate::db::page::{Kind, Order, page};
use crate::db::sql::Filter;
use crate::error::{Result, StoreError};
use crate::fleet::add;
use crate::{CommandFilter, CommandRow, Cursor, Page, Scope, Store, TaskSummary};

impl Store {
    /// Orders of these hosts that were not sent, oldest first.
    ///
    /// # Errors
    /// Of the database.
    pub async fn pending_commands(&self, hosts: &[String], limit: u32) -> Result<Vec<CommandRow>> {
        let mut found = Vec::new();
        for part in hosts.chunks(1000) {
            let mut w = Filter::new();
            w.and("state = 'pending'");
            w.any("host", part.iter());
            let mut select = w.select(COLUMNS, "commands");
            select.push(" ORDER BY created_ms, id LIMIT ");
            select.arg(limit);
            for row in self.pools.all(select).await? {
                found.push(read(&mut row.fields())?);
            }
        }
        found.sort_by(|a, b| (a.created_ms, &a.id).cmp(&(b.created_ms, &b.id)));
        found.truncate(limit as usize);
        Ok(found)
    }

    /// Orders that were not sent to any host that a gateway holds, oldest first: one question for all.
    ///
    /// # Errors
    /// Of the database.
    pub async fn pending_on_gateway(&self, gateway: &str, limit: u32) -> Result<Vec<CommandRow>> {
        let mut w = Filter::new();
        w.and("state = 'pending'");
        // From the few orders that wait to their hosts, not from all hosts to their orders.
        w.value(
            "EXISTS (SELECT 1 FROM hosts WHERE hosts.id = commands.host AND gateway <> '' AND gateway =",
            gateway,
        );
        w.close();
        let mut select = w.select(COLUMNS, "commands");
        select.push(" ORDER BY created_ms, id LIMIT ");
        select.arg(limit);
        self.pools.all(select).await?.iter().map(|r| read(&mut r.fields())).collect()
    }

    /// Orders that have not ended, for a host that is back.
    ///
    /// # Errors
    /// Of the database.
    pub async fn unfinished_commands(&self, host: &str) -> Result<Vec<CommandRow>> {
        let mut w = Filter::new();
        w.value("host =", host);
        w.and("state IN ('pending', 'sent')");
        let mut select = w.select(COLUMNS, "commands");
        select.push(" ORDER BY created_ms, id LIMIT 10000");
        self.pools.all(select).await?.iter().map(|r| read(&mut r.fields())).collect()
    }

    /// Orders, newest first.
    ///
    /// # Errors
    /// `BadRequest` for a cursor of another list.
    pub async fn commands_page(
        &self,
        scope: &Scope,
        asked: &CommandFilter,
        cursor: &Cursor,
    ) -> Result<Page<CommandRow>> {
        let mut w = Filter::new();
        w.scope("project", scope);
        if !asked.task.is_empty() {
            w.and("task <> ''");
        }
        w.exact("task", &asked.task);
        w.exact("host", &asked.host);
        if !asked.about.is_empty() {
            w.and("about <> ''");
        }
        w.exact("about", &asked.about);
        w.any("state", asked.states.iter());
        w.any("verb", asked.verbs.iter());
        w.any("id", asked.ids.iter());
        if let Some(ms) = asked.since_ms {
            w.value("created_ms >=", ms);
        }
        let order = Order { first: "created_ms", second: "id", kind: Kind::NewestFirst };
        page(&self.pools, (COLUMNS, "commands"), &w, &order, cursor, read).await
    }

    /// Orders about any of these alarms or isolated files, at most 10,000.
    ///
    /// # Errors
    /// Of the database.
    pub async fn commands_about(&self, about: &[String]) -> Result<Vec<CommandRow>> {
        let mut found = Vec::new();
        for part in about.chunks(500) {
            let mut w = Filter::new();
            w.and("about <> ''");
            w.any("about", part.iter());
            let mut select = w.select(COLUMNS, "commands");
            select.push(" ORDER BY created_ms DESC, id DESC LIMIT 10000");
            for row in self.pools.all(select).await? {
                found.push(read(&mut row.fields())?);
            }
        }
        Ok(found)
    }

    /// How a task stands.
    ///
    /// # Errors
    /// `NotFound` when no order has it.
    pub async fn task_summary(&self, task: &str) -> Result<TaskSummary> {
        self.task_summary_in(&Scope::All, task).await
    }

    /// The part of it that is within these projects.
    ///
    /// # Errors
    /// `NotFound` when there are no such commands.
    pub async fn task_summary_in(&self, scope: &Scope, task: &str) -> Result<TaskSummary> {
        let mut w = Filter::new();
        w.value("task =", task);
        w.and("task <> ''");
        w.scope("project", scope);
        let mut select = w.select("state, min(verb), min(who), min(created_ms), count(*)", "commands");
        select.push(" GROUP BY state");
        let mut summary = TaskSummary { task: task.into(), created_ms: i64::MAX, ..TaskSummary::default() };
        for row in self.pools.all(select).await? {
            let mut f = row.fields();
            let state = f.text()?;
            (summary.verb, summary.who) = (f.text()?, f.text()?);
            summary.created_ms = summary.created_ms.min(f.int()?);
            let n = f.count()?;
            summary.total += n;
            add(&mut summary.states, state, n);
        }
        if summary.total == 0 { Err(StoreError::missing("task", task)) } else { Ok(summary) }
    }
}
