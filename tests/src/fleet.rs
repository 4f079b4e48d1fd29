// SPDX-License-Identifier: Apache-2.0
//! A real lazaret-server with its first administrator signed in.

use crate::{binaries, eventually};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use ureq::tls::{TlsConfig, TlsProvider};

/// What is special about this server.
#[derive(Default, Clone)]
pub struct ServerSetup {
    /// `postgres://...`; absent: SQLite in its folder.
    pub database: Option<String>,
    /// Address on which agents connect; absent: loopback.
    pub agents: Option<String>,
    /// Further lines of `[gateway]`, then whole TOML sections.
    pub more: String,
    /// `all`, `gateway`, `api`, `worker`; empty: all.
    pub role: String,
    /// Data folder to use instead of a fresh one.
    pub data: Option<PathBuf>,
    /// Port for agents; 0: any.
    pub port: u16,
    /// TLS for people too.
    pub https: bool,
}

/// A running server; ended when dropped.
pub struct Server {
    child: Child,
    folder: TempDir,
    config: PathBuf,
    log: PathBuf,
    setup: ServerSetup,
    /// Base of the API, empty without that role.
    pub api: String,
    /// What agents connect to, empty without that role.
    pub agents: String,
    /// SHA-256 of the authority.
    pub authority: String,
    token: String,
}

/// For requests past the API, to whoever listens there: what the kit asks is on this machine.
#[must_use]
pub fn http() -> ureq::Agent {
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(provider)
        .disable_verification(true)
        .build();
    let config = ureq::Agent::config_builder().tls_config(tls).http_status_as_error(false);
    config.timeout_global(Some(Duration::from_secs(30))).build().new_agent()
}

/// The first administrator's password after it was changed.
pub const PASSWORD: &str = "lantern orchard tidewater quarry";

impl Server {
    /// Makes a server and signs its first administrator in.
    ///
    /// # Panics
    /// When it is not ready within 30 s.
    #[must_use]
    pub fn start(setup: &ServerSetup) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("lazaret-server-")
            .tempdir_in("/var/tmp")
            .expect("temporary folder");
        let config = folder.path().join("server.toml");
        std::fs::write(&config, toml(setup, folder.path())).expect("configuration");
        let made = Command::new(binaries::path("lazaret-server"))
            .args(["init", "--config"])
            .arg(&config)
            .output()
            .expect("lazaret-server");
        let said = String::from_utf8_lossy(&made.stdout).into_owned();
        assert!(made.status.success(), "{said}{}", String::from_utf8_lossy(&made.stderr));
        let once = said.lines().find_map(|l| l.split_once("one-time password ")).map(|(_, p)| p.to_owned());
        let log = folder.path().join("log");
        let child = spawn(&config, &log, &setup.role);
        let mut server = Self {
            child,
            folder,
            config,
            log,
            setup: setup.clone(),
            api: String::new(),
            agents: String::new(),
            authority: String::new(),
            token: String::new(),
        };
        server.wait_ready();
        if !server.api.is_empty() {
            server.sign_in(once.as_deref());
        }
        server
    }

    fn wait_ready(&mut self) {
        let out = self.child.stdout.take().expect("piped");
        let mut lines = BufReader::new(out).lines();
        loop {
            let line = lines.next().and_then(Result::ok);
            let line = line.unwrap_or_else(|| panic!("lazaret-server did not start\n{}", self.log()));
            if let Some(url) = line.strip_prefix("people: ") {
                url.clone_into(&mut self.api);
            } else if let Some(rest) = line.strip_prefix("agents: ") {
                let (url, authority) = rest.split_once(", authority ").expect("address and authority");
                url.clone_into(&mut self.agents);
                authority.clone_into(&mut self.authority);
            } else if line == "ready" {
                break;
            }
        }
        std::thread::spawn(move || lines.for_each(drop));
    }

    fn sign_in(&mut self, once: Option<&str>) {
        let first = once.unwrap_or(PASSWORD);
        self.token = self.login("admin", first);
        if once.is_some() {
            let changed =
                self.call("POST", "/me/password", Some(&json!({"current": first, "new": PASSWORD})));
            assert!((200..300).contains(&changed.0), "{changed:?}");
            self.token = self.login("admin", PASSWORD);
        }
    }

    /// A token of a user.
    ///
    /// # Panics
    /// When the server refuses.
    #[must_use]
    pub fn login(&self, user: &str, password: &str) -> String {
        let answer = self.call("POST", "/login", Some(&json!({"user": user, "password": password})));
        assert_eq!(answer.0, 200, "{answer:?}\n{}", self.log());
        answer.1["token"].as_str().expect("token").to_owned()
    }

    /// From now on requests that name nobody are of who has this token.
    pub fn act_as(&mut self, token: String) {
        self.token = token;
    }

    /// One request of the first administrator: status and body.
    ///
    /// # Panics
    /// When nobody answers.
    #[must_use]
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.call_as(&self.token, method, path, body)
    }

    /// The same of somebody else.
    ///
    /// # Panics
    /// When nobody answers.
    #[must_use]
    pub fn call_as(&self, token: &str, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.try_call(token, method, path, body)
            .unwrap_or_else(|e| panic!("{method} {path}: {e}\n{}", self.log()))
    }

    /// The same of a server that may be gone.
    ///
    /// # Errors
    /// Nobody answers.
    pub fn try_call(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value), String> {
        let answer = self.exchange(token, method, path, body, None)?;
        let (status, text) = (answer.status().as_u16(), answer.into_body());
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    fn exchange(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
        seen: Option<&str>,
    ) -> Result<ureq::http::Response<String>, String> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}/api/v1{path}", self.api))
            .header("content-type", "application/json");
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(tag) = seen {
            request = request.header("if-match", tag);
        }
        let text = body.map(Value::to_string).unwrap_or_default();
        let sent = http().run(request.body(text).map_err(|e| e.to_string())?);
        let (head, mut body) = sent.map_err(|e| e.to_string())?.into_parts();
        let text = body.read_to_string().map_err(|e| e.to_string())?;
        Ok(ureq::http::Response::from_parts(head, text))
    }

    /// A request of the first administrator, with the headers of its answer.
    ///
    /// # Errors
    /// Nobody answers within 30 s.
    pub fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<ureq::http::Response<String>, String> {
        self.exchange(&self.token, method, path, body, None)
    }

    /// Changes what lies under a path as people do: what was read goes back with the revision that it had.
    /// `ask` makes the body of what was read.
    ///
    /// # Panics
    /// When it does not work.
    pub fn change(&self, path: &str, ask: impl FnOnce(Value) -> Value) -> Value {
        let read = self.ask("GET", path, None).unwrap_or_else(|e| panic!("GET {path}: {e}\n{}", self.log()));
        let tag = read.headers().get("etag").and_then(|t| t.to_str().ok()).unwrap_or_default().to_owned();
        let before = serde_json::from_str(read.body()).unwrap_or_default();
        let body = ask(before);
        let answer = self.exchange(&self.token, "PUT", path, Some(&body), Some(&tag));
        let answer = answer.unwrap_or_else(|e| panic!("PUT {path}: {e}\n{}", self.log()));
        assert!(answer.status().is_success(), "PUT {path} {body}: {}\n{}", answer.body(), self.log());
        serde_json::from_str(answer.body()).unwrap_or_default()
    }

    /// A request that must work.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn get(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, None);
        assert_eq!(status, 200, "GET {path}: {body}\n{}", self.log());
        body
    }

    /// A request that must work.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.call("POST", path, Some(body));
        assert!((200..300).contains(&status), "POST {path} {body}: {status} {answer}\n{}", self.log());
        answer
    }

    /// A secret with which any number of hosts enrol.
    ///
    /// # Panics
    /// When the server refuses.
    #[must_use]
    pub fn enrolment_token(&self) -> String {
        self.enrolment_token_of("0")
    }

    /// The same for hosts of this project.
    ///
    /// # Panics
    /// When the server refuses.
    #[must_use]
    pub fn enrolment_token_of(&self, project: &str) -> String {
        let answer = self.post("/enrolment-tokens", &json!({"project": project, "note": "story"}));
        answer["token"].as_str().expect("token").to_owned()
    }

    /// The `[server]` section for a daemon that enrols by itself.
    #[must_use]
    pub fn section(&self) -> String {
        self.section_of("0")
    }

    /// The same for a host of this project.
    ///
    /// # Panics
    /// When the server refuses.
    #[must_use]
    pub fn section_of(&self, project: &str) -> String {
        format!(
            "[server]\nurl = \"{}\"\ntoken = \"{}\"\nca_fingerprint = \"{}\"\n",
            self.agents,
            self.enrolment_token_of(project),
            self.authority
        )
    }

    /// The only one that fits, waiting for it up to 30 s.
    ///
    /// # Panics
    /// When there is none by then.
    pub fn eventually(&self, path: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let mut found = None;
        let mut last = Value::Null;
        eventually(Duration::from_secs(30), || {
            last = self.get(path);
            let all = last["items"].as_array().cloned().unwrap_or_else(|| vec![last.clone()]);
            found = all.into_iter().find(&fits);
            found.is_some()
        });
        found.unwrap_or_else(|| panic!("{what}: not in {path}: {last:#}\n{}", self.log()))
    }

    /// Waits for the end of an order; its commands.
    ///
    /// # Panics
    /// When it has not ended within 30 s.
    pub fn finished(&self, ordered: &Value) -> Vec<Value> {
        let task = ordered["task"].as_str().unwrap_or_else(|| panic!("no task: {ordered}")).to_owned();
        let mut commands = Vec::new();
        let done = eventually(Duration::from_secs(30), || {
            commands =
                self.get(&format!("/commands?task={task}"))["items"].as_array().cloned().unwrap_or_default();
            !commands.is_empty()
                && commands
                    .iter()
                    .all(|c| !["pending", "sent"].contains(&c["state"].as_str().unwrap_or_default()))
        });
        assert!(done, "{commands:#?}\n{}", self.log());
        commands
    }

    /// What it said on standard error.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its configuration file.
    #[must_use]
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Runs `lazaret-server ARGUMENTS --config ...`.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn run(&self, arguments: &[&str]) -> std::process::Output {
        Command::new(binaries::path("lazaret-server"))
            .args(arguments)
            .arg("--config")
            .arg(&self.config)
            .stdin(Stdio::null())
            .output()
            .expect("lazaret-server")
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.setup.data.clone().unwrap_or_else(|| self.folder.path().join("data"))
    }

    /// Stops it where it is: sessions stand, nobody answers.
    ///
    /// # Panics
    /// When it does not run.
    pub fn freeze(&self) {
        self.signal(rustix::process::Signal::STOP);
    }

    /// Lets it go on.
    ///
    /// # Panics
    /// When it does not run.
    pub fn thaw(&self) {
        self.signal(rustix::process::Signal::CONT);
    }

    fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal)
            .expect("it runs");
    }

    /// Ends it without a word.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        self.child.wait().expect("lazaret-server");
    }

    /// Starts it again after [`Self::kill`], on the same ports.
    ///
    /// # Panics
    /// When it is not ready.
    pub fn restart(&mut self) {
        let port = |url: &str| url.rsplit_once(':').map(|(_, p)| p.to_owned()).unwrap_or_default();
        let text = std::fs::read_to_string(&self.config).expect("configuration");
        let kept = text
            .replace(":0\" # agents", &format!(":{}\" # agents", port(&self.agents)))
            .replace(":0\" # people", &format!(":{}\" # people", port(&self.api)));
        std::fs::write(&self.config, kept).expect("configuration");
        self.child = spawn(&self.config, &self.log, &self.setup.role);
        self.wait_ready();
    }

    /// The same after its data was replaced: the administrator of [`PASSWORD`] signs in again.
    ///
    /// # Panics
    /// When it is not ready, or refuses.
    pub fn restart_signed_in(&mut self) {
        self.restart();
        self.sign_in(None);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(process) = lazaret_sys::process::ProcessHandle::open(self.pid()) {
            let _ = process.signal(lazaret_sys::process::Signal::TERM);
        }
        if !eventually(Duration::from_secs(15), || self.child.try_wait().is_ok_and(|s| s.is_some())) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

fn spawn(config: &Path, log: &Path, role: &str) -> Child {
    let errors = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("log");
    let mut command = Command::new(binaries::path("lazaret-server"));
    command.arg("--config").arg(config);
    if !role.is_empty() {
        command.args(["--role", role]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors).spawn().expect("lazaret-server")
}

fn toml(setup: &ServerSetup, folder: &Path) -> String {
    let data = setup.data.clone().unwrap_or_else(|| folder.join("data"));
    let agents = setup.agents.clone().unwrap_or_else(|| "127.0.0.1".into());
    let mut text = String::new();
    let _ = writeln!(text, "[server]\ndata = {data:?}");
    if let Some(database) = &setup.database {
        let _ = writeln!(text, "database = {database:?}");
    }
    let _ = writeln!(text, "[api]\nlisten = \"127.0.0.1:0\" # people\nplain_http = {}", !setup.https);
    let _ = writeln!(text, "requests_per_minute = 1000000\nrequests_per_minute_address = 1000000");
    let _ = writeln!(
        text,
        "[gateway]\nlisten = \"{agents}:{}\" # agents\nnames = [\"{agents}\", \"localhost\"]",
        setup.port
    );
    text.push_str(&setup.more);
    text
}
