// SPDX-License-Identifier: Apache-2.0
//! Where samples lie: a folder or an S3-compatible store, sealed either way.

#![forbid(unsafe_code)]
