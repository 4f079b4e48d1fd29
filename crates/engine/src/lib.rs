// SPDX-License-Identifier: Apache-2.0
//! lazaret-engine

#![forbid(unsafe_code)]
