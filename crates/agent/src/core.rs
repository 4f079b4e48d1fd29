// SPDX-License-Identifier: Apache-2.0
//! What every part of the agent shares.

use crate::cloud::Cloud;
use crate::config::Config;
use crate::events::Events;
use crate::flood::Floods;
use crate::gate::Shared;
use crate::guards::Guards;
use crate::hashes::Hashes;
use crate::live::Live;
use crate::look::Case;
use crate::persistence::Desk;
use crate::protection::Protection;
use crate::runners::Runners;
use crate::uplink::Uplink;
use crate::windows::Windows;
use crossbeam_channel::Sender;
use lazaret_pool::Pool;
use lazaret_response::Responder;
use lazaret_state::Database;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

pub(crate) struct Core {
    pub(crate) config: Config,
    pub(crate) gate: Arc<Shared>,
    pub(crate) pool: Pool,
    pub(crate) guards: Guards,
    pub(crate) responder: Responder,
    pub(crate) events: Events,
    pub(crate) protection: Protection,
    pub(crate) runners: Arc<Runners>,
    pub(crate) hashes: Hashes,
    floods: Mutex<Floods>,
    /// Findings on their way to the responder threads.
    pub(crate) cases: Sender<Case>,
    /// Isolations whose persistence is to be looked for.
    pub(crate) persistence: Desk,
    pub(crate) started_ms: i64,
    pub(crate) safe_mode: bool,
    pub(crate) stopping: AtomicBool,
    /// Responses under way.
    pub(crate) in_flight: AtomicUsize,
    pub(crate) windows: Windows,
    live: Mutex<Live>,
    pub(crate) database: Database,
    scope: RwLock<Arc<Scope>>,
    pub(crate) uplink: Uplink,
    pub(crate) cloud: Cloud,
    /// How much waits in each queue, by its name.
    pub(crate) depths: OnceLock<Vec<(&'static str, Depth)>>,
}

/// Looks how much waits.
pub(crate) type Depth = Box<dyn Fn() -> usize + Send + Sync>;

/// Folders that are never judged, and those where every file counts as a program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) excluded: Vec<Vec<u8>>,
    pub(crate) web_roots: Vec<Vec<u8>>,
}

/// What [`Core::new`] puts together.
pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) gate: Arc<Shared>,
    pub(crate) pool: Pool,
    pub(crate) guards: Guards,
    pub(crate) responder: Responder,
    pub(crate) protection: Protection,
    pub(crate) cases: Sender<Case>,
    pub(crate) started_ms: i64,
    pub(crate) safe_mode: bool,
    pub(crate) live: Live,
    pub(crate) database: Database,
    pub(crate) scope: Scope,
    pub(crate) uplink: Uplink,
    pub(crate) cloud: Cloud,
}

impl Core {
    /// Held by who reads an alarm, changes it and keeps it: two at once would lose what one of them did.
    pub(crate) fn changing_alarms(&self) -> MutexGuard<'_, Floods> {
        self.floods.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn new(p: Parts) -> Self {
        Self {
            scope: RwLock::new(Arc::new(p.scope)),
            uplink: p.uplink,
            cloud: p.cloud,
            depths: OnceLock::new(),
            config: p.config,
            gate: p.gate,
            pool: p.pool,
            guards: p.guards,
            responder: p.responder,
            events: Events::new(),
            protection: p.protection,
            runners: Arc::new(Runners::new()),
            hashes: Hashes::default(),
            floods: Mutex::default(),
            cases: p.cases,
            persistence: Desk::new(),
            started_ms: p.started_ms,
            safe_mode: p.safe_mode,
            stopping: AtomicBool::new(false),
            in_flight: AtomicUsize::new(0),
            windows: Windows::default(),
            live: Mutex::new(p.live),
            database: p.database,
        }
    }

    /// Held for a moment only, never across a scan or a file operation.
    pub(crate) fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn scope(&self) -> Arc<Scope> {
        Arc::clone(&self.scope.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_scope(&self, scope: Scope) {
        *self.scope.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(scope);
    }

    pub(crate) fn is_excluded(&self, path: &[u8]) -> bool {
        self.scope().excluded.iter().any(|f| is_under(path, f))
    }

    pub(crate) fn is_web_file(&self, path: &[u8]) -> bool {
        self.scope().web_roots.iter().any(|f| is_under(path, f))
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Content, policy or whitelist changed: everything is judged again.
    pub(crate) fn judge_again(&self) {
        self.gate.allowed.forget_all();
        self.gate.denied.forget_judged();
        // ENOENT and the like: there was nothing to forget.
        let _ = self.gate.group.forget_ignored();
    }
}

/// Whole components: `/srv/www2` is not below `/srv/www`.
pub(crate) fn is_under(path: &[u8], folder: &[u8]) -> bool {
    path.strip_prefix(folder.strip_suffix(b"/").unwrap_or(folder))
        .is_some_and(|rest| rest.first() == Some(&b'/'))
}

#[cfg(test)]
mod tests {
    use super::is_under;

    #[test]
    fn folders_are_whole_components() {
        assert!(is_under(b"/srv/www/x.php", b"/srv/www"));
        assert!(is_under(b"/srv/www/x.php", b"/srv/www/"));
        assert!(!is_under(b"/srv/www2/x.php", b"/srv/www"));
        assert!(!is_under(b"/srv/www", b"/srv/www"));
        assert!(is_under(b"/anything", b"/"));
    }
}
