// SPDX-License-Identifier: Apache-2.0
//! Conversions of what brings a program back.

use crate::convert::{ConvertError, bad};
use crate::v1;
use lazaret_model as model;
use model::{PersistenceKind, PersistenceLink, PersistenceState};

impl From<&model::PersistenceEntry> for v1::PersistenceEntry {
    fn from(e: &model::PersistenceEntry) -> Self {
        Self {
            number: e.number,
            kind: e.kind.word().into(),
            user: e.user,
            file: e.file.clone(),
            line: e.line,
            text: e.text.clone(),
            uid: e.uid,
            link: e.link.word().into(),
            why: e.why.clone(),
            only_shown: e.only_shown.clone(),
            state: e.state.word().into(),
            reason: e.reason.clone(),
            disabled_as: e.disabled_as.map(|d| d.to_string()).unwrap_or_default(),
        }
    }
}

impl TryFrom<v1::PersistenceEntry> for model::PersistenceEntry {
    type Error = ConvertError;

    fn try_from(e: v1::PersistenceEntry) -> Result<Self, ConvertError> {
        let unknown = |what: &str, word: &str| bad(format!("persistence {what} \"{word}\""));
        Ok(Self {
            number: e.number,
            kind: PersistenceKind::from_word(&e.kind).ok_or_else(|| unknown("kind", &e.kind))?,
            user: e.user,
            file: e.file,
            line: e.line,
            text: e.text,
            uid: e.uid,
            link: PersistenceLink::from_word(&e.link).ok_or_else(|| unknown("link", &e.link))?,
            why: e.why,
            only_shown: e.only_shown,
            state: PersistenceState::from_word(&e.state).ok_or_else(|| unknown("state", &e.state))?,
            reason: e.reason,
            disabled_as: id(&e.disabled_as)?,
        })
    }
}

impl From<&model::Persistence> for v1::Persistence {
    fn from(p: &model::Persistence) -> Self {
        Self {
            searched_ms: p.searched_ms,
            entries: p.entries.iter().map(Into::into).collect(),
            problems: p.problems.clone(),
            returns: p.returns,
            returned: p
                .returned
                .iter()
                .map(|r| v1::Return { at_ms: r.at_ms, alarm: r.alarm.to_string(), by: r.by.clone() })
                .collect(),
            return_of: p.return_of.map(|a| a.to_string()).unwrap_or_default(),
        }
    }
}

impl TryFrom<v1::Persistence> for model::Persistence {
    type Error = ConvertError;

    fn try_from(p: v1::Persistence) -> Result<Self, ConvertError> {
        let back = |r: v1::Return| {
            let alarm = id(&r.alarm)?.ok_or_else(|| bad("a return without its alarm"))?;
            Ok(model::Return { at_ms: r.at_ms, alarm, by: r.by })
        };
        Ok(Self {
            searched_ms: p.searched_ms,
            entries: p.entries.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            problems: p.problems,
            returns: p.returns,
            returned: p.returned.into_iter().map(back).collect::<Result<_, ConvertError>>()?,
            return_of: id(&p.return_of)?,
        })
    }
}

fn id<T: std::str::FromStr>(text: &str) -> Result<Option<T>, ConvertError> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| bad(format!("id \"{text}\"")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{AlarmId, JournalId};

    #[test]
    fn there_and_back() {
        let entry = model::PersistenceEntry {
            number: 2,
            kind: PersistenceKind::Cron,
            user: true,
            file: b"/var/spool/cron/crontabs/\xff".to_vec(),
            line: 7,
            text: b"* * * * * /tmp/\xfe".to_vec(),
            uid: 1000,
            link: PersistenceLink::Started,
            why: "it started it".into(),
            only_shown: String::new(),
            state: PersistenceState::Disabled,
            reason: "x".into(),
            disabled_as: Some(JournalId::new()),
        };
        let whole = model::Persistence {
            searched_ms: 5,
            entries: vec![entry],
            problems: vec!["p".into()],
            returns: 3,
            returned: vec![model::Return { at_ms: 4, alarm: AlarmId::new(), by: "cron".into() }],
            return_of: Some(AlarmId::new()),
        };
        let wire = v1::Persistence::from(&whole);
        assert_eq!(model::Persistence::try_from(wire.clone()).unwrap(), whole);
        let mut odd = wire;
        odd.entries[0].kind = "magic".into();
        assert!(model::Persistence::try_from(odd).unwrap_err().to_string().contains("magic"));
    }
}
