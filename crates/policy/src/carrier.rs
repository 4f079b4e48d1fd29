// SPDX-License-Identifier: Apache-2.0
//! Carriers: files that hold other people's data, in which malware may lie without being a
//! program. Isolating a mail spool or a database loses that data, so carriers alarm.

use lazaret_model::FileType;

/// What data the file carries, for people; `None` when it is no carrier.
///
/// The type counts before the place: an ELF program, a `#!` script or a Windows program is never a
/// carrier because of its folder, nor is a file whose name says that a server runs it.
#[must_use]
pub fn carrier(path: &[u8], file_type: FileType) -> Option<&'static str> {
    match file_type {
        FileType::Elf | FileType::Script | FileType::Pe | FileType::Empty => return None,
        FileType::CoreDump => return Some("core dump"),
        _ => {}
    }
    let lower = path.to_ascii_lowercase();
    let name = lower.rsplit(|b| *b == b'/').next().unwrap_or_default();
    if has_extension(name, SERVED) {
        return None;
    }
    let page = matches!(file_type, FileType::Php | FileType::Jsp);
    by_place(&lower, name).or_else(|| if page { None } else { by_name(name, file_type) })
}

/// Names that a web server or an interpreter runs.
const SERVED: &[&str] = &[
    "php", "php3", "php4", "php5", "php7", "php8", "phtml", "pht", "phar", "phps", "inc", "jsp", "jspx",
    "jspf", "jsw", "war", "jar", "asp", "aspx", "ashx", "cgi", "pl", "pm", "py", "pyc", "rb", "sh", "bash",
    "lua", "js", "mjs", "so", "ko", "elf", "bin", "exe", "service",
];

fn by_place(path: &[u8], name: &[u8]) -> Option<&'static str> {
    const MAIL: &[&str] = &[
        "/var/mail/",
        "/var/spool/mail/",
        "/var/spool/postfix/",
        "/var/spool/exim/",
        "/var/spool/exim4/",
        "/var/spool/mqueue/",
        "/var/vmail/",
        "/var/lib/cyrus/",
        "/var/spool/cyrus/",
        "/var/imap/",
    ];
    const DATABASES: &[&str] = &[
        "/var/lib/mysql/",
        "/var/lib/mariadb/",
        "/var/lib/postgresql/",
        "/var/lib/pgsql/",
        "/var/lib/mongodb/",
        "/var/lib/mongo/",
        "/var/lib/redis/",
        "/var/lib/elasticsearch/",
        "/var/lib/opensearch/",
        "/var/lib/influxdb/",
        "/var/lib/cassandra/",
        "/var/lib/clickhouse/",
        "/var/lib/ldap/",
        "/var/lib/rpm/",
        "/usr/lib/sysimage/rpm/",
        "/var/lib/dpkg/",
    ];
    const BACKUPS: &[&str] =
        &["/var/backups/", "/backup/", "/backups/", "/var/lib/bacula/", "/var/lib/borg/"];
    let starts = |list: &[&str]| list.iter().any(|p| path.starts_with(p.as_bytes()));
    if starts(MAIL) || in_maildir(path) {
        return Some("mail");
    }
    if path.starts_with(b"/var/log/") || path.starts_with(b"/run/log/") {
        return Some("log");
    }
    if starts(DATABASES) {
        return Some("database");
    }
    if in_version_control(path, name) {
        return Some("version-control store");
    }
    starts(BACKUPS).then_some("backup")
}

fn by_name(name: &[u8], file_type: FileType) -> Option<&'static str> {
    const DATABASE: &[&str] = &[
        "sqlite",
        "sqlite3",
        "db",
        "db3",
        "sqlite-wal",
        "db-wal",
        "sqlite-journal",
        "db-journal",
        "ibd",
        "ibdata1",
        "frm",
        "myd",
        "myi",
        "mdb",
        "rdb",
        "aof",
        "ldb",
        "sst",
        "wt",
    ];
    const DUMP: &[&str] = &["sql", "dump", "bak", "bson", "ldif", "pgdump"];
    const IMAGE: &[&str] = &["qcow2", "vmdk", "vdi", "vhd", "vhdx", "img", "iso", "raw"];
    const MAIL: &[&str] = &["mbox", "eml", "pst", "mbx"];
    let packed = matches!(
        file_type,
        FileType::Zip | FileType::Tar | FileType::Gzip | FileType::Xz | FileType::Bzip2 | FileType::Zstd
    );
    let bare = if packed { without_packing(name) } else { name };
    if has_extension(bare, DUMP) || packed && is_backup_name(name) {
        return Some("backup");
    }
    if has_extension(bare, &["log"]) || is_rotated_log(bare) {
        return Some("log");
    }
    if has_extension(bare, MAIL) || bare == b"mbox" {
        return Some("mail");
    }
    if has_extension(name, DATABASE) || name == b"ibdata1" {
        return Some("database");
    }
    if has_extension(name, &["pcap", "pcapng"]) {
        return Some("network capture");
    }
    has_extension(name, IMAGE).then_some("disk image")
}

fn has_extension(name: &[u8], extensions: &[&str]) -> bool {
    let Some(dot) = name.iter().rposition(|b| *b == b'.') else { return false };
    let extension = name.get(dot + 1..).unwrap_or_default();
    dot > 0 && extensions.iter().any(|e| e.as_bytes() == extension)
}

/// `access.log.3`, `access.log-20260101`.
fn is_rotated_log(name: &[u8]) -> bool {
    let Some(at) = name.windows(4).rposition(|w| w == b".log") else { return false };
    let rest = name.get(at + 4..).unwrap_or_default();
    !rest.is_empty() && rest.iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_'))
}

fn without_packing(name: &[u8]) -> &[u8] {
    [b".gz".as_slice(), b".xz", b".bz2", b".zst", b".zip", b".tar", b".tgz"]
        .iter()
        .find_map(|s| name.strip_suffix(*s))
        .unwrap_or(name)
}

fn is_backup_name(name: &[u8]) -> bool {
    ["backup", "dump", "snapshot"].iter().any(|w| name.windows(w.len()).any(|x| x == w.as_bytes()))
}

/// A Maildir keeps one message a file in `cur`, `new` or `tmp` below a folder of that name or one
/// that begins with a dot (its subfolders).
fn in_maildir(path: &[u8]) -> bool {
    let mut parts = path.rsplit(|b| *b == b'/').skip(1);
    let leaf = parts.next().unwrap_or_default();
    matches!(leaf, b"cur" | b"new" | b"tmp") && parts.any(|p| p == b"maildir" || p == b".maildir")
}

fn in_version_control(path: &[u8], name: &[u8]) -> bool {
    const STORES: [&[u8]; 5] =
        [b"/.git/", b"/.hg/store/", b"/.svn/pristine/", b"/.bzr/repository/", b"/.jj/repo/"];
    let contains = |needle: &[u8]| path.windows(needle.len()).any(|w| w == needle);
    if STORES.iter().any(|s| contains(s)) {
        return true;
    }
    // A bare repository has no .git folder: objects/ab/<38 digits>, objects/pack/pack-*.
    let hexadecimal = |s: &[u8]| !s.is_empty() && s.iter().all(u8::is_ascii_hexdigit);
    if contains(b"/objects/pack/") {
        return name.starts_with(b"pack-") || name.starts_with(b"tmp_pack_");
    }
    let mut parts = path.rsplit(|b| *b == b'/');
    let (object, fan, folder) = (parts.next(), parts.next(), parts.next());
    folder == Some(b"objects")
        && fan.is_some_and(|f| f.len() == 2 && hexadecimal(f))
        && object.is_some_and(|o| matches!(o.len(), 38 | 62) && hexadecimal(o))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_18_data_is_carried() {
        for (path, t, what) in [
            ("/var/mail/root", FileType::Text, "mail"),
            ("/home/a/Maildir/new/1700000000.M1P2.host", FileType::Text, "mail"),
            ("/home/a/Maildir/.Sent/cur/1:2,S", FileType::Other, "mail"),
            ("/var/log/nginx/access.log", FileType::Text, "log"),
            ("/var/log/apache2/access.log.2.gz", FileType::Gzip, "log"),
            ("/srv/app/logs/access.log-20260101", FileType::Text, "log"),
            ("/var/log/nginx/access.log", FileType::Php, "log"),
            ("/var/lib/mysql/wp/posts.ibd", FileType::Other, "database"),
            ("/srv/app/data.sqlite3", FileType::Other, "database"),
            ("/var/lib/postgresql/15/main/base/1/1259", FileType::Other, "database"),
            ("/srv/wp-backup-2026.zip", FileType::Zip, "backup"),
            ("/srv/db.sql.gz", FileType::Gzip, "backup"),
            ("/home/a/x/.git/objects/pack/pack-abc.pack", FileType::Other, "version-control store"),
            (
                "/srv/git/x.git/objects/ab/0123456789abcdef0123456789abcdef012345",
                FileType::Other,
                "version-control store",
            ),
            ("/var/crash/core.1", FileType::CoreDump, "core dump"),
            ("/var/lib/libvirt/images/a.qcow2", FileType::Other, "disk image"),
        ] {
            assert_eq!(carrier(path.as_bytes(), t), Some(what), "{path}");
        }
    }

    #[test]
    fn programs_are_never_carriers() {
        for (path, t) in [
            ("/var/log/.x", FileType::Elf),
            ("/var/mail/run", FileType::Script),
            ("/srv/www/backup.sql", FileType::Elf),
            ("/var/lib/mysql/shell.php", FileType::Php),
            ("/var/log/shell.php", FileType::Text),
            ("/srv/www/x.log", FileType::Php),
            ("/srv/www/index.php", FileType::Php),
            ("/var/spool/cron/crontabs/root", FileType::Text),
            ("/home/a/tool.tar.gz", FileType::Gzip),
            ("/tmp/readme.txt", FileType::Text),
            ("/srv/objects/ab/short", FileType::Other),
            ("", FileType::Text),
            ("/var/log/", FileType::Empty),
        ] {
            assert_eq!(carrier(path.as_bytes(), t), None, "{path}");
        }
    }
}
