// SPDX-License-Identifier: Apache-2.0
//! Projects of the API that the caller may see.

use crate::call::Call;
use crate::error::HssError;
use crate::words::text;
use std::collections::HashMap;

/// Their names by their ids.
pub(crate) async fn names(call: &Call) -> Result<HashMap<String, String>, HssError> {
    let all = call.rest.items("/projects").await?;
    Ok(all.iter().map(|p| (text(p, "id").to_owned(), text(p, "name").to_owned())).collect())
}

/// Ids of those that are asked for.
pub(crate) async fn asked(call: &Call) -> Result<Vec<String>, HssError> {
    if let Some(one) = call.one_project() {
        return Ok(vec![one.to_owned()]);
    }
    let all = call.rest.items("/projects").await?;
    Ok(all.iter().map(|p| text(p, "id").to_owned()).collect())
}
