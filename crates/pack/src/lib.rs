// SPDX-License-Identifier: Apache-2.0
//! Content: what Lazaret knows about malware, as people write it and as it is shipped.
//!
//! Two forms. The *source form* is a folder that people edit ([`read_source`]): rules in TOML and
//! hash lists in CSV, each encoded with ROT47 so that a checkout neither matches its own rules nor
//! contains EICAR. The *pack form* is one file ([`write_pack`], [`Content::load`]): a manifest with
//! the digest of each member, and the members. docs/content-authoring.md describes both.
//!
//! Content that cannot be understood never takes good content with it: a bad rule or line becomes a
//! [`lazaret_model::ContentProblem`] that names its file and line, and the rest stays in force. Only
//! a pack or folder that cannot be read as such is a [`PackError`].

#![forbid(unsafe_code)]

mod case;
mod content;
mod decode;
mod encode;
mod error;
mod hash_set;
mod known_bad;
mod known_good;
mod member;
mod rot47;
mod rule;
mod source;
mod source_csv;
mod source_rules;
mod third_party;

pub use case::{Case, MINIMAL_ELF_HEADER, minimal_elf};
pub use content::Content;
pub use encode::{pack_bytes, write_pack};
pub use error::PackError;
pub use known_bad::{KnownBad, KnownBadSet};
pub use known_good::{KnownGood, KnownGoodSet};
pub use rot47::rot47;
pub use rule::{MAX_WEIGHT, MIN_WEIGHT, Rule};
pub use source::{read_source, read_sources};
pub use third_party::{DigestList, ListedDigest, MAX_LISTED, ThirdPartyRules, read_digest_list};
