// SPDX-License-Identifier: Apache-2.0
//! Tests of plans, there and back.

use super::*;

fn fault(outcome: Result<Value, HssError>) -> String {
    outcome.unwrap_err().message().to_owned()
}

#[test]
fn new_settings() {
    let body = json!({ "scan_type": "custom", "action": "auto", "host_ids": ["a", "b", "a"],
        "file_types": [1, 3, 1], "scan_dir": "/srv; /opt ;", "ignore_dir": "" });
    let wanted = json!({ "kind": "custom", "automatic": true, "hosts": ["a", "b"], "groups": [], "all_hosts": false,
        "file_types": ["executable", "script"], "include": ["/srv", "/opt"], "exclude": [] });
    assert_eq!(settings(&body, None).unwrap(), wanted);
    let base = json!({ "scan_type": "quick", "action": "manual", "host_ids": ["a"] });
    for (name, value, word) in [
        ("scan_type", json!("deep"), "scan_type"),
        ("scan_type", json!(""), "scan_type: is missing"),
        ("action", json!(null), "action: is missing"),
        ("host_ids", json!([]), "host_ids: is missing"),
        ("file_types", json!([7]), "file_types"),
        ("file_types", json!([-1]), "file_types"),
        ("scan_dir", json!("/srv"), "scan_type custom alone"),
        ("ignore_dir", json!("var"), "ignore_dir: folders must be absolute"),
        ("ignore_dir", json!("/a/../b"), "ignore_dir"),
        ("scan_type", json!("custom"), "scan_dir: is missing"),
    ] {
        let mut body = base.clone();
        body[name] = value;
        let e = fault(settings(&body, None));
        assert!(e.contains(word), "{name}: {e}");
    }
}

#[test]
fn changed_settings_keep_the_rest() {
    let before = json!({ "kind": "custom", "all_hosts": true, "hosts": [], "groups": [], "file_types": [],
        "include": ["/srv"], "exclude": ["/srv/tmp"], "automatic": false, "spread_minutes": 5 });
    let after = settings(&json!({ "action": "auto" }), Some(&before)).unwrap();
    assert_eq!((&after["automatic"], &after["all_hosts"]), (&json!(true), &json!(true)));
    assert_eq!((&after["include"], &after["spread_minutes"]), (&json!(["/srv"]), &json!(5)));
    let after = settings(&json!({ "scan_type": "full", "host_ids": ["h"], "ignore_dir": "" }), Some(&before))
        .unwrap();
    assert_eq!((&after["kind"], &after["exclude"]), (&json!("full"), &json!([])));
    assert!(after.get("include").is_none(), "folders are of a custom scan alone");
    assert_eq!((&after["all_hosts"], &after["hosts"]), (&json!(false), &json!(["h"])));
}

#[test]
fn starts() {
    assert_eq!(
        start(&json!({ "start_type": "now", "scan_hour": 3 }), None).unwrap(),
        json!({ "start_type": "now" })
    );
    let later = json!({ "start_type": "later", "scan_time": 1_709_210_096_789_i64 });
    assert_eq!(
        start(&later, None).unwrap(),
        json!({ "start_type": "later", "at": "2024-02-29T12:34:56.789Z" })
    );
    let week = json!({ "start_type": "period", "scan_period": "week", "scan_period_date": 1, "scan_hour": 2,
        "scan_minute": 30, "timezone_offset": 480 });
    let wanted = json!({ "start_type": "week", "date": 1, "hour": 2, "minute": 30, "timezone_offset": 480 });
    assert_eq!(start(&week, None).unwrap(), wanted);
    let moved = start(&json!({ "scan_hour": 4 }), Some(&wanted)).unwrap();
    assert_eq!((&moved["hour"], &moved["date"], &moved["minute"]), (&json!(4), &json!(1), &json!(30)));
    assert!(
        fault(start(&json!({ "scan_period": "month" }), Some(&wanted)))
            .contains("scan_period_date: is missing")
    );
    for (body, word) in [
        (json!({}), "start_type: is missing"),
        (json!({ "start_type": "later" }), "scan_time: is missing"),
        (json!({ "start_type": "period" }), "scan_period: is missing"),
        (json!({ "start_type": "period", "scan_period": "day" }), "scan_hour: is missing"),
        (json!({ "start_type": "period", "scan_period": "week", "scan_period_date": 8 }), "1 (Sunday) to 7"),
        (json!({ "start_type": "period", "scan_period": "month", "scan_period_date": 29 }), "1 to 28"),
        (json!({ "start_type": "now", "scan_minute": 60 }), "scan_minute"),
    ] {
        let e = fault(start(&body, None));
        assert!(e.contains(word), "{body}: {e}");
    }
}

#[test]
fn a_plan_as_hss_has_it() {
    let plan = json!({ "id": "p", "name": "weekly", "project": "0", "next_at": "2026-11-29T02:30:00.000Z",
        "start": { "start_type": "week", "date": 1, "hour": 2, "minute": 30, "timezone_offset": 60, "at": null },
        "settings": { "kind": "custom", "all_hosts": false, "file_types": ["script", "image"], "include": ["/a", "/b"],
            "exclude": [], "automatic": true } });
    let p = policy(&plan);
    assert_eq!(
        (&p["start_type"], &p["scan_period"], &p["scan_period_date"]),
        (&json!("period"), &json!("week"), &json!(1))
    );
    assert_eq!((&p["scan_dir"], &p["ignore_dir"]), (&json!("/a;/b"), &Value::Null));
    assert_eq!((&p["file_type_list"], &p["action"]), (&json!([3, 5]), &json!("auto")));
    assert_eq!((&p["invalidate"], &p["next_start_time"]), (&json!(false), &json!(1_795_919_400_000_i64)));
    let once = json!({ "start": { "start_type": "later", "at": "2024-02-29T12:34:56.789Z", "hour": 1 }, "next_at": null,
        "settings": { "automatic": false } });
    let p = policy(&once);
    assert_eq!((&p["invalidate"], &p["scan_time"]), (&json!(true), &json!(1_709_210_096_789_i64)));
    assert!(p["scan_hour"].is_null() && p["scan_period"].is_null());
    assert_eq!((&p["file_type_list"], &p["action"]), (&json!([0]), &json!("manual")));
}

#[test]
fn nothing_is_sold() {
    assert!(
        unpaid(&json!({ "whether_paid_task": true })).unwrap_err().message().contains("whether_paid_task")
    );
    assert!(unpaid(&json!({ "whether_paid_task": false })).is_ok() && unpaid(&json!({})).is_ok());
}
