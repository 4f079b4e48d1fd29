// SPDX-License-Identifier: Apache-2.0
//! What a machine fetches that is to become a host: the authority's certificate and a script. Both are
//! public; the script holds the token that the caller sent, and no other secret.

use super::problem::{Kind, Problem};
use super::state::Api;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// A certificate as text.
pub(crate) fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut out = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    out.push_str("-----END CERTIFICATE-----\n");
    out
}

pub(crate) async fn certificate(State(api): State<Api>) -> Response {
    ([(header::CONTENT_TYPE, "application/x-pem-file")], api.certificate.clone()).into_response()
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    token: String,
}

/// Whether it is of the form that we give out: nothing else goes into a script.
fn plain(token: &str) -> bool {
    let rest = token.strip_prefix("lzt_").unwrap_or_default();
    rest.len() == 43 && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

pub(crate) async fn script(State(api): State<Api>, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    if !plain(&asked.token) {
        return Err(Problem::new(Kind::Invalid, "token: as POST /api/v1/enrolment-tokens gave it"));
    }
    let server = api.config.public_gateway();
    let (token, ca) = (&asked.token, &api.authority);
    let text = format!(
        r#"#!/bin/sh
# Installs Lazaret's agent from this machine's own package sources and makes this machine a host.
set -eu
if [ "$(id -u)" -ne 0 ]; then echo "run this as root" >&2; exit 1; fi
if ! command -v lazaretd >/dev/null 2>&1; then
    if command -v apt-get >/dev/null 2>&1; then apt-get install -y lazaret
    elif command -v dnf >/dev/null 2>&1; then dnf install -y lazaret
    elif command -v yum >/dev/null 2>&1; then yum install -y lazaret
    elif command -v zypper >/dev/null 2>&1; then zypper --non-interactive install lazaret
    fi
fi
if ! command -v lazaretd >/dev/null 2>&1; then
    echo "lazaretd is not installed and no package source has it: install the package, then run this again" >&2
    exit 1
fi
lazaretd enroll --server '{server}' --token '{token}' --ca-fingerprint '{ca}'
if command -v systemctl >/dev/null 2>&1; then systemctl enable --now lazaretd; systemctl restart lazaretd; fi
"#
    );
    Ok(([(header::CONTENT_TYPE, "text/x-shellscript; charset=utf-8")], text).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_token_goes_into_the_script() {
        let good = format!("lzt_{}", "a".repeat(43));
        assert!(plain(&good));
        for bad in ["", "lzt_", "lzt_$(reboot)", &format!("{good}'"), &format!("lzt_{}", "'".repeat(43))] {
            assert!(!plain(bad), "{bad}");
        }
    }

    #[test]
    fn a_certificate_comes_back_from_its_text() {
        let der: Vec<u8> = (0..200).collect();
        let text: String = pem(&der).lines().filter(|l| !l.starts_with('-')).collect();
        assert_eq!(STANDARD.decode(text).unwrap(), der);
    }
}
