// SPDX-License-Identifier: Apache-2.0
//! What an isolation would touch.

use super::alarm::{FileFacts, ProcessFacts, Verdict};
use super::{exact, lossy, some};
use lazaret_proto::v1;
use serde::Serialize;
use utoipa::ToSchema;

/// What an isolation would touch.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Preview {
    r#type: String,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    would: String,
    refused_by: Vec<String>,
    rating: Option<String>,
    package_standing: Option<String>,
    critical: Option<String>,
    carrier: Option<String>,
    names: Vec<Name>,
    names_missing: u64,
    processes: Vec<Process>,
    readers: Vec<ProcessFacts>,
    units: Vec<String>,
    persistence: Vec<String>,
    vault: Vault,
    verdict: Option<Verdict>,
    file: Option<FileFacts>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
struct Name {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
struct Process {
    why: String,
    kept_by: Option<String>,
    user: Option<String>,
    listening: Vec<Listening>,
    process: Option<ProcessFacts>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
struct Listening {
    protocol: String,
    address: String,
    port: u32,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
struct Vault {
    fits: bool,
    reason: Option<String>,
    objects: u64,
    used_bytes: u64,
    total_bytes: u64,
}

impl From<&v1::Preview> for Preview {
    fn from(p: &v1::Preview) -> Self {
        let vault = p.vault.as_ref();
        Self {
            r#type: "preview".to_owned(),
            path: lossy(&p.path),
            path_b64: exact(&p.path),
            would: p.would.clone(),
            refused_by: p.refused_by.clone(),
            rating: some(&p.rating),
            package_standing: some(&p.package_standing),
            critical: some(&p.critical),
            carrier: some(&p.carrier),
            names: p.names.iter().map(|n| Name { path: lossy(n), path_b64: exact(n) }).collect(),
            names_missing: p.names_missing,
            processes: p.processes.iter().map(Into::into).collect(),
            readers: p.readers.iter().map(Into::into).collect(),
            units: p.units.clone(),
            persistence: p.persistence.clone(),
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

impl From<&v1::PreviewProcess> for Process {
    fn from(p: &v1::PreviewProcess) -> Self {
        Self {
            why: p.why.clone(),
            kept_by: some(&p.kept_by),
            user: some(&p.user),
            listening: p
                .listening
                .iter()
                .map(|l| Listening { protocol: l.protocol.clone(), address: l.address.clone(), port: l.port })
                .collect(),
            process: p.process.as_ref().map(Into::into),
        }
    }
}
