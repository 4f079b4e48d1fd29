// SPDX-License-Identifier: Apache-2.0
//! rpm's database, made by rpm itself in a temporary root. Needs the programs rpm and rpmbuild (and
//! gpg with rpmsign for the signed part); without them there is nothing real to test on.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use lazaret_packages::{Manager, PackageDb, Standing};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

struct Root {
    dir: tempfile::TempDir,
}

impl Root {
    fn new() -> Option<Self> {
        for tool in ["rpm", "rpmbuild"] {
            Command::new(tool).arg("--version").output().ok()?;
        }
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("root/var/lib/rpm")).unwrap();
        Some(Self { dir })
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    fn rpm(&self, program: &str) -> Command {
        let mut c = Command::new(program);
        c.env("HOME", self.dir.path()).env("GNUPGHOME", self.dir.path().join("gnupg"));
        c.args(["--define", "_db_backend sqlite"]);
        c.arg("--define").arg(format!("_topdir {}", self.dir.path().join("build").display()));
        c.args(["--define", "__gpg /usr/bin/gpg"]);
        c.arg("--define").arg(format!("_gpg_path {}", self.dir.path().join("gnupg").display()));
        c
    }

    fn build(&self, name: &str, content: &str) -> PathBuf {
        let spec = self.dir.path().join(format!("{name}.spec"));
        fs::write(
            &spec,
            format!(
                "Name: {name}\nVersion: 2.1\nRelease: 3\nEpoch: 1\nSummary: harmless stand-in\nLicense: Apache-2.0\n\
                 BuildArch: noarch\n%description\nIt does nothing.\n%install\nmkdir -p %{{buildroot}}/usr/bin \
                 %{{buildroot}}/etc\nprintf '%s' '{content}' > %{{buildroot}}/usr/bin/{name}\n\
                 echo a=1 > %{{buildroot}}/etc/{name}.conf\n%files\n/usr/bin/{name}\n%config /etc/{name}.conf\n"
            ),
        )
        .unwrap();
        run(self.rpm("rpmbuild").arg("-bb").arg(&spec));
        self.dir.path().join(format!("build/RPMS/noarch/{name}-2.1-3.noarch.rpm"))
    }

    fn install(&self, package: &Path) {
        let mut c = self.rpm("rpm");
        c.arg("--root").arg(self.path()).args(["--dbpath", "/var/lib/rpm", "-i", "--nodeps", "--noscripts"]);
        run(c.arg(package));
    }

    fn standing(&self, path: &str) -> Standing {
        PackageDb::open(&self.path())
            .standing(path.as_bytes(), &File::open(self.path().join(&path[1..])).unwrap())
    }
}

/// gpg leaves an agent behind for its folder; it ends by this.
impl Drop for Root {
    fn drop(&mut self) {
        let home = self.dir.path().join("gnupg");
        if home.exists() {
            drop(Command::new("gpgconf").arg("--homedir").arg(&home).args(["--kill", "all"]).output());
        }
    }
}

fn run(command: &mut Command) {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
}

#[track_caller]
fn owned(standing: Standing) -> (String, bool, bool, String) {
    match standing {
        Standing::Owned { package, manager: Manager::Rpm, intact, trusted, why } => {
            (package, intact, trusted, why)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn unsigned_package_is_owned_intact_and_untrusted() {
    let Some(root) = Root::new() else { return };
    root.install(&root.build("tiny", "harmless"));
    for path in ["/usr/bin/tiny", "/etc/tiny.conf"] {
        let (package, intact, trusted, why) = owned(root.standing(path));
        assert_eq!((package.as_str(), intact, trusted), ("tiny 1:2.1-3", true, false), "{why}");
        assert!(why.contains("no signature"), "{why}");
    }
    fs::write(root.path().join("usr/bin/tiny"), "changed").unwrap();
    let (_, intact, _, why) = owned(root.standing("/usr/bin/tiny"));
    assert!(!intact && why.contains("differs"), "{why}");
    fs::write(root.path().join("usr/bin/stranger"), "x").unwrap();
    assert_eq!(root.standing("/usr/bin/stranger"), Standing::Unowned);

    let mut db = PackageDb::open(&root.path());
    assert_eq!((db.packages(), db.managers()), (1, vec![Manager::Rpm]));
    assert!(db.trust_available().unwrap_err().contains("signed"));
    root.install(&root.build("other", "more"));
    let other = File::open(root.path().join("usr/bin/other")).unwrap();
    assert!(matches!(db.standing(b"/usr/bin/other", &other), Standing::Unknown(_)));
    assert!(db.refresh());
    assert!(matches!(db.standing(b"/usr/bin/other", &other), Standing::Owned { intact: true, .. }));
}

#[test]
fn a_signature_by_an_imported_key_buys_trust() {
    let Some(root) = Root::new() else { return };
    let home = root.dir.path().join("gnupg");
    fs::create_dir(&home).unwrap();
    fs::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let gpg = || {
        let mut c = Command::new("gpg");
        c.arg("--homedir").arg(&home).args(["--batch", "--no-tty", "--pinentry-mode", "loopback"]);
        c
    };
    let made = gpg()
        .args([
            "--passphrase",
            "",
            "--quick-generate-key",
            "Tester <t@example.invalid>",
            "rsa2048",
            "sign",
            "never",
        ])
        .output();
    assert!(made.is_ok_and(|o| o.status.success()), "gpg is missing: cargo xtask test installs gnupg");
    let rpmsign = Command::new("rpmsign").arg("--version").output();
    assert!(rpmsign.is_ok(), "rpmsign is missing: cargo xtask test installs rpm");
    let package = root.build("signed", "harmless");
    run(root.rpm("rpmsign").args(["--define", "_gpg_name t@example.invalid", "--addsign"]).arg(&package));
    root.install(&package);
    root.install(&root.build("unsigned", "harmless"));
    let (_, intact, trusted, why) = owned(root.standing("/usr/bin/signed"));
    assert!(intact && !trusted && why.contains("not imported"), "{why}");

    let key = root.dir.path().join("key.asc");
    run(gpg().args(["--armor", "--output"]).arg(&key).args(["--export", "t@example.invalid"]));
    run(root
        .rpm("rpm")
        .arg("--root")
        .arg(root.path())
        .args(["--dbpath", "/var/lib/rpm", "--import"])
        .arg(&key));
    let (_, intact, trusted, why) = owned(root.standing("/usr/bin/signed"));
    assert!(intact && trusted && why.is_empty(), "{why}");
    let (_, _, trusted, why) = owned(root.standing("/usr/bin/unsigned"));
    assert!(!trusted && why.contains("no signature"), "{why}");
    assert_eq!(PackageDb::open(&root.path()).trust_available(), Ok(1));
}

#[test]
fn damaged_and_old_databases_answer_unknown() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("var/lib/rpm");
    fs::create_dir_all(&folder).unwrap();
    let file = tempfile::tempfile().unwrap();
    assert_eq!(PackageDb::open(dir.path()).standing(b"/usr/bin/x", &file), Standing::Unowned);
    fs::write(folder.join("Packages"), "old").unwrap();
    assert!(
        matches!(PackageDb::open(dir.path()).standing(b"/usr/bin/x", &file), Standing::Unknown(w) if w.contains("SQLite"))
    );
    fs::write(folder.join("rpmdb.sqlite"), "not a database, but long enough to have a header of its own")
        .unwrap();
    assert!(matches!(PackageDb::open(dir.path()).standing(b"/usr/bin/x", &file), Standing::Unknown(_)));
    // Headers that are no headers are skipped and told.
    fs::remove_file(folder.join("rpmdb.sqlite")).unwrap();
    let c = rusqlite::Connection::open(folder.join("rpmdb.sqlite")).unwrap();
    c.execute_batch("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL); INSERT INTO Packages VALUES (1, x'00ff'), (2, zeroblob(9));")
        .unwrap();
    drop(c);
    let db = PackageDb::open(dir.path());
    assert_eq!(db.packages(), 0);
    assert_eq!(db.problems().len(), 2, "{:?}", db.problems());
    assert_eq!(db.standing(b"/usr/bin/x", &file), Standing::Unowned);
}
