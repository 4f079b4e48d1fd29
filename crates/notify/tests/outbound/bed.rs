// SPDX-License-Identifier: Apache-2.0
//! A store, workers over it, and targets.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lazaret_kit::pg::Cluster;
use lazaret_notify::{Guard, Limits, Outbound, Seal, Secrets};
use lazaret_store::{Store, TargetRow};
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

#[derive(Clone, Copy)]
pub(crate) enum Base {
    Sqlite,
    Postgres,
}

pub(crate) struct Bed {
    pub(crate) store: Store,
    pub(crate) url: String,
    pub(crate) folder: tempfile::TempDir,
    _cluster: Option<Cluster>,
}

/// One process's deliveries.
pub(crate) struct Worker {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    pub(crate) log: Arc<Mutex<Vec<String>>>,
}

impl Worker {
    pub(crate) fn start(store: &Store, out: Outbound) -> Self {
        let (stop, stopping) = watch::channel(false);
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&log);
        let tell = move |line: &str| lines.lock().unwrap().push(line.to_owned());
        let task = tokio::spawn(lazaret_notify::run(store.clone(), out, Arc::new(tell), stopping));
        Self { stop, task, log }
    }

    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        self.task.await.unwrap();
    }
}

/// Short times: a target that hangs is part of most stories.
pub(crate) fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(2),
        whole: Duration::from_secs(4),
        first_retry: Duration::from_millis(40),
        most_retry: Duration::from_millis(200),
        attempts: 3,
        keep: Duration::from_secs(3600),
    }
}

impl Bed {
    async fn new(base: Base) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cluster = match base {
            Base::Sqlite => None,
            Base::Postgres => Some(Cluster::start()),
        };
        let url = match &cluster {
            Some(c) => c.url(),
            None => folder.path().join("lazaret.db").display().to_string(),
        };
        let store = Store::open(&url).await.unwrap();
        store.migrate().await.unwrap();
        Self { store, url, folder, _cluster: cluster }
    }

    /// What may go to the loopback, where the other ends are.
    pub(crate) fn outbound(&self) -> Outbound {
        Outbound {
            guard: Guard::new(&["127.0.0.0/8".to_owned()]).unwrap(),
            folder: self.folder.path().join("ocsf"),
            installation: "0198c0de-0000-7000-8000-00000000ffff".to_owned(),
            version: "0.1.0",
            console: "https://console.example".to_owned(),
            seal: Arc::new(Key::new()),
            limits: limits(),
        }
    }

    pub(crate) fn work(&self) -> Worker {
        Worker::start(&self.store, self.outbound())
    }

    /// Another process on the same database.
    pub(crate) async fn another(&self) -> Store {
        Store::open(&self.url).await.unwrap()
    }

    /// A target of the default project.
    pub(crate) async fn target(&self, settings: Value, secrets: Secrets) -> TargetRow {
        self.target_of("0", settings, secrets).await
    }

    pub(crate) async fn target_of(&self, project: &str, settings: Value, secrets: Secrets) -> TargetRow {
        let read = lazaret_notify::Settings::stored(&settings.to_string()).unwrap();
        read.check().unwrap();
        let id = uuid::Uuid::now_v7().to_string();
        let secrets = secrets.sealed(&id, &Key::new()).unwrap();
        let row = TargetRow {
            name: format!("target {id}"),
            id,
            project: project.to_owned(),
            kind: read.kind().unwrap().word().to_owned(),
            settings: settings.to_string(),
            secrets,
            enabled: true,
            revision: 1,
            updated_ms: 1,
            updated_by: "test".to_owned(),
        };
        self.store.create_target(&row).await.unwrap();
        // What is older than the oldest target is not new.
        tokio::time::sleep(Duration::from_millis(2)).await;
        row
    }
}

/// Seals as the server does, with one key for all beds.
#[derive(Debug)]
struct Key(RandomizedNonceKey);

impl Key {
    fn new() -> Self {
        Self(RandomizedNonceKey::new(&AES_256_GCM, &[7; 32]).unwrap())
    }
}

impl Seal for Key {
    fn close(&self, about: &str, plain: &str) -> Result<String, String> {
        let mut text = plain.as_bytes().to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(about.as_bytes()), &mut text).unwrap();
        Ok(STANDARD.encode([nonce.as_ref().as_slice(), &text].concat()))
    }

    fn open(&self, about: &str, sealed: &str) -> Result<String, String> {
        let mut bytes = STANDARD.decode(sealed).map_err(|e| e.to_string())?;
        let mut text = bytes.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&bytes).map_err(|e| e.to_string())?;
        let plain =
            self.0.open_in_place(nonce, Aad::from(about.as_bytes()), &mut text).map_err(|e| e.to_string())?;
        String::from_utf8(plain.to_vec()).map_err(|e| e.to_string())
    }
}

/// A secret, and what has it.
pub(crate) fn secret() -> (String, Secrets) {
    let mut secrets = Secrets::default();
    let secret = secrets.rotate(false).unwrap();
    (secret, secrets)
}

/// A bound, not a figure: what should end did.
#[track_caller]
pub(crate) fn within(limit: Duration, what: &str, started: Instant) {
    assert!(started.elapsed() <= limit, "{what}: {:?}", started.elapsed());
}

/// Asks again and again, up to 20 s.
pub(crate) async fn until(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !ask().await {
        assert!(Instant::now() < end, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Runs a story to its end, at most 90 s.
pub(crate) fn run<S: Future<Output = ()>>(base: Base, story: impl FnOnce(Bed) -> S) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let bed = Bed::new(base).await;
        tokio::time::timeout(Duration::from_secs(90), story(bed)).await.expect("the story takes too long");
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
}
