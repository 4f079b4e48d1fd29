// SPDX-License-Identifier: Apache-2.0
//! What waits for a second person, decided once: whoever decides moves the state on, in the transaction of
//! what is done then.

use crate::alarms::handle;
use crate::cloud;
use crate::commands::order;
use crate::db::conn::Tx;
use crate::db::sql::{Filter, sql};
use crate::db::value::{Row, Value};
use crate::error::{Result, StoreError};
use crate::fleet::switches;
use crate::people::audit;
use crate::sign_on::rules;
use crate::{
    ApprovalRow, ChangeKind, CloudConsent, NewAudit, NewVerdict, Order, ProjectRulesRow, Scope, Store,
    SwitchRow,
};

const COLUMNS: &str = "id, projects, action, title, request, author_id, author, created_ms, expires_ms, state, \
     decided_id, decided_by, decided_ms, remark, result";
/// Of one list.
const MOST: &str = "200";

/// What a person says.
#[derive(Debug, Clone, Default)]
pub struct Decision {
    /// About which approval.
    pub id: String,
    /// `approved`, `rejected`, `cancelled`.
    pub state: String,
    /// User who decides.
    pub decided_id: String,
    /// The name of that user.
    pub decided_by: String,
    /// When.
    pub now_ms: i64,
    /// Why.
    pub remark: String,
    /// JSON: what came of it.
    pub result: String,
    /// What is recorded of it.
    pub audit: Option<NewAudit>,
}

/// What is done with it, all of it or nothing.
#[derive(Debug, Clone, Default)]
pub struct Approved {
    /// To hosts.
    pub order: Order,
    /// Alarms that no host has: ids, verb, who, remark.
    pub handled: Option<(Vec<String>, String, String, String)>,
    /// Is set.
    pub switch: Option<SwitchRow>,
    /// Are set.
    pub rules: Option<ProjectRulesRow>,
    /// Is set.
    pub consent: Option<CloudConsent>,
    /// Is put.
    pub verdict: Option<NewVerdict>,
    /// All hosts act on it: project, hash, who.
    pub release: Option<(String, Vec<u8>, String)>,
}

fn packed(projects: &[String]) -> String {
    format!(",{},", projects.join(","))
}

fn read(row: &Row) -> Result<ApprovalRow> {
    let mut f = row.fields();
    Ok(ApprovalRow {
        id: f.text()?,
        projects: f.text()?.split(',').filter(|p| !p.is_empty()).map(str::to_owned).collect(),
        action: f.text()?,
        title: f.text()?,
        request: f.text()?,
        author_id: f.text()?,
        author: f.text()?,
        created_ms: f.int()?,
        expires_ms: f.int()?,
        state: f.text()?,
        decided_id: f.text()?,
        decided_by: f.text()?,
        decided_ms: f.int()?,
        remark: f.text()?,
        result: f.text()?,
    })
}

/// Whether all of its projects are within these.
fn within(row: &ApprovalRow, scope: &Scope) -> bool {
    match scope {
        Scope::All => true,
        Scope::Projects(list) => !row.projects.is_empty() && row.projects.iter().all(|p| list.contains(p)),
    }
}

/// Moves the state on, if nobody has; the row as it is then.
async fn decide(tx: &mut Tx, d: &Decision) -> Result<ApprovalRow> {
    let mut update =
        sql("UPDATE approvals SET state = $2, decided_id = $3, decided_by = $4, decided_ms = $5, \
         remark = $6, result = $7 WHERE id = $1 AND state = 'pending' AND expires_ms > $5 RETURNING ")
        .bind(&d.id)
        .bind(&d.state)
        .bind(&d.decided_id)
        .bind(&d.decided_by)
        .bind(d.now_ms)
        .bind(&d.remark)
        .bind(&d.result);
    update.push(COLUMNS);
    if let Some(row) = tx.one(update).await? {
        return read(&row);
    }
    let mut w = Filter::new();
    w.value("id =", &d.id);
    let row = tx.one(w.select(COLUMNS, "approvals")).await?;
    let row = read(&row.ok_or_else(|| StoreError::missing("approval", &d.id))?)?;
    let state = if row.state == "pending" { "expired" } else { row.state.as_str() };
    Err(StoreError::Conflict(format!("the approval {:?} is {state} already: give the order again", d.id)))
}

/// Records the decision.
async fn note(tx: &mut Tx, d: &Decision) -> Result<()> {
    if let Some(new) = &d.audit {
        audit::append(tx, new).await?;
    }
    Ok(())
}

impl Store {
    /// Something waits from now on.
    ///
    /// # Errors
    /// `Conflict` when its id is taken.
    pub async fn create_approval(&self, a: &ApprovalRow, new: &NewAudit) -> Result<()> {
        let mut insert = sql("");
        insert.push(&format!("INSERT INTO approvals ({COLUMNS}) VALUES "));
        insert.list::<Value>([
            (&a.id).into(),
            packed(&a.projects).into(),
            (&a.action).into(),
            (&a.title).into(),
            (&a.request).into(),
            (&a.author_id).into(),
            (&a.author).into(),
            a.created_ms.into(),
            a.expires_ms.into(),
            (&a.state).into(),
            (&a.decided_id).into(),
            (&a.decided_by).into(),
            a.decided_ms.into(),
            (&a.remark).into(),
            (&a.result).into(),
        ]);
        let mut tx = self.begin().await?;
        tx.run(insert).await?;
        audit::append(&mut tx, new).await?;
        self.commit(tx).await
    }

    /// Newest first, of those whose projects are all within these; a state, or all with an empty one.
    ///
    /// # Errors
    /// Of the database.
    pub async fn approvals(&self, scope: &Scope, state: &str) -> Result<Vec<ApprovalRow>> {
        let mut w = Filter::new();
        w.exact("state", state);
        if let Scope::Projects(list) = scope {
            // One of them at least; that all are within is looked at below.
            w.and("(FALSE");
            for project in list {
                w.or_contains("projects", &format!(",{project},"));
            }
            w.close();
        }
        let mut select = w.select(COLUMNS, "approvals");
        select.push(" ORDER BY created_ms DESC, id DESC LIMIT ");
        select.push(MOST);
        let rows: Vec<ApprovalRow> = self.pools.all(select).await?.iter().map(read).collect::<Result<_>>()?;
        Ok(rows.into_iter().filter(|r| within(r, scope)).collect())
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn approval(&self, id: &str) -> Result<ApprovalRow> {
        let mut w = Filter::new();
        w.value("id =", id);
        let row = self.pools.one(w.select(COLUMNS, "approvals")).await?;
        read(&row.ok_or_else(|| StoreError::missing("approval", id))?)
    }

    /// It is not done: rejected, or taken back.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when it was decided before, or its time is over.
    pub async fn refuse_approval(&self, d: &Decision) -> Result<ApprovalRow> {
        let mut tx = self.begin().await?;
        let row = decide(&mut tx, d).await?;
        note(&mut tx, d).await?;
        self.commit(tx).await?;
        Ok(row)
    }

    /// It is done, once, with the decision.
    ///
    /// # Errors
    /// As `refuse_approval`, and those of what is done; nothing happened then.
    pub async fn apply_approval(&self, d: &Decision, what: &Approved) -> Result<ApprovalRow> {
        let mut tx = self.begin().await?;
        let row = decide(&mut tx, d).await?;
        // The record is locked last, as everybody does: nobody waits in a circle.
        let mut alarms = Vec::new();
        if let Some((ids, verb, who, remark)) = &what.handled {
            alarms = handle::handled(&mut tx, ids, verb, who, remark, d.now_ms).await?;
        }
        let mut hosts = Vec::new();
        if let Some(switch) = &what.switch {
            hosts = switches::put(&mut tx, switch).await?.1;
        }
        if let Some(wanted) = &what.rules {
            rules::put(&mut tx, wanted).await?;
        }
        if let Some(consent) = &what.consent {
            hosts.extend(cloud::put_consent(&mut tx, consent).await?.1);
        }
        hosts.extend(order::put(&mut tx, &what.order).await?);
        if let Some(verdict) = &what.verdict {
            cloud::put_verdict(&mut tx, verdict).await?;
        }
        if let Some((project, sha256, who)) = &what.release {
            cloud::release_verdict(&mut tx, (project, sha256), who, d.now_ms).await?;
        }
        note(&mut tx, d).await?;
        self.commit(tx).await?;
        self.note_commands(&what.order.commands);
        self.note_withdrawn(&what.order.withdraw);
        if let Some(v) = &what.verdict {
            self.note_verdict(&v.project, &v.sha256);
        }
        if let Some((project, sha256, _)) = &what.release {
            self.note_verdict(project, sha256);
        }
        self.note_desired(&hosts)?;
        self.note_alarms(&alarms)?;
        if let Some(switch) = &what.switch {
            self.note_change(&switch.project, ChangeKind::Desired, "");
        }
        Ok(row)
    }

    /// Ends those whose time is over, each with a row of the audit log that `record` makes; which.
    ///
    /// # Errors
    /// Of the database.
    pub async fn expire_approvals(
        &self,
        now_ms: i64,
        record: impl Fn(&ApprovalRow) -> NewAudit,
    ) -> Result<Vec<ApprovalRow>> {
        let mut tx = self.begin().await?;
        let mut update = sql("UPDATE approvals SET state = 'expired', decided_ms = $1 \
             WHERE state = 'pending' AND expires_ms <= $1 RETURNING ")
        .bind(now_ms);
        update.push(COLUMNS);
        let ended: Vec<ApprovalRow> = tx.all(update).await?.iter().map(read).collect::<Result<_>>()?;
        for row in &ended {
            audit::append(&mut tx, &record(row)).await?;
        }
        self.commit(tx).await?;
        Ok(ended)
    }
}
