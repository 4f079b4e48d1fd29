// SPDX-License-Identifier: Apache-2.0
//! Processes held by pidfd.
