// SPDX-License-Identifier: Apache-2.0
//! The deep scan of a worker (docs/adr/0016): what `lazaret_deepscan` needs of this server, and the alarm about a
//! sample that no scanner survives.

use crate::config::Config;
use crate::content::{check, find};
use crate::gateway::{Handle, alarms};
use crate::read_only::ReadOnly;
use crate::{log, numbers, time};
use lazaret_deepscan::{Connector, DeepScan, Hooks, SetAside, Settings};
use lazaret_pool::DeepLimits;
use lazaret_samples::Samples;
use lazaret_store::Store;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// It is looked for the scanner again this often.
const AGAIN: Duration = Duration::from_secs(60);

/// What it works on.
pub(crate) struct Work {
    pub(crate) store: Store,
    pub(crate) samples: Samples,
    /// Of this process: it is told of verdicts at once.
    pub(crate) gateway: Option<Handle>,
    pub(crate) read_only: ReadOnly,
}

/// Runs until told to stop. Without a scanner or its content it says so, and samples wait.
pub(crate) async fn run(config: Config, work: Work, mut stop: watch::Receiver<bool>) {
    if config.deep_scan.workers == 0 {
        return log::line("deep scan: off in this process ([deep_scan] workers = 0)");
    }
    let mut said = String::new();
    let settings = loop {
        match settings(&config) {
            Ok(settings) => break settings,
            Err(why) if why == said => {}
            Err(why) => {
                log::line(&format!("deep scan: samples wait: {why}"));
                said = why;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            _ = stop.wait_for(|s| *s) => return,
        }
    };
    let connectors = connectors(&config);
    DeepScan::new(work.store.clone(), work.samples.clone(), settings, connectors, hooks(&work))
        .run(stop)
        .await;
}

fn settings(config: &Config) -> Result<Settings, String> {
    let given = &config.deep_scan;
    let found = |what, path: &Option<_>, beside, installed| {
        find(what, path.as_deref(), beside, installed)
            .map_err(|e| e.to_string().replace("[content]", "[deep_scan]"))
    };
    let scanner: Option<std::path::PathBuf> =
        given.scanner.clone().or_else(|| config.content.scanner.clone());
    let scanner = found("scanner", &scanner, "lazaret-scanner", "/usr/lib/lazaret/lazaret-scanner")?;
    let pack = found("content of the deep scan", &given.pack, "deep.pack", "/usr/share/lazaret/deep.pack")?;
    let mut settings = Settings::new(scanner, pack);
    settings.workers = usize::try_from(given.workers).unwrap_or(1);
    settings.deadline = Duration::from_secs(given.deadline_seconds.into());
    settings.largest = given.max_bytes;
    settings.limits = DeepLimits {
        depth: given.max_depth,
        members: given.max_members,
        member: given.max_member_bytes,
        unpacked: given.max_unpacked_bytes,
        memory: given.memory_bytes,
    };
    settings.lease = Duration::from_secs(given.lease_seconds.into());
    settings.uid_gid = check::scanners_own_user();
    Ok(settings)
}

/// Those that can be asked. One whose key cannot be read is said and left out: the others go on.
fn connectors(config: &Config) -> Vec<Connector> {
    let mut list = Vec::new();
    for one in &config.deep_scan.connectors {
        match one.load().and_then(Connector::new) {
            Ok(connector) => list.push(connector),
            Err(e) => log::line(&format!("deep scan: nobody asks it: {e}")),
        }
    }
    list
}

fn hooks(work: &Work) -> Hooks {
    let (store, read_only, gateway) = (work.store.clone(), work.read_only.clone(), work.gateway.clone());
    Hooks {
        log: Arc::new(log::line),
        is_paused: Arc::new(move || read_only.is_on()),
        on_verdict: Arc::new(move || {
            if let Some(gateway) = &gateway {
                gateway.ordered();
            }
        }),
        on_set_aside: Arc::new(move |aside| {
            let store = store.clone();
            Box::pin(async move { alarm(&store, &aside).await })
        }),
    }
}

/// The same alarm for the same thing: two workers that notice it raise one.
async fn alarm(store: &Store, aside: &SetAside) -> Result<(), lazaret_store::StoreError> {
    let now_ms = time::now_ms();
    let sha256 = aside.sha256.to_string();
    let id = alarms::named_id(&["deep scan set aside", &aside.id, &aside.at_ms.to_string()]);
    let mut row = alarms::of_server(
        &aside.project,
        id,
        format!("No scanner survives the sample {sha256}"),
        vec![
            format!("it ended the scanner {} times; the last time: {}", aside.crashes, aside.why),
            "it was set aside: nobody scans it again until a person says so".to_owned(),
            "it may be made to break scanners: look at where the file is, and on which hosts".to_owned(),
        ],
        now_ms,
    );
    row.sha256 = aside.sha256.0.to_vec();
    store.put_alarms(vec![row]).await.inspect_err(numbers::database)?;
    log::line(&format!("deep scan: {sha256} of project {} is set aside: {}", aside.project, aside.why));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lazaret_model::Sha256;
    use lazaret_store::{AlarmFilter, Cursor, DEFAULT_PROJECT, Scope};

    #[tokio::test]
    async fn a_sample_that_is_set_aside_is_one_alarm_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s.db").to_str().unwrap()).await.unwrap();
        store.migrate().await.unwrap();
        let mut aside = SetAside {
            id: uuid::Uuid::now_v7().to_string(),
            project: DEFAULT_PROJECT.to_owned(),
            sha256: Sha256([7; 32]),
            why: "killed by SIGSEGV".to_owned(),
            crashes: 3,
            at_ms: 1_000,
        };
        // Two workers notice it.
        alarm(&store, &aside).await.unwrap();
        alarm(&store, &aside).await.unwrap();
        let all = async || {
            let cursor = Cursor { after: None, limit: 10 };
            store.alarms_page(&Scope::All, &AlarmFilter::default(), &cursor).await.unwrap().items
        };
        let told = all().await;
        assert_eq!(told.len(), 1);
        assert!(told[0].title.contains(&aside.sha256.to_string()), "{:?}", told[0]);
        assert_eq!((told[0].sha256.as_slice(), told[0].severity), ([7; 32].as_slice(), 2));
        // Scanned again because a person said so, and set aside again: another alarm.
        aside.at_ms = 2_000;
        alarm(&store, &aside).await.unwrap();
        assert_eq!(all().await.len(), 2);
    }

    #[test]
    fn what_is_missing_is_named_with_the_way_out() {
        let text = "[deep_scan]\nscanner = \"/nonexistent/lazaret-scanner\"\n";
        let why = settings(&Config::parse(text).unwrap()).unwrap_err();
        assert!(why.contains("/nonexistent/lazaret-scanner") && why.contains("[deep_scan]"), "{why}");
    }

    #[test]
    fn a_connector_without_its_key_does_not_stop_the_others() {
        let text = "[[deep_scan.connectors]]\nname = \"vt\"\nkind = \"virustotal\"\naddress = \"https://vt.example\"\n\
                    key_file = \"/nonexistent/key\"\n[[deep_scan.connectors]]\nname = \"clam\"\nkind = \"clamd\"\n\
                    address = \"unix:/run/clamd\"\n";
        let names: Vec<_> =
            connectors(&Config::parse(text).unwrap()).iter().map(|c| c.settings().name.clone()).collect();
        assert_eq!(names, ["clam"]);
    }
}
