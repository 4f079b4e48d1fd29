// SPDX-License-Identifier: Apache-2.0
//! One message to people, before it is a mail or a web hook. What hosts wrote in it is shown, not done.

use crate::text::{of_bytes, severity, shown, time};
use lazaret_store::{AlarmRow, HostRow, NoticeRow};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Alarms that a message lists; the others are counted.
pub(crate) const LISTED: usize = 20;

/// One message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The same for every try of it.
    pub id: String,
    /// `alarm`, `summary`, `digest`, `test`.
    pub kind: String,
    /// Of the target; empty: every project.
    pub project: String,
    /// One line.
    pub title: String,
    /// When it was written, RFC 3339.
    pub at: String,
    /// How many alarms it is about.
    pub total: u64,
    /// By severity.
    pub severities: BTreeMap<String, u64>,
    /// By class; `-` without one.
    pub classes: BTreeMap<String, u64>,
    /// The first of them.
    pub alarms: Vec<Item>,
}

/// One alarm of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Identity.
    pub id: String,
    /// `new`, `raised`, `handled`, `reopened`.
    pub event: String,
    /// First seen, RFC 3339.
    pub at: String,
    /// `low`, `medium`, `high`, `critical`.
    pub severity: String,
    /// Lazaret's word, or empty.
    pub class: String,
    /// For people.
    pub title: String,
    /// Identity.
    pub host: String,
    /// As the host calls itself.
    pub host_name: String,
    /// As text.
    pub path: String,
    /// Lower case hexadecimal, or empty.
    pub sha256: String,
    /// 0 to 100; absent without a verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<i64>,
    /// What policy made of it.
    pub decision: String,
    /// How it was handled, or empty.
    pub handled: String,
    /// By whom, or empty.
    pub handled_by: String,
    /// Where people look it up, or empty.
    pub link: String,
}

impl Item {
    pub(crate) fn new(n: &NoticeRow, a: Option<&AlarmRow>, h: Option<&HostRow>, console: &str) -> Self {
        let mut item = Self {
            id: n.about.clone(),
            event: n.word.clone(),
            at: time(n.at_ms),
            severity: severity(n.severity).to_owned(),
            class: n.class.clone(),
            // An alarm may be gone by the time a message is sent; that it was there is told all the same.
            title: "an alarm that is no longer kept".to_owned(),
            host: n.host.clone(),
            host_name: shown(h.map_or(n.host.as_str(), |h| h.name.as_str()), 100),
            ..Self::default()
        };
        if let Some(a) = a {
            item.title = shown(&a.title, 200);
            item.path = of_bytes(&a.path, 400);
            item.sha256 = crate::text::hex(&a.sha256);
            item.confidence = (a.confidence >= 0).then_some(a.confidence);
            item.decision.clone_from(&a.decision);
            item.handled = shown(&a.handled_by, 64);
            item.handled_by = shown(&a.handled_who, 128);
            if !console.is_empty() {
                item.link = format!("{}/ui/alarms/{}", console.trim_end_matches('/'), a.id);
            }
        }
        item
    }

    fn line(&self) -> String {
        let mut line = format!("[{}] {} on {}", self.severity, self.title, self.host_name);
        match self.event.as_str() {
            "new" => {}
            "raised" => line.push_str(": more severe than before"),
            "handled" => {
                let _ = write!(line, ": handled ({} by {})", self.handled, self.handled_by);
            }
            _ => line.push_str(": open again"),
        }
        line
    }
}

impl Message {
    /// The one line of a message about these.
    pub(crate) fn titled(&mut self) {
        self.title = match (self.kind.as_str(), self.alarms.as_slice()) {
            ("alarm", [one]) => format!("Lazaret: {}", one.line()),
            ("test", _) => "Lazaret: test of this target".to_owned(),
            (kind, _) => {
                let by: Vec<String> = ["critical", "high", "medium", "low"]
                    .iter()
                    .filter_map(|s| self.severities.get(*s).map(|n| format!("{n} {s}")))
                    .collect();
                let day = if kind == "digest" { " of the day" } else { "" };
                let alarms = if self.total == 1 { "alarm" } else { "alarms" };
                format!("Lazaret: {} {alarms}{day} ({})", self.total, by.join(", "))
            }
        };
    }

    /// As plain text.
    pub(crate) fn plain(&self) -> String {
        let mut out = format!("{}\n", self.title);
        if self.kind == "test" {
            out.push_str("\nSomebody pressed the test button. Alarms will come here.\n");
            return out;
        }
        if self.kind != "alarm" {
            let classes: Vec<String> = self.classes.iter().map(|(c, n)| format!("{c}: {n}")).collect();
            let _ = writeln!(out, "\nBy class: {}", classes.join(", "));
        }
        for item in &self.alarms {
            let _ = writeln!(out, "\n{}", item.line());
            for (name, value) in item.facts() {
                let _ = writeln!(out, "  {name}: {value}");
            }
        }
        if let Some(more) = self.more() {
            let _ = writeln!(out, "\n{more}");
        }
        out
    }

    /// How many are not listed.
    pub(crate) fn more(&self) -> Option<String> {
        let more = self.total.saturating_sub(self.alarms.len() as u64);
        (more > 0 && self.kind != "test")
            .then(|| format!("And {more} more; the console and the API list all."))
    }
}

impl Item {
    /// What is known about it, for people.
    pub(crate) fn facts(&self) -> Vec<(&'static str, &str)> {
        [
            ("Class", self.class.as_str()),
            ("Path", &self.path),
            ("SHA-256", &self.sha256),
            ("Decision", &self.decision),
            ("First seen", &self.at),
            ("Host", &self.host),
            ("Alarm", &self.id),
            ("Link", &self.link),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A message about one alarm of a host that is not to be trusted.
    pub(crate) fn hostile() -> Message {
        let n = NoticeRow {
            seq: 1,
            project: "0".into(),
            host: "h".into(),
            kind: "alarm".into(),
            about: "0198c0de-0000-7000-8000-000000000001".into(),
            word: "new".into(),
            at_ms: 1_709_210_096_789,
            noted_ms: 0,
            severity: 2,
            class: "webshell".into(),
            test: false,
            detail: String::new(),
        };
        let mut item = Item::new(&n, None, None, "https://c");
        item.title = shown("Web shell\r\nBcc: evil@example.com\r\n\r\n<script>alert(1)</script>", 200);
        item.host_name = shown("web\"><img src=x onerror=alert(1)>", 100);
        item.path = of_bytes(b"/srv/\xff\n.\r\n<b>&amp;'\x1b[2J", 400);
        let mut m = Message {
            id: "msg_1".into(),
            kind: "alarm".into(),
            total: 1,
            alarms: vec![item],
            ..Message::default()
        };
        m.titled();
        m
    }

    #[test]
    fn plain_text_has_no_line_that_a_host_made() {
        let m = hostile();
        assert!(!m.title.contains(['\r', '\n']), "{}", m.title);
        let text = m.plain();
        assert!(!text.lines().any(|l| l.starts_with("Bcc") || l.starts_with("<")), "{text}");
        assert!(!text.contains('\u{1b}') && text.contains("webshell"), "{text}");
    }

    #[test]
    fn a_flood_says_how_many() {
        let mut m = Message { kind: "summary".into(), total: 950, ..Message::default() };
        m.severities = [("high".into(), 900), ("low".into(), 50)].into();
        m.classes = [("miner".into(), 950)].into();
        m.titled();
        assert_eq!(m.title, "Lazaret: 950 alarms (900 high, 50 low)");
        assert!(m.plain().contains("And 950 more") && m.plain().contains("miner: 950"));
    }
}
