// SPDX-License-Identifier: Apache-2.0
//! Rules that the hosts of a project only alarm by, since one misfired.

use super::desired::bump;
use crate::db::conn::Tx;
use crate::db::sql::{Filter, sql};
use crate::db::value::Row;
use crate::error::{Result, StoreError};
use crate::{DisarmedRow, Scope, Store, Target};

const COLUMNS: &str = "project, rule, reason, who, at_ms, alarm";

/// Rules of one project: hosts take no more.
const MOST: usize = 1_000;

fn read(row: &Row) -> Result<DisarmedRow> {
    let mut f = row.fields();
    Ok(DisarmedRow {
        project: f.text()?,
        rule: f.text()?,
        reason: f.text()?,
        who: f.text()?,
        at_ms: f.int()?,
        alarm: f.text()?,
    })
}

/// `false` when it is on the list already.
pub(crate) async fn insert(tx: &mut Tx, d: &DisarmedRow) -> Result<bool> {
    let count = sql("SELECT rule FROM disarmed_rules WHERE project = $1 AND rule <> $2")
        .bind(&d.project)
        .bind(&d.rule);
    if tx.all(count).await?.len() >= MOST {
        return Err(StoreError::Conflict(format!(
            "{MOST} rules are disarmed in project {} already: arm some of them again",
            d.project
        )));
    }
    let insert = sql("INSERT INTO disarmed_rules (project, rule, reason, who, at_ms, alarm) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (project, rule) DO NOTHING RETURNING rule")
    .bind(&d.project)
    .bind(&d.rule)
    .bind(&d.reason)
    .bind(&d.who)
    .bind(d.at_ms)
    .bind(&d.alarm);
    Ok(tx.one(insert).await?.is_some())
}

impl Store {
    /// Disarms a rule for all hosts of a project; `false` when it was already.
    ///
    /// # Errors
    /// `Conflict` when the project does not exist, or has too many.
    pub async fn disarm_rule(&self, row: &DisarmedRow) -> Result<bool> {
        let mut tx = self.begin().await?;
        let new = insert(&mut tx, row).await?;
        if !new {
            return Ok(false);
        }
        let hosts = bump(&mut tx, &Target::Project(row.project.clone())).await?;
        self.commit(tx).await?;
        self.note_desired(&hosts)?;
        Ok(true)
    }

    /// Lets it act again; what was on the list.
    ///
    /// # Errors
    /// `NotFound` when it was not disarmed.
    pub async fn rearm_rule(&self, project: &str, rule: &str) -> Result<DisarmedRow> {
        let mut tx = self.begin().await?;
        let mut delete = sql("DELETE FROM disarmed_rules WHERE project = $1 AND rule = $2 RETURNING ")
            .bind(project)
            .bind(rule);
        delete.push(COLUMNS);
        let row = tx.one(delete).await?.ok_or_else(|| StoreError::missing("disarmed rule", rule))?;
        let was = read(&row)?;
        let hosts = bump(&mut tx, &Target::Project(project.to_owned())).await?;
        self.commit(tx).await?;
        self.note_desired(&hosts)?;
        Ok(was)
    }

    /// Those of the projects, by project and rule.
    ///
    /// # Errors
    /// Of the database.
    pub async fn disarmed_rules(&self, scope: &Scope) -> Result<Vec<DisarmedRow>> {
        let mut filter = Filter::new();
        filter.scope("project", scope);
        let mut select = filter.select(COLUMNS, "disarmed_rules");
        select.push(" ORDER BY project, rule");
        self.pools.all(select).await?.iter().map(read).collect()
    }
}
