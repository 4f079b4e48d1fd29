// SPDX-License-Identifier: Apache-2.0
//! dpkg's database: any bytes as status file and as digest list, and questions about a file.
#![no_main]

use lazaret_packages::PackageDb;
use std::fs::File;

libfuzzer_sys::fuzz_target!(|parts: (&[u8], &[u8], &[u8])| {
    let (status, list, md5sums) = parts;
    let root = tempfile::tempdir().expect("a temporary folder");
    let admin = root.path().join("var/lib/dpkg");
    std::fs::create_dir_all(admin.join("info")).expect("a folder");
    std::fs::write(admin.join("status"), status).expect("a file");
    std::fs::write(admin.join("info/a.list"), list).expect("a file");
    std::fs::write(admin.join("info/a.md5sums"), md5sums).expect("a file");
    let database = PackageDb::open(root.path());
    let file = File::open(admin.join("status")).expect("a file");
    let _ = database.standing(b"/usr/bin/a", &file);
    let _ = database.problems();
});
