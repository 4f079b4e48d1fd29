// SPDX-License-Identifier: Apache-2.0
//! What goes out of this server, by its configuration.

use crate::config::Config;
use anyhow::Context as _;
use lazaret_notify::{Guard, Limits, Outbound};
use lazaret_store::Store;
use std::time::Duration;

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
        limits,
    })
}
