// SPDX-License-Identifier: Apache-2.0
//! Where a file was, beyond its path: what a restore needs when that is gone.

use crate::encoding::RawPath;
use crate::manifest::Stamp;
use serde::{Deserialize, Serialize};

/// What was around the file when it was isolated.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Surroundings {
    /// Mount point of its filesystem; a restore into the folder below it, while nothing is mounted
    /// there, would go to another filesystem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mount: Option<RawPath>,
    /// `ext4`, `overlay` and so on.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub filesystem: String,
    /// The folders of its path, nearest first, at most 64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<Folder>,
    /// Files of image layers below an overlay that still hold the content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerFile>,
}

/// One folder of the path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// `st_mode`.
    pub mode: u32,
}

/// A file of a layer below an overlay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerFile {
    /// Where it lies.
    pub path: RawPath,
    /// Its device.
    pub dev: u64,
    /// Its inode number there.
    pub ino: u64,
    /// Its change time.
    pub ctime: Stamp,
    /// Bytes.
    pub size: u64,
}
