// SPDX-License-Identifier: Apache-2.0
//! Orders are given: all of a task or none.

use crate::cloud;
use crate::db::bulk::Bulk;
use crate::db::conn::Tx;
use crate::db::value::Row;
use crate::error::{Result, StoreError};
use crate::fleet::desired::bump;
use crate::fleet::disarmed;
use crate::people::audit;
use crate::whitelist::entry;
use crate::{ChangeKind, CommandRow, DisarmedRow, NewAudit, Store, Target, WhitelistRow, Withdrawal};

/// What a person decided at once: all of it, or nothing.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// To hosts.
    pub commands: Vec<CommandRow>,
    /// New whitelist entries; the hosts concerned are to apply them.
    pub whitelist: Vec<WhitelistRow>,
    /// Rules that only alarm from now on; one that is on the list already stays as it stands there.
    pub disarm: Vec<DisarmedRow>,
    /// Verdicts of Malware Cloud Scan that are withdrawn; by project. One that is withdrawn already, or that is
    /// not there, stays so.
    pub withdraw: Vec<Withdrawal>,
    /// Whose desired state changed besides.
    pub bump: Vec<Target>,
    /// What is recorded of it.
    pub audit: Option<NewAudit>,
}

impl Store {
    /// Gives orders, all or none.
    ///
    /// # Errors
    /// `Conflict` when an id is taken.
    pub async fn insert_commands(&self, commands: &[CommandRow]) -> Result<()> {
        let mut tx = self.begin().await?;
        insert(&mut tx, commands).await?;
        self.commit(tx).await?;
        self.note_commands(commands);
        Ok(())
    }

    /// Does all of an order in one transaction.
    ///
    /// # Errors
    /// `Conflict` when an id is taken; nothing was done then.
    pub async fn order(&self, order: &Order) -> Result<()> {
        let mut tx = self.begin().await?;
        let hosts = put(&mut tx, order).await?;
        self.commit(tx).await?;
        self.note_commands(&order.commands);
        self.note_withdrawn(&order.withdraw);
        self.note_desired(&hosts)?;
        Ok(())
    }

    pub(crate) fn note_withdrawn(&self, list: &[Withdrawal]) {
        for w in list {
            self.note_verdict(&w.project, &w.sha256);
        }
    }

    pub(crate) fn note_commands(&self, commands: &[CommandRow]) {
        for c in commands {
            self.note_change(&c.project, ChangeKind::Command, &c.host);
        }
    }
}

/// All of an order in a transaction; the hosts whose desired state changed.
pub(crate) async fn put(tx: &mut Tx, order: &Order) -> Result<Vec<Row>> {
    insert(tx, &order.commands).await?;
    let mut targets = order.bump.clone();
    for row in &order.whitelist {
        entry::insert(tx, row).await?;
        let target = entry::target(row);
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    for row in &order.disarm {
        let target = Target::Project(row.project.clone());
        if disarmed::insert(tx, row).await? && !targets.contains(&target) {
            targets.push(target);
        }
    }
    let mut hosts = Vec::new();
    for target in &targets {
        hosts.extend(bump(tx, target).await?);
    }
    for w in &order.withdraw {
        let by = (w.who.as_str(), w.why.as_str());
        match cloud::withdraw_verdict(tx, (&w.project, &w.sha256), by, w.now_ms).await {
            Ok(_) | Err(StoreError::NotFound(_)) => {}
            Err(e) => return Err(e),
        }
    }
    if let Some(new) = &order.audit {
        audit::append(tx, new).await?;
    }
    Ok(hosts)
}

async fn insert(tx: &mut Tx, commands: &[CommandRow]) -> Result<()> {
    let rows = commands
        .iter()
        .map(|c| {
            vec![
                (&c.id).into(),
                (&c.host).into(),
                (&c.project).into(),
                (&c.task).into(),
                (&c.verb).into(),
                (&c.about).into(),
                (&c.state).into(),
                (&c.reason).into(),
                (&c.who).into(),
                c.created_ms.into(),
                c.expires_ms.into(),
                c.sent_ms.into(),
                c.finished_ms.into(),
                c.cancel.into(),
                (&c.payload).into(),
                (&c.result).into(),
            ]
        })
        .collect();
    Bulk {
        head: "INSERT INTO commands (id, host, project, task, verb, about, state, reason, who, created_ms, \
               expires_ms, sent_ms, finished_ms, cancel, payload, result)",
        tail: "",
    }
    .run(tx, rows)
    .await?;
    Ok(())
}
