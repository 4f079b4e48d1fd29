// SPDX-License-Identifier: Apache-2.0
//! A store and samples for one test, and workers over them.

use lazaret_deepscan::{Connector, DeepScan, Hooks, SetAside, Settings};
use lazaret_kit::binaries;
use lazaret_model::{ScanReport, Sha256};
use lazaret_proto::{Message as _, v1};
use lazaret_samples::{Samples, SamplesConfig};
use lazaret_store::{DEFAULT_PROJECT, DeepScanRow, NewSample, Store};
use sha2::Digest as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Generous: the machine that tests run on may be busy.
const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) const PROJECT: &str = DEFAULT_PROJECT;

pub(crate) fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// With the real scanner and the real content.
pub(crate) fn settings() -> Settings {
    quick(binaries::path("lazaret-scanner"), binaries::deep_pack())
}

/// With a scanner that does what the sample's text says.
pub(crate) fn misbehaving() -> Settings {
    quick(binaries::path("examples/misbehave"), "v1".into())
}

fn quick(scanner: PathBuf, content: PathBuf) -> Settings {
    let mut settings = Settings::new(scanner, content);
    settings.poll = Duration::from_millis(20);
    settings.retry = Duration::from_millis(10);
    settings.deadline = Duration::from_secs(60);
    settings.uid_gid = rustix::process::geteuid().is_root().then_some((65534, 65534));
    settings
}

pub(crate) struct Desk {
    folder: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) samples: Samples,
}

/// A worker that runs.
pub(crate) struct Worker {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    pub(crate) aside: Arc<Mutex<Vec<SetAside>>>,
    pub(crate) log: Arc<Mutex<Vec<String>>>,
}

impl Worker {
    /// As a server ends.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        tokio::time::timeout(PATIENCE, self.task).await.expect("it does not stop").unwrap();
    }

    /// As a crash: nothing is given back.
    pub(crate) async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

impl Desk {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("server.db").to_str().unwrap()).await.unwrap();
        store.migrate().await.unwrap();
        let samples = Samples::open(&SamplesConfig::in_folder(folder.path()), folder.path()).unwrap();
        Self { folder, store, samples }
    }

    /// Takes a sample as the gateway does; its deep scan is queued.
    pub(crate) async fn put(&self, bytes: &[u8]) -> Sha256 {
        let sha256 = Sha256(sha2::Sha256::digest(bytes).into());
        let new = NewSample {
            project: PROJECT.to_owned(),
            sha256: sha256.0.to_vec(),
            size: i64::try_from(bytes.len()).unwrap(),
            kind: "script".to_owned(),
            host: uuid::Uuid::now_v7().to_string(),
            silent_since_ms: 0,
            expires_ms: 0,
            now_ms: now_ms(),
        };
        self.store.begin_sample(&new).await.unwrap();
        let size = bytes.len() as u64;
        let mut at = 0;
        for part in bytes.chunks(256 << 10) {
            at = self.samples.put_part(PROJECT, &sha256.0, size, at, part).await.unwrap();
        }
        assert_eq!(at, size);
        self.samples.finish(PROJECT, &sha256.0).await.unwrap();
        self.store.sample_stored(PROJECT, &sha256.0, now_ms()).await.unwrap();
        sha256
    }

    pub(crate) fn start(&self, settings: Settings, connectors: Vec<Connector>) -> Worker {
        let (stop, stopping) = watch::channel(false);
        let (aside, log) = (Arc::<Mutex<Vec<SetAside>>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (seen, lines) = (Arc::clone(&aside), Arc::clone(&log));
        let hooks = Hooks {
            log: Arc::new(move |line| lines.lock().unwrap().push(line.to_owned())),
            on_set_aside: Arc::new(move |aside| {
                seen.lock().unwrap().push(aside);
                Box::pin(std::future::ready(Ok(())))
            }),
            ..Hooks::default()
        };
        let scan = DeepScan::new(self.store.clone(), self.samples.clone(), settings, connectors, hooks);
        Worker { stop, task: tokio::spawn(scan.run(stopping)), aside, log }
    }

    pub(crate) async fn row(&self, sha256: Sha256) -> DeepScanRow {
        self.store.deep_scan(PROJECT, &sha256.0).await.unwrap()
    }

    /// Waits for a state.
    pub(crate) async fn until(&self, sha256: Sha256, state: &str) -> DeepScanRow {
        let begun = Instant::now();
        loop {
            let row = self.row(sha256).await;
            if row.state == state {
                return row;
            }
            assert!(begun.elapsed() < PATIENCE, "it is not {state}: {row:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Where a sample lies, to damage it.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().join("samples")
    }
}

/// What is kept with a job.
pub(crate) fn report(row: &DeepScanRow) -> ScanReport {
    v1::ScanReport::decode(row.report.as_slice()).unwrap().try_into().unwrap()
}
