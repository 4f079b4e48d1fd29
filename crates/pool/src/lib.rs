// SPDX-License-Identifier: Apache-2.0
//! lazaret-pool

#![forbid(unsafe_code)]
