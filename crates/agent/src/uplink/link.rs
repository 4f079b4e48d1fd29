// SPDX-License-Identifier: Apache-2.0
//! The uplink's thread: who we are, session after session, and what follows when the server says that we
//! are somebody else.

use super::identity::{Identity, stamp};
use super::side::{Shared, Side};
use super::{enroll, lock, tls};
use crate::core::Core;
use crate::log::log;
use crate::look::now_ms;
use lazaret_proto::v1::goodbye::Kind as Bye;
use lazaret_session::{Dial, Limits, delay, stay_connected};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_rustls::client::TlsStream;

/// Whether somebody has enrolled this host meanwhile is looked at this often.
const LOOK: Duration = Duration::from_secs(2);
/// A server that took the right away is asked again.
const BANNED: Duration = Duration::from_secs(3600);
/// Setting: the id that the desired state was for.
const HOST: &str = "uplink_host";
/// Between two looks at whether the daemon stops.
const TICK: Duration = Duration::from_millis(50);

struct Way {
    shared: Arc<Shared>,
}

impl Dial for Way {
    type Stream = TlsStream<TcpStream>;

    async fn dial(&mut self) -> Result<Self::Stream, String> {
        let identity = lock(&self.shared.identity).clone();
        let config = tls::enrolled(&identity).map_err(|e| format!("{e:#}"))?;
        tls::dial(&identity.url, config).await.map_err(|e| format!("{e:#}"))
    }

    fn authority(&self) -> String {
        lock(&self.shared.identity).url.authority()
    }
}

pub(super) fn run(core: &Arc<Core>) {
    match enroll::runtime() {
        Ok(runtime) => runtime.block_on(live(core)),
        Err(e) => log!("this host cannot reach its server: {e:#}"),
    }
}

/// Spreads a fleet that comes back at once.
fn seed() -> u64 {
    uuid::Uuid::now_v7().as_u64_pair().1
}

async fn live(core: &Arc<Core>) {
    let state = &core.config.paths.state;
    let mut attempt = 0;
    while !core.uplink.is_stopping() {
        match Identity::load(state) {
            Ok(Some(identity)) => {
                attempt = 0;
                as_host(core, identity).await;
            }
            Ok(None) => enroll_by_configuration(core, &mut attempt).await,
            Err(e) => {
                core.uplink.set_link(|link| link.problem = format!("{e:#}"));
                wait(core, LOOK, None).await;
            }
        }
    }
}

/// Waits so long, or until the daemon stops, or until the identity's file is another one.
async fn wait(core: &Core, time: Duration, known: Option<Option<(u64, i64)>>) {
    let state = &core.config.paths.state;
    let look = async {
        loop {
            sleep(TICK).await;
            if core.uplink.is_stopping() {
                return;
            }
        }
    };
    let changed = async {
        let known = known.unwrap_or_else(|| stamp(state));
        loop {
            sleep(LOOK).await;
            if stamp(state) != known {
                return;
            }
        }
    };
    tokio::select! {
        () = sleep(time) => {}
        () = look => {}
        () = changed => {}
    }
}

/// At the first start of an image that names its server.
async fn enroll_by_configuration(core: &Arc<Core>, attempt: &mut u32) {
    let entrance = match enroll::configured(&core.config) {
        Ok(None) => return wait(core, Duration::from_secs(3600), Some(None)).await,
        Ok(Some(entrance)) => entrance,
        Err(e) => {
            core.uplink.set_link(|link| link.problem = format!("not enrolled: {e:#}"));
            return wait(core, Duration::from_secs(60), Some(None)).await;
        }
    };
    match enroll::enroll(&entrance).await.and_then(|i| i.store(&core.config.paths.state).map(|()| i)) {
        Ok(identity) => {
            log!("enrolled at {} as {}", identity.url, identity.host);
            core.uplink.set_link(|link| link.problem.clear());
        }
        Err(e) => {
            let why = format!("not enrolled yet: {e:#}");
            core.uplink.set_link(|link| {
                if link.error != why {
                    log!("{why}");
                }
                link.problem.clone_from(&why);
                link.error = why;
            });
            let pause = delay(*attempt, seed(), Duration::ZERO);
            *attempt = attempt.saturating_add(1).min(9);
            wait(core, pause, Some(None)).await;
        }
    }
}

/// Until the identity changes or the daemon stops.
async fn as_host(core: &Arc<Core>, mut identity: Identity) {
    let state = &core.config.paths.state;
    if let Some(url) = &core.config.server.url
        && let Ok(address) = super::Address::parse(url)
    {
        identity.url = address;
    }
    // What another server, or the same one of another host, wanted is not for us.
    if core.database.setting(HOST).ok().flatten().is_some_and(|known| known != identity.host) {
        log!("this host is {} now: the desired state of before is left", identity.host);
        if let Err(e) = core.uplink.desired.forget(core) {
            log!("{e:#}");
        }
        core.cloud.forget(core);
    }
    if let Err(e) = core.database.set_setting(HOST, &identity.host) {
        log!("{e}");
    }
    let until = identity.validity().map_or(0, |v| v.1);
    core.uplink.set_link(|link| {
        link.url = identity.url.to_string();
        link.banned &= link.host == identity.host;
        link.host.clone_from(&identity.host);
        link.certificate_until_ms = until;
        link.problem.clear();
        if until < now_ms() && until != 0 {
            link.problem =
                "this host's certificate has expired: enrol it again with lazaretd enroll --again".into();
        }
    });
    let shared = Arc::new(Shared {
        identity: Mutex::new(identity.clone()),
        stamp: Mutex::new(stamp(state)),
        banned: Notify::new(),
    });
    let mut way = Way { shared: Arc::clone(&shared) };
    let mut side = Side::new(core, Arc::clone(&shared));
    let limits = Limits::default();
    tokio::select! {
        bye = stay_connected(&mut way, &mut side, &limits, seed()) => {
            if bye.kind() == Bye::Clone {
                became_copy(core, &identity, &bye.token).await;
            }
        }
        () = changed(core, &shared) => log!("this host was enrolled anew"),
        () = shared.banned.notified() => wait(core, BANNED, None).await,
        () = stopped(core) => {}
    }
    core.uplink.set_link(|link| link.connected = false);
    core.cloud.end_session();
}

async fn changed(core: &Core, shared: &Shared) {
    loop {
        sleep(LOOK).await;
        if stamp(&core.config.paths.state) != *lock(&shared.stamp) {
            return;
        }
    }
}

/// A session that stands says goodbye itself; what only tries to connect is given up.
async fn stopped(core: &Core) {
    loop {
        sleep(TICK).await;
        if core.uplink.is_stopping() && !lock(&core.uplink.link).connected {
            return;
        }
    }
}

async fn became_copy(core: &Arc<Core>, identity: &Identity, token: &str) {
    log!(
        "{} says that this host is a copy of {}: it enrols under an id of its own",
        identity.url,
        identity.host
    );
    let state = &core.config.paths.state;
    match enroll::again_as_clone(state, identity, token).await {
        Ok(fresh) => {
            log!("enrolled at {} as {}", fresh.url, fresh.host);
            core.events.tell(
                "daemon",
                format!("this host was a copy of {} and is {} now", identity.host, fresh.host),
                None,
            );
        }
        Err(e) => {
            let why = format!(
                "this host is a copy of {} and could not be enrolled anew: {e:#}; lazaretd enroll --again",
                identity.host
            );
            log!("{why}");
            core.uplink.set_link(|link| (link.error, link.problem) = (why.clone(), why));
            wait(core, Duration::from_secs(60), None).await;
        }
    }
}
