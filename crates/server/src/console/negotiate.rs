// SPDX-License-Identifier: Apache-2.0
//! What a browser says that it can read, and that it has already (RFC 9110, sections 12.5.3 and 13.1.2).

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_ENCODING, HeaderName, IF_NONE_MATCH};

/// The parts of a list, over all headers of that name. No element of these two has a comma inside: our own tags
/// are letters and digits.
fn parts<'a>(headers: &'a HeaderMap, name: &'a HeaderName) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(',')).map(str::trim)
}

/// Whether it takes gzip: named with a weight that is not 0, or not named and everything is taken.
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    let mut all = false;
    for part in parts(headers, &ACCEPT_ENCODING) {
        let (name, more) = part.split_once(';').unwrap_or((part, ""));
        let weight = more.split(';').find_map(|m| {
            let (key, value) = m.split_once('=')?;
            key.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse::<f32>().unwrap_or(0.0))
        });
        let wanted = weight.is_none_or(|w| w > 0.0);
        if name.trim().eq_ignore_ascii_case("gzip") {
            return wanted;
        }
        all |= wanted && name.trim() == "*";
    }
    all
}

/// Whether it has what this tag names.
pub(super) fn has_seen(headers: &HeaderMap, tag: &str) -> bool {
    parts(headers, &IF_NONE_MATCH).any(|p| p == "*" || p.strip_prefix("W/").unwrap_or(p) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn with(name: &HeaderName, values: &[&'static str]) -> HeaderMap {
        values.iter().map(|v| (name.clone(), HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn encodings() {
        for (values, takes) in [
            (&[][..], false),
            (&["gzip, deflate, br"], true),
            (&["br", "GZIP;q=0.5"], true),
            (&["gzip;q=0, *"], false),
            (&["gzip; q=0.0"], false),
            (&["gzip;q=many"], false),
            (&["*"], true),
            (&["*;q=0"], false),
            (&["identity, br"], false),
        ] {
            assert_eq!(takes_gzip(&with(&ACCEPT_ENCODING, values)), takes, "{values:?}");
        }
    }

    #[test]
    fn tags() {
        for (values, seen) in [
            (&[][..], false),
            (&["\"abc\""], true),
            (&["\"x\", W/\"abc\""], true),
            (&["\"x\"", "\"abc\""], true),
            (&["*"], true),
            (&["\"abcd\""], false),
            (&["abc"], false),
        ] {
            assert_eq!(has_seen(&with(&IF_NONE_MATCH, values), "\"abc\""), seen, "{values:?}");
        }
    }
}
