// SPDX-License-Identifier: Apache-2.0
//! A stand-in for somebody who owns a folder and wants root to touch another one: exchanges the folder for a
//! link, and replaces, cuts, extends, renames, re-creates and links the file in it, as fast as it can.
//!
//! `attacker isolate|restore YARD INNOCENT SECONDS SEED`: the yard holds `play`, a folder, and `link`, a link to
//! the innocent folder. Ends by itself after that time, 20 s at most, or when the yard's file `stop` appears.

#![forbid(unsafe_code)]

use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, RenameFlags, linkat, openat, renameat, renameat_with, symlinkat, unlinkat,
};
use rustix::io::Errno;
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

type Error = Box<dyn std::error::Error>;

/// Small, fast, and the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

struct Attacker {
    yard: PathBuf,
    innocent: PathBuf,
    /// The real folder, whatever its name is at the moment.
    play: OwnedFd,
    dice: Dice,
    made: u64,
    exchanges: u64,
}

impl Attacker {
    fn exchange(&mut self) -> Result<(), Errno> {
        let (a, b) = (self.yard.join("play"), self.yard.join("link"));
        renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE)?;
        self.exchanges += 1;
        Ok(())
    }

    /// A new bad file under another name, then over the one that is attacked.
    fn replace(&mut self) -> Result<(), Errno> {
        self.create(b"t", OFlags::TRUNC)?;
        renameat(&self.play, b"t".as_slice(), &self.play, b"f".as_slice())
    }

    fn create(&mut self, name: &[u8], how: OFlags) -> Result<(), Errno> {
        self.made += 1;
        let flags = how | OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file: File = openat(&self.play, name, flags, Mode::from_raw_mode(0o755))?.into();
        let text = format!("BAD {}\n", self.made);
        let _ = file.write_all(text.repeat(usize::try_from(self.dice.roll(40)).unwrap_or(0) + 1).as_bytes());
        Ok(())
    }

    fn change(&mut self) -> Result<(), Errno> {
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file: File = openat(&self.play, b"f".as_slice(), flags, Mode::empty())?.into();
        if self.dice.roll(2) == 0 {
            let _ = file.set_len(self.dice.roll(8));
        } else {
            let _ = file.write_all(b"more\n");
        }
        Ok(())
    }

    fn there_and_back(&self) -> Result<(), Errno> {
        renameat(&self.play, b"f".as_slice(), &self.play, b"h".as_slice())?;
        renameat(&self.play, b"h".as_slice(), &self.play, b"f".as_slice())
    }

    fn link(&mut self, name: &[u8]) -> Result<(), Errno> {
        let other = format!("l{}", self.dice.roll(3)).into_bytes();
        let _ = unlinkat(&self.play, other.as_slice(), AtFlags::empty());
        linkat(&self.play, name, &self.play, other.as_slice(), AtFlags::empty())
    }

    /// The name becomes a link to an innocent file.
    fn point(&self, name: &[u8], how: RenameFlags) -> Result<(), Errno> {
        let _ = unlinkat(&self.play, b"s".as_slice(), AtFlags::empty());
        symlinkat(self.innocent.join("f"), &self.play, b"s".as_slice())?;
        renameat_with(&self.play, b"s".as_slice(), &self.play, name, how)
    }

    fn isolate(&mut self) -> Result<(), Errno> {
        match self.dice.roll(12) {
            0..4 => self.exchange(),
            4 | 5 => self.replace(),
            6 => self.change(),
            7 => self.there_and_back(),
            8 => {
                let _ = unlinkat(&self.play, b"f".as_slice(), AtFlags::empty());
                self.create(b"f", OFlags::TRUNC)
            }
            9 | 10 => self.link(b"f"),
            _ => self.point(b"f", RenameFlags::empty()),
        }
    }

    /// What a restore brings is moved and linked, never changed or removed: so that the content tells whether
    /// it came.
    fn restore(&mut self) -> Result<(), Errno> {
        match self.dice.roll(16) {
            0..7 => self.exchange(),
            7 | 8 => self.moved(b"r"),
            9 => self.link(b"r"),
            10 => {
                // Occupied, by a link.
                let _ = self.moved(b"r");
                self.point(b"r", RenameFlags::NOREPLACE)
            }
            // Rarely: the folder must not fill the filesystem.
            11 if self.dice.roll(64) == 0 => {
                let _ = self.moved(b"r");
                self.create(b"r", OFlags::EXCL)
            }
            _ => {
                // A link in the way is taken away again, so that restores get a chance.
                if rustix::fs::readlinkat(&self.play, b"r".as_slice(), Vec::new()).is_ok() {
                    let _ = unlinkat(&self.play, b"r".as_slice(), AtFlags::empty());
                }
                Ok(())
            }
        }
    }

    fn moved(&mut self, name: &[u8]) -> Result<(), Errno> {
        self.made += 1;
        renameat(&self.play, name, &self.play, format!("kept-{}", self.made).into_bytes().as_slice())
    }
}

fn main() -> Result<(), Error> {
    let all: Vec<String> = std::env::args().collect();
    let [_, what, yard, innocent, seconds, seed] = all.as_slice() else {
        return Err("usage: attacker isolate|restore YARD INNOCENT SECONDS SEED".into());
    };
    let yard = Path::new(yard);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let real = |name: &str| openat(CWD, yard.join(name), flags, Mode::empty());
    let play = real("play").or_else(|_| real("link"))?;
    let mut attacker = Attacker {
        yard: yard.to_owned(),
        innocent: innocent.into(),
        play,
        dice: Dice(seed.parse::<u64>()? | 1),
        made: 0,
        exchanges: 0,
    };
    let end = Instant::now() + Duration::from_secs(seconds.parse::<u64>()?.min(20));
    let mut turns = 0_u64;
    while Instant::now() < end && (!turns.is_multiple_of(64) || !yard.join("stop").exists()) {
        // What fails, fails: the other side was faster.
        let _ = if what == "restore" { attacker.restore() } else { attacker.isolate() };
        turns += 1;
    }
    writeln!(std::io::stdout(), "{turns} {}", attacker.exchanges)?;
    Ok(())
}
