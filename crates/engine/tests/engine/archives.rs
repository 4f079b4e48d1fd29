// SPDX-License-Identifier: Apache-2.0
//! Members of archives: found, bounded, and never the end of a scan.

use crate::stand_ins::{BAD, eicar, engine, ids, shipped};
use lazaret_engine::{Engine, Limits, MAX_DEPTH, MAX_MEMBERS};
use lazaret_model::{EvidenceKind, FileType, MalwareClass, Rating, ScanReport, Thresholds};
use std::io::{Cursor, Read, Write};
use std::time::{Duration, Instant};
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

fn zip_with(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        out.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        out.write_all(bytes).unwrap();
    }
    out.finish().unwrap().into_inner()
}

fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    zip_with(members, CompressionMethod::Deflated)
}

fn tar_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        out.append_data(&mut header, name, *bytes).unwrap();
    }
    out.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut out = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn scan(bytes: &[u8]) -> ScanReport {
    engine().scanner().scan_bytes(bytes, true).unwrap()
}

fn paths(report: &ScanReport) -> Vec<String> {
    report
        .members
        .iter()
        .map(|v| String::from_utf8_lossy(v.member.as_deref().unwrap()).into_owned())
        .collect()
}

#[test]
fn every_form_is_opened() {
    let inner = [("readme", &b"nothing"[..]), ("dir/bad", BAD)];
    for (form, bytes, path, file_type) in [
        ("zip", zip_of(&inner), "dir/bad", FileType::Zip),
        ("zip stored", zip_with(&inner, CompressionMethod::Stored), "dir/bad", FileType::Zip),
        ("zip bzip2", zip_with(&inner, CompressionMethod::Bzip2), "dir/bad", FileType::Zip),
        ("zip xz", zip_with(&inner, CompressionMethod::Xz), "dir/bad", FileType::Zip),
        ("tar", tar_of(&inner), "dir/bad", FileType::Tar),
        ("gzip", gzip(BAD), "content", FileType::Gzip),
        ("two gzip members", [gzip(b"nothing"), gzip(BAD)].concat(), "content", FileType::Gzip),
        ("bzip2", bzip2(BAD), "content", FileType::Bzip2),
        ("xz", xz(BAD), "content", FileType::Xz),
        ("zstd", zstd(BAD), "content", FileType::Zstd),
        (
            "zstd frames",
            [zstd(b"x"), b"\x50\x2a\x4d\x18\x03\0\0\0abc".to_vec(), zstd(BAD)].concat(),
            "content",
            FileType::Zstd,
        ),
        ("tar.gz", gzip(&tar_of(&inner)), "content/dir/bad", FileType::Gzip),
        ("tar.bz2", bzip2(&tar_of(&inner)), "content/dir/bad", FileType::Bzip2),
        ("tar.xz", xz(&tar_of(&inner)), "content/dir/bad", FileType::Xz),
        ("tar.zst", zstd(&tar_of(&inner)), "content/dir/bad", FileType::Zstd),
    ] {
        let report = scan(&bytes);
        assert_eq!(report.verdict.file_type, file_type, "{form}");
        assert_eq!(paths(&report), [path], "{form}: {:?}", report.unscanned);
        assert_eq!(report.unscanned, [""; 0], "{form}");
        let member = &report.members[0];
        assert_eq!(member.rating(Thresholds::default()), Some(Rating::High), "{form}");
        assert_eq!(ids(member), ["quokka"]);
        // The archive itself: medium at most, for it is not what runs.
        let evidence = report.verdict.evidence.iter().find(|e| e.kind == EvidenceKind::Member).unwrap();
        assert!(!evidence.decisive && evidence.detail.contains(path), "{form}: {evidence:?}");
        // Unless its own bytes show the pattern (stored, or not worth compressing).
        if !bytes.windows(13).any(|w| w == b"quokka quokka") {
            assert_eq!(report.verdict.rating(Thresholds::default()), Some(Rating::Medium), "{form}");
        }
        assert_eq!(report.verdict.class, MalwareClass::Miner);
        assert!(report.verdict.member.is_none());
    }
}

#[test]
fn without_members_nothing_is_opened() {
    let report = engine().scanner().scan_bytes(&zip_of(&[("bad", BAD)]), false).unwrap();
    assert!(!report.verdict.is_found() && report.members.is_empty() && report.objects == 1);
}

#[test]
fn the_limits_of_a_server_are_higher_and_hold_as_well() {
    let mut bytes = zip_of(&[("bad", BAD)]);
    for _ in 0..MAX_DEPTH {
        bytes = gzip(&bytes);
    }
    assert_eq!(scan(&bytes).members.len(), 0);
    let deep = engine().with_limits(Limits { depth: 8, ..Limits::default() });
    let report = deep.scanner().scan_bytes(&bytes, true).unwrap();
    assert_eq!(report.members.len(), 1, "{:?}", report.unscanned);
    let narrow = engine().with_limits(Limits { members: 1, member: 8, ..Limits::default() });
    let report = narrow.scanner().scan_bytes(&zip_of(&[("a", BAD), ("b", b"x")]), true).unwrap();
    assert!(report.members.is_empty());
    for line in ["larger than 8 bytes", "more than 1 members"] {
        assert!(report.unscanned.iter().any(|l| l.contains(line)), "{line}: {:?}", report.unscanned);
    }
}

#[test]
fn nested_to_the_limit_and_not_further() {
    let mut bytes = zip_of(&[("bad", BAD)]);
    for depth in 2..=MAX_DEPTH + 1 {
        bytes = match depth % 3 {
            0 => tar_of(&[("more", &bytes)]),
            1 => zip_of(&[("more", &bytes)]),
            _ => gzip(&bytes),
        };
        let report = scan(&bytes);
        if depth <= MAX_DEPTH {
            assert_eq!(report.members.len(), 1, "depth {depth}: {:?}", report.unscanned);
        } else {
            assert_eq!(report.members.len(), 0);
            assert!(report.unscanned.iter().any(|l| l.contains("nested deeper")), "{:?}", report.unscanned);
            assert!(!report.verdict.is_found());
        }
    }
}

#[test]
fn names_are_raw_bytes() {
    let mut name = b"evil\n\xff\xfe".to_vec();
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(&name);
    header.set_size(BAD.len() as u64);
    header.set_cksum();
    let mut out = tar::Builder::new(Vec::new());
    out.append(&header, BAD).unwrap();
    let report = scan(&out.into_inner().unwrap());
    assert_eq!(report.members[0].member.as_deref(), Some(&name[..]));
    name.clear();
}

#[test]
fn two_members_of_one_name_are_both_scanned() {
    // The zip library refuses to write this; attackers do not: rename one of two names of one length.
    let mut bytes = zip_of(&[("same.a", BAD), ("same.b", b"nothing")]);
    while let Some(at) = bytes.windows(6).position(|w| w == b"same.b") {
        bytes[at + 5] = b'a';
    }
    assert_eq!(paths(&scan(&bytes)), ["same.a"]);
}

#[test]
fn a_zip_behind_something_else() {
    let zip = zip_of(&[("bad", BAD)]);
    for head in [&b"#!/usr/bin/env python3\n"[..], b"GIF89a\0\0\0\0", b"\xff\xd8\xff\xe0 picture \0"] {
        assert_eq!(paths(&scan(&[head, &zip].concat())), ["bad"]);
    }
}

#[test]
fn an_encrypted_member_is_said_and_the_others_are_scanned() {
    use zip::unstable::write::FileOptionsExt;
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    out.start_file("secret", SimpleFileOptions::default().with_deprecated_encryption(b"password").unwrap())
        .unwrap();
    out.write_all(BAD).unwrap();
    out.start_file("bad", SimpleFileOptions::default()).unwrap();
    out.write_all(BAD).unwrap();
    let report = scan(&out.finish().unwrap().into_inner());
    assert_eq!(paths(&report), ["bad"]);
    assert_eq!(report.unscanned, ["\"secret\": it is encrypted and was not scanned"]);
}

#[test]
fn cut_anywhere_it_is_a_report() {
    let engine = engine();
    let mut scanner = engine.scanner();
    let inner = [("readme", &b"nothing at all"[..]), ("bad", BAD)];
    for bytes in [
        zip_of(&inner),
        tar_of(&inner),
        gzip(&tar_of(&inner)),
        bzip2(&tar_of(&inner)),
        xz(&tar_of(&inner)),
        zstd(&tar_of(&inner)),
    ] {
        let step = bytes.len() / 200 + 1;
        let mut lines = 0;
        for length in (0..bytes.len()).step_by(step) {
            lines += scanner.scan_bytes(&bytes[..length], true).unwrap().unscanned.len();
        }
        assert!(lines > 0, "{:?} was cut and nobody said so", &bytes[..4]);
        // And with changed bytes.
        for at in (0..bytes.len()).step_by(step) {
            let mut changed = bytes.clone();
            changed[at] ^= 0x55;
            scanner.scan_bytes(&changed, true).unwrap();
        }
    }
}

#[test]
fn a_cut_zip_still_gives_up_what_is_whole() {
    let mut bytes = zip_of(&[("bad", BAD), ("more", &[b'x'; 5000])]);
    bytes.truncate(bytes.len() - 30);
    let report = scan(&bytes);
    assert!(report.unscanned.iter().any(|l| l.contains("directory is missing")), "{:?}", report.unscanned);
    assert_eq!(paths(&report), ["bad"]);
}

#[test]
fn bombs_end_at_the_limits() {
    let start = Instant::now();
    let zeros = gzip_of_zeros(100 << 20);
    let report = scan(&zeros);
    assert!(report.unscanned.iter().any(|l| l.contains("times its length")), "{:?}", report.unscanned);
    assert!(!report.verdict.is_found());
    // Many members, each of them under every limit: the sum ends it.
    let text: Vec<u8> =
        (0..30u32 << 20).map(|i| (i.wrapping_mul(2_654_435_761) >> 29) as u8 + b'a').collect();
    let members: Vec<(String, &[u8])> = (0..12).map(|i| (format!("m{i:02}"), &text[..])).collect();
    let members: Vec<(&str, &[u8])> = members.iter().map(|(n, b)| (n.as_str(), *b)).collect();
    let report = scan(&gzip_fast(&tar_of(&members)));
    assert!(report.unscanned.iter().any(|l| l.contains("unpack to more than")), "{:?}", report.unscanned);
    assert!(report.objects >= 8, "{}", report.objects);
    assert!(start.elapsed() < Duration::from_secs(60));
}

fn gzip_fast(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn gzip_of_zeros(length: u64) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::copy(&mut std::io::repeat(0).take(length), &mut out).unwrap();
    out.finish().unwrap()
}

#[test]
fn too_large_a_member_and_too_many_of_them() {
    let mut out = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(65 << 20);
    out.append_data(&mut header, "large", std::io::repeat(b'x').take(65 << 20)).unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_size(BAD.len() as u64);
    out.append_data(&mut header, "bad", BAD).unwrap();
    let report = scan(&out.into_inner().unwrap());
    assert!(
        report.unscanned.iter().any(|l| l.starts_with("\"large\": it is larger")),
        "{:?}",
        report.unscanned
    );
    assert_eq!(paths(&report), ["bad"]);

    let names: Vec<String> = (0..MAX_MEMBERS + 5).map(|i| format!("m{i}")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), &b"x"[..])).collect();
    for bytes in [zip_with(&members, CompressionMethod::Stored), tar_of(&members)] {
        let report = scan(&bytes);
        assert_eq!(report.objects, MAX_MEMBERS + 1);
        assert!(
            report.unscanned.iter().any(|l| l.contains("more than 10000 members")),
            "{:?}",
            report.unscanned
        );
    }
}

#[test]
fn a_long_name_in_tar_does_not_fill_the_memory() {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_path("././@LongLink").unwrap();
    header.set_size(200 << 20);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.resize(200 << 20, b'n');
    let report = scan(&gzip_fast(&bytes));
    assert!(report.unscanned.iter().any(|l| l.contains("header of a member")), "{:?}", report.unscanned);
}

#[test]
fn more_bad_members_than_are_listed_keep_the_worst() {
    let (engine, _) = Engine::load(&shipped(), &[]);
    let low = format!("#!/tmp/interpreter\n{}", "x".repeat(10));
    let names: Vec<String> = (0..100).map(|i| format!("low{i}")).collect();
    let eicar = eicar();
    let mut members: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), low.as_bytes())).collect();
    members.push(("eicar", &eicar));
    let report = engine.scanner().scan_bytes(&tar_of(&members), true).unwrap();
    assert_eq!(report.members.len(), 64);
    assert!(paths(&report).contains(&"eicar".to_owned()));
    assert!(
        report.verdict.evidence[0].detail.starts_with("101 of its members"),
        "{:?}",
        report.verdict.evidence
    );
    assert!(report.verdict.test, "the worst member is a test object");
}

#[test]
fn a_large_archive_is_read_from_the_file() {
    let mut file = tempfile::tempfile().unwrap();
    let mut out = zip::ZipWriter::new(&mut file);
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    out.start_file("filler", stored).unwrap();
    std::io::copy(&mut std::io::repeat(b'x').take(63 << 20), &mut out).unwrap();
    out.start_file("filler2", stored).unwrap();
    std::io::copy(&mut std::io::repeat(b'y').take(10 << 20), &mut out).unwrap();
    out.start_file("bad", SimpleFileOptions::default()).unwrap();
    out.write_all(BAD).unwrap();
    out.finish().unwrap();
    let engine = engine();
    let report = engine.scanner().scan_file(&file, true).unwrap();
    assert_eq!(paths(&report), ["bad"], "{:?}", report.unscanned);
}
