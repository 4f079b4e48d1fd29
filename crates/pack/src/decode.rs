// SPDX-License-Identifier: Apache-2.0
//! Pack to content. Nothing is allocated by what a length field says, only by what is there.

use crate::encode::{PackedRule, digest};
use crate::member::{
    HEAD, KNOWN_BAD, KNOWN_GOOD, LISTED, MAGIC, MAX_MANIFEST, Manifest, RULES, SCHEMA, THIRD_PARTY, veil,
};
use crate::{Content, KnownBadSet, KnownGoodSet, PackError, Rule};
use lazaret_model::{ContentProblem, FileType, MalwareClass};

/// Members that we do not know are skipped, up to this many.
const MAX_MEMBERS: usize = 64;

pub(crate) fn decode(label: &str, bytes: &[u8]) -> Result<Content, PackError> {
    let damaged = |reason: String| PackError::Damaged { file: label.to_owned(), reason };
    if bytes.len() as u64 > crate::content::MAX_PACK {
        return Err(damaged("it is larger than 1 GiB".to_owned()));
    }
    let (manifest, mut rest) = manifest(bytes).map_err(&damaged)?;
    let manifest: Manifest = serde_json::from_slice(manifest)
        .map_err(|e| damaged(format!("manifest, line {} column {}: {e}", e.line(), e.column())))?;
    if manifest.schema != SCHEMA {
        return Err(PackError::Schema { file: label.to_owned(), found: manifest.schema, known: SCHEMA });
    }
    if manifest.members.len() > MAX_MEMBERS {
        return Err(damaged(format!("manifest lists {} members", manifest.members.len())));
    }
    let mut content = Content { version: manifest.version, ..Content::default() };
    let mut seen: Vec<&str> = Vec::new();
    for entry in &manifest.members {
        let name = entry.name.as_str();
        let stored = usize::try_from(entry.length)
            .ok()
            .and_then(|n| rest.split_at_checked(n))
            .ok_or_else(|| damaged(format!("it ends inside member {name}")))?;
        rest = stored.1;
        if digest(stored.0).to_string() != entry.sha256 {
            return Err(damaged(format!("member {name} does not have the digest that the manifest states")));
        }
        if seen.contains(&name) {
            return Err(damaged(format!("member {name} is there twice")));
        }
        seen.push(name);
        let in_member = |e: String| damaged(format!("member {name}: {e}"));
        match name {
            RULES => rules(label, &veil(stored.0), &mut content).map_err(in_member)?,
            KNOWN_BAD => {
                content.known_bad = KnownBadSet::from_bytes(&veil(stored.0)).map_err(in_member)?;
            }
            KNOWN_GOOD => {
                content.known_good = KnownGoodSet::from_bytes(&veil(stored.0)).map_err(in_member)?;
            }
            THIRD_PARTY => {
                content.third_party =
                    serde_json::from_slice(&veil(stored.0)).map_err(|e| in_member(e.to_string()))?;
            }
            LISTED => {
                content.listed = crate::third_party::lists_from_json(&veil(stored.0)).map_err(in_member)?;
            }
            // A later Lazaret of the same schema may add members that this one can do without.
            _ => {}
        }
    }
    if !rest.is_empty() {
        return Err(damaged(format!("{} bytes follow the last member", rest.len())));
    }
    if let Some(missing) = [RULES, KNOWN_BAD, KNOWN_GOOD].iter().find(|m| !seen.contains(m)) {
        return Err(damaged(format!("member {missing} is missing")));
    }
    Ok(content)
}

fn manifest(bytes: &[u8]) -> Result<(&[u8], &[u8]), String> {
    if !bytes.starts_with(&MAGIC) {
        return Err("it does not begin like one".to_owned());
    }
    let (head, rest) = bytes.split_first_chunk::<HEAD>().ok_or("it ends inside its head")?;
    let mut length = [0; 4];
    length.copy_from_slice(&head[8..12]);
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_MANIFEST {
        return Err(format!("it states a manifest of {length} bytes"));
    }
    let (manifest, rest) = rest.split_at_checked(length).ok_or("it ends inside its manifest")?;
    if digest(manifest).0[..] != head[12..44] {
        return Err("its manifest does not have the digest that the head states".to_owned());
    }
    Ok((manifest, rest))
}

fn rules(label: &str, json: &[u8], content: &mut Content) -> Result<(), String> {
    // Rule by rule, so that one that we do not understand does not lose the others.
    let values: Vec<serde_json::Value> = serde_json::from_slice(json).map_err(|e| e.to_string())?;
    let mut ids = std::collections::HashSet::new();
    for (i, value) in values.into_iter().enumerate() {
        let problem = |line: u32, message: String| ContentProblem {
            file: format!("{label}/{RULES}"),
            line,
            column: 0,
            message,
        };
        match serde_json::from_value::<PackedRule>(value) {
            Err(e) => content.problems.push(problem(0, format!("rule number {}: {e}", i + 1))),
            Ok(packed) => {
                let line = packed.line;
                match rule(packed) {
                    Ok(rule) if ids.insert(rule.id.clone()) => content.rules.push(rule),
                    Ok(rule) => {
                        content.problems.push(problem(line, format!("rule {}: its id is taken", rule.id)));
                    }
                    Err(e) => content.problems.push(problem(line, e)),
                }
            }
        }
    }
    Ok(())
}

fn rule(p: PackedRule) -> Result<Rule, String> {
    let class: MalwareClass = p.class.parse().map_err(|e| format!("rule {}: {e}", p.id))?;
    let types = p
        .types
        .iter()
        .map(|w| FileType::from_word(w).ok_or_else(|| format!("rule {}: unknown file type \"{w}\"", p.id)))
        .collect::<Result<Vec<_>, _>>()?;
    let rule = Rule {
        id: p.id,
        class,
        family: p.family,
        weight: p.weight,
        decisive: p.decisive,
        test: p.test,
        types,
        max_size: p.max_size,
        correlate: p.correlate,
        description: p.description,
        reference: p.reference,
        yara: p.yara,
        file: p.file,
        line: p.line,
        yara_line: p.yara_line,
        matching: None,
        other: None,
    };
    match rule.fault() {
        Some(fault) => Err(fault),
        None => Ok(rule),
    }
}
