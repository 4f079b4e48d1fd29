// SPDX-License-Identifier: Apache-2.0
//! Lists of alarms of so many hosts that merging theirs is not the only way.

use crate::bed::Bed;
use crate::rows::*;
use lazaret_store::*;

/// Hosts that are called `old`, `db` and `web`: the first have the oldest alarms, the others take turns after that.
const EACH: i64 = 75;
const OLD: i64 = 21_000;
const ALL: i64 = OLD + 45_000;

fn host_of(n: i64) -> String {
    let word = if n < OLD { "old" } else { ["db", "web"][usize::try_from(n % 2).unwrap()] };
    format!("{word}{:02}", (n / 2) % EACH)
}

fn nth(n: i64) -> AlarmRow {
    let mut a = alarm(&format!("al-{n:05}"), 1_800_000_000_000 + (n / 3) * 60_000);
    if n % 5 == 0 {
        (a.handled, a.handled_by, a.handled_ms) = (true, "ignore".into(), a.last_ms);
    }
    a
}

/// Times of what is listed for hosts with this in their name, page after page, and what the first page counts.
async fn listed(store: &Store, name: &str, handled: Option<bool>, n: usize) -> (Vec<i64>, u64) {
    let f = AlarmFilter { host_name: name.into(), handled, ..AlarmFilter::default() };
    let (mut times, mut next, mut total) = (Vec::new(), None, None);
    while times.len() < n {
        let page = store.alarms_page(&Scope::All, &f, &behind(next, 90)).await.unwrap();
        total.get_or_insert(page.total);
        times.extend(page.items.iter().map(|a| a.last_ms));
        next = page.next;
        assert!(next.is_some(), "{name}: the list ends after {}", times.len());
    }
    times.truncate(n);
    (times, total.unwrap())
}

async fn hosts_with_most_alarms_and_hosts_with_old_ones_are_listed_in_order(bed: Bed) {
    let store = &bed.store;
    let mut of = std::collections::BTreeMap::<String, Vec<i64>>::new();
    for n in 0..ALL {
        of.entry(host_of(n)).or_default().push(n);
    }
    for (name, numbers) in &of {
        store.insert_host(&host(name)).await.unwrap();
        let records = numbers.iter().zip(1..).map(|(n, seq)| record(seq, says(nth(*n)))).collect();
        store.ingest(batch(name, records)).await.unwrap();
    }
    for (name, handled) in [("db", None), ("old", None), ("db", Some(true)), ("old", Some(false))] {
        let mut expected: Vec<i64> = (0..ALL)
            .filter(|n| host_of(*n).contains(name) && handled.is_none_or(|h| h == nth(*n).handled))
            .map(|n| nth(n).last_ms)
            .collect();
        expected.sort_unstable_by(|a, b| b.cmp(a));
        let (times, total) = listed(store, name, handled, 400).await;
        assert_eq!(times, expected[..400], "{name} {handled:?}");
        assert_eq!(total, (expected.len() as u64).min(COUNT_CAP), "{name} {handled:?}");
    }
}

on_both!(hosts_with_most_alarms_and_hosts_with_old_ones_are_listed_in_order);
