// SPDX-License-Identifier: Apache-2.0
//! A real gateway on a real store, on a free port.

use crate::base::{self, Base, Shared};
use lazaret_proto::{Message, v1};
use lazaret_server::authority::Authority;
use lazaret_server::gateway::{Gateway, Settings};
use lazaret_store::{AlarmFilter, AlarmRow, CommandRow, Cursor, HostRow, Scope, Store, TokenRow};
use sha2::{Digest as _, Sha256};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

pub(crate) struct Rig {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) authority: Arc<Authority>,
    pub(crate) gateway: Gateway,
    pub(crate) lines: Arc<Mutex<Vec<String>>>,
    /// What the database stands on, when it is PostgreSQL.
    shared: Option<Arc<Shared>>,
}

impl Rig {
    pub(crate) async fn start(set: impl FnOnce(&mut Settings)) -> Self {
        Self::start_on(Base::Sqlite, |settings, _| set(settings)).await
    }

    /// The second is given the rig's folder.
    pub(crate) async fn start_on(base: Base, set: impl FnOnce(&mut Settings, &std::path::Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority =
            Authority::create(&folder.path().join("authority"), "Lazaret test", now_ms()).unwrap();
        let (shared, url) = match base {
            Base::Sqlite => (None, format!("sqlite:{}", folder.path().join("server.db").display())),
            Base::Postgres => {
                let (shared, url) = base::database();
                (Some(shared), url)
            }
        };
        let store = Store::open(&url).await.unwrap();
        store.migrate().await.unwrap();
        let path = folder.path().to_owned();
        let mut rig = Self::over(folder, store, Arc::new(authority), |settings| set(settings, &path)).await;
        rig.shared = shared;
        rig
    }

    pub(crate) async fn over(
        folder: tempfile::TempDir,
        store: Store,
        authority: Arc<Authority>,
        set: impl FnOnce(&mut Settings),
    ) -> Self {
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = lines.clone();
        let log = Arc::new(move |text: &str| kept.lock().unwrap().push(text.to_owned()));
        let mut settings = Settings::new("127.0.0.1:0".parse().unwrap(), vec!["localhost".to_owned()], log);
        settings.silence_grace = Duration::ZERO;
        settings.probe = Duration::from_millis(1500);
        set(&mut settings);
        let gateway = Gateway::start(store.clone(), authority.clone(), settings).await.unwrap();
        Self { folder, store, authority, gateway, lines, shared: None }
    }

    /// Another process on the same data.
    pub(crate) async fn restart(self, set: impl FnOnce(&mut Settings)) -> Self {
        let Self { folder, store, authority, gateway, shared, .. } = self;
        gateway.stop().await;
        let rig = Self::over(folder, store, authority, set).await;
        Self { shared, ..rig }
    }

    pub(crate) async fn token(&self, text: &str, uses: i64, lasts_ms: i64) {
        let row = TokenRow {
            id: uuid::Uuid::now_v7().to_string(),
            hash: Sha256::digest(text.as_bytes()).to_vec(),
            project: "0".to_owned(),
            group: None,
            expires_ms: now_ms() + lasts_ms,
            uses_left: uses,
            who: "test".to_owned(),
            created_ms: now_ms(),
            note: String::new(),
        };
        self.store.create_token(&row).await.unwrap();
    }

    pub(crate) async fn order(&self, host: &str, verb: v1::command::Verb) -> String {
        let id = uuid::Uuid::now_v7().to_string();
        let row = CommandRow {
            id: id.clone(),
            host: host.to_owned(),
            project: "0".to_owned(),
            task: String::new(),
            verb: "self_test".to_owned(),
            about: String::new(),
            state: "pending".to_owned(),
            reason: String::new(),
            who: "alice".to_owned(),
            created_ms: now_ms(),
            expires_ms: now_ms() + 60_000,
            sent_ms: 0,
            finished_ms: 0,
            cancel: false,
            payload: v1::Command { verb: Some(verb), ..v1::Command::default() }.encode_to_vec(),
            result: Vec::new(),
        };
        self.store.insert_commands(&[row]).await.unwrap();
        id
    }

    pub(crate) async fn alarms(&self) -> Vec<AlarmRow> {
        let cursor = Cursor { after: None, limit: 1000 };
        self.store.alarms_page(&Scope::All, &AlarmFilter::default(), &cursor).await.unwrap().items
    }

    pub(crate) async fn host(&self, id: &str) -> HostRow {
        self.store.host(id).await.unwrap()
    }
}

/// Waits until something is so; panics with `what` when it does not come.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut so: impl FnMut() -> F) {
    for _ in 0..200 {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} did not come");
}
