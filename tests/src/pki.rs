// SPDX-License-Identifier: Apache-2.0
//! Certificate authorities of the tests' own, for the other ends of what a server sends.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use std::sync::Arc;

/// One that nobody knows unless told.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate.
    pub pem: String,
}

/// A certificate for the loopback.
pub struct Identity {
    der: CertificateDer<'static>,
    key: Vec<u8>,
    /// The same as text.
    pub pem: String,
    /// Its key as text.
    pub key_pem: String,
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// Makes one.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("key");
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "an authority of the tests");
        let pem = params.self_signed(&key).expect("authority").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for 127.0.0.1 and localhost.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn identity(&self) -> Identity {
        let key = KeyPair::generate().expect("key");
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let own = CertificateParams::new(names).expect("parameters").signed_by(&key, &self.issuer);
        let own = own.expect("certificate");
        Identity {
            der: own.der().clone(),
            key: key.serialize_der(),
            pem: own.pem(),
            key_pem: key.serialize_pem(),
        }
    }
}

impl Identity {
    /// For a listener.
    ///
    /// # Panics
    /// When it cannot be used.
    #[must_use]
    pub fn tls(&self) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![self.der.clone()], PrivatePkcs8KeyDer::from(self.key.clone()).into())
            .expect("certificate");
        Arc::new(config)
    }
}
