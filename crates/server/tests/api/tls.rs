// SPDX-License-Identifier: Apache-2.0
//! People's port with TLS: whose certificate it shows, what it speaks, whom it turns away, and that those who
//! are slow hold up nobody else.

use axum::body::Body;
use axum::http::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use lazaret_server::authority::Authority;
use lazaret_server::config::Config;
use lazaret_server::init;
use lazaret_server::start::{Role, Running, start};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Nothing here takes longer.
const LIMIT: Duration = Duration::from_secs(10);

struct Site {
    running: Running,
    authority: Vec<u8>,
    folder: TempDir,
}

fn config(folder: &TempDir, api: &str) -> Config {
    let data = folder.path().join("data");
    let text = format!(
        "[server]\ndata = \"{}\"\n[gateway]\nlisten = \"127.0.0.1:0\"\n[api]\nlisten = \"127.0.0.1:0\"\n{api}\n",
        data.display()
    );
    Config::parse(&text).unwrap()
}

impl Site {
    async fn start(folder: TempDir, api: &str) -> Self {
        let config = config(&folder, api);
        init::init(&config).await.unwrap();
        let authority = Authority::load(&init::authority_folder(&config)).unwrap().der().to_vec();
        let running = start(config, Role::Api).await.unwrap();
        Self { running, authority, folder }
    }

    fn address(&self) -> SocketAddr {
        self.running.api.unwrap()
    }

    /// TLS as a client does it that trusts one root.
    async fn connect(
        &self,
        root: &[u8],
        name: &'static str,
        alpn: &[&[u8]],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(root.to_vec())).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.alpn_protocols = alpn.iter().map(|p| p.to_vec()).collect();
        let tcp = TcpStream::connect(self.address()).await?;
        let name = ServerName::try_from(name).unwrap();
        tokio::time::timeout(LIMIT, TlsConnector::from(Arc::new(client)).connect(name, tcp)).await.unwrap()
    }

    async fn stop(self) {
        self.running.stop().await;
        drop(self.folder);
    }
}

/// One request in HTTP/1.1, as text.
async fn ask(mut stream: TlsStream<TcpStream>) -> String {
    let request = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut text = Vec::new();
    // The end may come without a goodbye of TLS.
    let _ = tokio::time::timeout(LIMIT, stream.read_to_end(&mut text)).await.unwrap();
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn the_own_authority_vouches_and_both_protocols_are_spoken() {
    let site = Site::start(tempfile::tempdir().unwrap(), "").await;
    for name in ["localhost", "127.0.0.1"] {
        let stream = site.connect(&site.authority, name, &[b"http/1.1"]).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
        let answer = ask(stream).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("strict-transport-security: max-age="), "{answer}");
    }
    // Who names no protocol gets the older one.
    let answer = ask(site.connect(&site.authority, "localhost", &[]).await.unwrap()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    let stream = site.connect(&site.authority, "localhost", &[b"h2", b"http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let (mut sender, talking) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let talking = tokio::spawn(talking);
    for _ in 0..3 {
        let request = Request::get("https://localhost/healthz").body(Body::empty()).unwrap();
        let answer = tokio::time::timeout(LIMIT, sender.send_request(request)).await.unwrap().unwrap();
        assert_eq!(answer.status(), 200);
    }
    drop(sender);
    let _ = talking.await;

    let other = tempfile::tempdir().unwrap();
    let stranger = Authority::create(&other.path().join("authority"), "Another", 1_700_000_000_000).unwrap();
    let refused = site.connect(stranger.der(), "localhost", &[]).await.unwrap_err();
    assert!(refused.to_string().contains("certificate"), "{refused}");
    let refused = site.connect(&site.authority, "elsewhere.example", &[]).await.unwrap_err();
    assert!(refused.to_string().contains("certificate"), "{refused}");
    site.stop().await;
}

#[tokio::test]
async fn a_certificate_that_is_given_is_shown_instead() {
    let folder = tempfile::tempdir().unwrap();
    let root_key = KeyPair::generate().unwrap();
    let mut root = CertificateParams::new(Vec::<String>::new()).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_certificate = root.self_signed(&root_key).unwrap();
    let issuer = Issuer::new(root, root_key);
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["fleet.example".to_owned()]).unwrap();
    let own = own.signed_by(&key, &issuer).unwrap();
    let (chain, key_file) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    std::fs::write(&chain, format!("{}{}", own.pem(), root_certificate.pem())).unwrap();
    std::fs::write(&key_file, key.serialize_pem()).unwrap();
    let api = format!("certificate = \"{}\"\nkey = \"{}\"", chain.display(), key_file.display());

    let site = Site::start(folder, &api).await;
    let stream = site.connect(root_certificate.der(), "fleet.example", &[]).await.unwrap();
    let answer = ask(stream).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(site.connect(&site.authority, "localhost", &[]).await.is_err(), "not the own authority's");
    site.stop().await;
}

#[tokio::test]
async fn a_certificate_that_is_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    let api = format!("certificate = \"{}\"\nkey = \"{}\"", chain.display(), key.display());
    let config = config(&folder, &api);
    init::init(&config).await.unwrap();
    let refused = async || format!("{:#}", start(config.clone(), Role::Api).await.expect_err("no start"));
    assert!(refused().await.contains("chain.pem"));
    std::fs::write(&chain, "nothing of the kind").unwrap();
    assert!(refused().await.contains("holds no certificate"));
    let other = CertificateParams::new(vec!["a".to_owned()]).unwrap();
    let other = other.self_signed(&KeyPair::generate().unwrap()).unwrap();
    std::fs::write(&chain, other.pem()).unwrap();
    assert!(refused().await.contains("key.pem"));
    // Of another pair.
    std::fs::write(&key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    assert!(refused().await.contains("certificate and key"));
}

#[tokio::test]
async fn without_tls_nobody_is_served() {
    let site = Site::start(tempfile::tempdir().unwrap(), "").await;
    let mut plain = TcpStream::connect(site.address()).await.unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    let _ = tokio::time::timeout(LIMIT, plain.read_to_end(&mut said)).await.unwrap();
    assert!(!String::from_utf8_lossy(&said).contains("HTTP/"), "{said:?}");
    site.stop().await;

    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&folder, "plain_http = true");
    init::init(&config).await.unwrap();
    config.api.listen = "0.0.0.0:0".parse().unwrap();
    let refused = start(config, Role::Api).await.expect_err("no start");
    assert!(format!("{refused:#}").contains("plain_http"), "{refused:#}");
}

#[tokio::test]
async fn those_who_do_not_finish_their_handshake_hold_up_nobody() {
    let site = Site::start(tempfile::tempdir().unwrap(), "").await;
    let mut idle = Vec::new();
    for n in 0..200 {
        let mut stream = TcpStream::connect(site.address()).await.unwrap();
        if n % 2 == 0 {
            // The head of a record that says that more comes.
            stream.write_all(&[0x16, 3, 1, 2, 0, 1]).await.unwrap();
        }
        idle.push(stream);
    }
    let answer = ask(site.connect(&site.authority, "localhost", &[]).await.unwrap()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(idle);
    site.stop().await;
}
