// SPDX-License-Identifier: Apache-2.0
//! Alarms: list, show, handle.

use super::{Answered, Peer, Refusal, Refused, Reply, isolate, isolated, refuse, whitelist};
use crate::alarms::{decode, update};
use crate::core::Core;
use crate::look::now_ms;
use crate::persistence::Inquiry;
use lazaret_model::{Alarm, HandleStatus, Handling, MalwareClass, Rating, WhitelistId};
use lazaret_policy::{Judge, WhitelistEntry, WhitelistField};
use lazaret_proto::v1;
use lazaret_proto::v1::failure::Kind;
use lazaret_proto::v1::response::Answer;
use lazaret_state::AlarmFilter;
use std::sync::Arc;

pub(super) fn list(core: &Core, request: &v1::AlarmsList, reply: &mut Reply<'_>) -> Answered {
    let rating = match request.rating.as_str() {
        "" => None,
        "low" => Some(Rating::Low),
        "medium" => Some(Rating::Medium),
        "high" => Some(Rating::High),
        other => {
            refuse(Kind::BadRequest, format!("there is no rating \"{other}\"; known: high, medium, low"))?
        }
    };
    let class = match request.class.as_str() {
        "" => None,
        word => Some(word.parse::<MalwareClass>().map_err(|e| Refusal(Kind::BadRequest, e.to_string()))?),
    };
    let filter = AlarmFilter {
        rating,
        class,
        unhandled_only: request.unhandled_only,
        tests_only: request.tests_only,
        since_ms: None,
        limit: (request.limit > 0).then_some(request.limit),
    };
    for row in core.database.alarms(&filter)? {
        let alarm = decode(&row).map_err(|e| Refusal(Kind::Failed, e))?;
        reply.more(Answer::Alarm((&alarm).into()))?;
    }
    Ok(None)
}

pub(super) fn show(core: &Core, request: &v1::AlarmsShow) -> Answered {
    Ok(Some(Answer::Alarm((&find(core, &request.id)?).into())))
}

pub(crate) fn find(core: &Core, id: &str) -> Result<Alarm, Refused> {
    let row = core.database.find_alarm(id)?;
    Ok(decode(&row).map_err(|e| Refusal(Kind::Failed, e))?)
}

pub(crate) fn handle(core: &Arc<Core>, peer: &Peer, request: &v1::Handle) -> Answered {
    let handling: Handling = request.handling.parse().map_err(|e: lazaret_model::UnknownHandling| {
        let known: Vec<&str> = Handling::ALL.iter().map(|h| h.word()).collect();
        Refusal(Kind::BadRequest, format!("{e}; known: {}", known.join(", ")))
    })?;
    let mut alarm = find(core, &request.id)?;
    if let Some(undone) = handling.undoes() {
        let by = match &alarm.status {
            HandleStatus::Handled { by, .. } => Some(*by),
            HandleStatus::Unhandled => None,
        };
        if by != Some(undone) {
            let now = by.map_or("unhandled", Handling::word);
            refuse(
                Kind::Refused,
                format!("{} undoes {}, but this alarm is {now}", handling.word(), undone.word()),
            )?;
        }
    }
    match handling {
        Handling::MarkAsHandled | Handling::Ignore | Handling::Unhandle | Handling::DoNotIgnore => {}
        Handling::AddToAlarmWhitelist => add_to_whitelist(core, peer, &alarm)?,
        Handling::RemoveFromAlarmWhitelist => remove_from_whitelist(core, peer, &alarm)?,
        Handling::IsolateAndKill => isolate::from_alarm(core, peer, &mut alarm)?,
        Handling::DoNotIsolateOrKill => {
            let Some(id) = alarm.isolated else {
                return refuse(Kind::Refused, "nothing was isolated for this alarm")?;
            };
            isolated::restore_id(core, peer, id, None, false)?;
            // The restore has noted itself in the timeline.
            alarm = find(core, &alarm.id.to_string())?;
            alarm.isolated = None;
        }
    }
    alarm.status = if handling.undoes().is_some() {
        HandleStatus::Unhandled
    } else {
        HandleStatus::Handled {
            by: handling,
            at_ms: now_ms(),
            who: peer.name(),
            remark: request.remark.clone(),
        }
    };
    {
        let _changing = core.changing_alarms();
        // A repeat may have been counted meanwhile; it must not undo the handling, nor be lost by it.
        let now = find(core, &alarm.id.to_string())?;
        (alarm.count, alarm.last_ms) = (now.count, now.last_ms);
        update(core, &alarm)?;
    }
    if handling == Handling::IsolateAndKill {
        let chain = alarm.forensics.chain.clone();
        core.persistence.ask(Inquiry { alarm: alarm.id, chain, automatic: false });
    }
    core.events.tell("alarm", format!("{} ({})", handling.word(), peer.name()), Some(alarm.id.to_string()));
    Ok(Some(Answer::Alarm((&alarm).into())))
}

/// The file's hash: a whitelist by path would let the next file of that name pass.
fn add_to_whitelist(core: &Core, peer: &Peer, alarm: &Alarm) -> Result<(), Refused> {
    let Some(content) = alarm.forensics.file.as_ref().and_then(|f| f.sha256) else {
        return Err(Refusal(Kind::Refused, "this alarm is not about a file".into()).into());
    };
    let entry = WhitelistEntry {
        id: WhitelistId::new(),
        field: WhitelistField::Hash,
        judge: Judge::Equal,
        value: content.to_string().into_bytes(),
        sha256: None,
        any_content: false,
        description: format!("from alarm {}", alarm.id),
        added_ms: now_ms(),
        added_by: peer.name(),
        class: None,
        expires_ms: None,
    };
    whitelist::store(core, entry).map(|_| ())
}

fn remove_from_whitelist(core: &Core, peer: &Peer, alarm: &Alarm) -> Result<(), Refused> {
    let made_for = format!("from alarm {}", alarm.id);
    let ids: Vec<WhitelistId> =
        core.live().whitelist.entries().iter().filter(|e| e.description == made_for).map(|e| e.id).collect();
    for id in ids {
        whitelist::remove_entry(core, id, peer)?;
    }
    Ok(())
}
