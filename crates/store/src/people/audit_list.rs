// SPDX-License-Identifier: Apache-2.0
//! The record of writes, read and verified.

use super::audit::{BEGINNING, COLUMNS, HEAD, chained, head};
use crate::db::page::{Kind, Order, page};
use crate::db::sql::{Filter, sql};
use crate::db::value::Fields;
use crate::error::Result;
use crate::{AuditCheck, AuditFilter, AuditRow, Cursor, Page, Scope, Store};

fn read(f: &mut Fields<'_>) -> Result<AuditRow> {
    Ok(AuditRow {
        seq: f.int()?,
        at_ms: f.int()?,
        who: f.text()?,
        address: f.text()?,
        project: f.text()?,
        action: f.text()?,
        target: f.text()?,
        before: f.text()?,
        after: f.text()?,
        outcome: f.text()?,
        hash: f.bytes()?,
    })
}

impl Store {
    /// What was written, newest first.
    ///
    /// # Errors
    /// `BadRequest` for a cursor of another list.
    pub async fn audit_page(&self, scope: &Scope, asked: &AuditFilter, cursor: &Cursor) -> Result<Page<AuditRow>> {
        let mut w = Filter::new();
        w.scope("project", scope);
        w.exact("who", &asked.who);
        if let Some(group) = asked.action.strip_suffix('.') {
            // `alarm.` and what is between it and `alarm/`, the next byte.
            w.value("action >=", format!("{group}."));
            w.value("action <", format!("{group}/"));
        } else {
            w.exact("action", &asked.action);
        }
        w.contains_word("target", &asked.target);
        if let Some(ms) = asked.since_ms {
            w.value("at_ms >=", ms);
        }
        if let Some(ms) = asked.until_ms {
            w.value("at_ms <", ms);
        }
        let order = Order { first: "seq", second: "at_ms", kind: Kind::NumbersDown };
        page(&self.pools, (COLUMNS, "audit"), &w, &order, cursor, read).await
    }

    /// Reads the whole chain and says where it does not hold.
    ///
    /// # Errors
    /// Of the database.
    pub async fn verify_audit(&self) -> Result<AuditCheck> {
        // First: rows that come meanwhile make the chain longer than this, never shorter.
        let kept = self.setting(HEAD).await?;
        let (mut rows, mut before, mut ends_as_kept) = (0_u64, BEGINNING.to_vec(), kept.is_none());
        loop {
            let at = i64::try_from(rows).unwrap_or(i64::MAX);
            let mut select = sql("");
            select.push(&format!("SELECT {COLUMNS} FROM audit WHERE seq > "));
            select.arg(at);
            select.push(" ORDER BY seq LIMIT 1000");
            let part = self.pools.all(select).await?;
            for row in &part {
                let row = read(&mut row.fields())?;
                rows += 1;
                let expected = i64::try_from(rows).unwrap_or(i64::MAX);
                let broken = |why: &str| Ok(AuditCheck { rows, broken: Some((expected, why.to_owned())) });
                if row.seq != expected {
                    return broken("the row is missing");
                }
                if row.hash != chained(&before, &row) {
                    return broken("the row, or one before it, is not as it was written");
                }
                ends_as_kept |= kept.as_deref() == Some(head(&row).as_str());
                before = row.hash;
            }
            if part.len() < 1000 {
                break;
            }
        }
        let broken = (!ends_as_kept).then(|| {
            (i64::try_from(rows).unwrap_or(i64::MAX).saturating_add(1), "rows at the end are missing".to_owned())
        });
        Ok(AuditCheck { rows, broken })
    }
}
