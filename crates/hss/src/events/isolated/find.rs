// SPDX-License-Identifier: Apache-2.0
//! The isolated files that a request names by host, hash, path and attributes.

use super::{PATH, attributes, facts};
use crate::body::{needed_in, short_in};
use crate::call::Call;
use crate::error::HssError;
use crate::page;
use crate::words::{self, text};
use serde_json::Value;
use uuid::Uuid;

/// States from which a file comes back or is deleted.
const IN_VAULT: [&str; 4] = ["isolated", "isolated_in_place", "restore_failed", "delete_failed"];
/// Times that one file of a host was isolated.
const MOST_TIMES: u64 = 1_000;

/// Ids of the files that each entry of `data_list` names, last changed first. One that is not there, or that is in no
/// vault, is an error before anything is changed.
pub(super) async fn files(call: &Call) -> Result<Vec<Vec<String>>, HssError> {
    let list = call.ask.body.get("data_list").and_then(Value::as_array).filter(|l| !l.is_empty());
    let list = list.ok_or_else(|| HssError::invalid("data_list: is missing: name 1 to 100 files"))?;
    let mut names = Vec::with_capacity(list.len());
    for (i, entry) in list.iter().enumerate() {
        names.push(Name::of(&format!("data_list[{i}]."), entry)?);
    }
    let mut found = Vec::with_capacity(names.len());
    for name in &names {
        found.push(name.ids(call).await?);
    }
    Ok(found)
}

/// How one is named.
#[derive(Debug)]
struct Name<'a> {
    host: &'a str,
    hash: &'a str,
    path: &'a str,
    attributes: Option<&'a str>,
}

impl<'a> Name<'a> {
    fn of(place: &str, entry: &'a Value) -> Result<Self, HssError> {
        Ok(Self {
            host: needed_in(entry, place, "host_id", 64)?,
            hash: needed_in(entry, place, "file_hash", 256)?,
            // Longer than HSS has them, as the list gives them.
            path: needed_in(entry, place, "file_path", 4096)?,
            attributes: short_in(entry, place, "file_attr", 256)?,
        })
    }

    fn missing(&self) -> HssError {
        HssError::missing("isolated file", self.path)
    }

    async fn ids(&self, call: &Call) -> Result<Vec<String>, HssError> {
        let (Ok(host), Some(digest)) = (Uuid::try_parse(self.host), words::sha256(self.hash)) else {
            return Err(self.missing());
        };
        let mut query = call.scoped();
        query.push(("host", host.to_string()));
        query.push(("sha256", digest));
        let mut there = page::all(&call.rest, PATH, &query, MOST_TIMES).await?;
        there.retain(|file| text(file, "path") == self.path && text(file, "status") != "deleted");
        let mut in_vault = Vec::new();
        for file in there.iter().filter(|f| IN_VAULT.contains(&text(f, "status"))) {
            if self.has_its_attributes(call, file).await? {
                in_vault.push(text(file, "id").to_owned());
            }
        }
        match there.iter().find(|f| !IN_VAULT.contains(&text(f, "status"))) {
            _ if !in_vault.is_empty() => Ok(in_vault),
            Some(other) => Err(not_there(other)),
            None => Err(self.missing()),
        }
    }

    /// What the host has not told of a file speaks not against it.
    async fn has_its_attributes(&self, call: &Call, file: &Value) -> Result<bool, HssError> {
        let Some(asked) = self.attributes else { return Ok(true) };
        let known = attributes(&facts(call, text(file, "id")).await?);
        Ok(known.is_none_or(|k| k == asked))
    }
}

fn not_there(file: &Value) -> HssError {
    let (path, status, reason) = (text(file, "path"), text(file, "status"), text(file, "reason"));
    let path = words::quoted(path, 200);
    let why = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    HssError::conflict(format!(
        "the file \"{path}\" is {status}{why}: no vault holds it that it could come back or be deleted from; nothing \
         was changed"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_name_needs_its_parts() {
        let whole = json!({ "host_id": "h", "file_hash": "ab", "file_path": "/tmp/x", "file_attr": "" });
        let name = Name::of("", &whole).unwrap();
        assert_eq!((name.host, name.path, name.attributes), ("h", "/tmp/x", None));
        for field in ["host_id", "file_hash", "file_path"] {
            let mut part = whole.clone();
            part[field] = Value::Null;
            let e = Name::of("data_list[0].", &part).unwrap_err();
            assert!(e.message().starts_with(&format!("data_list[0].{field}: is missing")), "{}", e.message());
        }
    }

    #[test]
    fn why_it_cannot_be_given_back() {
        let e = not_there(&json!({ "path": "/tmp/\nx", "status": "isolate_failed", "reason": "it is busy" }));
        assert!(e.message().contains("\"/tmp/\u{fffd}x\" is isolate_failed (it is busy)"), "{}", e.message());
    }
}
