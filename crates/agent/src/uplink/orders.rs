// SPDX-License-Identifier: Apache-2.0
//! What a server may order, and what not (docs/adr/0008): by the same functions as the control socket, by
//! whole ids of this host's own alarms and isolated files, without any of root's overrides.

use super::commands::Cancel;
use super::{collect, pauses, scan, self_test};
use crate::control::{Answered, Peer, Refusal, Refused, alarms, isolated, preview, rules, thaw, whitelist};
use crate::core::Core;
use crate::log::printable;
use crate::look::now_ms;
use lazaret_model::{Action, AlarmId, IsolatedId};
use lazaret_proto::v1;
use lazaret_proto::v1::command::Verb;
use lazaret_proto::v1::command_result::Detail;
use lazaret_proto::v1::failure::Kind;
use lazaret_proto::v1::response::Answer;
use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a command ended.
#[derive(Debug, PartialEq)]
pub(super) struct Ended {
    pub(super) outcome: &'static str,
    pub(super) reason: String,
    pub(super) detail: Option<Detail>,
}

impl Ended {
    pub(super) fn new(outcome: &'static str, reason: impl Into<String>) -> Self {
        Self { outcome, reason: reason.into(), detail: None }
    }

    pub(super) fn refused(reason: impl Into<String>) -> Self {
        Self::new("refused", reason)
    }

    pub(super) fn failed(reason: impl Into<String>) -> Self {
        Self::new("failed", reason)
    }

    pub(super) fn cancelled(reason: impl Into<String>) -> Self {
        Self::new("cancelled", reason)
    }
}

/// For the log.
pub(super) fn name(command: &v1::Command) -> String {
    match &command.verb {
        Some(Verb::Handle(h)) => {
            format!("{} of alarm {}", printable(h.handling.as_bytes()), printable(h.id.as_bytes()))
        }
        Some(Verb::Restore(r)) => format!("restore of {}", printable(r.id.as_bytes())),
        Some(Verb::Delete(d)) => format!("delete of {}", printable(d.id.as_bytes())),
        Some(Verb::Scan(s)) => format!("{} scan", printable(s.kind.as_bytes())),
        Some(Verb::SelfTest(_)) => "self-test".into(),
        Some(Verb::Collect(c)) => format!("sample of alarm {}", printable(c.alarm.as_bytes())),
        Some(Verb::Thaw(t)) => format!("thaw of alarm {}", printable(t.id.as_bytes())),
        Some(Verb::Rearm(r)) => format!("re-arming of rule {}", printable(r.rule.as_bytes())),
        Some(Verb::Preview(_)) => "preview".into(),
        Some(Verb::ExceptionRemove(_)) => "removal of an exception".into(),
        Some(Verb::Verify(_)) => "verification of the vault".into(),
        Some(Verb::Pause(p)) => {
            let what = if p.resume { "going on" } else { "pause" };
            format!("{what} of scan {}", printable(p.task.as_bytes()))
        }
        None => "a command".into(),
    }
}

/// People's names end up in journals and terminals.
fn user(who: &str) -> String {
    let shown: String = printable(who.as_bytes()).chars().take(128).collect();
    if shown.is_empty() { "somebody".into() } else { shown }
}

/// Does it. `None`: it is not over, the daemon stops.
pub(super) fn run(core: &Arc<Core>, command: &v1::Command, cancel: &Cancel) -> Option<Ended> {
    let peer = Peer::Server(user(&command.who));
    let since = now_ms();
    Some(match &command.verb {
        Some(Verb::Handle(h)) => answered(handle(core, &peer, h), since),
        Some(Verb::Restore(r)) => answered(restore(core, &peer, r), since),
        Some(Verb::Delete(d)) => {
            answered(whole::<IsolatedId>(&d.id).and_then(|()| isolated::delete(core, &peer, d)), since)
        }
        Some(Verb::Scan(s)) => return scan::run(core, &command.id, s, cancel),
        Some(Verb::SelfTest(_)) => self_test::run(core, &peer, cancel),
        Some(Verb::Collect(c)) => return collect::run(core, c, cancel),
        Some(Verb::Thaw(t)) => {
            answered(whole::<AlarmId>(&t.id).and_then(|()| thaw::thaw(core, &peer, t)), since)
        }
        Some(Verb::Rearm(r)) => answered(rules::rearm(core, &peer, r), since),
        Some(Verb::Preview(p)) => answered(look(core, p), since),
        Some(Verb::ExceptionRemove(e)) => answered(whitelist::remove_exception(core, &peer, e), since),
        Some(Verb::Verify(v)) => verify(core, v),
        Some(Verb::Pause(p)) => pauses::run(core, p),
        None => Ended::refused("this version of lazaretd does not know this command: update it"),
    })
}

/// A part of an id could by now be another one's.
pub(super) fn whole<T: std::str::FromStr>(id: &str) -> Result<(), Refused> {
    if id.parse::<T>().is_ok() {
        return Ok(());
    }
    Err(Refusal(Kind::BadRequest, format!("\"{}\" is no whole id", printable(id.as_bytes()))).into())
}

fn handle(core: &Arc<Core>, peer: &Peer, request: &v1::Handle) -> Answered {
    whole::<AlarmId>(&request.id)?;
    alarms::handle(core, peer, request)
}

fn look(core: &Core, request: &v1::PreviewIsolate) -> Answered {
    match &request.what {
        Some(v1::preview_isolate::What::Alarm(id)) => whole::<AlarmId>(id)?,
        // A path would let a server look at any file.
        _ => return Err(Refusal(Kind::Refused, "a server can preview by alarm only".into()).into()),
    }
    preview::preview(core, request)
}

fn restore(core: &Core, peer: &Peer, request: &v1::RestoreCommand) -> Answered {
    whole::<IsolatedId>(&request.id)?;
    let id: IsolatedId =
        request.id.parse().map_err(|_| Refusal(Kind::BadRequest, "no id of an isolated file".into()))?;
    let to = if request.released { Some(released(&core.config.paths.state, id)?) } else { None };
    let mut receipt = isolated::restore_id(core, peer, id, to.clone(), request.parents && to.is_none())?;
    if let Some(path) = &to {
        close(path)
            .map_err(|e| Refusal(Kind::Failed, format!("{} cannot be closed: {e}", path.display())))?;
        receipt.next = format!("it is {} now, for root only", path.display());
        // Owner, mode and place are not to be as they were.
        if receipt.outcome == "partial" {
            receipt.outcome = "done".into();
            receipt.reason.clear();
        }
    }
    if request.restart {
        receipt.restarts = isolated::restart(core, peer, id)?;
    }
    Ok(Some(Answer::Receipt(receipt)))
}

/// A folder that only root enters, so that what comes back with its old mode can be reached by nobody
/// before it is closed.
fn released(state: &Path, id: IsolatedId) -> Result<PathBuf, Refused> {
    let folder = state.join("released");
    let failed = |e: &dyn std::fmt::Display| {
        Refused::from(Refusal(Kind::Failed, format!("{} cannot be used: {e}", folder.display())))
    };
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(failed(&e)),
        _ => {}
    }
    let found = fs::symlink_metadata(&folder).map_err(|e| failed(&e))?;
    if !found.is_dir() || found.uid() != 0 || found.mode() & 0o077 != 0 {
        return Err(failed(&"it is not a folder that only root enters"));
    }
    Ok(folder.join(id.to_string()))
}

fn close(path: &Path) -> std::io::Result<()> {
    use rustix::fs::{Gid, Mode, OFlags, Uid};
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file: File = rustix::fs::open(path, flags, Mode::empty())?.into();
    rustix::fs::fchown(&file, Some(Uid::ROOT), Some(Gid::ROOT))?;
    rustix::fs::fchmod(&file, Mode::from_raw_mode(0o600))?;
    file.sync_all()
}

fn verify(core: &Core, request: &v1::IsolatedVerify) -> Ended {
    let mut results = Vec::new();
    let done = (|| {
        if !request.id.is_empty() {
            whole::<IsolatedId>(&request.id)?;
        }
        isolated::check(core, request, |result| {
            results.push(result);
            Ok(())
        })
    })();
    if let Err(e) = done {
        return refused(e);
    }
    let bad = results.iter().filter(|r| !r.ok).count();
    let ended = if bad == 0 {
        Ended::new("done", "")
    } else {
        Ended::new("partial", format!("{bad} of {} objects are not as they should be", results.len()))
    };
    Ended { detail: Some(Detail::Verify(v1::VerifyResults { results })), ..ended }
}

pub(super) fn refused(e: Refused) -> Ended {
    match e {
        Refused::Stream(e) => Ended::failed(e.to_string()),
        Refused::Request(Refusal(Kind::Failed, text)) => Ended::failed(text),
        Refused::Request(Refusal(_, text)) => Ended::refused(text),
    }
}

/// From what the control socket would have said.
fn answered(answer: Answered, since: i64) -> Ended {
    match answer {
        Err(e) => refused(e),
        Ok(None) => Ended::new("done", ""),
        Ok(Some(Answer::Alarm(alarm))) => {
            // A process that did not die, a name that could not be taken: done, and not wholly.
            let short = alarm.timeline.iter().rfind(|r| {
                r.at_ms >= since
                    && matches!(r.outcome.as_str(), "partial" | "failed")
                    && r.action != Action::Freeze.word()
            });
            let ended = match short {
                Some(r) => Ended::new("partial", format!("{}: {}", r.action, r.reason)),
                None => Ended::new("done", ""),
            };
            Ended { detail: Some(Detail::Alarm(alarm)), ..ended }
        }
        Ok(Some(Answer::Receipt(receipt))) => {
            let outcome = if receipt.outcome == "partial" { "partial" } else { "done" };
            let reason = receipt.reason.clone();
            Ended { detail: Some(Detail::Receipt(receipt)), ..Ended::new(outcome, reason) }
        }
        Ok(Some(Answer::Preview(preview))) => {
            Ended { detail: Some(Detail::Preview(preview)), ..Ended::new("done", "") }
        }
        Ok(Some(Answer::Done(done))) => Ended::new("done", done.message),
        Ok(Some(_)) => Ended::new("done", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_ids_are_refused() {
        let id = AlarmId::new().to_string();
        assert!(whole::<AlarmId>(&id).is_ok());
        for part in ["", "0191", &id[..8], "../../etc/passwd", "\n"] {
            let ended = refused(whole::<AlarmId>(part).err().unwrap());
            assert_eq!(ended.outcome, "refused", "{part:?}");
        }
    }

    #[test]
    fn names_of_people_are_data() {
        assert_eq!(user("ann\n\x1b[31m"), "ann\\n\\u{1b}[31m");
        assert_eq!(user(""), "somebody");
        assert!(user(&"x".repeat(10_000)).len() <= 128);
    }

    #[test]
    fn released_files_are_roots() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let id = IsolatedId::new();
        let path = released(dir.path(), id).ok().unwrap();
        assert_eq!(path, dir.path().join("released").join(id.to_string()));
        fs::write(&path, "x").unwrap();
        close(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        let outside = tempfile::tempdir().unwrap();
        fs::remove_dir_all(dir.path().join("released")).unwrap();
        std::os::unix::fs::symlink(outside.path(), dir.path().join("released")).unwrap();
        assert!(released(dir.path(), id).is_err(), "never through a link");
        assert!(close(&dir.path().join("released")).is_err());
    }

    #[test]
    fn what_fell_short_is_partial() {
        let line = |at_ms, outcome: &str| v1::ActionRecord {
            at_ms,
            action: "kill".into(),
            outcome: outcome.into(),
            reason: "it still lives".into(),
            target: String::new(),
        };
        let ended =
            |timeline| answered(Ok(Some(Answer::Alarm(v1::Alarm { timeline, ..v1::Alarm::default() }))), 10);
        assert_eq!(ended(vec![line(9, "failed"), line(11, "done")]).outcome, "done", "of an earlier time");
        let short = ended(vec![line(11, "partial"), line(12, "done")]);
        assert!(short.outcome == "partial" && short.reason.contains("still lives"));
        let receipt =
            v1::Receipt { outcome: "partial".into(), reason: "no ACL".into(), ..v1::Receipt::default() };
        assert_eq!(answered(Ok(Some(Answer::Receipt(receipt))), 0).outcome, "partial");
        assert_eq!(answered(crate::control::done("so"), 0), Ended::new("done", "so"));
    }
}
