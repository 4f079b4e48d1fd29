// SPDX-License-Identifier: Apache-2.0
//! Switches and content.

use super::{Answered, Peer, Refusal, done, refuse};
use crate::core::Core;
use crate::log::log;
use crate::uplink::Delivery;
use lazaret_proto::v1;
use lazaret_proto::v1::failure::Kind;
use lazaret_response::Answer as Ending;
use std::sync::atomic::Ordering;

/// The switches and their keys in the database.
pub(crate) const ISOLATE_AND_KILL: &str = "isolate_and_kill";
pub(crate) const TEST_PROGRAMS: &str = "test_programs";
pub(crate) const DRY_RUN: &str = "dry_run";

pub(super) fn set(core: &Core, peer: &Peer, request: &v1::SwitchSet) -> Answered {
    let word = if request.on { "on" } else { "off" };
    let name = request.name.replace('-', "_");
    if ![ISOLATE_AND_KILL, TEST_PROGRAMS, DRY_RUN].contains(&name.as_str()) {
        refuse(
            Kind::BadRequest,
            format!(
                "there is no switch \"{}\"; known: isolate-and-kill, test-programs, dry-run",
                request.name
            ),
        )?;
    }
    if let Some(key) = core.uplink.desired.governs(&name) {
        refuse(
            Kind::Refused,
            format!(
                "{} is set by the server ({}) and would not stay: change it there, or keep it on this host with \
                 [local] pin = [\"{key}\"] in lazaretd.toml and restart lazaretd",
                request.name,
                core.uplink.desired.origin()
            ),
        )?;
    }
    // Kept first: a switch that does not outlive a restart is not set.
    core.database.set_setting(&name, word)?;
    {
        let mut live = core.live();
        match name.as_str() {
            ISOLATE_AND_KILL => live.policy.isolate_and_kill = request.on,
            DRY_RUN => live.dry_run = request.on,
            _ => live.policy.test_programs = request.on,
        }
    }
    if name == DRY_RUN {
        core.gate.rehearses.store(request.on, Ordering::Relaxed);
    }
    if (name == DRY_RUN && request.on) || (name == ISOLATE_AND_KILL && !request.on) {
        // What is frozen would be killed in a moment.
        core.windows.answer_all(&Ending::Thaw(format!("{} (switch)", peer.name())));
    }
    core.judge_again();
    let text = format!("{} is {word} ({})", name.replace('_', " "), peer.name());
    log!("{text}");
    core.events.tell("switch", text.clone(), None);
    done(text)
}

pub(super) fn reload(core: &Core, peer: &Peer) -> Answered {
    let failed = |e: String| Refusal(Kind::Failed, format!("the content in force stays: {e}"));
    // Where the server's content is in force, it stays so.
    let content = match Delivery::at_start(&core.config.paths.state) {
        Some(delivered) => delivered,
        None => core.config.content().map_err(|e| failed(e.to_string()))?,
    };
    let info =
        core.pool.reload(content, core.config.paths.rules.clone()).map_err(|e| failed(e.to_string()))?;
    core.judge_again();
    let text = format!("content {} is in force: {} rules ({})", info.version, info.rules, peer.name());
    log!("{text}");
    core.events.tell("content", text.clone(), None);
    done(text)
}
