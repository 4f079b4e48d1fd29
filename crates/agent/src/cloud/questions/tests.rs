// SPDX-License-Identifier: Apache-2.0
//! Batches, pauses and answers, with a clock of their own.

use super::*;

fn sha(n: u32) -> Sha256 {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    Sha256(bytes)
}

fn row(n: u32) -> QuestionRow {
    QuestionRow {
        sha256: sha(n),
        size: 5,
        kind: "executable".into(),
        packaged: false,
        path: b"/x".to_vec(),
        tlsh: String::new(),
        first_ms: 1,
    }
}

fn answer(n: u32, standing: &str) -> v1::HashAnswer {
    v1::HashAnswer { sha256: sha(n).0.to_vec(), standing: standing.into(), ..v1::HashAnswer::default() }
}

fn answers(id: u64, answers: Vec<v1::HashAnswer>) -> v1::HashAnswers {
    v1::HashAnswers { id, answers, retry_after_ms: 0 }
}

fn opened(n: u32, now: Instant) -> State {
    let mut state = State::default();
    for i in 0..n {
        assert!(state.open(row(i), false, now));
    }
    state
}

#[test]
fn a_batch_goes_when_it_is_full_or_old_enough() {
    let now = Instant::now();
    let mut state = opened(3, now);
    assert!(!state.open(row(1), false, now), "it is open already");
    assert!(state.batch(now).is_none(), "more may come");
    assert_eq!(state.due(), Some(now + COLLECT));
    let (id, rows) = state.batch(now + COLLECT).expect("old enough");
    assert_eq!((id, rows.len()), (1, 3));
    let mut state = opened(u32::try_from(BATCH).unwrap() + 1, now);
    assert_eq!(state.batch(now).expect("full").1.len(), BATCH);
    assert!(state.batch(now).is_none(), "one is left, and waits for others");
    assert_eq!(state.batch(now + COLLECT).expect("the rest").1.len(), 1);
}

#[test]
fn what_is_not_answered_is_asked_again_with_pauses_that_grow() {
    let mut now = Instant::now();
    let mut state = opened(1, now);
    now += COLLECT;
    let mut pauses = Vec::new();
    for _ in 0..20 {
        let (_, rows) = state.batch(now).expect("asked");
        assert_eq!(rows, [row(0)]);
        now += LOST;
        assert!(state.batch(now).is_none());
        let due = state.due().expect("later");
        pauses.push(due.duration_since(now));
        now = due;
        // It is collected with others for a moment.
        assert!(state.batch(now).is_none());
        now += COLLECT;
    }
    assert!(pauses[0] >= SOON && pauses[0] < SOON * 2, "{pauses:?}");
    assert!(pauses.windows(2).all(|w| w[1] >= w[0]), "{pauses:?}");
    assert!(pauses[19] >= RARELY && pauses[19] < RARELY * 2, "{pauses:?}");
    assert_eq!(state.open.len(), 1, "it stays open");
}

#[test]
fn answers_close_what_was_asked_and_nothing_else() {
    let now = Instant::now();
    let mut state = opened(4, now);
    let (id, _) = state.batch(now + COLLECT).expect("asked");
    let got = state.answered(
        answers(id, vec![answer(0, "clean"), answer(99, "clean"), answer(1, "fine"), answer(2, "bad")]),
        now,
    );
    assert_eq!(got.iter().map(|(s, _)| *s).collect::<Vec<_>>(), [sha(0)], "no verdict, no word, not asked");
    assert_eq!(state.open.len(), 3);
    assert_eq!(state.later.len(), 3, "those are asked again");
    assert!(
        state.answered(answers(id, vec![answer(3, "clean")]), now).is_empty(),
        "a batch is answered once"
    );
    let mut state = opened(1, now);
    let (id, _) = state.batch(now + COLLECT).expect("asked");
    let mut bad = answer(0, "bad");
    bad.verdict = Some(v1::HashVerdict { sha256: sha(1).0.to_vec(), ..v1::HashVerdict::default() });
    assert!(state.answered(answers(id, vec![bad.clone()]), now).is_empty(), "a verdict on something else");
    let due = state.due().expect("later") + COLLECT;
    assert!(state.batch(due).is_none());
    let (id, _) = state.batch(due + COLLECT).expect("asked again");
    bad.verdict = Some(v1::HashVerdict { sha256: sha(0).0.to_vec(), ..v1::HashVerdict::default() });
    assert_eq!(state.answered(answers(id, vec![bad]), due).len(), 1);
    assert!(state.open.is_empty());
}

#[test]
fn a_server_that_has_too_many_is_given_its_pause() {
    let now = Instant::now();
    let mut state = opened(2, now);
    let (id, _) = state.batch(now + COLLECT).expect("asked");
    let slow = v1::HashAnswers { retry_after_ms: 60_000, ..answers(id, vec![answer(0, "unknown")]) };
    assert_eq!(state.answered(slow, now).len(), 1);
    assert!(state.open(row(7), false, now));
    let minute = Duration::from_secs(60);
    assert!(state.batch(now + minute / 2).is_none(), "new ones wait as well");
    assert!(state.due().expect("later") >= now + minute);
    assert_eq!(state.batch(now + minute).expect("asked").1, [row(7), row(1)]);
    // Whatever a server says, an hour is the end of it.
    let forever = v1::HashAnswers { retry_after_ms: u32::MAX, ..answers(2, Vec::new()) };
    assert!(state.answered(forever, now).is_empty());
    assert!(state.pause.expect("a pause") <= now + RARELY);
}

#[test]
fn a_new_session_asks_everything_that_is_open() {
    let now = Instant::now();
    let mut state = opened(3, now);
    let (id, _) = state.batch(now + COLLECT).expect("asked");
    assert!(state.open(row(9), false, now));
    state.all_ready(now);
    assert!(state.answered(answers(id, vec![answer(0, "clean")]), now).is_empty(), "of the session before");
    assert_eq!(state.batch(now + COLLECT).expect("asked").1.len(), 4);
}

#[test]
fn few_batches_fly_and_room_is_bounded() {
    let now = Instant::now();
    let n = BATCH * (MAX_FLYING + 1);
    let mut state = opened(u32::try_from(n).unwrap(), now);
    for _ in 0..MAX_FLYING {
        assert!(state.batch(now).is_some());
    }
    assert!(state.batch(now).is_none());
    assert!(state.due().expect("when those are lost") > now + COLLECT);
    let mut state = opened(u32::try_from(MAX_OPEN).unwrap(), now);
    assert!(!state.open(row(u32::MAX), false, now));
    assert_eq!(state.open.len(), MAX_OPEN);
}
