// SPDX-License-Identifier: Apache-2.0
//! Isolated files: `isolated list` and `isolated show`.

use super::alarm::FileFacts;
use super::{exact, hex, lossy, some};
use crate::{escape, time};
use lazaret_proto::v1;
use serde::Serialize;

/// One isolated file as the list has it.
#[derive(Debug, Serialize)]
pub(crate) struct Isolated<'a> {
    id: &'a str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    sha256: Option<String>,
    size: u64,
    class: &'a str,
    family: &'a str,
    confidence: u32,
    status: &'a str,
    reason: &'a str,
    isolated_at: String,
    killed: Vec<Killed<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_alone: Vec<Killed<'a>>,
}

#[derive(Debug, Serialize)]
struct Killed<'a> {
    pid: i32,
    exe: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exe_b64: Option<String>,
    cmdline: Vec<String>,
    outcome: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<&'a str>,
}

/// One isolated file with everything that is known.
#[derive(Debug, Serialize)]
pub(crate) struct IsolatedFull<'a> {
    #[serde(flatten)]
    head: Isolated<'a>,
    file: Option<FileFacts<'a>>,
    links: Vec<String>,
    alarm: Option<&'a str>,
    stored: u64,
    sharing: u64,
}

impl<'a> From<&'a v1::Isolated> for Isolated<'a> {
    fn from(i: &'a v1::Isolated) -> Self {
        Self {
            id: &i.id,
            path: lossy(&i.path),
            path_b64: exact(&i.path),
            sha256: hex(&i.sha256),
            size: i.size,
            class: &i.class,
            family: &i.family,
            confidence: i.confidence,
            status: &i.status,
            reason: &i.reason,
            isolated_at: time::rfc3339(i.isolated_ms),
            killed: i.killed.iter().map(Into::into).collect(),
            left_alone: i.left_alone.iter().map(Into::into).collect(),
        }
    }
}

impl<'a> From<&'a v1::Killed> for Killed<'a> {
    fn from(k: &'a v1::Killed) -> Self {
        Self {
            pid: k.process.as_ref().map_or(0, |p| p.pid),
            exe: lossy(&k.exe),
            exe_b64: exact(&k.exe),
            cmdline: escape::arguments(&k.cmdline).map(lossy).collect(),
            outcome: &k.outcome,
            reason: some(&k.reason),
            unit: k.unit.as_deref(),
            container: k.container.as_deref(),
        }
    }
}

impl<'a> From<&'a v1::Isolated> for IsolatedFull<'a> {
    fn from(i: &'a v1::Isolated) -> Self {
        Self {
            head: i.into(),
            file: i.file.as_ref().map(Into::into),
            links: i.links.iter().map(|l| lossy(l)).collect(),
            alarm: some(&i.alarm),
            stored: i.stored,
            sharing: i.sharing,
        }
    }
}
