// SPDX-License-Identifier: Apache-2.0
//! Whether a program that nothing speaks against runs at once, waits for the server's answer, or, where a
//! project says so and nobody answers, does not run. A missing answer is never a verdict and no alarm.

use super::{Cloud, Program};
use crate::core::Core;
use crate::counters::bump;
use crate::log::printable;
use crate::look::now_ms;
use lazaret_model::MalwareClass;
use lazaret_policy::{Candidate, PackageStanding};
use std::fs::File;
use std::time::{Duration, Instant};

/// What becomes of an execution.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    Run,
    /// Until then at most; and whether it is refused when there is no answer by then.
    Wait(Instant, bool),
    Refuse,
}

/// How long an execution may wait, given when it was asked about. `None`: not at all.
fn until(wait: Duration, asked: Instant, deadline: Duration, now: Instant) -> Option<Instant> {
    // What is left of the deadline is for the answer itself, and for a look at a file that turned bad.
    let spare = (deadline / 5).clamp(Duration::from_millis(20), Duration::from_millis(500));
    let end = (asked + deadline.saturating_sub(spare)).min(now + wait);
    (!wait.is_zero() && end > now).then_some(end)
}

impl Cloud {
    /// Settles an execution of what was scanned and found clean. `asked` is when the kernel asked.
    pub(crate) fn settle(&self, core: &Core, program: &Program, file: &File, asked: Instant) -> Settled {
        if !self.is_on() {
            return Settled::Run;
        }
        let consent = self.consent();
        // An answer whose time is over is asked for again, and good enough here: what turned bad since then
        // stands in the feed.
        if self.answers.get(&program.sha256, now_ms()).is_some() {
            return Settled::Run;
        }
        // Nobody waits for what the host's own packages vouch for; it is asked about all the same.
        if program.ours {
            let standing = core.guards.standing(&program.path, file);
            if standing != PackageStanding::Unowned || core.guards.critical(&program.path).is_some() {
                return Settled::Run;
            }
        }
        if is_let_be(core, program) {
            return Settled::Run;
        }
        let refuse = consent.fail_closed && !core.safe_mode && !core.live().dry_run;
        let end = until(consent.wait, asked, core.config.deadline(), Instant::now());
        let may_wait = self.is_connected() && self.waiting.has_room();
        match end.filter(|_| may_wait) {
            Some(end) => {
                self.ask(program, false);
                core.uplink.ring();
                Settled::Wait(end, refuse)
            }
            None if refuse => Settled::Refuse,
            None => Settled::Run,
        }
    }
}

/// An exception of this host or an entry of its whitelist says that it may run.
fn is_let_be(core: &Core, program: &Program) -> bool {
    let live = core.live();
    let listed = |class| {
        let candidate = Candidate {
            file: program.sha256,
            object: program.sha256,
            path: if program.ours { &program.path } else { b"" },
            process_path: None,
            process_cmdline: None,
            class,
            now_ms: now_ms(),
        };
        live.whitelist.hit(&candidate).is_some()
    };
    live.is_excepted(&program.sha256) || MalwareClass::all().any(listed)
}

/// Says that an execution was refused for want of an answer.
pub(crate) fn tell_refused(core: &Core, path: &[u8]) {
    bump(&core.gate.counters.cloud_refused);
    let text = format!(
        "{} was refused to run: the server has not answered whether it is known, and this project lets nothing run \
         without that (fail closed)",
        printable(path)
    );
    core.events.tell("unjudged", text, None);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_beyond_the_deadline() {
        let asked = Instant::now();
        let ms = Duration::from_millis;
        let deadline = ms(5_000);
        assert_eq!(until(ms(300), asked, deadline, asked), Some(asked + ms(300)));
        assert_eq!(until(Duration::ZERO, asked, deadline, asked), None);
        // A scan took long already.
        assert_eq!(until(ms(300), asked, deadline, asked + ms(4_400)), Some(asked + ms(4_500)));
        assert_eq!(until(ms(300), asked, deadline, asked + ms(4_500)), None);
        assert_eq!(until(ms(60_000), asked, deadline, asked), Some(asked + ms(4_500)));
        // The shortest deadline that can be configured.
        assert_eq!(until(ms(300), asked, ms(100), asked), Some(asked + ms(80)));
        assert_eq!(until(ms(300), asked, ms(100), asked + ms(200)), None);
    }
}
