// SPDX-License-Identifier: Apache-2.0
//! The jail of a scanner.
