// SPDX-License-Identifier: Apache-2.0
//! Look-ups as version 3 of VirusTotal's API answers them: `GET /api/v3/files/{sha256}` with `x-apikey`.
//! Only the hash is told.

use super::http::Http;
use super::settings::ConnectorSettings;
use super::{Heard, Refusal, Sample};
use crate::vote::Opinion;
use reqwest::StatusCode;
use serde_json::Value;

/// So many of its engines make a vote: one or two are mistakes more often than not.
const MIN_ENGINES: u64 = 3;

pub(crate) struct VirusTotal {
    http: Http,
}

impl VirusTotal {
    pub(crate) fn new(settings: &ConnectorSettings) -> Result<Self, String> {
        Ok(Self { http: Http::new(settings)? })
    }

    pub(crate) async fn ask(&self, sample: &Sample) -> Result<Heard, Refusal> {
        let url = self.http.below(&format!("api/v3/files/{}", sample.sha256));
        let request = self.http.client.get(url).header("x-apikey", self.http.key.clone());
        let answer = self.http.json(request).await?;
        understand(answer.status, &answer.body, &sample.sha256.to_string())
    }
}

fn understand(status: StatusCode, body: &Value, sha256: &str) -> Result<Heard, Refusal> {
    let code = body["error"]["code"].as_str().unwrap_or_default();
    if status == StatusCode::NOT_FOUND && code == "NotFoundError" {
        return Ok(heard(Opinion::Unknown, "", "it does not know the file".to_owned()));
    }
    if status != StatusCode::OK {
        let code = super::plain(code, 60);
        return Err(Refusal::later(format_args!(
            "status {} {code}: that is not its protocol",
            status.as_u16()
        )));
    }
    let data = &body["data"];
    let attributes = &data["attributes"];
    // An answer about another file is no vote on this one.
    let about = attributes["sha256"].as_str().or_else(|| data["id"].as_str()).unwrap_or_default();
    if !about.eq_ignore_ascii_case(sha256) || data["type"].as_str() != Some("file") {
        return Err(Refusal::later("its answer is about something else"));
    }
    let stats = &attributes["last_analysis_stats"];
    let count = |name: &str| {
        stats[name].as_u64().filter(|n| *n <= 10_000).ok_or_else(|| {
            Refusal::later(format_args!("its answer lacks the number of engines that say {name}"))
        })
    };
    let (bad, suspicious) = (count("malicious")?, count("suspicious")?);
    let (harmless, undetected) = (count("harmless")?, count("undetected")?);
    let all = bad + suspicious + harmless + undetected;
    let goodware = attributes["trusted_verdict"]["verdict"].as_str() == Some("goodware");
    if bad >= MIN_ENGINES {
        return Ok(heard(Opinion::Bad, &family(attributes), format!("{bad} of {all} engines say malicious")));
    }
    if bad == 0 && goodware {
        let by = attributes["trusted_verdict"]["organization"].as_str().unwrap_or("somebody that it trusts");
        return Ok(heard(Opinion::Good, "", format!("goodware, says {}", super::plain(by, 100))));
    }
    Ok(heard(Opinion::Nothing, "", format!("{bad} of {all} engines say malicious")))
}

fn heard(opinion: Opinion, family: &str, detail: String) -> Heard {
    Heard { opinion, family: family.to_owned(), detail, version: String::new() }
}

/// The label that it suggests, or what the first of its engines calls it.
fn family(attributes: &Value) -> String {
    if let Some(label) = attributes["popular_threat_classification"]["suggested_threat_label"].as_str() {
        return label.to_owned();
    }
    let results = attributes["last_analysis_results"].as_object().into_iter().flatten();
    let named = results
        .filter(|(_, result)| result["category"].as_str() == Some("malicious"))
        .find_map(|(_, result)| result["result"].as_str());
    named.unwrap_or("malware").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SHA: &str = "00000000000000000000000000000000000000000000000000000000000000aa";

    fn file(malicious: u64, extra: Value) -> Value {
        let mut attributes = json!({
            "sha256": SHA,
            "last_analysis_stats":
                { "malicious": malicious, "suspicious": 0, "undetected": 60 - malicious, "harmless": 0, "timeout": 1 },
            "last_analysis_results": {
                "A": { "category": "undetected", "result": null },
                "B": { "category": "malicious", "result": "Linux/Miner.X" },
            },
        });
        if let (Some(all), Some(more)) = (attributes.as_object_mut(), extra.as_object()) {
            all.extend(more.clone());
        }
        json!({ "data": { "id": SHA, "type": "file", "attributes": attributes } })
    }

    fn opinion(status: u16, body: &Value) -> Result<(Opinion, String), bool> {
        understand(StatusCode::from_u16(status).unwrap(), body, SHA)
            .map(|h| (h.opinion, h.family))
            .map_err(|r| r.again.is_some())
    }

    #[test]
    fn answers_of_the_protocol() {
        assert_eq!(opinion(200, &file(20, json!({}))), Ok((Opinion::Bad, "Linux/Miner.X".into())));
        let label = json!({ "popular_threat_classification": { "suggested_threat_label": "trojan.mirai" } });
        assert_eq!(opinion(200, &file(3, label)), Ok((Opinion::Bad, "trojan.mirai".into())));
        assert_eq!(opinion(200, &file(2, json!({}))), Ok((Opinion::Nothing, String::new())));
        let good = json!({ "trusted_verdict": { "verdict": "goodware", "organization": "Some Vendor" } });
        assert_eq!(opinion(200, &file(0, good.clone())), Ok((Opinion::Good, String::new())));
        assert_eq!(opinion(200, &file(1, good)), Ok((Opinion::Nothing, String::new())));
        let missing = json!({ "error": { "code": "NotFoundError", "message": "..." } });
        assert_eq!(opinion(404, &missing), Ok((Opinion::Unknown, String::new())));
    }

    #[test]
    fn whatever_else_it_says_is_no_vote() {
        let mut other = file(20, json!({}));
        other["data"]["attributes"]["sha256"] = "ff".repeat(32).into();
        let mut kind = file(20, json!({}));
        kind["data"]["type"] = "url".into();
        let mut negative = file(20, json!({}));
        negative["data"]["attributes"]["last_analysis_stats"]["malicious"] = json!(-5);
        let mut many = file(20, json!({}));
        many["data"]["attributes"]["last_analysis_stats"]["malicious"] = json!(u64::MAX);
        let without = json!({ "data": { "id": SHA, "type": "file", "attributes": {} } });
        for body in [other, kind, negative, many, without, json!(null), json!([1]), json!("bad")] {
            assert_eq!(opinion(200, &body), Err(true), "{body}");
        }
        // Somebody else's page: an address that is wrong must not look like a file that is unknown.
        assert_eq!(opinion(404, &json!({ "detail": "not here" })), Err(true));
        assert_eq!(opinion(400, &file(20, json!({}))), Err(true));
    }
}
