// SPDX-License-Identifier: Apache-2.0
//! What is disabled comes back byte for byte, whatever happened in between.

mod support;

use lazaret_model::{Action, Guard, JournalId, Outcome, PersistenceEntry, PersistenceKind as Kind};
use lazaret_response::persistence::{DisableTarget, Limits, Started, find};
use lazaret_response::{Order, Plan, Report, Responder, Step};
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use support::{Fs, State, judge, run};

const EVIL: &str = "/opt/.x/evil";

fn write(root: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    run("touch", &["-d".as_ref(), "2011-11-11 11:11:11.123456789 UTC".as_ref(), path.as_os_str()]);
    path
}

/// A host with one of each that can be disabled.
fn host(root: &Path) {
    let home = "home/ann";
    write(root, "etc/passwd", "ann:x:1234:5678::/home/ann:/bin/sh\n", 0o644);
    write(
        root,
        "etc/crontab",
        &format!("SHELL=/bin/sh\n# c\n* * * * * root {EVIL}\n@daily root true\n"),
        0o644,
    );
    let tab = format!("@reboot {EVIL} 1\n* * * * * true\n*/2 * * * * {EVIL} 2");
    let tab = write(root, "var/spool/cron/crontabs/ann", &tab, 0o600);
    chown(&tab, Some(1234), Some(5678)).unwrap();
    let daily = write(root, "etc/cron.daily/job", &format!("#!/bin/sh\n{EVIL}\n"), 0o755);
    run("setfattr", &["-n".as_ref(), "trusted.x".as_ref(), "-v".as_ref(), "y".as_ref(), daily.as_os_str()]);
    run("setfattr", &["-n".as_ref(), "trusted.x".as_ref(), "-v".as_ref(), "y".as_ref(), tab.as_os_str()]);
    std::fs::create_dir_all(root.join("etc/cron.hourly")).unwrap();
    symlink(EVIL, root.join("etc/cron.hourly/run")).unwrap();
    let unit =
        format!("[Service]\nExecStart={EVIL}\n[Install]\nWantedBy=multi-user.target\nAlias=other.service\n");
    write(root, "etc/systemd/system/own.service", &unit, 0o644);
    write(root, "etc/systemd/system/own.timer", "[Timer]\nOnCalendar=daily\n", 0o644);
    write(root, "usr/lib/systemd/system/vendor.service", &unit, 0o644);
    for (link, target) in [
        ("etc/systemd/system/multi-user.target.wants/own.service", "/etc/systemd/system/own.service"),
        ("etc/systemd/system/multi-user.target.wants/good.service", "/usr/lib/systemd/system/good.service"),
        (
            "etc/systemd/system/multi-user.target.wants/vendor.service",
            "/usr/lib/systemd/system/vendor.service",
        ),
        ("etc/systemd/system/timers.target.wants/own.timer", "../own.timer"),
        ("etc/systemd/system/other.service", "/etc/systemd/system/own.service"),
    ] {
        let path = root.join(link);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }
    write(root, &format!("{home}/.config/systemd/user/u.service"), &unit, 0o640);
    write(root, &format!("{home}/.local/share/systemd/user/s.service"), &unit, 0o640);
    for name in [".config/systemd", ".config/systemd/user", ".local/share/systemd/user/s.service"] {
        chown(root.join(home).join(name), Some(1234), Some(5678)).unwrap();
    }
}

/// Every name below a folder: what tools that know nothing of Lazaret say about it.
fn snapshot(root: &Path) -> BTreeMap<PathBuf, String> {
    fn walk(dir: &Path, out: &mut BTreeMap<PathBuf, String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let m = std::fs::symlink_metadata(&path).unwrap();
            if m.is_dir() {
                out.insert(path.clone(), format!("folder {:o} {} {}", m.mode(), m.uid(), m.gid()));
                walk(&path, out);
            } else if m.is_symlink() {
                let target = std::fs::read_link(&path).unwrap();
                let times = (m.mtime(), m.mtime_nsec());
                out.insert(path, format!("link {} {} {} {times:?}", target.display(), m.uid(), m.gid()));
            } else {
                out.insert(path.clone(), format!("{:?}", judge(&path)));
            }
        }
    }
    let mut out = BTreeMap::new();
    for top in ["etc", "var", "home", "usr"] {
        walk(&root.join(top), &mut out);
    }
    out
}

fn entries(root: &Path) -> Vec<PersistenceEntry> {
    let found = find(root, &[EVIL.into()], &Started::default(), Limits::default());
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    found.entries
}

fn disable(r: &Responder, root: &Path, entry: &PersistenceEntry) -> Report {
    let target =
        DisableTarget { root: root.to_owned(), entry: entry.clone(), may_disable: Arc::new(|_, _| Ok(())) };
    r.execute(Plan { alarm: None, who: "test".into(), order: Order::Disable(target) })
}

fn enable(r: &Responder, id: JournalId) -> Report {
    r.execute(Plan { alarm: None, who: "test".into(), order: Order::Enable { id } })
}

fn done(report: &Report, action: Action) {
    assert_eq!(report.outcome(action), Some(&Outcome::Done), "{report:?}");
}

fn refused(report: &Report, action: Action) -> String {
    match report.outcome(action) {
        Some(Outcome::Refused(why)) => why.clone(),
        other => panic!("{other:?}"),
    }
}

/// What tests that know cron's and systemd's rules would say.
fn nothing_runs(root: &Path) {
    assert_eq!(
        entries(root).into_iter().filter(|e| e.kind == Kind::Cron && !e.file.ends_with(b"job")).count(),
        0
    );
    let mode = std::fs::metadata(root.join("etc/cron.daily/job")).unwrap().mode();
    assert_eq!(mode & 0o111, 0);
    let system = root.join("etc/systemd/system");
    assert_eq!(std::fs::read_link(system.join("vendor.service")).unwrap(), Path::new("/dev/null"));
    for unit in ["own.service", "own.timer"] {
        let parts = std::fs::read_dir(system.join(format!("{unit}.d"))).unwrap();
        let text: String = parts.map(|p| std::fs::read_to_string(p.unwrap().path()).unwrap()).collect();
        assert!(text.contains("\n[Unit]\nConditionPathExists=!/\n"), "{text}");
    }
    let wants = |target: &str| {
        let names = std::fs::read_dir(system.join(format!("{target}.wants"))).unwrap();
        names.map(|n| n.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(wants("multi-user.target"), ["good.service"]);
    assert!(wants("timers.target").is_empty());
    assert!(!system.join("other.service").exists());
    let user = root.join("home/ann/.config/systemd/user");
    let mask = user.join("s.service");
    assert_eq!(std::fs::read_link(&mask).unwrap(), Path::new("/dev/null"));
    assert_eq!(std::fs::symlink_metadata(&mask).unwrap().uid(), 1234, "it is the user's to remove");
    assert!(user.join("u.service.d").is_dir());
}

#[test]
fn case_30_everything_that_is_disabled_comes_back_exactly() {
    for kind in ["ext4", "tmpfs"] {
        let fs = Fs::new(kind);
        let state = State::fast();
        let r = state.open();
        host(&fs.dir);
        let before = snapshot(&fs.dir);
        let found = entries(&fs.dir);
        assert_eq!(found.len(), 10, "{found:#?}");
        assert!(found.iter().all(PersistenceEntry::can_be_disabled));
        for entry in &found {
            done(&disable(&r, &fs.dir, entry), Action::Disable);
        }
        nothing_runs(&fs.dir);
        assert_eq!(r.disabled().len(), 10);
        // In the order in which they were disabled, not the other way round.
        for record in r.disabled() {
            done(&enable(&r, record.id), Action::Enable);
        }
        assert_eq!(snapshot(&fs.dir), before, "{kind}");
        assert!(r.disabled().is_empty());
        // And the other way round.
        for entry in &found {
            done(&disable(&r, &fs.dir, entry), Action::Disable);
        }
        for record in r.disabled().into_iter().rev() {
            done(&enable(&r, record.id), Action::Enable);
        }
        assert_eq!(snapshot(&fs.dir), before, "{kind}");
    }
}

#[test]
fn case_25_locked_crontabs_are_unlocked_and_locked_again() {
    let fs = Fs::new("ext4");
    let state = State::fast();
    let r = state.open();
    let tab = write(&fs.dir, "etc/cron.d/job", &format!("* * * * * root {EVIL}\n"), 0o644);
    let flags = |path: &Path| run("lsattr", &["-d".as_ref(), path.as_os_str()]);
    let chattr = |flag: &str, path: &Path| run("chattr", &[flag.as_ref(), path.as_os_str()]);
    chattr("+i", &tab);
    chattr("+i", tab.parent().unwrap());
    let (before, folder) = (judge(&tab), flags(tab.parent().unwrap()));
    let report = disable(&r, &fs.dir, &entries(&fs.dir)[0]);
    done(&report, Action::Disable);
    assert_eq!(entries(&fs.dir), []);
    assert!(flags(&tab).split(' ').next().unwrap().contains('i'));
    assert_eq!(flags(tab.parent().unwrap()), folder);
    done(&enable(&r, report.journal), Action::Enable);
    assert_eq!(judge(&tab), before);
    assert_eq!(flags(tab.parent().unwrap()), folder);
    chattr("-i", tab.parent().unwrap());
    chattr("-i", &tab);
}

#[test]
fn case_30_edits_of_others_are_kept() {
    let fs = Fs::new("tmpfs");
    let state = State::fast();
    let r = state.open();
    let line = format!("* * * * * root {EVIL}");
    let tab = write(&fs.dir, "etc/crontab", &format!("a\n{line}\nb\n"), 0o644);
    let report = disable(&r, &fs.dir, &entries(&fs.dir)[0]);
    done(&report, Action::Disable);
    let text = std::fs::read_to_string(&tab).unwrap();
    assert!(text.contains("# lazaret: the next line was disabled for alarm"), "{text}");
    assert!(text.contains(&format!("\n#lazaret# {line}\n")), "{text}");
    // Somebody adds a line: only ours is undone, and the file is newer than it was.
    std::fs::write(&tab, format!("{text}new\n")).unwrap();
    std::fs::set_permissions(&tab, std::fs::Permissions::from_mode(0o600)).unwrap();
    done(&enable(&r, report.journal), Action::Enable);
    assert_eq!(std::fs::read_to_string(&tab).unwrap(), format!("a\n{line}\nb\nnew\n"));
    let m = std::fs::metadata(&tab).unwrap();
    assert_eq!(m.mode() & 0o777, 0o600, "whoever changed the mode meant it");
    assert!(m.mtime() > 1_500_000_000);
    // Somebody removes it: nothing is overwritten, and the way out is said.
    let report = disable(&r, &fs.dir, &entries(&fs.dir)[0]);
    std::fs::write(&tab, "all new\n").unwrap();
    let why = refused(&enable(&r, report.journal), Action::Enable);
    assert!(why.contains("was edited since") && why.contains(&line), "{why}");
    assert_eq!(std::fs::read_to_string(&tab).unwrap(), "all new\n");
    assert_eq!(r.disabled().len(), 1, "it can be tried again");
    std::fs::write(&tab, format!("all new\n{line}\n")).unwrap();
    done(&enable(&r, report.journal), Action::Enable);
    assert!(r.disabled().is_empty());
}

#[test]
fn case_30_units_that_were_changed_since_are_not_overwritten() {
    let fs = Fs::new("tmpfs");
    let state = State::fast();
    let r = state.open();
    host(&fs.dir);
    let found = entries(&fs.dir);
    let of = |name: &str| found.iter().find(|e| e.file.ends_with(name.as_bytes())).unwrap();
    let vendor = disable(&r, &fs.dir, of("vendor.service"));
    let own = disable(&r, &fs.dir, of("own.service"));
    let mask = fs.dir.join("etc/systemd/system/vendor.service");
    std::fs::remove_file(&mask).unwrap();
    std::fs::write(&mask, "[Unit]\n").unwrap();
    let why = refused(&enable(&r, vendor.journal), Action::Enable);
    assert!(why.contains("taken by something else"), "{why}");
    assert_eq!(std::fs::read(&mask).unwrap(), b"[Unit]\n");
    std::fs::remove_file(&mask).unwrap();
    done(&enable(&r, vendor.journal), Action::Enable);
    // Somebody else's drop-in beside ours stays, with its folder.
    let theirs = fs.dir.join("etc/systemd/system/own.service.d/theirs.conf");
    std::fs::write(&theirs, "[Unit]\n").unwrap();
    done(&enable(&r, own.journal), Action::Enable);
    assert_eq!(std::fs::read_dir(theirs.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn what_changed_since_it_was_found_is_left_alone() {
    let fs = Fs::new("tmpfs");
    let state = State::fast();
    let r = state.open();
    host(&fs.dir);
    let before = entries(&fs.dir);
    std::fs::write(fs.dir.join("etc/crontab"), "clean\n").unwrap();
    std::fs::remove_file(fs.dir.join("etc/cron.hourly/run")).unwrap();
    std::fs::remove_file(fs.dir.join("etc/cron.daily/job")).unwrap();
    std::fs::remove_file(fs.dir.join("usr/lib/systemd/system/vendor.service")).unwrap();
    for name in ["etc/crontab", "cron.hourly/run", "cron.daily/job", "vendor.service"] {
        let entry = before.iter().find(|e| e.file.ends_with(name.as_bytes())).unwrap();
        let report = disable(&r, &fs.dir, entry);
        assert_eq!(report.outcome(Action::Disable), Some(&Outcome::AlreadyGone), "{name}");
    }
    // A second name, and a folder that is a link by now.
    let tab = fs.dir.join("var/spool/cron/crontabs/ann");
    std::fs::hard_link(&tab, tab.with_file_name("second")).unwrap();
    let entry = before.iter().find(|e| e.file.ends_with(b"crontabs/ann")).unwrap();
    assert!(refused(&disable(&r, &fs.dir, entry), Action::Disable).contains("2 names"));
    std::fs::rename(fs.dir.join("var/spool"), fs.dir.join("var/moved")).unwrap();
    symlink("moved", fs.dir.join("var/spool")).unwrap();
    assert!(refused(&disable(&r, &fs.dir, entry), Action::Disable).contains("through a link"));
    assert!(r.disabled().is_empty());
    drop(r);
    state.open();
}

#[test]
fn guards_are_asked_and_other_kinds_are_only_shown() {
    let fs = Fs::new("tmpfs");
    let state = State::fast();
    let r = state.open();
    let tab = write(&fs.dir, "etc/crontab", &format!("* * * * * root {EVIL}\n"), 0o644);
    write(&fs.dir, "etc/rc.local", &format!("{EVIL}\n"), 0o755);
    let before = judge(&tab);
    for entry in entries(&fs.dir) {
        let cron = entry.kind == Kind::Cron;
        let target = DisableTarget {
            root: fs.dir.clone(),
            entry,
            may_disable: Arc::new(|path, file| {
                assert!(path == b"/etc/crontab" && file.metadata().unwrap().len() > 10);
                Err(Guard::IntactPackage("cron 3".into()))
            }),
        };
        let report = r.execute(Plan { alarm: None, who: "test".into(), order: Order::Disable(target) });
        let why = refused(&report, Action::Disable);
        assert!(why.contains(if cron { "intact package cron 3" } else { "only shown" }), "{why}");
    }
    assert_eq!(judge(&tab), before);
}

fn driver() -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    let path = exe.parent().unwrap().parent().unwrap().join("examples/persist_one");
    assert!(path.exists(), "{} is built with --all-targets", path.display());
    path
}

/// Runs the driver; true when it died at the step.
fn dies(state: &State, root: &Path, verb: &str, step: Step, n: usize) -> bool {
    let out = Command::new(driver())
        .args([state.dir.path(), root])
        .args([verb, EVIL, &format!("{step:?}"), &n.to_string()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success() || out.status.signal() == Some(9), "{step:?}: {said}");
    out.status.signal() == Some(9)
}

/// Nothing half-made is left anywhere.
fn no_leftovers(root: &Path) {
    for path in snapshot(root).keys() {
        assert!(!path.file_name().unwrap().to_string_lossy().starts_with(".lazaret"), "{}", path.display());
    }
}

/// Dies at the n-th passing of each step of both verbs; replay brings it to an end; all comes back.
fn crashes(verb: &str, at_least: usize) {
    let mut died = 0;
    for step in Step::OF_PERSISTENCE {
        for n in [1, 2, 4, 7, 11] {
            let fs = Fs::new("tmpfs");
            let state = State::fast();
            host(&fs.dir);
            let before = snapshot(&fs.dir);
            if verb == "enable" {
                assert!(!dies(&state, &fs.dir, "disable", Step::Sealed, 1));
            }
            if !dies(&state, &fs.dir, verb, step, n) {
                break;
            }
            died += 1;
            let (r, replayed) = Responder::open(state.config()).unwrap();
            assert!(replayed.len() <= 1, "{replayed:?}");
            for one in &replayed {
                let action = if verb == "disable" { Action::Disable } else { Action::Enable };
                assert_eq!(one.report.outcome(action), Some(&Outcome::Done), "{step:?} {n} {one:?}");
            }
            no_leftovers(&fs.dir);
            drop(r);
            let r = state.open();
            if verb == "disable" {
                for entry in entries(&fs.dir) {
                    let report = disable(&r, &fs.dir, &entry);
                    let outcome = report.outcome(Action::Disable);
                    let again = matches!(outcome, Some(Outcome::Refused(why))
                        if why.contains("already") || why.contains("not executable"));
                    assert!(again || outcome == Some(&Outcome::Done), "{report:?}");
                }
                nothing_runs(&fs.dir);
            }
            for record in r.disabled() {
                done(&enable(&r, record.id), Action::Enable);
            }
            assert_eq!(snapshot(&fs.dir), before, "{verb} {step:?} {n}");
            drop(r);
            assert!(state.open().disabled().is_empty());
        }
    }
    assert!(died >= at_least, "{died}");
}

#[test]
fn case_26_crash_at_every_step_of_disable() {
    crashes("disable", 20);
}

#[test]
fn case_26_crash_at_every_step_of_enable() {
    crashes("enable", 20);
}
