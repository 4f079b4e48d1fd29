// SPDX-License-Identifier: Apache-2.0
//! One call of an operation: what was asked, by whom, in which projects.

use crate::ask::Ask;
use crate::error::HssError;
use crate::rest::{Query, Rest};
use axum::body::Body;
use axum::http::HeaderValue;
use serde_json::Value;

/// Every project of the caller.
const ALL_GRANTED: &str = "all_granted_eps";

/// What an operation gets.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) ask: Ask,
    pub(crate) rest: Rest,
    /// `None`: all that the caller may.
    project: Option<String>,
}

/// What it answers.
#[derive(Debug)]
pub(crate) enum Reply {
    /// With fields that are null left out: what is not known is absent.
    Json(Value),
    /// As something to save.
    File { name: String, media: String, length: Option<HeaderValue>, body: Body },
}

/// What operations return.
pub(crate) type Answer = Result<Reply, HssError>;

impl From<Value> for Reply {
    fn from(value: Value) -> Self {
        Self::Json(value)
    }
}

/// Without fields that are null, at any depth.
pub(crate) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(o) => Value::Object(
            o.into_iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k, without_nulls(v))).collect(),
        ),
        Value::Array(a) => Value::Array(a.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

impl Call {
    /// The enterprise project of the query, or the project of the path.
    pub(crate) fn new(ask: Ask, rest: Rest) -> Self {
        let project = match ask.text("enterprise_project_id") {
            Some(ALL_GRANTED) => None,
            Some(id) => Some(id.to_owned()),
            None => Some(ask.part("project_id").to_owned()),
        };
        Self { ask, rest, project }
    }

    /// Projects that are named, for the gate to look at.
    pub(crate) fn named_projects(&self) -> impl Iterator<Item = &str> {
        [Some(self.ask.part("project_id")), self.project.as_deref()].into_iter().flatten()
    }

    /// What is written belongs to one project.
    pub(crate) fn project(&self) -> Result<&str, HssError> {
        self.project.as_deref().ok_or_else(|| {
            HssError::invalid("enterprise_project_id: this operation needs one project, not all_granted_eps")
        })
    }

    /// The project, `None` for all that the caller may.
    pub(crate) fn one_project(&self) -> Option<&str> {
        self.project.as_deref()
    }

    /// A query to the API that is limited to the projects that are asked for.
    pub(crate) fn scoped(&self) -> Query {
        vec![("project", self.project.clone().unwrap_or_else(|| ALL_GRANTED.to_owned()))]
    }

    /// A time window: `last_days`, or `begin_time` and `end_time` in milliseconds, as `since` and `until` of the API.
    pub(crate) fn window(&self, query: &mut Query) -> Result<(), HssError> {
        let days = self.ask.between("last_days", 1..=3650)?;
        let range = 0..=253_402_300_799_999;
        let (begin, end) =
            (self.ask.between("begin_time", range.clone())?, self.ask.between("end_time", range)?);
        if let (Some(b), Some(e)) = (begin, end)
            && b > e
        {
            return Err(HssError::invalid("begin_time: is after end_time"));
        }
        if days.is_some() && (begin.is_some() || end.is_some()) {
            return Err(HssError::invalid(
                "last_days: instead of begin_time and end_time, not beside them: leave one or the other out",
            ));
        }
        // To the minute: pages of one look have one query, so that their places are remembered.
        let since =
            begin.or_else(|| days.map(|d| self.rest.inside().now_ms() / 60_000 * 60_000 - d * 86_400_000));
        if let Some(at) = since {
            query.push(("since", crate::words::rfc3339(at)));
        }
        if let Some(at) = end {
            // Of the API: before it.
            query.push(("until", crate::words::rfc3339(at + 1)));
        }
        Ok(())
    }
}
