// SPDX-License-Identifier: Apache-2.0
//! What a machine fetches that is to become a host: the authority's certificate, a script, and the
//! agent's programs. All of it is public; the script holds the token that the caller sent, and no other
//! secret.
//!
//! Until the authority is known the server's own certificate proves nothing. So a host begins with one
//! line from somebody who is signed in: it fetches the authority, compares it with the fingerprint that
//! stands in the line, and takes the script over a connection that this authority vouches for. The script
//! holds the sums of the programs.

mod programs;

pub(crate) use programs::Programs;

use super::gate::Peer;
use super::problem::{Kind, Problem};
use super::state::Api;
use crate::config::Config;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;
use tokio::io::AsyncReadExt as _;

const SCRIPT: &str = include_str!("install.sh");
const CONFIG: &str = include_str!("../../../../../packaging/lazaretd.toml");
const UNIT: &str = include_str!("../../../../../packaging/systemd/lazaretd.service");
const SYSUSERS: &str = include_str!("../../../../../packaging/sysusers.d/lazaret.conf");
const TMPFILES: &str = include_str!("../../../../../packaging/tmpfiles.d/lazaret.conf");

/// A certificate as text.
pub(crate) fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut out = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    out.push_str("-----END CERTIFICATE-----\n");
    out
}

pub(crate) async fn certificate(State(api): State<Api>) -> Response {
    ([(header::CONTENT_TYPE, "application/x-pem-file")], api.certificate.clone()).into_response()
}

/// For a shell of root on a new host, without anything fetched before.
pub(crate) fn line(config: &Config, authority: &str, token: &str) -> String {
    let from = config.public_api();
    let get = |file: &str, path: &str, curl: &str, wget: &str| {
        format!(
            "if command -v curl >/dev/null; then curl -fsS{curl} -o {file} '{from}{path}'; else wget -q{wget} -O {file} '{from}{path}'; fi"
        )
    };
    let script = format!("/agent/install.sh?token={token}");
    if config.api.certificate.is_some() {
        // Not of the own authority: this machine's own list says whom it trusts.
        let fetch = get("install.sh", &script, "", "");
        return format!("(cd \"$(mktemp -d)\" && {fetch} && sh install.sh)");
    }
    let ca = get("ca.pem", "/agent/ca.pem", "k", " --no-check-certificate");
    let fetch = get("install.sh", &script, " --cacert ca.pem", " --ca-certificate=ca.pem");
    format!(
        "(cd \"$(mktemp -d)\" && {ca} && {{ [ \"$(sed '/-----/d' ca.pem | base64 -d | sha256sum | cut -c1-64)\" = {authority} ] || {{ echo 'another authority answers than the one that this line names' >&2; false; }}; }} && {fetch} && sh install.sh)"
    )
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    token: String,
}

/// Whether it is of the form that we give out: nothing else goes into a script.
fn plain(token: &str) -> bool {
    let rest = token.strip_prefix("lzt_").unwrap_or_default();
    rest.len() == 43 && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// Who is not signed in is held to what one address may.
fn within_limits(api: &Api, peer: Option<Extension<Peer>>) -> Result<(), Problem> {
    let from = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |p| p.0.0.ip());
    api.by_address.take(from, Instant::now()).map_err(|seconds| {
        Problem::new(Kind::TooManyRequests, format!("too many requests; again in {seconds} s"))
            .retry_after(seconds)
    })
}

pub(crate) async fn script(
    State(api): State<Api>,
    peer: Option<Extension<Peer>>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    within_limits(&api, peer)?;
    if !plain(&asked.token) {
        return Err(Problem::new(Kind::Invalid, "token: as POST /api/v1/enrolment-tokens gave it"));
    }
    let for_sums = api.clone();
    let sums = tokio::task::spawn_blocking(move || for_sums.programs.sums()).await;
    let sums = sums.unwrap_or_else(|e| Err(e.to_string())).map_err(|why| {
        crate::log::line(&format!("api: {why}"));
        Problem::new(
            Kind::Unavailable,
            "the programs for new hosts are not all there; the server's log says which",
        )
        .retry_after(60)
    })?;
    let mut files = String::new();
    for (name, sum) in &sums {
        let _ = write!(files, "{}{name} {sum}", if files.is_empty() { "" } else { "\n" });
    }
    let text = text(&api.config, &api.authority, &api.certificate, &asked.token, &files);
    Ok(([(header::CONTENT_TYPE, "text/x-shellscript; charset=utf-8")], text).into_response())
}

fn text(config: &Config, authority: &str, certificate: &str, token: &str, files: &str) -> String {
    let ca = if config.api.certificate.is_some() || config.api.plain_http {
        String::new()
    } else {
        format!("ca=$work/ca.pem\ncat >\"$ca\" <<'LAZARET_END'\n{}\nLAZARET_END", certificate.trim_end())
    };
    let server = config.public_gateway();
    let set = |text: &str, key: &str, value: &str| {
        let lines = text.lines().map(|line| {
            if line.starts_with(&format!("#{key} = ")) {
                format!("{key} = \"{value}\"")
            } else {
                line.to_owned()
            }
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    let mut toml = set(CONFIG, "content", "/usr/local/share/lazaret/content.pack");
    toml = set(&toml, "scanner", "/usr/local/lib/lazaret/lazaret-scanner");
    toml = set(&toml, "url", &server);
    toml = set(&toml, "ca_fingerprint", authority);
    let unit = UNIT.replace("/usr/sbin/lazaretd", "/usr/local/sbin/lazaretd");
    let values = [
        ("@SERVER@", server.as_str()),
        ("@FROM@", &config.public_api()),
        ("@AUTHORITY@", authority),
        ("@TOKEN@", token),
        ("@FILES@", files),
        ("@MACHINE@", std::env::consts::ARCH),
        ("@CA@", &ca),
        ("@CONFIG@", toml.trim_end()),
        ("@SYSUSERS@", SYSUSERS.trim_end()),
        ("@UNIT@", unit.trim_end()),
        ("@TMPFILES@", TMPFILES.trim_end()),
    ];
    values.iter().fold(SCRIPT.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// One of the programs.
pub(crate) async fn file(
    State(api): State<Api>,
    peer: Option<Extension<Peer>>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    within_limits(&api, peer)?;
    let none = || Problem::new(Kind::NotFound, "this server gives out no such program");
    let path = api.programs.path(&name).ok_or_else(none)?;
    let unreadable = |e: std::io::Error| {
        crate::log::line(&format!("api: {}: {e}", path.display()));
        Problem::new(Kind::Unavailable, "the program cannot be read; the server's log says why")
            .retry_after(60)
    };
    let file = tokio::fs::File::open(&path).await.map_err(unreadable)?;
    let length = file.metadata().await.map_err(unreadable)?.len();
    let body = futures_util::stream::try_unfold(file, |mut file| async move {
        let mut part = vec![0; 64 << 10];
        let n = file.read(&mut part).await?;
        part.truncate(n);
        Ok::<_, std::io::Error>((n > 0).then_some((part, file)))
    });
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_token_goes_into_the_script() {
        let good = format!("lzt_{}", "a".repeat(43));
        assert!(plain(&good));
        for bad in ["", "lzt_", "lzt_$(reboot)", &format!("{good}'"), &format!("lzt_{}", "'".repeat(43))] {
            assert!(!plain(bad), "{bad}");
        }
    }

    #[test]
    fn a_certificate_comes_back_from_its_text() {
        let der: Vec<u8> = (0..200).collect();
        let text: String = pem(&der).lines().filter(|l| !l.starts_with('-')).collect();
        assert_eq!(STANDARD.decode(text).unwrap(), der);
    }

    #[test]
    fn the_script_has_all_that_it_needs_and_a_shell_reads_it() {
        let config = Config::parse("[gateway]\nnames = [\"fleet.example\"]\n").unwrap();
        let files = "lazaretd 00\nlazaret 11";
        let text = text(&config, "ab", "-----BEGIN\nx\n", "lzt_token", files);
        assert!(!text.contains("@"), "{:?}", text.lines().find(|l| l.contains('@')));
        for word in [
            "token='lzt_token'",
            "lazaretd 00\nlazaret 11'",
            "\ncontent = \"/usr/local/share/lazaret/content.pack\"\n",
            "\nscanner = \"/usr/local/lib/lazaret/lazaret-scanner\"\n",
            "\nurl = \"https://fleet.example:7443\"\n",
            "ExecStart=/usr/local/sbin/lazaretd ",
        ] {
            assert!(text.contains(word), "{word}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("install.sh");
        std::fs::write(&path, &text).unwrap();
        let read = std::process::Command::new("sh").arg("-n").arg(&path).output().unwrap();
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    }

    #[test]
    fn the_line_trusts_what_it_has_compared() {
        let config =
            Config::parse("[gateway]\nnames = [\"fleet.example\"]\n[api]\nlisten = \"0.0.0.0:7080\"\n");
        let own = line(&config.unwrap(), "ab", "lzt_token");
        let (before, after) = own.split_once("= ab ]").unwrap();
        assert!(before.contains("https://fleet.example:7080/agent/ca.pem") && !before.contains("install.sh"));
        assert!(after.contains("--cacert ca.pem") && after.contains("--ca-certificate=ca.pem"), "{after}");
        assert!(!after.contains("curl -fsSk") && !after.contains("no-check-certificate"), "{after}");
        let given = "[api]\ncertificate = \"/c\"\nkey = \"/k\"\npublic = \"https://fleet.example\"\n";
        let given = line(&Config::parse(given).unwrap(), "ab", "lzt_token");
        assert!(!given.contains("--cacert") && !given.contains("no-check"), "{given}");
    }
}
