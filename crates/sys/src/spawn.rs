// SPDX-License-Identifier: Apache-2.0
//! Forking from a single-threaded process.
