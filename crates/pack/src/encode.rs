// SPDX-License-Identifier: Apache-2.0
//! Content to pack.

use crate::member::{
    HEAD, KNOWN_BAD, KNOWN_GOOD, LISTED, MAGIC, MAX_MANIFEST, Manifest, MemberEntry, RULES, SCHEMA,
    THIRD_PARTY, veil,
};
use crate::{Content, PackError, Rule};
use lazaret_model::Sha256;
use serde::{Deserialize, Serialize};
use sha2::Digest;
use std::io::Write;
use std::path::Path;

/// A rule in the pack: the source form's words, without the cases.
#[derive(Serialize, Deserialize)]
pub(crate) struct PackedRule {
    pub(crate) id: String,
    pub(crate) class: String,
    pub(crate) family: String,
    pub(crate) weight: f32,
    #[serde(default)]
    pub(crate) decisive: bool,
    #[serde(default)]
    pub(crate) test: bool,
    pub(crate) types: Vec<String>,
    #[serde(default)]
    pub(crate) max_size: Option<u64>,
    pub(crate) correlate: String,
    pub(crate) description: String,
    pub(crate) reference: String,
    pub(crate) yara: String,
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) yara_line: u32,
}

impl From<&Rule> for PackedRule {
    fn from(r: &Rule) -> Self {
        Self {
            id: r.id.clone(),
            class: r.class.word().to_owned(),
            family: r.family.clone(),
            weight: r.weight,
            decisive: r.decisive,
            test: r.test,
            types: r.types.iter().map(|t| t.word().to_owned()).collect(),
            max_size: r.max_size,
            correlate: r.correlate.clone(),
            description: r.description.clone(),
            reference: r.reference.clone(),
            yara: r.yara.clone(),
            file: r.file.clone(),
            line: r.line,
            yara_line: r.yara_line,
        }
    }
}

/// SHA-256 of some bytes.
pub(crate) fn digest(bytes: &[u8]) -> Sha256 {
    Sha256(sha2::Sha256::digest(bytes).into())
}

/// The pack as bytes. The same content gives the same bytes.
///
/// # Errors
/// When a part is too large for the form.
pub fn pack_bytes(content: &Content) -> Result<Vec<u8>, PackError> {
    let rules: Vec<PackedRule> = content.rules.iter().map(PackedRule::from).collect();
    let rules = serde_json::to_vec(&rules).map_err(|e| PackError::TooLarge(e.to_string()))?;
    let mut members = vec![
        (RULES, veil(&rules)),
        (KNOWN_BAD, veil(&content.known_bad.to_bytes())),
        (KNOWN_GOOD, veil(&content.known_good.to_bytes())),
    ];
    let too_large = |e: serde_json::Error| PackError::TooLarge(e.to_string());
    if !content.third_party.is_empty() {
        members.push((THIRD_PARTY, veil(&serde_json::to_vec(&content.third_party).map_err(too_large)?)));
    }
    if !content.listed.is_empty() {
        members.push((LISTED, veil(&crate::third_party::lists_to_json(&content.listed).map_err(too_large)?)));
    }
    let manifest = Manifest {
        schema: SCHEMA,
        version: content.version.clone(),
        members: members
            .iter()
            .map(|(name, stored)| MemberEntry {
                name: (*name).to_owned(),
                length: stored.len() as u64,
                sha256: digest(stored).to_string(),
            })
            .collect(),
    };
    let manifest = serde_json::to_vec(&manifest).map_err(|e| PackError::TooLarge(e.to_string()))?;
    let length = u32::try_from(manifest.len())
        .ok()
        .filter(|&n| n as usize <= MAX_MANIFEST)
        .ok_or_else(|| PackError::TooLarge(format!("the manifest has {} bytes", manifest.len())))?;
    let total: usize = members.iter().map(|(_, stored)| stored.len()).sum();
    let mut out = Vec::with_capacity(HEAD + manifest.len() + total);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&digest(&manifest).0);
    out.extend_from_slice(&manifest);
    for (_, stored) in &members {
        out.extend_from_slice(stored);
    }
    if out.len() as u64 > crate::content::MAX_PACK {
        return Err(PackError::TooLarge(format!("it would have {} bytes", out.len())));
    }
    Ok(out)
}

/// Writes a pack: whole and synced under a name of its own first, then renamed, so that nobody ever
/// reads half a pack.
///
/// # Errors
/// When a part is too large for the form, or the file cannot be written.
pub fn write_pack(content: &Content, path: &Path) -> Result<(), PackError> {
    let bytes = pack_bytes(content)?;
    let write = |error| PackError::Write { path: path.to_owned(), error };
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}.partial", std::process::id()));
    let partial = Path::new(&partial);
    let written = (|| {
        let mut file = std::fs::File::create(partial)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        std::fs::rename(partial, path)
    })();
    if written.is_err() {
        // Best effort: the error that counts is the one above.
        let _gone = std::fs::remove_file(partial);
    }
    written.map_err(write)
}
