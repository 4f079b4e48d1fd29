// SPDX-License-Identifier: Apache-2.0
//! Alarms: the list, and one with all that is known.

use super::confidence::{Scale, confidence};
use super::{count, field, file_facts, kind_of_malware, persistence, process, recommendation, short_id};
use crate::output::{Look, Paint, lines};
use crate::{escape, time};
use lazaret_proto::v1;

/// Newest first, one line each.
pub(crate) fn alarms(look: Look, alarms: &[v1::Alarm]) -> String {
    if alarms.is_empty() {
        return "No alarms.\n".into();
    }
    let mut table = look.table(["Id", "Last seen", "Rating", "Conf", "Malware", "Path", "Decision", "State"]);
    for a in alarms {
        let verdict = a.verdict.as_ref();
        let what = match (verdict, &a.file) {
            (Some(_), Some(f)) => escape::name(&f.path),
            _ => escape::text(&a.title),
        };
        let rating = if a.rating.is_empty() { &a.severity } else { &a.rating };
        let mut malware = verdict.map_or_else(|| "-".into(), |v| kind_of_malware(&v.class, &v.family));
        if verdict.is_some_and(|v| v.test) {
            malware.push_str(" (test)");
        }
        table.add_row([
            look.cell(Paint::Plain, &short_id(&a.id)),
            look.cell(Paint::Plain, &time::short(a.last_ms)),
            look.cell(Paint::of_rating(rating), &escape::text(rating)),
            look.cell(Paint::Plain, &verdict.map_or_else(|| "-".into(), |v| v.confidence.to_string())),
            look.cell(Paint::Plain, &malware),
            look.cell(Paint::Plain, &if a.count > 1 { format!("{what} ({}x)", a.count) } else { what }),
            look.cell(Paint::Plain, &escape::text(&a.decision)),
            look.cell(if a.handled_by.is_empty() { Paint::Bold } else { Paint::Dim }, &state(a)),
        ]);
    }
    let open = alarms.iter().filter(|a| a.handled_by.is_empty()).count() as u64;
    format!(
        "{}\n{}, {open} unhandled. One with everything that is known: lazaret alarms show ID\n",
        lines(&table),
        count(alarms.len() as u64, "alarm")
    )
}

fn state(alarm: &v1::Alarm) -> String {
    if alarm.handled_by.is_empty() { "unhandled".into() } else { escape::text(&alarm.handled_by) }
}

/// One alarm with everything that is known about it.
pub(crate) fn alarm(look: Look, a: &v1::Alarm, status: Option<&v1::Status>) -> String {
    let scale = status.map(Scale::of).unwrap_or_default();
    let severity = look.paint(Paint::of_rating(&a.severity), &escape::text(&a.severity));
    let mut out = format!("{}\n\n", look.paint(Paint::Bold, &escape::text(&a.title)));
    out.push_str(&field("Alarm", &escape::text(&a.id)));
    out.push_str(&field("Severity", &severity));
    let repeats = if a.count > 1 {
        format!(", last {}, {} times", time::rfc3339(a.last_ms), a.count)
    } else {
        String::new()
    };
    out.push_str(&field("Seen", &format!("{}{repeats}", time::rfc3339(a.at_ms))));
    out.push_str(&field("Noticed by", origin(&a.origin)));
    out.push_str(&field("Decision", decision(&a.decision)));
    if let Some(until) = a.window_until_ms {
        let text = format!("until {}; then killed and isolated", time::rfc3339(until));
        out.push_str(&field("Frozen", &look.paint(Paint::Yellow, &text)));
    }
    for (i, reason) in a.reasons.iter().enumerate() {
        out.push_str(&field(if i == 0 { "Why" } else { "" }, &escape::text(reason)));
    }
    if let Some(isolated) = &a.isolated {
        out.push_str(&field("Isolated as", &escape::text(isolated)));
    }
    out.push_str(&field("Handling", &handling(a)));
    if let Some(v) = &a.verdict {
        let test = if v.test { " (harmless test program)" } else { "" };
        out.push('\n');
        out.push_str(&field("Malware", &format!("{}{test}", kind_of_malware(&v.class, &v.family))));
        if let Some(member) = &v.member {
            out.push_str(&field("Archive member", &escape::name(member)));
        }
        out.push_str(&field("File type", &escape::text(&v.file_type)));
        out.push_str(&confidence(look, v, &a.rating, scale));
    }
    if let Some(file) = &a.file {
        out.push('\n');
        out.push_str(&file_facts(file));
    }
    if !a.chain.is_empty() {
        out.push_str("\nProcess chain (oldest first):\n");
        out.push_str(&process::tree(look, &a.chain));
    }
    if !a.timeline.is_empty() {
        out.push_str("\nWhat was done:\n");
        out.push_str(&timeline(look, a));
    }
    out.push_str(&persistence::section(look, a));
    out.push_str("\nWhat to do next:\n");
    for line in recommendation::recommendation(a) {
        out.push_str(&format!("  {line}\n"));
    }
    out
}

/// What a handling made of an alarm: a few lines.
pub(crate) fn alarm_after(look: Look, a: &v1::Alarm) -> String {
    let mut out = format!("{}\n", look.paint(Paint::Bold, &escape::text(&a.title)));
    out.push_str(&field("Alarm", &escape::text(&a.id)));
    out.push_str(&field("Handling", &handling(a)));
    if let Some(isolated) = &a.isolated {
        out.push_str(&field("Isolated as", &escape::text(isolated)));
    }
    if !a.timeline.is_empty() {
        out.push_str(&timeline(look, a));
    }
    out
}

fn handling(a: &v1::Alarm) -> String {
    if a.handled_by.is_empty() {
        return "unhandled".into();
    }
    let remark = if a.remark.is_empty() { String::new() } else { format!(": {}", escape::text(&a.remark)) };
    format!(
        "{} by {} at {}{remark}",
        escape::text(&a.handled_by),
        escape::text(&a.handled_who),
        time::rfc3339(a.handled_ms)
    )
}

/// Each line with its time and how long after the alarm it was.
fn timeline(look: Look, a: &v1::Alarm) -> String {
    let mut table = look.table(["When", "After", "What", "Outcome", "On", "Reason"]);
    for record in &a.timeline {
        table.add_row([
            look.cell(Paint::Plain, &time::clock(record.at_ms)),
            look.cell(Paint::Plain, &format!("{:+} ms", record.at_ms.saturating_sub(a.at_ms))),
            look.cell(Paint::Plain, &escape::text(&record.action)),
            look.cell(Paint::of_outcome(&record.outcome), &escape::text(&record.outcome)),
            look.cell(Paint::Plain, &escape::text(&record.target)),
            look.cell(Paint::Plain, &escape::text(&record.reason)),
        ]);
    }
    lines(&table)
}

fn origin(word: &str) -> &str {
    match word {
        "exec" => "it was about to run",
        "open" => "it was about to be read by something that might run it",
        "written" => "it was closed after writing",
        "moved_in" => "it was moved into a protected place",
        "process" => "a process already ran it",
        "scan" => "a scan found it",
        "manual" => "a person named it",
        "daemon" => "the daemon reports its own state",
        _ => "a sensor that this version of lazaret does not know",
    }
}

fn decision(word: &str) -> &str {
    match word {
        "allow" => "allow: nothing was done",
        "alarm" => "alarm: a person decides",
        "deny" => "deny: running it is refused, the file stays in place",
        "isolate_and_kill" => "isolate and kill: refused, its processes ended, the file moved into the vault",
        _ => "one that this version of lazaret does not know",
    }
}

#[cfg(test)]
mod tests;
