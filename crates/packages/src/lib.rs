// SPDX-License-Identifier: Apache-2.0
//! lazaret-packages

#![forbid(unsafe_code)]
