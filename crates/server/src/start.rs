// SPDX-License-Identifier: Apache-2.0
//! A running server: the roles of one process over one database.

use crate::api::health::{self, Standing};
use crate::api::route::RouteRow;
use crate::api::state::{Api, SIGN_INS_PER_MINUTE, Shared};
use crate::authority::Authority;
use crate::config::Config;
use crate::console::Console;
use crate::content::{Checker, ContentKey, Publisher};
use crate::gateway::{Gateway, Settings};
use crate::inside::Door;
use crate::people::limit::Limit;
use crate::people::oidc::Providers;
use crate::people::password::Passwords;
use crate::people::password_policy::PasswordPolicy;
use crate::people::seal::Seal;
use crate::read_only::{self, ReadOnly};
use crate::{
    api, backup, deep_scan, descriptors, init, log, numbers, outbound, sample_retention, samples, serve,
    time, worker,
};
use anyhow::{Context as _, bail};
use lazaret_store::{Options, Store};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// Nobody waits longer for a database that is gone: people are told to come back, agents keep what they have.
const DATABASE_PATIENCE: Duration = Duration::from_secs(5);

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    All,
    /// Agents.
    Gateway,
    /// People.
    Api,
    /// What nobody asks for.
    Worker,
}

impl FromStr for Role {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Ok(match word {
            "all" => Self::All,
            "gateway" => Self::Gateway,
            "api" => Self::Api,
            "worker" => Self::Worker,
            _ => {
                return Err(format!(
                    "unknown role \"{}\"; known: all, gateway, api, worker",
                    word.escape_default()
                ));
            }
        })
    }
}

/// A server that runs.
#[derive(Debug)]
pub struct Running {
    /// Where people connect.
    pub api: Option<SocketAddr>,
    /// Where agents connect.
    pub gateway: Option<SocketAddr>,
    /// Where what watches the process connects.
    pub metrics: Option<SocketAddr>,
    /// SHA-256 of the authority's certificate.
    pub fingerprint: String,
    /// Every route with its permission.
    pub routes: Vec<RouteRow>,
    /// The OpenAPI document.
    pub document: String,
    store: Store,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    agents: Option<Gateway>,
    /// Nobody puts a backup in the place of data that is in use.
    _lock: std::fs::File,
}

impl Running {
    /// The store beneath, for tests that look behind the API.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Ends everything in order, within some seconds.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Some(agents) = self.agents {
            agents.stop().await;
        }
        for task in self.tasks {
            // A task that failed has said so.
            let _ = task.await;
        }
        self.store.close().await;
    }
}

/// Starts a role, without a console.
///
/// # Errors
/// As [`start_with`].
pub async fn start(config: Config, role: Role) -> anyhow::Result<Running> {
    start_with(config, role, Console::default(), None).await
}

/// Starts a role; people with a browser are given this console, programs for another API this door to it.
///
/// # Errors
/// Names the port, the certificate, the authority or the database, and the cause.
pub async fn start_with(
    config: Config,
    role: Role,
    console: Console,
    door: Option<Door>,
) -> anyhow::Result<Running> {
    let handle = numbers::handle();
    let authority = Arc::new(
        Authority::load(&init::authority_folder(&config)).context("no authority; run lazaret-server init")?,
    );
    let lock = backup::hold(&config.server.data)?;
    let options = Options {
        connections: config.server.connections,
        acquire_timeout: DATABASE_PATIENCE,
        ..Options::default()
    };
    let store = Store::open_with(&config.database(), options).await.context("cannot open the database")?;
    // Several processes of one PostgreSQL may start at once: the store lets one of them migrate.
    store.migrate().await.context("cannot bring the database up to date")?;
    let outbound = outbound::of(&config, &store).await?;
    let key = ContentKey::load_or_make(&init::authority_folder(&config))?;
    let content_key = key.public();
    let publisher = Publisher::new(store.clone(), key, config.clone());
    let samples = samples::open(&config).await?;
    let read_only = ReadOnly::default();
    read_only.look(&store).await?;
    let (stop, stopping) = watch::channel(false);
    let mut running = Running {
        api: None,
        gateway: None,
        metrics: None,
        fingerprint: authority.fingerprint(),
        routes: Vec::new(),
        document: String::new(),
        store: store.clone(),
        stop,
        tasks: vec![tokio::spawn(read_only::watch(store.clone(), read_only.clone(), stopping.clone()))],
        agents: None,
        _lock: lock,
    };
    if matches!(role, Role::All | Role::Gateway) {
        let mut settings = Settings::new(config.gateway.listen, config.names(), Arc::new(log::line));
        settings.max_sessions = config.gateway.max_sessions;
        descriptors::raise(settings.max_sessions);
        let within = Duration::from_secs(config.gateway.silence_seconds.into());
        // The look comes up to two seconds later, and the alarm is to be there by then.
        settings.silence = within.saturating_sub(Duration::from_secs(5)).max(within / 2);
        settings.silence_grace = settings.silence_grace.min(settings.silence * 7);
        settings.limits.keep_alive = Duration::from_secs(config.gateway.keep_alive_seconds.into());
        settings.content_key = content_key;
        settings.read_only = read_only.clone();
        settings.samples = Some(Arc::new(samples.clone()));
        let gateway = Gateway::start(store.clone(), Arc::clone(&authority), settings).await?;
        running.gateway = Some(gateway.address());
        running.agents = Some(gateway);
    }
    running.tasks.push(tokio::spawn(samples::keep(samples.clone(), stopping.clone())));
    running.tasks.push(tokio::spawn(numbers::keep(handle.clone(), stopping.clone())));
    let standing = Standing {
        store: store.clone(),
        gateway: running.agents.as_ref().map(Gateway::handle),
        metrics: handle,
        from: config.api.metrics_from.clone(),
        read_only: read_only.clone(),
    };
    if let Some(listen) = config.metrics.listen {
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("[metrics] listen: cannot listen on {listen}"))?;
        running.metrics = Some(listener.local_addr()?);
        let router = health::router(standing.clone());
        running.tasks.push(tokio::spawn(serve::run(listener, None, router, "metrics", stopping.clone())));
    }
    if matches!(role, Role::All | Role::Worker) {
        let jobs = worker::Jobs {
            store: store.clone(),
            alarm_days: config.retention.alarm_days,
            history_days: config.retention.history_days,
            publisher: publisher.clone(),
            read_only: read_only.clone(),
        };
        running.tasks.push(tokio::spawn(worker::run(jobs, stopping.clone())));
        let retention = sample_retention::Retention {
            store: store.clone(),
            samples: samples.clone(),
            read_only: read_only.clone(),
            history_days: config.retention.history_days,
        };
        running.tasks.push(tokio::spawn(sample_retention::run(retention, stopping.clone())));
        let gateway = running.agents.as_ref().map(Gateway::handle);
        let rings = worker::release(store.clone(), gateway, read_only.clone(), stopping.clone());
        running.tasks.push(tokio::spawn(rings));
        let work = deep_scan::Work {
            store: store.clone(),
            samples: samples.clone(),
            gateway: running.agents.as_ref().map(Gateway::handle),
            read_only: read_only.clone(),
        };
        running.tasks.push(tokio::spawn(deep_scan::run(config.clone(), work, stopping.clone())));
        let tell = outbound::run(store.clone(), outbound.clone(), read_only.clone(), stopping.clone());
        running.tasks.push(tokio::spawn(tell));
    }
    if matches!(role, Role::All | Role::Api) {
        let tls = tls(&config, &authority)?;
        let listener = TcpListener::bind(config.api.listen)
            .await
            .with_context(|| format!("cannot listen on {} for people", config.api.listen))?;
        let mut config = config;
        let hss = config.api.hss;
        // What people and providers are told, where the system chose the port.
        config.api.listen = listener.local_addr()?;
        running.api = Some(config.api.listen);
        let shared = Shared {
            store,
            passwords: Passwords::new()?,
            policy: PasswordPolicy::load(&config.sign_on)?,
            seal: Seal::open(&init::authority_folder(&config))?,
            providers: Providers::load(&config.sign_on)?,
            by_credential: Limit::new(config.api.requests_per_minute),
            by_address: Limit::new(config.api.requests_per_minute_address),
            sign_ins: Limit::new(SIGN_INS_PER_MINUTE),
            authority: authority.fingerprint(),
            certificate: api::install::pem(authority.der()),
            standing,
            programs: api::install::Programs::new(config.install.programs.clone()),
            outbound,
            publisher,
            samples,
            checker: Checker::new(&config),
            read_only,
            console,
            config,
        };
        let (router, document, routes) = api::build(Api::new(shared), door.filter(|_| hss));
        running.document = document;
        running.routes = routes;
        running.tasks.push(tokio::spawn(serve::run(listener, tls, router, "api", stopping)));
    }
    Ok(running)
}

/// TLS for people; `None` where the configuration wants none.
fn tls(config: &Config, authority: &Authority) -> anyhow::Result<Option<TlsAcceptor>> {
    if config.api.plain_http {
        if !config.api.listen.ip().is_loopback() {
            bail!("[api] plain_http: only on loopback");
        }
        return Ok(None);
    }
    let (chain, key) = match (&config.api.certificate, &config.api.key) {
        (Some(certificate), Some(key)) => given(certificate, key)?,
        _ => authority.server(&config.names(), time::now_ms())?,
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("TLS for people")?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("TLS for people: certificate and key")?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(server))))
}

fn given(
    certificate: &Path,
    key: &Path,
) -> anyhow::Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| anyhow::anyhow!("{}: no certificates: {e}", certificate.display()))?;
    if chain.is_empty() {
        bail!("{}: holds no certificate", certificate.display());
    }
    let key =
        PrivateKeyDer::from_pem_file(key).map_err(|e| anyhow::anyhow!("{}: no key: {e}", key.display()))?;
    Ok((chain, key))
}
