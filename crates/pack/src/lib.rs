// SPDX-License-Identifier: Apache-2.0
//! lazaret-pack

#![forbid(unsafe_code)]
