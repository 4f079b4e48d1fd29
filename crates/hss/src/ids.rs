// SPDX-License-Identifier: Apache-2.0
//! Rows of the API's lists by their ids, a batch at a time.

use crate::error::HssError;
use crate::page;
use crate::rest::{Query, Rest};
use serde_json::Value;
use std::collections::BTreeSet;

/// Ids that the API takes in one list.
pub(crate) const AT_ONCE: usize = 100;

/// Ids each once; of none the API would make all, and of one with a comma two.
fn plain<'a>(ids: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let ids = ids.into_iter().filter(|id| !id.is_empty() && !id.contains(','));
    ids.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Rows of these ids that a query finds in the list at `path`.
pub(crate) async fn rows<'a>(
    rest: &Rest,
    path: &str,
    query: &Query,
    ids: impl IntoIterator<Item = &'a str> + Send,
) -> Result<Vec<Value>, HssError> {
    let mut found = Vec::new();
    for some in plain(ids).chunks(AT_ONCE) {
        let mut query = query.clone();
        query.push(("ids", some.join(",")));
        found.extend(page::all(rest, path, &query, AT_ONCE as u64).await?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_once_and_none_that_is_a_list() {
        assert_eq!(plain(["b", "", "a", "a,b", "b"]), ["a", "b"]);
    }
}
