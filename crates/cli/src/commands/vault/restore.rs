// SPDX-License-Identifier: Apache-2.0
//! `lazaret vault restore`.

use super::{Place, absolute, failed, find};
use crate::commands::show;
use crate::error::{CliError, EXIT_FOUND};
use crate::escape;
use crate::output::Output;
use clap::Args;
use lazaret_model::{FileRef, IsolatedId, Outcome};
use lazaret_proto::v1;
use lazaret_proto::v1::response::Answer;
use lazaret_response::journal::{JournalError, is_held};
use lazaret_response::{
    DenyInode, OFFLINE, Order, Plan, Replayed, Report, Responder, ResponderConfig, ResponseError,
};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Put an isolated file back, byte for byte, with its owner, mode, times and attributes
///
/// As `lazaret isolated restore`, through the same journal: what a crash left open is brought to an
/// end first, and the daemon lets this content be from its next start on.
#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// Its id, or the unique beginning or end of it
    id: String,
    /// Where to put it instead of where it was: the path of the new file
    #[arg(long, value_name = "PATH")]
    to: Option<PathBuf>,
}

/// No daemon runs, so that nobody asks what may be executed.
struct Nobody;

impl DenyInode for Nobody {
    fn deny(&self, _: &FileRef) {}
    fn release(&self, _: &FileRef) {}
}

const INSTEAD: &str = "`lazaret isolated restore`";

/// # Errors
/// A daemon runs, no such object, or it cannot be put there.
pub(super) fn run(place: &Place, args: &RestoreArgs, out: &mut Output) -> Result<ExitCode, CliError> {
    place.ready(INSTEAD)?;
    let id = find(&place.reader()?, &args.id)?.id;
    let to = args.to.as_deref().map(absolute).transpose()?;
    let (responder, replayed) = open(place)?;
    for r in &replayed {
        tell(out, r);
    }
    let manifest = responder.vault().manifest(id).map_err(failed)?;
    let path = to.as_ref().map_or_else(|| manifest.path.0.clone(), |p| p.as_os_str().as_bytes().to_vec());
    let who = format!("{OFFLINE}{}", rustix::process::geteuid().as_raw());
    let report = responder.execute(Plan {
        alarm: manifest.alarm,
        who,
        order: Order::Restore { id, to, parents: false },
    });
    drop(responder);
    let receipt = receipt(id, path, &report)?;
    let whole = show(out, &Answer::Receipt(receipt))?;
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FOUND) })
}

fn open(place: &Place) -> Result<(Responder, Vec<Replayed>), CliError> {
    let mut config = ResponderConfig::new(place.journal(), place.vault(), Arc::new(Nobody));
    config.vault_identity.clone_from(&place.identity);
    Responder::open(config).map_err(|e| match &e {
        // It was started while we looked.
        ResponseError::Journal(JournalError::Io { .. }) if is_held(&place.journal()).is_ok_and(|h| h) => {
            place.busy(INSTEAD)
        }
        ResponseError::Journal(JournalError::Io { source, .. })
            if source.kind() == std::io::ErrorKind::PermissionDenied =>
        {
            CliError::NotPermitted(escape::text(&e.to_string()))
        }
        _ => CliError::Failed(escape::text(&e.to_string())),
    })
}

/// What a crash had left open is not what was asked for, and still news.
fn tell(out: &mut Output, r: &Replayed) {
    let what =
        r.report.records.last().map_or_else(String::new, |r| format!("{} {}", r.action.word(), r.outcome));
    let scan = if r.rescan { "; look at it: lazaret scan" } else { "" };
    out.warn(&format!(
        "what a crash had left open was brought to an end: {}: {}{scan}",
        escape::name(&r.path),
        escape::text(&what)
    ));
}

fn receipt(id: IsolatedId, path: Vec<u8>, report: &Report) -> Result<v1::Receipt, CliError> {
    let outcome = report.records.last().map(|r| &r.outcome);
    let outcome = outcome.unwrap_or(&Outcome::AlreadyGone);
    if let Outcome::Refused(why) | Outcome::Failed(why) = outcome {
        return Err(CliError::Failed(escape::text(why)));
    }
    let lines = report.receipt.iter().flat_map(|r| &r.lines).map(|l| v1::ReceiptLine {
        attribute: l.attribute.clone(),
        before: l.before.clone(),
        after: l.after.clone(),
        same: l.same,
        note: l.note.clone(),
    });
    Ok(v1::Receipt {
        id: id.to_string(),
        path,
        outcome: outcome.word().into(),
        reason: outcome.reason().into(),
        lines: lines.collect(),
        ..v1::Receipt::default()
    })
}
