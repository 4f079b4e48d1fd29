// SPDX-License-Identifier: Apache-2.0
//! What a fleet of a thousand hosts sends in a month: few classes with most of the alarms, a campaign in the
//! middle, names that repeat and names that do not.

use lazaret_store::{
    AlarmFilter, AlarmRow, Batch, DEFAULT_PROJECT, HostGroupRow, HostRow, Position, Record, Store, What,
};

/// Hosts of the fleet.
pub(crate) const HOSTS: u64 = 1000;
const GROUPS: u64 = 10;
const DAY_MS: i64 = 86_400_000;
/// The end of the month.
const NOW_MS: i64 = 1_790_000_000_000;

const CLASSES: [(&str, &str, &str); 8] = [
    ("miner", "actions", "T1496.001"),
    ("trojan", "installation", "T1204.002"),
    ("webshell", "installation", "T1505.003"),
    ("hacktool", "exploit", "T1068"),
    ("botnet", "command_and_control", "T1071"),
    ("backdoor", "installation", "T1543"),
    ("ransomware", "actions", "T1486"),
    ("rootkit", "installation", "T1014"),
];

/// A number that looks random and is the same in each run.
fn mix(n: u64) -> u64 {
    let mut x = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn host_id(n: u64) -> String {
    format!("0198c0de-0000-7000-8000-{n:012}")
}

/// Groups and hosts; the groups' ids.
pub(crate) async fn fleet(store: &Store) -> Vec<String> {
    let mut groups = Vec::new();
    for n in 0..GROUPS {
        let row = HostGroupRow {
            id: format!("0198c0de-1111-7000-8000-{n:012}"),
            project: DEFAULT_PROJECT.to_owned(),
            name: format!("group {n}"),
            policy_group: None,
            revision: 1,
        };
        store.create_host_group(&row).await.expect("a group");
        groups.push(row.id);
    }
    for n in 0..HOSTS {
        store.insert_host(&host(n, &groups)).await.expect("a host");
    }
    groups
}

fn host(n: u64, groups: &[String]) -> HostRow {
    // One host in fifty is in the last group.
    let group = if n.is_multiple_of(50) { GROUPS - 1 } else { n % (GROUPS - 1) };
    HostRow {
        id: host_id(n),
        project: DEFAULT_PROJECT.to_owned(),
        group: usize::try_from(group).ok().and_then(|g| groups.get(g)).cloned(),
        name: format!("{}-{n:04}.example.net", ["web", "db", "build"][(n % 3) as usize]),
        status: "online".to_owned(),
        importance: if n.is_multiple_of(20) { "important" } else { "common" }.to_owned(),
        version: "0.1.0".to_owned(),
        os: "Debian GNU/Linux 12".to_owned(),
        kernel: "6.1.0".to_owned(),
        arch: "x86_64".to_owned(),
        addresses: format!("10.0.{}.{}", n / 250, n % 250 + 1),
        content_version: "1".to_owned(),
        protection: "full".to_owned(),
        protection_reason: String::new(),
        enrolled_ms: 1,
        seen_ms: NOW_MS,
        status_ms: 1,
        stopped: false,
        revoked: false,
        removed: false,
        generation: 1,
        generation_applied: 1,
        refused: String::new(),
        acked: Position::default(),
        run: String::new(),
        gateway: String::new(),
        machine_id: format!("machine {n}"),
        boot_id: String::new(),
        serial: String::new(),
        certificate_until_ms: NOW_MS,
        report: Vec::new(),
    }
}

/// A session: the journals of some hosts.
pub(crate) struct Sender {
    session: u64,
    sessions: u64,
    all: u64,
}

impl Sender {
    pub(crate) fn new(session: u64, sessions: u64, all: u64) -> Self {
        Self { session, sessions, all }
    }

    /// The next batch of one of its hosts: the alarms of these numbers.
    pub(crate) fn batch(&self, from: u64, to: u64) -> Batch {
        let mine = HOSTS / self.sessions;
        let host = self.session * mine + mix(from) % mine;
        let records = (from..to).map(|n| {
            // Numbers of a journal need only follow: each batch goes on in an epoch of its own.
            let seq = i64::try_from(n - from).unwrap_or(0) + 1;
            Record {
                at: Position { epoch: i64::try_from(from).unwrap_or(0) + 1, seq },
                at_ms: 0,
                what: What::Alarm(Box::new(alarm(n, self.all))),
            }
        });
        Batch { host: host_id(host), records: records.collect() }
    }
}

fn class_of(r: u64) -> usize {
    match r % 1000 {
        0..450 => 0,
        450..700 => 1,
        700..850 => 2,
        850..950 => 3,
        950..985 => 4,
        985..995 => 5,
        995..999 => 6,
        _ => 7,
    }
}

fn bytes32(n: u64) -> Vec<u8> {
    (0..4).flat_map(|i| mix(n.wrapping_mul(31).wrapping_add(i)).to_le_bytes()).collect()
}

fn alarm(n: u64, all: u64) -> AlarmRow {
    let r = mix(n);
    let class = class_of(r);
    let high = (r >> 20) % 10 < 6;
    // The campaign: all that came between 20 and 23 percent of the month.
    let campaign = n * 100 / all >= 20 && n * 100 / all < 23;
    let (word, phase, technique) = CLASSES[class];
    let part = i64::try_from(n).unwrap_or(0) * 30 * DAY_MS / i64::try_from(all).unwrap_or(1).max(1);
    // Some come late.
    let late = if r.is_multiple_of(100) { i64::try_from(r >> 40).unwrap_or(0) % DAY_MS } else { 0 };
    let last_ms = NOW_MS - 30 * DAY_MS + part - late;
    let file = if campaign {
        7
    } else if r.is_multiple_of(3) {
        r % 5000
    } else {
        n + 1_000_000
    };
    let container =
        (r.is_multiple_of(10)).then(|| format!("{:016x}{:016x}", mix(r % 2000), mix(r % 2000 + 1)));
    let auto_block = high && class < 5;
    AlarmRow {
        id: format!(
            "{:08x}-{:04x}-7{:03x}-8{:03x}-{:012x}",
            last_ms >> 16,
            last_ms & 0xffff,
            r & 0xfff,
            r >> 52,
            n
        ),
        host: String::new(),
        project: DEFAULT_PROJECT.to_owned(),
        at_ms: last_ms,
        last_ms,
        received_ms: last_ms,
        count: 1,
        severity: if high { 2 + i64::from(class == 6) } else { i64::try_from(r >> 30 & 1).unwrap_or(0) },
        class: word.to_owned(),
        rating: if high { "high" } else { "medium" }.to_owned(),
        confidence: 95,
        title: if campaign {
            format!("Campaign Kestrel: {word} was written")
        } else {
            format!("{word} of the family fam{} was started", r % 300)
        },
        path: format!(
            "/srv/{}/site{}/{:016x}.bin",
            ["app", "www", "data"][(r % 3) as usize],
            r % 900,
            mix(n + 7)
        )
        .into_bytes(),
        sha256: bytes32(file),
        process_sha256: bytes32(r % 40),
        cmdline: b"/usr/sbin/php-fpm\0--nodaemonize\0".to_vec(),
        uid: 33,
        container: container.unwrap_or_default(),
        origin: "written".to_owned(),
        decision: if auto_block { "isolate_and_kill" } else { "alarm" }.to_owned(),
        auto_block,
        test: r % 5000 == 1,
        isolated: String::new(),
        handled: auto_block && n * 10 / all < 9,
        handled_by: if auto_block { "isolate_and_kill" } else { "" }.to_owned(),
        handled_who: "policy".to_owned(),
        handled_ms: if auto_block { last_ms } else { 0 },
        remark: String::new(),
        suppressed: if r % 200 == 3 { "entry".to_owned() } else { String::new() },
        attack_tag: if auto_block { "attack_blocked" } else { "attack_attempt" }.to_owned(),
        attack_phase: phase.to_owned(),
        technique: technique.to_owned(),
        position: Position::default(),
        details: (0..80).flat_map(|i| mix(n + i).to_le_bytes()).collect(),
    }
}

/// A person deals with a few.
pub(crate) async fn handle_some(store: &Store) {
    let filter = AlarmFilter { classes: vec!["rootkit".to_owned()], ..AlarmFilter::default() };
    let cursor = lazaret_store::Cursor { after: None, limit: 100 };
    let page = store.alarms_page(&lazaret_store::Scope::All, &filter, &cursor).await.expect("a page");
    let ids: Vec<String> = page.items.into_iter().map(|a| a.id).collect();
    store.set_handled(&ids, "ignore", "bench", "", NOW_MS).await.expect("handled");
}

/// The lists that are asked for; the first one is what the others are compared with.
pub(crate) fn filters(groups: &[String]) -> Vec<(&'static str, AlarmFilter)> {
    let any = AlarmFilter::default;
    let word = |w: &str| vec![w.to_owned()];
    let text = |t: &str| AlarmFilter { text: t.to_owned(), ..any() };
    let named = usize::try_from(GROUPS - 1).ok().and_then(|g| groups.get(g)).cloned().unwrap_or_default();
    let large = groups.first().cloned().unwrap_or_default();
    vec![
        ("one host", AlarmFilter { host: host_id(7), ..any() }),
        ("nothing", any()),
        ("unhandled", AlarmFilter { handled: Some(false), ..any() }),
        ("handled", AlarmFilter { handled: Some(true), ..any() }),
        ("auto block", AlarmFilter { auto_block: Some(true), ..any() }),
        ("not auto block, high", AlarmFilter { auto_block: Some(false), ratings: word("high"), ..any() }),
        ("rating medium", AlarmFilter { ratings: word("medium"), ..any() }),
        ("class miner", AlarmFilter { classes: word("miner"), ..any() }),
        ("class rootkit, unhandled", AlarmFilter { classes: word("rootkit"), handled: Some(false), ..any() }),
        ("severity high and critical", AlarmFilter { severities: vec![2, 3], ..any() }),
        ("severity critical", AlarmFilter { severities: vec![3], ..any() }),
        ("test", AlarmFilter { test: Some(true), ..any() }),
        ("suppressed", AlarmFilter { suppressed: true, ..any() }),
        ("group of 20", AlarmFilter { group: named.clone(), ..any() }),
        ("group of 109", AlarmFilter { group: large.clone(), ..any() }),
        (
            "group of 109, webshell, unhandled",
            AlarmFilter { group: large.clone(), classes: word("webshell"), handled: Some(false), ..any() },
        ),
        ("host name db", AlarmFilter { host_name: "DB-".to_owned(), ..any() }),
        ("important hosts", AlarmFilter { importance: "important".to_owned(), ..any() }),
        ("address", AlarmFilter { address: "10.0.3.7".to_owned(), ..any() }),
        ("file, rare", AlarmFilter { sha256: bytes32(1_000_004), ..any() }),
        ("file of the campaign", AlarmFilter { sha256: bytes32(7), ..any() }),
        ("text, one alarm", text(&format!("{:016x}", mix(500_007)))),
        ("text, none", text("zzzz-not-there")),
        ("text of the campaign", text("kestrel")),
        ("text of a family", text("FAM123 ")),
        ("text, half", text("miner")),
        ("text, nearly all", text(".bin")),
        ("text, two letters", text("zq")),
        (
            "text of the campaign, webshell, unhandled",
            AlarmFilter { classes: word("webshell"), handled: Some(false), ..text("kestrel") },
        ),
        ("text half, rootkit", AlarmFilter { classes: word("rootkit"), ..text("miner") }),
        ("text half, not its class", AlarmFilter { classes: word("trojan"), ..text("miner was") }),
        ("text half, group of 109", AlarmFilter { group: large, ..text("miner") }),
        ("container", AlarmFilter { container: format!("{:016x}", mix(40)), ..any() }),
        ("container, any with a", AlarmFilter { container: "a".to_owned(), ..any() }),
        ("in a container", AlarmFilter { in_container: Some(true), ..any() }),
        ("in none, unhandled", AlarmFilter { in_container: Some(false), handled: Some(false), ..any() }),
        ("attack blocked", AlarmFilter { attack_tag: "attack_blocked".to_owned(), ..any() }),
        ("phase exploit", AlarmFilter { attack_phase: "exploit".to_owned(), ..any() }),
        ("technique T1496", AlarmFilter { technique: "T1496".to_owned(), ..any() }),
        (
            "three days of a month, trojan",
            AlarmFilter {
                since_ms: Some(NOW_MS - 20 * DAY_MS),
                until_ms: Some(NOW_MS - 17 * DAY_MS),
                classes: word("trojan"),
                ..any()
            },
        ),
        (
            "last day, host name web, high, unhandled",
            AlarmFilter {
                since_ms: Some(NOW_MS - DAY_MS),
                host_name: "web".to_owned(),
                ratings: word("high"),
                handled: Some(false),
                ..any()
            },
        ),
    ]
}
