// SPDX-License-Identifier: Apache-2.0
//! Freezes what runs a file and dies the moment everything stands still. For tests of what a crash
//! inside the un-kill window leaves.
//!
//! `hold_one STATE FILE MILLISECONDS`; STATE holds `journal` and `vault`.

#![forbid(unsafe_code)]

mod kit;

use kit::{Nobody, target};
use lazaret_response::{Objection, Order, Plan, Responder, ResponderConfig, Window};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut given = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(state), Some(path), Some(wait)) = (given.next(), given.next(), given.next()) else {
        return Err("usage: hold_one STATE FILE MILLISECONDS".into());
    };
    let wait = Duration::from_millis(wait.to_string_lossy().parse()?);
    let mut config = ResponderConfig::new(state.join("journal"), state.join("vault"), Arc::new(Nobody));
    config.journal_bytes = 256 * 1024;
    let (responder, _) = Responder::open(config)?;
    let target = target(&path, true)?;
    let on_frozen = Box::new(|_| {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    });
    let window = Window { wait, objection: Arc::new(Objection::default()), on_frozen };
    let report =
        responder.execute(Plan { alarm: None, who: "test".into(), order: Order::Window(target, window) });
    Ok(writeln!(std::io::stdout(), "{report:?}")?)
}
