// SPDX-License-Identifier: Apache-2.0
//! Files that were asked about and are unknown: noted together, now and then, never while a host waits.

use crate::gateway::{Inner, now_ms};
use lazaret_store::{NewFile, StoreError};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Files that wait; what is beyond comes with the host's inventory, or when it asks again.
const MOST: usize = 50_000;
/// Files of one write.
const AT_ONCE: usize = 512;

/// Project and host.
type Whose = (String, String);

#[derive(Default)]
struct Waiting {
    count: usize,
    all: HashMap<Whose, HashMap<Vec<u8>, NewFile>>,
}

/// What waits to be noted.
#[derive(Default)]
pub(super) struct Notes(Mutex<Waiting>);

impl Notes {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put(&self, project: &str, host: &str, files: Vec<NewFile>) {
        let mut waiting = self.lock();
        if waiting.count >= MOST {
            return;
        }
        let of = waiting.all.entry((project.to_owned(), host.to_owned())).or_default();
        let before = of.len();
        of.extend(files.into_iter().map(|file| (file.sha256.clone(), file)));
        let more = of.len() - before;
        waiting.count += more;
    }

    fn take(&self) -> HashMap<Whose, HashMap<Vec<u8>, NewFile>> {
        std::mem::take(&mut *self.lock()).all
    }
}

/// Writes what waits; after an error the rest waits on.
pub(super) async fn write(inner: &Inner) -> Result<(), StoreError> {
    let mut rest = inner.cloud.notes.take().into_iter();
    let mut trouble = None;
    for ((project, host), files) in rest.by_ref() {
        let files: Vec<NewFile> = files.into_values().collect();
        for (n, part) in files.chunks(AT_ONCE).enumerate() {
            match inner.store.note_questions(&project, &host, part.to_vec(), now_ms()).await {
                Ok(_) => {}
                Err(e) if e.is_retryable() => {
                    let left = files.get(n * AT_ONCE..).unwrap_or_default().to_vec();
                    inner.cloud.notes.put(&project, &host, left);
                    trouble = Some(e);
                    break;
                }
                // The host was removed, as a rule: there is nothing to note for it.
                Err(e) => inner.log(&format!("{host}: its questions cannot be noted: {e}")),
            }
        }
        if trouble.is_some() {
            break;
        }
    }
    for ((project, host), files) in rest {
        inner.cloud.notes.put(&project, &host, files.into_values().collect());
    }
    trouble.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(n: u32) -> NewFile {
        NewFile { sha256: n.to_be_bytes().repeat(8), size: 5, kind: "script".to_owned(), tlsh: String::new() }
    }

    #[test]
    fn each_file_waits_once_for_its_host_and_not_without_end() {
        let notes = Notes::default();
        notes.put("p", "a", vec![file(1), file(2), file(1)]);
        notes.put("p", "a", vec![file(2)]);
        notes.put("p", "b", vec![file(1)]);
        let taken = notes.take();
        let of = |host: &str| taken[&("p".to_owned(), host.to_owned())].len();
        assert_eq!((of("a"), of("b")), (2, 1));
        assert!(notes.take().is_empty());
        let more = u32::try_from(MOST).unwrap();
        notes.put("p", "a", (0..more).map(file).collect());
        notes.put("p", "b", vec![file(1)]);
        assert_eq!(notes.take().len(), 1, "it is full");
    }
}
