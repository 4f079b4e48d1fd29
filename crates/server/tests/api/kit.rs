// SPDX-License-Identifier: Apache-2.0
//! A server of its own for each test, and a client.

use crate::base::{self, Base, Shared};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use lazaret_server::config::Config;
use lazaret_server::console::Console;
use lazaret_server::init;
use lazaret_server::start::{Role, Running, start_with};
use lazaret_store::{CredentialRow, Store, UserRow};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// What a request is answered with.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// As it came; archives are no text.
    pub(crate) bytes: axum::body::Bytes,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.text))
    }

    /// The body, when the status is the one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// A problem of that kind.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, kind: &str) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let body = self.json();
        assert_eq!(body["type"], format!("urn:lazaret:problem:{kind}"), "{body}");
        assert_eq!(body["status"], status);
        body["detail"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

pub(crate) struct Server {
    running: Option<Running>,
    pub(crate) base: String,
    pub(crate) first_password: String,
    pub(crate) config: Config,
    client: Client<HttpConnector, Body>,
    _folder: TempDir,
    _shared: Option<Arc<Shared>>,
}

/// Lines of `[api]` for tests that ask often.
pub(crate) const LIMITS: &str = "requests_per_minute = 1000000\nrequests_per_minute_address = 1000000";

pub(crate) fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_on(Base::Sqlite).await
    }

    pub(crate) async fn start_on(base: Base) -> Self {
        Self::start_so(base, "", Role::Api).await
    }

    /// With further lines of `[api]`.
    pub(crate) async fn start_with(api: &str, role: Role) -> Self {
        Self::start_so(Base::Sqlite, api, role).await
    }

    /// With further lines of `[api]`, then whole sections.
    pub(crate) async fn start_so(base: Base, api: &str, role: Role) -> Self {
        Self::start_all(base, api, role, Console::default()).await
    }

    /// With a console for browsers.
    pub(crate) async fn start_for_browsers(console: Console) -> Self {
        Self::start_all(Base::Sqlite, "", Role::Api, console).await
    }

    async fn start_all(base: Base, api: &str, role: Role, console: Console) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let (shared, database) = match base {
            Base::Sqlite => (None, String::new()),
            Base::Postgres => {
                let (shared, url) = base::database();
                (Some(shared), format!("database = \"{url}\"\n"))
            }
        };
        let text = format!(
            "[server]\ndata = \"{}\"\n{database}[gateway]\nlisten = \"127.0.0.1:0\"\n[api]\nlisten = \"127.0.0.1:0\"\nplain_http = true\n{}\n",
            data.display(),
            if api.is_empty() { LIMITS } else { api },
        );
        let config = Config::parse(&text).unwrap();
        let made = init::init(&config).await.unwrap();
        let running = start_with(config.clone(), role, console, None).await.unwrap();
        let base = running.api.map(|a| format!("http://{a}")).unwrap_or_default();
        Self {
            running: Some(running),
            base,
            first_password: made.one_time_password.unwrap(),
            config,
            client: Client::builder(TokioExecutor::new()).build_http(),
            _folder: folder,
            _shared: shared,
        }
    }

    pub(crate) fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    pub(crate) fn store(&self) -> &Store {
        self.running().store()
    }

    pub(crate) async fn stop(mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }

    /// A user with these grants, signed in; the token.
    pub(crate) async fn person(&self, name: &str, grants: &[(&str, &str)]) -> String {
        let user = UserRow {
            id: uuid::Uuid::now_v7().to_string(),
            name: name.to_owned(),
            password: "$argon2id$none".to_owned(),
            must_change: false,
            disabled: false,
            failures: 0,
            locked_until_ms: 0,
            created_ms: now_ms(),
            last_ms: 0,
            grants: grants.iter().map(|(p, r)| ((*p).to_owned(), (*r).to_owned())).collect(),
        };
        self.store().create_user(&user).await.unwrap();
        self.session(&user.id, now_ms() + 3_600_000).await
    }

    /// A sign-in of a user that ends then.
    pub(crate) async fn session(&self, user: &str, expires_ms: i64) -> String {
        let token = format!("lzs_{}", uuid::Uuid::now_v7());
        let row = CredentialRow {
            id: uuid::Uuid::now_v7().to_string(),
            user: user.to_owned(),
            kind: "session".to_owned(),
            hash: Sha256::digest(token.as_bytes()).to_vec(),
            note: String::new(),
            created_ms: now_ms(),
            expires_ms,
            last_ms: now_ms(),
            grants: Vec::new(),
            secret: Vec::new(),
            parent: None,
        };
        self.store().create_credential(&row).await.unwrap();
        token
    }

    pub(crate) async fn admin(&self) -> String {
        self.person(&format!("admin-{}", uuid::Uuid::now_v7()), &[("*", "administrator")]).await
    }

    /// Sends whatever it is given.
    pub(crate) async fn raw(&self, request: Request<Body>) -> Reply {
        let response = tokio::time::timeout(Duration::from_secs(30), self.client.request(request))
            .await
            .expect("an answer within 30 s")
            .unwrap();
        let (parts, body) = response.into_parts();
        let live =
            parts.headers.get("content-type").is_some_and(|v| v.as_bytes().starts_with(b"text/event-stream"));
        let bytes =
            if live { Default::default() } else { to_bytes(Body::new(body), 64 << 20).await.unwrap() };
        Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes,
        }
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(value) => {
                request = request.header("content-type", "application/json");
                Body::from(value.to_string())
            }
            None => Body::empty(),
        };
        self.raw(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Reply {
        self.send("GET", path, token, None, &[]).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: Value) -> Reply {
        self.send("POST", path, token, Some(body), &[]).await
    }

    pub(crate) async fn login(&self, user: &str, password: &str) -> Reply {
        self.post("/api/v1/login", "", json!({ "user": user, "password": password })).await
    }
}
