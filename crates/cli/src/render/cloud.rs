// SPDX-License-Identifier: Apache-2.0
//! Malware Cloud Scan: what leaves this host, what was sent, what came back.

use super::{count, digest, field, kind_of_malware, size};
use crate::output::{Look, Paint, lines};
use crate::{escape, time};
use lazaret_proto::v1;

/// Characters of a digest in a table; `--json` has the whole.
const DIGITS: usize = 16;
/// Places of one content that are shown.
const PLACES: usize = 3;

/// In one line, for the page of the host.
pub(super) fn cloud_line(look: Look, s: &v1::CloudStatus) -> String {
    let mut out = leaves(look, s);
    if s.hashes {
        let hashes = if s.verdicts == 1 { "hash" } else { "hashes" };
        out.push_str(&format!("; {} bad {hashes} known", s.verdicts));
    }
    if s.samples_waiting > 0 {
        out.push_str(&format!(", {} waiting", count(s.samples_waiting, "sample")));
    }
    out.push_str("   (lazaret cloud status)");
    out
}

fn leaves(look: Look, s: &v1::CloudStatus) -> String {
    match (s.hashes, s.samples) {
        (false, _) => look.paint(Paint::Dim, "OFF: nothing leaves this host"),
        (true, false) => format!("{}: hashes leave this host, no samples", look.paint(Paint::Green, "ON")),
        (true, true) => format!(
            "{}: hashes leave this host, and unknown programs of up to {}",
            look.paint(Paint::Green, "ON"),
            size(s.max_sample_bytes)
        ),
    }
}

/// The whole page.
pub(crate) fn cloud(look: Look, s: &v1::CloudStatus) -> String {
    let mut out = field("Cloud scan", &leaves(look, s));
    let consent = match (s.consent_hashes, s.consent_samples) {
        (false, _) => "nothing",
        (true, false) => "hashes",
        (true, true) => "hashes and samples",
    };
    out.push_str(&field("Consented to", &format!("{consent}, for the project of this host, at its server")));
    for (i, limit) in s.limits.iter().enumerate() {
        let text = look.paint(Paint::Yellow, &escape::text(limit));
        out.push_str(&field(if i == 0 { "Less, because" } else { "" }, &text));
    }
    if s.samples {
        let kinds: Vec<String> = s.kinds.iter().map(|k| format!("{}s", escape::text(k))).collect();
        let kinds = if kinds.is_empty() { "nothing".to_owned() } else { kinds.join(" and ") };
        let speed = match s.bytes_per_second {
            0 => String::new(),
            n => format!(", at most {} a second", size(n)),
        };
        out.push_str(&field("Samples", &format!("{kinds} of up to {}{speed}", size(s.max_sample_bytes))));
        for (i, folder) in s.exclude.iter().enumerate() {
            out.push_str(&field(if i == 0 { "None from" } else { "" }, &escape::name(folder)));
        }
    }
    if s.hashes {
        let else_ = if s.fail_closed {
            look.paint(Paint::Yellow, "then what no package owns does not run")
        } else {
            "then it runs".to_owned()
        };
        out.push_str(&field("Waits", &format!("{} ms for an answer, {else_}", s.wait_ms)));
    }
    out.push_str(&field(
        "Programs",
        &format!("{} in the inventory, {} of them to be told", s.programs, s.programs_unsent),
    ));
    out.push_str(&field("Questions", &format!("{} open", s.open_questions)));
    out.push_str(&field(
        "Verdicts",
        &format!("{} of the server hold   (lazaret cloud verdicts)", count(s.verdicts, "verdict")),
    ));
    let waiting = format!("{} waiting", count(s.samples_waiting, "sample"));
    let under_way = s.sample.as_ref().map_or_else(String::new, |sample| {
        format!("\n{}: {} of {} sent", escape::name(&sample.path), size(sample.have), size(sample.size))
    });
    out.push_str(&field("Queue", &format!("{waiting}{under_way}")));
    out.push_str(&field(
        "Sent",
        &format!(
            "in 30 days the hashes of {}, {} with {}   (lazaret cloud sent)",
            count(s.sent_hashes, "file"),
            count(s.sent_samples, "sample"),
            size(s.sent_bytes)
        ),
    ));
    out
}

/// That there is more than what is shown.
fn cut(shown: usize, limit: u32) -> String {
    if limit > 0 && shown >= limit as usize {
        format!("\nThe newest {limit}; --limit 0 shows all.\n")
    } else {
        String::new()
    }
}

fn short_digest(bytes: &[u8]) -> String {
    digest(bytes).map_or_else(|| "-".to_owned(), |d| d.chars().take(DIGITS).collect())
}

/// What was sent.
pub(crate) fn cloud_sent(look: Look, rows: &[v1::CloudSent], limit: u32) -> String {
    if rows.is_empty() {
        return "Nothing was sent.\n".into();
    }
    let mut table = look.table(["Last", "What", "SHA-256", "Bytes", "Times", "File", "To"]);
    for r in rows {
        let sample = r.what == "sample";
        table.add_row([
            look.cell(Paint::Plain, &time::short(r.last_ms)),
            look.cell(if sample { Paint::Yellow } else { Paint::Plain }, &escape::text(&r.what)),
            look.cell(Paint::Plain, &short_digest(&r.sha256)),
            look.cell(Paint::Plain, &if sample { size(r.bytes) } else { "-".to_owned() }),
            look.cell(Paint::Plain, &r.times.to_string()),
            look.cell(Paint::Plain, &escape::name(&r.path)),
            look.cell(Paint::Plain, &escape::text(&r.server)),
        ]);
    }
    format!("{}{}", lines(&table), cut(rows.len(), limit))
}

/// What the server holds for bad.
pub(crate) fn cloud_verdicts(look: Look, rows: &[v1::CloudVerdict], limit: u32) -> String {
    if rows.is_empty() {
        return "The server has told this host of no verdict.\n".into();
    }
    let mut table = look.table(["Since", "Malware", "Conf", "By", "Here", "SHA-256", "Places"]);
    for r in rows {
        let verdict = r.verdict.clone().unwrap_or_default();
        let mut places: Vec<String> = r.paths.iter().take(PLACES).map(|p| escape::name(p)).collect();
        if r.paths.len() > PLACES {
            places.push(format!("and {} more", r.paths.len() - PLACES));
        }
        let acts = if r.act { (Paint::Red, "refused, isolated") } else { (Paint::Yellow, "refused") };
        table.add_row([
            look.cell(Paint::Plain, &time::short(r.at_ms)),
            look.cell(Paint::Plain, &kind_of_malware(&verdict.class, &verdict.family)),
            look.cell(Paint::Plain, &verdict.confidence.to_string()),
            look.cell(Paint::Plain, &escape::text(&r.origin)),
            look.cell(acts.0, acts.1),
            look.cell(Paint::Plain, &short_digest(&r.sha256)),
            look.cell(Paint::Plain, &if places.is_empty() { "-".to_owned() } else { places.join(", ") }),
        ]);
    }
    format!("{}{}", lines(&table), cut(rows.len(), limit))
}

#[cfg(test)]
mod tests;
