// SPDX-License-Identifier: Apache-2.0
//! The step `cloud`, on a host that belongs to a server: a harmless script that nothing on this host finds
//! is sent there, judged, and the verdict comes back. Skipped where consent is missing.

use super::programs::{cloud_script, drop_file};
use super::report::{Outcome, Report};
use super::watch::Bench;
use crate::client::Patience;
use crate::error::CliError;
use crate::escape;
use lazaret_model::MalwareClass;
use lazaret_proto::v1;
use lazaret_proto::v1::request::Verb;
use lazaret_proto::v1::response::Answer;
use sha2::Digest as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Sending, deep scan and the way back.
const PATIENCE: Duration = Duration::from_secs(60);
const WHAT: &str = "the server's deep scan finds what nothing on this host finds";

/// # Errors
/// Ctrl-C, or no daemon any more. A step that fails is reported.
pub(super) fn cloud(bench: &Bench, report: &mut Report<'_>) -> Result<(), CliError> {
    let status = bench.client.status()?;
    // A host on its own has no cloud.
    let Some(cloud) = &status.cloud else { return Ok(()) };
    let path = bench.folder.join("cloud.sh");
    let bytes = cloud_script(&bench.folder.join("cloud-ran"), MalwareClass::Trojan);
    let outcome = match gap(&status, cloud, &path, bytes.len() as u64) {
        Some(why) => Outcome::Skipped(why),
        None => ask(bench, &path, &bytes)?,
    };
    report.step("cloud", WHAT, outcome);
    Ok(())
}

/// Why it cannot be tried.
fn gap(status: &v1::Status, cloud: &v1::CloudStatus, path: &Path, size: u64) -> Option<String> {
    if !status.server.as_ref().is_some_and(|s| s.connected) {
        return Some("the server is not connected".into());
    }
    if !cloud.samples {
        return Some(cloud.limits.first().map_or_else(|| "samples are not sent".into(), |l| escape::text(l)));
    }
    if !cloud.kinds.iter().any(|k| k == "script") {
        return Some("scripts are not sent".into());
    }
    if size > cloud.max_sample_bytes {
        return Some(format!("it has {size} bytes, and {} may be sent", cloud.max_sample_bytes));
    }
    let path = path.as_os_str().as_bytes();
    let is_below = |folder: &Vec<u8>| {
        path.strip_prefix(folder.strip_suffix(b"/").unwrap_or(folder))
            .is_some_and(|rest| rest.first() == Some(&b'/'))
    };
    cloud
        .exclude
        .iter()
        .find(|f| is_below(f))
        .map(|f| format!("nothing of {} is sent; --dir names another folder", escape::name(f)))
}

fn ask(bench: &Bench, path: &Path, bytes: &[u8]) -> Result<Outcome, CliError> {
    let sha256 = sha2::Sha256::digest(bytes).to_vec();
    if let Err(e) = drop_file(path, bytes, 0o755, None) {
        return Ok(Outcome::Failed(format!("the test file could not be written: {e}")));
    }
    let began = Instant::now();
    // Written, and run: whichever sensor sees it first asks. Whether it runs is not what is tested.
    let _ = Command::new(path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let limit = bench.limit.max(PATIENCE);
    let found = bench.until_within(limit, || {
        let list = v1::CloudVerdictsList { sha256: sha256.clone(), limit: 1 };
        let answers = bench.client.collect(Verb::CloudVerdicts(list), Patience::Short)?;
        Ok(answers.into_iter().find_map(|a| if let Answer::CloudVerdict(v) = a { v.verdict } else { None }))
    })?;
    Ok(match found {
        None => Outcome::Failed(format!(
            "no verdict of the server within {} s; see lazaret cloud status",
            limit.as_secs()
        )),
        Some(v) if !v.test => Outcome::Failed(format!(
            "the server calls it {} (confidence {}) and no test program",
            escape::text(&v.class),
            v.confidence
        )),
        Some(v) => {
            Outcome::Ok(began.elapsed(), format!("{}, confidence {}", escape::text(&v.class), v.confidence))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_the_reason() {
        let cloud = v1::CloudStatus {
            samples: true,
            kinds: vec!["script".into()],
            max_sample_bytes: 500,
            exclude: vec![b"/home/".to_vec()],
            ..v1::CloudStatus::default()
        };
        let connected = v1::Status {
            server: Some(v1::ServerLink { connected: true, ..v1::ServerLink::default() }),
            ..v1::Status::default()
        };
        let why = |cloud: &v1::CloudStatus, path: &str| gap(&connected, cloud, Path::new(path), 300);
        assert_eq!(why(&cloud, "/homes/x"), None);
        assert!(why(&cloud, "/home/x").is_some_and(|w| w.contains("/home")));
        assert!(
            gap(&v1::Status::default(), &cloud, Path::new("/x"), 1).is_some_and(|w| w.contains("connected"))
        );
        let off = v1::CloudStatus { samples: false, limits: vec!["no consent".into()], ..cloud.clone() };
        assert_eq!(why(&off, "/x").as_deref(), Some("no consent"));
        assert!(why(&v1::CloudStatus { kinds: Vec::new(), ..cloud.clone() }, "/x").is_some());
        assert!(why(&v1::CloudStatus { max_sample_bytes: 5, ..cloud }, "/x").is_some());
    }
}
