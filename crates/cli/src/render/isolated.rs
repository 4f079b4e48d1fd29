// SPDX-License-Identifier: Apache-2.0
//! Isolated files: the list, and one with all that is known.

use super::{count, digest, field, file_facts, kind_of_malware, short_id, size};
use crate::output::{Look, Paint, lines};
use crate::{escape, time};
use lazaret_proto::v1;

/// One line each.
pub(crate) fn isolated_list(look: Look, files: &[v1::Isolated]) -> String {
    if files.is_empty() {
        return "No isolated files.\n".into();
    }
    let mut table =
        look.table(["Id", "Isolated", "Status", "Conf", "Malware", "Size", "Path", "Killed", "Reason"]);
    for f in files {
        table.add_row([
            look.cell(Paint::Plain, &short_id(&f.id)),
            look.cell(Paint::Plain, &time::short(f.isolated_ms)),
            look.cell(Paint::of_outcome(&f.status), &escape::text(&f.status)),
            look.cell(Paint::Plain, &f.confidence.to_string()),
            look.cell(Paint::Plain, &kind_of_malware(&f.class, &f.family)),
            look.cell(Paint::Plain, &size(f.size)),
            look.cell(Paint::Plain, &escape::name(&f.path)),
            look.cell(Paint::Plain, &f.killed.len().to_string()),
            look.cell(Paint::Plain, &escape::text(&f.reason)),
        ]);
    }
    let held = files.iter().filter(|f| is_held(&f.status)).count() as u64;
    format!("{}\n{} in the vault.\n", lines(&table), count(held, "file"))
}

/// Whether the vault still holds it, so that it can be restored.
fn is_held(status: &str) -> bool {
    !matches!(status, "restored" | "deleted" | "isolate_failed" | "isolating")
}

/// One isolated file with everything that is known about it.
pub(crate) fn isolated(look: Look, f: &v1::Isolated) -> String {
    let mut out = field("Isolated file", &escape::text(&f.id));
    let reason = if f.reason.is_empty() { String::new() } else { format!(": {}", escape::text(&f.reason)) };
    let status = look.paint(Paint::of_outcome(&f.status), &escape::text(&f.status));
    out.push_str(&field("Status", &format!("{status}{reason}")));
    out.push_str(&field("Since", &time::rfc3339(f.isolated_ms)));
    let malware = kind_of_malware(&f.class, &f.family);
    out.push_str(&field("Malware", &format!("{malware}, confidence {} of 100", f.confidence)));
    if !f.alarm.is_empty() {
        out.push_str(&field("Alarm", &escape::text(&f.alarm)));
    }
    match &f.file {
        Some(facts) => out.push_str(&file_facts(facts)),
        None => {
            out.push_str(&field("File", &escape::name(&f.path)));
            out.push_str(&field("Size", &format!("{} ({} bytes)", size(f.size), f.size)));
            out.push_str(&field("SHA-256", &digest(&f.sha256).unwrap_or_else(|| "not known".into())));
        }
    }
    if f.sharing > 0 {
        let shared = match f.sharing {
            1 => String::new(),
            n => format!(", shared with {} of the same content", count(n - 1, "other")),
        };
        out.push_str(&field("In the vault", &format!("{}{shared}", size(f.stored))));
    }
    for (i, link) in f.links.iter().enumerate() {
        out.push_str(&field(if i == 0 { "Other names" } else { "" }, &escape::name(link)));
    }
    if !f.killed.is_empty() {
        out.push_str("\nProcesses ended with it:\n");
        out.push_str(&processes(look, &f.killed));
    }
    if !f.left_alone.is_empty() {
        out.push_str("\nProcesses left alone:\n");
        out.push_str(&processes(look, &f.left_alone));
    }
    if is_held(&f.status) {
        let id = short_id(&f.id);
        let restart = if f.killed.iter().any(|k| k.unit.is_some()) { " --restart" } else { "" };
        out.push_str(&format!(
            "\nTo put it back:         lazaret isolated restore {id}{restart}\n\
             To destroy it for good: lazaret isolated delete {id}\n"
        ));
    }
    out
}

/// With their services and containers, where there are any.
fn processes(look: Look, all: &[v1::Killed]) -> String {
    let of = |k: &v1::Killed| {
        let container = k.container.as_ref().map(|c| format!("container {}", c.get(..12).unwrap_or(c)));
        k.unit.clone().or(container)
    };
    let with_owner = all.iter().any(|k| of(k).is_some());
    let mut table = if with_owner {
        look.table(["Pid", "Executable", "Command line", "Outcome", "Reason", "Of"])
    } else {
        look.table(["Pid", "Executable", "Command line", "Outcome", "Reason"])
    };
    for k in all {
        let mut row = vec![
            look.cell(Paint::Plain, &k.process.as_ref().map_or(0, |p| p.pid).to_string()),
            look.cell(Paint::Plain, &escape::name(&k.exe)),
            look.cell(Paint::Plain, &escape::cmdline(&k.cmdline)),
            look.cell(Paint::of_outcome(&k.outcome), &escape::text(&k.outcome)),
            look.cell(Paint::Plain, &escape::text(&k.reason)),
        ];
        if with_owner {
            row.push(look.cell(Paint::Plain, &escape::text(&of(k).unwrap_or_default())));
        }
        table.add_row(row);
    }
    lines(&table)
}
