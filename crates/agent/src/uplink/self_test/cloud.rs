// SPDX-License-Identifier: Apache-2.0
//! The step `cloud`: a harmless script that nothing on this host finds is sent to the server, which judges
//! it, and its verdict comes back. Skipped where consent, or anything else on the way, is missing.

use super::programs::{cloud_script, drop_file};
use super::{Cancelled, Outcome, Test};
use crate::cloud::Kind;
use lazaret_model::{MalwareClass, Sha256};
use lazaret_proto::{Message as _, v1};
use lazaret_state::SampleStanding;
use sha2::Digest as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Sending, deep scan and the way back.
const PATIENCE: Duration = Duration::from_secs(60);

impl Test<'_> {
    pub(super) fn cloud(&mut self) -> Result<(), Cancelled> {
        let began = Instant::now();
        let path = self.folder.join("cloud.sh");
        let bytes = cloud_script(&self.folder.join("cloud-ran"), MalwareClass::Trojan);
        let outcome = match self.cloud_gap(&path, bytes.len() as u64) {
            Some(why) => Outcome::Skipped(why),
            None => self.ask_cloud(&path, &bytes)?,
        };
        self.step("cloud", began, outcome);
        Ok(())
    }

    /// Why it cannot be tried.
    fn cloud_gap(&self, path: &Path, size: u64) -> Option<String> {
        if !self.core.cloud.is_connected() {
            return Some("the server does not speak cloud scan in this session".to_owned());
        }
        if !self.core.live().policy.test_programs {
            return Some("test programs are switched off on this host".to_owned());
        }
        let name = path.as_os_str().as_bytes();
        self.core.cloud.consent().may_send(Some(Kind::Script), size, name).err()
    }

    fn ask_cloud(&self, path: &Path, bytes: &[u8]) -> Result<Outcome, Cancelled> {
        let sha256 = Sha256(sha2::Sha256::digest(bytes).into());
        if let Err(why) = drop_file(path, bytes, 0o755) {
            return Ok(Outcome::Failed(why));
        }
        // Written, and run: whichever sensor sees it first asks. Whether it runs is not what is tested.
        let _ = Command::new(path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        let database = &self.core.database;
        let found = self.until_within(PATIENCE, || {
            let row = database.cloud_verdict(sha256).ok().flatten().filter(|row| !row.withdrawn)?;
            v1::HashVerdict::decode(row.verdict.as_slice()).ok()?.verdict
        })?;
        let Some(verdict) = found else {
            let seconds = PATIENCE.as_secs();
            return Ok(Outcome::Failed(format!("no verdict within {seconds} s: {}", self.how_far(sha256))));
        };
        if !verdict.test {
            return Ok(Outcome::Failed(format!(
                "the server calls it {} (confidence {}) and no test program",
                verdict.class, verdict.confidence
            )));
        }
        Ok(Outcome::Ok(format!(
            "the server's deep scan found what nothing here finds: {}, confidence {}",
            verdict.class, verdict.confidence
        )))
    }

    /// For who looks why there is no verdict.
    fn how_far(&self, sha256: Sha256) -> String {
        let row = self.core.database.sample(&sha256).ok().flatten();
        let because = |what: &str, why: &str| {
            if why.is_empty() { what.to_owned() } else { format!("{what}: {why}") }
        };
        match row.map(|row| (row.standing, row.reason)) {
            None => "the server has not asked for it".to_owned(),
            Some((SampleStanding::Wanted, why)) => because("it waits to be sent", &why),
            Some((SampleStanding::Stored, _)) => {
                "the server has it and has not judged it: does a worker run there?".to_owned()
            }
            Some((SampleStanding::Refused, why)) => because("the server does not take it", &why),
            Some((SampleStanding::Kept, why)) => because("this host does not send it", &why),
        }
    }
}
