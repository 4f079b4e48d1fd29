// SPDX-License-Identifier: Apache-2.0
//! Alarms of the API by their ids.

use crate::call::Call;
use crate::error::HssError;
use crate::ids;
use crate::rest::Query;
use crate::words::text;
use serde_json::Value;
use std::collections::HashMap;

/// Alarms of these ids that a query finds, by id. Those that are suppressed are in another list of the API.
pub(crate) async fn by_id<'a>(
    call: &Call,
    query: &Query,
    ids: impl IntoIterator<Item = &'a str> + Send,
) -> Result<HashMap<String, Value>, HssError> {
    let ids: Vec<&str> = ids.into_iter().collect();
    let mut found: HashMap<String, Value> = HashMap::with_capacity(ids.len());
    for suppressed in ["false", "true"] {
        let left: Vec<&str> = ids.iter().copied().filter(|id| !found.contains_key(*id)).collect();
        let mut query = query.clone();
        query.push(("suppressed", suppressed.to_owned()));
        let rows = ids::rows(&call.rest, "/alarms", &query, left).await?;
        found.extend(rows.into_iter().map(|a| (text(&a, "id").to_owned(), a)));
    }
    Ok(found)
}
