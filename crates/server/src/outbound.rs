// SPDX-License-Identifier: Apache-2.0
//! What goes out of this server, by its configuration.

use crate::config::Config;
use crate::init;
use crate::log;
use crate::people::seal::Seal;
use crate::read_only::ReadOnly;
use anyhow::Context as _;
use lazaret_notify::{Guard, Limits, Outbound};
use lazaret_store::Store;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often it is looked whether the server is read-only.
const LOOK: Duration = Duration::from_secs(1);

/// What all deliveries share.
///
/// # Errors
/// The configuration cannot be used, or the database does not answer.
pub(crate) async fn of(config: &Config, store: &Store) -> anyhow::Result<Outbound> {
    let o = &config.outbound;
    let limits = Limits {
        attempts: o.attempts,
        keep: Duration::from_secs(u64::from(o.keep_days) * 86_400),
        ..Limits::default()
    };
    Ok(Outbound {
        guard: Guard::new(&o.allow).map_err(anyhow::Error::msg).context("[outbound] allow")?,
        folder: o.folder.clone().unwrap_or_else(|| config.server.data.join("ocsf")),
        installation: store.meta().await?.installation,
        version: env!("CARGO_PKG_VERSION"),
        console: if o.console.is_empty() { config.api.public.clone() } else { o.console.clone() },
        seal: Arc::new(Seal::open(&init::authority_folder(config))?),
        limits,
    })
}

/// Delivers until told to stop. While the server is read-only nothing is delivered: how far each target is
/// could not be kept.
pub(crate) async fn run(store: Store, out: Outbound, read_only: ReadOnly, mut stop: watch::Receiver<bool>) {
    loop {
        if !read_only.is_on() {
            let (end, ending) = watch::channel(false);
            let work =
                tokio::spawn(lazaret_notify::run(store.clone(), out.clone(), Arc::new(log::line), ending));
            while !read_only.is_on() && !over(&mut stop).await {}
            end.send_replace(true);
            // A task that failed has said so.
            let _ = work.await;
        }
        if over(&mut stop).await {
            return;
        }
    }
}

/// Waits for a moment; whether the server stops.
async fn over(stop: &mut watch::Receiver<bool>) -> bool {
    tokio::time::timeout(LOOK, stop.wait_for(|s| *s)).await.is_ok()
}
