// SPDX-License-Identifier: Apache-2.0
//! Single-threaded driver for crash tests: looks for what brings a program back below a root folder,
//! disables or enables all of it and, if told so, kills itself the N-th time a step is passed.
//!
//! `persist_one STATE_DIR ROOT disable|enable NAME [STEP N]`

#![forbid(unsafe_code)]

mod kit;

use kit::Nobody;
use lazaret_response::persistence::{DisableTarget, Limits, Started, find};
use lazaret_response::{Order, Plan, Responder, ResponderConfig, Step};
use lazaret_vault::Vault;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, state, root, verb, name, rest @ ..] = args.as_slice() else {
        return Err("usage: persist_one STATE_DIR ROOT disable|enable NAME [STEP N]".into());
    };
    let (state, root) = (PathBuf::from(state), PathBuf::from(root));
    let mut config = ResponderConfig::new(state.join("journal"), state.join("vault"), Arc::new(Nobody));
    config.journal_bytes = 256 * 1024;
    if let [fatal, n] = rest {
        let (fatal, n, seen) = (fatal.clone(), n.parse::<usize>()?, AtomicUsize::new(0));
        config.on_step = Some(Arc::new(move |step: Step| {
            if format!("{step:?}") == fatal && seen.fetch_add(1, Ordering::Relaxed) + 1 == n {
                let me = rustix::process::getpid();
                let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
            }
        }));
    }
    if !Vault::exists(&config.vault_dir) {
        Vault::init(&config.vault_dir)?;
    }
    let (responder, _) = Responder::open(config)?;
    let plan = |order| Plan { alarm: None, who: "driver".to_owned(), order };
    let reports = if verb == "disable" {
        let found = find(&root, &[name.as_bytes().to_vec()], &Started::default(), Limits::default()).entries;
        let mut reports = Vec::new();
        for entry in found.into_iter().filter(|e| e.can_be_disabled()) {
            let target = DisableTarget { root: root.clone(), entry, may_disable: Arc::new(|_, _| Ok(())) };
            reports.push(responder.execute(plan(Order::Disable(target))));
        }
        reports
    } else {
        let disabled = responder.disabled();
        disabled.iter().rev().map(|r| responder.execute(plan(Order::Enable { id: r.id }))).collect()
    };
    for report in reports {
        writeln!(std::io::stdout(), "{:?}", report.records)?;
    }
    Ok(())
}
