// SPDX-License-Identifier: Apache-2.0
//! Read-only: people change nothing, agents' records are not taken, no job runs. What is noted all the
//! same: who is connected, and sign-ins.
//!
//! A row of `meta` says so, for every process of one database; each looks every second.

use lazaret_proto::v1;
use lazaret_session::goodbye;
use lazaret_store::{Store, StoreError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The row of `meta`; empty or absent: off.
pub const SETTING: &str = "read_only";
/// How long an agent waits with its records.
pub(crate) const PAUSE: Duration = Duration::from_secs(10);
/// How often it is looked.
const LOOK: Duration = Duration::from_secs(1);

/// What this process knows of it; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct ReadOnly(Arc<Mutex<String>>);

impl ReadOnly {
    /// Why, when it is on.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        let why = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (!why.is_empty()).then(|| why.clone())
    }

    /// Whether it is on.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Looks once.
    ///
    /// # Errors
    /// Of the database; what was known stays.
    pub async fn look(&self, store: &Store) -> Result<(), StoreError> {
        let why = store.setting(SETTING).await?.unwrap_or_default();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != why {
            let text =
                if why.is_empty() { "read-only is off".to_owned() } else { format!("read-only: {why}") };
            crate::log::line(&text);
            *known = why;
        }
        Ok(())
    }
}

/// Looks until told to stop.
pub(crate) async fn watch(store: Store, read_only: ReadOnly, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.wait_for(|s| *s) => return,
        }
        // A database that is gone is told of elsewhere.
        let _ = read_only.look(&store).await;
    }
}

/// For an agent whose word cannot be kept now.
pub(crate) fn busy() -> v1::Goodbye {
    v1::Goodbye {
        retry_after_ms: u32::try_from(PAUSE.as_millis()).unwrap_or(u32::MAX),
        ..goodbye(v1::goodbye::Kind::Busy, "the server is read-only")
    }
}
