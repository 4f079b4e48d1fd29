// SPDX-License-Identifier: Apache-2.0
//! Hosts as network namespaces on one bridge, which the server's side (the test itself) is on too.

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A network that is gone with this value.
pub struct Net {
    name: String,
    subnet: String,
    hosts: usize,
}

/// Networks of this test process so far.
static MADE: AtomicU32 = AtomicU32::new(0);

impl Net {
    /// A bridge with `hosts` namespaces, 200 at most.
    ///
    /// # Panics
    /// Without root or `ip`.
    #[must_use]
    pub fn new(hosts: usize) -> Self {
        crate::needs_root();
        assert!((1..=200).contains(&hosts), "{hosts} hosts");
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let pid = std::process::id();
        // Interface names have 15 bytes. A subnet of 10.64.0.0/10 by pid: two tests at a time.
        let name = format!("lz{pid}n{number}");
        let seed = pid.wrapping_mul(7).wrapping_add(number);
        let subnet = format!("10.{}.{}", 64 + (seed / 251) % 64, seed % 251 + 1);
        let net = Self { name, subnet, hosts };
        ip(&["link", "add", &net.name, "type", "bridge"]);
        ip(&["address", "add", &format!("{}.1/24", net.subnet), "dev", &net.name]);
        ip(&["link", "set", &net.name, "up"]);
        for host in 0..hosts {
            let (space, outer) = (net.namespace(host), net.outer(host));
            ip(&["netns", "add", &space]);
            ip(&["link", "add", &outer, "type", "veth", "peer", "name", "eth0", "netns", &space]);
            ip(&["link", "set", &outer, "master", &net.name, "up"]);
            ip(&["-n", &space, "link", "set", "lo", "up"]);
            let address = format!("{}/24", net.address(host));
            ip(&["-n", &space, "address", "add", &address, "dev", "eth0"]);
            ip(&["-n", &space, "link", "set", "eth0", "up"]);
        }
        net
    }

    /// The server's address, which the test process itself listens on.
    #[must_use]
    pub fn server(&self) -> String {
        format!("{}.1", self.subnet)
    }

    /// A host's address.
    #[must_use]
    pub fn address(&self, host: usize) -> String {
        format!("{}.{}", self.subnet, host + 10)
    }

    /// A program on a host.
    pub fn command(&self, host: usize, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{}", self.namespace(host))).arg("--").arg(program);
        command
    }

    /// Takes a host off the network: nobody is told, packets are lost.
    pub fn cut(&self, host: usize) {
        ip(&["link", "set", &self.outer(host), "nomaster"]);
    }

    /// Puts it back.
    pub fn heal(&self, host: usize) {
        ip(&["link", "set", &self.outer(host), "master", &self.name]);
    }

    /// The same for all of them.
    pub fn cut_all(&self) {
        (0..self.hosts).for_each(|h| self.cut(h));
    }

    /// The same for all of them.
    pub fn heal_all(&self) {
        (0..self.hosts).for_each(|h| self.heal(h));
    }

    /// Namespace of a host, as `ip netns` names it.
    #[must_use]
    pub fn namespace(&self, host: usize) -> String {
        format!("{}h{host}", self.name)
    }

    fn outer(&self, host: usize) -> String {
        format!("{}v{host}", self.name)
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for host in 0..self.hosts {
            quietly(&["netns", "delete", &self.namespace(host)]);
            quietly(&["link", "delete", &self.outer(host)]);
        }
        quietly(&["link", "delete", &self.name]);
    }
}

fn ip(arguments: &[&str]) {
    let out = Command::new("ip").args(arguments).output().expect("ip, of Debian's iproute2");
    assert!(out.status.success(), "ip {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
}

fn quietly(arguments: &[&str]) {
    let _ = Command::new("ip").args(arguments).stderr(Stdio::null()).status();
}
