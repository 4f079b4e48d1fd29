// SPDX-License-Identifier: Apache-2.0
//! A server that does what its story says: the real session over real TLS, and nothing behind it.

pub mod cloud;

use lazaret_proto::v1::server_frame::Kind as Say;
use lazaret_proto::{offer_statement, v1};
use lazaret_session::{
    Channel, ENROLL_PATH, End, Ingested, Limits, Place, SESSION_PATH, ServerSide, Trouble, Welcome, accept,
    goodbye, place, serve,
};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, SigningKey as _,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The only token that it takes.
pub const TOKEN: &str = "a-token";

/// What it was told.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    /// In the order in which they came.
    pub records: Vec<v1::Record>,
    /// By command.
    pub results: BTreeMap<String, v1::CommandResult>,
    /// In order.
    pub applied: Vec<v1::StateApplied>,
    /// In order.
    pub hellos: Vec<v1::AgentHello>,
    /// In order.
    pub progress: Vec<v1::ScanProgress>,
    /// How sessions ended.
    pub ended: Vec<End>,
    /// Hosts that enrolled.
    pub enrolled: Vec<String>,
    /// Certificates that were renewed.
    pub renewed: usize,
    /// What hosts said of themselves, in order.
    pub reports: Vec<v1::HostReport>,
    /// Parts of content that were asked for: where they begin.
    pub parts: Vec<u64>,
}

#[derive(Default)]
struct Wants {
    desired: Option<v1::DesiredState>,
    commands: Vec<v1::Command>,
    next: VecDeque<Say>,
    /// Instead of a welcome.
    goodbye: Option<v1::Goodbye>,
    /// Days that certificates have been valid already.
    age_days: i64,
    /// Its clock less ours, milliseconds.
    skew_ms: i64,
    /// Content by the digest under which it is asked for.
    packs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Parts are given up to there.
    broken_at: Option<u64>,
}

struct Shared {
    seen: Mutex<Seen>,
    wants: Mutex<Wants>,
    acked: Mutex<BTreeMap<String, Place>>,
    cloud: Mutex<cloud::Cloud>,
    bell: Notify,
    stop: Notify,
    issuer: Issuer<'static, KeyPair>,
    authority: Vec<u8>,
    content_key: KeyPair,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running server; stopped when dropped.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts it on a port of its own, on the loopback.
    ///
    /// # Panics
    /// When it cannot.
    #[must_use]
    pub fn start() -> Self {
        let key = KeyPair::generate().expect("key");
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "the story's authority");
        let authority = params.self_signed(&key).expect("authority").der().to_vec();
        let shared = Arc::new(Shared {
            seen: Mutex::default(),
            wants: Mutex::default(),
            acked: Mutex::default(),
            cloud: Mutex::default(),
            bell: Notify::new(),
            stop: Notify::new(),
            issuer: Issuer::new(params, key),
            authority,
            content_key: KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("key"),
        });
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        listener.set_nonblocking(true).expect("nonblocking");
        let address = listener.local_addr().expect("address");
        let tls = TlsAcceptor::from(Arc::new(tls(&shared)));
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
            runtime.block_on(listen(listener, tls, for_thread));
        });
        Self { address, shared, thread: Some(thread) }
    }

    /// For `--server`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("wss://{}", self.address)
    }

    /// For `--ca-fingerprint`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        Sha256::digest(&self.shared.authority).iter().fold(String::new(), |mut out, b| {
            let _ = write!(out, "{b:02x}");
            out
        })
    }

    /// What it was told so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        lock(&self.shared.seen).clone()
    }

    /// From now on this is what the host should be.
    pub fn want(&self, state: v1::DesiredState) {
        let mut wants = lock(&self.shared.wants);
        wants.next.push_back(Say::Desired(state.clone()));
        wants.desired = Some(state);
        drop(wants);
        self.shared.bell.notify_one();
    }

    /// Orders something; it is sent in every session until its result is there.
    pub fn order(&self, command: v1::Command) {
        let mut wants = lock(&self.shared.wants);
        wants.next.push_back(Say::Command(command.clone()));
        wants.commands.push(command);
        drop(wants);
        self.shared.bell.notify_one();
    }

    /// Sends a frame once.
    pub fn say(&self, kind: Say) {
        lock(&self.shared.wants).next.push_back(kind);
        self.shared.bell.notify_one();
    }

    /// Answers every hello with that; `None` welcomes again.
    pub fn refuse(&self, goodbye: Option<v1::Goodbye>) {
        lock(&self.shared.wants).goodbye = goodbye;
    }

    /// Certificates from now on look as if they were that old.
    pub fn age_certificates(&self, days: i64) {
        lock(&self.shared.wants).age_days = days;
    }

    /// From the next session on its clock is off by that many milliseconds.
    pub fn set_clock(&self, skew_ms: i64) {
        lock(&self.shared.wants).skew_ms = skew_ms;
    }

    /// Offers a pack: its bytes are given in parts, the offer is signed after `change`. The generation is its
    /// number.
    ///
    /// # Panics
    /// When it cannot be signed.
    pub fn offer(&self, number: u64, bytes: &[u8], change: impl FnOnce(&mut v1::ContentOffer)) {
        let sha256 = Sha256::digest(bytes).to_vec();
        lock(&self.shared.wants).packs.insert(sha256.clone(), bytes.to_vec());
        let mut offer = v1::ContentOffer {
            version: format!("story {number}"),
            number,
            sha256,
            size: bytes.len() as u64,
            expires_ms: i64::MAX,
            replaces_up_to: 0,
            signature: Vec::new(),
            key: self.shared.content_key.public_key_raw().to_vec(),
            channel: "0".into(),
        };
        change(&mut offer);
        if offer.signature.is_empty() {
            offer.signature = self.shared.content_key.sign(&offer_statement(&offer)).expect("signature");
        }
        self.want(v1::DesiredState {
            generation: number,
            policy: Some(v1::HostPolicy::default()),
            content: Some(offer),
            ..v1::DesiredState::default()
        });
    }

    /// Other bytes under the digest of these.
    pub fn exchange(&self, bytes: &[u8], for_them: &[u8]) {
        lock(&self.shared.wants).packs.insert(Sha256::digest(bytes).to_vec(), for_them.to_vec());
    }

    /// Parts from there on are not answered, but with the end of the session; `None`: all are given.
    pub fn break_at(&self, offset: Option<u64>) {
        lock(&self.shared.wants).broken_at = offset;
    }

    /// The newest form of each alarm.
    #[must_use]
    pub fn alarms(&self) -> BTreeMap<String, v1::Alarm> {
        let seen = self.seen();
        let alarms = seen.records.into_iter().filter_map(|r| match r.what {
            Some(v1::record::What::Alarm(a)) => Some((a.id.clone(), a)),
            _ => None,
        });
        alarms.collect()
    }

    /// The newest form of each isolated file.
    #[must_use]
    pub fn isolated(&self) -> BTreeMap<String, v1::Isolated> {
        let seen = self.seen();
        let isolated = seen.records.into_iter().filter_map(|r| match r.what {
            Some(v1::record::What::Isolated(i)) => Some((i.id.clone(), i)),
            _ => None,
        });
        isolated.collect()
    }
}

/// Milliseconds UTC.
#[must_use]
pub fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn tls(shared: &Shared) -> ServerConfig {
    let key = KeyPair::generate().expect("key");
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
    let own = params.signed_by(&key, &shared.issuer).expect("certificate");
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(shared.authority.clone())).expect("authority");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .expect("verifier");
    let chain = vec![own.der().clone(), CertificateDer::from(shared.authority.clone())];
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        .expect("certificate")
}

async fn listen(listener: TcpListener, tls: TlsAcceptor, shared: Arc<Shared>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("listener");
    let tasks = tokio::task::LocalSet::new();
    let serving = tasks.run_until(async {
        loop {
            let Ok((tcp, _)) = listener.accept().await else { continue };
            let (tls, shared) = (tls.clone(), Arc::clone(&shared));
            tokio::task::spawn_local(async move {
                if let Ok(stream) = tls.accept(tcp).await {
                    connection(stream, &shared).await;
                }
            });
        }
    });
    tokio::select! {
        () = serving => {}
        () = shared.stop.notified() => {}
    }
}

async fn connection(stream: TlsStream<TcpStream>, shared: &Arc<Shared>) {
    let limits = Limits::default();
    let known = stream.get_ref().1.peer_certificates().is_some_and(|c| !c.is_empty());
    let Ok(accepted) = accept(stream, &[SESSION_PATH, ENROLL_PATH], &limits).await else { return };
    if accepted.path == ENROLL_PATH {
        enroll(accepted.channel, shared).await;
    } else if known {
        let mut side = Side { shared: Arc::clone(shared), host: String::new(), begun: false };
        serve(accepted.channel, &mut side, &limits).await;
    }
}

async fn enroll(mut channel: Channel<TlsStream<TcpStream>>, shared: &Shared) {
    let Ok(request) = channel.receive::<v1::EnrollRequest>().await else { return };
    let answer = if request.token == TOKEN {
        let host = uuid::Uuid::now_v7().to_string();
        lock(&shared.seen).enrolled.push(host.clone());
        let chain = chain(shared, &request.csr, &host);
        v1::EnrollAnswer {
            host,
            chain,
            authority: shared.authority.clone(),
            content_key: shared.content_key.public_key_raw().to_vec(),
            ..v1::EnrollAnswer::default()
        }
    } else {
        v1::EnrollAnswer { error: "the token is not known".into(), ..v1::EnrollAnswer::default() }
    };
    channel.farewell(Some(&answer)).await;
}

fn chain(shared: &Shared, csr: &[u8], host: &str) -> Vec<Vec<u8>> {
    let mut csr = rcgen::CertificateSigningRequestParams::from_der(&csr.to_vec().into()).expect("request");
    csr.params.distinguished_name = DistinguishedName::new();
    csr.params.distinguished_name.push(DnType::CommonName, host);
    let age = Duration::from_secs(u64::try_from(lock(&shared.wants).age_days * 86_400).expect("days"));
    let begun = std::time::SystemTime::now() - age;
    csr.params.not_before = begun.into();
    csr.params.not_after = (begun + Duration::from_secs(30 * 86_400)).into();
    let own = csr.signed_by(&shared.issuer).expect("certificate");
    vec![own.der().to_vec(), shared.authority.clone()]
}

struct Side {
    shared: Arc<Shared>,
    host: String,
    begun: bool,
}

impl ServerSide for Side {
    async fn welcome(&mut self, hello: &v1::AgentHello) -> Result<Welcome, Trouble> {
        self.host.clone_from(&hello.host);
        let mut seen = lock(&self.shared.seen);
        seen.hellos.push(hello.clone());
        seen.reports.extend(hello.report.clone());
        drop(seen);
        let wants = lock(&self.shared.wants);
        if let Some(goodbye) = &wants.goodbye {
            return Err(Trouble::Goodbye(goodbye.clone()));
        }
        Ok(Welcome {
            incarnation: "the story".into(),
            acked: lock(&self.shared.acked).get(&self.host).copied().unwrap_or_default(),
            generation: wants.desired.as_ref().map_or(0, |d| d.generation),
            now_ms: now_ms() + wants.skew_ms,
        })
    }

    async fn ingest(&mut self, records: Vec<v1::Record>) -> Result<Ingested, Trouble> {
        let last = place(records.last().and_then(|r| r.at.as_ref()));
        lock(&self.shared.seen).records.extend(records);
        lock(&self.shared.acked).insert(self.host.clone(), last);
        Ok(Ingested::Acked(last))
    }

    async fn result(&mut self, result: v1::CommandResult) -> Result<(), Trouble> {
        lock(&self.shared.wants).commands.retain(|c| c.id != result.id);
        lock(&self.shared.seen).results.insert(result.id.clone(), result);
        Ok(())
    }

    async fn applied(&mut self, applied: v1::StateApplied) -> Result<(), Trouble> {
        lock(&self.shared.seen).applied.push(applied);
        Ok(())
    }

    async fn report(&mut self, report: v1::HostReport) -> Result<(), Trouble> {
        lock(&self.shared.seen).reports.push(report);
        Ok(())
    }

    async fn content(&mut self, request: v1::ContentRequest) -> Result<Option<v1::ContentChunk>, Trouble> {
        lock(&self.shared.seen).parts.push(request.offset);
        let wants = lock(&self.shared.wants);
        if wants.broken_at.is_some_and(|at| request.offset >= at) {
            let bye =
                v1::Goodbye { retry_after_ms: 100, ..goodbye(v1::goodbye::Kind::Busy, "says the story") };
            return Err(Trouble::Goodbye(bye));
        }
        let bytes = wants.packs.get(&request.sha256).cloned().unwrap_or_default();
        let from = usize::try_from(request.offset).unwrap_or(usize::MAX).min(bytes.len());
        let to = (from + request.length as usize).min(bytes.len());
        let data = bytes[from..to].to_vec();
        let error = if data.is_empty() { "no such pack".to_owned() } else { String::new() };
        Ok(Some(v1::ContentChunk { sha256: request.sha256, offset: request.offset, data, error }))
    }

    async fn progress(&mut self, progress: v1::ScanProgress) -> Result<(), Trouble> {
        lock(&self.shared.seen).progress.push(progress);
        Ok(())
    }

    async fn certificate(&mut self, csr: Vec<u8>) -> Result<Vec<Vec<u8>>, Trouble> {
        let signed = chain(&self.shared, &csr, &self.host);
        lock(&self.shared.seen).renewed += 1;
        Ok(signed)
    }

    async fn questions(&mut self, asked: v1::HashQuestions) -> Result<Option<v1::HashAnswers>, Trouble> {
        Ok(lock(&self.shared.cloud).questions(asked))
    }

    async fn inventory(&mut self, part: v1::InventoryPart) -> Result<Option<u64>, Trouble> {
        Ok(Some(lock(&self.shared.cloud).inventory(part)))
    }

    async fn verdicts_from(&mut self, from: v1::VerdictsFrom) -> Result<(), Trouble> {
        let told = lock(&self.shared.cloud).verdicts_from(from);
        lock(&self.shared.wants).next.push_back(told);
        self.shared.bell.notify_one();
        Ok(())
    }

    async fn outgoing(&mut self) -> Result<Vec<Say>, Trouble> {
        let mut wants = lock(&self.shared.wants);
        if self.begun {
            return Ok(wants.next.drain(..).collect());
        }
        self.begun = true;
        wants.next.clear();
        let desired = wants.desired.clone().map(Say::Desired);
        Ok(desired.into_iter().chain(wants.commands.iter().cloned().map(Say::Command)).collect())
    }

    fn probe(&mut self) -> bool {
        false
    }

    async fn news(&mut self) {
        self.shared.bell.notified().await;
    }

    fn heard(&mut self) {}

    async fn ended(&mut self, end: &End) {
        lock(&self.shared.seen).ended.push(end.clone());
    }
}

/// A goodbye of that kind, with the only token.
#[must_use]
pub fn farewell(kind: v1::goodbye::Kind) -> v1::Goodbye {
    v1::Goodbye { token: TOKEN.into(), retry_after_ms: 100, ..goodbye(kind, "says the story") }
}
