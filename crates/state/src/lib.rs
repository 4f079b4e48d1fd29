// SPDX-License-Identifier: Apache-2.0
//! lazaret-state

#![forbid(unsafe_code)]
