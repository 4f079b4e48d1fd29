// SPDX-License-Identifier: Apache-2.0
//! Orders to hosts: one task with a command for each, in one transaction with its audit row.

use super::gate::Access;
use super::problem::Problem;
use super::record::Record;
use super::state::Api;
use crate::time;
use lazaret_proto::Message as _;
use lazaret_proto::v1::{self, command};
use lazaret_store::{CommandRow, DisarmedRow, HostRow, Order as Rows, WhitelistRow, Withdrawal};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Begun within so long, or never.
const EXPIRES_MS: i64 = 7 * time::DAY_MS;
/// Commands shown in the answer to an order; the task has them all.
const SHOWN: usize = 100;

/// What was ordered, and what could not be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ordered {
    /// GET /tasks/{id} follows it to its end; absent when no host was asked.
    #[schema(format = Uuid)]
    pub(crate) task: Option<String>,
    /// All of them.
    pub(crate) total: usize,
    /// The first hundred.
    pub(crate) commands: Vec<OrderedCommand>,
    /// Done on the server at once: no host needs to be asked.
    pub(crate) done: Vec<String>,
    pub(crate) refused: Vec<Refusal>,
    /// Nothing is done yet: a second person must approve it there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) approval: Option<String>,
}

impl Ordered {
    /// It waits for a second person.
    pub(crate) const fn waiting(approval: String) -> Self {
        Self {
            task: None,
            total: 0,
            commands: Vec::new(),
            done: Vec::new(),
            refused: Vec::new(),
            approval: Some(approval),
        }
    }
}

/// An order to one host.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderedCommand {
    #[schema(format = Uuid)]
    id: String,
    #[schema(format = Uuid)]
    host: String,
    /// Alarm or isolated file.
    about: Option<String>,
    /// The host is not connected: it does it when it comes back.
    later: bool,
}

/// What is not done, and why.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Refusal {
    pub(crate) id: String,
    pub(crate) reason: String,
}

/// An order while it is put together.
pub(crate) struct Order {
    access: Access,
    task: String,
    verb: &'static str,
    action: &'static str,
    now_ms: i64,
    rows: Vec<CommandRow>,
    later: Vec<bool>,
    /// Added with it.
    pub(crate) whitelist: Vec<WhitelistRow>,
    /// Disarmed with it.
    pub(crate) disarm: Vec<DisarmedRow>,
    /// Verdicts that are withdrawn with it.
    pub(crate) withdraw: Vec<Withdrawal>,
    /// See [`Ordered`].
    pub(crate) done: Vec<String>,
    /// See [`Ordered`].
    pub(crate) refused: Vec<Refusal>,
    /// What it is about, for the audit log.
    pub(crate) target: String,
    /// What was asked, for the audit log.
    pub(crate) asked: String,
}

impl Order {
    pub(crate) fn new(access: &Access, verb: &'static str, action: &'static str) -> Self {
        Self {
            access: access.clone(),
            task: Uuid::now_v7().to_string(),
            verb,
            action,
            now_ms: time::now_ms(),
            rows: Vec::new(),
            later: Vec::new(),
            whitelist: Vec::new(),
            disarm: Vec::new(),
            withdraw: Vec::new(),
            done: Vec::new(),
            refused: Vec::new(),
            target: String::new(),
            asked: String::new(),
        }
    }

    pub(crate) fn refuse(&mut self, id: &str, reason: impl Into<String>) {
        self.refused.push(Refusal { id: id.to_owned(), reason: reason.into() });
    }

    /// One command of its main verb.
    pub(crate) fn to(&mut self, host: &HostRow, about: &str, what: command::Verb) {
        self.also(self.verb, host, about, what);
    }

    /// One of another verb.
    pub(crate) fn also(&mut self, verb: &str, host: &HostRow, about: &str, what: command::Verb) {
        if host.removed || host.revoked {
            let how = if host.removed { "was removed from the fleet" } else { "has a revoked certificate" };
            let id = if about.is_empty() { &host.id } else { about };
            return self.refuse(id, format!("the host {} {how}: no order reaches it", host.name));
        }
        let id = Uuid::now_v7().to_string();
        let command = v1::Command {
            id: id.clone(),
            created_ms: self.now_ms,
            expires_ms: self.now_ms + EXPIRES_MS,
            who: self.access.who().to_owned(),
            verb: Some(what),
        };
        self.later.push(host.status != "online");
        self.rows.push(CommandRow {
            id,
            host: host.id.clone(),
            project: host.project.clone(),
            task: self.task.clone(),
            verb: verb.to_owned(),
            about: about.to_owned(),
            state: "pending".to_owned(),
            reason: String::new(),
            who: self.access.who().to_owned(),
            created_ms: self.now_ms,
            expires_ms: self.now_ms + EXPIRES_MS,
            sent_ms: 0,
            finished_ms: 0,
            cancel: false,
            payload: command.encode_to_vec(),
            result: Vec::new(),
        });
    }
}

/// Writes the order down; the gateways find it.
pub(crate) async fn give(api: &Api, order: Order) -> Result<Ordered, Problem> {
    let (rows, shown) = written(order);
    api.store.order(&rows).await?;
    metrics::counter!("lazaret_commands_ordered_total")
        .increment(u64::try_from(shown.total).unwrap_or_default());
    Ok(shown)
}

/// The order as it is written down, with its audit row, and as it is answered with.
pub(crate) fn written(order: Order) -> (Rows, Ordered) {
    let mut projects: Vec<&str> = order.rows.iter().map(|r| r.project.as_str()).collect();
    projects.extend(order.whitelist.iter().map(|w| w.project.as_str()));
    projects.extend(order.disarm.iter().map(|d| d.project.as_str()));
    projects.extend(order.withdraw.iter().map(|w| w.project.as_str()));
    projects.sort_unstable();
    projects.dedup();
    let project = if let [one] = projects.as_slice() { (*one).to_owned() } else { String::new() };
    let target = if order.target.is_empty() {
        order.rows.first().map_or_else(String::new, |r| format!("host {}", r.host))
    } else {
        order.target.clone()
    };
    let shown = Ordered {
        task: (!order.rows.is_empty()).then(|| order.task.clone()),
        total: order.rows.len(),
        commands: order
            .rows
            .iter()
            .zip(&order.later)
            .take(SHOWN)
            .map(|(r, later)| OrderedCommand {
                id: r.id.clone(),
                host: r.host.clone(),
                about: crate::json::some(&r.about),
                later: *later,
            })
            .collect(),
        done: order.done.clone(),
        refused: order.refused.clone(),
        approval: None,
    };
    let mut record = Record::new(&order.access, &project, order.action, target).after(&shown);
    if !order.asked.is_empty() {
        record = record.before(&order.asked);
    }
    if shown.total == 0 && shown.done.is_empty() && !shown.refused.is_empty() {
        record = record.outcome("refused");
    }
    let rows = Rows {
        commands: order.rows,
        whitelist: order.whitelist,
        disarm: order.disarm,
        withdraw: order.withdraw,
        bump: Vec::new(),
        audit: Some(record.row()),
    };
    (rows, shown)
}
