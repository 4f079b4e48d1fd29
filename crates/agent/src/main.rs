// SPDX-License-Identifier: Apache-2.0
//! lazaretd: protects one host. The process that is started is the watchdog; it starts the agent.

#![forbid(unsafe_code)]

mod abnormal;
mod alarms;
mod config;
mod content;
mod control;
mod core;
mod counters;
mod events;
mod gate;
mod guards;
mod hashes;
mod judge;
mod live;
mod log;
mod look;
mod offline;
mod persistence;
mod protection;
mod respond;
mod runners;
mod sensor;
mod spare;
mod stacked;
mod start;
mod watchdog;
mod windows;

use config::Config;
use log::log;
use std::path::PathBuf;
use std::process::ExitCode;

/// Wrong command line or configuration (`sysexits.h`).
const USAGE: u8 = 64;
const CONFIG: u8 = 78;

struct Arguments {
    config: PathBuf,
    agent: bool,
    safe_mode: bool,
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(Some(arguments)) => arguments,
        Ok(None) => return ExitCode::SUCCESS,
        Err(message) => {
            log!("{message}; see lazaretd --help");
            return ExitCode::from(USAGE);
        }
    };
    let config = match Config::load(&arguments.config) {
        Ok(config) => config,
        Err(e) => {
            log!("{e}");
            return ExitCode::from(CONFIG);
        }
    };
    let ended = if arguments.agent {
        start::run(config, arguments.safe_mode).map(|()| ExitCode::SUCCESS)
    } else {
        watchdog::run(&arguments.config, &config)
    };
    ended.unwrap_or_else(|e| {
        log!("{e:#}");
        ExitCode::FAILURE
    })
}

/// `None` when help or version was asked for.
fn arguments() -> Result<Option<Arguments>, String> {
    let mut config = PathBuf::from("/etc/lazaret/lazaretd.toml");
    let (mut agent, mut safe_mode) = (false, false);
    let mut given = std::env::args_os().skip(1);
    while let Some(word) = given.next() {
        match word.to_str() {
            Some("--config") => {
                config = given.next().ok_or("--config needs a file")?.into();
            }
            Some("--agent") => agent = true,
            Some("--safe-mode") => safe_mode = true,
            Some("--help" | "-h") => {
                say(
                    "lazaretd [--config FILE]\n\nProtects this host: detects malicious programs, isolates their \
                     files and kills them.\nFILE is TOML (default /etc/lazaret/lazaretd.toml). Talk to it with \
                     lazaret.",
                );
                return Ok(None);
            }
            Some("--version" | "-V") => {
                say(concat!("lazaretd ", env!("CARGO_PKG_VERSION")));
                return Ok(None);
            }
            _ => return Err(format!("unknown argument {}", word.display())),
        }
    }
    Ok(Some(Arguments { config, agent, safe_mode }))
}

fn say(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
