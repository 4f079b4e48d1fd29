// SPDX-License-Identifier: Apache-2.0
//! What projects have, and what they may have. Counted by listing, now and then; between that, by what we do ourselves.

use crate::SampleError;
use crate::key::{self, Key};
use crate::place::Place;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Others write to the same place.
const FRESH: Duration = Duration::from_secs(300);
/// Projects that are kept in mind.
const MOST: usize = 10_000;

/// What a project has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Samples.
    pub samples: u64,
    /// Their bytes, sealed.
    pub bytes: u64,
    /// At most so many ([`crate::SamplesConfig::project_bytes`]).
    pub most: u64,
}

#[derive(Debug, Clone, Copy)]
struct Counted {
    samples: u64,
    bytes: u64,
    /// By those that are being stored.
    promised: u64,
    at: Instant,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Books {
    most: u64,
    projects: Mutex<HashMap<String, Counted>>,
    /// One lists at a time.
    counting: tokio::sync::Mutex<()>,
}

/// Room that was promised to a sample until it is dropped.
#[derive(Debug)]
pub(crate) struct Promise<'a> {
    books: &'a Books,
    project: String,
    bytes: u64,
}

impl Books {
    pub(crate) fn new(most: u64) -> Self {
        Self { most, projects: Mutex::default(), counting: tokio::sync::Mutex::default() }
    }

    fn with<T>(&self, project: &str, f: impl FnOnce(&mut Counted) -> T) -> Option<T> {
        let mut projects = self.projects.lock().unwrap_or_else(PoisonError::into_inner);
        projects.get_mut(project).map(f)
    }

    fn fresh(&self, project: &str) -> Option<Counted> {
        self.with(project, |c| *c).filter(|c| c.at.elapsed() < FRESH)
    }

    /// What it has; counted anew where that was long ago.
    pub(crate) async fn of(&self, place: &Place, project: &str) -> Result<Usage, SampleError> {
        let counted = match self.fresh(project) {
            Some(counted) => counted,
            None => self.count(place, project).await?,
        };
        Ok(Usage {
            samples: counted.samples,
            bytes: counted.bytes.saturating_add(counted.promised),
            most: self.most,
        })
    }

    async fn count(&self, place: &Place, project: &str) -> Result<Counted, SampleError> {
        let _alone = self.counting.lock().await;
        if let Some(counted) = self.fresh(project) {
            return Ok(counted);
        }
        let (mut samples, mut bytes) = (0, 0_u64);
        let mut found = place.list(Some(key::folder(project)?));
        while let Some(object) = found.recv().await {
            samples += 1;
            bytes = bytes.saturating_add(object?.1);
        }
        let mut projects = self.projects.lock().unwrap_or_else(PoisonError::into_inner);
        if projects.len() >= MOST {
            projects.retain(|_, c| c.promised > 0);
        }
        let promised = projects.get(project).map_or(0, |c| c.promised);
        let counted = Counted { samples, bytes, promised, at: Instant::now() };
        projects.insert(project.to_owned(), counted);
        Ok(counted)
    }

    /// Refuses what is known not to fit, without asking anybody; `false`: it is not known, or no longer.
    pub(crate) fn fits(&self, key: &Key, bytes: u64) -> Result<bool, SampleError> {
        let checked = self.with(key.project(), |c| {
            self.check(key, c, bytes)?;
            Ok(c.at.elapsed() < FRESH)
        });
        checked.unwrap_or(Ok(false))
    }

    fn check(&self, key: &Key, c: &Counted, bytes: u64) -> Result<(), SampleError> {
        let used = c.bytes.saturating_add(c.promised);
        if used.saturating_add(bytes) > self.most {
            return Err(SampleError::Quota {
                project: key.project().to_owned(),
                needed: bytes,
                used,
                most: self.most,
            });
        }
        Ok(())
    }

    /// Promises room to a sample.
    pub(crate) async fn promise(
        &self,
        place: &Place,
        key: &Key,
        bytes: u64,
    ) -> Result<Promise<'_>, SampleError> {
        let project = key.project();
        self.of(place, project).await?;
        let promised = self.with(project, |c| {
            // Others were promised room meanwhile.
            self.check(key, c, bytes)?;
            c.promised += bytes;
            Ok(())
        });
        // Too many projects at once: it is counted again next time.
        promised.unwrap_or_else(|| Err(SampleError::Busy("samples are being counted".to_owned())))?;
        Ok(Promise { books: self, project: project.to_owned(), bytes })
    }

    /// One is gone; `bytes` of it, where that is known.
    pub(crate) fn gone(&self, project: &str, bytes: u64) {
        self.with(project, |c| {
            c.samples = c.samples.saturating_sub(1);
            c.bytes = c.bytes.saturating_sub(bytes);
        });
    }
}

impl Promise<'_> {
    /// It is stored.
    pub(crate) fn keep(self) {
        self.books.with(&self.project, |c| {
            c.samples += 1;
            c.bytes = c.bytes.saturating_add(self.bytes);
        });
    }
}

impl Drop for Promise<'_> {
    fn drop(&mut self) {
        self.books.with(&self.project, |c| c.promised = c.promised.saturating_sub(self.bytes));
    }
}
