// SPDX-License-Identifier: Apache-2.0
//! The line that makes a machine a host, run by a real shell where nobody else sees what it does: its own
//! `/usr/local`, `/etc`, `/run` and `/var/lib`.

use lazaret_kit::proc::Running;
use lazaret_kit::{Server, ServerSetup, Volume, binaries, eventually};
use serde_json::json;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A machine's folders of its own, over those of this one.
const APART: &str = r#"
set -eu
mkdir "$here/mnt" && mount -t tmpfs -o mode=0755 own "$here/mnt"
for place in /usr/local /etc /var/lib /var/cache; do
    own="$here/mnt$place"
    mkdir -p "$own/up" "$own/work"
    mount -t overlay -o "lowerdir=$place,upperdir=$own/up,workdir=$own/work" own "$place"
done
mount -t tmpfs -o mode=0755 own /run
rm -rf /etc/lazaret /var/lib/lazaret
nothing() {
    for path in /usr/local/sbin/lazaretd /usr/local/bin/lazaret /usr/local/lib/lazaret /usr/local/share/lazaret \
        /etc/lazaret /var/lib/lazaret/uplink; do
        if [ -e "$path" ]; then echo "left: $path"; exit 90; fi
    done
}
"#;

fn programs() -> tempfile::TempDir {
    let folder = tempfile::tempdir_in("/var/tmp").expect("temporary folder");
    let _ = binaries::pack();
    for name in ["lazaretd", "lazaret", "lazaret-scanner", "lazaret.pack"] {
        let target = folder.path().join(name);
        if std::fs::hard_link(binaries::folder().join(name), &target).is_err() {
            std::fs::copy(binaries::folder().join(name), &target).expect("copy");
        }
    }
    folder
}

/// Runs it as root of a machine of its own.
fn shell(folder: &Path, script: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "--", "sh", "-c", &format!("{APART}{script}")]);
    command
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("here", folder)
        .current_dir("/");
    command
}

fn with(folder: &Path, line: &str, name: &str) -> String {
    std::fs::write(folder.join(name), line).expect("line");
    format!("sh \"$here/{name}\" >\"$here/{name}.out\" 2>&1")
}

fn said(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(format!("{name}.out"))).unwrap_or_default()
}

#[test]
fn one_line_makes_a_machine_a_host_of_its_group() {
    let programs = programs();
    let more = format!("[install]\nprograms = {:?}\n", programs.path());
    let mut server = Server::start(&ServerSetup { more, https: true, ..ServerSetup::default() });
    // Its ports stand in its configuration now, and so in the line.
    server.kill();
    server.restart();
    let group = server.post("/host-groups", &json!({"project": "0", "name": "web"}));
    let made = server.post("/enrolment-tokens", &json!({"project": "0", "group": group["id"]}));
    let line = made["install"].as_str().expect("line");
    let (token, authority) = (made["token"].as_str().unwrap(), server.authority.clone());
    let volume = Volume::tmpfs();
    let folder = tempfile::tempdir_in("/var/tmp").expect("temporary folder");
    let here = folder.path();
    // Three that must leave nothing behind: another authority, a token that is not known, a program that
    // is not what the script names.
    let unknown = format!("lzt_{}", "A".repeat(43));
    let other = with(here, &line.replace(&authority, &"0".repeat(64)), "other");
    let refused = with(here, &line.replace(token, &unknown), "refused");
    let changed = line.replace(
        "&& sh install.sh",
        "&& sed -i 's/^lazaret.pack [0-9a-f]*/lazaret.pack 00/' install.sh && sh install.sh",
    );
    assert_ne!(changed, line);
    let changed = with(here, &changed, "changed");
    let (good, again) = (with(here, line, "good"), with(here, line, "again"));
    let script = format!(
        r#"
{other} && exit 91; nothing
{refused} && exit 92; nothing
{changed} && exit 93; nothing
{good}
{again}
cd /usr/local && stat -c '%a %u %n' sbin/lazaretd bin/lazaret lib/lazaret/lazaret-scanner share/lazaret/content.pack \
    /etc/lazaret/lazaretd.toml >"$here/modes"
cd /
sed -i 's|^#mounts = .*|mounts = ["{}"]|' /etc/lazaret/lazaretd.toml
lazaret --version >"$here/version"
exec lazaretd --config /etc/lazaret/lazaretd.toml 2>"$here/daemon"
"#,
        volume.path().display()
    );
    let mut command = shell(here, &script);
    let errors = std::fs::File::create(here.join("errors")).expect("errors");
    // Its own session: what it starts ends with it.
    command.process_group(0);
    let mut machine = Running::start_with(&mut command, errors);
    let words = || {
        let mut text = std::fs::read_to_string(here.join("errors")).unwrap_or_default();
        for name in ["other", "refused", "changed", "good", "again"] {
            text.push_str(&format!("\n== {name}\n{}", said(here, name)));
        }
        text + &std::fs::read_to_string(here.join("daemon")).unwrap_or_default()
    };
    let mut host = None;
    let online = eventually(Duration::from_secs(60), || {
        let hosts = server.get("/hosts");
        host = hosts["items"].as_array().and_then(|h| h.first().cloned());
        host.as_ref().is_some_and(|h| h["status"] == "online") || machine.ended().is_some()
    });
    let host =
        host.unwrap_or_else(|| panic!("no host: {:?}\n{}\n{}", machine.ended(), words(), server.log()));
    assert!(online && host["status"] == "online", "{host}\n{:?}\n{}", machine.ended(), words());
    assert_eq!(host["group"]["id"].as_str().or(host["group"].as_str()), group["id"].as_str(), "{host}");
    let hosts = server.get("/hosts");
    assert_eq!(hosts["items"].as_array().map(Vec::len), Some(1), "the second time it is the same host");
    assert!(said(here, "other").contains("another authority"), "{}", words());
    assert!(said(here, "refused").contains("undone"), "{}", words());
    assert!(said(here, "changed").contains("lazaret.pack is not what"), "{}", words());
    assert!(said(here, "again").contains("host already"), "{}", words());
    assert!(said(here, "good").contains("no systemd"), "{}", words());
    let modes = std::fs::read_to_string(here.join("modes")).unwrap();
    let wanted = "755 0 sbin/lazaretd\n755 0 bin/lazaret\n755 0 lib/lazaret/lazaret-scanner\n\
                  644 0 share/lazaret/content.pack\n640 0 /etc/lazaret/lazaretd.toml\n";
    assert_eq!(modes, wanted);
    assert!(std::fs::read_to_string(here.join("version")).unwrap().starts_with("lazaret "));
    machine.terminate(Duration::from_secs(20));
    assert!(!Path::new("/usr/local/sbin/lazaretd.lazaret-new").exists(), "this machine is as it was");
}
