// SPDX-License-Identifier: Apache-2.0
//! `cloud status`, `cloud sent` and `cloud verdicts` as JSON.

use super::{exact, hex, lossy, some};
use crate::time;
use lazaret_proto::v1;
use serde::Serialize;

/// A path as JSON can hold it.
#[derive(Debug, Serialize)]
struct Path {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
}

impl From<&Vec<u8>> for Path {
    fn from(bytes: &Vec<u8>) -> Self {
        Self { path: lossy(bytes), path_b64: exact(bytes) }
    }
}

/// What leaves this host, and how far it is.
#[derive(Debug, Serialize)]
pub(crate) struct Cloud<'a> {
    hashes: bool,
    samples: bool,
    consent_hashes: bool,
    consent_samples: bool,
    limits: &'a [String],
    max_sample_bytes: u64,
    exclude: Vec<Path>,
    kinds: &'a [String],
    wait_ms: u32,
    fail_closed: bool,
    bytes_per_second: Option<u64>,
    programs: u64,
    programs_unsent: u64,
    open_questions: u64,
    verdicts: u64,
    samples_waiting: u64,
    sample: Option<Sample>,
    sent_hashes: u64,
    sent_samples: u64,
    sent_bytes: u64,
}

#[derive(Debug, Serialize)]
struct Sample {
    sha256: Option<String>,
    #[serde(flatten)]
    path: Path,
    size: u64,
    have: u64,
}

impl<'a> From<&'a v1::CloudStatus> for Cloud<'a> {
    fn from(s: &'a v1::CloudStatus) -> Self {
        Self {
            hashes: s.hashes,
            samples: s.samples,
            consent_hashes: s.consent_hashes,
            consent_samples: s.consent_samples,
            limits: &s.limits,
            max_sample_bytes: s.max_sample_bytes,
            exclude: s.exclude.iter().map(Into::into).collect(),
            kinds: &s.kinds,
            wait_ms: s.wait_ms,
            fail_closed: s.fail_closed,
            bytes_per_second: (s.bytes_per_second > 0).then_some(s.bytes_per_second),
            programs: s.programs,
            programs_unsent: s.programs_unsent,
            open_questions: s.open_questions,
            verdicts: s.verdicts,
            samples_waiting: s.samples_waiting,
            sample: s.sample.as_ref().map(|c| Sample {
                sha256: hex(&c.sha256),
                path: (&c.path).into(),
                size: c.size,
                have: c.have,
            }),
            sent_hashes: s.sent_hashes,
            sent_samples: s.sent_samples,
            sent_bytes: s.sent_bytes,
        }
    }
}

/// The same as a line of its own.
#[derive(Debug, Serialize)]
pub(crate) struct CloudLine<'a> {
    r#type: &'static str,
    #[serde(flatten)]
    status: Cloud<'a>,
}

impl<'a> From<&'a v1::CloudStatus> for CloudLine<'a> {
    fn from(s: &'a v1::CloudStatus) -> Self {
        Self { r#type: "cloud_status", status: s.into() }
    }
}

/// Something that was sent.
#[derive(Debug, Serialize)]
pub(crate) struct CloudSent<'a> {
    r#type: &'static str,
    what: &'a str,
    #[serde(flatten)]
    path: Path,
    sha256: Option<String>,
    server: &'a str,
    first_at: String,
    last_at: String,
    times: u64,
    bytes: u64,
}

impl<'a> From<&'a v1::CloudSent> for CloudSent<'a> {
    fn from(s: &'a v1::CloudSent) -> Self {
        Self {
            r#type: "cloud_sent",
            what: &s.what,
            path: (&s.path).into(),
            sha256: hex(&s.sha256),
            server: &s.server,
            first_at: time::rfc3339(s.first_ms),
            last_at: time::rfc3339(s.last_ms),
            times: s.times,
            bytes: s.bytes,
        }
    }
}

/// A verdict of the server.
#[derive(Debug, Serialize)]
pub(crate) struct CloudVerdict<'a> {
    r#type: &'static str,
    sha256: Option<String>,
    number: u64,
    class: Option<&'a str>,
    family: Option<&'a str>,
    confidence: u32,
    test: bool,
    act: bool,
    origin: &'a str,
    at: String,
    places: Vec<Path>,
}

impl<'a> From<&'a v1::CloudVerdict> for CloudVerdict<'a> {
    fn from(v: &'a v1::CloudVerdict) -> Self {
        let verdict = v.verdict.as_ref();
        Self {
            r#type: "cloud_verdict",
            sha256: hex(&v.sha256),
            number: v.number,
            class: verdict.and_then(|v| some(&v.class)),
            family: verdict.and_then(|v| some(&v.family)),
            confidence: verdict.map_or(0, |v| v.confidence),
            test: verdict.is_some_and(|v| v.test),
            act: v.act,
            origin: &v.origin,
            at: time::rfc3339(v.at_ms),
            places: v.paths.iter().map(Into::into).collect(),
        }
    }
}
