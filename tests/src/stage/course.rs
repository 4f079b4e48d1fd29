// SPDX-License-Identifier: Apache-2.0
//! The course of a stage: everything is set up, orders are taken one after the other, everything is taken down.

use super::ask::{self, Ask};
use super::hosts::{self, Host};
use super::options::Options;
use super::people::{self, STAGE};
use crate::fleet::{PASSWORD, http};
use crate::hook::Hook;
use crate::pg::Cluster;
use crate::proc::Running;
use crate::{Idp, Server, ServerSetup, Swarm, binaries};
use anyhow::{Context as _, Result, anyhow};
use serde_json::{Value, json};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::fmt::Write as _;
use std::io::{BufRead as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};

/// Everything that stands; taken down from the first field to the last.
pub(super) struct Stage {
    pub(super) running: Vec<Running>,
    pub(super) hosts: Vec<Host>,
    pub(super) swarms: Vec<Swarm>,
    pub(super) hook: Option<Hook>,
    pub(super) server: Server,
    idp: Option<Idp>,
    cluster: Option<Cluster>,
    ca: PathBuf,
    folder: tempfile::TempDir,
    admin: Value,
    /// Made so far.
    pub(super) users: usize,
}

/// What ends the wait for the next order.
enum Next {
    Line(String),
    End,
}

/// Sets a stage up and obeys until it is told to quit, or nobody is there any more.
///
/// # Errors
/// The stage cannot be set up; says why.
pub fn run(options: &Options) -> Result<()> {
    let orders = listen()?;
    // What the kit cannot do it says by a panic, which becomes an answer.
    std::panic::set_hook(Box::new(|_| {}));
    let mut stage = guarded(|| Stage::new(options))?;
    say(&stage.ready())?;
    while let Ok(Next::Line(line)) = orders.recv() {
        if line.trim().is_empty() {
            continue;
        }
        let line = ask::read(&line);
        let quit = matches!(line.ask, Ok(Ask::Quit {}));
        let done = match line.ask {
            Ok(ask) => guarded(|| stage.order(ask)),
            Err(e) => Err(anyhow!(e)),
        };
        let mut answer = match done {
            Ok(answer) => answer,
            Err(e) => json!({"error": format!("{e:#}")}),
        };
        answer["ok"] = json!(answer.get("error").is_none());
        answer["did"] = json!(line.word);
        if let Some(id) = line.id {
            answer["id"] = id;
        }
        if say(&answer).is_err() || quit {
            break;
        }
    }
    Ok(())
}

/// Lines of standard input, until it ends or a signal says that it is enough.
fn listen() -> Result<Receiver<Next>> {
    let (tell, orders) = channel();
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP]).context("signals")?;
    let end = tell.clone();
    std::thread::spawn(move || {
        for _ in &mut signals {
            let _ = end.send(Next::End);
        }
    });
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if tell.send(Next::Line(line)).is_err() {
                return;
            }
        }
        let _ = tell.send(Next::End);
    });
    Ok(orders)
}

/// What the kit says by a panic is an error here.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|t| (*t).to_owned()));
        Err(anyhow!(text.unwrap_or_else(|| "a panic without words".to_owned())))
    })
}

fn say(line: &Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).context("cannot write to standard output")
}

impl Stage {
    fn new(options: &Options) -> Result<Self> {
        crate::needs_root();
        let folder = tempfile::Builder::new().prefix("lazaret-stage-").tempdir_in("/var/tmp")?;
        let cluster = options.postgres.then(Cluster::start);
        let idp = options.oidc.then(Idp::start);
        let mut server = Server::start(&ServerSetup {
            database: cluster.as_ref().map(|c| c.create("lazaret")),
            https: !options.plain_http,
            more: sections(options, idp.as_ref())?,
            ..ServerSetup::default()
        });
        people::own_user(&mut server)?;
        let (password, once) = if options.first_login {
            (people::one_time(&server, "admin")?, true)
        } else {
            (PASSWORD.to_owned(), false)
        };
        let ca = folder.path().join("ca.pem");
        let mut answer =
            http().get(format!("{}/agent/ca.pem", server.api)).call().context("/agent/ca.pem")?;
        std::fs::write(&ca, answer.body_mut().read_to_string()?)
            .with_context(|| format!("{}", ca.display()))?;
        let mut stage = Self {
            running: Vec::new(),
            hosts: Vec::new(),
            swarms: Vec::new(),
            hook: None,
            server,
            idp,
            cluster,
            ca,
            folder,
            admin: json!({"user": "admin", "password": password, "one_time": once}),
            users: 0,
        };
        for number in 0..options.hosts {
            let token = stage.server.enrolment_token();
            stage.hosts.push(Host::new(&stage.server, &hosts::name_of(number), "0", &token)?);
        }
        Ok(stage)
    }

    fn ready(&self) -> Value {
        let hosts: Vec<Value> = self.hosts.iter().enumerate().map(|(n, h)| h.told(n)).collect();
        let who = |i: &Idp| json!({"eve": i.who("eve"), "ann": i.who("ann"), "bob": i.who("bob")});
        json!({
            "event": "ready",
            "url": self.server.api,
            "ca": self.ca,
            "folder": self.folder.path(),
            "authority": self.server.authority,
            "agents": self.server.agents,
            "database": if self.cluster.is_some() { "postgres" } else { "sqlite" },
            "oidc": self.idp.as_ref().map(|i| json!({"issuer": i.issuer(), "who": who(i)})),
            "admin": self.admin,
            "stage": {"user": STAGE, "password": PASSWORD},
            "hosts": hosts,
        })
    }
}

/// What the server's configuration has beside what every server of the kit has.
fn sections(options: &Options, idp: Option<&Idp>) -> Result<String> {
    let mut text = String::new();
    if let Some(idp) = idp {
        text.push_str(&idp.section());
    }
    if options.deep_scan {
        let (pack, scanner) = (binaries::deep_pack(), binaries::path("lazaret-scanner"));
        let _ = writeln!(text, "[deep_scan]\nworkers = 1\npack = {pack:?}\nscanner = {scanner:?}");
    }
    if options.outbound {
        text.push_str("[outbound]\nallow = [\"127.0.0.0/8\"]\n");
    }
    if let Some(path) = &options.config {
        text.push_str(&std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))?);
    }
    Ok(text)
}
