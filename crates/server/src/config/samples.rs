// SPDX-License-Identifier: Apache-2.0
//! `[samples]`: where the files lie that hosts gave, and how much of them.

use lazaret_samples::{S3Config, SamplesConfig};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where samples lie.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Samples {
    /// Sealed samples; absent: `samples` in `[server] data`. Not used with `[samples.s3]`.
    pub folder: Option<PathBuf>,
    /// Parts on their way, sealed, on this machine; absent: `samples-spool` in `[server] data`.
    pub spool: Option<PathBuf>,
    /// Larger ones are refused, whatever a project allows; 4 KiB to 1 GiB.
    pub max_sample_bytes: u64,
    /// Of all samples of a project; 1 MiB and more.
    pub project_bytes: u64,
    /// Of all parts on their way; 1 MiB and more.
    pub spool_bytes: u64,
    /// Percent of a file system that are left free, 0 to 90.
    pub free_percent: u8,
    /// Instead of a folder.
    pub s3: Option<S3>,
}

impl Default for Samples {
    fn default() -> Self {
        let own = SamplesConfig::in_folder(Path::new("/"));
        Self {
            folder: None,
            spool: None,
            max_sample_bytes: own.max_sample_bytes,
            project_bytes: own.project_bytes,
            spool_bytes: own.spool_bytes,
            free_percent: own.free_percent,
            s3: None,
        }
    }
}

/// An S3-compatible store.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3 {
    /// `https://HOST:PORT`; empty: AWS.
    #[serde(default)]
    pub endpoint: String,
    /// It must be there.
    pub bucket: String,
    /// Most stores take any.
    #[serde(default = "region")]
    pub region: String,
    /// Beginning of all keys.
    #[serde(default)]
    pub prefix: String,
    /// Empty: `AWS_ACCESS_KEY_ID` of the environment.
    #[serde(default)]
    pub key_id: String,
    /// Empty: `AWS_SECRET_ACCESS_KEY` of the environment.
    #[serde(default)]
    pub secret: String,
    /// A file with it, instead.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// Without TLS.
    #[serde(default)]
    pub allow_http: bool,
    /// The bucket in the path, not in the host's name. AWS wants it in the name, most others in the path.
    #[serde(default)]
    pub path_style: bool,
    /// PEM of the authority of its certificate; else those of the machine.
    #[serde(default)]
    pub authority: Option<PathBuf>,
    /// A request with its repetitions takes so long at most, 1 to 300.
    #[serde(default = "patience")]
    pub patience_seconds: u32,
}

impl std::fmt::Debug for S3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the secret.
        f.debug_struct("S3")
            .field("endpoint", &self.endpoint)
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}

fn region() -> String {
    "us-east-1".to_owned()
}

fn patience() -> u32 {
    30
}

impl Samples {
    /// Paths that must be absolute.
    pub(super) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        let s3 = self.s3.as_ref();
        let further = s3.and_then(|s| s.secret_file.as_ref()).into_iter();
        let further = further.chain(s3.and_then(|s| s.authority.as_ref()));
        self.folder.iter().chain(&self.spool).chain(further)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let bounds = [
            ("max_sample_bytes", self.max_sample_bytes, 4 << 10, 1 << 30),
            ("project_bytes", self.project_bytes, 1 << 20, u64::MAX),
            ("spool_bytes", self.spool_bytes, 1 << 20, u64::MAX),
            ("free_percent", self.free_percent.into(), 0, 90),
        ];
        for (key, given, least, most) in bounds {
            if !(least..=most).contains(&given) {
                return Err(format!("[samples] {key} = {given}: must be {least} to {most}"));
            }
        }
        if self.spool_bytes < self.max_sample_bytes {
            return Err(format!(
                "[samples] spool_bytes = {}: one sample of max_sample_bytes = {} does not fit into it",
                self.spool_bytes, self.max_sample_bytes
            ));
        }
        let Some(s3) = &self.s3 else { return Ok(()) };
        if self.folder.is_some() {
            return Err("[samples] folder and [samples.s3]: samples lie in one of them".to_owned());
        }
        if !s3.secret.is_empty() && s3.secret_file.is_some() {
            return Err("[samples.s3] secret and secret_file: give one of them".to_owned());
        }
        if s3.key_id.is_empty() == (!s3.secret.is_empty() || s3.secret_file.is_some()) {
            return Err(
                "[samples.s3] key_id and secret: give both, or neither and set AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY"
                    .to_owned(),
            );
        }
        if s3.endpoint.starts_with("http://") && !s3.allow_http {
            return Err("[samples.s3] endpoint: http:// needs allow_http = true".to_owned());
        }
        if !(1..=300).contains(&s3.patience_seconds) {
            return Err(format!("[samples.s3] patience_seconds = {}: must be 1 to 300", s3.patience_seconds));
        }
        Ok(())
    }

    /// As the samples take it. `data`: the server's folder.
    ///
    /// # Errors
    /// The file with the secret cannot be read.
    pub fn resolve(&self, data: &Path) -> Result<SamplesConfig, String> {
        let mut out = SamplesConfig::in_folder(data);
        if let Some(folder) = &self.folder {
            out.folder.clone_from(folder);
        }
        if let Some(spool) = &self.spool {
            out.spool.clone_from(spool);
        }
        out.max_sample_bytes = self.max_sample_bytes;
        out.project_bytes = self.project_bytes;
        out.spool_bytes = self.spool_bytes;
        out.free_percent = self.free_percent;
        if let Some(s3) = &self.s3 {
            out.patience = Duration::from_secs(s3.patience_seconds.into());
            let secret = match &s3.secret_file {
                None => s3.secret.clone(),
                Some(path) => std::fs::read_to_string(path)
                    .map_err(|e| format!("[samples.s3] secret_file: {}: {e}", path.display()))?
                    .trim()
                    .to_owned(),
            };
            out.s3 = Some(S3Config {
                endpoint: s3.endpoint.clone(),
                bucket: s3.bucket.clone(),
                region: s3.region.clone(),
                prefix: s3.prefix.clone(),
                key_id: s3.key_id.clone(),
                secret,
                allow_http: s3.allow_http,
                path_style: s3.path_style,
                authority: s3.authority.clone(),
            });
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use std::path::Path;

    fn refused(text: &str) -> String {
        Config::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_folder_in_the_servers_data_is_the_default() {
        let config = Config::parse("").unwrap();
        let samples = config.samples.resolve(Path::new("/srv/l")).unwrap();
        assert_eq!(samples.folder, Path::new("/srv/l/samples"));
        assert_eq!(samples.spool, Path::new("/srv/l/samples-spool"));
        assert!(samples.s3.is_none());
    }

    #[test]
    fn a_bucket_is_taken_over_with_its_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        std::fs::write(&path, "hush\n").unwrap();
        let text = format!(
            "[samples]\nmax_sample_bytes = 1048576\n[samples.s3]\nendpoint = \"https://s3.example\"\nbucket = \"b\"\n\
             key_id = \"k\"\nsecret_file = \"{}\"\npath_style = true\npatience_seconds = 5\n",
            path.display()
        );
        let config = Config::parse(&text).unwrap();
        let samples = config.samples.resolve(Path::new("/srv/l")).unwrap();
        let s3 = samples.s3.unwrap();
        assert_eq!((s3.secret.as_str(), s3.region.as_str(), s3.path_style), ("hush", "us-east-1", true));
        assert_eq!((samples.patience.as_secs(), samples.max_sample_bytes), (5, 1 << 20));
        std::fs::remove_file(&path).unwrap();
        assert!(config.samples.resolve(Path::new("/srv/l")).unwrap_err().contains("secret_file"));
    }

    #[test]
    fn what_cannot_work_is_refused() {
        assert!(refused("[samples]\nmax_sample_bytes = 1\n").contains("max_sample_bytes"));
        assert!(refused("[samples]\nspool_bytes = 1048576\n").contains("does not fit"));
        assert!(refused("[samples]\nfree_percent = 91\n").contains("0 to 90"));
        assert!(refused("[samples]\nfolder = \"here\"\n").contains("absolute"));
        let s3 = |more: &str| refused(&format!("[samples.s3]\nbucket = \"b\"\n{more}\n"));
        assert!(s3("key_id = \"k\"").contains("both"));
        assert!(s3("secret = \"s\"").contains("both"));
        assert!(s3("key_id = \"k\"\nsecret = \"s\"\nsecret_file = \"/s\"").contains("one of them"));
        assert!(s3("endpoint = \"http://x\"").contains("allow_http"));
        assert!(s3("patience_seconds = 0").contains("1 to 300"));
        assert!(s3("authority = \"ca.pem\"").contains("absolute"));
        assert!(
            refused("[samples]\nfolder = \"/x\"\n[samples.s3]\nbucket = \"b\"\n").contains("one of them")
        );
        assert!(refused("[samples.s3]\nregion = \"x\"\n").contains("bucket"));
    }
}
