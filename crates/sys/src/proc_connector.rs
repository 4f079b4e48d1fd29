// SPDX-License-Identifier: Apache-2.0
//! Process life from the kernel's connector.
