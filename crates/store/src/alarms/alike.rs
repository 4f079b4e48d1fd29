// SPDX-License-Identifier: Apache-2.0
//! Alarms like one: the same thing elsewhere, and how such were dealt with.

use super::list::NEWEST;
use super::row::cmdline_key;
use crate::db::page::page;
use crate::db::sql::Filter;
use crate::error::Result;
use crate::{AlarmFilter, AlarmRow, Cursor, Likeness, Page, Scope, Store};

impl Store {
    /// The same file's content on any host (without a file: the same class and title), without itself.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn same_alarms(&self, id: &str, scope: &Scope, cursor: &Cursor) -> Result<Page<AlarmRow>> {
        let alarm = self.alarm(id).await?;
        let asked = AlarmFilter { sha256: alarm.sha256.clone(), ..AlarmFilter::default() };
        let mut w = self.asked(scope, &asked).await?.whole();
        if alarm.sha256.is_empty() {
            w.value("class =", &alarm.class);
            w.value("title =", &alarm.title);
        }
        w.value("id <>", id);
        let Page { items, next, total } =
            page(&self.pools, ("pos", "alarms"), &w, &NEWEST, cursor, |f| f.int()).await?;
        Ok(Page { items: self.at(&items).await?, next, total })
    }

    /// Alarms that were dealt with and are like this one, newest first, at most `limit` for each likeness.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn similar_handled(
        &self,
        id: &str,
        scope: &Scope,
        limit: u32,
    ) -> Result<Vec<(Likeness, AlarmRow)>> {
        let alarm = self.alarm(id).await?;
        let mut found = Vec::new();
        for likeness in [
            Likeness::HostAndClass,
            Likeness::FileHash,
            Likeness::ProcessHash,
            Likeness::ProcessCmdline,
            Likeness::UserName,
        ] {
            let Some(w) = like(&alarm, likeness, scope) else { continue };
            let mut select = w.select("pos", "alarms");
            select.push(" ORDER BY pos DESC LIMIT ");
            select.arg(limit);
            let rows = self.pools.all(select).await?;
            let places = rows.iter().map(|r| r.fields().int()).collect::<Result<Vec<_>>>()?;
            found.extend(self.at(&places).await?.into_iter().map(|alarm| (likeness, alarm)));
        }
        Ok(found)
    }
}

/// `None`: the alarm has nothing to compare there.
fn like(alarm: &AlarmRow, likeness: Likeness, scope: &Scope) -> Option<Filter> {
    let mut w = Filter::new();
    w.and("handled");
    w.value("id <>", &alarm.id);
    w.scope("project", scope);
    match likeness {
        Likeness::HostAndClass => {
            w.value("host =", &alarm.host);
            w.value("class =", &alarm.class);
        }
        Likeness::FileHash if !alarm.sha256.is_empty() => {
            w.and("length(sha256) > 0");
            w.value("sha256 =", &alarm.sha256);
        }
        Likeness::ProcessHash if !alarm.process_sha256.is_empty() => {
            w.and("length(process_sha256) > 0");
            w.value("process_sha256 =", &alarm.process_sha256);
        }
        Likeness::ProcessCmdline if !alarm.cmdline.is_empty() => {
            w.and("cmdline_key <> 0");
            w.value("cmdline_key =", cmdline_key(&alarm.cmdline));
        }
        Likeness::UserName if alarm.uid >= 0 => {
            w.and("uid >= 0");
            w.value("uid =", alarm.uid);
        }
        _ => return None,
    }
    Some(w)
}
