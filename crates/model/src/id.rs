// SPDX-License-Identifier: Apache-2.0
//! Identifiers: UUIDv7, made where the thing is born, one type per thing.

use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new identifier. Only assembly code (a binary) should call this.
            #[must_use]
            #[allow(clippy::new_without_default, reason = "a default identity would be a lie")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(s: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(s).map(Self)
            }
        }
    };
}

id!(
    /// An alarm; kept from the agent to the server.
    AlarmId
);
id!(
    /// An isolated file: one object in a vault.
    IsolatedId
);
id!(
    /// One intent in the journal, and the outcomes that close it.
    JournalId
);
id!(
    /// A whitelist entry.
    WhitelistId
);
