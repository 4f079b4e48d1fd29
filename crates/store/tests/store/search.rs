// SPDX-License-Identifier: Apache-2.0
//! Every way through the list gives the same alarms in the same order.

use crate::bed::Bed;
use crate::rows::*;
use lazaret_store::*;

const MINUTE: i64 = 60_000;

/// Alarms of six hosts, some of every kind, with times that repeat.
fn fleet(n: i64) -> AlarmRow {
    let mut a = alarm(&format!("al-{n:05}"), 1_800_000_000_000 + (n / 3) * MINUTE);
    a.class = ["miner", "worm", "trojan"][usize::try_from(n % 3).unwrap()].into();
    a.rating = if n % 2 == 0 { "high" } else { "low" }.into();
    a.severity = n % 4;
    (a.auto_block, a.test) = (n % 5 == 0, n % 7 == 0);
    a.title = if n % 4 == 0 { format!("Kestrel number {n}") } else { format!("other {n}") };
    a.path = format!("/srv/Site{}/x_{n}.php", n % 11).into_bytes();
    a.sha256 = if n % 9 == 0 { vec![9; 32] } else { vec![1; 32] };
    a.container = if n % 6 == 0 { format!("C0ffee{:04}", n % 12) } else { String::new() };
    (a.attack_tag, a.technique) = if n % 5 == 0 {
        ("attack_blocked".into(), "T1059.004".into())
    } else {
        ("attack_attempt".into(), if n % 3 == 0 { "T1059" } else { "T10590" }.into())
    };
    a.attack_phase = if n % 10 == 0 { "delivery" } else { "actions" }.into();
    (a.handled, a.handled_by, a.handled_ms) =
        if n % 8 == 0 { (true, "ignore".into(), a.last_ms) } else { (false, String::new(), 0) };
    a.suppressed = if n % 13 == 0 { "entry".into() } else { String::new() };
    a
}

/// What the list is to give, told from the alarms themselves. The host of `n` is `h{n % 6}`.
fn wanted(n: i64, f: &AlarmFilter) -> bool {
    let a = fleet(n);
    let host = format!("h{}", n % 6);
    let has = |list: &[String], x: &String| list.is_empty() || list.contains(x);
    let text = format!("{}\n{}", a.title, String::from_utf8_lossy(&a.path)).to_lowercase();
    let is = |asked: &String, x: &str| asked.is_empty() || asked == x;
    a.suppressed.is_empty() != f.suppressed
        && is(&f.host, &host)
        && (f.host_name.is_empty() || host.contains(&f.host_name))
        && is(&f.importance, if n % 6 < 2 { "important" } else { "common" })
        && (f.address.is_empty() || format!("10.0.0.{},2001:db8::{}", n % 6, n % 6).contains(&f.address))
        && (f.severities.is_empty() || f.severities.contains(&a.severity))
        && has(&f.classes, &a.class)
        && has(&f.ratings, &a.rating)
        && f.handled.is_none_or(|h| h == a.handled)
        && f.auto_block.is_none_or(|b| b == a.auto_block)
        && f.test.is_none_or(|t| t == a.test)
        && (f.sha256.is_empty() || f.sha256 == a.sha256)
        && text.contains(&f.text.to_lowercase())
        && a.container.to_lowercase().contains(&f.container.to_lowercase())
        && f.in_container.is_none_or(|inside| inside != a.container.is_empty())
        && is(&f.attack_tag, &a.attack_tag)
        && is(&f.attack_phase, &a.attack_phase)
        && (f.technique.is_empty()
            || a.technique == f.technique
            || a.technique.starts_with(&format!("{}.", f.technique)))
        && f.since_ms.is_none_or(|ms| a.last_ms >= ms)
        && f.until_ms.is_none_or(|ms| a.last_ms < ms)
}

fn filters() -> Vec<AlarmFilter> {
    let any = AlarmFilter::default;
    let day = 1_800_000_000_000;
    vec![
        any(),
        AlarmFilter { suppressed: true, ..any() },
        AlarmFilter { host: "h3".into(), ..any() },
        AlarmFilter { host_name: "h".into(), classes: vec!["worm".into()], ..any() },
        AlarmFilter { importance: "important".into(), handled: Some(true), ..any() },
        AlarmFilter { address: "2001:DB8::4".to_lowercase(), ..any() },
        AlarmFilter { address: "0.0.1,".into(), test: Some(true), ..any() },
        AlarmFilter { severities: vec![0, 3], ratings: vec!["high".into()], ..any() },
        AlarmFilter { auto_block: Some(true), test: Some(false), ..any() },
        AlarmFilter { handled: Some(false), classes: vec!["miner".into(), "trojan".into()], ..any() },
        AlarmFilter { sha256: vec![9; 32], handled: Some(false), ..any() },
        AlarmFilter { text: "kestrel".into(), ..any() },
        AlarmFilter { text: "KESTREL NUMBER 12".into(), ratings: vec!["high".into()], ..any() },
        AlarmFilter { text: "site10/x_".into(), host: "h4".into(), ..any() },
        AlarmFilter { text: "_1".into(), ..any() },
        AlarmFilter { text: "x".into(), classes: vec!["worm".into()], ..any() },
        AlarmFilter { text: "not there".into(), ..any() },
        AlarmFilter { container: "c0FFee".into(), ..any() },
        AlarmFilter { container: "e0006".into(), text: "kes".into(), ..any() },
        AlarmFilter { in_container: Some(true), ..any() },
        AlarmFilter { in_container: Some(false), ..any() },
        AlarmFilter { in_container: Some(true), host: "h3".into(), ..any() },
        AlarmFilter { in_container: Some(false), host_name: "h".into(), handled: Some(false), ..any() },
        AlarmFilter { in_container: Some(true), suppressed: true, ..any() },
        AlarmFilter { in_container: Some(false), sha256: vec![9; 32], ..any() },
        AlarmFilter { in_container: Some(false), text: "kestrel".into(), ..any() },
        AlarmFilter { in_container: Some(true), container: "c0ffee".into(), ..any() },
        AlarmFilter { in_container: Some(false), container: "c0ffee".into(), ..any() },
        AlarmFilter { attack_tag: "attack_blocked".into(), ..any() },
        AlarmFilter { attack_phase: "delivery".into(), attack_tag: "attack_blocked".into(), ..any() },
        AlarmFilter { technique: "T1059".into(), ..any() },
        AlarmFilter { technique: "T1059.004".into(), severities: vec![0], ..any() },
        AlarmFilter { since_ms: Some(day + 10 * MINUTE), until_ms: Some(day + 40 * MINUTE), ..any() },
        AlarmFilter {
            since_ms: Some(day + 50 * MINUTE),
            text: "other".into(),
            classes: vec!["worm".into()],
            ..any()
        },
    ]
}

async fn pages(store: &Store, f: &AlarmFilter, limit: u32) -> (Vec<String>, u64) {
    let (mut ids, mut next, mut total) = (Vec::new(), None, None);
    loop {
        let page = store.alarms_page(&Scope::All, f, &behind(next, limit)).await.unwrap();
        total.get_or_insert(page.total);
        ids.extend(page.items.into_iter().map(|a| a.id));
        match page.next {
            Some(more) => next = Some(more),
            None => return (ids, total.unwrap()),
        }
    }
}

async fn check(store: &Store, n: i64) {
    for f in filters() {
        let mut expected: Vec<i64> = (0..n).filter(|n| wanted(*n, &f)).collect();
        let (ids, total) = pages(store, &f, 37).await;
        assert_eq!(total, expected.len() as u64, "{f:?}");
        let times: Vec<i64> = ids.iter().map(|id| fleet(id[3..].parse().unwrap()).last_ms).collect();
        assert!(times.is_sorted_by(|a, b| a >= b), "newest first: {f:?}");
        let mut found: Vec<i64> = ids.iter().map(|id| id[3..].parse().unwrap()).collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{f:?}");
        let counts = store.alarm_counts(&Scope::All, &f).await.unwrap();
        assert_eq!(counts.total, total, "{f:?}");
    }
}

async fn fill(store: &Store, n: i64) {
    for h in 0..6 {
        let importance = if h < 2 { "important" } else { "common" };
        let addresses = format!("10.0.0.{h},2001:db8::{h}");
        let row = HostRow { importance: importance.into(), addresses, ..host(&format!("h{h}")) };
        store.insert_host(&row).await.unwrap();
        let mine: Vec<i64> = (0..n).filter(|n| n % 6 == h).collect();
        let records = mine.iter().zip(1..).map(|(n, seq)| record(seq, says(fleet(*n)))).collect();
        store.ingest(batch(&format!("h{h}"), records)).await.unwrap();
    }
}

async fn every_filter_gives_what_it_says(bed: Bed) {
    fill(&bed.store, 400).await;
    check(&bed.store, 400).await;
    let of_nobody = Scope::Projects(vec!["else".into()]);
    let page = bed.store.alarms_page(&of_nobody, &AlarmFilter::default(), &page(10)).await.unwrap();
    assert_eq!((page.total, page.items.len()), (0, 0));
}

/// More than is read whole by one index: the list is merged, or read in its order.
async fn common_filters_are_read_in_order(bed: Bed) {
    let store = &bed.store;
    for h in 0..6 {
        store.insert_host(&host(&format!("h{h}"))).await.unwrap();
    }
    let n = 70_000;
    for first in (0..n).step_by(1500) {
        let all: Vec<_> = (0..6)
            .map(|h| {
                let mine = (first..(first + 1500).min(n)).filter(|n| n % 6 == h);
                let records = mine.zip(1..).map(|(n, seq)| {
                    let mut a = fleet(n);
                    a.details = vec![1];
                    Record { at: at(first + 1, seq), at_ms: 1, what: says(a) }
                });
                store.ingest(batch(&format!("h{h}"), records.collect()))
            })
            .collect();
        for one in all {
            one.await.unwrap();
        }
    }
    let any = AlarmFilter::default;
    let common = [
        any(),
        AlarmFilter { classes: vec!["miner".into(), "trojan".into()], ..any() },
        AlarmFilter { classes: vec!["miner".into()], ratings: vec!["low".into()], ..any() },
        AlarmFilter { host_name: "h".into(), auto_block: Some(false), ..any() },
        AlarmFilter { text: "other".into(), ..any() },
        AlarmFilter { text: "other".into(), classes: vec!["worm".into(), "miner".into()], ..any() },
        AlarmFilter { text: "php".into(), host: "h5".into(), ..any() },
        AlarmFilter { text: "_6".into(), ..any() },
        AlarmFilter { sha256: vec![1; 32], ..any() },
        AlarmFilter { in_container: Some(true), ..any() },
        AlarmFilter { in_container: Some(false), ..any() },
        AlarmFilter { in_container: Some(false), host_name: "h".into(), ..any() },
        AlarmFilter { in_container: Some(true), container: "c0ff".into(), ..any() },
    ];
    for f in common {
        let mut expected: Vec<(i64, i64)> = (0..n)
            .filter(|n| wanted(*n, &AlarmFilter { host_name: String::new(), ..f.clone() }))
            .map(|n| (fleet(n).last_ms, n))
            .collect();
        let page = store.alarms_page(&Scope::All, &f, &page(100)).await.unwrap();
        // Without an index, or beside another condition that many have, it is looked through until a page is full.
        let looked = f.text == "_6" || (f.text == "other" && !f.classes.is_empty());
        let most = if looked { page.total } else { COUNT_CAP };
        assert!(page.total >= 100, "{f:?}");
        assert_eq!(page.total, (expected.len() as u64).min(most), "{f:?}");
        expected.sort_unstable_by(|a, b| b.cmp(a));
        let times: Vec<i64> = page.items.iter().map(|a| a.last_ms).collect();
        let first: Vec<i64> = expected.iter().take(100).map(|(ms, _)| *ms).collect();
        assert_eq!(times, first, "{f:?}");
        let next = store.alarms_page(&Scope::All, &f, &behind(page.next, 100)).await.unwrap();
        let times: Vec<i64> = next.items.iter().map(|a| a.last_ms).collect();
        let second: Vec<i64> = expected.iter().skip(100).take(100).map(|(ms, _)| *ms).collect();
        assert_eq!((times, next.total), (second, page.total), "{f:?}");
    }
    // A rare text of two letters is behind what one page looks through; paging on finds it.
    let mut rare = fleet(1);
    (rare.id, rare.title, rare.last_ms) = ("rare".into(), "qz".into(), 5);
    let record = Record { at: at(n + 1, 1), at_ms: 1, what: says(rare) };
    store.ingest(batch("h0", vec![record])).await.unwrap();
    let f = AlarmFilter { text: "qz".into(), ..any() };
    let first = store.alarms_page(&Scope::All, &f, &page(10)).await.unwrap();
    assert_eq!((first.items.len(), first.total, first.next.is_some()), (0, 0, true));
    assert_eq!(pages(store, &f, 10).await.0, ["rare"]);
}

async fn the_index_of_texts_follows_the_alarms(bed: Bed) {
    let store = &bed.store;
    for name in ["a", "b"] {
        store.insert_host(&host(name)).await.unwrap();
    }
    let find = async |text: &str| {
        let f = AlarmFilter { text: text.into(), ..AlarmFilter::default() };
        pages(store, &f, 10).await.0
    };
    let titled = |id: &str, ms: i64, title: &str| AlarmRow { title: title.into(), ..alarm(id, ms) };
    let mut seq = 0;
    let mut send = async |host: &str, a: AlarmRow| {
        seq += 1;
        let record = Record { at: at(seq, 1), at_ms: 1, what: says(a) };
        store.ingest(batch(host, vec![record])).await.unwrap();
    };
    send("a", titled("one", 10, "first words")).await;
    send("a", titled("two", 10, "first words too")).await;
    assert_eq!(find("first words").await.len(), 2);
    // The same time: it stays where it is. A later one: it moves.
    send("a", titled("one", 10, "second words")).await;
    assert_eq!((find("first words").await, find("second").await), (vec!["two".into()], vec!["one".into()]));
    send("a", titled("one", 20, "third words")).await;
    assert_eq!((find("second").await.len(), find("words").await), (0, vec!["one".into(), "two".into()]));
    // Another host's alarm is not its to write, nor to find by.
    send("b", titled("one", 30, "stolen")).await;
    assert_eq!((find("stolen").await.len(), find("third").await), (0, vec!["one".into()]));
    // Handled and suppressed alarms keep their texts.
    store.set_handled(&["one".into()], "ignore", "ann", "", 40).await.unwrap();
    assert_eq!(find("third").await, ["one"]);
    store.set_suppressed(&["one".into()], "entry").await.unwrap();
    assert_eq!(find("third").await.len(), 0);
    store.unsuppress("entry").await.unwrap();
    assert_eq!(find("third").await, ["one"]);
    assert_eq!(store.delete_alarms_before(15, 10).await.unwrap(), 1);
    assert_eq!((find("too").await.len(), find("third").await), (0, vec!["one".into()]));
    assert_eq!(store.delete_alarms_before(1000, 10).await.unwrap(), 1);
    // The places are free again.
    send("a", titled("one", 20, "third words")).await;
    assert_eq!(find("third").await, ["one"]);
}

on_both!(
    every_filter_gives_what_it_says,
    common_filters_are_read_in_order,
    the_index_of_texts_follows_the_alarms
);
