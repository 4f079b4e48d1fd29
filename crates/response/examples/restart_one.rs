// SPDX-License-Identifier: Apache-2.0
//! Isolates a service's program with its process, puts it back and starts the service again, with the
//! service manager of the system that it runs on: for the test that boots one in a container.
//! Arguments: a folder for its state, the program. What came of it goes to standard output.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a program for tests speaks to them")]

mod kit;

use kit::{Nobody, target};
use lazaret_response::{Order, Plan, Report, Responder, ResponderConfig};
use lazaret_vault::Vault;
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

fn tell(report: &Report) {
    for r in &report.records {
        println!("{} {}: {}", r.action.word(), r.target, r.outcome);
    }
    for k in &report.killed {
        println!("killed {} of {}", k.outcome, k.unit.as_deref().unwrap_or("no service"));
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(state), Some(program)) = (arguments.next(), arguments.next()) else {
        return Err("a folder and a program".into());
    };
    Vault::init(&state.join("vault"))?;
    let config = ResponderConfig::new(state.join("journal"), state.join("vault"), Arc::new(Nobody));
    let (responder, _) = Responder::open(config)?;
    let order = |order| responder.execute(Plan { alarm: None, who: "test".into(), order });
    let report = order(Order::IsolateAndKill(target(&program, true)?));
    tell(&report);
    let id = report.isolated.ok_or("it was not isolated")?;
    tell(&order(Order::Restore { id, to: None, parents: false }));
    tell(&order(Order::Restart { id }));
    Ok(())
}
