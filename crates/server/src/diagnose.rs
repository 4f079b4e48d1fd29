// SPDX-License-Identifier: Apache-2.0
//! `lazaret-server diagnose`: what somebody needs to know who helps, in one JSON file without secrets that
//! a person can read before it is sent.

use crate::config::Config;
use crate::{init, read_only, redact, time};
use anyhow::Context as _;
use lazaret_store::{Options, Scope, Store};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Of a log, its end.
const LOG_BYTES: u64 = 256 << 10;
const LOG_LINES: usize = 500;
/// What the kernel lets a server do.
const LIMITS: [&str; 6] = [
    "fs/file-max",
    "net/core/somaxconn",
    "net/ipv4/tcp_max_syn_backlog",
    "kernel/osrelease",
    "kernel/threads-max",
    "vm/overcommit_memory",
];

/// Writes the bundle, mode 0600; what cannot be found out is said in its place. `log`: a file to take the
/// last lines from, instead of the service manager's journal.
///
/// # Errors
/// The file is there already or cannot be written.
pub async fn diagnose(config: &Config, text: &str, to: &Path, log: Option<&Path>) -> anyhow::Result<()> {
    let bundle = json!({
        "kind": "lazaret-server diagnostics",
        "made_at": time::rfc3339(time::now_ms()),
        "version": env!("CARGO_PKG_VERSION"),
        "schema_known": lazaret_store::newest_schema(),
        "configuration": redact::toml(text).unwrap_or_else(|e| format!("{e:#}")),
        "database": database(config).await.unwrap_or_else(|e| json!({ "error": redact::line(&format!("{e:#}")) })),
        "files": files(config),
        "log": lines(log),
        "host": host(),
    });
    let mut out = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .with_context(|| format!("cannot write {}", to.display()))?;
    out.write_all(&serde_json::to_vec_pretty(&bundle)?)?;
    out.write_all(b"\n")?;
    out.sync_all()?;
    Ok(())
}

async fn database(config: &Config) -> anyhow::Result<Value> {
    let options = Options {
        application: "lazaret-server diagnose",
        connections: 3,
        acquire_timeout: Duration::from_secs(3),
        ..Options::default()
    };
    let store = Store::open_with(&config.database(), options).await?;
    let done = async {
        let meta = store.meta().await?;
        let counts: serde_json::Map<String, Value> =
            store.row_counts().await?.into_iter().map(|(table, n)| (table, n.into())).collect();
        let mut packs = serde_json::Map::new();
        for project in store.projects(&Scope::All).await? {
            if let Some(pack) = store.newest_pack(&project.id).await? {
                packs.insert(
                    project.id,
                    json!({ "version": pack.version, "number": pack.number, "size": pack.size,
                        "expires_at": time::rfc3339(pack.expires_ms) }),
                );
            }
        }
        anyhow::Ok(json!({
            "kind": if store.is_postgres() { "postgres" } else { "sqlite" },
            "schema": store.schema().await?,
            "installation": meta.installation,
            "incarnation": meta.incarnation,
            "created_at": time::rfc3339(meta.created_ms),
            "read_only": store.setting(read_only::SETTING).await?.unwrap_or_default(),
            "rows": counts,
            "content": packs,
        }))
    };
    let done = done.await;
    store.close().await;
    done
}

/// Names, sizes and modes: never what is in them.
fn files(config: &Config) -> Value {
    use std::os::unix::fs::MetadataExt as _;
    let mut list = Vec::new();
    for folder in [config.server.data.clone(), init::authority_folder(config)] {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if let Ok(meta) = entry.path().symlink_metadata() {
                list.push(json!({
                    "path": entry.path().to_string_lossy(),
                    "bytes": meta.len(),
                    "mode": format!("{:o}", meta.mode() & 0o7777),
                    "uid": meta.uid(),
                }));
            }
        }
    }
    list.sort_by_key(|f| f["path"].to_string());
    list.into()
}

fn lines(log: Option<&Path>) -> Value {
    let read = match log {
        Some(path) => tail(path).map_err(|e| format!("{}: {e}", path.display())),
        None => Command::new("journalctl")
            .args(["--no-pager", "--quiet", "--lines", "500", "--output", "cat", "--unit", "lazaret-server"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .map(|o| String::from_utf8_lossy(&o.stdout).into_owned())
            .map_err(|e| format!("journalctl: {e}; name a file with --log")),
    };
    match read {
        Ok(text) => {
            let all: Vec<&str> = text.lines().collect();
            let last = all.get(all.len().saturating_sub(LOG_LINES)..).unwrap_or_default();
            last.iter().map(|l| redact::line(l)).collect::<Vec<_>>().into()
        }
        Err(e) => json!({ "error": e }),
    }
}

fn tail(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(LOG_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(LOG_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn host() -> Value {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let kernel: serde_json::Map<String, Value> =
        LIMITS.iter().map(|name| ((*name).to_owned(), read(&format!("/proc/sys/{name}")).into())).collect();
    let memory: Vec<String> = read("/proc/meminfo").lines().take(3).map(str::to_owned).collect();
    json!({
        "os": read("/etc/os-release").lines().find_map(|l| l.strip_prefix("PRETTY_NAME=")).unwrap_or_default(),
        "cpus": std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        "memory": memory,
        "kernel": kernel,
        "limits": read("/proc/self/limits").lines().map(str::to_owned).collect::<Vec<_>>(),
    })
}
