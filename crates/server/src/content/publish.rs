// SPDX-License-Identifier: Apache-2.0
//! From the content folder and what people added to a signed pack of a project. Doing it again changes
//! nothing unless something changed, or the signature comes to its end.

use super::{ContentError, ContentKey, MAX_TOTAL, find};
use crate::config::Config;
use crate::time;
use lazaret_pack::{Content, DigestList, ThirdPartyRules, pack_bytes, read_digest_list};
use lazaret_proto::v1;
use lazaret_store::{ContentItemRow, ContentPackRow, Store, StoreError};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// How long hosts take a pack after it was signed.
const VALID_MS: i64 = 90 * time::DAY_MS;
/// It is signed anew when less is left.
const RENEW_MS: i64 = 45 * time::DAY_MS;

/// The base, and what it was read from.
struct Base {
    stamp: Option<SystemTime>,
    content: Arc<Content>,
}

/// Builds and signs; cheap to clone.
#[derive(Clone)]
pub(crate) struct Publisher(Arc<Inner>);

struct Inner {
    store: Store,
    key: ContentKey,
    config: Config,
    base: Mutex<Option<Base>>,
}

/// The offer of a pack as its row has it, without the key.
pub(crate) fn offer(row: &ContentPackRow) -> v1::ContentOffer {
    v1::ContentOffer {
        version: row.version.clone(),
        number: u64::try_from(row.number).unwrap_or(0),
        sha256: row.sha256.clone(),
        size: u64::try_from(row.size).unwrap_or(0),
        expires_ms: row.expires_ms,
        replaces_up_to: 0,
        signature: row.signature.clone(),
        key: Vec::new(),
        channel: row.project.clone(),
    }
}

impl Publisher {
    pub(crate) fn new(store: Store, key: ContentKey, config: Config) -> Self {
        Self(Arc::new(Inner { store, key, config, base: Mutex::default() }))
    }

    /// Signs what hosts of this project should have, if that is not what they are offered already.
    pub(crate) async fn publish(&self, project: &str) -> Result<(), ContentError> {
        let inner = &self.0;
        let items = inner.store.content_items(project).await?;
        let newest = inner.store.newest_pack(project).await?;
        let given = inner.config.content.source.as_deref();
        if items.is_empty() && given.is_none() && newest.is_none() {
            return Ok(());
        }
        let path = find("content", given, "lazaret.pack", "/usr/share/lazaret/content.pack")?;
        let this = self.clone();
        let built = tokio::task::spawn_blocking(move || this.build(&path, &items));
        let (version, body) =
            built.await.map_err(|e| ContentError::Own(format!("building content: {e}")))??;
        let digest = Sha256::digest(&body).to_vec();
        let now_ms = time::now_ms();
        if let Some(row) = &newest
            && row.sha256 == digest
            && row.expires_ms - now_ms > RENEW_MS
            && inner.key.signed(&offer(row))
        {
            return Ok(());
        }
        let mut row = ContentPackRow {
            project: project.to_owned(),
            // By the clock: a server that was restored goes on above what its hosts have.
            number: newest.map_or(0, |n| n.number + 1).max(now_ms),
            version,
            sha256: digest,
            size: i64::try_from(body.len()).unwrap_or(i64::MAX),
            expires_ms: now_ms + VALID_MS,
            signature: Vec::new(),
        };
        let mut signed = offer(&row);
        inner.key.sign(&mut signed);
        row.signature = signed.signature;
        match inner.store.put_pack(&row, &body).await {
            Ok(()) => {
                let (version, size) = (&row.version, row.size);
                crate::log::line(&format!("content {version} of project {project} is signed, {size} bytes"));
                Ok(())
            }
            // Another process was first, with the same or with more.
            Err(StoreError::Conflict(_)) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// Every project; what goes wrong in one is said and stops no other.
    pub(crate) async fn publish_all(&self) -> Result<(), StoreError> {
        for project in self.0.store.projects(&lazaret_store::Scope::All).await? {
            match self.publish(&project.id).await {
                Ok(()) => {}
                Err(ContentError::Store(e)) => return Err(e),
                Err(e) => crate::log::line(&format!("content of project {}: {e}", project.name)),
            }
        }
        Ok(())
    }

    fn build(
        &self,
        path: &std::path::Path,
        items: &[ContentItemRow],
    ) -> Result<(String, Vec<u8>), ContentError> {
        let own = |e: &dyn std::fmt::Display| ContentError::Own(e.to_string());
        let base = self.base(path)?;
        let mut content = (*base).clone();
        if !items.is_empty() {
            let total: usize = items.iter().map(|i| i.body.len()).sum();
            if total > MAX_TOTAL {
                return Err(ContentError::Own(format!("{total} bytes were added, at most {MAX_TOTAL}")));
            }
            let mut digest = Sha256::new();
            for item in items {
                digest.update(&item.sha256);
                digest.update([u8::from(item.promoted)]);
                digest.update(item.name.as_bytes());
                let text = String::from_utf8(item.body.clone()).map_err(|e| own(&e))?;
                let label = format!("project/{}", item.name);
                if item.kind == "hashes" {
                    let entries = read_digest_list(&label, &text).map_err(|e| own(&e))?;
                    content.listed.push(DigestList { label, promoted: item.promoted, entries });
                } else {
                    content.third_party.push(ThirdPartyRules {
                        label,
                        source: text,
                        promoted: item.promoted,
                    });
                }
            }
            let digest = digest.finalize();
            content.version.push_str("+p.");
            for byte in digest.iter().take(4) {
                let _ = write!(content.version, "{byte:02x}");
            }
        }
        let bytes = pack_bytes(&content).map_err(|e| own(&e))?;
        Ok((content.version, bytes))
    }

    /// A pack is read again when it changed; a folder always.
    fn base(&self, path: &std::path::Path) -> Result<Arc<Content>, ContentError> {
        let own = |e: &dyn std::fmt::Display| ContentError::Own(format!("{}: {e}", path.display()));
        let meta = std::fs::metadata(path).map_err(|e| own(&e))?;
        let stamp = meta.is_file().then(|| meta.modified().ok()).flatten();
        let mut kept = self.0.base.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(base) = kept.as_ref().filter(|b| stamp.is_some() && b.stamp == stamp) {
            return Ok(Arc::clone(&base.content));
        }
        let content = Content::load(path).map_err(|e| own(&e))?;
        if let Some(problem) = content.problems.first() {
            // A half-read folder must not reach hosts.
            return Err(own(&format!("{problem}; nothing is signed until that is mended")));
        }
        let content = Arc::new(content);
        *kept = Some(Base { stamp, content: Arc::clone(&content) });
        Ok(content)
    }
}
