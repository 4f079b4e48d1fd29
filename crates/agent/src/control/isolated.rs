// SPDX-License-Identifier: Apache-2.0
//! Isolated files: list, show, restore, delete, verify.

use super::{Answered, Peer, Refusal, Refused, Reply, refuse};
use crate::alarms::{decode, update};
use crate::core::Core;
use crate::log::{log, printable};
use crate::look::now_ms;
use lazaret_model::{AlarmId, FileFacts, HandleStatus, IsolatedId, IsolatedStatus, KilledProcess, Outcome};
use lazaret_proto::v1;
use lazaret_proto::v1::failure::Kind;
use lazaret_proto::v1::response::Answer;
use lazaret_response::{Order, Plan, Receipt, Report};
use lazaret_state::ExceptionRow;
use lazaret_vault::{Checked, Listed, Manifest, VaultError};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// An alarm younger than this may not be kept yet.
const RECENT_SECONDS: u64 = 60;
/// How long that is waited for.
const ABOUT_TO_BE_KEPT: Duration = Duration::from_secs(3);

pub(super) fn list(core: &Core, request: &v1::IsolatedList, reply: &mut Reply<'_>) -> Answered {
    if !request.status.is_empty() && IsolatedStatus::from_word(&request.status).is_none() {
        let known: Vec<&str> = IsolatedStatus::ALL.iter().map(|s| s.word()).collect();
        refuse(
            Kind::BadRequest,
            format!("there is no status \"{}\"; known: {}", request.status, known.join(", ")),
        )?;
    }
    for object in core.responder.vault().list().map_err(failed)? {
        let isolated = describe(core, &object);
        if request.status.is_empty() || isolated.status == request.status {
            reply.more(Answer::Isolated(isolated))?;
        }
    }
    Ok(None)
}

pub(super) fn show(core: &Core, request: &v1::IsolatedShow) -> Answered {
    Ok(Some(Answer::Isolated(describe(core, &find(core, &request.id)?))))
}

fn failed(e: VaultError) -> Refusal {
    let kind = if matches!(e, VaultError::NotFound(_)) { Kind::NotFound } else { Kind::Failed };
    Refusal(kind, e.to_string())
}

/// Whole id, or a beginning or end of at least four digits that only one object has.
fn find(core: &Core, part: &str) -> Result<Listed, Refused> {
    let part = part.trim().to_ascii_lowercase();
    let mut found: Vec<Listed> = core.responder.vault().list().map_err(failed)?;
    found.retain(|o| {
        let id = o.id.to_string();
        id == part || (part.len() >= 4 && (id.starts_with(&part) || id.ends_with(&part)))
    });
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(Refusal(
            Kind::NotFound,
            format!("there is no isolated file {part}; see lazaret isolated list"),
        )
        .into()),
        n => Err(Refusal(
            Kind::BadRequest,
            format!("\"{part}\" could be {n} isolated files: give more digits"),
        )
        .into()),
    }
}

/// As the vault has it now.
pub(crate) fn describe(core: &Core, object: &Listed) -> v1::Isolated {
    let vault = core.responder.vault();
    let stored = std::fs::metadata(vault.blob_path(object.id)).map_or(0, |m| m.len());
    let sharing = vault.holders(object.id);
    let m = match &object.manifest {
        Ok(m) => m,
        Err(e) => {
            return v1::Isolated {
                id: object.id.to_string(),
                status: "unreadable".into(),
                reason: e.to_string(),
                stored,
                sharing,
                ..v1::Isolated::default()
            };
        }
    };
    v1::Isolated {
        id: object.id.to_string(),
        path: m.path.0.clone(),
        sha256: m.sha256.0.to_vec(),
        size: m.size,
        class: m.class.word().into(),
        family: m.family.clone(),
        confidence: m.confidence.value().into(),
        status: m.status.word().into(),
        reason: m.reason.clone(),
        isolated_ms: m.isolated_at_ms,
        killed: m.killed.iter().map(|k| (&KilledProcess::from(k)).into()).collect(),
        file: Some((&facts(m)).into()),
        links: m.links.iter().map(|l| l.0.clone()).collect(),
        alarm: m.alarm.map(|a| a.to_string()).unwrap_or_default(),
        stored,
        sharing,
        left_alone: m.left_alone.iter().map(|k| (&KilledProcess::from(k)).into()).collect(),
    }
}

fn facts(m: &Manifest) -> FileFacts {
    FileFacts {
        path: m.path.0.clone(),
        file: m.file_ref(),
        sha256: Some(m.sha256),
        uid: m.uid,
        gid: m.gid,
        mode: m.mode,
        nlink: m.nlink,
        atime: m.atime.into(),
        mtime: m.mtime.into(),
        package: None,
        package_intact: None,
    }
}

pub(crate) fn restore(core: &Core, peer: &Peer, request: &v1::IsolatedRestore) -> Answered {
    let object = find(core, &request.id)?;
    let to = request.to.clone().map(|p| PathBuf::from(OsString::from_vec(p)));
    if to.as_ref().is_some_and(|p| !p.is_absolute()) {
        refuse(Kind::BadRequest, "the path to restore to must be absolute")?;
    }
    let mut receipt = restore_id(core, peer, object.id, to, request.parents)?;
    if request.restart {
        receipt.restarts = restart(core, peer, object.id)?;
    }
    Ok(Some(Answer::Receipt(receipt)))
}

/// Starts again what was ended with it. The file is back whatever comes of this.
pub(crate) fn restart(core: &Core, peer: &Peer, id: IsolatedId) -> Result<Vec<v1::ActionRecord>, Refused> {
    let manifest = core.responder.vault().manifest(id).map_err(failed)?;
    let plan = Plan { alarm: manifest.alarm, who: peer.name(), order: Order::Restart { id } };
    let report = core.responder.execute(plan);
    note(core, manifest.alarm, &report);
    for r in &report.records {
        log!("{} of {}: {} ({})", r.action.word(), r.target, r.outcome, peer.name());
    }
    Ok(report.records.iter().map(Into::into).collect())
}

/// Puts a file back and lets its content be on this host from now on.
pub(crate) fn restore_id(
    core: &Core,
    peer: &Peer,
    id: IsolatedId,
    to: Option<PathBuf>,
    parents: bool,
) -> Result<v1::Receipt, Refused> {
    let manifest = core.responder.vault().manifest(id).map_err(failed)?;
    // The exception comes first: the file would be isolated again the moment it is back.
    let content = manifest.sha256;
    let had = core.database.has_exception(content)?;
    let row =
        ExceptionRow { sha256: content, at_ms: now_ms(), why: format!("restore of {id} by {}", peer.name()) };
    core.database.add_exception(&row)?;
    core.live().exceptions.insert(content);
    core.judge_again();
    let path = to.as_ref().map_or_else(|| manifest.path.0.clone(), |p| p.as_os_str().as_bytes().to_vec());
    let plan = Plan { alarm: manifest.alarm, who: peer.name(), order: Order::Restore { id, to, parents } };
    let report = core.responder.execute(plan);
    let outcome = outcome_of(&report);
    note(core, manifest.alarm, &report);
    if !outcome.is_settled() && !matches!(outcome, Outcome::Partial(_)) {
        if !had {
            core.database.remove_exception(content)?;
            core.live().exceptions.remove(&content);
        }
        let kind = if matches!(outcome, Outcome::Refused(_)) { Kind::Refused } else { Kind::Failed };
        return Err(Refusal(kind, outcome.reason().to_owned()).into());
    }
    let text = format!("{} restored ({})", printable(&manifest.path.0), peer.name());
    log!("{text}");
    core.events.tell("action", text, manifest.alarm.map(|a| a.to_string()));
    Ok(v1::Receipt { next: still_disabled(core, &manifest), ..receipt(id, path, &report, &outcome) })
}

fn outcome_of(report: &Report) -> Outcome {
    report
        .records
        .last()
        .map_or_else(|| Outcome::Failed("the responder reported nothing".into()), |r| r.outcome.clone())
}

/// Waits for a young alarm. A server, or a quick hand, undoes an isolation before the alarm about it is kept,
/// which is a moment later: it would say for ever that the file is isolated.
fn wait_until_kept(core: &Core, id: AlarmId) {
    let born = id.0.get_timestamp().map_or(0, |t| t.to_unix().0);
    let recent = u64::try_from(now_ms() / 1000).unwrap_or(0).saturating_sub(born) < RECENT_SECONDS;
    let until = Instant::now() + if recent { ABOUT_TO_BE_KEPT } else { Duration::ZERO };
    while matches!(core.database.alarm(id), Ok(None)) && Instant::now() < until && !core.is_stopping() {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Adds what was done to the alarm that the file came from.
pub(crate) fn note(core: &Core, alarm: Option<AlarmId>, report: &Report) {
    let Some(id) = alarm else { return };
    wait_until_kept(core, id);
    let _changing = core.changing_alarms();
    let Ok(Some(row)) = core.database.alarm(id) else { return };
    let Ok(mut alarm) = decode(&row) else { return };
    alarm.forensics.timeline.extend(report.records.iter().cloned());
    if report.status == Some(IsolatedStatus::Restored) {
        alarm.status = HandleStatus::Unhandled;
    }
    if let Err(e) = update(core, &alarm) {
        log!("{e}");
    }
}

fn receipt(id: IsolatedId, path: Vec<u8>, report: &Report, outcome: &Outcome) -> v1::Receipt {
    let lines = report.receipt.as_ref().map(lines).unwrap_or_default();
    v1::Receipt {
        id: id.to_string(),
        path,
        outcome: outcome.word().into(),
        reason: outcome.reason().into(),
        lines,
        next: String::new(),
        restarts: Vec::new(),
    }
}

/// What was taken out of force with the file does not come back by itself.
fn still_disabled(core: &Core, manifest: &Manifest) -> String {
    let row = manifest.alarm.and_then(|id| core.database.alarm(id).ok().flatten());
    let Some(alarm) = row.and_then(|row| decode(&row).ok()) else { return String::new() };
    if alarm.forensics.persistence.has_disabled() {
        format!(
            "what starts it is still disabled; to enable it again: lazaret persistence enable {}",
            alarm.id
        )
    } else {
        String::new()
    }
}

fn lines(receipt: &Receipt) -> Vec<v1::ReceiptLine> {
    receipt
        .lines
        .iter()
        .map(|l| v1::ReceiptLine {
            attribute: l.attribute.clone(),
            before: l.before.clone(),
            after: l.after.clone(),
            same: l.same,
            note: l.note.clone(),
        })
        .collect()
}

pub(crate) fn delete(core: &Core, peer: &Peer, request: &v1::IsolatedDelete) -> Answered {
    let object = find(core, &request.id)?;
    let plan = Plan {
        alarm: object.manifest.as_ref().ok().and_then(|m| m.alarm),
        who: peer.name(),
        order: Order::Delete { id: object.id },
    };
    let report = core.responder.execute(plan);
    let outcome = outcome_of(&report);
    note(core, object.manifest.as_ref().ok().and_then(|m| m.alarm), &report);
    match outcome {
        Outcome::Done | Outcome::AlreadyGone => super::done(format!("{} deleted", object.id)),
        Outcome::Refused(why) => refuse(Kind::Refused, why)?,
        Outcome::Partial(why) | Outcome::Failed(why) => refuse(Kind::Failed, why)?,
    }
}

pub(super) fn verify(core: &Core, request: &v1::IsolatedVerify, reply: &mut Reply<'_>) -> Answered {
    check(core, request, |result| reply.more(Answer::Verify(result)).map_err(Refused::from))?;
    Ok(None)
}

/// Looks at one object or all of them.
pub(crate) fn check(
    core: &Core,
    request: &v1::IsolatedVerify,
    mut each: impl FnMut(v1::VerifyResult) -> Result<(), Refused>,
) -> Result<(), Refused> {
    let only = if request.id.is_empty() { None } else { Some(find(core, &request.id)?.id) };
    core.responder.vault().check(only, |checked: Checked| {
        each(v1::VerifyResult {
            id: checked.name,
            ok: checked.finding.is_ok(),
            reason: checked.why,
            finding: checked.finding.word().into(),
        })
    })
}

impl From<VaultError> for Refused {
    fn from(e: VaultError) -> Self {
        Self::Request(failed(e))
    }
}
