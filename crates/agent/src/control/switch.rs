// SPDX-License-Identifier: Apache-2.0
//! Switches, content and circuit breakers.

use super::{Answered, Peer, Refusal, done, refuse};
use crate::core::Core;
use crate::log::log;
use lazaret_proto::v1;
use lazaret_proto::v1::failure::Kind;

/// The switches and their keys in the database.
pub(crate) const ISOLATE_AND_KILL: &str = "isolate_and_kill";
pub(crate) const TEST_PROGRAMS: &str = "test_programs";

pub(super) fn set(core: &Core, peer: Peer, request: &v1::SwitchSet) -> Answered {
    let word = if request.on { "on" } else { "off" };
    let name = request.name.replace('-', "_");
    if name != ISOLATE_AND_KILL && name != TEST_PROGRAMS {
        refuse(
            Kind::BadRequest,
            format!("there is no switch \"{}\"; known: isolate-and-kill, test-programs", request.name),
        )?;
    }
    // Kept first: a switch that does not outlive a restart is not set.
    core.database.set_setting(&name, word)?;
    {
        let mut live = core.live();
        match name.as_str() {
            ISOLATE_AND_KILL => live.policy.isolate_and_kill = request.on,
            _ => live.policy.test_programs = request.on,
        }
    }
    core.judge_again();
    let text = format!("{} is {word} ({})", name.replace('_', " "), peer.name());
    log!("{text}");
    core.events.tell("switch", text.clone(), None);
    done(text)
}

pub(super) fn reload(core: &Core, peer: Peer) -> Answered {
    let failed = |e: String| Refusal(Kind::Failed, format!("the content in force stays: {e}"));
    let content = core.config.content().map_err(|e| failed(e.to_string()))?;
    let info =
        core.pool.reload(content, core.config.paths.rules.clone()).map_err(|e| failed(e.to_string()))?;
    core.judge_again();
    let text = format!("content {} is in force: {} rules ({})", info.version, info.rules, peer.name());
    log!("{text}");
    core.events.tell("content", text.clone(), None);
    done(text)
}

pub(super) fn rearm(core: &Core, peer: Peer, request: &v1::BreakerRearm) -> Answered {
    let closed = core.live().rearm(&request.rule);
    for rule in &closed {
        core.database.remove_breaker(rule)?;
        core.events.tell("switch", format!("the breaker of {rule} is armed again ({})", peer.name()), None);
    }
    core.judge_again();
    if closed.is_empty() && !request.rule.is_empty() {
        refuse(Kind::NotFound, format!("the breaker of rule \"{}\" is not open", request.rule))?;
    }
    done(format!("{} breakers armed again", closed.len()))
}
