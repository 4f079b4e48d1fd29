// SPDX-License-Identifier: Apache-2.0
//! lazaret-response

#![forbid(unsafe_code)]
