// SPDX-License-Identifier: Apache-2.0
//! lazaret-vault

#![forbid(unsafe_code)]
