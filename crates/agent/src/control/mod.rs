// SPDX-License-Identifier: Apache-2.0
//! The control socket: root may do everything, members of the group `lazaret` may read, nobody
//! else connects (the socket's mode says so, and the peer's credentials are checked again).

pub(crate) mod alarms;
mod cloud;
mod events;
mod isolate;
pub(crate) mod isolated;
mod persistence;
pub(crate) mod preview;
pub(crate) mod rules;
mod status;
mod switch;
pub(crate) mod thaw;
mod vault;
pub(crate) mod whitelist;

pub(crate) use isolated::{describe, note};
pub(crate) use status::status;
pub(crate) use switch::{DRY_RUN, ISOLATE_AND_KILL, TEST_PROGRAMS};
pub(crate) use whitelist::{checked_entry, entry_of};

use crate::core::Core;
use crate::log::log;
use anyhow::{Context, Result};
use lazaret_proto::v1::failure::Kind;
use lazaret_proto::v1::request::Verb;
use lazaret_proto::v1::response::Answer;
use lazaret_proto::{CONTROL_VERSION, frame, v1};
use rustix::fs::Mode;
use std::fs;
use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Connections served at once; more are closed at once.
const MAX_CONNECTIONS: usize = 64;

/// Of these only root takes the last ones: readers must not lock out who wants to restore.
const RESERVED: usize = 16;

static SERVED: AtomicUsize = AtomicUsize::new(0);

/// A peer that sends or takes nothing for this long loses its connection.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) enum Peer {
    /// A user of this host, on the control socket.
    Local(u32),
    /// A user of the server. No right of root goes with it: see `uplink::commands`.
    Server(String),
}

impl Peer {
    fn is_root(&self) -> bool {
        matches!(self, Self::Local(0))
    }

    /// As the journal and the alarms name them.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Local(uid) => format!("uid {uid}"),
            Self::Server(user) => format!("server: {user}"),
        }
    }
}

/// Why a request is not done: kind and text.
pub(crate) struct Refusal(pub(crate) Kind, pub(crate) String);

pub(crate) fn refuse<T>(kind: Kind, text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(kind, text.into()))
}

/// Where answers go.
pub(crate) struct Reply<'a> {
    stream: &'a mut UnixStream,
}

impl Reply<'_> {
    /// One of several.
    pub(crate) fn more(&mut self, answer: Answer) -> io::Result<()> {
        frame::write(self.stream, &v1::Response { last: false, answer: Some(answer) })
    }

    fn last(&mut self, answer: Option<Answer>) -> io::Result<()> {
        frame::write(self.stream, &v1::Response { last: true, answer })
    }
}

/// Makes the socket; a stale one of an earlier run is replaced, a living one is not.
pub(crate) fn listen(core: &Core) -> Result<UnixListener> {
    let path = core.config.socket();
    if UnixStream::connect(&path).is_ok() {
        anyhow::bail!(
            "another lazaretd answers at {}: stop it first, or give this one its own [paths] run",
            path.display()
        );
    }
    let _ = fs::remove_file(&path);
    let listener = UnixListener::bind(&path)
        .with_context(|| format!("cannot make the control socket {}", path.display()))?;
    let group = group_of("lazaret");
    if let Some(gid) = group {
        rustix::fs::chown(&path, None, Some(rustix::fs::Gid::from_raw(gid)))?;
    }
    let mode = if group.is_some() { Mode::from_raw_mode(0o660) } else { Mode::from_raw_mode(0o600) };
    rustix::fs::chmod(&path, mode)?;
    Ok(listener)
}

/// From `/etc/group` itself: the daemon must not load NSS modules.
fn group_of(name: &str) -> Option<u32> {
    let text = fs::read_to_string("/etc/group").ok()?;
    text.lines().find_map(|l| {
        let mut fields = l.split(':');
        (fields.next()? == name).then(|| fields.nth(1)?.parse().ok())?
    })
}

/// Serves until the daemon stops.
pub(crate) fn run(core: &Arc<Core>, listener: &UnixListener) {
    for stream in listener.incoming() {
        if core.is_stopping() {
            return;
        }
        let Ok(stream) = stream else {
            std::thread::sleep(Duration::from_millis(100));
            continue;
        };
        if SERVED.fetch_add(1, Ordering::AcqRel) >= MAX_CONNECTIONS {
            SERVED.fetch_sub(1, Ordering::AcqRel);
            continue;
        }
        let core = Arc::clone(core);
        let serve = move || {
            if let Err(e) = serve(&core, stream)
                && !matches!(e.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
            {
                log!("a control connection ended: {e}");
            }
            SERVED.fetch_sub(1, Ordering::AcqRel);
        };
        if let Err(e) = std::thread::Builder::new().name("control".into()).spawn(serve) {
            SERVED.fetch_sub(1, Ordering::AcqRel);
            log!("a control connection could not be served: {e}");
        }
    }
}

fn serve(core: &Arc<Core>, mut stream: UnixStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let credentials = rustix::net::sockopt::socket_peercred(&stream)?;
    let peer = Peer::Local(credentials.uid.as_raw());
    if !peer.is_root() && SERVED.load(Ordering::Acquire) > MAX_CONNECTIONS - RESERVED {
        return Ok(());
    }
    let Some(request) = frame::read::<v1::Request>(&mut stream)? else { return Ok(()) };
    let mut reply = Reply { stream: &mut stream };
    match answer(core, &peer, request, &mut reply) {
        Ok(last) => reply.last(last),
        Err(Refused::Stream(e)) => Err(e),
        Err(Refused::Request(Refusal(kind, message))) => {
            reply.last(Some(Answer::Failure(v1::Failure { kind: kind.into(), message })))
        }
    }
}

/// Either the peer is gone or the request cannot be done.
pub(crate) enum Refused {
    Stream(io::Error),
    Request(Refusal),
}

impl From<io::Error> for Refused {
    fn from(e: io::Error) -> Self {
        Self::Stream(e)
    }
}

impl From<Refusal> for Refused {
    fn from(r: Refusal) -> Self {
        Self::Request(r)
    }
}

impl From<lazaret_state::StateError> for Refused {
    fn from(e: lazaret_state::StateError) -> Self {
        use lazaret_state::StateError as E;
        let kind = match e {
            E::BadId(_) | E::Ambiguous { .. } => Kind::BadRequest,
            E::NoSuchAlarm(_) => Kind::NotFound,
            _ => Kind::Failed,
        };
        Self::Request(Refusal(kind, e.to_string()))
    }
}

pub(crate) type Answered = Result<Option<Answer>, Refused>;

fn answer(core: &Arc<Core>, peer: &Peer, request: v1::Request, reply: &mut Reply<'_>) -> Answered {
    if request.version_min > CONTROL_VERSION || request.version_max < CONTROL_VERSION {
        refuse(
            Kind::UnsupportedVersion,
            format!(
                "this daemon speaks version {CONTROL_VERSION} of the control protocol, the caller {} to {}: \
                 install the same release of both",
                request.version_min, request.version_max
            ),
        )?;
    }
    let Some(verb) = request.verb else { return refuse(Kind::BadRequest, "the request names no verb")? };
    if !peer.is_root() && !only_reads(&verb) {
        refuse(Kind::NotPermitted, "only root may change anything; members of the group lazaret may look")?;
    }
    match verb {
        Verb::Status(_) => Ok(Some(Answer::Status(status::status(core)))),
        Verb::AlarmsList(r) => alarms::list(core, &r, reply),
        Verb::AlarmsShow(r) => alarms::show(core, &r),
        Verb::Handle(r) => alarms::handle(core, peer, &r),
        Verb::IsolatedList(r) => isolated::list(core, &r, reply),
        Verb::IsolatedShow(r) => isolated::show(core, &r),
        Verb::IsolatedRestore(r) => isolated::restore(core, peer, &r),
        Verb::IsolatedDelete(r) => isolated::delete(core, peer, &r),
        Verb::IsolatedVerify(r) => isolated::verify(core, &r, reply),
        Verb::IsolatePath(r) => isolate::isolate(core, peer, &r),
        Verb::WhitelistAdd(r) => whitelist::add(core, peer, r),
        Verb::WhitelistList(_) => whitelist::list(core, reply),
        Verb::WhitelistRemove(r) => whitelist::remove(core, peer, &r),
        Verb::SwitchSet(r) => switch::set(core, peer, &r),
        Verb::EventsFollow(r) => events::follow(core, &r, reply),
        Verb::ContentReload(_) => switch::reload(core, peer),
        Verb::BreakerRearm(r) => rules::rearm(core, peer, &r),
        Verb::RulesDisarmed(_) => rules::disarmed(core, reply),
        Verb::Thaw(r) => thaw::thaw(core, peer, &r),
        // Root's: it reads any file that is named, and other people's descriptors.
        Verb::PreviewIsolate(r) => preview::preview(core, &r),
        Verb::ExceptionRemove(r) => whitelist::remove_exception(core, peer, &r),
        Verb::PersistenceList(r) => persistence::list(core, &r, reply),
        Verb::PersistenceDisable(r) => persistence::disable(core, peer, &r),
        Verb::PersistenceEnable(r) => persistence::enable(core, peer, &r),
        Verb::CloudStatus(_) => cloud::status(core),
        Verb::CloudSent(r) => cloud::sent(core, &r, reply),
        Verb::CloudVerdicts(r) => cloud::verdicts(core, &r, reply),
    }
}

fn only_reads(verb: &Verb) -> bool {
    matches!(
        verb,
        Verb::Status(_)
            | Verb::AlarmsList(_)
            | Verb::AlarmsShow(_)
            | Verb::IsolatedList(_)
            | Verb::IsolatedShow(_)
            | Verb::WhitelistList(_)
            | Verb::EventsFollow(_)
            | Verb::PersistenceList(_)
            | Verb::RulesDisarmed(_)
            | Verb::CloudStatus(_)
            | Verb::CloudSent(_)
            | Verb::CloudVerdicts(_)
    )
}

/// A request that was done, in words.
pub(crate) fn done(message: impl Into<String>) -> Answered {
    Ok(Some(Answer::Done(v1::Done { message: message.into() })))
}
