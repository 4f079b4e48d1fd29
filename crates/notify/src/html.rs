// SPDX-License-Identifier: Apache-2.0
//! A message as HTML: no script, no style sheet, no picture, nothing that is loaded, and no text of a host
//! that is markup.

use crate::message::Message;
use std::fmt::Write as _;

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// The whole page.
pub(crate) fn page(m: &Message) -> String {
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title></head><body>\n<h2>{0}</h2>\n",
        escaped(&m.title)
    );
    if m.kind == "test" {
        out.push_str("<p>Somebody pressed the test button. Alarms will come here.</p>\n");
    } else if m.kind != "alarm" {
        out.push_str("<p>By class:</p><ul>");
        for (class, n) in &m.classes {
            let _ = write!(out, "<li>{}: {n}</li>", escaped(class));
        }
        out.push_str("</ul>\n");
    }
    for item in &m.alarms {
        let (severity, title, host) =
            (escaped(&item.severity), escaped(&item.title), escaped(&item.host_name));
        let _ = write!(out, "<h3>[{severity}] {title} on {host}</h3>\n<table>");
        for (name, value) in item.facts() {
            let value = escaped(value);
            // Only the server's own console is a link.
            if name == "Link" {
                let _ = write!(
                    out,
                    "<tr><th align=\"left\">{name}</th><td><a href=\"{value}\">{value}</a></td></tr>"
                );
            } else {
                let _ = write!(out, "<tr><th align=\"left\">{name}</th><td><code>{value}</code></td></tr>");
            }
        }
        out.push_str("</table>\n");
    }
    if let Some(more) = m.more() {
        let _ = writeln!(out, "<p>{more}</p>");
    }
    out.push_str("</body></html>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_host_wrote_is_no_markup() {
        let html = page(&crate::message::tests::hostile());
        let lower = html.to_lowercase();
        for tag in ["<script", "<img", "<b>"] {
            assert!(!lower.contains(tag), "{tag}: {html}");
        }
        assert!(html.contains("&lt;script&gt;") && html.contains("&quot;&gt;&lt;img"), "{html}");
        assert!(html.contains("&amp;amp;"), "{html}");
    }
}
