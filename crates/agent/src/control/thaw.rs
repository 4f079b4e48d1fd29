// SPDX-License-Identifier: Apache-2.0
//! `thaw`: lets go on what an alarm has frozen, and the file be on this host.

use super::{Answered, Peer, Refusal, Refused, alarms, refuse};
use crate::core::Core;
use crate::look::now_ms;
use crate::windows::Open;
use lazaret_model::Alarm;
use lazaret_proto::v1;
use lazaret_proto::v1::failure::Kind;
use lazaret_proto::v1::response::Answer;
use lazaret_response::Answer as Ending;
use lazaret_state::ExceptionRow;
use std::time::Duration;

/// Killing and isolating a large file takes longer than letting go.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn thaw(core: &Core, peer: &Peer, request: &v1::Thaw) -> Answered {
    let alarm = alarms::find(core, &request.id)?;
    let Some(open) = core.windows.of_alarm(alarm.id) else {
        let why = if alarm.isolated.is_some() {
            "it was killed and isolated; lazaret isolated restore brings the file back"
        } else {
            "nothing is frozen for this alarm"
        };
        return refuse(Kind::Refused, why)?;
    };
    let Some(content) = alarm.forensics.file.as_ref().and_then(|f| f.sha256) else {
        return refuse(Kind::Failed, "the alarm does not say which content it is about")?;
    };
    // The exception comes first: what goes on may open its file at once.
    let had = core.database.has_exception(content)?;
    let why = format!("thaw of alarm {} by {}", alarm.id, peer.name());
    core.database.add_exception(&ExceptionRow { sha256: content, at_ms: now_ms(), why })?;
    core.live().exceptions.insert(content);
    let done = end(core, &open, Ending::Thaw(peer.name()), &alarm);
    let thawed = done.as_ref().is_ok_and(|a| a.isolated.is_none());
    if !thawed {
        if !had {
            core.database.remove_exception(content)?;
            core.live().exceptions.remove(&content);
        }
        done?;
        return refuse(Kind::Refused, "too late: it was killed and isolated; see lazaret isolated restore")?;
    }
    core.judge_again();
    let mut alarm = done?;
    if !request.remark.is_empty()
        && let lazaret_model::HandleStatus::Handled { remark, .. } = &mut alarm.status
    {
        *remark = format!("thawed: {}", request.remark);
        crate::alarms::update(core, &alarm)?;
    }
    Ok(Some(Answer::Alarm((&alarm).into())))
}

/// Ends a window and gives its alarm as it is then.
pub(super) fn end(core: &Core, open: &Open, ending: Ending, alarm: &Alarm) -> Result<Alarm, Refused> {
    if !open.end(ending, PATIENCE) {
        let text =
            format!("it takes more than {} s; see lazaret alarms show {}", PATIENCE.as_secs(), alarm.id);
        return Err(Refusal(Kind::Failed, text).into());
    }
    alarms::find(core, &alarm.id.to_string())
}
