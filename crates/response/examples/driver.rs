// SPDX-License-Identifier: Apache-2.0
//! Single-threaded driver for the fault tests: one verb, its report as one line of JSON.
//!
//! `driver isolate|restore|delete|replay --state DIR [--file PATH] [--id ID] [--die STEP]
//! [--full yes]`; with `--full` the vault takes nothing.
//!
//! A tracer that is to fail the N-th call of a verb needs to know where the verb begins and ends:
//! `getppid`, which nothing else here calls, is called right before and right after it.

#![forbid(unsafe_code)]

mod kit;

use kit::{Nobody, target};
use lazaret_model::{Action, IsolatedId};
use lazaret_response::{Order, Plan, Replayed, Report, Responder, ResponderConfig, Step};
use lazaret_vault::Vault;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

type Error = Box<dyn std::error::Error>;

#[derive(Default)]
struct Arguments {
    verb: String,
    state: PathBuf,
    file: PathBuf,
    id: Option<IsolatedId>,
    die: Option<String>,
    full: bool,
}

fn arguments() -> Result<Arguments, Error> {
    let mut all = std::env::args().skip(1);
    let mut found = Arguments { verb: all.next().ok_or("which verb?")?, ..Arguments::default() };
    while let Some(name) = all.next() {
        let value = all.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--state" => found.state = value.into(),
            "--file" => found.file = value.into(),
            "--id" => found.id = Some(value.parse()?),
            "--full" => found.full = true,
            "--die" => found.die = Some(value),
            _ => return Err(format!("{name} is not understood").into()),
        }
    }
    Ok(found)
}

fn report(r: &Report) -> Value {
    let last = [Action::Isolate, Action::Restore, Action::Delete]
        .into_iter()
        .find_map(|a| r.outcome(a))
        .map(|o| json!({ "word": o.word(), "reason": o.reason() }));
    json!({
        "isolated": r.isolated.map(|i| i.to_string()),
        "status": r.status.map(|s| s.word()),
        "outcome": last,
        "differences": r.receipt.iter().flat_map(|r| r.differences()).map(|l| l.attribute.clone()).collect::<Vec<_>>(),
    })
}

fn replayed(r: &Replayed) -> Value {
    json!({
        "replayed": report(&r.report),
        "path": String::from_utf8_lossy(&r.path),
        "rescan": r.rescan,
        "open": r.open,
    })
}

fn main() -> Result<(), Error> {
    let a = arguments()?;
    let vault = a.state.join("vault");
    if !Vault::exists(&vault) {
        Vault::init(&vault)?;
    }
    let mut config = ResponderConfig::new(a.state.join("journal"), vault, Arc::new(Nobody));
    config.journal_bytes = 64 * 1024;
    config.link_search = Duration::from_millis(200);
    if a.full {
        config.vault_limits.object_bytes = 10;
    }
    if let Some(fatal) = a.die {
        config.on_step = Some(Arc::new(move |step: Step| {
            if format!("{step:?}") == fatal {
                let me = rustix::process::getpid();
                let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
            }
        }));
    }
    let marks_replay = a.verb == "replay";
    if marks_replay {
        let _ = rustix::process::getppid();
    }
    let (responder, closed) = Responder::open(config)?;
    if marks_replay {
        let _ = rustix::process::getppid();
    }
    for r in &closed {
        line(&replayed(r))?;
    }
    let id = || a.id.ok_or("which object?");
    let order = match a.verb.as_str() {
        // No kill: looking through /proc would be most of the calls, and changes nothing.
        "isolate" => Order::IsolateAndKill(target(&a.file, false)?),
        "restore" => Order::Restore { id: id()?, to: None, parents: false },
        "delete" => Order::Delete { id: id()? },
        "replay" => return Ok(()),
        other => return Err(format!("{other} is no verb").into()),
    };
    let plan = Plan { alarm: None, who: "driver".to_owned(), order };
    let _ = rustix::process::getppid();
    let done = responder.execute(plan);
    let _ = rustix::process::getppid();
    line(&json!({ "report": report(&done) }))
}

fn line(value: &Value) -> Result<(), Error> {
    // Not with `write`, which the tracer may be failing for good.
    let text = format!("{value}\n");
    rustix::io::writev(std::io::stdout(), &[std::io::IoSlice::new(text.as_bytes())])?;
    Ok(())
}
