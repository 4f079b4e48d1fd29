// SPDX-License-Identifier: Apache-2.0
//! An event as ArcSight's Common Event Format, revision 25 (`CEF:0`): made of the OCSF event, so that both say
//! the same.

use serde_json::Value;
use std::fmt::Write as _;

/// A field of the head.
fn head(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '|' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// The value of an extension.
fn value(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '=' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// What CEF counts from 0 to 10.
const fn severity(id: u64) -> u8 {
    match id {
        0 | 1 => 1,
        2 => 3,
        3 => 5,
        4 => 8,
        _ => 10,
    }
}

/// Extensions: their key, and where the event has the value.
const FIELDS: [(&str, &str); 16] = [
    ("rt", "/time"),
    ("externalId", "/metadata/uid"),
    ("msg", "/message"),
    ("outcome", "/status"),
    ("reason", "/status_detail"),
    ("act", "/activity_name"),
    ("cat", "/malware/0/classifications/0"),
    ("fname", "/file/name"),
    ("filePath", "/file/path"),
    ("fileHash", "/file/hashes/0/value"),
    ("sproc", "/process/path"),
    ("spid", "/process/pid"),
    ("cs1", "/metadata/correlation_uid"),
    ("cs2", "/command_uid"),
    ("cs3", "/metadata/tenant_uid"),
    ("cs4", "/malware/0/name"),
];

const LABELS: [(&str, &str); 4] = [
    ("cs1", "lazaretAlarm"),
    ("cs2", "lazaretCommand"),
    ("cs3", "lazaretProject"),
    ("cs4", "lazaretMalware"),
];

/// One line.
pub(crate) fn line(event: &Value) -> String {
    let text = |pointer: &str| match event.pointer(pointer) {
        Some(Value::String(s)) => s.clone(),
        Some(Value::Number(n)) => n.to_string(),
        _ => String::new(),
    };
    let id = event["severity_id"].as_u64().unwrap_or(0);
    let mut out = format!(
        "CEF:0|Lazaret|Lazaret|{}|{}|{}|{}|",
        head(&text("/metadata/product/version")),
        head(&text("/type_uid")),
        head(&text("/type_name")),
        severity(id)
    );
    let mut put = |key: &str, text: &str| {
        if !text.is_empty() {
            let gap = if out.ends_with('|') { "" } else { " " };
            let _ = write!(out, "{gap}{key}={}", value(text));
        }
    };
    // A finding has its file and its host a level deeper.
    for (key, pointer) in FIELDS {
        let mut found = text(pointer);
        if found.is_empty() && (pointer.starts_with("/file") || pointer.starts_with("/process")) {
            found = text(&format!("/evidences/0{pointer}"));
        }
        if let Some((_, label)) = LABELS.iter().find(|(k, _)| *k == key)
            && !found.is_empty()
        {
            put(&format!("{key}Label"), label);
        }
        put(key, &found);
    }
    for (key, field) in [("dvchost", "hostname"), ("deviceExternalId", "uid"), ("dvc", "ip")] {
        let direct = text(&format!("/device/{field}"));
        let deeper = text(&format!("/evidences/0/device/{field}"));
        let found = if direct.is_empty() { deeper } else { direct };
        // `dvc` takes IPv4 addresses only.
        if key == "dvc" && found.contains(':') {
            put("c6a1Label", "Device IPv6 Address");
            put("c6a1", &found);
        } else {
            put(key, &found);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_in_values_are_escaped() {
        let event = serde_json::json!({
            "severity_id": 4, "type_uid": 200_401, "type_name": "Detection|Finding\\x", "time": 5,
            "message": "a=b\nCEF:0|evil|", "metadata": { "product": { "version": "1" }, "correlation_uid": "al" },
            "evidences": [{ "file": { "path": "/tmp/a=b" }, "device": { "ip": "2001:db8::1", "hostname": "w" } }],
        });
        let text = line(&event);
        assert!(!text.contains('\n'));
        assert!(
            text.starts_with("CEF:0|Lazaret|Lazaret|1|200401|Detection\\|Finding\\\\x|8|rt=5 "),
            "{text}"
        );
        assert!(text.contains("msg=a\\=b\\nCEF:0|evil|") && text.contains("filePath=/tmp/a\\=b"), "{text}");
        assert!(text.contains("cs1Label=lazaretAlarm cs1=al") && text.contains("dvchost=w"), "{text}");
        assert!(text.contains("c6a1=2001:db8::1") && !text.contains("dvc=2001"), "{text}");
    }
}
