// SPDX-License-Identifier: Apache-2.0
//! The deep scan of samples: jobs, the jail, what other scanners say, and what comes of it.

#![forbid(unsafe_code)]
