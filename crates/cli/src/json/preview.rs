// SPDX-License-Identifier: Apache-2.0
//! `preview isolate --json`, `rules disarmed --json`.

use super::alarm::{FileFacts, ProcessFacts, Verdict};
use super::{exact, lossy, some};
use crate::time;
use lazaret_proto::v1;
use serde::Serialize;

/// What an isolation would touch.
#[derive(Debug, Serialize)]
pub(crate) struct Preview<'a> {
    r#type: &'static str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    would: &'a str,
    refused_by: &'a [String],
    rating: Option<&'a str>,
    package_standing: Option<&'a str>,
    critical: Option<&'a str>,
    carrier: Option<&'a str>,
    names: Vec<Name>,
    names_missing: u64,
    processes: Vec<Process<'a>>,
    readers: Vec<ProcessFacts<'a>>,
    units: &'a [String],
    persistence: &'a [String],
    vault: Vault<'a>,
    verdict: Option<Verdict<'a>>,
    file: Option<FileFacts<'a>>,
}

#[derive(Debug, Serialize)]
struct Name {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
}

#[derive(Debug, Serialize)]
struct Process<'a> {
    why: &'a str,
    kept_by: Option<&'a str>,
    user: Option<&'a str>,
    listening: Vec<Listening<'a>>,
    process: Option<ProcessFacts<'a>>,
}

#[derive(Debug, Serialize)]
struct Listening<'a> {
    protocol: &'a str,
    address: &'a str,
    port: u32,
}

#[derive(Debug, Serialize)]
struct Vault<'a> {
    fits: bool,
    reason: Option<&'a str>,
    objects: u64,
    used_bytes: u64,
    total_bytes: u64,
}

impl<'a> From<&'a v1::Preview> for Preview<'a> {
    fn from(p: &'a v1::Preview) -> Self {
        let vault = p.vault.as_ref();
        Self {
            r#type: "preview",
            path: lossy(&p.path),
            path_b64: exact(&p.path),
            would: &p.would,
            refused_by: &p.refused_by,
            rating: some(&p.rating),
            package_standing: some(&p.package_standing),
            critical: some(&p.critical),
            carrier: some(&p.carrier),
            names: p.names.iter().map(|n| Name { path: lossy(n), path_b64: exact(n) }).collect(),
            names_missing: p.names_missing,
            processes: p.processes.iter().map(Into::into).collect(),
            readers: p.readers.iter().map(Into::into).collect(),
            units: &p.units,
            persistence: &p.persistence,
            vault: Vault {
                fits: vault.is_some_and(|v| v.fits),
                reason: vault.and_then(|v| some(&v.reason)),
                objects: vault.map_or(0, |v| v.objects),
                used_bytes: vault.map_or(0, |v| v.used_bytes),
                total_bytes: vault.map_or(0, |v| v.total_bytes),
            },
            verdict: p.verdict.as_ref().map(Into::into),
            file: p.file.as_ref().map(Into::into),
        }
    }
}

impl<'a> From<&'a v1::PreviewProcess> for Process<'a> {
    fn from(p: &'a v1::PreviewProcess) -> Self {
        Self {
            why: &p.why,
            kept_by: some(&p.kept_by),
            user: some(&p.user),
            listening: p
                .listening
                .iter()
                .map(|l| Listening { protocol: &l.protocol, address: &l.address, port: l.port })
                .collect(),
            process: p.process.as_ref().map(Into::into),
        }
    }
}

/// A rule that only refuses and reports.
#[derive(Debug, Serialize)]
pub(crate) struct DisarmedRule<'a> {
    r#type: &'static str,
    rule: &'a str,
    since: String,
    why: &'a str,
    hits: u64,
    by: Option<&'a str>,
}

impl<'a> From<&'a v1::DisarmedRule> for DisarmedRule<'a> {
    fn from(r: &'a v1::DisarmedRule) -> Self {
        Self {
            r#type: "disarmed_rule",
            rule: &r.rule,
            since: time::rfc3339(r.since_ms),
            why: &r.why,
            hits: r.hits,
            by: (!r.by.is_empty()).then_some(r.by.as_str()),
        }
    }
}
