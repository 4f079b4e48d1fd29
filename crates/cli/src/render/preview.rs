// SPDX-License-Identifier: Apache-2.0
//! What an isolation would touch, and which rules are disarmed.

use super::{count, field, file_facts, kind_of_malware, size};
use crate::output::{Look, Paint, lines};
use crate::{escape, time};
use lazaret_proto::v1;

/// Longest command line that is shown, characters; `--json` has the whole.
const CMDLINE: usize = 60;

/// The whole preview.
pub(crate) fn preview(look: Look, p: &v1::Preview) -> String {
    let (paint, what) = match p.would.as_str() {
        "isolate" => (Paint::Green, "would be isolated"),
        "leave_in_place" => (Paint::Yellow, "would be denied, but not all of it could be moved away"),
        _ => (Paint::Red, "would be refused"),
    };
    let mut out = format!("{}: {}. Nothing was changed.\n\n", escape::name(&p.path), look.paint(paint, what));
    for (i, guard) in p.refused_by.iter().enumerate() {
        out.push_str(&field(if i == 0 { "Held back by" } else { "" }, &escape::text(guard)));
    }
    if let Some(v) = &p.verdict {
        let rating = if p.rating.is_empty() {
            "nothing speaks for malware".to_owned()
        } else {
            let rating = look.paint(Paint::of_rating(&p.rating), &escape::text(&p.rating));
            format!("{}, {rating} (confidence {})", kind_of_malware(&v.class, &v.family), v.confidence)
        };
        out.push_str(&field("Verdict", &rating));
    }
    if let Some(file) = &p.file {
        out.push_str(&file_facts(file));
    }
    for (label, text) in
        [("Package says", &p.package_standing), ("Critical", &p.critical), ("Carries", &p.carrier)]
    {
        if !text.is_empty() {
            out.push_str(&field(label, &escape::text(text)));
        }
    }
    for (i, name) in p.names.iter().enumerate() {
        out.push_str(&field(if i == 0 { "Names that go" } else { "" }, &escape::name(name)));
    }
    if p.names_missing > 0 {
        let missing = count(p.names_missing, "further name");
        out.push_str(&field("", &look.paint(Paint::Yellow, &format!("{missing} not found"))));
    }
    if let Some(v) = &p.vault {
        let room = format!("{} of {} used", size(v.used_bytes), size(v.total_bytes));
        let room = if v.fits { room } else { look.paint(Paint::Red, &escape::text(&v.reason)) };
        out.push_str(&field("Vault", &room));
    }
    out.push_str(&processes(look, p));
    for (i, unit) in p.units.iter().enumerate() {
        out.push_str(&field(if i == 0 { "Units" } else { "" }, &escape::text(unit)));
    }
    for (i, entry) in p.persistence.iter().enumerate() {
        out.push_str(&field(if i == 0 { "Brought back by" } else { "" }, &escape::text(entry)));
    }
    for (i, reader) in p.readers.iter().enumerate() {
        let pid = reader.process.as_ref().map_or(0, |r| r.pid);
        let text = format!("{pid} {} only reads it: left alone", escape::name(&reader.exe));
        out.push_str(&field(if i == 0 { "Readers" } else { "" }, &text));
    }
    out
}

fn processes(look: Look, p: &v1::Preview) -> String {
    if p.processes.is_empty() {
        return "\nNothing runs it: no process would be killed.\n\n".to_owned();
    }
    let mut table =
        look.table(["Pid", "Fate", "User", "Program", "Arguments", "Unit", "Listens on", "Because it"]);
    for entry in &p.processes {
        let Some(facts) = &entry.process else { continue };
        let pid = facts.process.as_ref().map_or(0, |r| r.pid);
        let user = if entry.user.is_empty() { facts.uid.to_string() } else { escape::text(&entry.user) };
        let (paint, fate) = if entry.kept_by.is_empty() {
            (Paint::Red, "killed".to_owned())
        } else {
            (Paint::Yellow, format!("kept: {}", escape::text(&entry.kept_by)))
        };
        let place = facts.container.as_ref().map(|c| format!("container {c}")).or_else(|| facts.unit.clone());
        let ports: Vec<String> = entry
            .listening
            .iter()
            .map(|l| {
                let address =
                    if l.address.contains(':') { format!("[{}]", l.address) } else { l.address.clone() };
                escape::text(&format!("{} {address}:{}", l.protocol, l.port))
            })
            .collect();
        table.add_row([
            look.cell(Paint::Plain, &pid.to_string()),
            look.cell(paint, &fate),
            look.cell(Paint::Plain, &user),
            look.cell(Paint::Plain, &escape::name(&facts.exe)),
            look.cell(Paint::Plain, &cut(escape::cmdline(&facts.cmdline))),
            look.cell(Paint::Plain, &place.map_or_else(|| "-".to_owned(), |p| escape::text(&p))),
            look.cell(Paint::Plain, &if ports.is_empty() { "-".to_owned() } else { ports.join(", ") }),
            look.cell(Paint::Plain, &escape::text(&entry.why)),
        ]);
    }
    format!("\n{}\n", lines(&table))
}

fn cut(mut text: String) -> String {
    if let Some((at, _)) = text.char_indices().nth(CMDLINE) {
        text.truncate(at);
        text.push_str("...");
    }
    text
}

fn why(r: &v1::DisarmedRule) -> String {
    if r.by.is_empty() {
        return r.why.clone();
    }
    format!("disarmed at the server by {}, and armed again there; it only alarms: {}", r.by, r.why)
}

/// Rules that only refuse and report.
pub(crate) fn disarmed(look: Look, rules: &[v1::DisarmedRule]) -> String {
    if rules.is_empty() {
        return "No rule is disarmed.\n".into();
    }
    let mut table = look.table(["Rule", "Since", "Held back", "Why"]);
    for r in rules {
        table.add_row([
            look.cell(Paint::Yellow, &escape::text(&r.rule)),
            look.cell(Paint::Plain, &time::short(r.since_ms)),
            look.cell(Paint::Plain, &r.hits.to_string()),
            look.cell(Paint::Plain, &escape::text(&why(r))),
        ]);
    }
    format!("{}\nThey only refuse and report. When one is right: lazaret rules rearm RULE\n", lines(&table))
}

#[cfg(test)]
mod tests;
