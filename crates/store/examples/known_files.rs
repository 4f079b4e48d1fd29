// SPDX-License-Identifier: Apache-2.0
//! Fills a database with content lists of any size, to measure what questions cost then:
//! `known_files ADDRESS COUNT`. Every hundredth is bad. The hashes are those of `hash`, in order.

#![forbid(unsafe_code)]

use lazaret_store::{KnownFile, Store};
use sha2::{Digest, Sha256};
use std::io::Write as _;
use std::time::Instant;

/// Rows of one transaction.
const PORTION: u64 = 50_000;

/// The n-th of `count` hashes: spread evenly and in order, so that a database appends; the rest is like any
/// other hash.
fn hash(n: u64, count: u64) -> Vec<u8> {
    let mut out = Sha256::digest(n.to_be_bytes()).to_vec();
    let place = u64::MAX / count.max(1) * n;
    out[..8].copy_from_slice(&place.to_be_bytes());
    out
}

async fn fill(address: &str, count: u64) -> Result<(), Box<dyn std::error::Error>> {
    let store = Store::open(address).await?;
    store.migrate().await?;
    let begun = Instant::now();
    let mut at = 0;
    while at < count {
        let end = (at + PORTION).min(count);
        let rows = (at..end).map(|n| KnownFile {
            sha256: hash(n, count),
            bad: n % 100 == 0,
            source: "made up".to_owned(),
            name: String::new(),
        });
        store.add_known(rows.collect()).await?;
        at = end;
        write!(std::io::stderr(), "\r{at} of {count}, {:.0} s ", begun.elapsed().as_secs_f64())?;
    }
    let asked: Vec<Vec<u8>> = (0..512.min(count)).map(|n| hash(n * (count / 512).max(1), count)).collect();
    let begun = Instant::now();
    let answers = store.look_up("0", &asked).await?;
    let known = answers.iter().filter(|s| s.known.is_some()).count();
    writeln!(std::io::stderr(), "\n{known} of {} found in {:?}", asked.len(), begun.elapsed())?;
    store.close().await;
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(address), Some(count)) = (args.next(), args.next()) else {
        return Err("give the address of a database and how many".into());
    };
    let count = count.parse()?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(fill(&address, count))
}
