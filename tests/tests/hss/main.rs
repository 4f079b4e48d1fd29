// SPDX-License-Identifier: Apache-2.0
//! The unmodified Huawei Cloud SDK drives a real server with two real agents in network namespaces: the scenario of
//! somebody's scripts, every operation, and what is refused (the scripts are in `tests/hss/`).

use lazaret_kit::pg::Cluster;
use lazaret_kit::{Daemon, Net, Server, ServerSetup, Setup, Volume, bad, binaries, eventually, python};
use lazaret_model::{MalwareClass, TestRating};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    /// People over TLS, with a certificate of the server's own authority.
    Sqlite,
    /// People over plain HTTP, on loopback.
    Postgres,
}

/// A server with a project that is the scripts', one that is not, and two hosts.
struct Site {
    server: Server,
    hosts: Vec<(Daemon, Volume, String)>,
    folder: TempDir,
    key: Value,
    foreign: String,
    _net: Net,
    _cluster: Option<Cluster>,
}

fn host(server: &Server, net: &Net, number: usize, known: &[String]) -> (Daemon, Volume, String) {
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup {
        mounts: vec![volume.path().to_owned()],
        more: server.section(),
        namespace: Some(net.namespace(number)),
        ..Setup::default()
    });
    let host = server.eventually("/hosts", "an online host", |h| {
        h["status"] == "online" && !known.iter().any(|k| h["id"] == k.as_str())
    });
    let id = host["id"].as_str().expect("id").to_owned();
    (daemon, volume, id)
}

impl Site {
    fn new(base: Base) -> Self {
        let net = Net::new(2);
        let cluster = (base == Base::Postgres).then(Cluster::start);
        let database = cluster.as_ref().map(|c| c.create("lazaret"));
        let server = Server::start(&ServerSetup {
            database,
            agents: Some(net.server()),
            https: base == Base::Sqlite,
            more: format!(
                "[deep_scan]\nworkers = 1\npack = {:?}\nscanner = {:?}\n",
                binaries::deep_pack(),
                binaries::path("lazaret-scanner")
            ),
            ..ServerSetup::default()
        });
        let first = host(&server, &net, 0, &[]);
        let second = host(&server, &net, 1, std::slice::from_ref(&first.2));
        let key = server.post("/me/access-keys", &json!({"note": "the story"}));
        let foreign = server.post("/projects", &json!({"name": "the others"}));
        let foreign = foreign["id"].as_str().expect("a project").to_owned();
        let folder = tempfile::Builder::new().prefix("lazaret-hss-").tempdir_in("/var/tmp").expect("folder");
        let rated = [("high", TestRating::High), ("medium", TestRating::Medium), ("low", TestRating::Low)];
        let classes = [MalwareClass::Worm, MalwareClass::Trojan, MalwareClass::Miner, MalwareClass::WebShell];
        for class in classes {
            for (word, rating) in rated {
                let path = folder.path().join(format!("{class}-{word}"));
                std::fs::write(path, bad::script(class, rating)).expect("a stand-in");
            }
        }
        std::fs::write(folder.path().join("clean"), "#!/bin/sh\necho ran\n").expect("a program");
        Self { server, hosts: vec![first, second], folder, key, foreign, _net: net, _cluster: cluster }
    }

    /// Runs one of the scripts to its end.
    fn script(&self, name: &str) {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("hss");
        let list = |f: &dyn Fn(&(Daemon, Volume, String)) -> String| {
            self.hosts.iter().map(f).collect::<Vec<_>>().join(",")
        };
        let text = |name: &str| self.key[name].as_str().expect("a key").to_owned();
        let mut command = Command::new(python::interpreter());
        command
            .arg(scripts.join(name))
            // Nothing of the tests is written beside their sources.
            .env("PYTHONDONTWRITEBYTECODE", "1")
            // The certificate's name of this machine.
            .env("LAZARET_URL", self.server.api.replace("https://127.0.0.1", "https://localhost"))
            .env("LAZARET_AK", text("access"))
            .env("LAZARET_SK", text("secret"))
            .env("LAZARET_PROJECT", "0")
            .env("LAZARET_FOREIGN", &self.foreign)
            .env("LAZARET_PASSWORD", lazaret_kit::fleet::PASSWORD)
            .env("LAZARET_HOSTS", list(&|h| h.2.clone()))
            .env("LAZARET_VOLUMES", list(&|h| h.1.path().display().to_string()))
            .env("LAZARET_PROGRAMS", self.folder.path())
            .env("LAZARET_COVERED", self.covered_file())
            .env("LAZARET_SDK", Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/hss/sdk.json"));
        if self.server.api.starts_with("https") {
            command.env("LAZARET_CA", self.server.data().join("authority/authority.pem"));
        }
        let out = command.output().expect("Python");
        let said =
            format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        let logs: Vec<String> = self.hosts.iter().map(|h| h.0.log()).collect();
        assert!(
            out.status.success(),
            "{name}: {}: {said}\n{}\n{}",
            out.status,
            self.server.log(),
            logs.join("\n")
        );
        say(&said);
    }

    fn covered_file(&self) -> PathBuf {
        self.folder.path().join("covered")
    }

    /// Operations that were called, and with what they answered best.
    fn covered(&self) -> BTreeMap<String, u16> {
        let mut out = BTreeMap::new();
        for line in std::fs::read_to_string(self.covered_file()).unwrap_or_default().lines() {
            let (name, status) = line.split_once(' ').expect("name and status");
            let status = status.parse().expect("status");
            out.entry(name.to_owned()).and_modify(|s: &mut u16| *s = (*s).min(status)).or_insert(status);
        }
        out
    }
}

/// For who reads what a run printed.
fn say(text: &str) {
    // A run whose output is closed is no worse for it.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Operations of the list, by the table that the server itself goes by.
fn wanted() -> Vec<String> {
    let text = include_str!("../../../crates/hss/sdk.json");
    let sdk: Value = serde_json::from_str(text).expect("what the SDK knows");
    let all = sdk["operations"].as_array().expect("operations");
    let names = all.iter().filter(|o| !o["answer"].is_null()).filter_map(|o| o["name"].as_str());
    names.map(str::to_owned).collect()
}

/// What is none of Lazaret's by its nature.
const NOT_IMPLEMENTED: [&str; 7] = [
    "change_antivirus_pay_per_scan_status",
    "create_anti_virus_paid_task",
    "list_anti_virus_paid_hosts",
    "show_antivirus_free_quota",
    "show_antivirus_pay_per_scan_status",
    "uninstall_agents",
    "upgrade_agents",
];

fn the_sdk_drives_lazaret(base: Base) {
    let site = Site::new(base);
    for (daemon, _, id) in &site.hosts {
        let applied = || site.server.get(&format!("/hosts/{id}"))["host"]["generation_applied"].as_i64();
        assert!(eventually(Duration::from_secs(20), || applied() > Some(0)), "{}", daemon.log());
    }
    site.script("story.py");
    site.script("every.py");
    site.script("bad.py");
    let (covered, wanted) = (site.covered(), wanted());
    assert_eq!(wanted.len(), 79);
    let mut wrong = Vec::new();
    for name in &wanted {
        let expected = if NOT_IMPLEMENTED.contains(&name.as_str()) { 501 } else { 200 };
        if covered.get(name) != Some(&expected) {
            wrong.push(format!("{name}: {:?}, not {expected}", covered.get(name)));
        }
    }
    let good = wanted.len() - wrong.len();
    say(&format!("{good} of {} operations exercised through the SDK on {base:?}\n", wanted.len()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

mod sqlite {
    #[test]
    fn the_sdk_drives_lazaret() {
        super::the_sdk_drives_lazaret(super::Base::Sqlite);
    }
}

mod postgres {
    #[test]
    fn the_sdk_drives_lazaret() {
        super::the_sdk_drives_lazaret(super::Base::Postgres);
    }
}
