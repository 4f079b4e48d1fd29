// SPDX-License-Identifier: Apache-2.0
//! New content: new workers first, then the swap; scans go on meanwhile.

use crate::error::PoolError;
use crate::pool::{Pool, poke};
use crate::spawner::Lease;
use lazaret_model::ContentInfo;
use std::path::PathBuf;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

impl Pool {
    /// Loads other content. Files whose scan begins after this returned are judged by it; those
    /// under way finish with the old one.
    ///
    /// # Errors
    /// When the content does not load or its workers cannot be had: then the old one stays in force.
    pub fn reload(&self, content: PathBuf, rules: Vec<PathBuf>) -> Result<ContentInfo, PoolError> {
        let _one = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let mut config = self.shared.current().config.clone();
        config.content = content;
        config.rules = rules;
        let spawner = Lease::start(&config, poke(&self.shared.queue))?;
        let mut workers = Vec::with_capacity(self.slots.len());
        let mut gaps = Vec::new();
        for _ in &self.slots {
            let (connection, new_gaps) = spawner.worker()?;
            workers.push(connection);
            gaps = new_gaps;
        }
        let info = spawner.content.clone();
        let old = {
            let mut current = self.shared.current();
            current.config = config;
            std::mem::replace(&mut current.spawner, spawner)
        };
        *self.shared.content.lock().unwrap_or_else(PoisonError::into_inner) = info.clone();
        *self.shared.gaps.lock().unwrap_or_else(PoisonError::into_inner) = gaps;
        for (slot, worker) in self.slots.iter().zip(workers) {
            let unused = slot.handover().next.replace(worker);
            drop(unused);
        }
        self.shared.handing_over.store(true, Ordering::Release);
        self.shared.queue.poke();
        drop(old);
        Ok(info)
    }
}
