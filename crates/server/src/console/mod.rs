// SPDX-License-Identifier: Apache-2.0
//! The web console for browsers, under `/ui/` (docs/server.md, "The console"). What it consists of is handed in by
//! the program; who is signed in is the API's affair.

mod negotiate;
mod page;

use crate::api::health::no_path;
use crate::api::problem::Problem;
use crate::api::state::Api;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The page from which a browser fetches all others.
const INDEX: &str = "index.html";
/// Where everything lies that is fetched by name: what is missing there is missing.
const ASSETS: &str = "assets/";

/// A file of the console.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Below `/ui/`, without a slash at its beginning.
    pub path: &'static str,
    /// For browsers.
    pub content_type: &'static str,
    /// As it is.
    pub plain: &'static [u8],
    /// Compressed, where that is shorter.
    pub gzip: Option<&'static [u8]>,
    /// Changes with the content: letters and digits.
    pub tag: &'static str,
    /// Its name changes with its content: kept without asking again.
    pub forever: bool,
}

/// A whole console, or none; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Console {
    assets: Arc<BTreeMap<&'static str, Asset>>,
    /// The page, and what in it is replaced by each answer's number.
    index: Option<(&'static str, &'static str)>,
}

impl Console {
    /// Of these files; `nonce` stands in `index.html` where each answer has a number of its own. Without an
    /// `index.html` it is none.
    #[must_use]
    pub fn new(files: impl IntoIterator<Item = Asset>, nonce: &'static str) -> Self {
        let mut assets: BTreeMap<&'static str, Asset> = files.into_iter().map(|a| (a.path, a)).collect();
        let index = assets.remove(INDEX).and_then(|a| std::str::from_utf8(a.plain).ok());
        match index {
            Some(text) => Self { assets: Arc::new(assets), index: Some((text, nonce)) },
            None => Self::default(),
        }
    }
}

/// Everything that is not the API's.
pub(crate) fn router() -> Router<Api> {
    let home = || get(async || Redirect::temporary("/ui/"));
    Router::new()
        .route("/", home())
        .route("/ui", home())
        .route("/ui/", get(show))
        .route("/ui/{*path}", get(show))
}

/// A file, or the page: what path a page has in the browser is known there only.
async fn show(State(api): State<Api>, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    let path = uri.path().strip_prefix("/ui/").unwrap_or_default();
    match api.console.assets.get(path) {
        Some(asset) => Ok(asset.answer(&headers)),
        None if path.starts_with(ASSETS) => {
            Err(no_path("a page of another version of the console may want it: load the page anew"))
        }
        None => page::answer(api.console.index),
    }
}

impl Asset {
    fn answer(&self, asked: &HeaderMap) -> Response {
        let packed = self.gzip.filter(|_| negotiate::takes_gzip(asked));
        // Two forms, two tags.
        let tag = format!("\"{}{}\"", self.tag, if packed.is_some() { "-gz" } else { "" });
        let mut response = if negotiate::has_seen(asked, &tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let mut response = Response::new(Body::from(packed.unwrap_or(self.plain)));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
            if packed.is_some() {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            response
        };
        let headers = response.headers_mut();
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        let keep = if self.forever { "public, max-age=31536000, immutable" } else { "no-cache" };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
        if self.gzip.is_some() {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        response
    }
}
