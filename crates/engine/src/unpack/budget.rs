// SPDX-License-Identifier: Apache-2.0
//! Limits that hold for everything unpacked from one file, and the reader that keeps them.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;

/// A stream that has grown to this many bytes ...
const RATIO_FROM: u64 = 32 << 20;
/// ... and is this many times as long as what it was unpacked from is a bomb.
const MAX_RATIO: u64 = 250;

/// What was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// The sum of all output.
    Output(u64),
    /// Output in proportion to input.
    Ratio,
    /// A header of a member.
    Header(u64),
}

impl Limit {
    /// Whether nothing more of the file is unpacked.
    pub(crate) fn ends_everything(self) -> bool {
        matches!(self, Self::Output(_))
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output(max) => {
                write!(f, "its members unpack to more than {max} bytes; the rest were not scanned")
            }
            Self::Ratio => {
                write!(f, "it unpacks to more than {MAX_RATIO} times its length and was not scanned")
            }
            Self::Header(max) => write!(f, "the header of a member has more than {max} bytes"),
        }
    }
}

/// Shared by all readers of one walk.
pub(crate) struct Budget {
    max: u64,
    left: Cell<u64>,
    reached: Cell<Option<Limit>>,
}

impl Budget {
    pub(crate) fn new(max: u64) -> Self {
        Self { max, left: Cell::new(max), reached: Cell::new(None) }
    }

    /// What ended the last reading, once.
    pub(crate) fn reached(&self) -> Option<Limit> {
        self.reached.take()
    }

    fn end(&self, limit: Limit) -> io::Error {
        self.reached.set(Some(limit));
        io::Error::other("over a limit")
    }
}

/// Counts what a decoder takes in.
pub(crate) struct Intake<R> {
    inner: R,
    taken: Rc<Cell<u64>>,
}

impl<R: Read> Intake<R> {
    pub(crate) fn new(inner: R) -> (Self, Rc<Cell<u64>>) {
        let taken = Rc::new(Cell::new(0));
        (Self { inner, taken: Rc::clone(&taken) }, taken)
    }
}

impl<R: Read> Read for Intake<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.taken.set(self.taken.get().saturating_add(n as u64));
        Ok(n)
    }
}

/// Reads within the budget.
pub(crate) struct Metered<R> {
    inner: R,
    budget: Rc<Budget>,
    /// What the decoder took in, where there is one.
    taken: Option<Rc<Cell<u64>>>,
    given: u64,
}

impl<R: Read> Metered<R> {
    pub(crate) fn new(inner: R, budget: &Rc<Budget>, taken: Option<Rc<Cell<u64>>>) -> Self {
        Self { inner, budget: Rc::clone(budget), taken, given: 0 }
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)? as u64;
        let Some(left) = self.budget.left.get().checked_sub(n) else {
            self.budget.left.set(0);
            return Err(self.budget.end(Limit::Output(self.budget.max)));
        };
        self.budget.left.set(left);
        self.given = self.given.saturating_add(n);
        if let Some(taken) = &self.taken
            && self.given > RATIO_FROM
            && self.given / MAX_RATIO > taken.get()
        {
            return Err(self.budget.end(Limit::Ratio));
        }
        Ok(n as usize)
    }
}

/// Ends a reader that reads more than it was allowed between two members.
pub(crate) struct Gate<R> {
    inner: R,
    budget: Rc<Budget>,
    allowed: Rc<Cell<u64>>,
    max: u64,
}

impl<R: Read> Gate<R> {
    /// `allowed` is what may be read until it is set again.
    pub(crate) fn new(inner: R, budget: &Rc<Budget>, allowed: Rc<Cell<u64>>, max: u64) -> Self {
        Self { inner, budget: Rc::clone(budget), allowed, max }
    }
}

impl<R: Read> Read for Gate<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        match self.allowed.get().checked_sub(n as u64) {
            Some(left) => self.allowed.set(left),
            None => return Err(self.budget.end(Limit::Header(self.max))),
        }
        Ok(n)
    }
}
