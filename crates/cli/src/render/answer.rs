// SPDX-License-Identifier: Apache-2.0
//! The small answers: receipts, whitelist, events, checks.

use super::short_id;
use crate::output::{Look, Paint, lines};
use crate::{escape, time};
use lazaret_proto::v1;

/// What came back exactly and what could not.
pub(crate) fn receipt(look: Look, r: &v1::Receipt) -> String {
    let outcome = look.paint(Paint::of_outcome(&r.outcome), &escape::text(&r.outcome));
    let reason = if r.reason.is_empty() { String::new() } else { format!(": {}", escape::text(&r.reason)) };
    let mut out =
        format!("Restore of {} to {}: {outcome}{reason}\n", escape::text(&r.id), escape::name(&r.path));
    for a in &r.restarts {
        let outcome = look.paint(Paint::of_outcome(&a.outcome), &escape::text(&a.outcome));
        let reason =
            if a.reason.is_empty() { String::new() } else { format!(": {}", escape::text(&a.reason)) };
        out.push_str(&format!("Start of {}: {outcome}{reason}\n", escape::text(&a.target)));
    }
    if r.lines.is_empty() {
        return out + &next(r);
    }
    let mut table = look.table(["Attribute", "", "Before", "After", "Note"]);
    for l in &r.lines {
        let (paint, word) = match (l.same, l.note.is_empty()) {
            (true, _) => (Paint::Green, "same"),
            (false, false) => (Paint::Yellow, "new"),
            (false, true) => (Paint::Red, "differs"),
        };
        table.add_row([
            look.cell(Paint::Plain, &escape::text(&l.attribute)),
            look.cell(paint, word),
            look.cell(Paint::Plain, &escape::text(&l.before)),
            look.cell(Paint::Plain, &escape::text(&l.after)),
            look.cell(Paint::Plain, &escape::text(&l.note)),
        ]);
    }
    out.push_str(&lines(&table));
    out + &next(r)
}

/// What a person may want to do now.
fn next(r: &v1::Receipt) -> String {
    if r.next.is_empty() { String::new() } else { format!("Next: {}\n", escape::text(&r.next)) }
}

/// The whitelist, one line an entry.
pub(crate) fn whitelist(look: Look, entries: &[v1::WhitelistEntry]) -> String {
    if entries.is_empty() {
        return "The whitelist is empty.\n".into();
    }
    let mut table = look.table(["Id", "Field", "", "Value", "Content", "Hits", "Added", "By", "Description"]);
    for w in entries {
        let content = match (super::digest(&w.sha256), w.any_content) {
            (_, true) => "any".into(),
            (Some(digest), false) => format!("{}...", &digest[..12]),
            (None, false) => "-".to_owned(),
        };
        table.add_row([
            look.cell(Paint::Plain, &short_id(&w.id)),
            look.cell(Paint::Plain, &escape::text(&w.field)),
            look.cell(Paint::Plain, judge(&w.judge)),
            look.cell(Paint::Plain, &escape::name(&w.value)),
            look.cell(if w.any_content { Paint::Yellow } else { Paint::Plain }, &content),
            look.cell(Paint::Plain, &w.hits.to_string()),
            look.cell(Paint::Plain, &time::short(w.added_ms)),
            look.cell(Paint::Plain, &added_by(w)),
            look.cell(Paint::Plain, &description(w)),
        ]);
    }
    lines(&table)
}

fn judge(word: &str) -> &'static str {
    match word {
        "contain" => "contains",
        "not_equal" => "is not",
        "not_contain" => "contains not",
        _ => "is",
    }
}

fn added_by(w: &v1::WhitelistEntry) -> String {
    let by = escape::text(&w.added_by);
    if w.source == "server" { format!("server: {by}") } else { by }
}

fn description(w: &v1::WhitelistEntry) -> String {
    let mut out = escape::text(&w.description);
    if !w.class.is_empty() {
        out.push_str(&format!(" (only {})", escape::text(&w.class)));
    }
    if w.expires_ms > 0 {
        out.push_str(&format!(" (until {})", time::short(w.expires_ms)));
    }
    out
}

/// One line of the event stream.
pub(crate) fn event(look: Look, e: &v1::Event) -> String {
    let alarm = if e.alarm.is_empty() { String::new() } else { format!("  [alarm {}]", short_id(&e.alarm)) };
    let paint = if e.kind == "alarm" { Paint::Yellow } else { Paint::Plain };
    let kind = look.paint(paint, &format!("{:<8}", escape::text(&e.kind)));
    format!("{}  {kind} {}{alarm}\n", time::rfc3339(e.at_ms), escape::text(&e.text))
}

/// Whether isolated files are whole.
pub(crate) fn verifications(look: Look, results: &[v1::VerifyResult]) -> String {
    if results.is_empty() {
        return "No isolated files to verify.\n".into();
    }
    let mut out = String::new();
    for r in results {
        let word = match r.finding.as_str() {
            _ if r.ok => look.paint(Paint::Green, "ok"),
            "" | "corrupt" => look.paint(Paint::Red, "DAMAGED"),
            finding => look.paint(Paint::Red, &escape::text(finding).replace('_', " ").to_uppercase()),
        };
        let reason =
            if r.reason.is_empty() { String::new() } else { format!("  {}", escape::text(&r.reason)) };
        out.push_str(&format!("{}  {word}{reason}\n", escape::text(&r.id)));
    }
    let bad = results.iter().filter(|r| !r.ok).count();
    out.push_str(&format!(
        "{} verified, {bad} not whole.\n",
        super::count(results.len() as u64, "isolated file")
    ));
    out
}
