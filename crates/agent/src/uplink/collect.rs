// SPDX-License-Identifier: Apache-2.0
//! The sample of an alarm that a person wants to have: where it lies, or out of the vault. What may leave the
//! host is said by the project's consent and by this host, for people too.

use super::commands::Cancel;
use super::orders::{Ended, refused, whole};
use crate::cloud::{self, Kind, Place};
use crate::control::{Refused, alarms};
use crate::core::Core;
use crate::log::{log, printable};
use crate::look::now_ms;
use lazaret_model::{AlarmId, Sha256};
use lazaret_proto::v1;
use lazaret_state::SampleStanding;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(250);
/// A server that cannot be reached, or has no room, keeps people waiting no longer.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// `None`: the daemon stops, and it goes on at the next start.
pub(super) fn run(core: &Core, order: &v1::CollectSample, cancel: &Cancel) -> Option<Ended> {
    let (sha256, place) = match find(core, order) {
        Ok(found) => found,
        Err(ended) => return Some(*ended),
    };
    let ended = match cloud::want(core, sha256, place) {
        Ok(()) => wait(core, &sha256, cancel),
        Err(e) => Some(Ended::failed(e.to_string())),
    };
    core.cloud.samples.asked.remove(&sha256);
    ended
}

/// What it is about, if that may leave.
fn find(core: &Core, order: &v1::CollectSample) -> Result<(Sha256, Place), Box<Ended>> {
    whole::<AlarmId>(&order.alarm).map_err(boxed)?;
    let alarm = alarms::find(core, &order.alarm).map_err(boxed)?;
    let (Some(verdict), Some(file)) = (&alarm.verdict, &alarm.forensics.file) else {
        return Err(Box::new(Ended::refused("this alarm is about no file")));
    };
    // Of a find in an archive the verdict names the archive.
    let (sha256, size) = (file.sha256.unwrap_or(verdict.sha256), file.file.size);
    let kind = Kind::of(verdict.file_type, true);
    let consent = core.cloud.consent();
    if let Err(why) = consent.may_send(kind, size, &file.path) {
        return Err(Box::new(Ended::refused(format!("{}: {why}", printable(&file.path)))));
    }
    if size > order.max_bytes {
        let most = order.max_bytes;
        let why = format!("it has {size} bytes, and {most} were asked for: ask for more");
        return Err(Box::new(Ended::refused(why)));
    }
    let kind = kind.map_or_else(String::new, |k| k.word().to_owned());
    // After a restore it lies where it was.
    let isolated = alarm.isolated.filter(|id| core.responder.vault().has_content(*id));
    Ok((sha256, Place { path: file.path.clone(), size, kind, isolated }))
}

fn boxed(why: Refused) -> Box<Ended> {
    Box::new(refused(why))
}

fn wait(core: &Core, sha256: &Sha256, cancel: &Cancel) -> Option<Ended> {
    let begun = Instant::now();
    loop {
        if core.is_stopping() {
            return None;
        }
        let row = match core.database.sample(sha256) {
            Ok(row) => row,
            Err(e) => return Some(Ended::failed(e.to_string())),
        };
        let why = match row.map(|row| (row.standing, row.reason)) {
            Some((SampleStanding::Wanted, why)) => why,
            Some((SampleStanding::Stored, _)) => {
                return Some(Ended::new("done", format!("the server has the sample {sha256}")));
            }
            Some((SampleStanding::Refused, why)) => {
                return Some(Ended::failed(format!("the server does not take it: {why}")));
            }
            Some((SampleStanding::Kept, why)) => return Some(Ended::failed(why)),
            None => return Some(Ended::failed("it was given up")),
        };
        let over = begun.elapsed() > PATIENCE;
        if over || cancel.load(Ordering::Relaxed) {
            let kept =
                core.database.sample_ended(sha256, SampleStanding::Kept, "a person's order ended", now_ms());
            if let Err(e) = kept {
                log!("{e}");
            }
            return Some(if over {
                Ended::failed(format!("not sent within an hour: {why}"))
            } else {
                Ended::cancelled("cancelled before the server had all of it")
            });
        }
        std::thread::sleep(LOOK);
    }
}
