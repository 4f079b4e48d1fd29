// SPDX-License-Identifier: Apache-2.0
//! Samples: contents that the server wants and that consent lets leave. One thread reads and copies them, at
//! the lowest priority; the session only takes what lies ready and leaves what it heard.

mod copy;
mod courier;
mod place;

pub(crate) use place::{Asked, Place};

use super::lock;
use crate::core::Core;
use crate::log::{log, printable};
use crate::look::now_ms;
use courier::{Courier, Moment, News};
use lazaret_model::Sha256;
use lazaret_proto::v1;
use lazaret_state::{SentRetention, StateError, WantedAgain};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// Samples that wait, at most: what does not fit is wanted again with a later answer.
const ROOM: u32 = 10_000;
/// What the server has refused is not offered again for so long.
const REFUSED_MS: i64 = 24 * 3_600_000;
/// What was stored, or was not to be had, neither.
const ENDED_MS: i64 = 600_000;
/// Ended samples are remembered so long, and one that waits in vain is given up then.
const REMEMBERED_MS: i64 = 30 * 24 * 3_600_000;
const IN_VAIN_MS: i64 = 7 * 24 * 3_600_000;
/// Words of a server that wait; a sensible one says one thing at a time.
const MAX_HEARD: usize = 64;
/// Between two looks whether there is something to do.
const LOOK: Duration = Duration::from_millis(250);
/// After trouble with the database.
const TROUBLE: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Mailbox {
    /// Address of the server, while a session stands.
    server: Option<String>,
    /// Counts the sessions.
    session: u64,
    /// What goes next.
    out: Option<v1::SamplePart>,
    heard: VecDeque<v1::SampleState>,
    view: Option<v1::CloudSample>,
}

/// What the thread and the session share.
#[derive(Default)]
pub(crate) struct Samples {
    mail: Mutex<Mailbox>,
    bell: Condvar,
    pub(crate) asked: Asked,
}

impl Samples {
    /// A session stands: of what is under way the server says again where to go on.
    pub(crate) fn begin_session(&self, server: &str) {
        let mut mail = lock(&self.mail);
        mail.session += 1;
        mail.server = Some(server.to_owned());
        (mail.out, mail.heard) = (None, VecDeque::new());
        drop(mail);
        self.bell.notify_one();
    }

    /// Nobody takes anything any more.
    pub(crate) fn end_session(&self) {
        let mut mail = lock(&self.mail);
        mail.server = None;
        (mail.out, mail.heard) = (None, VecDeque::new());
    }

    /// The next part, for the session.
    pub(crate) fn next_part(&self) -> Option<v1::SamplePart> {
        lock(&self.mail).out.take()
    }

    /// What the server says of a sample.
    pub(crate) fn heard(&self, state: v1::SampleState) {
        let mut mail = lock(&self.mail);
        if mail.server.is_some() && mail.heard.len() < MAX_HEARD {
            mail.heard.push_back(state);
            drop(mail);
            self.bell.notify_one();
        }
    }

    /// The one that is under way.
    pub(super) fn view(&self) -> Option<v1::CloudSample> {
        lock(&self.mail).view.clone()
    }

    /// This host belongs to another server, or to none.
    pub(super) fn forget(&self, core: &Core) {
        self.end_session();
        if let Err(e) = core.database.forget_all_samples() {
            log!("{e}");
        }
    }

    /// Now and then: what is old is forgotten.
    pub(crate) fn upkeep(&self, core: &Core) {
        let now = now_ms();
        let done = core
            .database
            .prune_sent(now, SentRetention::default())
            .and_then(|_| core.database.forget_samples(now - REMEMBERED_MS, now - IN_VAIN_MS));
        if let Err(e) = done {
            log!("{e}");
        }
    }
}

/// Runs until the daemon stops.
pub(super) fn run(core: &Core) {
    // What leaves is nobody's hurry.
    let _ = rustix::process::setpriority_process(None, 10);
    let samples = &core.cloud.samples;
    let folder: PathBuf = core.config.paths.state.clone();
    let mut courier = Courier::default();
    let mut trouble: Option<Instant> = None;
    while !core.is_stopping() {
        let (server, session, heard) = {
            let mail = lock(&samples.mail);
            let wait = samples.bell.wait_timeout_while(mail, LOOK, |mail| mail.heard.is_empty());
            let mut mail = wait.unwrap_or_else(std::sync::PoisonError::into_inner).0;
            (mail.server.clone(), mail.session, std::mem::take(&mut mail.heard))
        };
        if trouble.is_some_and(|since| since.elapsed() < TROUBLE) {
            continue;
        }
        queue(core);
        let Some(server) = server else {
            lock(&samples.mail).view = None;
            continue;
        };
        let moment = Moment {
            database: &core.database,
            consent: &core.cloud.consent(),
            server: &server,
            session,
            folder: &folder,
            asked: &samples.asked,
            vault: Some(core.responder.vault()),
            now: Instant::now(),
            now_ms: now_ms(),
        };
        match courier.step(&moment, heard.into()) {
            Ok(part) => {
                trouble = None;
                let mut mail = lock(&samples.mail);
                mail.view = courier.view();
                // Of a session that has ended meanwhile nothing is sent.
                if mail.session == session && mail.server.is_some() && part.is_some() {
                    mail.out = part;
                    drop(mail);
                    core.uplink.ring();
                }
            }
            Err(e) => {
                log!("samples wait: {e}");
                trouble = Some(Instant::now());
            }
        }
        for news in courier.news.drain(..) {
            tell(core, &server, news);
        }
    }
}

/// A person wants this one: what came of it before does not count.
///
/// # Errors
/// It cannot be written down.
pub(crate) fn want(core: &Core, sha256: Sha256, place: Place) -> Result<(), StateError> {
    core.cloud.samples.asked.put(sha256, place);
    let again = WantedAgain { refused_ms: i64::MAX, other_ms: i64::MAX };
    core.database.want_samples(&[sha256], now_ms(), again, u32::MAX).map(drop)
}

/// What the server wants goes onto the disk.
fn queue(core: &Core) {
    let wanted: Vec<Sha256> = std::iter::from_fn(|| core.cloud.take_wanted()).take(1_000).collect();
    if wanted.is_empty() {
        return;
    }
    let now = now_ms();
    let again = WantedAgain { refused_ms: now - REFUSED_MS, other_ms: now - ENDED_MS };
    if let Err(e) = core.database.want_samples(&wanted, now, again, ROOM) {
        // Wanted again with a later answer.
        log!("{e}");
    }
}

fn tell(core: &Core, server: &str, news: News) {
    let text = match news {
        News::Stored { path, sha256, size } => {
            format!("the server has the sample {sha256} of \"{}\" ({size} bytes): {server}", printable(&path))
        }
        News::Refused { path, sha256, why } => {
            let why = if why.is_empty() { "it does not say why".to_owned() } else { why };
            format!("the server does not take the sample {sha256} of \"{}\": {why}", printable(&path))
        }
    };
    log!("{text}");
    core.events.tell("cloud", text, None);
}
