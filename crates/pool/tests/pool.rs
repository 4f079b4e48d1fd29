// SPDX-License-Identifier: Apache-2.0
//! The pool keeps its promises whatever its workers do: one answer for each job, in time.

mod kit;

use kit::{eventually, job, misbehaving, open_descriptors, start};
use lazaret_model::ScanError;
use lazaret_pool::{Job, PidChange, PoolError, Priority};
use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

/// Descriptors are counted and processes killed by number: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> std::sync::MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[test]
fn a_thousand_files_are_answered_once_each_and_nothing_leaks() {
    let _alone = alone();
    let before = open_descriptors();
    let pool = start(misbehaving(2));
    let answers: Arc<Vec<AtomicUsize>> = Arc::new((0..1000).map(|_| AtomicUsize::new(0)).collect());
    let (sender, receiver) = mpsc::channel();
    for n in 0..1000 {
        let (answers, sender) = (Arc::clone(&answers), sender.clone());
        let file = kit::file(b"good");
        let name = format!("f{n}").into_bytes();
        let priority = [Priority::Background, Priority::Event, Priority::Permission][n % 3];
        let done = Box::new(move |answer: Result<lazaret_model::ScanReport, ScanError>| {
            assert_eq!(answer.unwrap().verdict.family, format!("f{n}"), "the answer to another file");
            answers[n].fetch_add(1, Ordering::Relaxed);
            sender.send(()).unwrap();
        });
        pool.submit(Job { file, name, members: false }, priority, done);
    }
    for _ in 0..1000 {
        receiver.recv_timeout(Duration::from_secs(15)).unwrap();
    }
    assert!(answers.iter().all(|a| a.load(Ordering::Relaxed) == 1));
    assert_eq!(pool.workers().iter().map(|w| w.scanned).sum::<u64>(), 1000);
    assert_eq!(pool.replaced(), 0);
    pool.stop();
    assert_eq!(open_descriptors(), before);
}

#[test]
fn bad_files_in_a_batch_cost_themselves_only() {
    let _alone = alone();
    let mut config = misbehaving(1);
    config.deadline = Duration::from_millis(400);
    let pool = start(config);
    let (sender, receiver) = mpsc::channel();
    // A first slow one, so that the others gather and go as batches.
    for n in 0..100 {
        let content: &[u8] = match n {
            0 => b"slow",
            20 | 22 => b"open",
            50 => b"spin",
            70 => b"lie-token",
            _ => b"good",
        };
        let sender = sender.clone();
        pool.submit(
            job(content),
            Priority::Background,
            Box::new(move |answer| sender.send((n, answer)).unwrap()),
        );
    }
    let mut seen = HashSet::new();
    for _ in 0..100 {
        let (n, answer) = receiver.recv_timeout(Duration::from_secs(15)).unwrap();
        assert!(seen.insert(n), "{n} answered twice");
        match n {
            20 | 22 => assert!(matches!(&answer, Err(ScanError::Crashed(_))), "{n}: {answer:?}"),
            50 => assert_eq!(answer, Err(ScanError::Deadline(400))),
            70 => assert!(matches!(&answer, Err(ScanError::BadAnswer(_))), "{n}: {answer:?}"),
            _ => assert!(answer.is_ok(), "{n}: {answer:?}"),
        }
    }
    assert_eq!(pool.replaced(), 4);
}

#[test]
fn killed_from_outside_while_scanning() {
    let _alone = alone();
    let pool = start(misbehaving(1));
    let pid = pool.workers()[0].pid;
    let (sender, receiver) = mpsc::channel();
    pool.submit(job(b"spin"), Priority::Event, Box::new(move |answer| sender.send(answer).unwrap()));
    eventually("busy", || pool.workers()[0].busy);
    let id = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::KILL).unwrap();
    match receiver.recv_timeout(Duration::from_secs(4)).unwrap() {
        Err(ScanError::Crashed(how)) => assert!(how.contains("SIGKILL"), "{how}"),
        other => panic!("{other:?}"),
    }
    pool.scan(job(b"good"), Priority::Event).unwrap();
    assert_eq!(pool.replaced(), 1);
}

#[test]
fn killed_while_idle_it_is_replaced_before_the_next_job() {
    let _alone = alone();
    let pool = start(misbehaving(2));
    let pid = pool.workers()[0].pid;
    let id = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::KILL).unwrap();
    eventually("replaced", || {
        pool.replaced() == 1 && pool.workers().iter().all(|w| w.pid != pid && w.pid != 0)
    });
    for _ in 0..10 {
        pool.scan(job(b"good"), Priority::Event).unwrap();
    }
}

#[test]
fn a_dead_spawner_is_started_anew() {
    let _alone = alone();
    let alive = Arc::new(Mutex::new(Vec::new()));
    let mut config = misbehaving(2);
    let seen = Arc::clone(&alive);
    config.on_pid = Some(Arc::new(move |change| {
        let mut alive = seen.lock().unwrap();
        match change {
            PidChange::Started(pid) => alive.push(pid),
            PidChange::Ended(pid) => {
                let at = alive.iter().position(|p| *p == pid).unwrap_or_else(|| panic!("{pid} ended unseen"));
                alive.remove(at);
            }
        }
    }));
    let pool = start(config);
    let workers: Vec<i32> = pool.workers().iter().map(|w| w.pid).collect();
    let spawner = alive.lock().unwrap()[0];
    assert!(!workers.contains(&spawner));
    assert_eq!(alive.lock().unwrap().len(), 3);
    let id = rustix::process::Pid::from_raw(spawner).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::KILL).unwrap();
    eventually("three new processes", || {
        let alive = alive.lock().unwrap();
        alive.len() == 3 && !alive.contains(&spawner) && !workers.iter().any(|w| alive.contains(w))
    });
    for _ in 0..10 {
        pool.scan(job(b"good"), Priority::Permission).unwrap();
    }
    pool.stop();
    assert_eq!(*alive.lock().unwrap(), Vec::<i32>::new(), "every end was told");
}

#[test]
fn reload_swaps_under_load_and_loses_nothing() {
    let _alone = alone();
    let before = open_descriptors();
    let pool = Arc::new(start(misbehaving(2)));
    assert_eq!(pool.content().version, "v1");
    let (answered, submitted) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let stop = Arc::new(AtomicUsize::new(0));
    let loads: Vec<_> = (0..2)
        .map(|_| {
            let (pool, answered, submitted) =
                (Arc::clone(&pool), Arc::clone(&answered), Arc::clone(&submitted));
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                while stop.load(Ordering::Relaxed) == 0 {
                    submitted.fetch_add(1, Ordering::Relaxed);
                    let answered = Arc::clone(&answered);
                    pool.submit(
                        job(b"good"),
                        Priority::Background,
                        Box::new(move |answer| {
                            answer.unwrap();
                            answered.fetch_add(1, Ordering::Relaxed);
                        }),
                    );
                }
            })
        })
        .collect();
    for n in 2..6 {
        let version = format!("v{n}");
        let info = pool.reload(version.clone().into(), Vec::new()).unwrap();
        assert_eq!((&info.version, &pool.content().version), (&version, &version));
        // Whatever begins now is judged by the new content.
        for priority in [Priority::Permission, Priority::Event, Priority::Background] {
            let report = pool.scan(job(b"good"), priority).unwrap();
            assert_eq!(report.verdict.content_version, version);
        }
    }
    match pool.reload("broken".into(), Vec::new()) {
        Err(e @ PoolError::Content { .. }) => {
            assert_eq!(
                e.to_string(),
                "content broken was not loaded: broken: this content is broken on purpose"
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(pool.content().version, "v5");
    assert_eq!(pool.scan(job(b"good"), Priority::Event).unwrap().verdict.content_version, "v5");
    stop.store(1, Ordering::Relaxed);
    for load in loads {
        load.join().unwrap();
    }
    eventually("all answered", || answered.load(Ordering::Relaxed) == submitted.load(Ordering::Relaxed));
    assert_eq!(pool.replaced(), 0);
    Arc::into_inner(pool).unwrap().stop();
    assert_eq!(open_descriptors(), before);
}

#[test]
fn stop_answers_everything() {
    let _alone = alone();
    let pool = start(misbehaving(1));
    let answered = Arc::new(AtomicUsize::new(0));
    for n in 0..200 {
        let answered = Arc::clone(&answered);
        let content: &[u8] = if n == 0 { b"spin" } else { b"good" };
        pool.submit(
            job(content),
            Priority::Background,
            Box::new(move |answer| {
                assert!(matches!(answer, Err(ScanError::Unavailable(_))), "{n}: {answer:?}");
                answered.fetch_add(1, Ordering::Relaxed);
            }),
        );
        if n == 0 {
            eventually("busy", || pool.workers()[0].busy);
        }
    }
    let began = Instant::now();
    pool.stop();
    assert!(began.elapsed() < Duration::from_secs(3));
    assert_eq!(answered.load(Ordering::Relaxed), 200);
}

#[test]
fn what_is_no_file_is_said_at_once() {
    let _alone = alone();
    let pool = start(misbehaving(1));
    let (read, _write) = std::io::pipe().unwrap();
    for (fd, what) in [
        (OwnedFd::from(std::fs::File::open("/dev/null").unwrap()), "a character device"),
        (OwnedFd::from(std::fs::File::open("/").unwrap()), "a folder"),
        (OwnedFd::from(read), "a FIFO"),
    ] {
        let answer = pool.scan(Job { file: fd, name: Vec::new(), members: true }, Priority::Event);
        assert_eq!(answer, Err(ScanError::NotAFile(what.into())));
    }
}

#[test]
fn a_scanner_that_is_not_there_is_named() {
    let _alone = alone();
    let mut config = misbehaving(1);
    config.scanner = "/nonexistent/lazaret-scanner".into();
    let e = lazaret_pool::Pool::start(config).unwrap_err();
    assert!(e.to_string().contains("/nonexistent/lazaret-scanner could not be started"), "{e}");
    let mut config = misbehaving(1);
    config.scanner = "/bin/true".into();
    let e = lazaret_pool::Pool::start(config).unwrap_err();
    assert!(e.to_string().contains("ended before"), "{e}");
}

#[test]
fn a_permission_request_does_not_wait_behind_a_walk() {
    let _alone = alone();
    let mut config = misbehaving(2);
    config.reserved = 1;
    let pool = Arc::new(start(config));
    assert_eq!(pool.workers().iter().filter(|w| w.reserved).count(), 1);
    let walk = {
        let pool = Arc::clone(&pool);
        std::thread::spawn(move || {
            for _ in 0..60 {
                // 20 ms each: a batch of them would take 0.6 s.
                pool.submit(job(b"slow"), Priority::Background, Box::new(|_| {}));
            }
        })
    };
    eventually("walk", || pool.workers().iter().any(|w| w.busy));
    let mut times: Vec<Duration> = (0..50)
        .map(|_| {
            let job = job(b"good");
            let began = Instant::now();
            pool.scan(job, Priority::Permission).unwrap();
            began.elapsed()
        })
        .collect();
    times.sort();
    // No timed promise on a shared machine, but far from 20 ms times anything.
    assert!(times[25] < Duration::from_millis(20), "median {:?}", times[25]);
    walk.join().unwrap();
}
