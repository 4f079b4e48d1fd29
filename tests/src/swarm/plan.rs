// SPDX-License-Identifier: Apache-2.0
//! What the swarm is to do: its command line.

use super::cloud::Cloud;
use anyhow::{Context as _, Result, bail, ensure};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What `--help` says.
pub const USAGE: &str = "\
Many hosts in one process, each with an identity of its own, over the real protocol.

  lazaret-swarm --gateway ADDRESS:PORT --token T (--ca-fingerprint F | --ca FILE) [options]

  --hosts N          hosts that enrol and stay connected (1000)
  --mode MODE        idle: keep alive only; alarms: raise alarms; commands: one alarm of each host, so that
                     there is something to order; cloud: tell an inventory, follow verdicts, ask what is known
                     of hashes (idle)
  --rate N           alarms of the whole swarm in a second (3000)
  --alarms N         alarms of the whole swarm at most (without limit)
  --burst N          alarms that one host raises at once (1)
  --programs N       rows in the inventory of each host (0)
  --questions N      questions of the whole swarm in a second (0)
  --batch N          questions that a host asks at once (512)
  --known N          hashes that the server knows, to draw questions from (1000)
  --unknown N        of a thousand questions, those about hashes that it does not know (0)
  --liars N          hosts that lie about a sample: another content, too large, behind the end, without an end (0)
  --seconds N        how long, once every host is connected (300)
  --settle N         seconds between the last connection and the first alarm (0)
  --hold             stay until standard input is closed, instead of ending by itself
  --enrol-rate N     enrolments in a second (200)
  --patience N       seconds to wait for connections, and for the last acknowledgements (120)
  --seed N           another seed, other alarms (1)
  --threads N        worker threads (as many as the machine has processors)

Standard output has one JSON object a line: `progress` each second, `ready` when all are connected, `produced`
when the last alarm is acknowledged or the last question answered, `summary` at the end. Commands are answered at once in every mode. Where the
gateway is on loopback each host has a source address of its own.
";

/// What the hosts do beside keeping their sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing.
    Idle,
    /// Raise alarms at the rate.
    Alarms,
    /// Raise one alarm each.
    Commands,
    /// Malware Cloud Scan.
    Cloud,
}

/// By what the server is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authority {
    /// SHA-256 of its certificate.
    Fingerprint([u8; 32]),
    /// Its certificate, PEM.
    File(PathBuf),
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Where agents connect.
    pub gateway: SocketAddr,
    /// By what it is known.
    pub authority: Authority,
    /// For enrolment, good for every host.
    pub token: String,
    /// How many.
    pub hosts: u32,
    /// What they do.
    pub mode: Mode,
    /// Alarms in a second.
    pub rate: u32,
    /// Alarms at most.
    pub alarms: u64,
    /// Alarms of one host at once.
    pub burst: u32,
    /// Questions in a second.
    pub questions: u32,
    /// What hosts have and ask, in that mode.
    pub cloud: Cloud,
    /// How long.
    pub time: Duration,
    /// Before the first alarm.
    pub settle: Duration,
    /// Until standard input ends.
    pub hold: bool,
    /// Enrolments in a second.
    pub enrol_rate: u32,
    /// For connections, and for acknowledgements at the end.
    pub patience: Duration,
    /// Of what differs between hosts and alarms.
    pub seed: u64,
    /// Worker threads.
    pub threads: usize,
}

/// What the command line wants.
#[derive(Debug)]
pub enum Wanted {
    /// The usage.
    Help,
    /// A run.
    Run(Box<Plan>),
}

/// Reads the arguments behind the program's name.
///
/// # Errors
/// Names the option and what it takes.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Wanted> {
    let mut rest = arguments.into_iter();
    let (mut gateway, mut authority, mut token) = (None, None, None);
    let mut plan = Plan {
        gateway: SocketAddr::from(([127, 0, 0, 1], 0)),
        authority: Authority::Fingerprint([0; 32]),
        token: String::new(),
        hosts: 1000,
        mode: Mode::Idle,
        rate: 3000,
        alarms: u64::MAX,
        burst: 1,
        questions: 0,
        cloud: Cloud { programs: 0, batch: 512, known: 1000, unknown: 0, liars: 0 },
        time: Duration::from_secs(300),
        settle: Duration::ZERO,
        hold: false,
        enrol_rate: 200,
        patience: Duration::from_secs(120),
        seed: 1,
        threads: std::thread::available_parallelism().map_or(2, usize::from),
    };
    while let Some(option) = rest.next() {
        let o = option.as_str();
        match o {
            "--help" | "-h" => return Ok(Wanted::Help),
            "--hold" => {
                plan.hold = true;
                continue;
            }
            _ => {}
        }
        let word =
            rest.next().with_context(|| format!("{o} is not known, or its value is missing; see --help"))?;
        let seconds = |most| number(o, &word, 0, most).map(Duration::from_secs);
        match o {
            "--gateway" => gateway = Some(address(&word)?),
            "--token" => token = Some(word),
            "--ca-fingerprint" => authority = Some(Authority::Fingerprint(fingerprint(&word)?)),
            "--ca" => authority = Some(Authority::File(word.into())),
            "--hosts" => plan.hosts = small(o, &word, 1_000_000)?,
            "--mode" => plan.mode = mode(&word)?,
            "--rate" => plan.rate = small(o, &word, 1_000_000)?,
            "--alarms" => plan.alarms = number(o, &word, 1, u64::MAX)?,
            "--burst" => plan.burst = small(o, &word, 10_000)?,
            "--programs" => plan.cloud.programs = count(o, &word, 1_000_000)?,
            "--questions" => plan.questions = count(o, &word, 100_000_000)?,
            "--batch" => plan.cloud.batch = small(o, &word, 512)?,
            "--known" => plan.cloud.known = number(o, &word, 1, u64::MAX >> 12)?,
            "--unknown" => plan.cloud.unknown = count(o, &word, 1000)?,
            "--liars" => plan.cloud.liars = count(o, &word, 1_000_000)?,
            "--seconds" => plan.time = seconds(86_400)?,
            "--settle" => plan.settle = seconds(86_400)?,
            "--enrol-rate" => plan.enrol_rate = small(o, &word, 100_000)?,
            "--patience" => plan.patience = seconds(86_400)?,
            "--seed" => plan.seed = number(o, &word, 0, u64::MAX)?,
            "--threads" => plan.threads = small(o, &word, 256)? as usize,
            _ => bail!("{o} is not known; see --help"),
        }
    }
    plan.gateway = gateway.context("--gateway ADDRESS:PORT is missing")?;
    plan.authority =
        authority.context("--ca-fingerprint F or --ca FILE is missing: lazaret-server prints F")?;
    plan.token = token.context("--token T is missing: lazaret-server token --uses N gives one out")?;
    Ok(Wanted::Run(Box::new(plan)))
}

fn number(option: &str, word: &str, least: u64, most: u64) -> Result<u64> {
    let number = word.parse().ok().filter(|n| (least..=most).contains(n));
    number.with_context(|| format!("{option} {word}: a number is wanted, {least} to {most}"))
}

fn small(option: &str, word: &str, most: u32) -> Result<u32> {
    number(option, word, 1, most.into()).map(|n| u32::try_from(n).unwrap_or(most))
}

/// None is a number too.
fn count(option: &str, word: &str, most: u32) -> Result<u32> {
    number(option, word, 0, most.into()).map(|n| u32::try_from(n).unwrap_or(most))
}

fn mode(word: &str) -> Result<Mode> {
    Ok(match word {
        "idle" => Mode::Idle,
        "alarms" => Mode::Alarms,
        "commands" => Mode::Commands,
        "cloud" => Mode::Cloud,
        _ => bail!("--mode {word}: idle, alarms, commands or cloud"),
    })
}

/// Takes what the server prints (`https://127.0.0.1:7443`) as well.
fn address(word: &str) -> Result<SocketAddr> {
    let bare = ["https://", "wss://"].into_iter().find_map(|s| word.strip_prefix(s)).unwrap_or(word);
    let address: SocketAddr = bare
        .parse()
        .with_context(|| format!("--gateway {word}: an address and a port are wanted, as 127.0.0.1:7443"))?;
    ensure!(address.port() != 0, "--gateway {word}: its port is 0");
    Ok(address)
}

fn fingerprint(word: &str) -> Result<[u8; 32]> {
    let digits: Vec<u8> = word.bytes().filter(|c| !matches!(c, b':' | b' ')).collect();
    let mut out = [0; 32];
    ensure!(
        digits.len() == 64 && digits.iter().all(u8::is_ascii_hexdigit),
        "--ca-fingerprint: a SHA-256 digest has 64 hexadecimal digits, this has {}",
        digits.len()
    );
    for (byte, pair) in out.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair)?, 16)?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Wanted> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_whole_line() {
        let print = "ab".repeat(32);
        let line = format!(
            "--gateway https://127.0.0.1:7443 --ca-fingerprint {print} --token t --hosts 5 --mode alarms --rate 7 \
             --alarms 9 --seconds 3 --hold"
        );
        let Ok(Wanted::Run(plan)) = parsed(&line) else { panic!("{line}") };
        assert_eq!(plan.gateway, SocketAddr::from(([127, 0, 0, 1], 7443)));
        assert_eq!(plan.authority, Authority::Fingerprint([0xab; 32]));
        assert_eq!((plan.hosts, plan.mode, plan.rate, plan.alarms), (5, Mode::Alarms, 7, 9));
        assert!(plan.hold && plan.time == Duration::from_secs(3));
        let asks = line.replace("--mode alarms", "--mode cloud --programs 7 --questions 20000 --unknown 50");
        let Ok(Wanted::Run(plan)) = parsed(&asks) else { panic!("{asks}") };
        assert_eq!((plan.mode, plan.questions), (Mode::Cloud, 20_000));
        assert_eq!(plan.cloud, Cloud { programs: 7, batch: 512, known: 1000, unknown: 50, liars: 0 });
        assert!(matches!(parsed("--help"), Ok(Wanted::Help)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let base = "--gateway 127.0.0.1:1 --ca /ca.pem --token t";
        assert!(parsed(base).is_ok());
        for (more, said) in [
            ("--hosts 0", "--hosts 0"),
            ("--hosts many", "1 to 1000000"),
            ("--mode sleep", "idle, alarms, commands or cloud"),
            ("--batch 513", "1 to 512"),
            ("--unknown 1001", "0 to 1000"),
            ("--gateway here", "--gateway here"),
            ("--gateway 127.0.0.1:0", "port is 0"),
            ("--ca-fingerprint abc", "64 hexadecimal digits"),
            ("--seconds", "--seconds"),
            ("--dance 3", "--dance"),
        ] {
            let e = parsed(&format!("{base} {more}")).err().map(|e| format!("{e:#}")).unwrap_or_default();
            assert!(e.contains(said), "{more}: {e}");
        }
        for missing in
            ["--ca /ca.pem --token t", "--gateway 127.0.0.1:1 --token t", "--gateway 127.0.0.1:1 --ca /c"]
        {
            assert!(parsed(missing).is_err(), "{missing}");
        }
    }
}
