// SPDX-License-Identifier: Apache-2.0
//! Tests of what a request asks.

use super::*;
use crate::sdk::Found;

fn read(method: &str, path: &'static str, query: &str, body: &str) -> Result<Ask, String> {
    let Found::Operation(o, named) = sdk().find(method, path) else { panic!("{path}") };
    Ask::read(o, named, query, body.as_bytes()).map_err(|e| e.message().to_owned())
}

#[test]
fn types_of_a_query() {
    let path = "/v5/0/event/events";
    let a =
        read("GET", path, "limit=20&offset=40&severity_list=High&severity_list=Low&nonsense=1", "").unwrap();
    assert_eq!(a.offset().unwrap(), Offset { offset: 40, limit: 20 });
    assert_eq!(a.list("severity_list").unwrap(), ["High", "Low"]);
    assert_eq!(a.part("project_id"), "0");
    assert!(read("GET", path, "limit=ten", "").unwrap_err().contains("limit"));
    assert!(read("GET", path, "host_name=a%00b", "").unwrap_err().contains("NUL"));
    assert!(read("GET", path, "host_name=a&host_name=b", "").unwrap_err().contains("2 values"));
    assert!(read("GET", path, &format!("host_name={}", "x".repeat(5000)), "").is_err());
    for bad in ["limit=9", "limit=1001", "offset=-1", "offset=2000001"] {
        assert!(read("GET", path, bad, "").unwrap().offset().is_err(), "{bad}");
    }
}

#[test]
fn types_of_a_body() {
    let path = "/v5/0/event/operate";
    let good = r#"{"operate_type":"ignore","operate_event_list":[{"event_id":"x","occur_time":1}],"more":1}"#;
    assert!(read("POST", path, "", good).is_ok());
    for (bad, word) in [
        ("", "missing"),
        ("null", "object"),
        ("[]", "object"),
        ("{", "JSON"),
        (r#"{"operate_type":1}"#, "text"),
        (r#"{"operate_event_list":{}}"#, "list"),
        (r#"{"operate_event_list":["x"]}"#, "object"),
        (r#"{"operate_event_list":[{"occur_time":"now"}]}"#, "whole number"),
    ] {
        let e = read("POST", path, "", bad).unwrap_err();
        assert!(e.contains(word), "{bad}: {e}");
    }
    let many = vec!["{}"; 101].join(",");
    let e = read("POST", path, "", &format!(r#"{{"operate_event_list":[{many}]}}"#)).unwrap_err();
    assert!(e.contains("101 entries"), "{e}");
}

#[test]
fn lists_and_pages_are_as_long_as_documented() {
    let put = |agents: usize| {
        let agents = vec![r#""a""#; agents].join(",");
        let rule = format!(r#"{{"event_white_rule_list":[{{"agent_ids":[{agents}]}}]}}"#);
        read("POST", "/v5/0/event/operate", "", &rule)
    };
    assert!(put(1000).is_ok());
    let e = put(1001).unwrap_err();
    assert!(e.contains("agent_ids: 1001 entries, 1000 at most"), "{e}");
    let hosts = |limit: &str| read("GET", "/v5/0/host-management/hosts", limit, "").unwrap().offset();
    assert_eq!(hosts("limit=200").unwrap().limit, 200);
    assert!(hosts("limit=201").is_err_and(|e| e.message().contains("10 to 200")));
}

#[test]
fn words() {
    let a = read("GET", "/v5/0/event/events", "handle_status=handled&severity=", "").unwrap();
    let known = [("unhandled", 0), ("handled", 1)];
    assert_eq!(a.word("handle_status", &known).unwrap(), Some(1));
    assert_eq!(a.word("severity", &known).unwrap(), None, "empty is absent");
    let a = read("GET", "/v5/0/event/events", "handle_status=x", "").unwrap();
    assert!(a.word("handle_status", &known).unwrap_err().message().contains("unhandled, handled"));
}
