// SPDX-License-Identifier: Apache-2.0
//! Isolated files, as the host has them.

use super::alarm::FileFacts;
use super::arguments;
use super::{exact, hex, lossy, some};
use crate::time;
use lazaret_proto::v1;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Debug, Clone, Serialize, ToSchema)]
struct Killed {
    pid: i32,
    exe: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exe_b64: Option<String>,
    cmdline: Vec<String>,
    outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<String>,
}

/// One isolated file with everything that is known.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct IsolatedFull {
    id: String,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    sha256: Option<String>,
    size: u64,
    class: String,
    family: String,
    confidence: u32,
    status: String,
    reason: String,
    isolated_at: String,
    killed: Vec<Killed>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_alone: Vec<Killed>,
    file: Option<FileFacts>,
    links: Vec<String>,
    alarm: Option<String>,
    stored: u64,
    sharing: u64,
}

impl From<&v1::Killed> for Killed {
    fn from(k: &v1::Killed) -> Self {
        Self {
            pid: k.process.as_ref().map_or(0, |p| p.pid),
            exe: lossy(&k.exe),
            exe_b64: exact(&k.exe),
            cmdline: arguments(&k.cmdline).map(lossy).collect(),
            outcome: k.outcome.clone(),
            reason: some(&k.reason),
            unit: k.unit.clone(),
            container: k.container.clone(),
        }
    }
}

impl From<&v1::Isolated> for IsolatedFull {
    fn from(i: &v1::Isolated) -> Self {
        Self {
            id: i.id.clone(),
            path: lossy(&i.path),
            path_b64: exact(&i.path),
            sha256: hex(&i.sha256),
            size: i.size,
            class: i.class.clone(),
            family: i.family.clone(),
            confidence: i.confidence,
            status: i.status.clone(),
            reason: i.reason.clone(),
            isolated_at: time::rfc3339(i.isolated_ms),
            killed: i.killed.iter().map(Into::into).collect(),
            left_alone: i.left_alone.iter().map(Into::into).collect(),
            file: i.file.as_ref().map(Into::into),
            links: i.links.iter().map(|l| lossy(l)).collect(),
            alarm: some(&i.alarm),
            stored: i.stored,
            sharing: i.sharing,
        }
    }
}
