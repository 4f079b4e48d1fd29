// SPDX-License-Identifier: Apache-2.0
//! Enrolment: a token for a certificate. By `lazaretd enroll`, or by the daemon at its first start.

use super::address::{Address, digest, fingerprint};
use super::identity::{Identity, Request, discard, folder};
use super::{report, tls};
use crate::config::Config;
use anyhow::{Context, Result, bail, ensure};
use lazaret_proto::v1;
use lazaret_session::{ENROLL_PATH, Limits, connect};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Where, with which right, and by which digest the server is known.
pub(crate) struct Entrance {
    pub(crate) address: Address,
    pub(crate) token: String,
    pub(crate) fingerprint: [u8; 32],
}

/// Exchanges the token. Nothing is stored: a failure leaves what was there.
pub(crate) async fn enroll(entrance: &Entrance) -> Result<Identity> {
    let report = report::of_machine();
    let request = Request::new(&report.host_name)?;
    let stream = tls::dial(&entrance.address, tls::fingerprinted(entrance.fingerprint)?).await?;
    let (address, limits) = (&entrance.address, Limits::default());
    let told = |e: lazaret_session::End| anyhow::anyhow!("{address}: {e}");
    let mut channel = connect(stream, &address.authority(), ENROLL_PATH, &limits).await.map_err(told)?;
    let asked = v1::EnrollRequest {
        token: entrance.token.clone(),
        csr: request.csr.clone(),
        report: Some(report),
        machine_id: report::machine_id(),
    };
    channel.send(&asked).await.map_err(told)?;
    let answer: v1::EnrollAnswer = channel.receive().await.map_err(told)?;
    channel.farewell(None::<&v1::EnrollRequest>).await;
    take(entrance, request, answer)
}

/// Believes nothing that does not fit.
fn take(entrance: &Entrance, request: Request, answer: v1::EnrollAnswer) -> Result<Identity> {
    let address = &entrance.address;
    if !answer.error.is_empty() {
        let why = crate::log::printable(answer.error.as_bytes());
        bail!(
            "{address} does not enrol this host: {why}; ask for a new token (lazaret-server, or its console)"
        );
    }
    ensure!(
        digest(&answer.authority) == entrance.fingerprint,
        "{address} names an authority with another fingerprint than the one that was given: not enrolled"
    );
    ensure!(answer.host.parse::<uuid::Uuid>().is_ok(), "{address} gives this host an id that is none");
    let own = answer.chain.first().context("the server sent no certificate")?;
    let identity = Identity {
        url: address.clone(),
        host: answer.host.clone(),
        key: request.key,
        chain: answer.chain.clone(),
        authority: answer.authority,
        content_key: answer.content_key,
    };
    check_name(own, &identity.host)?;
    // A certificate of another key could not be used.
    tls::enrolled(&identity)?;
    Ok(identity)
}

/// The host's id is the certificate's common name.
pub(super) fn check_name(certificate: &[u8], host: &str) -> Result<()> {
    let (_, parsed) =
        X509Certificate::from_der(certificate).context("the server's answer is no certificate")?;
    let name = parsed.subject().iter_common_name().next().and_then(|n| n.as_str().ok()).unwrap_or_default();
    ensure!(
        name == host,
        "the certificate is of \"{}\", this host is {host}",
        crate::log::printable(name.as_bytes())
    );
    Ok(())
}

/// `lazaretd enroll`.
pub(crate) struct Arguments {
    pub(crate) server: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) ca_fingerprint: Option<String>,
    /// Also where this host is enrolled already.
    pub(crate) again: bool,
}

/// Enrols and stores the identity; a daemon that runs takes it up within seconds.
pub(crate) fn run(config: &Config, arguments: Arguments) -> Result<String> {
    ensure!(rustix::process::geteuid().is_root(), "only root can enrol this host: sudo lazaretd enroll");
    let state = &config.paths.state;
    if let Ok(Some(known)) = Identity::load(state)
        && !arguments.again
    {
        bail!("this host is enrolled already at {} as {}; --again enrols it anew", known.url, known.host);
    }
    let entrance = entrance(config, arguments)?;
    let runtime = runtime()?;
    let identity = runtime.block_on(enroll(&entrance))?;
    std::fs::create_dir_all(state).with_context(|| format!("cannot make {}", state.display()))?;
    identity.store(state)?;
    Ok(format!(
        "enrolled at {} as {}; the key is in {}",
        identity.url,
        identity.host,
        folder(state).display()
    ))
}

fn entrance(config: &Config, arguments: Arguments) -> Result<Entrance> {
    let server = &config.server;
    let url = arguments.server.or_else(|| server.url.clone()).context("--server URL is missing")?;
    let token = match arguments.token {
        Some(token) => token,
        None => server.token()?.context("--token T is missing: lazaret-server gives them out")?,
    };
    let print = arguments
        .ca_fingerprint
        .or_else(|| server.ca_fingerprint.clone())
        .context("--ca-fingerprint F is missing: lazaret-server prints it with the token")?;
    Ok(Entrance {
        address: Address::parse(&url).map_err(|e| anyhow::anyhow!("--server {url}: {e}"))?,
        token: token.trim().to_owned(),
        fingerprint: fingerprint(&print).map_err(|e| anyhow::anyhow!("--ca-fingerprint: {e}"))?,
    })
}

/// Where the configuration says all of it; `None` where it names no token.
pub(crate) fn configured(config: &Config) -> Result<Option<Entrance>> {
    let none = Arguments { server: None, token: None, ca_fingerprint: None, again: false };
    let names_token = config.server.token.is_some() || config.server.token_file.is_some();
    if names_token { entrance(config, none).map(Some) } else { Ok(None) }
}

/// A copy of another host: it leaves its identity to the original and gets one of its own.
pub(crate) async fn again_as_clone(
    state: &std::path::Path,
    known: &Identity,
    token: &str,
) -> Result<Identity> {
    ensure!(!token.is_empty(), "the server gave no token to enrol anew with");
    let entrance = Entrance {
        address: known.url.clone(),
        token: token.to_owned(),
        fingerprint: digest(&known.authority),
    };
    let identity = enroll(&entrance).await?;
    discard(state)?;
    identity.store(state)?;
    Ok(identity)
}

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime for the uplink")
}

#[cfg(test)]
mod tests;
