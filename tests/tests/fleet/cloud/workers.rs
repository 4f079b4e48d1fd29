// SPDX-License-Identifier: Apache-2.0
//! Several workers on one database: one dies in the middle of a job, another one does it.

use super::{
    BUCKET, Cloud, SOON, about, agreed, armed, beside, digest, page, program, sections, standing, until,
};
use crate::{Host, Site};
use lazaret_kit::pg::Cluster;
use lazaret_kit::proc::write_executable;
use lazaret_kit::{Clamd, S3, Server, ServerSetup, eventually};

/// Everything but a worker, on PostgreSQL and S3: people's and agents' sides are processes of their own.
struct Apart {
    cloud: Cloud,
    gateway: Server,
}

const DATABASE: &str = "lazaret";

impl Apart {
    fn new() -> Self {
        let (s3, clamd) = (S3::start(), Clamd::start(&[("Story.StandIn", super::clamd_words().as_bytes())]));
        s3.make_bucket(BUCKET);
        let cluster = Cluster::start();
        let setup = ServerSetup {
            database: Some(cluster.create(DATABASE)),
            role: "api".to_owned(),
            more: sections(Some(&s3), &clamd),
            ..ServerSetup::default()
        };
        let site = Site { server: Server::start(&setup), cluster: Some(cluster) };
        let cloud = Cloud { site, s3: Some(s3), clamd };
        let gateway = beside(cloud.cluster(), DATABASE, "gateway", &cloud);
        Self { cloud, gateway }
    }
}

impl Cloud {
    fn cluster(&self) -> &Cluster {
        self.site.cluster.as_ref().expect("PostgreSQL")
    }
}

#[test]
fn a_worker_that_is_killed_in_the_middle_gives_its_job_to_another() {
    let mut apart = Apart::new();
    // Agents are told where to go by whoever they enrol with.
    apart.cloud.site.server.agents.clone_from(&apart.gateway.agents);
    apart.cloud.site.server.authority.clone_from(&apart.gateway.authority);
    let (cloud, server) = (&apart.cloud, apart.cloud.server());
    let host = Host::new(server);
    armed(server, &[&host], |_| ());
    agreed(server, &host, |c| c["samples"] == true);
    // Whoever has the job hangs in the middle of it: clamd takes the sample and does not answer.
    cloud.clamd.freeze();
    let mut first = beside(cloud.cluster(), DATABASE, "worker", cloud);
    let bytes = program(50);
    let (path, sha256) = (host.volume.join("tool"), digest(&bytes));
    write_executable(&path, &bytes);
    let job = || about(server, "/deep-scans?project=0", &sha256).pop().unwrap_or_default();
    until(server, &host, "the job under way", || job()["state"] == "scanning" && job()["worker"].is_string());
    let leased_by = job()["worker"].clone();
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(job()["state"], "scanning", "clamd hangs: {:#}", job());
    first.kill();
    cloud.clamd.thaw();
    let second = beside(cloud.cluster(), DATABASE, "worker", cloud);
    assert!(
        eventually(SOON, || standing(server, "0", &sha256) == "bad"),
        "{:#}\n{}\n{}",
        job(),
        first.log(),
        second.log()
    );
    let done = job();
    assert_eq!(done["state"], "done", "{done:#}");
    assert_ne!(done["worker"], leased_by, "{done:#}");
    assert_eq!(done["crashes"], 1, "it may have been the sample that ended the worker: {done:#}");
    until(server, &host, "the isolation", || !path.exists());
    let full = page(server, "0", &sha256).unwrap_or_default();
    assert_eq!(full["verdict"]["origin"], "deep_scan", "{full:#}");
    drop(second);
}
