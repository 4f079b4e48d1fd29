// SPDX-License-Identifier: Apache-2.0
//! The web console as it was built, for the server's program. Empty where there was none to build in.
//!
//! Nothing else is in here, so that a change of the console compiles nothing else anew.

#![forbid(unsafe_code)]

#[cfg(test)]
mod embed;

/// A file of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File {
    /// Below the console's own address, without a slash at its beginning.
    pub path: &'static str,
    /// For browsers.
    pub content_type: &'static str,
    /// As it is.
    pub plain: &'static [u8],
    /// Compressed, where that is shorter.
    pub gzip: Option<&'static [u8]>,
    /// Changes with the content.
    pub tag: &'static str,
    /// Its name changes with its content.
    pub forever: bool,
}

/// All files, by path.
pub static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// Stands in `index.html` where each answer has a number of its own.
pub const NONCE: &str = "LAZARET_CSP_NONCE";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_is_whole() {
        assert_eq!(NONCE, embed::NONCE);
        assert!(FILES.windows(2).all(|two| two[0].path < two[1].path));
        assert!(FILES.is_empty() || FILES.iter().any(|f| f.path == "index.html"));
        assert!(FILES.iter().all(|f| !f.tag.is_empty() && f.gzip.is_none_or(|g| g.len() < f.plain.len())));
    }
}
