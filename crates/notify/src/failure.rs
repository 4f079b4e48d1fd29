// SPDX-License-Identifier: Apache-2.0
//! Why something was not delivered, in words for the person who set the target up.

use std::fmt;

/// Names the target's part, the cause and the way out. Holds nothing secret: people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(pub(crate) String);

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}
