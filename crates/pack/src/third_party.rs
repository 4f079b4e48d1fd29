// SPDX-License-Identifier: Apache-2.0
//! What people add to the content of their project: YARA files and lists of digests that others wrote.
//! They reach the rating medium at most, until an administrator promotes them.

use lazaret_model::{ContentProblem, MalwareClass, Sha256};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Entries of one list.
pub const MAX_LISTED: usize = 200_000;
/// No family name is this long.
const MAX_FAMILY: usize = 100;

/// A YARA file of somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThirdPartyRules {
    /// Names it in problems and evidence.
    pub label: String,
    /// Its text.
    pub source: String,
    /// May reach the rating high.
    #[serde(default)]
    pub promoted: bool,
}

/// A list of digests of somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestList {
    /// Names it in evidence.
    pub label: String,
    /// May reach the rating high.
    pub promoted: bool,
    /// Its entries.
    pub entries: Vec<ListedDigest>,
}

/// One digest of such a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedDigest {
    /// Digest.
    pub sha256: Sha256,
    /// What it is said to be.
    pub class: MalwareClass,
    /// Family name; may be empty.
    pub family: String,
}

/// Reads a list: one `SHA-256[,class[,family]]` a line; empty lines and those that begin with `#` count not.
///
/// # Errors
/// The first line that is none, and why.
pub fn read_digest_list(label: &str, text: &str) -> Result<Vec<ListedDigest>, ContentProblem> {
    let mut entries = Vec::new();
    let mut seen = HashSet::new();
    for (i, line) in text.lines().enumerate() {
        let problem = |message: String| ContentProblem {
            file: label.to_owned(),
            line: u32::try_from(i + 1).unwrap_or(0),
            column: 0,
            message,
        };
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut parts = line.splitn(3, ',').map(str::trim);
        let digest = parts.next().unwrap_or_default();
        let sha256: Sha256 = digest
            .parse()
            .map_err(|e| problem(format!("\"{}\" is no SHA-256: {e}", digest.escape_default())))?;
        let class = match parts.next().unwrap_or_default() {
            "" => MalwareClass::Unclassified,
            word => word.parse().map_err(|e| problem(format!("{e}")))?,
        };
        let family = parts.next().unwrap_or_default();
        if family.len() > MAX_FAMILY || family.chars().any(char::is_control) {
            return Err(problem(format!("the family is no name of at most {MAX_FAMILY} bytes")));
        }
        if entries.len() >= MAX_LISTED {
            return Err(problem(format!("more than {MAX_LISTED} digests in one list: divide it")));
        }
        if seen.insert(sha256) {
            entries.push(ListedDigest { sha256, class, family: family.to_owned() });
        }
    }
    Ok(entries)
}

#[derive(Serialize, Deserialize)]
struct PackedList {
    label: String,
    #[serde(default)]
    promoted: bool,
    /// As [`read_digest_list`] takes them.
    lines: Vec<String>,
}

pub(crate) fn lists_to_json(lists: &[DigestList]) -> serde_json::Result<Vec<u8>> {
    let packed: Vec<PackedList> = lists
        .iter()
        .map(|l| PackedList {
            label: l.label.clone(),
            promoted: l.promoted,
            lines: l
                .entries
                .iter()
                .map(|e| format!("{},{},{}", e.sha256, e.class.word(), e.family))
                .collect(),
        })
        .collect();
    serde_json::to_vec(&packed)
}

pub(crate) fn lists_from_json(json: &[u8]) -> Result<Vec<DigestList>, String> {
    let packed: Vec<PackedList> = serde_json::from_slice(json).map_err(|e| e.to_string())?;
    packed
        .into_iter()
        .map(|l| {
            let entries = read_digest_list(&l.label, &l.lines.join("\n")).map_err(|p| p.to_string())?;
            Ok(DigestList { label: l.label, promoted: l.promoted, entries })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_name_the_line_that_is_none() {
        let a = "a".repeat(64);
        let text =
            format!("# from somewhere\n\n{a}\n{},miner,xmrig, really\n{a}\n", "B".repeat(64).to_lowercase());
        let entries = read_digest_list("l", &text).unwrap();
        assert_eq!(entries.len(), 2, "one is there twice");
        assert_eq!((entries[0].class, entries[0].family.as_str()), (MalwareClass::Unclassified, ""));
        assert_eq!((entries[1].class, entries[1].family.as_str()), (MalwareClass::Miner, "xmrig, really"));
        for (text, line) in [("x", 1), ("#\nzz,miner", 2), (&format!("{a},spam") as &str, 1)] {
            let problem = read_digest_list("l", text).unwrap_err();
            assert_eq!((problem.line, problem.file.as_str()), (line, "l"), "{problem}");
        }
    }

    #[test]
    fn lists_come_back() {
        let entries = read_digest_list("l", &format!("{},worm,x", "c".repeat(64))).unwrap();
        let lists = vec![DigestList { label: "l".into(), promoted: true, entries }];
        assert_eq!(lists_from_json(&lists_to_json(&lists).unwrap()).unwrap(), lists);
        assert!(lists_from_json(b"[{\"label\":\"l\",\"lines\":[\"zz\"]}]").is_err());
    }
}
