// SPDX-License-Identifier: Apache-2.0
//! The test kit.

#![forbid(unsafe_code)]
