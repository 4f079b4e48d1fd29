// SPDX-License-Identifier: Apache-2.0
//! Words and numbers that both sides have, each the other's.

use jiff::Timestamp;
use lazaret_model::CLASSES;
use serde_json::Value;
use std::net::IpAddr;

/// HSS's word for one of ours.
pub(crate) fn severity(ours: &str) -> &'static str {
    match ours {
        "critical" => "Critical",
        "high" => "High",
        "medium" => "Medium",
        _ => "Low",
    }
}

/// Asset values; ours have the same words.
pub(crate) const ASSET_VALUES: [(&str, &str); 3] =
    [("important", "important"), ("common", "common"), ("test", "test")];

/// Our classes of an `event_type`; empty: HSS has the number and Lazaret finds nothing of it.
pub(crate) fn classes_of_type(number: i64) -> Vec<&'static str> {
    CLASSES.iter().filter(|r| i64::from(r.hss_event_type) == number).map(|r| r.word).collect()
}

/// Our classes of an `event_class_id`.
pub(crate) fn classes_of_id(id: &str) -> Vec<&'static str> {
    CLASSES.iter().filter(|r| r.hss_event_class_id == id).map(|r| r.word).collect()
}

/// `event_type` of a class of ours.
pub(crate) fn event_type(class: &str) -> Option<u32> {
    CLASSES.iter().find(|r| r.word == class).map(|r| r.hss_event_type)
}

/// Milliseconds as the API writes times.
pub(crate) fn rfc3339(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map(|t| format!("{t:.3}")).unwrap_or_default()
}

/// Milliseconds of a time of the API; null without one.
pub(crate) fn ms(value: &Value) -> Value {
    value
        .as_str()
        .and_then(|t| t.parse::<Timestamp>().ok())
        .map_or(Value::Null, |t| t.as_millisecond().into())
}

/// A field below others: `at(v, "host.name")`; null where there is none.
pub(crate) fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.split('.').try_fold(value, |v, key| v.get(key)).unwrap_or(&Value::Null)
}

/// A text field below others; empty where there is none.
pub(crate) fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path).as_str().unwrap_or_default()
}

/// A text that says something; null else.
pub(crate) fn said(value: &Value) -> Value {
    value.as_str().filter(|t| !t.is_empty()).map_or(Value::Null, Value::from)
}

/// What somebody sent, as far as a message shows it.
pub(crate) fn quoted(text: &str, most: usize) -> String {
    text.chars().take(most).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Characters of a part of a text that the API looks for.
pub(crate) const LONGEST_PART: usize = 200;

/// The beginning of a text, as far as the API looks for it.
pub(crate) fn beginning(text: &str) -> String {
    text.chars().take(LONGEST_PART).collect()
}

/// A SHA-256 in lower case; `None`: it is none.
pub(crate) fn sha256(text: &str) -> Option<String> {
    let good = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    good.then(|| text.to_ascii_lowercase())
}

/// Whether an address is one of those that everybody may give to their own (`private_ip`, else `public_ip`).
pub(crate) fn is_private(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            let shared = first == 100 && (64..128).contains(&second);
            shared || v4.is_private() || v4.is_link_local() || v4.is_loopback()
        }
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_loopback(),
    }
}

/// The first of a host's addresses (a list of texts, or one text) that is private, or that is not; null without one.
pub(crate) fn ip(addresses: &Value, private: bool) -> Value {
    let all = addresses.as_array().map_or(std::slice::from_ref(addresses), Vec::as_slice);
    let fits = |a: &&Value| {
        a.as_str().and_then(|t| t.parse::<IpAddr>().ok()).is_some_and(|ip| is_private(&ip) == private)
    };
    all.iter().find(fits).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_go_there_and_back() {
        assert_eq!(rfc3339(1_709_210_096_789), "2024-02-29T12:34:56.789Z");
        assert_eq!(ms(&json!("2024-02-29T12:34:56.789Z")), json!(1_709_210_096_789_i64));
        assert_eq!(ms(&Value::Null), Value::Null);
    }

    #[test]
    fn classes_by_their_numbers() {
        assert_eq!(classes_of_type(1015), ["webshell"]);
        assert_eq!(classes_of_id("av_1016"), ["miner"]);
        assert_eq!(classes_of_type(3002), [""; 0]);
        assert_eq!(event_type("worm"), Some(1003));
    }

    #[test]
    fn addresses_are_private_or_public() {
        let all = json!(["203.0.113.7", "10.1.2.3", "2001:db8::1", "fd00::1"]);
        assert_eq!((ip(&all, true), ip(&all, false)), (json!("10.1.2.3"), json!("203.0.113.7")));
        assert_eq!(
            (ip(&json!("100.64.0.1"), true), ip(&json!("100.128.0.1"), true)),
            (json!("100.64.0.1"), Value::Null)
        );
        assert_eq!(ip(&Value::Null, false), Value::Null);
    }

    #[test]
    fn texts_as_the_api_takes_them() {
        assert_eq!(beginning(&"\u{e4}".repeat(300)).chars().count(), LONGEST_PART);
        assert_eq!(quoted("a\nbc", 3), "a\u{fffd}b");
        assert_eq!(sha256(&"AB".repeat(32)), Some("ab".repeat(32)));
        assert_eq!((sha256("ab"), sha256(&"zz".repeat(32))), (None, None));
        assert_eq!((said(&json!("x")), said(&json!(""))), (json!("x"), Value::Null));
    }

    #[test]
    fn fields_below_others() {
        let v = json!({ "host": { "name": "a" } });
        assert_eq!(text(&v, "host.name"), "a");
        assert_eq!(text(&v, "host.address"), "");
        assert!(at(&v, "x.y.z").is_null());
    }
}
