// SPDX-License-Identifier: Apache-2.0
//! lazaret-server: the fleet's server (docs/adr/0008), with the web console in it.

#![forbid(unsafe_code)]

use anyhow::{Context as _, bail};
use lazaret_server::config::Config;
use lazaret_server::console::{Asset, Console};
use lazaret_server::start::{Role, start_with};
use lazaret_server::{backup, break_glass, diagnose, init};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// A tenth of what an alarm costs is memory that is taken and given back, on one thread and another: the C library's
/// allocator takes twice as long for it.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

const DEFAULT_CONFIG: &str = "/etc/lazaret/lazaret-server.toml";
const USAGE: &str = "\
The fleet's server.

  lazaret-server [--config FILE] [--role all|gateway|api|worker]   run
  lazaret-server init [--config FILE]                   make authority, database and first administrator
  lazaret-server migrate [--config FILE]                bring the database up to date
  lazaret-server token [--hours N] [--uses N] [--config FILE]   a token with which hosts enrol (1 hour, 1 host)
  lazaret-server user reset-password NAME [--config FILE]   a new one-time password, for who is locked out
  lazaret-server user break-glass NAME [--config FILE]   an administrator with a one-time password, without provider
                                                        and second factor for 8 hours; leaves an alarm
  lazaret-server backup --to FILE [--recipient AGE] [--samples] [--config FILE]   everything into one archive, while it runs
  lazaret-server restore --from FILE [--replace] [--identity FILE] [--config FILE]   put a backup in place
  lazaret-server read-only on|off [--reason TEXT] [--config FILE]   nothing is changed, nothing taken
  lazaret-server diagnose --to FILE [--log FILE] [--config FILE]   what who helps must know, without secrets
  lazaret-server --help | --version

FILE is /etc/lazaret/lazaret-server.toml unless given.
";

/// Options of the verbs of upkeep.
#[derive(Default)]
struct Upkeep {
    to: Option<PathBuf>,
    from: Option<PathBuf>,
    identity: Option<PathBuf>,
    log: Option<PathBuf>,
    recipient: Option<String>,
    reason: Option<String>,
    replace: bool,
    samples: bool,
}

impl Upkeep {
    fn verb(&mut self, words: &[&str]) -> anyhow::Result<Verb> {
        Ok(match words {
            ["backup"] => Verb::Backup {
                to: self.to.take().context("backup needs --to FILE")?,
                recipient: self.recipient.take(),
                samples: self.samples,
            },
            ["restore"] => Verb::Restore {
                from: self.from.take().context("restore needs --from FILE")?,
                replace: self.replace,
                identity: self.identity.take(),
            },
            ["diagnose"] => Verb::Diagnose {
                to: self.to.take().context("diagnose needs --to FILE")?,
                log: self.log.take(),
            },
            ["read-only", "on"] => {
                Verb::ReadOnly(true, self.reason.take().unwrap_or_else(|| "ordered by root".to_owned()))
            }
            ["read-only", "off"] => Verb::ReadOnly(false, String::new()),
            _ => bail!("read-only is on or off"),
        })
    }
}

/// What the command line wants.
#[derive(Debug, PartialEq, Eq)]
enum Verb {
    Run(Role),
    Init,
    Migrate,
    ResetPassword(String),
    BreakGlass(String),
    Token { hours: i64, uses: i64 },
    Backup { to: PathBuf, recipient: Option<String>, samples: bool },
    Restore { from: PathBuf, replace: bool, identity: Option<PathBuf> },
    ReadOnly(bool, String),
    Diagnose { to: PathBuf, log: Option<PathBuf> },
    Help,
    Version,
}

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            // Nobody is left to tell when this fails.
            let _ = writeln!(std::io::stderr(), "lazaret-server: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: Vec<String>) -> anyhow::Result<(PathBuf, Verb)> {
    let mut config = PathBuf::from(DEFAULT_CONFIG);
    let mut role = None;
    let (mut hours, mut uses) = (1, 1);
    let mut upkeep = Upkeep::default();
    let mut words = Vec::new();
    let mut rest = arguments.into_iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--config" => config = rest.next().context("--config needs a file")?.into(),
            "--role" => {
                let word = rest.next().context("--role needs a word")?;
                role = Some(word.parse::<Role>().map_err(anyhow::Error::msg)?);
            }
            "--hours" => hours = number("--hours", rest.next(), init::MOST_TOKEN_HOURS)?,
            "--uses" => uses = number("--uses", rest.next(), 100_000)?,
            "--to" => upkeep.to = Some(rest.next().context("--to needs a file")?.into()),
            "--from" => upkeep.from = Some(rest.next().context("--from needs a file")?.into()),
            "--identity" => upkeep.identity = Some(rest.next().context("--identity needs a file")?.into()),
            "--log" => upkeep.log = Some(rest.next().context("--log needs a file")?.into()),
            "--recipient" => upkeep.recipient = Some(rest.next().context("--recipient needs age1...")?),
            "--reason" => upkeep.reason = Some(rest.next().context("--reason needs a text")?),
            "--replace" => upkeep.replace = true,
            "--samples" => upkeep.samples = true,
            "--help" | "-h" => words.push("help".to_owned()),
            "--version" | "-V" => words.push("version".to_owned()),
            other if other.starts_with('-') => bail!("unknown option {other}; see --help"),
            _ => words.push(argument),
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let verb = match words.as_slice() {
        [] => Verb::Run(role.unwrap_or(Role::All)),
        ["init"] => Verb::Init,
        ["migrate"] => Verb::Migrate,
        ["backup" | "restore" | "diagnose"] | ["read-only", _] => upkeep.verb(words.as_slice())?,
        ["token"] => Verb::Token { hours, uses },
        ["user", "reset-password", name] => Verb::ResetPassword((*name).to_owned()),
        ["user", "break-glass", name] => Verb::BreakGlass((*name).to_owned()),
        ["help"] => Verb::Help,
        ["version"] => Verb::Version,
        other => bail!("unknown command \"{}\"; see --help", other.join(" ").escape_default()),
    };
    if role.is_some() && !matches!(verb, Verb::Run(_)) {
        bail!("--role is for running only");
    }
    Ok((config, verb))
}

fn number(option: &str, word: Option<String>, most: i64) -> anyhow::Result<i64> {
    let number: Option<i64> = word.and_then(|w| w.parse().ok());
    number.filter(|n| (1..=most).contains(n)).with_context(|| format!("{option} needs a number, 1 to {most}"))
}

fn run(arguments: Vec<String>) -> anyhow::Result<()> {
    let (path, verb) = parse(arguments)?;
    match verb {
        Verb::Help => return say(USAGE.trim_end()),
        Verb::Version => return say(concat!("lazaret-server ", env!("CARGO_PKG_VERSION"))),
        _ => {}
    }
    let config = Config::load(&path)?;
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(async {
        match verb {
            Verb::Run(role) => serve(config, role).await,
            Verb::Init => {
                let made = init::init(&config).await?;
                say(&format!("authority {}", made.fingerprint))?;
                say(&format!("database schema {}", made.schema))?;
                match made.one_time_password {
                    Some(password) => {
                        say(&format!("first administrator {} one-time password {password}", init::FIRST_USER))
                    }
                    None => say("there are users already: none was made"),
                }
            }
            Verb::Migrate => {
                let m = init::migrate(&config).await?;
                say(&format!("database schema {} (was {})", m.to, m.from))
            }
            Verb::Backup { to, recipient, samples } => {
                let made =
                    backup::backup_with(&config, &text, &to, recipient.as_deref(), samples).await?;
                say(&format!("backup {} bytes {} schema {}", to.display(), made.size, made.schema))?;
                say(&format!("sha256 {}", made.sha256))?;
                if let Some(place) = &made.samples_left_out {
                    say(&format!("warning: the samples in {place} are not in it: back that up too, or give --samples"))?;
                }
                if !made.encrypted {
                    say("warning: the authority in it is not encrypted: who has the archive can be this server. Keep it \
                         where only root reads, or give --recipient age1...")?;
                }
                Ok(())
            }
            Verb::Restore { from, replace, identity } => {
                let done = backup::restore(&config, &from, replace, identity.as_deref()).await?;
                say(&format!("restored the backup of {}, schema {}", done.created_at, done.schema.1))?;
                say(&format!("authority {}", done.fingerprint))?;
                match done.kept {
                    Some(kept) => say(&format!("what was there is in {}", kept.display())),
                    None => Ok(()),
                }
            }
            Verb::ReadOnly(on, reason) => {
                init::read_only(&config, on, &reason).await?;
                say(if on { "read-only is on; servers follow within a second" } else { "read-only is off" })
            }
            Verb::Diagnose { to, log } => {
                diagnose::diagnose(&config, &text, &to, log.as_deref()).await?;
                say(&format!("written to {}: read it before you send it", to.display()))
            }
            Verb::ResetPassword(name) => {
                let password = init::reset_password(&config, &name).await?;
                say(&format!("one-time password {password}"))
            }
            Verb::BreakGlass(name) => {
                let password = break_glass::break_glass(&config, &name).await?;
                say(&format!("administrator {name} one-time password {password}"))?;
                say(&format!("good for {} hours without provider and second factor", break_glass::HOURS))
            }
            Verb::Token { hours, uses } => {
                let made = init::token(&config, hours, uses).await?;
                say(&format!("token {}", made.token))?;
                say(&format!("authority {}", made.fingerprint))?;
                say(&format!("install {}", made.install))
            }
            Verb::Help | Verb::Version => Ok(()),
        }
    })
}

fn say(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("cannot write to standard output")
}

/// What browsers are given. Here and not in the server's library, which then need not be compiled again for a
/// new console.
fn console() -> Console {
    let asset = |f: &lazaret_console::File| Asset {
        path: f.path,
        content_type: f.content_type,
        plain: f.plain,
        gzip: f.gzip,
        tag: f.tag,
        forever: f.forever,
    };
    Console::new(lazaret_console::FILES.iter().map(asset), lazaret_console::NONCE)
}

async fn serve(config: Config, role: Role) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let plain = config.api.plain_http;
    let running = start_with(config, role, console(), Some(lazaret_hss::routes)).await?;
    if let Some(address) = running.api {
        say(&format!("people: {}://{address}", if plain { "http" } else { "https" }))?;
    }
    if let Some(address) = running.gateway {
        say(&format!("agents: https://{address}, authority {}", running.fingerprint))?;
    }
    if let Some(address) = running.metrics {
        say(&format!("metrics: http://{address}"))?;
    }
    say("ready")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    running.stop().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> anyhow::Result<(PathBuf, Verb)> {
        parse(line.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn the_command_line() {
        assert_eq!(parsed("").unwrap(), (DEFAULT_CONFIG.into(), Verb::Run(Role::All)));
        assert_eq!(parsed("--config /c --role api").unwrap(), ("/c".into(), Verb::Run(Role::Api)));
        assert_eq!(parsed("init --config /c").unwrap(), ("/c".into(), Verb::Init));
        assert_eq!(parsed("user reset-password eve").unwrap().1, Verb::ResetPassword("eve".into()));
        assert_eq!(parsed("user break-glass eve").unwrap().1, Verb::BreakGlass("eve".into()));
        assert_eq!(parsed("token --uses 5").unwrap().1, Verb::Token { hours: 1, uses: 5 });
        let back = |samples| Verb::Backup { to: "/b".into(), recipient: Some("age1x".into()), samples };
        assert_eq!(parsed("backup --to /b --recipient age1x").unwrap().1, back(false));
        assert_eq!(parsed("backup --to /b --recipient age1x --samples").unwrap().1, back(true));
        let put = Verb::Restore { from: "/b".into(), replace: true, identity: None };
        assert_eq!(parsed("restore --from /b --replace").unwrap().1, put);
        assert_eq!(parsed("read-only off").unwrap().1, Verb::ReadOnly(false, String::new()));
        for bad in [
            "backup",
            "restore --to /b",
            "diagnose",
            "read-only maybe",
            "token --hours 0",
            "token --uses many",
            "--role king",
            "--config",
            "dance",
            "init --role api",
            "--x",
            "user",
        ] {
            assert!(parsed(bad).is_err(), "{bad}");
        }
    }
}
