// SPDX-License-Identifier: Apache-2.0
//! TLS on the agents' port: a client certificate is asked for and may be absent (enrolment).

use super::GatewayError;
use crate::authority::Authority;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// Makes the acceptor, with a certificate of its own for these names.
pub(super) fn acceptor(
    authority: &Authority,
    names: &[String],
    now_ms: i64,
) -> Result<TlsAcceptor, GatewayError> {
    let tls = |e: &dyn std::fmt::Display| GatewayError::Tls(e.to_string());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().to_vec().into()).map_err(|e| tls(&e))?;
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .allow_unauthenticated()
        .build()
        .map_err(|e| tls(&e))?;
    let (chain, key) = authority.server(names, now_ms)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| tls(&e))?
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key)
        .map_err(|e| tls(&e))?;
    // Each session is checked in full: a resumed one would skip the client's certificate. It also
    // costs no memory between sessions.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
