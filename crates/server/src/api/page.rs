// SPDX-License-Identifier: Apache-2.0
//! Pages and times of queries.

use super::problem::Problem;
use crate::time;
use lazaret_store::{COUNT_CAP, Cursor, Page};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

/// Items of a page unless asked for otherwise.
const DEFAULT_LIMIT: u32 = 50;

/// Of which project.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfProject {
    /// Id of a project, or `all_granted_eps`: all that the caller may see, as without it.
    #[param(min_length = 1, max_length = 64)]
    pub(crate) project: Option<String>,
}

/// Which page is wanted.
pub(crate) fn cursor(after: Option<String>, limit: Option<u32>) -> Result<Cursor, Problem> {
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=1000).contains(&limit) {
        return Err(Problem::invalid(format!("limit = {limit}: must be 1 to 1000")));
    }
    Ok(Cursor { after: after.filter(|a| !a.is_empty()), limit })
}

/// A moment behind `?` or in a body.
pub(crate) fn moment(name: &str, text: Option<&str>) -> Result<Option<i64>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let ms = time::parse(text).ok_or_else(|| {
        Problem::invalid(format!("{name}: \"{}\" is no RFC 3339 time", super::problem::shown(text)))
    })?;
    Ok(Some(ms))
}

/// One page of a list; its schema is written by [`super::route::Doc::page`].
#[derive(Debug, Serialize)]
pub(crate) struct PageOf<T> {
    pub(crate) items: Vec<T>,
    next: Option<String>,
    total: u64,
    total_is_capped: bool,
}

impl<T> PageOf<T> {
    pub(crate) fn of<R>(page: Page<R>, convert: impl FnMut(R) -> T) -> Self {
        Self {
            items: page.items.into_iter().map(convert).collect(),
            next: page.next,
            total: page.total.min(COUNT_CAP),
            total_is_capped: page.total >= COUNT_CAP,
        }
    }
}
