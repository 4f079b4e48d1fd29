// SPDX-License-Identifier: Apache-2.0
//! What the stage can be asked, as its lines say it.

use serde::Deserialize;
use serde_json::{Map, Value};

/// One order.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Ask {
    Drop(Dropping),
    Run(Running),
    File {
        #[serde(default)]
        host: usize,
        path: String,
    },
    Remove {
        #[serde(default)]
        host: usize,
        path: String,
    },
    WaitFor {
        list: String,
        #[serde(default, rename = "where")]
        fits: Map<String, Value>,
        #[serde(default = "half_a_minute")]
        seconds: u64,
    },
    WaitAlarm {
        #[serde(default)]
        host: usize,
        path: String,
        #[serde(default = "half_a_minute")]
        seconds: u64,
    },
    Seed {
        #[serde(default = "five")]
        hosts: u32,
        #[serde(default = "hundred")]
        alarms: u64,
    },
    Host {
        name: Option<String>,
        #[serde(default = "first")]
        project: String,
        token: Option<String>,
    },
    StopHost {
        #[serde(default)]
        host: usize,
    },
    StartHost {
        #[serde(default)]
        host: usize,
    },
    CutHost {
        #[serde(default)]
        host: usize,
    },
    HealHost {
        #[serde(default)]
        host: usize,
    },
    HostStatus {
        #[serde(default)]
        host: usize,
    },
    User {
        name: Option<String>,
        role: String,
        #[serde(default = "all")]
        project: String,
        #[serde(default)]
        one_time: bool,
    },
    OneTime {
        user: String,
    },
    EndSessions {
        user: String,
    },
    Token {
        #[serde(default = "first")]
        project: String,
        uses: Option<u32>,
    },
    Switch {
        switch: String,
        on: bool,
        #[serde(default = "first")]
        project: String,
    },
    Consent {
        #[serde(default = "first")]
        project: String,
        #[serde(default)]
        change: Map<String, Value>,
    },
    Quota {
        edition: String,
        total: Option<u64>,
        #[serde(default)]
        automatic: bool,
        #[serde(default)]
        hosts: Vec<usize>,
        #[serde(default = "first")]
        project: String,
    },
    Project {
        name: String,
    },
    Hook {},
    HookSeen {},
    Call {
        method: String,
        path: String,
        #[serde(default)]
        body: Option<Value>,
    },
    Log {},
    Quit {},
}

/// Files that are to lie on a host.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Dropping {
    #[serde(default)]
    pub(super) host: usize,
    #[serde(default = "high")]
    pub(super) what: String,
    pub(super) path: Option<String>,
    pub(super) class: Option<String>,
    pub(super) rating: Option<String>,
    #[serde(default = "one")]
    pub(super) count: usize,
    #[serde(default)]
    pub(super) number: usize,
    pub(super) mode: Option<String>,
}

/// A program that is to run there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Running {
    #[serde(default)]
    pub(super) host: usize,
    pub(super) path: String,
    #[serde(default)]
    pub(super) args: Vec<String>,
    #[serde(default)]
    pub(super) wait: bool,
}

fn half_a_minute() -> u64 {
    30
}

fn one() -> usize {
    1
}

fn five() -> u32 {
    5
}

fn hundred() -> u64 {
    100
}

fn first() -> String {
    "0".to_owned()
}

fn all() -> String {
    "*".to_owned()
}

fn high() -> String {
    "high".to_owned()
}

/// The order of a line, with what its answer is to carry back.
pub(super) struct Line {
    pub(super) id: Option<Value>,
    pub(super) word: String,
    pub(super) ask: Result<Ask, String>,
}

/// Reads a line; what is wrong with it is in its order.
pub(super) fn read(line: &str) -> Line {
    let mut value: Value = match serde_json::from_str(line) {
        Ok(value) => value,
        Err(e) => return Line { id: None, word: String::new(), ask: Err(format!("no JSON: {e}")) },
    };
    let id = value.as_object_mut().and_then(|o| o.remove("id"));
    let word = value["do"].as_str().unwrap_or_default().to_owned();
    Line { id, word, ask: serde_json::from_value(value).map_err(|e| e.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_and_without_what_is_wanted() {
        let line = read(r#"{"do":"drop","what":"low","path":"a b","id":7}"#);
        assert_eq!((line.id, line.word.as_str()), (Some(7.into()), "drop"));
        let Ok(Ask::Drop(drop)) = line.ask else { panic!("a drop") };
        assert_eq!((drop.what.as_str(), drop.host, drop.count), ("low", 0, 1));
        assert!(matches!(read(r#"{"do":"stop-host","host":3}"#).ask, Ok(Ask::StopHost { host: 3 })));
        assert!(matches!(read(r#"{"do":"quit"}"#).ask, Ok(Ask::Quit {})));
        for (line, said) in [
            ("", "JSON"),
            ("[]", ""),
            (r#"{"do":"dance"}"#, "dance"),
            (r#"{"do":"user"}"#, "role"),
            (r#"{"do":"quit","now":true}"#, "now"),
        ] {
            let error = read(line).ask.err().unwrap_or_default();
            assert!(error.contains(said) && !error.is_empty(), "{line}: {error}");
        }
    }
}
