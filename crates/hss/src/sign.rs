// SPDX-License-Identifier: Apache-2.0
//! `SDK-HMAC-SHA256`: what a client signs, and how it is read (API Request Signing Guide, "Calculating the Signature").

use crate::error::HssError;
use aws_lc_rs::hmac;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

const ALGORITHM: &str = "SDK-HMAC-SHA256";
const DATE: &str = "x-sdk-date";
/// A client's clock may be so far from ours.
const SKEW_MS: i64 = 15 * 60 * 1000;
/// Whoever signs more headers than that signs none that we know.
const MOST_HEADERS: usize = 64;
/// What RFC 3986 calls unreserved stays as it is.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What a request says of its signature.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Signature<'a> {
    /// The AK.
    pub(crate) access: &'a str,
    headers: Vec<&'a str>,
    value: &'a str,
    date: &'a str,
}

/// Hexadecimal digits of these bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

impl<'a> Signature<'a> {
    /// `None`: the request is not signed.
    pub(crate) fn of(headers: &'a HeaderMap) -> Result<Option<Self>, HssError> {
        let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
        let bad = |why: &str| HssError::unauthorized(format!("the header Authorization: {why}"));
        let text = value.to_str().map_err(|_| bad("is not ASCII"))?;
        let Some(rest) = text.strip_prefix(ALGORITHM) else {
            return Err(bad("only SDK-HMAC-SHA256 is taken"));
        };
        let (mut access, mut names, mut signature) = (None, None, None);
        for part in rest.split(',') {
            match part.trim().split_once('=') {
                Some(("Access", v)) => access = Some(v),
                Some(("SignedHeaders", v)) => names = Some(v),
                Some(("Signature", v)) => signature = Some(v),
                _ => return Err(bad("Access, SignedHeaders and Signature are wanted")),
            }
        }
        let (Some(access), Some(names), Some(value)) = (access, names, signature) else {
            return Err(bad("Access, SignedHeaders and Signature are wanted"));
        };
        let names: Vec<&str> = names.split(';').collect();
        if names.len() > MOST_HEADERS || value.len() != 64 || access.len() > 64 {
            return Err(bad("is none of an access key"));
        }
        let date = headers
            .get(DATE)
            .and_then(|v| v.to_str().ok())
            .ok_or_else(|| HssError::unauthorized("the header X-Sdk-Date is missing: 20260102T030405Z"))?;
        // Else it could be moved to another moment, or to another server.
        for must in [DATE, "host"] {
            if !names.contains(&must) {
                return Err(bad(&format!("the header {must} must be signed")));
            }
        }
        Ok(Some(Self { access, headers: names, value, date }))
    }

    /// Whether its moment is now, within a quarter of an hour.
    pub(crate) fn check_date(&self, now_ms: i64) -> Result<(), HssError> {
        let at = DateTime::strptime("%Y%m%dT%H%M%SZ", self.date)
            .ok()
            .and_then(|d| TimeZone::UTC.to_timestamp(d).ok())
            .ok_or_else(|| HssError::unauthorized("the header X-Sdk-Date: such as 20260102T030405Z"))?;
        if (at.as_millisecond() - now_ms).abs() > SKEW_MS {
            return Err(HssError::unauthorized(
                "the signature's time is more than 15 minutes from the server's: set the clock",
            ));
        }
        Ok(())
    }

    /// Whether `secret` has signed this request.
    pub(crate) fn is_of(&self, secret: &[u8], parts: &Parts, body: &[u8]) -> bool {
        // The guide sorts the values of one name as texts. The SDK sorts numbers as numbers, and sends them so.
        let queries = [query(parts.uri.query(), true), query(parts.uri.query(), false)];
        let distinct = if queries[0] == queries[1] { &queries[..1] } else { &queries[..] };
        distinct.iter().any(|query| {
            self.canonical(parts, query, body).is_some_and(|canonical| self.signs(secret, &canonical))
        })
    }

    fn signs(&self, secret: &[u8], canonical: &str) -> bool {
        let digest = hex(&Sha256::digest(canonical.as_bytes()));
        let text = format!("{ALGORITHM}\n{}\n{digest}", self.date);
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let right = hex(hmac::sign(&key, text.as_bytes()).as_ref());
        aws_lc_rs::constant_time::verify_slices_are_equal(right.as_bytes(), self.value.as_bytes()).is_ok()
    }

    /// A name of the signed request, the same whenever it is sent again.
    pub(crate) fn name(&self) -> &str {
        self.value
    }

    fn canonical(&self, parts: &Parts, query: &str, body: &[u8]) -> Option<String> {
        let mut out = format!("{}\n{}\n{query}\n", parts.method, path(parts.uri.path()));
        for name in &self.headers {
            let value = match (*name, parts.headers.get(*name)) {
                (_, Some(value)) => String::from_utf8_lossy(value.as_bytes()).trim().to_owned(),
                // HTTP/2 has the host in the request line.
                ("host", None) => parts.uri.authority()?.to_string(),
                _ => return None,
            };
            let _ = writeln!(out, "{name}:{value}");
        }
        let _ = write!(out, "\n{}\n", self.headers.join(";"));
        // A body is always among what is signed: a header that says otherwise is not believed.
        out.push_str(&hex(&Sha256::digest(body)));
        Some(out)
    }
}

/// Each part anew, with a slash at the end.
fn path(raw: &str) -> String {
    let mut out: String = raw
        .split('/')
        .map(|part| {
            let plain = percent_decode_str(part).collect::<Vec<u8>>();
            percent_encoding::percent_encode(&plain, RESERVED).to_string()
        })
        .collect::<Vec<_>>()
        .join("/");
    if !out.ends_with('/') {
        out.push('/');
    }
    out
}

/// Sorted by name, then by value, or with the values of a name as they were sent; each anew.
fn query(raw: Option<&str>, by_value: bool) -> String {
    let mut pairs: Vec<(String, String)> = pairs(raw.unwrap_or_default());
    if by_value {
        pairs.sort();
    } else {
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
    }
    let one = |(k, v): &(String, String)| {
        format!("{}={}", utf8_percent_encode(k, RESERVED), utf8_percent_encode(v, RESERVED))
    };
    pairs.iter().map(one).collect::<Vec<_>>().join("&")
}

/// What stands behind `?`, decoded.
pub(crate) fn pairs(raw: &str) -> Vec<(String, String)> {
    let plain = |t: &str| percent_decode_str(&t.replace('+', " ")).decode_utf8_lossy().into_owned();
    raw.split('&')
        .filter(|p| !p.is_empty())
        .map(|p| p.split_once('=').unwrap_or((p, "")))
        .map(|(k, v)| (plain(k), plain(v)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn request(signature: &str, date: &str) -> Parts {
        let authorization = format!(
            "SDK-HMAC-SHA256 Access=LZAAAAAAAAAAAAAAAAAA, SignedHeaders=content-type;host;x-sdk-date, Signature={signature}"
        );
        Request::post("/v5/0/event/operate?b=2&a=x%20y&a=%C3%A4")
            .header("host", "127.0.0.1:7080")
            .header("content-type", "application/json")
            .header("x-sdk-date", date)
            .header("authorization", authorization)
            .body(())
            .unwrap()
            .into_parts()
            .0
    }

    // Computed by huaweicloudsdkcore 3.1.219, Signer.sign, with the key "secret" and the body {"a": 1}.
    const DATE: &str = "20261126T120000Z";
    const RIGHT: &str = "7d9db204897029b2b32fbce53fada92d255dba51beffcdf977156c969ccb0e90";

    fn at(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn what_the_sdk_signs_is_right_and_nothing_else() {
        let parts = request(RIGHT, DATE);
        let s = Signature::of(&parts.headers).unwrap().unwrap();
        assert_eq!(s.access, "LZAAAAAAAAAAAAAAAAAA");
        assert!(s.is_of(b"secret", &parts, br#"{"a": 1}"#));
        assert!(!s.is_of(b"another", &parts, br#"{"a": 1}"#));
        assert!(!s.is_of(b"secret", &parts, br#"{"a": 2}"#));
        for changed in
            ["/v5/1/event/operate?b=2&a=x%20y&a=%C3%A4", "/v5/0/event/operate?b=3&a=x%20y&a=%C3%A4"]
        {
            let mut other = request(RIGHT, DATE);
            other.uri = changed.parse().unwrap();
            assert!(!s.is_of(b"secret", &other, br#"{"a": 1}"#), "{changed}");
        }
        let mut other = request(RIGHT, DATE);
        other.headers.insert("host", "elsewhere".parse().unwrap());
        assert!(!s.is_of(b"secret", &other, br#"{"a": 1}"#));
    }

    #[test]
    fn numbers_of_one_name_are_in_the_order_of_numbers() {
        let sent = Some("event_types=1001&event_types=13001&event_types=2001&a=1");
        assert_eq!(query(sent, true), "a=1&event_types=1001&event_types=13001&event_types=2001");
        let sent = Some("event_types=1001&event_types=2001&event_types=13001&a=1");
        assert_eq!(query(sent, true), "a=1&event_types=1001&event_types=13001&event_types=2001");
        assert_eq!(query(sent, false), "a=1&event_types=1001&event_types=2001&event_types=13001");
    }

    #[test]
    fn a_quarter_of_an_hour_and_no_more() {
        let parts = request(RIGHT, DATE);
        let s = Signature::of(&parts.headers).unwrap().unwrap();
        assert!(s.check_date(at("2026-11-26T12:14:59Z")).is_ok());
        assert!(s.check_date(at("2026-11-26T11:45:01Z")).is_ok());
        assert!(s.check_date(at("2026-11-26T12:15:01Z")).is_err());
        assert!(s.check_date(at("2026-11-26T11:44:59Z")).is_err());
        let parts = request(RIGHT, "yesterday");
        assert!(Signature::of(&parts.headers).unwrap().unwrap().check_date(0).is_err());
    }

    #[test]
    fn what_is_no_signature() {
        let none = Request::get("/").body(()).unwrap().into_parts().0;
        assert_eq!(Signature::of(&none.headers).unwrap(), None);
        for bad in [
            "Bearer x",
            "SDK-HMAC-SHA256",
            "SDK-HMAC-SHA256 Access=a",
            "SDK-HMAC-SHA256 Access=a, SignedHeaders=host;x-sdk-date, Signature=short",
            "V11-HMAC-SHA256 Access=a, SignedHeaders=host, Signature=x",
        ] {
            let parts = Request::get("/").header("authorization", bad).header("x-sdk-date", DATE);
            let parts = parts.body(()).unwrap().into_parts().0;
            assert!(Signature::of(&parts.headers).is_err(), "{bad}");
        }
        let unsigned = format!("SDK-HMAC-SHA256 Access=a, SignedHeaders=x-sdk-date, Signature={:064}", 0);
        let parts = Request::get("/").header("authorization", unsigned).header("x-sdk-date", DATE);
        let parts = parts.body(()).unwrap().into_parts().0;
        assert!(Signature::of(&parts.headers).unwrap_err().message().contains("host"));
    }
}
