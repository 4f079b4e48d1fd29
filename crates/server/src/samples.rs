// SPDX-License-Identifier: Apache-2.0
//! The samples of this process, and what is looked after while it runs.

use crate::config::Config;
use crate::{init, log};
use anyhow::Context as _;
use lazaret_samples::Samples;
use std::time::Duration;
use tokio::sync::watch;

/// How often parts that nobody goes on with are looked for, and a place that did not work.
const SWEEP: Duration = Duration::from_secs(60);
/// How many of these later a place that works is looked at.
const WORKS: u32 = 5;

/// Opens them as configured. A bucket that is down is no obstacle: agents keep what they have.
pub(crate) async fn open(config: &Config) -> anyhow::Result<Samples> {
    let settings = config.samples.resolve(&config.server.data).map_err(anyhow::Error::msg)?;
    let keys = init::authority_folder(config);
    let opened = tokio::task::spawn_blocking(move || Samples::open(&settings, &keys)).await?;
    opened.context("cannot open the samples")
}

/// Drops parts that nobody goes on with, and says when the place does not work, and when it does again. Runs until told to
/// stop.
pub(crate) async fn keep(samples: Samples, mut stop: watch::Receiver<bool>) {
    let mut works = true;
    let mut round = 0_u32;
    loop {
        let dropped = samples.sweep().await;
        if dropped > 0 {
            log::line(&format!("samples: the parts of {dropped} were dropped, nobody went on with them"));
        }
        let kib = u32::try_from(samples.spool_bytes() >> 10).unwrap_or(u32::MAX);
        metrics::gauge!("lazaret_samples_spool_bytes").set(f64::from(kib) * 1024.0);
        if !works || round.is_multiple_of(WORKS) {
            let look = samples.check();
            let look = tokio::select! {
                look = look => look,
                _ = stop.wait_for(|s| *s) => return,
            };
            match &look {
                Ok(()) if !works => log::line(&format!("samples: {} works again", samples.place())),
                Err(e) if works => log::line(&format!("samples: {e}")),
                _ => {}
            }
            works = look.is_ok();
            metrics::gauge!("lazaret_samples_place_works").set(if works { 1.0 } else { 0.0 });
        }
        round = round.wrapping_add(1);
        tokio::select! {
            () = tokio::time::sleep(SWEEP) => {}
            _ = stop.wait_for(|s| *s) => return,
        }
    }
}
