// SPDX-License-Identifier: Apache-2.0
//! Single-threaded driver for crash tests: does one verb and, if told so, kills itself at a step.
//!
//! `isolate_one STATE_DIR isolate|restore|delete|replay PATH_OR_ID [STEP]`

#![forbid(unsafe_code)]

mod kit;

use kit::{Nobody, target};
use lazaret_response::{Order, Plan, Responder, ResponderConfig, Step};
use std::path::PathBuf;
use std::sync::Arc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, state, verb, what, rest @ ..] = args.as_slice() else {
        return Err("usage: isolate_one STATE_DIR isolate|restore|delete|replay PATH_OR_ID [STEP]".into());
    };
    let state = PathBuf::from(state);
    let mut config = ResponderConfig::new(state.join("journal"), state.join("vault"), Arc::new(Nobody));
    config.journal_bytes = 256 * 1024;
    if let Some(fatal) = rest.first().cloned() {
        config.on_step = Some(Arc::new(move |step: Step| {
            if format!("{step:?}") == fatal {
                let me = rustix::process::getpid();
                let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
            }
        }));
    }
    let (responder, replayed) = Responder::open(config)?;
    for r in &replayed {
        writeln(&format!("replayed {:?}", r.report.status))?;
    }
    let order = match verb.as_str() {
        "isolate" => Order::IsolateAndKill(target(what.as_ref(), true)?),
        "restore" => Order::Restore { id: what.parse()?, to: None, parents: false },
        "delete" => Order::Delete { id: what.parse()? },
        _ => return Ok(()),
    };
    let report = responder.execute(Plan { alarm: None, who: "driver".to_owned(), order });
    writeln(&format!("{:?} {:?} {:?}", report.isolated.map(|i| i.to_string()), report.status, report.records))
}

fn writeln(line: &str) -> Result<(), Box<dyn std::error::Error>> {
    use std::io::Write;
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
