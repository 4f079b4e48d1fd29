// SPDX-License-Identifier: Apache-2.0
//! `index.html`, each time with a number that nobody knows before, and with what a browser may do in it.

use crate::api::problem::{Kind, Problem};
use crate::people::secret;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// What a server without a console says.
const NONE: &str = include_str!("none.html");

/// What the console has no use for.
const NOTHING: &str = "accelerometer=(), bluetooth=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
                       hid=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()";

/// The page, or the one that says that there is none.
pub(super) fn answer(index: Option<(&str, &str)>) -> Result<Response, Problem> {
    let Some((text, place)) = index else {
        return html(StatusCode::NOT_FOUND, NONE.to_owned(), "default-src 'none'; frame-ancestors 'none'");
    };
    let nonce = secret::random()?;
    html(StatusCode::OK, text.replace(place, &nonce), &policy(&nonce))
}

/// Everything comes from here. Styles that scripts make carry the number; nothing else is taken.
fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}

fn html(status: StatusCode, text: String, policy: &str) -> Result<Response, Problem> {
    let mut response = (status, text).into_response();
    let headers = response.headers_mut();
    let policy = HeaderValue::from_str(policy)
        .map_err(|e| Problem::new(Kind::Internal, format!("the console's policy is no header: {e}")))?;
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        // The next answer has another number.
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), NOTHING),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}
