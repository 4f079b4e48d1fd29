// SPDX-License-Identifier: Apache-2.0
//! What brings programs back: list, disable, enable.

use super::{Answered, Peer, Refusal, Refused, Reply, alarms::find, refuse};
use crate::alarms::decode;
use crate::core::Core;
use crate::persistence;
use lazaret_model::{Alarm, PersistenceEntry, PersistenceState};
use lazaret_proto::v1;
use lazaret_proto::v1::failure::Kind;
use lazaret_proto::v1::response::Answer;
use lazaret_state::AlarmFilter;

/// Alarms that are looked through for a list of all.
const NEWEST: u32 = 20_000;

pub(super) fn list(core: &Core, request: &v1::PersistenceList, reply: &mut Reply<'_>) -> Answered {
    if !request.alarm.is_empty() {
        return Ok(Some(Answer::Alarm((&find(core, &request.alarm)?).into())));
    }
    for row in core.database.alarms(&AlarmFilter { limit: Some(NEWEST), ..AlarmFilter::default() })? {
        let alarm = decode(&row).map_err(|e| Refusal(Kind::Failed, e))?;
        if !alarm.forensics.persistence.entries.is_empty() {
            reply.more(Answer::Alarm((&alarm).into()))?;
        }
    }
    Ok(None)
}

pub(super) fn disable(core: &Core, peer: &Peer, request: &v1::PersistenceDisable) -> Answered {
    let mut alarm = find(core, &request.alarm)?;
    if alarm.forensics.persistence.searched_ms == 0 {
        refuse(Kind::Refused, "nothing was looked for yet for this alarm: it is after an isolation only")?;
    }
    let fits = |e: &PersistenceEntry| {
        if e.state == PersistenceState::Disabled {
            return Err("it is disabled already".to_owned());
        }
        if e.can_be_disabled() { Ok(()) } else { Err(format!("it can only be shown: {}", e.only_shown)) }
    };
    let numbers = select(&alarm, request.entry, "disabled", fits)?;
    persistence::disable(core, &mut alarm, &numbers, &peer.name(), false);
    Ok(Some(Answer::Alarm((&alarm).into())))
}

pub(super) fn enable(core: &Core, peer: &Peer, request: &v1::PersistenceEnable) -> Answered {
    let mut alarm = find(core, &request.alarm)?;
    let fits = |e: &PersistenceEntry| {
        if e.state == PersistenceState::Disabled { Ok(()) } else { Err("it is not disabled".to_owned()) }
    };
    let numbers = select(&alarm, request.entry, "enabled", fits)?;
    persistence::enable(core, &mut alarm, &numbers, &peer.name());
    Ok(Some(Answer::Alarm((&alarm).into())))
}

/// The entry that was asked for, or every one that fits.
fn select(
    alarm: &Alarm,
    number: u32,
    verb: &str,
    fits: impl Fn(&PersistenceEntry) -> Result<(), String>,
) -> Result<Vec<u32>, Refused> {
    let entries = &alarm.forensics.persistence.entries;
    if number == 0 {
        let numbers: Vec<u32> = entries.iter().filter(|e| fits(e).is_ok()).map(|e| e.number).collect();
        return if numbers.is_empty() {
            Err(Refusal(Kind::Refused, format!("none of the {} entries can be {verb}", entries.len())).into())
        } else {
            Ok(numbers)
        };
    }
    let Some(entry) = entries.iter().find(|e| e.number == number) else {
        let text = format!("this alarm has no entry {number}; see lazaret persistence list {}", alarm.id);
        return Err(Refusal(Kind::NotFound, text).into());
    };
    fits(entry).map_err(|why| Refusal(Kind::Refused, format!("entry {number} is not {verb}: {why}")))?;
    Ok(vec![number])
}
