// SPDX-License-Identifier: Apache-2.0
//! Parts of packs to agents. Few packs are asked for at a time, by many hosts: the last ones stay in memory.

use super::Inner;
use lazaret_proto::v1;
use lazaret_store::StoreError;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of a part, at most.
const PART: usize = 256 << 10;
/// Packs that stay in memory.
const KEPT: usize = 4;

/// Project, digest and bytes.
type Pack = (String, Vec<u8>, Arc<Vec<u8>>);

/// The packs that were read last.
#[derive(Default)]
pub(super) struct Packs(Mutex<VecDeque<Pack>>);

impl Packs {
    fn get(&self, project: &str, sha256: &[u8]) -> Option<Arc<Vec<u8>>> {
        let packs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        packs.iter().find(|(p, d, _)| p == project && d == sha256).map(|(_, _, bytes)| Arc::clone(bytes))
    }

    fn put(&self, project: &str, sha256: &[u8], bytes: &Arc<Vec<u8>>) {
        let mut packs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        packs.push_front((project.to_owned(), sha256.to_vec(), Arc::clone(bytes)));
        packs.truncate(KEPT);
    }
}

/// A part of a pack of the host's own project.
pub(super) async fn part(
    inner: &Inner,
    project: &str,
    request: &v1::ContentRequest,
) -> Result<v1::ContentChunk, StoreError> {
    let mut chunk = v1::ContentChunk {
        sha256: request.sha256.clone(),
        offset: request.offset,
        data: Vec::new(),
        error: String::new(),
    };
    if request.sha256.len() != 32 {
        chunk.sha256.truncate(32);
        "a digest has 32 bytes".clone_into(&mut chunk.error);
        return Ok(chunk);
    }
    let bytes = match inner.packs.get(project, &request.sha256) {
        Some(bytes) => bytes,
        None => match inner.store.pack_body(project, &request.sha256).await {
            Ok(bytes) => {
                let bytes = Arc::new(bytes);
                inner.packs.put(project, &request.sha256, &bytes);
                bytes
            }
            Err(StoreError::NotFound(why)) => {
                chunk.error = why;
                return Ok(chunk);
            }
            Err(e) => return Err(e),
        },
    };
    let from = usize::try_from(request.offset).unwrap_or(usize::MAX);
    let length = usize::try_from(request.length).unwrap_or(usize::MAX).clamp(1, PART);
    match bytes.get(from..from.saturating_add(length).min(bytes.len())) {
        Some(part) if !part.is_empty() => {
            chunk.data = part.to_vec();
            metrics::counter!("lazaret_gateway_content_bytes_total").increment(part.len() as u64);
        }
        _ => chunk.error = format!("the pack has {} bytes", bytes.len()),
    }
    Ok(chunk)
}
