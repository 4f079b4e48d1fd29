// SPDX-License-Identifier: Apache-2.0
//! Every kind of place on made trees: what must be found is, and what must not is not.

use lazaret_model::{PersistenceEntry, PersistenceKind as Kind, PersistenceLink as Link};
use lazaret_response::persistence::{Found, Limits, Started, find};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const EVIL: &str = "/opt/.x/evil";

struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        tree.file("etc/passwd", "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n");
        std::fs::create_dir_all(tree.path("home/ann")).unwrap();
        std::fs::create_dir_all(tree.path("root")).unwrap();
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    fn link(&self, name: &str, target: &str) -> &Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
        self
    }

    fn find(&self) -> Vec<PersistenceEntry> {
        let found = self.search(&Started::default());
        assert!(found.problems.is_empty(), "{:?}", found.problems);
        found.entries
    }

    fn search(&self, started: &Started) -> Found {
        find(self.0.path(), &[EVIL.into()], started, Limits::default())
    }

    /// The one entry that there must be.
    fn one(&self, kind: Kind, file: &str, line: u32) -> PersistenceEntry {
        let mut found = self.find();
        assert_eq!(found.len(), 1, "{file}: {found:?}");
        let entry = found.remove(0);
        assert_eq!((entry.kind, entry.line), (kind, line), "{entry:?}");
        assert_eq!(String::from_utf8_lossy(&entry.file), file);
        entry
    }
}

/// Name, text whose second line must match, text that must not.
fn lines(kind: Kind, name: &str, bad: &str, good: &str, user: bool, can_be_disabled: bool) {
    let tree = Tree::new();
    tree.file(name, format!("# {EVIL} in a comment\n{bad}\n"));
    let entry = tree.one(kind, &format!("/{name}"), 2);
    assert_eq!(String::from_utf8_lossy(&entry.text), bad.lines().next().unwrap());
    assert_eq!((entry.user, entry.can_be_disabled()), (user, can_be_disabled), "{entry:?}");
    assert_eq!(entry.link, Link::Direct);
    tree.file(name, format!("# {EVIL} in a comment\n{good}\n"));
    assert_eq!(tree.find(), [], "{name}: {good}");
}

#[test]
fn cron_lines() {
    let line = format!("*/5 * * * * root {EVIL} -q");
    for name in ["etc/crontab", "etc/cron.d/job", "etc/anacrontab"] {
        lines(Kind::Cron, name, &line, "*/5 * * * * root /opt/.x/evil2", false, true);
    }
    for name in ["var/spool/cron/crontabs/ann", "var/spool/cron/ann"] {
        lines(Kind::Cron, name, &format!("@reboot {EVIL}"), "@reboot /opt/.x/evil.sh", true, true);
    }
    lines(Kind::Cron, "etc/cron.d/env", &format!("SHELL={EVIL}"), "SHELL=/bin/sh", false, true);
    lines(
        Kind::Cron,
        "etc/cron.d/cd",
        "* * * * * root cd /opt/.x && ./evil",
        "* * * * * root cd /opt && ./evil",
        false,
        true,
    );
}

#[test]
fn a_users_crontab_knows_its_home() {
    let found = |file: &str, line: &str| {
        let tree = Tree::new();
        tree.file(file, format!("{line}\n"));
        let names = [b"/home/ann/.x/run".to_vec()];
        find(tree.0.path(), &names, &Started::default(), Limits::default()).entries.len()
    };
    for line in ["@reboot ~/.x/run", "* * * * * $HOME/.x/run &", "* * * * * cd $HOME; \"${HOME}/.x/run\""] {
        assert_eq!(found("var/spool/cron/crontabs/ann", line), 1, "{line}");
        assert_eq!(found("var/spool/cron/crontabs/bob", line), 0, "{line}");
        assert_eq!(found("etc/cron.d/x", line), 0, "{line}");
    }
}

#[test]
fn cron_scripts_and_links() {
    let tree = Tree::new();
    tree.file("etc/cron.daily/job", format!("#!/bin/sh\n{EVIL} &\n{EVIL} again\n"));
    let entry = tree.one(Kind::Cron, "/etc/cron.daily/job", 2);
    assert!(entry.can_be_disabled());
    std::fs::set_permissions(tree.path("etc/cron.daily/job"), std::fs::Permissions::from_mode(0o644))
        .unwrap();
    assert!(tree.one(Kind::Cron, "/etc/cron.daily/job", 2).only_shown.contains("not executable"));
    std::fs::remove_file(tree.path("etc/cron.daily/job")).unwrap();
    tree.link("etc/cron.hourly/run", "../../opt/.x/evil");
    let entry = tree.one(Kind::Cron, "/etc/cron.hourly/run", 0);
    assert_eq!(entry.text, b"-> ../../opt/.x/evil");
    std::fs::remove_file(tree.path("etc/cron.hourly/run")).unwrap();
    tree.link("etc/cron.hourly/run", "/opt/.x/other").file("opt/.x/other", "#!/bin/sh\nexit 0\n");
    assert_eq!(tree.find(), []);
}

#[test]
fn wrappers_links_and_bare_names() {
    let tree = Tree::new();
    tree.file("etc/cron.d/a", "* * * * * root /bin/sh /usr/local/bin/wrap\n");
    tree.file("usr/local/bin/wrap", format!("#!/bin/sh\n# x\nexec {EVIL}\n"));
    let entry = tree.one(Kind::Cron, "/etc/cron.d/a", 1);
    assert_eq!(entry.link, Link::Wrapper);
    assert!(entry.why.contains("/usr/local/bin/wrap") && entry.why.contains("line 3"), "{}", entry.why);
    // One level only.
    tree.file("usr/local/bin/wrap", "#!/bin/sh\nexec /usr/local/bin/second\n");
    tree.file("usr/local/bin/second", format!("#!/bin/sh\nexec {EVIL}\n"));
    assert_eq!(tree.find(), []);
    // A link that leads there, though the file is gone.
    tree.file("etc/cron.d/a", "* * * * * root /usr/bin/update --now\n")
        .link("usr/bin/update", "/opt/.x/evil");
    let entry = tree.one(Kind::Cron, "/etc/cron.d/a", 1);
    assert_eq!(entry.link, Link::Direct);
    assert!(entry.why.contains("/usr/bin/update"), "{}", entry.why);
    // Named without its folder, which is one where programs are looked for.
    let bare = |name: &str| {
        let tree = Tree::new();
        tree.file("etc/cron.d/a", "* * * * * root kworkerd -q\n");
        find(tree.0.path(), &[name.into()], &Started::default(), Limits::default()).entries
    };
    assert_eq!(bare("/usr/local/bin/kworkerd").first().map(|e| e.link), Some(Link::Bare));
    assert_eq!(bare("/tmp/kworkerd"), []);
}

#[test]
fn names_are_bytes_and_links_are_names() {
    let odd = b"/opt/a b\xff".to_vec();
    let tree = Tree::new();
    tree.file("etc/cron.d/a", b"* * * * * root '/opt/a b\xff'\n* * * * * root /srv/second\n");
    let names = [odd, b"/srv/second".to_vec()];
    let found = find(tree.0.path(), &names, &Started::default(), Limits::default()).entries;
    assert_eq!(found.iter().map(|e| e.line).collect::<Vec<_>>(), [1, 2]);
    assert!(found[1].why.contains("another name"), "{}", found[1].why);
    assert_eq!(found[0].text, b"* * * * * root '/opt/a b\xff'");
}

#[test]
fn systemd_units_and_timers() {
    let unit = |exec: &str| format!("[Unit]\nConditionPathExists={EVIL}\n[Service]\nExecStart={exec}\n");
    for name in [
        "etc/systemd/system/evil.service",
        "run/systemd/system/evil.service",
        "usr/lib/systemd/system/evil.service",
        "lib/systemd/system/evil.service",
    ] {
        let tree = Tree::new();
        tree.file(name, unit(&format!("-{EVIL} --daemon")));
        let entry = tree.one(Kind::SystemdUnit, &format!("/{name}"), 4);
        assert!(!entry.user && entry.can_be_disabled());
        tree.file(name, unit("/usr/bin/good"));
        assert_eq!(tree.find(), [], "a condition runs nothing");
    }
    for name in [
        "home/ann/.config/systemd/user/e.service",
        "etc/systemd/user/e.service",
        "home/ann/.local/share/systemd/user/e.service",
    ] {
        let tree = Tree::new();
        tree.file(name, unit(&format!("/bin/sh \\\n -c {EVIL}")));
        assert!(tree.one(Kind::SystemdUnit, &format!("/{name}"), 4).user);
    }
    let tree = Tree::new();
    tree.file("etc/systemd/system/a.service", unit(EVIL))
        .file("etc/systemd/system/a.timer", "[Timer]\nOnCalendar=*:0/5\n")
        .file("etc/systemd/system/b.timer", "[Timer]\nOnCalendar=daily\nUnit=a.service\n")
        .file("etc/systemd/system/c.timer", "[Timer]\nOnCalendar=daily\n")
        .file("etc/systemd/system/c.service", unit("/usr/bin/good"))
        .link("etc/systemd/system/alias.service", "/etc/systemd/system/a.service");
    let found: Vec<_> =
        tree.find().into_iter().map(|e| (e.kind, String::from_utf8(e.file).unwrap(), e.line)).collect();
    assert_eq!(
        found,
        [
            (Kind::SystemdUnit, "/etc/systemd/system/a.service".to_owned(), 4),
            (Kind::SystemdTimer, "/etc/systemd/system/a.timer".to_owned(), 2),
            (Kind::SystemdTimer, "/etc/systemd/system/b.timer".to_owned(), 2),
        ]
    );
}

#[test]
fn systemd_parts_that_are_only_shown() {
    for (name, why) in [
        ("etc/systemd/system/ssh.service.d/x.conf", "part of a unit"),
        ("run/systemd/transient/run-1.service", "transient"),
        ("run/systemd/generator/x.service", "anew at each boot"),
    ] {
        let tree = Tree::new();
        tree.file(name, format!("[Service]\nExecStartPre={EVIL}\n"));
        let entry = tree.one(Kind::SystemdUnit, &format!("/{name}"), 2);
        assert!(entry.only_shown.contains(why), "{name}: {}", entry.only_shown);
    }
}

#[test]
fn kinds_that_are_only_shown() {
    let run = format!("{EVIL} &");
    let shown = |kind, name: &str, bad: &str, good: &str, user| lines(kind, name, bad, good, user, false);
    for name in ["etc/rc.local", "etc/rc.d/rc.local"] {
        shown(Kind::RcLocal, name, &run, "/opt/.x/evilx &", false);
    }
    shown(Kind::InitScript, "etc/init.d/job", &format!("start-stop-daemon --exec {EVIL}"), "exit 0", false);
    shown(Kind::InitScript, "etc/rc3.d/S99job", &run, "exit 0", false);
    for name in ["etc/profile", "etc/profile.d/x.sh", "etc/bash.bashrc", "etc/environment"] {
        shown(Kind::Profile, name, &run, "exit 0", false);
    }
    for name in [".profile", ".bashrc", ".bash_profile", ".zshrc"] {
        shown(Kind::Profile, &format!("home/ann/{name}"), &run, "exit 0", true);
        shown(Kind::Profile, &format!("root/{name}"), &run, "exit 0", true);
    }
    shown(Kind::Preload, "etc/ld.so.preload", EVIL, "/opt/.x/good.so", false);
    for name in ["var/spool/cron/atjobs/a0000101b", "var/spool/at/a1"] {
        shown(Kind::AtJob, name, &run, "exit 0", true);
    }
    for folder in ["etc", "run", "usr/lib", "lib"] {
        let rule = format!("ACTION==\"add\", RUN+=\"{EVIL}\"");
        let good = format!("ATTR{{x}}==\"{EVIL}\", MODE=\"0600\"");
        shown(Kind::UdevRule, &format!("{folder}/udev/rules.d/99-x.rules"), &rule, &good, false);
    }
    shown(Kind::SshRc, "home/ann/.ssh/rc", &run, "exit 0", true);
    shown(Kind::SshRc, "etc/ssh/sshrc", &run, "exit 0", false);
    let key = format!("command=\"{EVIL}\",no-pty ssh-ed25519 AAAA x");
    shown(Kind::SshKey, "root/.ssh/authorized_keys", &key, &format!("ssh-ed25519 AAAA {EVIL}"), true);
    let pam = format!("session optional pam_exec.so quiet {EVIL}");
    shown(Kind::Pam, "etc/pam.d/sshd", &pam, "session required pam_unix.so", false);
    let install = format!("install usb-storage {EVIL}");
    shown(Kind::KernelModule, "etc/modprobe.d/x.conf", &install, &format!("options x path={EVIL}"), false);
    let exec = format!("Exec={EVIL}");
    shown(Kind::Autostart, "etc/xdg/autostart/x.desktop", &exec, &format!("Icon={EVIL}"), false);
    shown(Kind::Autostart, "home/ann/.config/autostart/x.desktop", "Exec=/opt/.x/evil", "Exec=x", true);
}

#[test]
fn kernel_modules_and_libraries_by_name() {
    let of = |name: &str, file: &str, text: &str| {
        let tree = Tree::new();
        tree.file(file, text);
        find(tree.0.path(), &[name.into()], &Started::default(), Limits::default()).entries
    };
    let module = "/lib/modules/6.1/extra/net-hook.ko.xz";
    for file in ["etc/modules", "etc/modules-load.d/x.conf", "usr/lib/modules-load.d/x.conf"] {
        let found = of(module, file, "loop\nnet_hook\n");
        assert_eq!(found.iter().map(|e| (e.kind, e.line)).collect::<Vec<_>>(), [(Kind::KernelModule, 2)]);
        assert_eq!(of(module, file, "loop\nnet_hook2\n"), []);
    }
    let found =
        of("/usr/lib/x86_64-linux-gnu/security/pam_x.so", "etc/pam.d/su", "auth sufficient pam_x.so\n");
    assert_eq!(found.first().map(|e| (e.kind, e.link)), Some((Kind::Pam, Link::Bare)));
    assert_eq!(of("/tmp/pam_x.so", "etc/pam.d/su", "auth sufficient pam_x.so\n"), []);
    assert_eq!(of("/usr/lib/libx.so", "etc/ld.so.preload", "libx.so\n").len(), 1);
}

#[test]
fn what_started_the_file_is_found_without_naming_it() {
    let tree = Tree::new();
    tree.file("etc/cron.d/get", "*/7 * * * * www /usr/bin/get -q # x\n*/9 * * * * www true\n")
        .file("etc/systemd/system/u@.service", "[Service]\nExecStart=/usr/bin/u\n")
        .file("etc/systemd/system/u@.timer", "[Timer]\nOnCalendar=daily\n");
    assert_eq!(tree.find(), []);
    let started =
        Started { commands: vec![b"/usr/bin/get -q # x".to_vec()], units: vec!["u@one.service".into()] };
    let found = tree.search(&started).entries;
    let seen: Vec<_> = found.iter().map(|e| (e.kind, e.line, e.link)).collect();
    assert_eq!(
        seen,
        [
            (Kind::Cron, 1, Link::Started),
            (Kind::SystemdUnit, 2, Link::Started),
            (Kind::SystemdTimer, 2, Link::Started),
        ]
    );
}

#[test]
fn a_hostile_tree_neither_blocks_nor_leads_out() {
    let tree = Tree::new();
    let secret = tree.0.path().parent().unwrap().join(format!("lz-secret-{}", std::process::id()));
    std::fs::write(&secret, format!("{EVIL}\n")).unwrap();
    let fifo = |name: &str| {
        let path = tree.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
    };
    for name in ["etc/cron.d/fifo", "home/ann/.bashrc", "etc/systemd/system/f.service", "etc/rc.local"] {
        fifo(name);
    }
    tree.link("home/ann/.profile", secret.to_str().unwrap())
        .link("home/ann/.ssh", "../../etc")
        .link("home/ann/.zshrc", "/dev/zero")
        .link("etc/profile", "/proc/self/root/etc/passwd")
        .link("etc/cron.daily/loop", "loop")
        .link("etc/environment", secret.to_str().unwrap())
        .file("etc/cron.d/huge", vec![b'x'; 3 << 20])
        .file("etc/cron.d/lines", format!("{}* * * * * root {EVIL}\n", "\n".repeat(10_000)));
    // A device that must not even be opened, where one may be made.
    let _ = std::process::Command::new("mknod").arg(tree.path("etc/bashrc")).args(["c", "1", "5"]).status();
    let begin = Instant::now();
    let found = tree.search(&Started::default());
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert_eq!(found.entries.len(), 1, "{found:?}");
    assert_eq!(found.entries[0].line, 10_001);
    let problems = found.problems.join("\n");
    for part in ["cron.d/fifo", "ann/.bashrc", "ann/.profile", "cron.d/huge", "rc.local"] {
        assert!(problems.contains(part), "{part}: {problems}");
    }
    std::fs::remove_file(secret).unwrap();
}

#[test]
fn limits_hold_and_are_said() {
    let tree = Tree::new();
    for i in 0..50 {
        tree.file(&format!("etc/cron.d/job{i}"), format!("* * * * * root {EVIL}\n"));
    }
    let with = |limits: Limits| find(tree.0.path(), &[EVIL.into()], &Started::default(), limits);
    let found = with(Limits { entries: 10, ..Limits::default() });
    assert_eq!(found.entries.len(), 10);
    assert!(found.problems.iter().any(|p| p.contains("more than 10")), "{:?}", found.problems);
    let found = with(Limits { files: 20, ..Limits::default() });
    assert!(found.files <= 20 && found.problems.iter().any(|p| p.contains("only 20 files")));
    let found = with(Limits { time: Duration::ZERO, ..Limits::default() });
    assert!(found.entries.is_empty() && found.problems.iter().any(|p| p.contains("within")));
    let found = find(Path::new("/nonexistent-root"), &[EVIL.into()], &Started::default(), Limits::default());
    assert!(found.problems[0].contains("cannot be opened"));
}

#[test]
fn this_host_is_searched_in_a_moment() {
    let names = [b"/nonexistent/lazaret/program".to_vec()];
    let begin = Instant::now();
    let found = find(Path::new("/"), &names, &Started::default(), Limits::default());
    assert_eq!(found.entries, [], "nothing names what never was");
    assert!(found.files > 10 && begin.elapsed() < Duration::from_secs(10), "{} files", found.files);
}

#[test]
fn the_owner_is_the_files() {
    let tree = Tree::new();
    tree.file("var/spool/cron/crontabs/ann", format!("* * * * * {EVIL}\n"));
    chown(tree.path("var/spool/cron/crontabs/ann"), Some(1000), None).unwrap();
    assert_eq!(tree.one(Kind::Cron, "/var/spool/cron/crontabs/ann", 1).uid, 1000);
}
