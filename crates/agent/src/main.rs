// SPDX-License-Identifier: Apache-2.0
//! lazaretd: protects one host. The process that is started is the watchdog; it starts the agent.

#![forbid(unsafe_code)]

mod abnormal;
mod alarms;
mod cloud;
mod config;
mod content;
mod control;
mod core;
mod counters;
mod events;
mod flood;
mod gate;
mod guards;
mod hashes;
mod judge;
mod live;
mod log;
mod look;
mod metrics;
mod offline;
mod persistence;
mod protection;
mod respond;
mod runners;
mod sensor;
mod spare;
mod stacked;
mod start;
mod uplink;
mod watchdog;
mod windows;

use config::Config;
use log::log;
use std::path::PathBuf;
use std::process::ExitCode;
use uplink::EnrollArguments;

/// Wrong command line or configuration (`sysexits.h`).
const USAGE: u8 = 64;
const CONFIG: u8 = 78;

struct Arguments {
    config: PathBuf,
    agent: bool,
    safe_mode: bool,
    enroll: Option<EnrollArguments>,
}

const HELP: &str = "\
lazaretd [--config FILE]
lazaretd enroll [--server URL] [--token T] [--ca-fingerprint F] [--again] [--config FILE]

Protects this host: detects malicious programs, isolates their files and kills them. FILE is TOML
(default /etc/lazaret/lazaretd.toml). Talk to it with lazaret.

enroll makes this host one of a server's. URL is wss://HOST[:PORT], T and F are what lazaret-server
gave out; what is left out is taken from [server] of the configuration. A daemon that runs takes it up
within seconds. --again enrols a host anew that is enrolled already.";

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
    if let Some(enroll) = arguments.enroll {
        return match uplink::enroll(&config, enroll) {
            Ok(done) => {
                say(&done);
                ExitCode::SUCCESS
            }
            Err(e) => {
                log!("{e:#}");
                ExitCode::FAILURE
            }
        };
    }
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
    let mut given = std::env::args_os().skip(1).peekable();
    let mut enroll = given.next_if(|word| word == "enroll").map(|_| EnrollArguments {
        server: None,
        token: None,
        ca_fingerprint: None,
        again: false,
    });
    while let Some(word) = given.next() {
        let mut text = |what: &str| {
            let value = given.next().ok_or_else(|| format!("{what} is missing"))?;
            value.into_string().map_err(|_| format!("{what} is not UTF-8"))
        };
        match (word.to_str(), &mut enroll) {
            (Some("--config"), _) => config = given.next().ok_or("--config needs a file")?.into(),
            (Some("--server"), Some(e)) => e.server = Some(text("the URL after --server")?),
            (Some("--token"), Some(e)) => e.token = Some(text("the token after --token")?),
            (Some("--ca-fingerprint"), Some(e)) => {
                e.ca_fingerprint = Some(text("the digest after --ca-fingerprint")?);
            }
            (Some("--again"), Some(e)) => e.again = true,
            (Some("--agent"), None) => agent = true,
            (Some("--safe-mode"), None) => safe_mode = true,
            (Some("--help" | "-h"), _) => {
                say(HELP);
                return Ok(None);
            }
            (Some("--version" | "-V"), _) => {
                say(concat!("lazaretd ", env!("CARGO_PKG_VERSION")));
                return Ok(None);
            }
            _ => return Err(format!("unknown argument {}", word.display())),
        }
    }
    Ok(Some(Arguments { config, agent, safe_mode, enroll }))
}

fn say(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
