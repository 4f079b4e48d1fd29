// SPDX-License-Identifier: Apache-2.0
//! A provider that says whatever a test wants: true tokens, forged ones, old ones, none.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::task::JoinHandle;

/// A key of the provider's.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) kid: String,
    pub(crate) pkcs8: Vec<u8>,
    /// 4, x and y.
    pub(crate) public: Vec<u8>,
}

impl Key {
    pub(crate) fn new(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self {
            kid: kid.to_owned(),
            pkcs8: pair.to_pkcs8v1().unwrap().as_ref().to_vec(),
            public: pair.public_key().as_ref().to_vec(),
        }
    }

    fn jwk(&self) -> Value {
        let part = |r: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&self.public[r]);
        json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid,
            "x": part(1..33), "y": part(33..65) })
    }

    /// A token that is signed as it should be.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_ec_der(&self.pkcs8)).unwrap()
    }
}

/// What the provider does; a test changes it as it likes.
pub(crate) struct Script {
    pub(crate) keys: Vec<Key>,
    pub(crate) algorithms: Vec<&'static str>,
    pub(crate) id_token: String,
    pub(crate) userinfo: Value,
    /// Of PKCE, as the browser brought it.
    pub(crate) challenge: String,
    pub(crate) redirect: String,
    /// How often keys were asked for.
    pub(crate) keys_asked: usize,
    /// What was wrong with what the server sent for the code.
    pub(crate) faults: Vec<String>,
    /// Named in the configuration in the place of the own issuer.
    pub(crate) other_issuer: Option<String>,
    /// The configuration is answered with this instead.
    pub(crate) garbage: Option<(u16, String)>,
}

#[derive(Clone)]
struct Shared {
    issuer: String,
    script: Arc<Mutex<Script>>,
}

pub(crate) struct Idp {
    shared: Shared,
    task: JoinHandle<()>,
}

impl Drop for Idp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) const CLIENT: &str = "lazaret";
pub(crate) const SECRET: &str = "a:secret/with signs";
const CODE: &str = "the-code";

impl Idp {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shared = Shared {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            script: Arc::new(Mutex::new(Script {
                keys: vec![Key::new("one")],
                algorithms: vec!["ES256"],
                id_token: String::new(),
                userinfo: Value::Null,
                challenge: String::new(),
                redirect: String::new(),
                keys_asked: 0,
                faults: Vec::new(),
                other_issuer: None,
                garbage: None,
            })),
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { shared, task }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.shared.script.lock().unwrap()
    }

    /// The lines of a server's configuration, behind `[api]`.
    pub(crate) fn lines(&self) -> String {
        format!(
            "requests_per_minute = 1000000\nrequests_per_minute_address = 1000000\n\
             [[sign_on.providers]]\nname = \"corp\"\ntitle = \"The corporation\"\nissuer = \"{}\"\n\
             client_id = \"{CLIENT}\"\nclient_secret = \"{SECRET}\"\n\
             roles = [\n{{ group = \"soc\", project = \"*\", role = \"operator\" }},\n\
             {{ group = \"web\", project = \"0\", role = \"administrator\" }},\n\
             {{ group = \"gone\", project = \"no-such-project\", role = \"viewer\" }},\n]\n",
            self.issuer()
        )
    }

    /// Claims that are right, for a sign-in with this nonce.
    pub(crate) fn claims(&self, nonce: &str, groups: &[&str]) -> Value {
        let now = crate::kit::now_ms() / 1000;
        json!({ "iss": self.issuer(), "aud": CLIENT, "sub": "person-1", "nonce": nonce, "iat": now,
            "exp": now + 300, "preferred_username": "Eve.Adams", "groups": groups })
    }
}

async fn configuration(State(s): State<Shared>) -> Response {
    let script = s.script.lock().unwrap();
    if let Some((status, text)) = &script.garbage {
        return (StatusCode::from_u16(*status).unwrap(), text.clone()).into_response();
    }
    let at = &s.issuer;
    Json(json!({
        "issuer": script.other_issuer.as_ref().unwrap_or(at),
        "authorization_endpoint": format!("{at}/authorize"),
        "token_endpoint": format!("{at}/token"),
        "jwks_uri": format!("{at}/keys"),
        "userinfo_endpoint": format!("{at}/userinfo"),
        "end_session_endpoint": format!("{at}/logout"),
        "id_token_signing_alg_values_supported": script.algorithms,
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
    }))
    .into_response()
}

async fn keys(State(s): State<Shared>) -> Json<Value> {
    let mut script = s.script.lock().unwrap();
    script.keys_asked += 1;
    let mut keys: Vec<Value> = script.keys.iter().map(Key::jwk).collect();
    // What a server does not know must not keep it from the rest.
    keys.push(json!({ "kty": "future", "kid": "later", "q": 1 }));
    Json(json!({ "keys": keys }))
}

async fn token(State(s): State<Shared>, headers: HeaderMap, body: String) -> Response {
    let mut script = s.script.lock().unwrap();
    let form = reqwest::Url::parse(&format!("form:?{body}")).unwrap();
    let field = |name: &str| {
        form.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned()).unwrap_or_default()
    };
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier").as_bytes()));
    let basic = format!("Basic {}", STANDARD.encode("lazaret:a%3Asecret%2Fwith+signs"));
    let authorization = headers.get("authorization").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let checks = [
        ("grant_type", field("grant_type") == "authorization_code"),
        ("code", field("code") == CODE),
        ("redirect_uri", field("redirect_uri") == script.redirect),
        ("code_verifier", challenge == script.challenge),
        ("authorization", authorization == basic),
    ];
    let faults: Vec<String> = checks.iter().filter(|c| !c.1).map(|c| c.0.to_owned()).collect();
    if !faults.is_empty() {
        script.faults.extend(faults);
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    }
    Json(json!({ "access_token": "at", "token_type": "Bearer", "id_token": script.id_token })).into_response()
}

async fn userinfo(State(s): State<Shared>, headers: HeaderMap) -> Response {
    if headers.get("authorization").is_none_or(|v| v != "Bearer at") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(s.script.lock().unwrap().userinfo.clone()).into_response()
}

/// A browser that is at the provider.
pub(crate) struct Away {
    pub(crate) state: String,
    pub(crate) nonce: String,
    pub(crate) cookie: String,
}

/// Begins a sign-in as a browser does, and lets the provider know of it.
pub(crate) async fn begin(s: &crate::kit::Server, idp: &Idp) -> Away {
    let reply = s.get("/api/v1/sso/corp/start?return_to=/alarms", "").await;
    assert_eq!(reply.status, 303, "{}", reply.text);
    let url = reqwest::Url::parse(reply.header("location")).unwrap();
    let field = |name: &str| {
        url.query_pairs().find(|(n, _)| n == name).unwrap_or_else(|| panic!("{name}: {url}")).1.into_owned()
    };
    assert_eq!((field("response_type").as_str(), field("code_challenge_method").as_str()), ("code", "S256"));
    assert_eq!(field("client_id"), CLIENT);
    assert!(field("scope").split(' ').any(|w| w == "openid"));
    let cookie = reply.header("set-cookie");
    for part in ["__Host-lazaret-sso=", "HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let mut script = idp.script();
    script.challenge = field("code_challenge");
    script.redirect = field("redirect_uri");
    Away { state: field("state"), nonce: field("nonce"), cookie }
}

/// Comes back with the code.
pub(crate) async fn come_back(s: &crate::kit::Server, away: &Away) -> crate::kit::Reply {
    let path = format!("/api/v1/sso/corp/callback?code={CODE}&state={}", away.state);
    s.send("GET", &path, "", None, &[("cookie", &away.cookie)]).await
}

/// The sign-in of a reply, for the header.
pub(crate) fn token_of(reply: &crate::kit::Reply) -> String {
    let mut cookies = reply.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap());
    let own = cookies.find_map(|c| c.strip_prefix("__Host-lazaret=")).unwrap_or_else(|| panic!("{reply:?}"));
    own.split(';').next().unwrap().to_owned()
}
