// SPDX-License-Identifier: Apache-2.0
//! dpkg's database, made by dpkg itself in a temporary root, and the one of this machine.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

use lazaret_packages::{Manager, PackageDb, Standing};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

const DESCRIPTION: &str = "harmless stand-in\n It does nothing\n .\n at all.";

struct Root {
    dir: tempfile::TempDir,
}

impl Root {
    /// A root as Debian has it since 12: `/bin` is a link. `None` where there is no dpkg.
    fn new() -> Option<Self> {
        Command::new("dpkg-deb").arg("--version").output().ok()?;
        let dir = tempfile::tempdir().unwrap();
        for d in
            ["root/var/lib/dpkg/info", "root/var/lib/dpkg/updates", "root/usr/bin", "root/var/lib/apt/lists"]
        {
            fs::create_dir_all(dir.path().join(d)).unwrap();
        }
        symlink("usr/bin", dir.path().join("root/bin")).unwrap();
        fs::write(dir.path().join("root/var/lib/dpkg/status"), "").unwrap();
        Some(Self { dir })
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    fn db(&self) -> PackageDb {
        PackageDb::open(&self.path())
    }

    fn standing(&self, path: &str) -> Standing {
        self.db().standing(path.as_bytes(), &File::open(self.path().join(&path[1..])).unwrap())
    }

    /// Builds a package with dpkg-deb and installs it with dpkg. Folders of files are made as given,
    /// `/etc` files are configuration files.
    fn install(&self, name: &str, files: &[(&str, &str)]) {
        let tree = self.dir.path().join("build").join(name);
        fs::create_dir_all(tree.join("DEBIAN")).unwrap();
        let mut sums = String::new();
        let mut conffiles = String::new();
        for (path, content) in files {
            let target = tree.join(&path[1..]);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::write(&target, content).unwrap();
            if path.starts_with("/etc/") {
                conffiles.push_str(&format!("{path}\n"));
            } else {
                sums.push_str(&format!("{}  {}\n", md5(content), &path[1..]));
            }
        }
        fs::write(tree.join("DEBIAN/md5sums"), sums).unwrap();
        if !conffiles.is_empty() {
            fs::write(tree.join("DEBIAN/conffiles"), conffiles).unwrap();
        }
        fs::write(
            tree.join("DEBIAN/control"),
            format!(
                "Package: {name}\nVersion: 1.0-1\nArchitecture: all\nMaintainer: Tester <t@example.invalid>\n\
                 Installed-Size: 4\nDescription: {DESCRIPTION}\n"
            ),
        )
        .unwrap();
        let deb = self.dir.path().join(format!("{name}.deb"));
        run(Command::new("dpkg-deb").args(["--root-owner-group", "--build"]).arg(&tree).arg(&deb));
        let mut dpkg = Command::new("dpkg");
        dpkg.arg(format!("--root={}", self.path().display()));
        dpkg.args([
            "--force-not-root",
            "--force-script-chrootless",
            "--force-bad-path",
            "--log=/dev/null",
            "-i",
        ]);
        run(dpkg.arg(&deb));
    }

    /// Puts an index and a release that covers it where apt keeps them.
    fn publish(&self, index: &str) {
        let lists = self.path().join("var/lib/apt/lists");
        fs::write(lists.join("host_debian_dists_x_main_binary-all_Packages"), index).unwrap();
        let release = format!(
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: Test\nSHA256:\n {} {} main/binary-all/Packages\n\
             -----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n",
            Sha256::digest(index).iter().map(|b| format!("{b:02x}")).collect::<String>(),
            index.len()
        );
        fs::write(lists.join("host_debian_dists_x_InRelease"), release).unwrap();
    }
}

fn run(command: &mut Command) {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
}

fn md5(text: &str) -> String {
    use md5::Digest as _;
    md5::Md5::digest(text).iter().map(|b| format!("{b:02x}")).collect()
}

fn stanza(name: &str, maintainer: &str) -> String {
    format!(
        "Package: {name}\nVersion: 1.0-1\nArchitecture: all\nMaintainer: {maintainer}\nInstalled-Size: 4\n\
         Description: harmless stand-in\nDescription-md5: {}\n\n",
        md5(&format!("{DESCRIPTION}\n"))
    )
}

#[track_caller]
fn owned(standing: Standing) -> (String, bool, bool, String) {
    match standing {
        Standing::Owned { package, manager: Manager::Dpkg, intact, trusted, why } => {
            (package, intact, trusted, why)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn owned_intact_changed_and_nobodys() {
    let Some(root) = Root::new() else { return };
    root.install(
        "tiny",
        &[("/usr/bin/tiny", "#!/bin/true\n"), ("/bin/old", "old\n"), ("/etc/tiny.conf", "a=1\n")],
    );
    for path in ["/usr/bin/tiny", "/bin/tiny", "/usr/bin/old", "/etc/tiny.conf"] {
        let (package, intact, trusted, why) = owned(root.standing(path));
        assert_eq!((package.as_str(), intact, trusted), ("tiny 1.0-1", true, false), "{path}: {why}");
        assert!(why.contains("no signed package index"), "{why}");
    }
    for (path, content) in [("usr/bin/tiny", "#!/bin/false\n"), ("etc/tiny.conf", "a=2\n")] {
        fs::write(root.path().join(path), content).unwrap();
        let (_, intact, _, why) = owned(root.standing(&format!("/{path}")));
        assert!(!intact && why.contains("differs"), "{path}: {why}");
    }
    fs::write(root.path().join("usr/bin/stranger"), "x").unwrap();
    assert_eq!(root.standing("/usr/bin/stranger"), Standing::Unowned);
    let db = root.db();
    let file = File::open(root.path().join("usr/bin/stranger")).unwrap();
    assert!(matches!(db.standing(b"usr/bin/stranger", &file), Standing::Unknown(_)), "relative");
    assert_eq!(db.standing(b"/usr/bin", &File::open("/").unwrap()), Standing::Unowned);
    assert!(db.trust_available().unwrap_err().contains("apt-get update"));
    assert_eq!((db.packages(), db.managers()), (1, vec![Manager::Dpkg]));
}

#[test]
fn only_a_signed_index_buys_trust() {
    let Some(root) = Root::new() else { return };
    root.install("good", &[("/usr/bin/good", "good\n")]);
    root.install("evil", &[("/usr/bin/evil", "evil\n")]);
    let good = stanza("good", "Tester <t@example.invalid>");
    root.publish(&good);
    let db = root.db();
    assert_eq!(db.trust_available(), Ok(1), "{:?}", db.problems());
    let (_, intact, trusted, why) = owned(root.standing("/usr/bin/good"));
    assert!(intact && trusted && why.is_empty(), "{why}");
    let (_, intact, trusted, why) = owned(root.standing("/usr/bin/evil"));
    assert!(intact && !trusted && why.contains("in no signed package index"), "{why}");

    // The name and version of a published package do not suffice.
    root.publish(&format!("{good}{}", stanza("evil", "Somebody Else <e@example.invalid>")));
    let (_, _, trusted, why) = owned(root.standing("/usr/bin/evil"));
    assert!(!trusted && why.contains("another maintainer"), "{why}");

    // An index that is not the signed one vouches for nobody.
    let index = root.path().join("var/lib/apt/lists/host_debian_dists_x_main_binary-all_Packages");
    fs::write(&index, format!("{good}{}", stanza("evil", "Tester <t@example.invalid>"))).unwrap();
    let db = root.db();
    assert!(db.trust_available().is_err());
    assert!(db.problems().iter().any(|p| p.contains("digest is not the one")), "{:?}", db.problems());

    // Nor does one that others can write, or a release without signature.
    root.publish(&good);
    fs::set_permissions(&index, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(root.db().trust_available().is_err());
    fs::set_permissions(&index, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(root.db().trust_available(), Ok(1));
    let release = root.path().join("var/lib/apt/lists/host_debian_dists_x_InRelease");
    let text = fs::read_to_string(&release).unwrap().replace("-----BEGIN PGP SIGNATURE-----", "");
    fs::write(&release, text).unwrap();
    assert!(root.db().problems().iter().any(|p| p.contains("no signature")));
}

#[test]
fn compressed_index_is_read() {
    let Some(root) = Root::new() else { return };
    root.install("good", &[("/usr/bin/good", "good\n")]);
    // Long enough for several linked blocks.
    let mut index = String::new();
    for i in 0..20_000 {
        index.push_str(&stanza(&format!("other-{i}"), "Tester <t@example.invalid>"));
    }
    index.push_str(&stanza("good", "Tester <t@example.invalid>"));
    root.publish(&index);
    let plain = root.path().join("var/lib/apt/lists/host_debian_dists_x_main_binary-all_Packages");
    let packed = Command::new("lz4").arg("-q").arg(&plain).arg(plain.with_extension("lz4")).status();
    assert!(packed.is_ok_and(|s| s.success()), "lz4 is missing: cargo xtask test installs it");
    let target = plain.with_file_name("host_debian_dists_x_main_binary-all_Packages.lz4");
    if !target.exists() {
        fs::rename(plain.with_extension("lz4"), &target).unwrap();
    }
    fs::remove_file(&plain).unwrap();
    let db = root.db();
    assert_eq!(db.trust_available(), Ok(1), "{:?}", db.problems());
    let whole = fs::read(&target).unwrap();
    fs::write(&target, &whole[..whole.len() / 2]).unwrap();
    let db = root.db();
    assert!(db.trust_available().is_err() && db.problems().len() == 1, "{:?}", db.problems());
}

#[test]
fn diverted_files_keep_their_owners() {
    let Some(root) = Root::new() else { return };
    root.install("first", &[("/usr/bin/shared", "first\n")]);
    let divert = root.path().join("var/lib/dpkg/diversions");
    fs::write(&divert, "/usr/bin/shared\n/usr/bin/shared.first\nsecond\n").unwrap();
    fs::rename(root.path().join("usr/bin/shared"), root.path().join("usr/bin/shared.first")).unwrap();
    root.install("second", &[("/usr/bin/shared", "second\n")]);
    let (package, intact, ..) = owned(root.standing("/usr/bin/shared"));
    assert_eq!((package.as_str(), intact), ("second 1.0-1", true));
    let (package, intact, ..) = owned(root.standing("/usr/bin/shared.first"));
    assert_eq!((package.as_str(), intact), ("first 1.0-1", true));
}

#[test]
fn a_change_is_noticed_and_nobody_is_condemned_meanwhile() {
    let Some(root) = Root::new() else { return };
    root.install("one", &[("/usr/bin/one", "1\n")]);
    let mut db = root.db();
    assert!(!db.is_stale() && !db.refresh());
    root.install("two", &[("/usr/bin/two", "2\n")]);
    let two = File::open(root.path().join("usr/bin/two")).unwrap();
    assert!(matches!(db.standing(b"/usr/bin/two", &two), Standing::Unknown(_)));
    assert!(db.is_stale() && db.refresh());
    assert!(matches!(db.standing(b"/usr/bin/two", &two), Standing::Owned { intact: true, .. }));
    // Removed packages own nothing.
    let remove = format!("--root={}", root.path().display());
    run(Command::new("dpkg").args([&remove, "--force-not-root", "--log=/dev/null", "-P", "two"]));
    fs::write(root.path().join("usr/bin/two"), "2\n").unwrap();
    assert!(db.refresh());
    assert_eq!(db.standing(b"/usr/bin/two", &two), Standing::Unowned);
}

#[test]
fn damaged_and_missing_databases() {
    let empty = tempfile::tempdir().unwrap();
    let db = PackageDb::open(empty.path());
    let file = tempfile::tempfile().unwrap();
    assert_eq!(db.standing(b"/usr/bin/x", &file), Standing::Unowned);
    assert!(db.managers().is_empty() && db.problems().is_empty());
    assert!(db.trust_available().unwrap_err().contains("no package database"));

    let admin = empty.path().join("var/lib/dpkg");
    fs::create_dir_all(admin.join("status")).unwrap();
    let db = PackageDb::open(empty.path());
    assert!(
        matches!(db.standing(b"/usr/bin/x", &file), Standing::Unknown(_)),
        "a folder where the file should be"
    );
    assert_eq!(db.problems().len(), 1);
    fs::remove_dir(admin.join("status")).unwrap();
    let mut rubbish: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    rubbish.extend(b"\n\nPackage: ../../etc\nStatus: install ok installed\nArchitecture: all\n\nPackage: a\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n");
    fs::write(admin.join("status"), rubbish).unwrap();
    let db = PackageDb::open(empty.path());
    assert_eq!(db.packages(), 1);
    assert!(db.problems().iter().any(|p| p.contains("file list of a")), "{:?}", db.problems());
}

#[test]
fn the_package_tool_of_this_machine_is_owned_and_intact() {
    let path = Path::new("/usr/bin/dpkg");
    let db = PackageDb::open(Path::new("/"));
    let (package, intact, _, why) = owned(db.standing(b"/usr/bin/dpkg", &File::open(path).unwrap()));
    assert!(package.starts_with("dpkg ") && intact, "{package}: {why}");
    // Listed as /bin/... on merged hosts, and by the diversion rules of dash or bash.
    let real = fs::canonicalize("/bin/sh").unwrap();
    let shell = real.to_str().unwrap();
    let (_, intact, _, why) = owned(db.standing(shell.as_bytes(), &File::open(&real).unwrap()));
    assert!(intact, "{shell}: {why}");
    let (paths, bytes) = db.index_size();
    assert!(paths > 1_000 && bytes <= paths * 16, "{paths} paths in {bytes} bytes");
    match db.trust_available() {
        Ok(n) => assert!(n <= db.packages()),
        Err(why) => assert!(!why.is_empty()),
    }
    println!("{paths} paths, {bytes} bytes, trust {:?}, problems {:?}", db.trust_available(), db.problems());
}
