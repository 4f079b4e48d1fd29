// SPDX-License-Identifier: Apache-2.0
//! The JSON of every verb, one object a line (docs/cli.md). Additive only: keys are never renamed.

mod alarm;
mod answer;
mod cloud;
mod isolated;
mod persistence;
mod preview;
mod scan;
mod status;
mod vault;

pub(crate) use alarm::Alarm;
pub(crate) use answer::{Done, Event, Export, Failure, Receipt, Verify, WhitelistEntry};
pub(crate) use cloud::{Cloud, CloudLine, CloudSent, CloudVerdict};
pub(crate) use isolated::{Isolated, IsolatedFull};
pub(crate) use persistence::PersistenceLine;
pub(crate) use preview::{DisarmedRule, Preview};
pub(crate) use scan::{ContentProblem, ScanFault, Summary, VerdictLine};
pub(crate) use status::Status;
pub(crate) use vault::{Held, Vault};

use crate::error::CliError;
use crate::escape;
use base64::Engine as _;
use serde::Serialize;

/// The object as one line with its newline. Characters that could steer a terminal stand as
/// `\uXXXX`: they only occur inside strings, where that is the same character.
pub(crate) fn line(value: &impl Serialize) -> Result<String, CliError> {
    let plain = serde_json::to_string(value)
        .map_err(|e| CliError::Failed(format!("cannot write the answer as JSON: {e}")))?;
    let mut out = String::with_capacity(plain.len() + 1);
    for c in plain.chars() {
        if escape::is_unsafe(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out.push('\n');
    Ok(out)
}

/// Raw bytes as JSON can hold them; what is not UTF-8 becomes U+FFFD, see [`exact`].
fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The exact bytes in base64, only where [`lossy`] lost something.
fn exact(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).is_err().then(|| base64::engine::general_purpose::STANDARD.encode(bytes))
}

/// Lower case hexadecimal digits; `None` for an absent digest.
fn hex(digest: &[u8]) -> Option<String> {
    lazaret_model::Sha256::from_slice(digest).map(|d| d.to_string())
}

/// `None` for the empty string, which stands for absence on the wire.
fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_never_steers_a_terminal() {
        let text = "a\u{9b}2J\u{1b}[m\u{202e}\u{e0041}\n";
        let shown = line(&text).unwrap();
        assert_eq!(shown, "\"a\\u009b2J\\u001b[m\\u202e\\udb40\\udc41\\n\"\n");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
    }

    #[test]
    fn only_what_is_not_utf8_has_exact_bytes() {
        assert_eq!(exact("\u{e9}".as_bytes()), None);
        assert_eq!(exact(b"\xff").as_deref(), Some("/w=="));
        assert_eq!(lossy(b"a\xffb"), "a\u{fffd}b");
    }
}
