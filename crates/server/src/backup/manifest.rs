// SPDX-License-Identifier: Apache-2.0
//! What an archive says of itself, and whether that is true.

use super::archive::{self, Entry, Written};
use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;

pub(super) const FILE: &str = "manifest.json";
pub(super) const PRODUCT: &str = "lazaret-server";
/// Counts up when an older program could not read it.
pub(super) const FORMAT: u32 = 1;
/// It names each part.
const MOST: u64 = 256 << 20;

/// A part.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) sha256: String,
    /// Of a table: its columns, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) columns: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) product: String,
    pub(super) format: u32,
    /// Of the program that wrote it.
    pub(super) version: String,
    /// `sqlite`, `postgres`.
    pub(super) database: String,
    pub(super) schema: i64,
    pub(super) installation: String,
    pub(super) incarnation: String,
    pub(super) created_at: String,
    /// Where samples lie, and whether they are among the parts.
    #[serde(default)]
    pub(super) samples: String,
    pub(super) parts: Vec<Part>,
}

impl Manifest {
    pub(super) fn parts(written: &[Written], columns: &BTreeMap<String, Vec<String>>) -> Vec<Part> {
        written
            .iter()
            .map(|w| Part {
                name: w.name.clone(),
                size: w.size,
                sha256: w.sha256.clone(),
                columns: columns.get(&w.name).cloned().unwrap_or_default(),
            })
            .collect()
    }

    /// Reads and checks a whole archive: nothing of it is used before.
    pub(super) fn verified(file: &mut File) -> anyhow::Result<(Self, BTreeMap<String, Entry>)> {
        let entries = archive::list(file).context("the archive cannot be used")?;
        let (last, parts) = entries.split_last().context("the archive is empty")?;
        ensure!(
            last.name == FILE,
            "the archive has no {FILE} at its end: it was not finished, or is another's"
        );
        let text = archive::bytes(file, last, MOST)?;
        let about: serde_json::Value = serde_json::from_slice(&text).context(FILE)?;
        let product = about["product"].as_str().unwrap_or_default();
        ensure!(product == PRODUCT, "it is a backup of \"{}\", not of {PRODUCT}", product.escape_default());
        let format = about["format"].as_u64().unwrap_or_default();
        ensure!(
            format == u64::from(FORMAT),
            "it is a backup of form {format}, this program reads form {FORMAT}: take the program that wrote it"
        );
        let manifest: Self = serde_json::from_value(about).context(FILE)?;
        let newest = lazaret_store::newest_schema();
        ensure!(
            (1..=newest).contains(&manifest.schema),
            "it holds schema {}, this program knows 1 to {newest}: restore it with version {} or a newer one",
            manifest.schema,
            manifest.version.escape_default()
        );
        ensure!(
            parts.len() == manifest.parts.len(),
            "it holds {} parts and its manifest names {}",
            parts.len(),
            manifest.parts.len()
        );
        for (entry, part) in parts.iter().zip(&manifest.parts) {
            if entry.name != part.name || entry.size != part.size {
                bail!("its part {} is not the one that its manifest names", entry.name);
            }
            if archive::digest(file, entry)? != part.sha256 {
                bail!(
                    "its part {} was changed or damaged: its SHA-256 is not that of the manifest",
                    entry.name
                );
            }
        }
        let by_name = parts.iter().map(|e| (e.name.clone(), e.clone())).collect();
        Ok((manifest, by_name))
    }
}
