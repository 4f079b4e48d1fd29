// SPDX-License-Identifier: Apache-2.0
//! Sealed samples in an S3-compatible store. Every request is repeated with back-off and given up after a while.

use super::{Found, blocking, bounded, fault};
use crate::key::Key;
use crate::{S3Config, SampleError, memory};
use futures_util::StreamExt as _;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{
    BackoffConfig, Certificate, ClientOptions, MultipartUpload, ObjectMeta, ObjectStore as _,
    ObjectStoreExt as _, PutPayload, RetryConfig,
};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Sender;

/// Larger objects go in parts of this size.
const PART: u64 = 8 << 20;
/// A slower line is as good as none, bytes a second.
const SLOWEST: u64 = 256 << 10;
const CONNECT: Duration = Duration::from_secs(5);
const REPETITIONS: usize = 6;

/// See the module. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Bucket(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: AmazonS3,
    name: String,
    prefix: String,
    patience: Duration,
}

fn setup(why: impl std::fmt::Display) -> SampleError {
    SampleError::Setup(format!("[samples.s3] {why}"))
}

/// As the configuration says it, or the environment.
fn given(value: &str, variable: &str) -> Option<String> {
    let value = if value.is_empty() { std::env::var(variable).unwrap_or_default() } else { value.to_owned() };
    Some(value).filter(|v| !v.is_empty())
}

impl Bucket {
    /// Does not ask it yet.
    pub(crate) fn open(config: &S3Config, patience: Duration) -> Result<Self, SampleError> {
        let plain = |p: &str| p.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if config.bucket.is_empty() || !plain(&config.bucket) {
            return Err(setup(format_args!(
                "bucket = \"{}\": no name of a bucket",
                config.bucket.escape_default()
            )));
        }
        let prefix = config.prefix.trim_matches('/').to_owned();
        if !prefix.is_empty() && !prefix.split('/').all(|p| plain(p) && !p.is_empty() && !p.starts_with('.'))
        {
            return Err(setup(format_args!(
                "prefix = \"{}\": letters, digits, . _ - and / only",
                prefix.escape_default()
            )));
        }
        let id = given(&config.key_id, "AWS_ACCESS_KEY_ID");
        let secret = given(&config.secret, "AWS_SECRET_ACCESS_KEY");
        let (Some(id), Some(secret)) = (id, secret) else {
            return Err(setup(
                "key_id and secret: give both, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for the server",
            ));
        };
        let region = if config.region.is_empty() { "us-east-1" } else { &config.region };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&config.bucket)
            .with_region(region)
            .with_access_key_id(id)
            .with_secret_access_key(secret)
            .with_virtual_hosted_style_request(!config.path_style)
            .with_disable_bulk_delete(true)
            .with_client_options(client(config, patience)?)
            .with_retry(RetryConfig {
                backoff: BackoffConfig {
                    init_backoff: Duration::from_millis(100),
                    max_backoff: Duration::from_secs(5),
                    base: 2.0,
                },
                max_retries: REPETITIONS,
                retry_timeout: patience,
            });
        // A token belongs to the key of the environment.
        if let Some(token) = given("", "AWS_SESSION_TOKEN").filter(|_| config.key_id.is_empty()) {
            builder = builder.with_token(token);
        }
        let endpoint = config.endpoint.trim_end_matches('/');
        if !endpoint.is_empty() {
            builder = builder.with_endpoint(address(endpoint, config)?);
        }
        let at = if endpoint.is_empty() { "AWS" } else { endpoint };
        Ok(Self(Arc::new(Inner {
            store: builder.build().map_err(setup)?,
            name: format!("the bucket {} at {at}", config.bucket),
            prefix,
            patience,
        })))
    }

    pub(super) fn name(&self) -> &str {
        &self.0.name
    }

    fn path(&self, name: &str) -> Path {
        let prefix = &self.0.prefix;
        Path::from(if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") })
    }

    /// Runs a request with an end.
    async fn within<T>(
        &self,
        what: &str,
        size: u64,
        work: impl Future<Output = Result<T, object_store::Error>>,
    ) -> Result<Result<T, object_store::Error>, SampleError> {
        let limit = self.0.patience + CONNECT + Duration::from_secs(size / SLOWEST);
        tokio::time::timeout(limit, work).await.map_err(|_| fault::late(&self.0.name, what))
    }

    fn failed(&self, what: &str) -> impl FnOnce(object_store::Error) -> SampleError {
        move |e| fault::named(&self.0.name, what, &e)
    }

    pub(super) async fn check(&self) -> Result<(), SampleError> {
        let what = "listing it";
        let prefix = self.path("");
        let mut found = self.0.store.list(Some(&prefix));
        let first = self.within(what, 0, async { found.next().await.transpose() }).await?;
        first.map_err(self.failed(what))?;
        // Any page passes for a list of nothing; for an answer about an object it does not.
        let what = "looking for an object";
        let path = self.path("check");
        match self.within(what, 0, self.0.store.head(&path)).await? {
            Ok(meta) => self.genuine(what, &meta),
            Err(e) if fault::is_absent(&e) => Ok(()),
            Err(e) => Err(self.failed(what)(e)),
        }
    }

    /// Every store gives an object a tag; a page that a proxy puts in its place has none.
    fn genuine(&self, what: &str, meta: &ObjectMeta) -> Result<(), SampleError> {
        if meta.e_tag.is_some() {
            return Ok(());
        }
        Err(SampleError::Store {
            place: self.0.name.clone(),
            what: what.to_owned(),
            why: "the answer has no ETag: something else than an S3-compatible store gives it".to_owned(),
            retryable: true,
        })
    }

    pub(super) async fn put(&self, key: &Key, from: File) -> Result<(), SampleError> {
        let what = format!("storing {}", key.object());
        let path = self.path(&key.object());
        let size = from.metadata().map_err(memory::failed)?.len();
        if size <= PART {
            let (_, bytes) = portion(from).await?;
            let put = self.0.store.put(&path, PutPayload::from(bytes));
            return self.within(&what, size, put).await?.map(drop).map_err(self.failed(&what));
        }
        let upload = self.within(&what, 0, self.0.store.put_multipart(&path)).await?;
        let mut upload = upload.map_err(self.failed(&what))?;
        let done = self.put_parts(&what, upload.as_mut(), from, size).await;
        if done.is_err() {
            // Else its parts lie there until the store's own rules remove them.
            let _ = tokio::time::timeout(CONNECT, upload.abort()).await;
        }
        done
    }

    async fn put_parts(
        &self,
        what: &str,
        upload: &mut dyn MultipartUpload,
        mut from: File,
        size: u64,
    ) -> Result<(), SampleError> {
        let mut sent = 0;
        while sent < size {
            let (file, bytes) = portion(from).await?;
            from = file;
            if bytes.is_empty() {
                break;
            }
            let length = bytes.len() as u64;
            let part = upload.put_part(PutPayload::from(bytes));
            self.within(what, length, part).await?.map_err(self.failed(what))?;
            sent += length;
        }
        self.within(what, size, upload.complete()).await?.map(drop).map_err(self.failed(what))
    }

    pub(super) async fn size(&self, key: &Key) -> Result<Option<u64>, SampleError> {
        let what = format!("looking for {}", key.object());
        let path = self.path(&key.object());
        match self.within(&what, 0, self.0.store.head(&path)).await? {
            Ok(meta) => self.genuine(&what, &meta).map(|()| Some(meta.size)),
            // An answer to this question has no text: where the bucket is not there, storing says so.
            Err(e) if fault::is_absent(&e) => Ok(None),
            Err(e) => Err(self.failed(&what)(e)),
        }
    }

    pub(super) async fn get(&self, key: &Key, most: u64) -> Result<File, SampleError> {
        let what = format!("fetching {}", key.object());
        let path = self.path(&key.object());
        let got = match self.within(&what, 0, self.0.store.get(&path)).await? {
            Ok(got) => got,
            Err(e) if fault::is_absent(&e) => return Err(SampleError::NotFound(key.sha().to_string())),
            Err(e) => return Err(self.failed(&what)(e)),
        };
        self.genuine(&what, &got.meta)?;
        let size = got.meta.size;
        bounded(key, size, most)?;
        let mut file = memory::file()?;
        let mut stream = got.into_stream();
        let mut read = 0_u64;
        let copy = async {
            while let Some(bytes) = stream.next().await.transpose()? {
                read += bytes.len() as u64;
                if read > size || file.write_all(&bytes).is_err() {
                    break;
                }
            }
            Ok(())
        };
        self.within(&what, size, copy).await?.map_err(self.failed(&what))?;
        if read != size || file.metadata().map_err(memory::failed)?.len() != size {
            return Err(SampleError::Store {
                place: self.0.name.clone(),
                what,
                why: format!("{read} of {size} bytes came"),
                retryable: true,
            });
        }
        memory::close(file)
    }

    pub(super) async fn delete(&self, key: &Key) -> Result<(), SampleError> {
        let what = format!("deleting {}", key.object());
        let path = self.path(&key.object());
        match self.within(&what, 0, self.0.store.delete(&path)).await? {
            Err(e) if !fault::is_absent(&e) => Err(self.failed(&what)(e)),
            _ => Ok(()),
        }
    }

    /// Strangers are passed over.
    pub(super) async fn list(&self, folder: Option<&str>, out: Sender<Found>) {
        let what = "listing it";
        let prefix = self.path(folder.unwrap_or_default());
        let skip = if self.0.prefix.is_empty() { 0 } else { self.0.prefix.len() + 1 };
        let mut found = self.0.store.list(Some(&prefix));
        loop {
            let next = match self.within(what, 0, async { found.next().await.transpose() }).await {
                Ok(Ok(None)) => return,
                Ok(Ok(Some(meta))) => {
                    let key = meta.location.as_ref().get(skip..).and_then(Key::parse);
                    let Some(key) = key else { continue };
                    Ok((key, meta.size))
                }
                Ok(Err(e)) => Err(self.failed(what)(e)),
                Err(e) => Err(e),
            };
            let end = next.is_err();
            if out.send(next).await.is_err() || end {
                return;
            }
        }
    }
}

/// The next bytes of a file, up to [`PART`].
async fn portion(mut from: File) -> Result<(File, Vec<u8>), SampleError> {
    blocking(move || {
        let mut bytes = Vec::new();
        (&mut from).take(PART).read_to_end(&mut bytes).map_err(memory::failed)?;
        Ok((from, bytes))
    })
    .await
}

/// The endpoint as the client wants it: with the bucket in the host's name where it is not in the path.
fn address(endpoint: &str, config: &S3Config) -> Result<String, SampleError> {
    let (scheme, rest) = endpoint.split_once("://").unwrap_or_default();
    let host = |b: u8| b.is_ascii_alphanumeric() || b".-:[]_".contains(&b);
    if !matches!(scheme, "https" | "http") || rest.is_empty() || !rest.bytes().all(host) {
        return Err(setup(format_args!(
            "endpoint = \"{}\": must be https://HOST:PORT",
            endpoint.escape_default()
        )));
    }
    if scheme == "http" && !config.allow_http {
        return Err(setup(
            "endpoint: http:// needs allow_http = true; samples are sealed, the key's signature is not",
        ));
    }
    Ok(if config.path_style { endpoint.to_owned() } else { format!("{scheme}://{}.{rest}", config.bucket) })
}

fn client(config: &S3Config, patience: Duration) -> Result<ClientOptions, SampleError> {
    let mut options = ClientOptions::new()
        .with_allow_http(config.allow_http)
        .with_connect_timeout(CONNECT)
        .with_timeout_disabled()
        // Counted from the beginning of a request, and the largest one takes its time; what is small has an end of its own.
        .with_read_timeout(patience + Duration::from_secs(PART / SLOWEST));
    if let Some(path) = &config.authority {
        let wrong = |e: &dyn std::fmt::Display| setup(format_args!("authority: {}: {e}", path.display()));
        let pem = std::fs::read(path).map_err(|e| wrong(&e))?;
        let certificates = Certificate::from_pem_bundle(&pem).map_err(|e| wrong(&e))?;
        if certificates.is_empty() {
            return Err(wrong(&"holds no certificate"));
        }
        options = options.with_no_system_certificates(true);
        for certificate in certificates {
            options = options.with_root_certificate(certificate);
        }
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> S3Config {
        S3Config {
            endpoint: "https://s3.example:9000".to_owned(),
            bucket: "samples".to_owned(),
            key_id: "id".to_owned(),
            secret: "very".to_owned(),
            path_style: true,
            ..S3Config::default()
        }
    }

    fn refused(change: impl FnOnce(&mut S3Config)) -> String {
        let mut config = config();
        change(&mut config);
        Bucket::open(&config, CONNECT).unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_work_is_named_before_anything_is_sent() {
        let bucket = Bucket::open(&config(), CONNECT).unwrap();
        assert_eq!(bucket.name(), "the bucket samples at https://s3.example:9000");
        assert!(refused(|c| c.bucket.clear()).contains("bucket"));
        assert!(refused(|c| c.bucket = "a/b".to_owned()).contains("bucket"));
        assert!(refused(|c| c.prefix = "a/../b".to_owned()).contains("prefix"));
        assert!(refused(|c| c.endpoint = "s3.example".to_owned()).contains("endpoint"));
        assert!(refused(|c| c.endpoint = "https://u:p@s3.example".to_owned()).contains("endpoint"));
        assert!(refused(|c| c.endpoint = "http://s3.example".to_owned()).contains("allow_http"));
        assert!(refused(|c| c.authority = Some("/nowhere/ca.pem".into())).contains("/nowhere/ca.pem"));
        assert!(!format!("{:?}", config()).contains("very"), "the secret stays out of logs");
    }

    #[test]
    fn the_bucket_stands_in_the_path_or_in_the_name() {
        let mut c = config();
        assert_eq!(address(&c.endpoint, &c).unwrap(), "https://s3.example:9000");
        c.path_style = false;
        assert_eq!(address(&c.endpoint, &c).unwrap(), "https://samples.s3.example:9000");
    }
}
