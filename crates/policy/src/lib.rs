// SPDX-License-Identifier: Apache-2.0
//! lazaret-policy

#![forbid(unsafe_code)]
