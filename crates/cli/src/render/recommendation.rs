// SPDX-License-Identifier: Apache-2.0
//! What to do next about an alarm, with the exact commands.

use super::short_id;
use crate::escape;
use lazaret_model::Handling;
use lazaret_proto::v1;

/// Lines for people, most useful first.
pub(super) fn recommendation(alarm: &v1::Alarm) -> Vec<String> {
    let mut out = about_the_file(alarm);
    out.extend(about_its_return(alarm));
    out
}

/// What starts the program again, and what was taken out of force.
fn about_its_return(alarm: &v1::Alarm) -> Vec<String> {
    let id = short_id(&alarm.id);
    let entries = alarm.persistence.as_ref().map_or(&[][..], |p| &p.entries);
    let mut out = Vec::new();
    if entries.iter().any(|e| e.state == "active" && e.only_shown.is_empty()) {
        out.push(format!("To stop it from being started again:  lazaret persistence disable {id}"));
    }
    if entries.iter().any(|e| e.state == "active" && !e.only_shown.is_empty()) {
        out.push("What is only shown above has to be removed by hand.".into());
    }
    if entries.iter().any(|e| e.state == "disabled") {
        out.push(format!("To put back what was disabled:  lazaret persistence enable {id}"));
    }
    out
}

fn about_the_file(alarm: &v1::Alarm) -> Vec<String> {
    let id = short_id(&alarm.id);
    let handle = |handling: Handling| format!("lazaret handle {id} {}", handling.word().replace('_', "-"));
    if let Ok(by) = alarm.handled_by.parse::<Handling>() {
        let inverse = Handling::ALL.into_iter().find(|h| h.undoes() == Some(by));
        let mut out = vec!["It is dealt with; nothing is left to do.".to_owned()];
        out.extend(inverse.map(|h| format!("To take that back:  {}", handle(h))));
        return out;
    }
    let Some(verdict) = &alarm.verdict else {
        return vec![
            "This is about the daemon itself: see what is degraded with  lazaret status".to_owned(),
            format!("When it is mended:  {}", handle(Handling::MarkAsHandled)),
        ];
    };
    let mut out = Vec::new();
    if verdict.test {
        out.push(
            "This is a harmless test file, made to prove an installation; no one has attacked you.".into(),
        );
    }
    if let Some(until) = alarm.window_until_ms {
        let until = crate::time::rfc3339(until);
        out.push(format!("Its processes are frozen. Unless you object they are killed at {until}."));
        out.push(format!("If it is good:  lazaret thaw {id}"));
        out.push(format!("If it is malicious, now:  {}", handle(Handling::IsolateAndKill)));
        return out;
    }
    let isolated = alarm.isolated.as_deref();
    if isolated.is_some() && was_restored(alarm) {
        out.push("The file was restored, and its content is left alone on this host from now on.".into());
        out.push(format!("If it is good:  {}", handle(Handling::MarkAsHandled)));
        if let Some(digest) = alarm.file.as_ref().and_then(|f| super::digest(&f.sha256)) {
            out.push(format!("To have it judged again:  lazaret exception remove {digest}"));
        }
        return out;
    }
    if let Some(isolated) = isolated {
        let object = short_id(isolated);
        out.push(
            "The file is in the vault and can do no harm. Find out how it came here (process chain above)."
                .into(),
        );
        out.push(format!("If it is malicious:  {}", handle(Handling::MarkAsHandled)));
        out.push(format!("    and, once nobody needs it as a proof:  lazaret isolated delete {object}"));
        out.push(format!("If it is good:  lazaret isolated restore {object}"));
        return out;
    }
    let still_there = match (alarm.decision.as_str(), alarm.rating.as_str()) {
        ("isolate_and_kill", _) => "It should have been isolated, and is not: the timeline says why.",
        ("deny", _) => "Running it is refused, but the file still lies where it was.",
        (_, "high") => "It is almost certainly malicious and was only reported; the reasons above say why.",
        (_, "medium") => "It may well be malicious: look at the evidence and at where it came from.",
        _ => "There is a faint suspicion: look at it when you have time.",
    };
    out.push(still_there.into());
    if let Some(package) = alarm.file.as_ref().and_then(|f| f.package.as_deref()) {
        out.push(format!(
            "The package {} owns it: compare it with the package's own copy and reinstall that, rather than isolate it.",
            escape::text(package)
        ));
    }
    out.push(format!("If it is malicious:  {}", handle(Handling::IsolateAndKill)));
    out.push(format!(
        "If it is good, and to be left alone from now on:  {}",
        handle(Handling::AddToAlarmWhitelist)
    ));
    out.push(format!("If it is good this time:  {}", handle(Handling::Ignore)));
    out.push(format!("If you have dealt with it yourself:  {}", handle(Handling::MarkAsHandled)));
    out
}

/// Whether the last thing that was done to the file was to put it back.
fn was_restored(alarm: &v1::Alarm) -> bool {
    let moved = |r: &&v1::ActionRecord| matches!(r.action.as_str(), "isolate" | "restore" | "delete");
    alarm
        .timeline
        .iter()
        .rev()
        .find(moved)
        .is_some_and(|r| r.action == "restore" && matches!(r.outcome.as_str(), "done" | "partial"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_commands_that_exist() {
        use clap::Parser as _;
        let verdict = Some(v1::Verdict { test: true, ..Default::default() });
        let file = Some(v1::FileFacts { package: Some("bash 5.2".into()), ..Default::default() });
        let open = v1::Alarm { id: "x1".into(), verdict, file, ..Default::default() };
        let restored = v1::Alarm {
            isolated: Some("i1".into()),
            file: Some(v1::FileFacts { sha256: vec![1; 32], ..Default::default() }),
            timeline: vec![v1::ActionRecord {
                action: "restore".into(),
                outcome: "done".into(),
                ..Default::default()
            }],
            ..open.clone()
        };
        assert!(recommendation(&restored).iter().any(|l| l.contains("exception remove")));
        let entry = |state: &str, only_shown: &str| v1::PersistenceEntry {
            state: state.into(),
            only_shown: only_shown.into(),
            ..Default::default()
        };
        let returning = v1::Alarm {
            isolated: Some("i1".into()),
            persistence: Some(v1::Persistence {
                entries: vec![entry("active", ""), entry("active", "x"), entry("disabled", "")],
                ..Default::default()
            }),
            ..open.clone()
        };
        assert_eq!(
            recommendation(&returning).iter().filter(|l| l.contains("lazaret persistence")).count(),
            2
        );
        let states = [
            returning,
            open.clone(),
            v1::Alarm { rating: "high".into(), ..open.clone() },
            v1::Alarm { decision: "deny".into(), ..open.clone() },
            v1::Alarm { decision: "isolate_and_kill".into(), ..open.clone() },
            v1::Alarm { isolated: Some("i1".into()), ..open.clone() },
            v1::Alarm { window_until_ms: Some(1), ..open.clone() },
            restored,
            v1::Alarm { handled_by: "ignore".into(), ..open.clone() },
            v1::Alarm { verdict: None, ..open },
        ];
        for alarm in states {
            let lines = recommendation(&alarm);
            let commands: Vec<_> = lines.iter().filter_map(|l| l.split_once("lazaret ")).collect();
            assert!(!commands.is_empty(), "{lines:?}");
            for (_, words) in commands {
                let words = std::iter::once("lazaret").chain(words.split(' '));
                crate::cli::Cli::try_parse_from(words).unwrap();
            }
        }
    }
}
