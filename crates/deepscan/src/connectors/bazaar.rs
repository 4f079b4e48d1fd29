// SPDX-License-Identifier: Apache-2.0
//! Look-ups as MalwareBazaar's API answers them: a form with `query=get_info&hash=...`, and `Auth-Key`. Only the
//! hash is told. It holds nothing but malicious files: whatever it knows is bad.

use super::http::Http;
use super::settings::ConnectorSettings;
use super::{Heard, Refusal, Sample};
use crate::vote::Opinion;
use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

pub(crate) struct Bazaar {
    http: Http,
}

impl Bazaar {
    pub(crate) fn new(settings: &ConnectorSettings) -> Result<Self, String> {
        Ok(Self { http: Http::new(settings)? })
    }

    pub(crate) async fn ask(&self, sample: &Sample) -> Result<Heard, Refusal> {
        let request = self
            .http
            .client
            .post(self.http.below("api/v1/"))
            .header("Auth-Key", self.http.key.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(format!("query=get_info&hash={}", sample.sha256));
        let answer = self.http.json(request).await?;
        understand(answer.status, &answer.body, &sample.sha256.to_string())
    }
}

fn understand(status: StatusCode, body: &Value, sha256: &str) -> Result<Heard, Refusal> {
    if status != StatusCode::OK {
        let status = status.as_u16();
        return Err(Refusal::later(format_args!("status {status}: that is not its protocol")));
    }
    let heard = |opinion, family: &str, detail: String| {
        Ok(Heard { opinion, family: family.to_owned(), detail, version: String::new() })
    };
    match body["query_status"].as_str().unwrap_or_default() {
        "hash_not_found" => heard(Opinion::Unknown, "", "it does not know the file".to_owned()),
        "ok" => {
            let list = body["data"].as_array().map(Vec::as_slice).unwrap_or_default();
            let about =
                |e: &&Value| e["sha256_hash"].as_str().is_some_and(|h| h.eq_ignore_ascii_case(sha256));
            let Some(entry) = list.iter().take(100).find(about) else {
                return Err(Refusal::later("its answer is about something else"));
            };
            let tag = entry["tags"].as_array().and_then(|t| t.first()).and_then(Value::as_str);
            let family = entry["signature"].as_str().or(tag).unwrap_or("malware");
            let seen = super::plain(entry["first_seen"].as_str().unwrap_or("an unknown day"), 40);
            heard(Opinion::Bad, family, format!("listed since {seen}"))
        }
        word @ ("no_auth_key" | "unknown_auth_key" | "user_blacklisted") => {
            Err(Refusal::never(format_args!("it does not take our key ({word})")))
        }
        word => {
            let word = super::plain(word, 60);
            Err(Refusal::later(format_args!("it answers {word:?}: that is not its protocol")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SHA: &str = "00000000000000000000000000000000000000000000000000000000000000aa";

    fn opinion(status: u16, body: &Value) -> Result<(Opinion, String), bool> {
        understand(StatusCode::from_u16(status).unwrap(), body, SHA)
            .map(|h| (h.opinion, h.family))
            .map_err(|r| r.again.is_some())
    }

    #[test]
    fn answers_of_the_protocol() {
        let known = |entry: Value| json!({ "query_status": "ok", "data": [entry] });
        let entry = json!({ "sha256_hash": SHA, "signature": "Mirai", "first_seen": "2026-01-02 03:04:05" });
        assert_eq!(opinion(200, &known(entry)), Ok((Opinion::Bad, "Mirai".into())));
        let tagged = json!({ "sha256_hash": SHA.to_uppercase(), "signature": null, "tags": ["elf"] });
        assert_eq!(opinion(200, &known(tagged)), Ok((Opinion::Bad, "elf".into())));
        let unknown = json!({ "query_status": "hash_not_found" });
        assert_eq!(opinion(200, &unknown), Ok((Opinion::Unknown, String::new())));
        assert_eq!(opinion(200, &json!({ "query_status": "unknown_auth_key" })), Err(false));
    }

    #[test]
    fn whatever_else_it_says_is_no_vote() {
        let other = json!({ "query_status": "ok", "data": [{ "sha256_hash": "ff".repeat(32) }] });
        let hollow = json!({ "query_status": "ok", "data": [] });
        for body in [other, hollow, json!({ "query_status": "ok" }), json!({}), json!([]), json!(7)] {
            assert_eq!(opinion(200, &body), Err(true), "{body}");
        }
        assert_eq!(opinion(502, &json!({ "query_status": "hash_not_found" })), Err(true));
    }
}
