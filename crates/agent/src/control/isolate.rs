// SPDX-License-Identifier: Apache-2.0
//! Isolation by hand: of a path, or of what an alarm is about.

use super::{Answered, Peer, Refusal, Refused, alarms, refuse, thaw};
use crate::alarms::{Done, decode, raise};
use crate::core::Core;
use crate::log::printable;
use crate::look::{Case, facts, now_ms, path_of, standing};
use crate::persistence::Inquiry;
use crate::respond::execute;
use lazaret_model::{Alarm, AlarmId, Decision, Guard, IsolatedStatus, Origin, ScanReport};
use lazaret_policy::{Decided, PackageStanding, carrier};
use lazaret_pool::{Job, Priority};
use lazaret_proto::v1;
use lazaret_proto::v1::failure::Kind;
use lazaret_proto::v1::response::Answer;
use lazaret_response::{Answer as Ending, Report};
use rustix::fs::{Mode, OFlags};
use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

pub(super) fn isolate(core: &Core, peer: &Peer, request: &v1::IsolatePath) -> Answered {
    let path = Path::new(OsStr::from_bytes(&request.path));
    if !path.is_absolute() {
        refuse(Kind::BadRequest, "the path must be absolute")?;
    }
    let file = open(path)?;
    no_rehearsal(core)?;
    let frozen = rustix::fs::fstat(&file).ok().and_then(|s| core.windows.of_inode((s.st_dev, s.st_ino)));
    if let Some(open) = frozen {
        // The guards were asked before it was frozen.
        let alarm = alarms::find(core, &open.alarm.to_string())?;
        let alarm = thaw::end(core, &open, Ending::Now(peer.name()), &alarm)?;
        return Ok(Some(Answer::Alarm((&alarm).into())));
    }
    let mut case = case_of(core, file, request.override_guards)?;
    within_limits(core, request.override_limits)?;
    let id = AlarmId::new();
    let report = act(core, peer, id, &mut case)?;
    let settled = report.status == Some(IsolatedStatus::Isolated);
    let done = Done { timeline: report.records, isolated: report.isolated, settled, window: None };
    let alarm = raise(core, id, &case, done);
    if report.isolated.is_some() {
        core.persistence.ask(Inquiry { alarm, chain: Vec::new(), automatic: false });
    }
    let row = core
        .database
        .alarm(alarm)?
        .ok_or_else(|| Refusal(Kind::Failed, "the alarm was not stored".into()))?;
    let alarm = decode(&row).map_err(|e| Refusal(Kind::Failed, e))?;
    Ok(Some(Answer::Alarm((&alarm).into())))
}

/// In a dry run nothing is isolated by anybody.
fn no_rehearsal(core: &Core) -> Result<(), Refused> {
    if !core.live().dry_run {
        return Ok(());
    }
    let way_out =
        "see what it would do with lazaret preview isolate, or end the dry run: lazaret switch dry-run off";
    Err(Refusal(Kind::Refused, format!("dry run: nothing is isolated or killed; {way_out}")).into())
}

/// Rate limits hold for every origin; root on this host may go beyond them with a word of his own.
fn within_limits(core: &Core, override_limits: bool) -> Result<(), Refused> {
    let mut live = core.live();
    if let Some(limit) = live.limit(now_ms())
        && !override_limits
    {
        let text =
            format!("{limit}; root can go beyond it for one file: lazaret isolate PATH --override-limits");
        return Err(Refusal(Kind::Refused, text).into());
    }
    live.count_isolation(now_ms());
    Ok(())
}

/// Never through a link in the last part, never a FIFO or device.
pub(super) fn open(path: &Path) -> Result<OwnedFd, Refused> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOATIME;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|e| {
        let why = match e {
            rustix::io::Errno::LOOP => "is a symbolic link: name the file itself".to_owned(),
            rustix::io::Errno::NOENT => "does not exist".to_owned(),
            e => format!("cannot be opened: {e}"),
        };
        Refusal(Kind::NotFound, format!("{} {why}", printable(path.as_os_str().as_bytes()))).into()
    })
}

/// Scans the file for its hash and what is known of it, and puts the guards before it.
pub(super) fn case_of(core: &Core, file: OwnedFd, override_guards: bool) -> Result<Case, Refused> {
    let stat = rustix::fs::fstat(&file).map_err(|e| Refusal(Kind::Failed, e.to_string()))?;
    let path = path_of(&file);
    let refusal = |kind, text: String| Refusal(kind, format!("{}: {text}", printable(&path)));
    if !crate::gate::is_regular(&stat) {
        return Err(refusal(Kind::BadRequest, "is not a regular file".into()).into());
    }
    let file = File::from(file);
    let copy = file.try_clone().map_err(|e| refusal(Kind::Failed, e.to_string()))?;
    let job = Job { file: copy.into(), name: path.clone(), members: false };
    let report = core.pool.scan(job, Priority::Event).map_err(|e| {
        refusal(Kind::Failed, format!("its content could not be read for the record: it {e}"))
    })?;
    let (is_ours, standing) = standing(core, &file, &path, &stat);
    let guard = if is_ours { guard(core, &path, &standing, &report) } else { None };
    if let Some(guard) = &guard
        && !override_guards
    {
        return Err(refusal(
            Kind::Refused,
            format!("{guard}; root can take it upon himself with --override-guards"),
        )
        .into());
    }
    let rating = report.verdict.rating(core.live().policy.effective_thresholds());
    let facts = facts(&stat, path, &report, &standing);
    let decided = Decided {
        decision: Decision::IsolateAndKill,
        rating,
        guard,
        whitelist: None,
        member: None,
        reasons: vec!["ordered by hand".into()],
    };
    Ok(Case {
        file: Some(file.into()),
        facts,
        report,
        decided,
        origin: Origin::Manual,
        chain: Vec::new(),
        programs: Vec::new(),
        at_ms: now_ms(),
        refused: false,
        rehearsal: false,
    })
}

fn guard(core: &Core, path: &[u8], standing: &PackageStanding, report: &ScanReport) -> Option<Guard> {
    if let Some(why) = core.guards.critical(path) {
        return Some(Guard::CriticalProgram(why.to_owned()));
    }
    if let PackageStanding::Owned { package, intact: true, trusted: true } = standing {
        return Some(Guard::IntactPackage(package.clone()));
    }
    carrier(path, report.verdict.file_type).map(|w| Guard::Carrier(w.to_owned()))
}

/// Deny first, then the response.
fn act(core: &Core, peer: &Peer, alarm: AlarmId, case: &mut Case) -> Result<Report, Refused> {
    case.deny(core);
    execute(core, alarm, case, &peer.name())
        .ok_or_else(|| Refusal(Kind::Failed, "the file is in work already".into()).into())
}

/// `handle ALARM isolate-and-kill`: the file of the alarm, if it is still that content.
pub(super) fn from_alarm(core: &Core, peer: &Peer, alarm: &mut Alarm) -> Result<(), Refused> {
    // The link stays after a restore from the list of isolated files.
    let is_back =
        |id| core.responder.vault().manifest(id).is_ok_and(|m| m.status == IsolatedStatus::Restored);
    if alarm.isolated.is_some_and(|id| !is_back(id)) {
        return Err(Refusal(Kind::Refused, "its file is isolated already".into()).into());
    }
    no_rehearsal(core)?;
    if let Some(open) = core.windows.of_alarm(alarm.id) {
        *alarm = thaw::end(core, &open, Ending::Now(peer.name()), alarm)?;
        return isolated_now(alarm);
    }
    let Some(facts) = alarm.forensics.file.clone() else {
        return Err(Refusal(Kind::Refused, "this alarm is not about a file".into()).into());
    };
    let file = open(Path::new(OsStr::from_bytes(&facts.path)))?;
    // A person has looked at this very alarm; the guards still hold, `isolate --override-guards`
    // is the way round them.
    let mut case = case_of(core, file, false)?;
    if facts.sha256 != Some(case.report.verdict.sha256) {
        let text = format!(
            "{} has another content than the alarm is about: look at its new alarm, or use lazaret isolate",
            printable(&facts.path)
        );
        return Err(Refusal(Kind::Refused, text).into());
    }
    within_limits(core, false)?;
    let report = act(core, peer, alarm.id, &mut case)?;
    alarm.forensics.timeline.extend(report.records.iter().cloned());
    alarm.isolated = report.isolated;
    alarm.decision = Decision::IsolateAndKill;
    if report.isolated.is_none() {
        let why = report.records.iter().rev().find(|r| !r.outcome.is_settled());
        let why = why.map_or_else(|| "it could not be isolated".to_owned(), |r| r.outcome.to_string());
        crate::alarms::update(core, alarm)?;
        return Err(Refusal(Kind::Failed, why).into());
    }
    Ok(())
}

/// What a window that was ended early has come to.
fn isolated_now(alarm: &Alarm) -> Result<(), Refused> {
    if alarm.isolated.is_some() {
        return Ok(());
    }
    let why = alarm.forensics.timeline.iter().rev().find(|r| !r.outcome.is_settled());
    let why = why.map_or_else(|| "it was let go meanwhile".to_owned(), |r| r.outcome.to_string());
    Err(Refusal(Kind::Failed, why).into())
}
