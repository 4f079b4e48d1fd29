// SPDX-License-Identifier: Apache-2.0
//! Tests of which scans are asked for.

use super::*;
use crate::sdk::{Found, sdk};
use crate::words::rfc3339;

fn ask(query: &str) -> Ask {
    let Found::Operation(o, named) = sdk().find("GET", "/v5/0/antivirus/task") else { panic!("no path") };
    Ask::read(o, named, query, b"").unwrap()
}

#[test]
fn times() {
    let now = 1_709_210_096_789;
    let of = |query: &str| {
        let asked = ask(query);
        Wanted::of(&asked, now).map(|w| (w.since, w.until)).map_err(|e| e.message().to_owned())
    };
    let both = "begin_time=2024-02-29%2012:34:56&end_time=2024-02-29%2012:34:57";
    assert_eq!(of(both).unwrap(), (Some(1_709_210_096_000), Some(1_709_210_097_999)));
    assert_eq!(of(&format!("{both}&last_days=1")).unwrap(), (Some(now - DAY_MS), None));
    assert!(of("begin_time=2024-02-29%2012:34:56").unwrap_err().contains("both or neither"));
    let turned = "begin_time=2024-03-01%2000:00:00&end_time=2024-02-29%2000:00:00";
    assert!(of(turned).unwrap_err().contains("is after"));
    assert!(of("begin_time=1709210096000&end_time=1709210096001").unwrap_err().contains("begin_time"));
    assert!(of("last_days=91").is_err());
}

#[test]
fn scans_by_what_they_say() {
    let scan = json!({ "name": "Nightly", "task_status": "finish", "created_at": rfc3339(50_000) });
    let keeps = |wanted: Wanted<'_>| wanted.keeps(&scan);
    assert!(keeps(Wanted::default()) && keeps(Wanted { name: Some("night"), ..Wanted::default() }));
    assert!(!keeps(Wanted { name: Some("weekly"), ..Wanted::default() }));
    assert!(keeps(Wanted { since: Some(50_000), until: Some(50_000), ..Wanted::default() }));
    assert!(!keeps(Wanted { since: Some(50_001), ..Wanted::default() }));
    assert!(!keeps(Wanted { until: Some(49_999), ..Wanted::default() }));
    for (status, kept) in
        [(Status::Scanning, false), (Status::Finish, true), (Status::Fail, true), (Status::Cancel, true)]
    {
        assert_eq!(keeps(Wanted { status: Some(status), ..Wanted::default() }), kept, "{status:?}");
    }
}

#[test]
fn scans_by_their_hosts() {
    let numbers =
        json!({ "by_state": [{ "word": "success", "count": 2 }, { "word": "waiting", "count": 1 }] });
    let of = |query: &str| {
        let asked = ask(query);
        let wanted = Wanted::of(&asked, 0).unwrap();
        (wanted.looks_into(), wanted.keeps_numbers(&numbers))
    };
    assert_eq!(of("task_status=finish"), (false, true));
    assert_eq!(of("task_status=cancel"), (true, false));
    assert_eq!(of("host_task_status=scanning"), (true, true));
    assert_eq!(of("host_task_status=fail&host_task_status=cancel"), (true, false));
    assert_eq!(of("host_name=db"), (true, true));
    let row = json!({ "host": { "id": "h", "name": "Db-1" } });
    assert!(Wanted { host_name: Some("db"), ..Wanted::default() }.keeps_host(&row));
    let others = Some(BTreeSet::from(["g".to_owned()]));
    assert!(!Wanted { hosts: others, ..Wanted::default() }.keeps_host(&row));
}
