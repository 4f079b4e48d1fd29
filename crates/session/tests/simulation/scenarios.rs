// SPDX-License-Identifier: Apache-2.0
//! What breaks.

use crate::server::Mood;
use crate::{Dice, World};
use std::time::Duration;

const SEEDS: std::ops::Range<u64> = 1..9;
const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn calm() {
    for seed in SEEDS {
        let world = World::new(seed, 2, 120);
        let took = world.run(2 * MINUTE, 60, |_, call| {
            if call == 20 {
                world.order("a0", "c1", MINUTE);
                world.order("a1", "c2", MINUTE);
                world.want();
            }
        });
        world.check();
        assert!(took < MINUTE, "{took:?}");
        let tables = world.tables.lock().unwrap();
        assert!(tables.commands.iter().all(|c| c.results == ["done"]), "{:?}", tables.commands);
        assert_eq!(tables.hosts["a0"].log.len(), 120);
    }
}

#[test]
fn connections_break_and_stay_open_on_one_side() {
    for seed in SEEDS {
        let world = World::new(seed, 2, 200);
        let mut dice = Dice(seed);
        world.run(40 * MINUTE, 600, |sim, call| {
            match dice.throw(60) {
                0 => sim.partition("agent0", "server"),
                1 => sim.partition_oneway("server", "agent0"),
                2 => sim.partition_oneway("agent1", "server"),
                3..12 => {
                    sim.repair("agent0", "server");
                    sim.repair("agent1", "server");
                }
                _ => {}
            }
            if call % 50 == 0 {
                world.order("a0", &format!("c{call}"), 60 * MINUTE);
                world.order("a1", &format!("d{call}"), 60 * MINUTE);
                world.want();
            }
            if call == 600 {
                sim.repair("agent0", "server");
                sim.repair("agent1", "server");
            }
        });
        world.check();
    }
}

#[test]
fn messages_are_held_and_come_late() {
    for seed in SEEDS {
        let world = World::new(seed, 1, 200);
        let mut dice = Dice(seed);
        world.run(40 * MINUTE, 400, |sim, call| {
            match dice.throw(20) {
                0 => sim.hold("agent0", "server"),
                1 | 2 => sim.release("agent0", "server"),
                3 => sim.set_max_message_latency(Duration::from_millis(20 + dice.throw(2500))),
                _ => {}
            }
            if call % 40 == 0 {
                world.order("a0", &format!("c{call}"), 60 * MINUTE);
            }
            if call == 400 {
                sim.release("agent0", "server");
                sim.set_max_message_latency(Duration::from_millis(60));
            }
        });
        world.check();
    }
}

#[test]
fn the_server_dies_under_ingest() {
    for seed in SEEDS {
        let world = World::new(seed, 2, 250);
        let mut dice = Dice(seed);
        world.run(40 * MINUTE, 300, |sim, call| {
            if dice.throw(25) == 0 {
                sim.crash("server");
            }
            if dice.throw(8) == 0 && !sim.is_host_running("server") {
                sim.bounce("server");
            }
            if call % 30 == 0 {
                world.order("a0", &format!("c{call}"), 60 * MINUTE);
                world.want();
            }
            if call == 300 {
                sim.bounce("server");
            }
        });
        world.check();
    }
}

#[test]
fn agents_die_in_mid_batch() {
    for seed in SEEDS {
        let world = World::new(seed, 2, 250);
        let mut dice = Dice(seed);
        world.run(40 * MINUTE, 300, |sim, call| {
            for (n, name) in ["agent0", "agent1"].into_iter().enumerate() {
                if dice.throw(20) == 0 {
                    if dice.throw(3) == 0 {
                        // The whole machine: it comes back as another boot.
                        world.agents[n].lock().unwrap().boot += 1;
                    }
                    sim.bounce(name);
                }
            }
            if call % 30 == 0 {
                world.order("a0", &format!("c{call}"), 60 * MINUTE);
                world.order("a1", &format!("d{call}"), 60 * MINUTE);
            }
        });
        world.check();
        assert_eq!(world.tables.lock().unwrap().clones, 0, "seed {seed}: a restart is no clone");
    }
}

#[test]
fn the_server_is_restored_from_a_backup() {
    for seed in SEEDS {
        let world = World::new(seed, 2, 250);
        let mut dice = Dice(seed);
        let mut backup = None;
        world.run(40 * MINUTE, 250, |sim, call| {
            if call % 25 == 0 {
                world.order("a0", &format!("c{call}"), 60 * MINUTE);
                world.want();
            }
            if call == 60 + dice.throw(20) || (call == 80 && backup.is_none()) {
                backup = Some(world.tables.lock().unwrap().clone());
            }
            if call == 200 {
                sim.crash("server");
                let mut restored = backup.clone().unwrap();
                restored.incarnation += 1;
                *world.tables.lock().unwrap() = restored;
            }
            if call == 215 {
                sim.bounce("server");
            }
        });
        world.check();
    }
}

#[test]
fn an_agent_goes_back_to_a_snapshot() {
    for seed in SEEDS {
        let mut world = World::new(seed, 2, 250);
        world.reverted = true;
        let world = world;
        let mut dice = Dice(seed);
        let mut snapshot = None;
        let mut life = 1;
        world.run(40 * MINUTE, 400, |sim, call| {
            if call % 90 == 20 {
                snapshot = Some(world.agents[0].lock().unwrap().clone());
            }
            if call % 90 == 60 {
                sim.crash("agent0");
                life += 1;
                let mut old = snapshot.clone().unwrap();
                old.life = life;
                // It may write for a while before it reaches the server, so that it is ahead again.
                for _ in 0..dice.throw(60) {
                    if old.journal.len() < old.target {
                        old.append();
                    }
                }
                *world.agents[0].lock().unwrap() = old;
                sim.bounce("agent0");
            }
            if call % 30 == 0 {
                world.order("a0", &format!("c{call}"), 60 * MINUTE);
            }
        });
        world.check();
        let forked = world.agents[0].lock().unwrap().epochs.len() > 1;
        assert!(forked, "seed {seed}: nothing forked, the scenario tests nothing");
    }
}

#[test]
fn an_agent_goes_back_and_so_does_the_server() {
    for seed in SEEDS {
        let mut world = World::new(seed, 1, 250);
        world.reverted = true;
        let world = world;
        let (mut snapshot, mut backup) = (None, None);
        world.run(60 * MINUTE, 300, |sim, call| match call {
            40 => snapshot = Some(world.agents[0].lock().unwrap().clone()),
            80 => backup = Some(world.tables.lock().unwrap().clone()),
            120 | 240 => {
                sim.crash("agent0");
                let mut old = snapshot.clone().unwrap();
                old.life = u32::try_from(call).unwrap();
                *world.agents[0].lock().unwrap() = old;
                sim.bounce("agent0");
            }
            180 => {
                sim.crash("server");
                let mut restored = backup.clone().unwrap();
                restored.incarnation += 1;
                *world.tables.lock().unwrap() = restored;
                sim.bounce("server");
            }
            _ => {}
        });
        world.check();
    }
}

#[test]
fn two_copies_of_one_machine() {
    for seed in SEEDS {
        let world = World::new(seed, 2, 150);
        {
            // The second is a copy of the first's disk, on another machine.
            let mut copy = world.agents[0].lock().unwrap().clone();
            copy.machine = "machine-copy".to_owned();
            *world.agents[1].lock().unwrap() = copy;
        }
        world.run(20 * MINUTE, 100, |_, _| {});
        world.check();
        let tables = world.tables.lock().unwrap();
        assert_eq!(tables.clones, 1, "seed {seed}");
        let hosts: Vec<_> = world.agents.iter().map(|a| a.lock().unwrap().host.clone()).collect();
        assert_ne!(hosts[0], hosts[1], "seed {seed}");
    }
}

#[test]
fn a_server_that_asks_for_a_pause_gets_it() {
    for seed in SEEDS {
        let mut world = World::new(seed, 2, 150);
        world.mood = Mood { slow_every: 4 };
        world.run(20 * MINUTE, 50, |_, _| {});
        world.check();
    }
}

#[test]
fn clocks_are_off_and_commands_expire_and_are_cancelled() {
    for seed in SEEDS {
        let world = World::new(seed, 2, 60);
        world.agents[0].lock().unwrap().skew_ms = 3_600_000;
        world.agents[1].lock().unwrap().skew_ms = -86_400_000;
        world.run(20 * MINUTE, 400, |sim, call| match call {
            20 => {
                // An hour ahead or a day behind: by the server's clock they are in time.
                world.order("a0", "in-time-0", MINUTE);
                world.order("a1", "in-time-1", MINUTE);
            }
            60 => {
                sim.partition("agent0", "server");
                sim.partition("agent1", "server");
            }
            150 => {
                world.order("a0", "overdue-0", Duration::from_secs(5));
                world.order("a1", "overdue-1", Duration::from_secs(5));
                world.order("a0", "taken-back", 10 * MINUTE);
                let mut tables = world.tables.lock().unwrap();
                tables.commands.last_mut().unwrap().cancel = true;
            }
            300 => {
                sim.repair("agent0", "server");
                sim.repair("agent1", "server");
            }
            _ => {}
        });
        world.check();
        let tables = world.tables.lock().unwrap();
        for row in &tables.commands {
            let wanted = match row.id.as_str() {
                "taken-back" => "cancelled",
                id if id.starts_with("overdue") => "expired",
                _ => "done",
            };
            assert_eq!(row.results, [wanted], "seed {seed}: {row:?}");
        }
    }
}

#[test]
fn everything_at_once() {
    for seed in 100..116 {
        let mut world = World::new(seed, 3, 200);
        world.mood = Mood { slow_every: 5 + seed % 4 };
        let world = world;
        let mut dice = Dice(seed);
        world.run(60 * MINUTE, 600, |sim, call| {
            let agent = ["agent0", "agent1", "agent2"][usize::try_from(dice.throw(3)).unwrap()];
            match dice.throw(120) {
                0 => sim.partition(agent, "server"),
                1 => sim.partition_oneway("server", agent),
                2 => sim.hold(agent, "server"),
                3 | 4 => sim.bounce(agent),
                5 => sim.bounce("server"),
                6..20 => {
                    sim.release(agent, "server");
                    sim.repair(agent, "server");
                }
                _ => {}
            }
            if call % 60 == 0 {
                for host in ["a0", "a1", "a2"] {
                    world.order(host, &format!("{host}-{call}"), 60 * MINUTE);
                }
                world.want();
            }
            if call == 600 {
                for agent in ["agent0", "agent1", "agent2"] {
                    sim.release(agent, "server");
                    sim.repair(agent, "server");
                }
            }
        });
        world.check();
    }
}
