// SPDX-License-Identifier: Apache-2.0
//! Descriptors over SOCK_SEQPACKET sockets.
