// SPDX-License-Identifier: Apache-2.0
//! Content from the server: offered in the desired state, fetched in parts over the session, verified
//! with the key that enrolment gave, tried in scanners of its own, and only then judged by. The one before
//! stays on disk; whatever goes wrong leaves what was in force.

mod fetch;
mod kept;
mod offer;
mod trial;

use super::identity::Identity;
use crate::config::Config;
use crate::core::Core;
use crate::log::log;
use crate::look::now_ms;
use fetch::Fetch;
use kept::Kept;
use lazaret_proto::v1;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Default)]
struct Inner {
    kept: Kept,
    /// What is fetched or tried.
    offer: Option<v1::ContentOffer>,
    fetch: Option<Fetch>,
    /// A part is on its way.
    asked: bool,
    checking: bool,
    refused: Option<(u64, String)>,
}

/// How it stands with the server's content.
#[derive(Default)]
pub(crate) struct Delivery {
    inner: Mutex<Inner>,
    /// The server is to hear of it at once.
    news: AtomicBool,
}

impl Delivery {
    /// Reads what is kept of before.
    pub(crate) fn load(state: &Path) -> Self {
        Self {
            inner: Mutex::new(Inner { kept: Kept::load(state), ..Inner::default() }),
            news: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pack to start with: the server's where one is in force and whole.
    pub(crate) fn at_start(state: &Path) -> Option<PathBuf> {
        let mut kept = Kept::load(state);
        let pack = kept.pack(state);
        if pack.is_none() && kept.in_force().is_some() {
            log!("content {} of the server is damaged here: the server gives it again", kept.version());
            kept.leave();
            if let Err(e) = kept.store(state) {
                log!("{e:#}");
            }
        }
        pack
    }

    /// The server's pack did not load at the start: it counts as refused until another one comes.
    pub(crate) fn failed_at_start(state: &Path, why: &str) {
        let mut kept = Kept::load(state);
        log!("content {} of the server does not load: {why}", kept.version());
        kept.leave();
        if let Err(e) = kept.store(state) {
            log!("{e:#}");
        }
    }

    /// A new session begins: what was asked for in the old one is asked for again.
    pub(super) fn session(&self) {
        self.lock().asked = false;
    }

    /// What the server says about itself is news, once.
    pub(super) fn take_news(&self) -> bool {
        self.news.swap(false, Ordering::Relaxed)
    }

    /// For the report.
    pub(super) fn state(&self, core: &Core) -> v1::ContentState {
        let inner = self.lock();
        let (refused_number, reason) = inner.refused.clone().unwrap_or_default();
        let word = match (&inner.offer, inner.checking) {
            (Some(_), true) => "checking",
            (Some(_), false) => "fetching",
            (None, _) if inner.refused.is_some() => "refused",
            (None, _) if inner.kept.in_force().is_some() => "in_force",
            (None, _) => "installed",
        };
        v1::ContentState {
            number: inner.kept.in_force().unwrap_or(0),
            version: core.pool.content().version,
            state: word.to_owned(),
            reason,
            refused_number,
            previous_version: inner.kept.previous_version().to_owned(),
            fetched: inner.fetch.as_ref().map_or(0, Fetch::length),
        }
    }

    /// What the desired state says. An offer that is in force, under way or was refused changes nothing.
    pub(super) fn offered(&self, core: &Arc<Core>, identity: &Identity, offer: Option<v1::ContentOffer>) {
        let Some(offer) = offer else { return self.withdrawn(core) };
        let mut inner = self.lock();
        let same = |other: &v1::ContentOffer| other.number == offer.number && other.sha256 == offer.sha256;
        if inner.kept.is(&offer) {
            (inner.offer, inner.fetch, inner.refused) = (None, None, None);
            return;
        }
        if inner.offer.as_ref().is_some_and(same)
            || inner.refused.as_ref().is_some_and(|(number, _)| *number == offer.number)
        {
            return;
        }
        let judged = offer::check(&offer, &identity.content_key, &inner.kept, now_ms());
        let begun = judged.and_then(|()| Fetch::begin(&core.config.paths.state, &offer));
        match begun {
            Ok(fetch) => {
                inner.refused = None;
                let whole = fetch.is_whole();
                (inner.offer, inner.fetch, inner.asked) = (Some(offer), Some(fetch), false);
                drop(inner);
                if whole {
                    self.begin_trial(core);
                }
                core.uplink.ring();
            }
            Err(why) => {
                drop(inner);
                self.refuse(core, offer.number, why);
            }
        }
    }

    /// The server offers none (any more): the installed content is in force again.
    fn withdrawn(&self, core: &Arc<Core>) {
        {
            let mut inner = self.lock();
            (inner.offer, inner.fetch) = (None, None);
            if inner.kept.in_force().is_none() {
                return;
            }
        }
        let core = Arc::clone(core);
        let work = move || {
            let done = core.config.content().map_err(|e| e.to_string()).and_then(|pack| {
                core.pool.reload(pack, core.config.paths.rules.clone()).map_err(|e| e.to_string())
            });
            match done {
                Ok(info) => {
                    {
                        let mut inner = core.uplink.content.lock();
                        inner.kept.leave();
                        if let Err(e) = inner.kept.store(&core.config.paths.state) {
                            log!("{e:#}");
                        }
                    }
                    core.judge_again();
                    let text = format!("the installed content {} is in force again", info.version);
                    log!("{text}");
                    core.events.tell("content", text, None);
                    core.uplink.content.tell(&core);
                }
                Err(e) => log!("the installed content does not load, the server's stays in force: {e}"),
            }
        };
        if let Err(e) = std::thread::Builder::new().name("content".into()).spawn(work) {
            log!("the content cannot be changed now: {e}");
        }
    }

    /// The next part to ask for.
    pub(super) fn next_request(&self) -> Option<v1::ContentRequest> {
        let mut inner = self.lock();
        if inner.asked || inner.checking {
            return None;
        }
        let request = inner.fetch.as_ref()?.next()?;
        inner.asked = true;
        Some(request)
    }

    /// A part came.
    pub(super) fn part(&self, core: &Arc<Core>, chunk: &v1::ContentChunk) {
        let mut inner = self.lock();
        inner.asked = false;
        let Some((number, fetch)) = inner.offer.as_ref().map(|o| o.number).zip(inner.fetch.as_ref()) else {
            return;
        };
        if chunk.sha256 != fetch.sha256() {
            return;
        }
        let taken = if chunk.error.is_empty() {
            inner.fetch.as_mut().map_or(Ok(false), |f| f.take(chunk))
        } else {
            Err(format!("the server does not give it: {}", crate::log::printable(chunk.error.as_bytes())))
        };
        drop(inner);
        match taken {
            Ok(false) => core.uplink.ring(),
            Ok(true) => self.begin_trial(core),
            Err(why) => self.refuse(core, number, why),
        }
    }

    fn begin_trial(&self, core: &Arc<Core>) {
        {
            let mut inner = self.lock();
            if std::mem::replace(&mut inner.checking, true) {
                return;
            }
        }
        self.tell(core);
        let for_thread = Arc::clone(core);
        let spawned = std::thread::Builder::new()
            .name("content".into())
            .spawn(move || for_thread.uplink.content.finish(&for_thread));
        if let Err(e) = spawned {
            self.lock().checking = false;
            log!("content cannot be tried now: {e}");
        }
    }

    /// In a thread of its own: digest, trial, swap.
    fn finish(&self, core: &Arc<Core>) {
        let (offer, path) = {
            let inner = self.lock();
            let Some((offer, fetch)) = inner.offer.clone().zip(inner.fetch.as_ref()) else { return };
            (offer, fetch.path().to_owned())
        };
        let done = fetch::verify(&path, &offer)
            .and_then(|()| trial::run(core, &path))
            .and_then(|()| self.put_in_force(core, &path, &offer));
        let _ = std::fs::remove_file(&path);
        {
            let mut inner = self.lock();
            inner.checking = false;
            // A newer one may have been offered meanwhile.
            if inner.offer.as_ref().is_some_and(|o| o.number == offer.number) {
                (inner.offer, inner.fetch) = (None, None);
            }
        }
        match done {
            Ok(version) => {
                let text = format!("content {version} of the server is in force (number {})", offer.number);
                log!("{text}");
                core.events.tell("content", text, None);
                self.tell(core);
            }
            Err(why) => self.refuse(core, offer.number, why),
        }
    }

    fn put_in_force(&self, core: &Core, path: &Path, offer: &v1::ContentOffer) -> Result<String, String> {
        let state = &core.config.paths.state;
        let before = core.pool.content().version;
        crate::content::keep(state, path).map_err(|e| format!("it cannot be kept: {e}"))?;
        let pack = crate::content::current(state);
        let info = match core.pool.reload(pack, core.config.paths.rules.clone()) {
            Ok(info) => info,
            Err(e) => {
                // The scanners go on with the old one; the files must say the same.
                if let Err(e) = crate::content::step_back(state) {
                    log!("the pack before cannot be put back: {e}");
                }
                return Err(format!("its scanners do not start: {e}"));
            }
        };
        let mut inner = self.lock();
        inner.kept.take(offer, &before);
        inner.refused = None;
        if let Err(e) = inner.kept.store(state) {
            log!("that content {} is in force cannot be kept: {e:#}", info.version);
        }
        drop(inner);
        core.judge_again();
        Ok(info.version)
    }

    fn refuse(&self, core: &Core, number: u64, why: String) {
        let text =
            format!("content number {number} of the server is refused: {why}; what was in force stays");
        log!("{text}");
        core.events.tell("content", text, None);
        {
            let mut inner = self.lock();
            (inner.offer, inner.fetch) = (None, None);
            inner.refused = Some((number, why));
        }
        self.tell(core);
    }

    fn tell(&self, core: &Core) {
        self.news.store(true, Ordering::Relaxed);
        core.uplink.ring();
    }
}

/// Learns the key from an offer, where enrolment did not give it: once, over the session whose other end
/// the authority vouches for.
pub(super) fn learn_key(identity: &mut Identity, offer: Option<&v1::ContentOffer>, config: &Config) -> bool {
    let Some(offer) = offer.filter(|o| o.key.len() == offer::KEY) else { return false };
    if !identity.content_key.is_empty() {
        return false;
    }
    identity.content_key.clone_from(&offer.key);
    match identity.store(&config.paths.state) {
        Ok(()) => log!("the key with which the server signs content is kept from now on"),
        Err(e) => log!("the server's content key cannot be kept: {e:#}"),
    }
    true
}
