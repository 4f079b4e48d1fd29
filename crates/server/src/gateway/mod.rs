// SPDX-License-Identifier: Apache-2.0
//! The agents' side of the server: their port, their sessions on the store, and the watch over silence.
//!
//! One port takes TLS. Without a client certificate only `/agent/v1/enroll` goes; a session needs a
//! certificate of the own authority whose serial number is the one that the store knows for the host.
//! A newer certificate of the same host takes the older one's place when it is used for the first time,
//! so that an agent which has a renewed one and lost it on the way is not shut out.

mod accept;
pub(crate) mod alarms;
mod clone;
mod cloud;
mod commands;
mod content;
pub mod desired;
mod desk;
mod dispatch;
mod enroll;
mod facts;
mod limiter;
mod live;
mod results;
mod rows;
mod silence;
mod tls;

pub use cloud::CloudLimits;

use crate::authority::{Authority, AuthorityError};
use lazaret_proto::v1::goodbye::Kind as Bye;
use lazaret_samples::Samples;
use lazaret_session::{Limits, goodbye};
use lazaret_store::{Store, StoreError};
use limiter::Limiter;
use live::Lives;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use thiserror::Error;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;

/// Records that wait for their commit at one time: those of 64 full batches.
const INGESTS: u32 = 32_000;

/// The first agents come back so long after a gateway stopped in order.
const RETURN_MS: u32 = 2_000;

/// Where lines for the administrator go.
pub type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// How a gateway is set up.
#[derive(Clone)]
pub struct Settings {
    /// Where agents connect; port 0 takes any.
    pub listen: SocketAddr,
    /// Names and addresses in the server's certificate.
    pub names: Vec<String>,
    /// Names this process among the gateways of one database; anew at each start.
    pub instance: String,
    /// Sessions at the same time.
    pub max_sessions: usize,
    /// Bounds of a session.
    pub limits: Limits,
    /// A host that was not heard for so long and did not say goodbye has fallen silent. The look comes up
    /// to two seconds later: an alarm is there within a minute.
    pub silence: Duration,
    /// After the start nobody counts as silent for so long: agents wait up to five minutes before
    /// they come back to a server that was away.
    pub silence_grace: Duration,
    /// How often the store is asked for orders when nobody says that there are some.
    pub poll: Duration,
    /// How long a first session is asked for a sign of life before another machine takes its place.
    pub probe: Duration,
    /// Failed enrolments from one address in a minute.
    pub failed_enrolments: u32,
    /// Ed25519: with this the server signs content. Empty: hosts learn it with the first offer.
    pub content_key: Vec<u8>,
    /// Where samples lie; without it none is taken.
    pub samples: Option<Arc<Samples>>,
    /// Bounds of Malware Cloud Scan.
    pub cloud: CloudLimits,
    /// Whether nothing is taken now.
    pub read_only: crate::read_only::ReadOnly,
    /// Where lines for the administrator go.
    pub log: Log,
}

impl Settings {
    /// Everything as it should be, for one address.
    #[must_use]
    pub fn new(listen: SocketAddr, names: Vec<String>, log: Log) -> Self {
        Self {
            listen,
            names,
            instance: uuid::Uuid::now_v7().to_string(),
            max_sessions: 20_000,
            limits: Limits::default(),
            silence: Duration::from_secs(55),
            silence_grace: Duration::from_secs(360),
            poll: Duration::from_millis(500),
            probe: Duration::from_secs(5),
            failed_enrolments: 10,
            content_key: Vec::new(),
            samples: None,
            cloud: CloudLimits::default(),
            read_only: crate::read_only::ReadOnly::default(),
            log,
        }
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Settings({} on {})", self.instance, self.listen)
    }
}

/// Why a gateway does not start.
#[derive(Debug, Error)]
pub enum GatewayError {
    /// The port.
    #[error("cannot listen on {0} for agents: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// TLS.
    #[error("TLS for agents: {0}")]
    Tls(String),
    /// The authority.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Connections at the same time that are not yet sessions.
const HANDSHAKES: usize = 512;

/// What all parts of a gateway share.
struct Inner {
    store: Store,
    authority: Arc<Authority>,
    settings: Settings,
    incarnation: String,
    lives: Lives,
    /// Somebody in this process has ordered something.
    ordered: Notify,
    failures: Limiter,
    /// Connections that are not yet sessions.
    handshakes: Arc<Semaphore>,
    /// Records that the store works on.
    ingests: Semaphore,
    packs: content::Packs,
    results: results::Results,
    cloud: cloud::Cloud,
    /// Numbers sessions.
    sessions: AtomicU64,
    connections: AtomicU64,
    healthy: AtomicBool,
    /// Entries could not be written the last time.
    waiting: AtomicBool,
    stopping: watch::Sender<bool>,
}

impl Inner {
    fn log(&self, text: &str) {
        (self.settings.log)(text);
    }

    /// Said once until it works again: every session of the gateway comes with the same.
    fn ingest_waits(&self, why: &StoreError) {
        if !self.waiting.swap(true, Ordering::Relaxed) {
            self.log(&format!(
                "entries of hosts cannot be written, so they are not acknowledged and the hosts keep them: {why}"
            ));
        }
    }

    fn ingest_works(&self) {
        if self.waiting.load(Ordering::Relaxed) && self.waiting.swap(false, Ordering::Relaxed) {
            self.log("entries of hosts are written again");
        }
    }
}

/// A running gateway.
pub struct Gateway {
    inner: Arc<Inner>,
    address: SocketAddr,
    tasks: JoinSet<()>,
}

/// For the rest of the process: tells a gateway of orders, and how it is.
#[derive(Clone)]
pub struct Handle(Arc<Inner>);

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Handle({} sessions)", self.sessions())
    }
}

impl Handle {
    /// Orders, desired states or verdicts were written: look at once.
    pub fn ordered(&self) {
        self.0.ordered.notify_one();
        self.0.cloud.wake.notify_one();
    }

    /// Sessions that stand.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.0.lives.len()
    }

    /// It accepts connections and its database answers (for `/readyz`).
    #[must_use]
    pub fn ready(&self) -> bool {
        self.0.healthy.load(Ordering::Relaxed) && !*self.0.stopping.borrow()
    }
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gateway({})", self.address)
    }
}

impl Gateway {
    /// Opens the port and begins.
    ///
    /// # Errors
    /// Names the port, the certificate or the database, and the cause.
    pub async fn start(
        store: Store,
        authority: Arc<Authority>,
        settings: Settings,
    ) -> Result<Self, GatewayError> {
        let tls = tls::acceptor(&authority, &settings.names, now_ms())?;
        let listener = tokio::net::TcpListener::bind(settings.listen)
            .await
            .map_err(|e| GatewayError::Listen(settings.listen, e))?;
        let address = listener.local_addr().map_err(|e| GatewayError::Listen(settings.listen, e))?;
        let incarnation = store.meta().await?.incarnation;
        let (results, jobs) = results::Results::new();
        let cloud = cloud::Cloud::new(&settings.cloud);
        let inner = Arc::new(Inner {
            failures: Limiter::new(settings.failed_enrolments, Duration::from_secs(60)),
            store,
            authority,
            settings,
            incarnation,
            lives: Lives::default(),
            ordered: Notify::new(),
            handshakes: Arc::new(Semaphore::new(HANDSHAKES)),
            ingests: Semaphore::new(INGESTS as usize),
            packs: content::Packs::default(),
            results,
            cloud,
            sessions: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            healthy: AtomicBool::new(true),
            waiting: AtomicBool::new(false),
            stopping: watch::Sender::new(false),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept::run(inner.clone(), listener, tls));
        tasks.spawn(dispatch::run(inner.clone()));
        tasks.spawn(cloud::run(inner.clone()));
        tasks.spawn(silence::run(inner.clone()));
        tasks.spawn(results::run(inner.clone(), jobs));
        Ok(Self { inner, address, tasks })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// For the rest of the process.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle(self.inner.clone())
    }

    /// Says goodbye to all agents and ends, within five seconds.
    pub async fn stop(mut self) {
        self.inner.stopping.send_replace(true);
        for (n, live) in self.inner.lives.all().into_iter().enumerate() {
            // Five hundred come back in a second: all at once would be more than a server takes.
            let wait = RETURN_MS.saturating_add(u32::try_from(n * 2).unwrap_or(u32::MAX)).min(60_000);
            let again = lazaret_proto::v1::Goodbye {
                retry_after_ms: wait,
                ..goodbye(Bye::Restart, "the server stops")
            };
            live.end(again);
        }
        for _ in 0..50 {
            if self.inner.connections.load(Ordering::Relaxed) == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.tasks.shutdown().await;
        let instance = &self.inner.settings.instance;
        if let Err(e) = self.inner.store.disconnect_gateway(instance, now_ms()).await {
            self.inner.log(&format!("the hosts of this gateway cannot be marked as offline: {e}"));
        }
    }
}

/// Milliseconds UTC.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn millis(d: Duration) -> i64 {
    i64::try_from(d.as_millis()).unwrap_or(i64::MAX)
}
