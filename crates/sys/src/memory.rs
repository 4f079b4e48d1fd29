// SPDX-License-Identifier: Apache-2.0
//! Locking memory, naming and tying processes.
