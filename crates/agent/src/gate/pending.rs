// SPDX-License-Identifier: Apache-2.0
//! Questions that wait for a judge, in room that is allocated once.

use super::Ticket;
use std::os::fd::OwnedFd;
use std::time::Instant;

struct Slot {
    turn: u32,
    waiting: Option<(OwnedFd, Instant)>,
}

pub(super) struct Pending {
    slots: Box<[Slot]>,
    free: Vec<u32>,
    waiting: usize,
}

impl Pending {
    pub(super) fn new(room: usize) -> Self {
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        Self {
            slots: (0..room).map(|_| Slot { turn: 0, waiting: None }).collect(),
            free: (0..room).rev().collect(),
            waiting: 0,
        }
    }

    /// Gives the file back when there is no room.
    pub(super) fn put(&mut self, file: OwnedFd, deadline: Instant) -> Result<Ticket, OwnedFd> {
        let Some(slot) = self.free.pop() else { return Err(file) };
        let place = &mut self.slots[slot as usize];
        place.turn = place.turn.wrapping_add(1);
        place.waiting = Some((file, deadline));
        self.waiting += 1;
        Ok(Ticket { slot, turn: place.turn })
    }

    /// `None` for a question that was answered already.
    pub(super) fn take(&mut self, ticket: Ticket) -> Option<OwnedFd> {
        let place = self.slots.get_mut(ticket.slot as usize).filter(|p| p.turn == ticket.turn)?;
        let (file, _) = place.waiting.take()?;
        self.waiting -= 1;
        // `free` was allocated for all slots: this never grows it.
        self.free.push(ticket.slot);
        Some(file)
    }

    pub(super) fn take_expired(&mut self, now: Instant) -> Option<OwnedFd> {
        let (slot, turn) = self.slots.iter().enumerate().find_map(|(i, s)| {
            let (_, deadline) = s.waiting.as_ref()?;
            (*deadline <= now).then_some((i, s.turn))
        })?;
        self.take(Ticket { slot: u32::try_from(slot).ok()?, turn })
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        if self.waiting == 0 {
            return None;
        }
        self.slots.iter().filter_map(|s| s.waiting.as_ref().map(|(_, d)| *d)).min()
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = OwnedFd> + '_ {
        self.waiting = 0;
        self.slots.iter_mut().filter_map(|s| s.waiting.take().map(|(f, _)| f))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn file() -> OwnedFd {
        std::fs::File::open("/dev/null").unwrap().into()
    }

    #[test]
    fn a_ticket_is_good_once() {
        let mut p = Pending::new(1);
        let now = Instant::now();
        let first = p.put(file(), now).unwrap();
        assert!(p.put(file(), now).is_err(), "no room for a second");
        assert!(p.take(first).is_some());
        assert!(p.take(first).is_none());
        let second = p.put(file(), now).unwrap();
        assert!(p.take(first).is_none(), "an old ticket must not answer the new question");
        assert!(p.take(second).is_some());
    }

    #[test]
    fn deadlines_come_in_order() {
        let mut p = Pending::new(8);
        let now = Instant::now();
        p.put(file(), now + Duration::from_secs(2)).unwrap();
        p.put(file(), now + Duration::from_secs(1)).unwrap();
        assert_eq!(p.next_deadline(), Some(now + Duration::from_secs(1)));
        assert!(p.take_expired(now).is_none());
        assert!(p.take_expired(now + Duration::from_secs(1)).is_some());
        assert_eq!(p.next_deadline(), Some(now + Duration::from_secs(2)));
    }
}
