// SPDX-License-Identifier: Apache-2.0
//! The process chain as a tree, oldest first.

use super::digest;
use crate::output::{Look, Paint};
use crate::{escape, time};
use lazaret_proto::v1;

/// Longest command line that is shown, characters; `--json` has the whole.
const CMDLINE: usize = 160;

/// The chain as the alarm keeps it: the acting process first, then its ancestors.
pub(super) fn tree(look: Look, chain: &[v1::ProcessFacts]) -> String {
    let mut out = String::new();
    for (depth, process) in chain.iter().rev().enumerate() {
        let pid = process.process.as_ref().map_or(0, |p| p.pid);
        let acting = depth + 1 == chain.len();
        // Deep chains stay readable: from the tenth ancestor on the indent no longer grows.
        let indent = "   ".repeat(depth.saturating_sub(1).min(10));
        let (branch, below) = if depth == 0 { ("", "") } else { ("└─ ", "   ") };
        let name = process.exe.rsplit(|b| *b == b'/').next().unwrap_or_default();
        let name = if name.is_empty() { "(no executable)".to_owned() } else { escape::name(name) };
        let name = look.paint(if acting { Paint::Bold } else { Paint::Plain }, &name);
        out.push_str(&format!(
            "  {indent}{branch}{name} (pid {pid})  {}\n",
            cut(escape::cmdline(&process.cmdline))
        ));
        for fact in facts(process, acting) {
            let line = format!("  {indent}{below}   {fact}");
            out.push_str(&look.paint(Paint::Dim, &line));
            out.push('\n');
        }
    }
    out
}

fn cut(mut text: String) -> String {
    if let Some((at, _)) = text.char_indices().nth(CMDLINE) {
        text.truncate(at);
        text.push_str("...");
    }
    text
}

fn facts(process: &v1::ProcessFacts, acting: bool) -> Vec<String> {
    let user = if process.uid == process.euid {
        format!("uid {}", process.uid)
    } else {
        format!("uid {} acting as {}", process.uid, process.euid)
    };
    let mut first = format!("{user}, gid {}, since {}", process.gid, time::short(process.started_ms));
    if let Some(unit) = &process.unit {
        first.push_str(&format!(", unit {}", escape::text(unit)));
    }
    if let Some(container) = &process.container {
        first.push_str(&format!(", container {}", escape::text(container)));
    }
    let mut out = vec![first];
    if !process.exe.is_empty() {
        let hash = digest(&process.sha256).map(|d| format!(", sha256 {d}")).unwrap_or_default();
        out.push(format!("{}{hash}", escape::name(&process.exe)));
    }
    if acting {
        out.push("this process acted on the file".to_owned());
    }
    out
}
