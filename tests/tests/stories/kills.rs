// SPDX-License-Identifier: Apache-2.0
//! The daemon is killed, watchdog and all, at random moments while files are dropped and restored: after the
//! next start every file is where it was with a restore that says so, or whole in the vault.

use lazaret_kit::{Daemon, Setup, Volume, bad, eventually};
use lazaret_model::{MalwareClass, TestRating};
use lazaret_sys::process::{ProcessHandle, Signal};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Files that a run drops at most before it is killed.
const MOST: usize = 60;

fn kills() -> usize {
    if std::env::var_os("LAZARET_FULL").is_some() { 200 } else { 20 }
}

/// The same moments for the same seed, as far as the machine allows.
struct Dice(u64);

impl Dice {
    fn between(&mut self, from: u64, to: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        from + self.0 % (to - from)
    }
}

fn content(n: usize) -> Vec<u8> {
    let mut bytes = bad::script(MalwareClass::Trojan, TestRating::High);
    bytes.extend(format!("# {n}\n").bytes());
    bytes
}

/// What the load did before the daemon was gone.
struct Load {
    dropped: usize,
    asked: usize,
}

/// Drops new files and restores old ones until the daemon is killed at a random moment.
fn until_killed(volume: &Volume, daemon: &Daemon, first: usize, old: &[String], after: Duration) -> Load {
    let stop = AtomicBool::new(false);
    let agent = ProcessHandle::open(daemon.agent_pid()).unwrap();
    let watchdog = ProcessHandle::open(daemon.watchdog_pid()).unwrap();
    std::thread::scope(|s| {
        let dropping = s.spawn(|| {
            let mut n = first;
            while n < first + MOST && !stop.load(Ordering::Relaxed) {
                let path = volume.join(&format!("f{n}"));
                std::fs::write(&path, content(n)).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                n += 1;
                std::thread::sleep(Duration::from_millis(4));
            }
            n - first
        });
        let restoring = s.spawn(|| {
            let mut asked = 0;
            for id in old {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                // Refused or cut off: the look afterwards tells.
                let _ = daemon.cli(["isolated", "restore", id]);
                asked += 1;
            }
            asked
        });
        std::thread::sleep(after);
        // The agent first: its watchdog would need 100 ms to start it again, and is not given them.
        agent.signal(Signal::KILL).unwrap();
        watchdog.signal(Signal::KILL).unwrap();
        stop.store(true, Ordering::Relaxed);
        Load { asked: restoring.join().unwrap(), dropped: dropping.join().unwrap() }
    })
}

/// Statuses by path.
fn listed(daemon: &Daemon) -> HashMap<String, Vec<Value>> {
    let mut all: HashMap<String, Vec<Value>> = HashMap::new();
    for i in daemon.json(["isolated", "list"]) {
        all.entry(i["path"].as_str().unwrap_or_default().to_owned()).or_default().push(i);
    }
    all
}

fn has(entries: &[Value], status: &str) -> bool {
    entries.iter().any(|i| i["status"] == status)
}

/// What is wrong with a file now; nothing, in the end.
fn wrong(n: usize, path: &Path, entries: &[Value]) -> Option<String> {
    if path.exists() {
        let found = std::fs::read(path);
        return match found {
            Ok(bytes) if bytes != content(n) => Some(format!("f{n}: its content is another one")),
            Ok(_) if has(entries, "restored") => None,
            // Judged by the read that just was: still there is a matter of moments.
            Ok(_) => Some(format!("f{n} is live, and no restore says so: {entries:?}")),
            Err(_) => Some(format!("f{n} is there and refused: {entries:?}")),
        };
    }
    (!has(entries, "isolated")).then(|| format!("f{n} is nowhere: {entries:?}"))
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.flat_map(|e| if e.path().is_dir() { walk(&e.path()) } else { vec![e.path()] }).collect()
}

#[test]
fn case_26_daemon_killed_at_random_moments() {
    let seed = std::env::var("LAZARET_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(20_261_125);
    let mut dice = Dice(seed);
    let volume = Volume::ext4();
    let state = volume.beside().join("state");
    let setup = || Setup { state: Some(state.clone()), ..Setup::armed(volume.path()) };
    let (mut next, mut asked, mut replays) = (0_usize, 0_usize, 0_usize);
    let began = Instant::now();
    let mut fates: BTreeMap<&str, usize> = BTreeMap::new();
    let mut daemon = Daemon::start(&setup());
    for kill in 0..kills() {
        let said = |why: &dyn std::fmt::Display| format!("seed {seed}, kill {kill}: {why}");
        let first = next;
        let names: Vec<usize> = (first.saturating_sub(2 * MOST)..first).collect();
        let before = listed(&daemon);
        let old: Vec<String> = names
            .iter()
            .filter_map(|n| before.get(volume.join(&format!("f{n}")).to_str()?))
            .filter_map(|e| e.iter().find(|i| i["status"] == "isolated")?["id"].as_str().map(str::to_owned))
            .take(12)
            .collect();
        let after = Duration::from_millis(dice.between(5, 400));
        let load = until_killed(&volume, &daemon, first, &old, after);
        drop(daemon);
        (next, asked) = (first + load.dropped, asked + load.asked);
        // Three such ends within ten minutes lead to safe mode, which isolates nothing: here they are meant.
        for file in ["abnormal_ends", "running"] {
            let _ = std::fs::remove_file(state.join(file));
        }
        daemon = Daemon::start(&setup());
        replays += daemon.log().matches("replayed: ").count();
        let look = first.saturating_sub(2 * MOST)..next;
        let mut bad = Vec::new();
        let fine = eventually(Duration::from_secs(30), || {
            let now = listed(&daemon);
            let none = Vec::new();
            bad = look
                .clone()
                .filter_map(|n| {
                    let path = volume.join(&format!("f{n}"));
                    let entries = path.to_str().and_then(|p| now.get(p)).unwrap_or(&none);
                    wrong(n, &path, entries)
                })
                .collect();
            bad.is_empty()
        });
        assert!(fine, "{}\n{}", said(&format!("{bad:#?}")), daemon.log());
    }
    for entry in listed(&daemon).values().flatten() {
        let status = ["isolated", "restored"].into_iter().find(|s| entry["status"] == *s);
        *fates.entry(status.unwrap_or_else(|| panic!("seed {seed}: {entry}"))).or_default() += 1;
    }
    assert!(daemon.json(["isolated", "verify"]).iter().all(|v| v["ok"] == true), "seed {seed}");
    let staged: Vec<_> = walk(&volume.join(".lazaret-staging"));
    assert!(staged.is_empty(), "seed {seed}: {staged:?}");
    let _ = writeln!(
        std::io::stdout(),
        "seed {seed}: {} kills in {:.0?}; {next} files dropped, {asked} restores asked for, {replays} replayed: {fates:?}",
        kills(),
        began.elapsed()
    );
    assert!(next > kills() * 3, "{next} files in {} rounds are no load", kills());
}
