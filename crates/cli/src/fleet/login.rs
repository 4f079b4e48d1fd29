// SPDX-License-Identifier: Apache-2.0
//! `lazaret login` and `logout`: which server, by which certificate, as whom.

use super::http::{Http, Trust};
use crate::cli::Global;
use crate::error::CliError;
use crate::escape;
use crate::output::Output;
use clap::Args;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::Digest as _;
use std::fs;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::process::ExitCode;

/// Sign in at a fleet's server, for the verbs with --server, --host, --group or --project
///
/// The first time the server's authority is fetched and its fingerprint is shown, to be compared with
/// what `lazaret-server init` printed; with --ca-fingerprint it is compared here. The password is asked
/// for, or is the first line of standard input. What is kept (mode 0600) is in
/// ~/.config/lazaret/server.json. Where the user has a second factor its code, or a recovery code, is asked
/// for too, or is the next line of standard input. LAZARET_SERVER and LAZARET_TOKEN (an API key) go before it.
#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    /// Who
    #[arg(long, short, value_name = "NAME", default_value = "admin")]
    user: String,
    /// SHA-256 of the authority's certificate, 64 hexadecimal digits
    #[arg(long, value_name = "SHA256")]
    ca_fingerprint: Option<String>,
    /// Change the password right away; the new one is the second line of standard input
    #[arg(long)]
    new_password: bool,
}

/// Sign out, and forget the server
#[derive(Debug, Args)]
pub(crate) struct LogoutArgs {}

#[derive(Serialize, Deserialize)]
struct Stored {
    url: String,
    /// PEM; empty where the server has no TLS.
    authority: String,
    token: String,
}

fn file() -> Result<PathBuf, CliError> {
    let base = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|p| p.is_absolute())
        .or_else(|| std::env::var_os("HOME").map(|h| PathBuf::from(h).join(".config")))
        .ok_or_else(|| {
            CliError::Usage("neither HOME nor XDG_CONFIG_HOME is set: no place to keep a sign-in".into())
        })?;
    Ok(base.join("lazaret/server.json"))
}

fn read() -> Result<Option<Stored>, CliError> {
    let path = file()?;
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|e| {
            CliError::Failed(format!("{} cannot be understood ({e}): sign in again", escape::path(&path)))
        }),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(CliError::file("read", &path, &e)),
    }
}

/// The server that is meant, with the credentials for it.
///
/// # Errors
/// Nobody is signed in there.
pub(super) fn stored(global: &Global) -> Result<Http, CliError> {
    let wanted = global.server.clone().or_else(|| std::env::var("LAZARET_SERVER").ok());
    let key = std::env::var("LAZARET_TOKEN").ok();
    let kept = read()?;
    let url = wanted.or_else(|| kept.as_ref().map(|k| k.url.clone())).ok_or_else(|| {
        CliError::Usage("no server: sign in first with lazaret --server https://HOST:PORT login".into())
    })?;
    let fitting = kept.filter(|k| k.url.trim_end_matches('/') == url.trim_end_matches('/'));
    let Some(kept) = fitting else {
        return Err(CliError::NotPermitted(format!(
            "not signed in at {0}: lazaret --server {0} login",
            escape::text(&url)
        )));
    };
    Http::new(&url, &trust(&kept), Some(key.unwrap_or(kept.token)))
}

fn trust(kept: &Stored) -> Trust {
    if kept.authority.is_empty() { Trust::Unknown } else { Trust::Authority(kept.authority.clone()) }
}

/// # Errors
/// The server cannot be reached, is another one, or refuses.
pub(super) fn login(args: &LoginArgs, global: &Global, out: &mut Output) -> Result<ExitCode, CliError> {
    let url = global
        .server
        .clone()
        .or_else(|| std::env::var("LAZARET_SERVER").ok())
        .map_or_else(|| read().map(|k| k.map(|k| k.url)), |u| Ok(Some(u)))?
        .ok_or_else(|| CliError::Usage("which server? lazaret --server https://HOST:PORT login".into()))?;
    let authority = if url.starts_with("http://") { String::new() } else { authority(args, &url, out)? };
    let mut kept = Stored { url: url.clone(), authority, token: String::new() };
    let password = secret(&format!("Password of {}: ", escape::text(&args.user)))?;
    let http = Http::new(&url, &trust(&kept), None)?;
    let mut ask = json!({"user": args.user, "password": password});
    let answer = match http.post_unless("/login", &ask, "second-factor")? {
        Some(answer) => answer,
        None => {
            ask["code"] = json!(secret("Code of the second factor, or a recovery code: ")?.trim());
            http.post("/login", &ask)?
        }
    };
    kept.token = super::text(&answer, "token").to_owned();
    if args.new_password {
        let new = secret("New password: ")?;
        let signed_in = Http::new(&url, &trust(&kept), Some(kept.token.clone()))?;
        signed_in.post("/me/password", &json!({"current": password, "new": new}))?;
    }
    keep(&kept)?;
    if out.json {
        out.json(&json!({"type": "login", "server": url, "user": args.user,
            "expires_at": answer["expires_at"],
            "must_change_password": answer["must_change_password"] == true && !args.new_password}))?;
    } else {
        out.text(&format!("signed in at {} as {}", escape::text(&url), escape::text(&args.user)))?;
        if answer["must_change_password"] == true && !args.new_password {
            out.text("the password is a one-time one: change it with lazaret login --new-password")?;
        }
        if answer["must_enrol_second_factor"] == true {
            out.text(
                "this server asks for a second factor: enrol one before anything else (docs/sign-on.md)",
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The authority's certificate, when it is the one that is meant.
fn authority(args: &LoginArgs, url: &str, out: &mut Output) -> Result<String, CliError> {
    let known = read()?.filter(|k| k.url == url && !k.authority.is_empty());
    if let (Some(known), None) = (known, &args.ca_fingerprint) {
        return Ok(known.authority);
    }
    // Without a known certificate nothing secret is sent, and what comes is compared.
    let pem = Http::new(url, &Trust::Unknown, None)?.plain("/agent/ca.pem")?;
    let found = fingerprint(&pem)?;
    match &args.ca_fingerprint {
        Some(wanted) if wanted.replace(':', "").eq_ignore_ascii_case(&found) => Ok(pem),
        Some(wanted) => Err(CliError::Failed(format!(
            "{} is not the server that is meant: its authority is {found}, not {}",
            escape::text(url),
            escape::text(wanted)
        ))),
        None => {
            if out.json || !io::stdin().is_terminal() {
                return Err(CliError::Usage(format!(
                    "the server's authority is {found}; give it with --ca-fingerprint when that is what \
                     lazaret-server init printed"
                )));
            }
            let question =
                format!("The server's authority is {found}.\nIs that what lazaret-server init printed?");
            if out.confirm(&question)? { Ok(pem) } else { Err(CliError::Failed("not signed in".into())) }
        }
    }
}

fn fingerprint(pem: &str) -> Result<String, CliError> {
    let certificate = ureq::tls::Certificate::from_pem(pem.as_bytes())
        .map_err(|e| CliError::Failed(format!("the server's authority cannot be read: {e}")))?;
    Ok(lazaret_model::Sha256(sha2::Sha256::digest(certificate.der()).into()).to_string())
}

/// Without showing what is typed; the next line of standard input where that is no terminal.
fn secret(question: &str) -> Result<String, CliError> {
    let input = io::stdin();
    let failed = |e: io::Error| CliError::Failed(format!("cannot read the password: {e}"));
    let hidden = if input.is_terminal() {
        let _ = write!(io::stderr(), "{question}");
        let before = tcgetattr(&input).map_err(|e| failed(e.into()))?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&input, OptionalActions::Now, &quiet).map_err(|e| failed(e.into()))?;
        Some(before)
    } else {
        None
    };
    let mut line = String::new();
    let read = input.lock().read_line(&mut line);
    if let Some(before) = hidden {
        let _ = tcsetattr(&input, OptionalActions::Now, &before);
        let _ = writeln!(io::stderr());
    }
    read.map_err(failed)?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

fn keep(kept: &Stored) -> Result<(), CliError> {
    let path = file()?;
    let folder = path.parent().unwrap_or(&path);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|e| CliError::file("make", folder, &e))?;
    let beside = path.with_extension("new");
    let _ = fs::remove_file(&beside);
    let write = || -> io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(&serde_json::to_vec(kept)?)?;
        file.sync_all()?;
        fs::rename(&beside, &path)
    };
    write().map_err(|e| CliError::file("write", &path, &e))
}

/// # Errors
/// The stored sign-in cannot be removed.
pub(super) fn logout(global: &Global, out: &mut Output) -> Result<ExitCode, CliError> {
    let path = file()?;
    // A server that is gone cannot be told; the token ends by itself.
    let told = stored(global).and_then(|http| http.post("/logout", &serde_json::Value::Null));
    match fs::remove_file(&path) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(CliError::Failed("nobody is signed in".into()));
        }
        Err(e) => return Err(CliError::file("remove", &path, &e)),
    }
    if let Err(e) = told {
        out.warn(&format!("the server was not told: {e}"));
    }
    if !out.json {
        out.text("signed out")?;
    }
    Ok(ExitCode::SUCCESS)
}
