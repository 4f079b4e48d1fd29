// SPDX-License-Identifier: Apache-2.0
//! Conversions of alarms and what they carry.

use crate::convert::{ConvertError, bad};
use crate::v1;
use lazaret_model as model;
use model::{Action, Decision, FileTime, Forensics, HandleStatus, Origin, Outcome, Rating, Severity, Sha256};

impl From<&model::FileRef> for v1::FileRef {
    fn from(f: &model::FileRef) -> Self {
        Self { dev: f.dev, ino: f.ino, ctime_sec: f.ctime.sec, ctime_nsec: f.ctime.nsec, size: f.size }
    }
}

impl From<v1::FileRef> for model::FileRef {
    fn from(f: v1::FileRef) -> Self {
        Self {
            dev: f.dev,
            ino: f.ino,
            ctime: FileTime { sec: f.ctime_sec, nsec: f.ctime_nsec },
            size: f.size,
        }
    }
}

impl From<&model::FileFacts> for v1::FileFacts {
    fn from(f: &model::FileFacts) -> Self {
        Self {
            path: f.path.clone(),
            file: Some((&f.file).into()),
            sha256: f.sha256.map(|h| h.0.to_vec()).unwrap_or_default(),
            uid: f.uid,
            gid: f.gid,
            mode: f.mode,
            nlink: f.nlink,
            atime_sec: f.atime.sec,
            atime_nsec: f.atime.nsec,
            mtime_sec: f.mtime.sec,
            mtime_nsec: f.mtime.nsec,
            package: f.package.clone(),
            package_intact: f.package_intact,
        }
    }
}

impl TryFrom<v1::FileFacts> for model::FileFacts {
    type Error = ConvertError;

    fn try_from(f: v1::FileFacts) -> Result<Self, ConvertError> {
        Ok(Self {
            path: f.path,
            file: f.file.ok_or_else(|| bad("file facts without identity"))?.into(),
            sha256: Sha256::from_slice(&f.sha256),
            uid: f.uid,
            gid: f.gid,
            mode: f.mode,
            nlink: f.nlink,
            atime: FileTime { sec: f.atime_sec, nsec: f.atime_nsec },
            mtime: FileTime { sec: f.mtime_sec, nsec: f.mtime_nsec },
            package: f.package,
            package_intact: f.package_intact,
        })
    }
}

impl From<&model::ProcessRef> for v1::ProcessRef {
    fn from(p: &model::ProcessRef) -> Self {
        Self { pid: p.pid, start_time: p.start_time, boot_id: p.boot_id.to_vec() }
    }
}

impl TryFrom<v1::ProcessRef> for model::ProcessRef {
    type Error = ConvertError;

    fn try_from(p: v1::ProcessRef) -> Result<Self, ConvertError> {
        let boot_id = p.boot_id.as_slice().try_into().map_err(|_| bad("boot_id is not 16 bytes"))?;
        Ok(Self { pid: p.pid, start_time: p.start_time, boot_id })
    }
}

impl From<&model::ProcessFacts> for v1::ProcessFacts {
    fn from(p: &model::ProcessFacts) -> Self {
        Self {
            process: Some((&p.process).into()),
            ppid: p.ppid,
            exe: p.exe.clone(),
            cmdline: p.cmdline.clone(),
            uid: p.uid,
            euid: p.euid,
            gid: p.gid,
            started_ms: p.started_ms,
            sha256: p.sha256.map(|h| h.0.to_vec()).unwrap_or_default(),
            container: p.container.clone(),
            unit: p.unit.clone(),
        }
    }
}

impl TryFrom<v1::ProcessFacts> for model::ProcessFacts {
    type Error = ConvertError;

    fn try_from(p: v1::ProcessFacts) -> Result<Self, ConvertError> {
        Ok(Self {
            process: p.process.ok_or_else(|| bad("process facts without identity"))?.try_into()?,
            ppid: p.ppid,
            exe: p.exe,
            cmdline: p.cmdline,
            uid: p.uid,
            euid: p.euid,
            gid: p.gid,
            started_ms: p.started_ms,
            sha256: Sha256::from_slice(&p.sha256),
            container: p.container,
            unit: p.unit,
        })
    }
}

impl From<&model::ActionRecord> for v1::ActionRecord {
    fn from(a: &model::ActionRecord) -> Self {
        Self {
            at_ms: a.at_ms,
            action: a.action.word().into(),
            outcome: a.outcome.word().into(),
            reason: a.outcome.reason().into(),
            target: a.target.clone(),
        }
    }
}

impl TryFrom<v1::ActionRecord> for model::ActionRecord {
    type Error = ConvertError;

    fn try_from(a: v1::ActionRecord) -> Result<Self, ConvertError> {
        Ok(Self {
            at_ms: a.at_ms,
            action: Action::ALL
                .into_iter()
                .find(|x| x.word() == a.action)
                .ok_or_else(|| bad(format!("action \"{}\"", a.action)))?,
            outcome: Outcome::from_word(&a.outcome, &a.reason)
                .ok_or_else(|| bad(format!("outcome \"{}\"", a.outcome)))?,
            target: a.target,
        })
    }
}

impl From<&model::Alarm> for v1::Alarm {
    fn from(a: &model::Alarm) -> Self {
        let mut out = Self {
            id: a.id.to_string(),
            at_ms: a.at_ms,
            last_ms: a.last_ms,
            count: a.count,
            origin: a.origin.word().into(),
            severity: a.severity.word().into(),
            title: a.title.clone(),
            verdict: a.verdict.as_ref().map(Into::into),
            rating: a.rating.map(|r| r.word().to_owned()).unwrap_or_default(),
            decision: a.decision.word().into(),
            reasons: a.reasons.clone(),
            file: a.forensics.file.as_ref().map(Into::into),
            chain: a.forensics.chain.iter().map(Into::into).collect(),
            timeline: a.forensics.timeline.iter().map(Into::into).collect(),
            isolated: a.isolated.map(|i| i.to_string()),
            persistence: (!a.forensics.persistence.is_empty()).then(|| (&a.forensics.persistence).into()),
            window_until_ms: a.window_until_ms,
            ..Self::default()
        };
        if let HandleStatus::Handled { by, at_ms, who, remark } = &a.status {
            out.handled_by = by.word().into();
            out.handled_ms = *at_ms;
            out.handled_who.clone_from(who);
            out.remark.clone_from(remark);
        }
        out
    }
}

impl TryFrom<v1::Alarm> for model::Alarm {
    type Error = ConvertError;

    fn try_from(a: v1::Alarm) -> Result<Self, ConvertError> {
        let status = if a.handled_by.is_empty() {
            HandleStatus::Unhandled
        } else {
            HandleStatus::Handled {
                by: a.handled_by.parse().map_err(|e: model::UnknownHandling| bad(e.to_string()))?,
                at_ms: a.handled_ms,
                who: a.handled_who,
                remark: a.remark,
            }
        };
        Ok(Self {
            id: a.id.parse().map_err(|_| bad(format!("alarm id \"{}\"", a.id)))?,
            at_ms: a.at_ms,
            last_ms: a.last_ms,
            count: a.count,
            origin: Origin::ALL
                .into_iter()
                .find(|o| o.word() == a.origin)
                .ok_or_else(|| bad(format!("origin \"{}\"", a.origin)))?,
            severity: severity(&a.severity)?,
            title: a.title,
            verdict: a.verdict.map(TryInto::try_into).transpose()?,
            rating: rating(&a.rating)?,
            decision: decision(&a.decision)?,
            reasons: a.reasons,
            forensics: Forensics {
                file: a.file.map(TryInto::try_into).transpose()?,
                chain: a.chain.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
                timeline: a.timeline.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
                persistence: a.persistence.map(TryInto::try_into).transpose()?.unwrap_or_default(),
            },
            isolated: a
                .isolated
                .map(|i| i.parse().map_err(|_| bad(format!("isolated id \"{i}\""))))
                .transpose()?,
            status,
            window_until_ms: a.window_until_ms,
        })
    }
}

fn severity(word: &str) -> Result<Severity, ConvertError> {
    [Severity::Low, Severity::Medium, Severity::High, Severity::Critical]
        .into_iter()
        .find(|s| s.word() == word)
        .ok_or_else(|| bad(format!("severity \"{word}\"")))
}

fn rating(word: &str) -> Result<Option<Rating>, ConvertError> {
    if word.is_empty() {
        return Ok(None);
    }
    [Rating::Low, Rating::Medium, Rating::High]
        .into_iter()
        .find(|r| r.word() == word)
        .map(Some)
        .ok_or_else(|| bad(format!("rating \"{word}\"")))
}

fn decision(word: &str) -> Result<Decision, ConvertError> {
    [Decision::Allow, Decision::Alarm, Decision::Deny, Decision::IsolateAndKill]
        .into_iter()
        .find(|d| d.word() == word)
        .ok_or_else(|| bad(format!("decision \"{word}\"")))
}

impl From<&model::KilledProcess> for v1::Killed {
    fn from(k: &model::KilledProcess) -> Self {
        Self {
            process: Some((&k.process).into()),
            exe: k.exe.clone(),
            cmdline: k.cmdline.clone(),
            outcome: k.outcome.word().into(),
            reason: k.outcome.reason().into(),
            unit: k.unit.clone(),
            container: k.container.clone(),
        }
    }
}
