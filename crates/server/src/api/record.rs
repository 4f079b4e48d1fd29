// SPDX-License-Identifier: Apache-2.0
//! What was written, by whom, from where: the audit log.

use super::gate::Access;
use super::problem::Problem;
use super::state::Api;
use crate::time;
use lazaret_store::{NewAudit, Store};
use serde::Serialize;

/// A row before it is numbered.
#[derive(Debug)]
pub(crate) struct Record(NewAudit);

impl Record {
    pub(crate) fn new(access: &Access, project: &str, action: &str, target: impl Into<String>) -> Self {
        Self(NewAudit {
            at_ms: time::now_ms(),
            who: access.who().to_owned(),
            address: access.address.to_string(),
            project: project.to_owned(),
            action: action.to_owned(),
            target: target.into(),
            before: String::new(),
            after: String::new(),
            outcome: "done".to_owned(),
        })
    }

    pub(crate) fn before(mut self, value: &impl Serialize) -> Self {
        self.0.before = text(value);
        self
    }

    pub(crate) fn after(mut self, value: &impl Serialize) -> Self {
        self.0.after = text(value);
        self
    }

    pub(crate) fn outcome(mut self, outcome: &str) -> Self {
        outcome.clone_into(&mut self.0.outcome);
        self
    }

    /// The store for the write that this tells of: both are committed, or neither.
    pub(crate) fn on(self, api: &Api) -> Store {
        api.store.audited(vec![self.0])
    }

    /// For a write that takes it along in its transaction.
    pub(crate) fn row(self) -> NewAudit {
        self.0
    }

    pub(crate) async fn write(self, api: &Api) -> Result<(), Problem> {
        api.store.append_audit(&self.0).await?;
        Ok(())
    }
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
