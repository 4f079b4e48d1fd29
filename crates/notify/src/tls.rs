// SPDX-License-Identifier: Apache-2.0
//! Whom a target's certificate must come from: the system's authorities, or the one that the target names.

use crate::failure::Failure;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::sync::{Arc, OnceLock};

static SYSTEM: OnceLock<Vec<CertificateDer<'static>>> = OnceLock::new();

/// Certificates of a PEM text.
///
/// # Errors
/// It holds none, or one that cannot be read.
pub(crate) fn authorities(pem: &str) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let bad = |why: String| Failure::new(format!("authority: {why}; give PEM certificates"));
    let list: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|e| bad(e.to_string()))?;
    let mut store = RootCertStore::empty();
    for one in &list {
        store.add(one.clone()).map_err(|e| bad(e.to_string()))?;
    }
    if list.is_empty() { Err(bad("no certificate in it".into())) } else { Ok(list) }
}

fn roots(authority: Option<&str>) -> Result<RootCertStore, Failure> {
    let mut store = RootCertStore::empty();
    let list = match authority {
        Some(pem) => authorities(pem)?,
        None => SYSTEM.get_or_init(|| rustls_native_certs::load_native_certs().certs).clone(),
    };
    store.add_parsable_certificates(list);
    if store.is_empty() {
        return Err(Failure::new(
            "the system has no certificate authorities (package ca-certificates): install them, or give the target its authority",
        ));
    }
    Ok(store)
}

/// How a connection is encrypted.
///
/// # Errors
/// There is nobody to trust.
pub(crate) fn config(authority: Option<&str>) -> Result<Arc<ClientConfig>, Failure> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| Failure::new(format!("TLS: {e}")))?
        .with_root_certificates(roots(authority)?)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The name that the certificate must be for.
///
/// # Errors
/// It is none.
pub(crate) fn name(host: &str) -> Result<ServerName<'static>, Failure> {
    ServerName::try_from(host.to_owned()).map_err(|_| Failure::new(format!("\"{host}\" is no host name")))
}
