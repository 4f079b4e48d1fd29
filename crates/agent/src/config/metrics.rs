// SPDX-License-Identifier: Apache-2.0
//! `[metrics]`: where what watches this host may ask.

use super::ConfigError;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Metrics {
    /// `127.0.0.1:9470`, or the absolute path of a Unix socket; absent: nowhere.
    pub(crate) listen: Option<String>,
    /// Let it be an address that others reach.
    pub(crate) any_address: bool,
}

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Metrics {
    /// `None`: nowhere.
    pub(crate) fn place(&self) -> Result<Option<Place>, ConfigError> {
        let Some(listen) = &self.listen else { return Ok(None) };
        let bad = |why: &str| ConfigError(format!("[metrics] listen = \"{listen}\": {why}"));
        if listen.starts_with('/') {
            return Ok(Some(Place::Unix(listen.into())));
        }
        let address: SocketAddr = listen.parse().map_err(|_| {
            bad("must be ADDRESS:PORT, as 127.0.0.1:9470, or the absolute path of a Unix socket")
        })?;
        if !address.ip().is_loopback() && !self.any_address {
            return Err(bad(
                "anybody who reaches this address could read how this host is protected: use a loopback address or \
                 a Unix socket, or say any_address = true",
            ));
        }
        Ok(Some(Place::Tcp(address)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    #[test]
    fn only_this_machine_may_ask_unless_somebody_says_otherwise() {
        let place = |text: &str| Config::parse(text).map(|c| c.metrics.place().unwrap());
        assert_eq!(place("").unwrap(), None);
        let tcp = |text: &str| Some(Place::Tcp(text.parse().unwrap()));
        assert_eq!(place("[metrics]\nlisten = \"127.0.0.1:9470\"").unwrap(), tcp("127.0.0.1:9470"));
        assert_eq!(place("[metrics]\nlisten = \"[::1]:1\"").unwrap(), tcp("[::1]:1"));
        let unix = Some(Place::Unix("/run/lazaret/metrics.sock".into()));
        assert_eq!(place("[metrics]\nlisten = \"/run/lazaret/metrics.sock\"").unwrap(), unix);
        let open = "[metrics]\nlisten = \"0.0.0.0:9470\"";
        assert!(place(open).unwrap_err().to_string().contains("any_address = true"));
        assert_eq!(place(&format!("{open}\nany_address = true")).unwrap(), tcp("0.0.0.0:9470"));
        for bad in ["9470", "localhost:9470", "run/x.sock", ""] {
            let text = format!("[metrics]\nlisten = {bad:?}");
            assert!(place(&text).unwrap_err().to_string().contains("ADDRESS:PORT"), "{bad}");
        }
    }
}
