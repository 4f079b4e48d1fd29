// SPDX-License-Identifier: Apache-2.0
//! Bounds of texts behind `?`, taken from the document itself: what it says is what holds.

use super::problem::Problem;
use axum::extract::Query;
use axum::http::Uri;
use utoipa::openapi::path::Parameter;
use uuid::Uuid;

/// What the document says of one parameter.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    name: String,
    /// Characters.
    most: Option<usize>,
    uuid: bool,
}

impl Bound {
    /// `None`: nothing that is looked at here.
    pub(super) fn of(parameter: &Parameter) -> Option<Self> {
        let schema = serde_json::to_value(parameter.schema.as_ref()?).ok()?;
        let most = schema["maxLength"].as_u64().and_then(|n| usize::try_from(n).ok());
        let uuid = schema["format"] == "uuid";
        (most.is_some() || uuid).then(|| Self { name: parameter.name.clone(), most, uuid })
    }
}

/// Holds what was asked against it.
///
/// # Errors
/// Names the parameter.
pub(super) fn check(bounds: &[Bound], uri: &Uri) -> Result<(), Problem> {
    if bounds.is_empty() || uri.query().is_none() {
        return Ok(());
    }
    // What cannot be read at all is refused by who reads it.
    let Ok(Query(given)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else { return Ok(()) };
    for (name, value) in &given {
        let Some(bound) = bounds.iter().find(|b| b.name == *name) else { continue };
        if let Some(most) = bound.most
            && value.chars().count() > most
        {
            return Err(Problem::invalid(format!("{name}: {most} characters at most")));
        }
        if bound.uuid && Uuid::try_parse(value).is_err() {
            return Err(Problem::invalid(format!("{name}: must be an id, such as the lists give them")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_held_to_what_is_described() {
        let bounds = [
            Bound { name: "text".to_owned(), most: Some(3), uuid: false },
            Bound { name: "host".to_owned(), most: None, uuid: true },
        ];
        let good = |query: &str| check(&bounds, &format!("/x?{query}").parse().unwrap()).is_ok();
        assert!(good("text=abc&other=long-enough") && good("text=%C3%A4%C3%A4%C3%A4") && good(""));
        assert!(!good("text=abcd") && !good("text=%20%20%20%20"));
        assert!(good("host=01a215db-bb78-757c-b5d9-0dc551dde2e2") && !good("host=") && !good("host=x"));
    }
}
