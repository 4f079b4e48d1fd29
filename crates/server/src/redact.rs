// SPDX-License-Identifier: Apache-2.0
//! What leaves this machine in backups and diagnostics is without secrets: values of keys that name one,
//! passwords in addresses, and what looks like one of our own tokens.

use anyhow::Context as _;

/// In the place of what was taken out.
const REMOVED: &str = "(removed)";
/// A key with one of these in its name holds a secret.
const WORDS: [&str; 7] =
    ["password", "passphrase", "secret", "token", "credential", "private", "authorization"];
/// What our own secrets begin with.
const PREFIXES: [&str; 6] = ["lzk_", "lzs_", "lzt_", "whsec_", "AGE-SECRET-KEY-", "Bearer "];

/// A configuration file without its secrets.
///
/// # Errors
/// It is not TOML.
pub(crate) fn toml(text: &str) -> anyhow::Result<String> {
    let mut table: toml::Table = toml::from_str(text).context("the configuration")?;
    for (key, value) in &mut table {
        clean(key, value);
    }
    toml::to_string_pretty(&table).context("the configuration")
}

fn clean(key: &str, value: &mut toml::Value) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table.iter_mut() {
                clean(key, value);
            }
        }
        toml::Value::Array(list) => list.iter_mut().for_each(|v| clean(key, v)),
        toml::Value::String(text) => {
            let name = key.to_ascii_lowercase();
            let secret = WORDS.iter().any(|w| name.contains(w)) || name == "key" || name.ends_with("_key");
            // A file's name is none.
            if secret && !text.starts_with('/') && !text.is_empty() {
                REMOVED.clone_into(text);
            } else {
                *text = line(text);
            }
        }
        _ => {}
    }
}

/// A line without passwords in addresses and without what looks like a token.
pub(crate) fn line(text: &str) -> String {
    let mut out = addresses(text);
    for prefix in PREFIXES {
        let mut from = 0;
        while let Some(at) = out.get(from..).and_then(|t| t.find(prefix)).map(|n| n + from) {
            let begin = at + prefix.len();
            let rest = out.get(begin..).unwrap_or_default();
            let length = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || "-_=+/.~".contains(c)))
                .unwrap_or(rest.len());
            out.replace_range(begin..begin + length, REMOVED);
            from = begin + REMOVED.len();
        }
    }
    out
}

/// `scheme://user:password@host?query`: the password and the query go.
fn addresses(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        out.push_str(before);
        let end = behind.find(|c: char| c.is_whitespace() || "\"'<>".contains(c)).unwrap_or(behind.len());
        let (address, after) = behind.split_at(end);
        let (address, query) = address.split_once('?').map_or((address, false), |(a, _)| (a, true));
        match address.rsplit_once('@') {
            Some((user, host)) => {
                out.push_str(user.split(':').next().unwrap_or_default());
                if user.contains(':') {
                    out.push(':');
                    out.push_str(REMOVED);
                }
                out.push('@');
                out.push_str(host);
            }
            None => out.push_str(address),
        }
        if query {
            out.push('?');
            out.push_str(REMOVED);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_a_configuration_go_and_the_rest_stays() {
        let text = "[server]\ndatabase = \"postgres://lazaret:geheim@db/lazaret?password=geheim\"\n\
                    [api]\nkey = \"/etc/key.pem\"\nlisten = \"127.0.0.1:7080\"\n[notify]\nsmtp_password = \"geheim\"\n\
                    [[hooks]]\nurl = \"https://h/x\"\nsigning_key = \"geheim\"\n[hooks.more]\nclient_secret = \"geheim\"\n";
        let out = toml(text).unwrap();
        assert!(!out.contains("geheim"), "{out}");
        for kept in ["postgres://lazaret:", "@db/lazaret", "/etc/key.pem", "127.0.0.1:7080", "https://h/x"] {
            assert!(out.contains(kept), "{kept}: {out}");
        }
        assert!(toml("x = [").is_err());
    }

    #[test]
    fn lines_lose_tokens_and_passwords() {
        let out =
            line("GET https://a:b@c/x?t=1 with Bearer abc.def and lzk_1_x, \"lzt_\u{e4}\" postgres://u@h");
        for gone in [":b@", "t=1", "abc", "1_x"] {
            assert!(!out.contains(gone), "{gone}: {out}");
        }
        assert!(out.contains("https://a:(removed)@c/x") && out.contains("postgres://u@h"), "{out}");
    }
}
