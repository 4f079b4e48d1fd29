// SPDX-License-Identifier: Apache-2.0
//! `preview`: what an isolation would touch, by the code that would do it. Changes nothing.

use super::{Answered, Refusal, Refused, alarms, isolate, refuse};
use crate::core::Core;
use crate::log::printable;
use crate::look::{Case, now_ms, standing};
use crate::respond::target_of;
use lazaret_model::Rating;
use lazaret_policy::{PackageStanding, carrier};
use lazaret_proto::v1;
use lazaret_proto::v1::failure::Kind;
use lazaret_proto::v1::preview_isolate::What;
use lazaret_proto::v1::response::Answer;
use lazaret_response::{Preview, PreviewProcess};
use lazaret_sys::procfs;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

pub(crate) fn preview(core: &Core, request: &v1::PreviewIsolate) -> Answered {
    let (path, wanted) = match &request.what {
        Some(What::Path(path)) => (path.clone(), None),
        Some(What::Alarm(id)) => of_alarm(core, id)?,
        None => return refuse(Kind::BadRequest, "name a path or an alarm")?,
    };
    let at = Path::new(OsStr::from_bytes(&path));
    if !at.is_absolute() {
        refuse(Kind::BadRequest, "the path must be absolute")?;
    }
    // The guards are listed, not obeyed: nothing is done.
    let mut case = isolate::case_of(core, isolate::open(at)?, true)?;
    let content = case.report.verdict.sha256;
    if wanted.is_some_and(|w| w != content) {
        let text = format!(
            "{} has another content than the alarm is about: look at its new alarm, or preview its path",
            printable(&path)
        );
        refuse(Kind::Refused, text)?;
    }
    let standing = package(core, &case)?;
    let failed = || Refusal(Kind::Failed, "the file is in work already".into());
    let target = target_of(core, &mut case).ok_or_else(failed)?;
    let seen = core.responder.preview(target);
    Ok(Some(Answer::Preview(answer(core, &case, standing, seen))))
}

/// Path and content of what an alarm is about.
fn of_alarm(core: &Core, id: &str) -> Result<(Vec<u8>, Option<lazaret_model::Sha256>), Refused> {
    let alarm = alarms::find(core, id)?;
    if let Some(id) = alarm.isolated {
        return Err(Refusal(Kind::Refused, format!("its file is isolated already, as {id}")).into());
    }
    let Some(file) = alarm.forensics.file else {
        return Err(Refusal(Kind::Refused, "this alarm is not about a file".into()).into());
    };
    Ok((file.path, file.sha256))
}

/// What the package databases say, in words; nothing where no package owns it.
fn package(core: &Core, case: &Case) -> Result<String, Refused> {
    let failed = |e: std::io::Error| Refusal(Kind::Failed, e.to_string());
    let Some(copy) = case.file.as_ref().map(std::os::fd::OwnedFd::try_clone).transpose().map_err(failed)?
    else {
        return Ok(String::new());
    };
    let stat = rustix::fs::fstat(&copy).map_err(|e| failed(e.into()))?;
    Ok(match standing(core, &File::from(copy), &case.facts.path, &stat).1 {
        PackageStanding::Unowned => String::new(),
        PackageStanding::Unknown(why) => format!("the package database cannot answer: {why}"),
        PackageStanding::Owned { package, intact, trusted } => {
            let intact =
                if intact { "as the package shipped it" } else { "changed since the package shipped it" };
            let trusted = if trusted { "from a signed source" } else { "nothing signed vouches for it" };
            format!("{package}: {intact}, {trusted}")
        }
    })
}

fn answer(core: &Core, case: &Case, package_standing: String, seen: Preview) -> v1::Preview {
    let verdict = &case.report.verdict;
    let rating = verdict.rating(core.live().policy.effective_thresholds());
    let mut refused_by: Vec<String> = case.decided.guard.iter().map(ToString::to_string).collect();
    {
        let live = core.live();
        refused_by.extend(live.limit(now_ms()).map(|g| g.to_string()));
        if live.dry_run {
            refused_by.push("dry run: nothing is refused, isolated or killed".to_owned());
        }
    }
    let refuse = !refused_by.is_empty();
    if let Some(b) = core.live().breaker_of(&case.report) {
        // By hand it goes on all the same.
        refused_by.push(format!("for policy only, circuit breaker open: rule {}: {}", b.rule, b.why));
    }
    if let Some(d) = core.live().disarmed_for(&case.report) {
        refused_by.push(format!("for policy only, disarmed at the server: rule {}: {}", d.rule, d.reason));
    }
    let stays = seen.stays.is_some() || seen.no_room.is_some() || seen.names_missing > 0;
    refused_by.extend(seen.stays.clone());
    let would = match (refuse, stays) {
        (true, _) => "refuse",
        (false, true) => "leave_in_place",
        (false, false) => "isolate",
    };
    let (usage, limits) = &seen.vault;
    let users = std::fs::read("/etc/passwd").unwrap_or_default();
    let units: BTreeSet<String> = seen.killed().filter_map(|p| p.facts.unit.clone()).collect();
    v1::Preview {
        path: case.facts.path.clone(),
        file: Some((&case.facts).into()),
        verdict: Some(verdict.into()),
        rating: rating.map(Rating::word).unwrap_or_default().to_owned(),
        would: would.to_owned(),
        refused_by,
        package_standing,
        critical: core.guards.critical(&case.facts.path).unwrap_or_default().to_owned(),
        carrier: carrier(&case.facts.path, verdict.file_type).unwrap_or_default().to_owned(),
        names_missing: seen.names_missing,
        vault: Some(v1::VaultRoom {
            used_bytes: usage.bytes,
            total_bytes: limits.total_bytes,
            objects: usage.objects,
            fits: seen.no_room.is_none(),
            reason: seen.no_room.clone().unwrap_or_default(),
        }),
        processes: seen.processes.iter().map(|p| process(p, &users)).collect(),
        readers: seen.readers.iter().map(Into::into).collect(),
        persistence: crate::persistence::preview(core, &case.facts.path, &seen.names),
        names: seen.names,
        units: units.into_iter().collect(),
    }
}

fn process(p: &PreviewProcess, users: &[u8]) -> v1::PreviewProcess {
    let listening = procfs::listening(p.facts.process.pid).unwrap_or_default();
    v1::PreviewProcess {
        process: Some((&p.facts).into()),
        user: user(users, p.facts.uid).unwrap_or_default(),
        why: p.why.clone(),
        kept_by: p.kept_by.clone().unwrap_or_default(),
        listening: listening
            .into_iter()
            .map(|l| v1::Listening {
                protocol: l.protocol.to_owned(),
                address: l.address.to_string(),
                port: l.port.into(),
            })
            .collect(),
    }
}

/// From `/etc/passwd` itself: the daemon must not load NSS modules.
fn user(passwd: &[u8], uid: u32) -> Option<String> {
    passwd.split(|b| *b == b'\n').find_map(|line| {
        let mut fields = line.split(|b| *b == b':');
        let name = fields.next()?;
        let id: u32 = std::str::from_utf8(fields.nth(1)?).ok()?.parse().ok()?;
        (id == uid).then(|| String::from_utf8_lossy(name).into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_by_number() {
        let passwd = b"root:x:0:0:root:/root:/bin/sh\nbroken\n:x\nw\xff:x:33:33::/:/x\n";
        assert_eq!(user(passwd, 0).as_deref(), Some("root"));
        assert_eq!(user(passwd, 33).as_deref(), Some("w\u{fffd}"));
        assert_eq!(user(passwd, 7), None);
    }
}
