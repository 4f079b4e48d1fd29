// SPDX-License-Identifier: Apache-2.0
//! Puts the agent together, in the order that safety asks for: the scanners' spawner before any
//! fanotify descriptor exists, the gate's thread before the first mark.

use crate::cloud::{self, Cloud};
use crate::config::{Config, OnError};
use crate::core::{Core, Depth, Parts};
use crate::counters::Counters;
use crate::gate::{Allowed, Denied, Exempt, Gate, Queues, Rules, Shared};
use crate::guards::Guards;
use crate::live::Live;
use crate::log::{log, printable};
use crate::look::{Case, now_ms};
use crate::protection::Protection;
use crate::uplink::{self, Delivery, Uplink, Wanted};
use crate::{alarms, content, control, judge, metrics, offline, respond, sensor, watchdog, windows};
use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, bounded};
use lazaret_model::{FileRef, Origin, Severity, Sha256};
use lazaret_policy::OpenBreaker;
use lazaret_pool::{PidChange, Pool, PoolConfig, Priority};
use lazaret_response::{Answer as Ending, DenyInode, Replayed, Responder, ResponderConfig};
use lazaret_state::{Database, Opened};
use lazaret_sys::fanotify::{Answer, MoveGroup, PermissionGroup};
use lazaret_sys::memory;
use lazaret_vault::Vault;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::{Mode, OFlags};
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// The scanners' own user, where we are root (packaging/ makes it; a number needs no NSS).
const SCANNER_ID: u32 = 62_991;
/// The same with its group.
pub(crate) const SCANNER: (u32, u32) = (SCANNER_ID, SCANNER_ID);

const JUDGES: usize = 8;
const WRITTEN: usize = 4;
const RESPONDERS: usize = 2;
const QUESTIONS: usize = 4096;
/// Written files that may wait; each holds a descriptor.
const WRITTEN_QUEUE: usize = 8192;

/// Runs the agent until SIGTERM or SIGINT.
pub(crate) fn run(config: Config, safe_mode: bool) -> Result<()> {
    let _ = memory::die_with_parent();
    anyhow::ensure!(
        rustix::process::geteuid().is_root(),
        "lazaretd needs root (CAP_SYS_ADMIN for fanotify); without it, lazaret scan looks at files on demand"
    );
    let heartbeat =
        rustix::io::fcntl_dupfd_cloexec(std::io::stdin().as_fd(), 3).context("no heartbeat pipe")?;
    if let Err(e) = memory::raise_descriptor_limit() {
        log!("the descriptor limit stays: {e}");
    }
    prepare_folders(&config)?;
    let exempt = Exempt::new();
    for pid in
        [std::process::id().cast_signed(), rustix::process::getppid().map_or(0, |p| p.as_raw_nonzero().get())]
    {
        exempt.add(pid);
    }
    let Opened { database, recovered } = Database::open(&config.paths.state.join("state.db"))?;
    let exempt = Arc::new(exempt);
    let pool = start_pool(&config, safe_mode, &exempt)?;
    let scanner = config.scanner()?;
    let guards =
        Guards::load(&pool, &config.paths.packages, &config.response.never_kill, Some(scanner.as_path()));
    let group = PermissionGroup::open().context("fanotify permission events are not to be had here")?;
    let moves = Arc::new(MoveGroup::open().context("fanotify file handles are not to be had here")?);
    let gate = Arc::new(Shared {
        group,
        exempt,
        allowed: Allowed::new(),
        denied: Denied::new(),
        counters: Counters::default(),
        bell: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
        overflowed: AtomicBool::new(false),
        rehearses: AtomicBool::new(false),
        stop: AtomicBool::new(false),
    });
    prepare_vault(&config)?;
    let (responder, replayed) = Responder::open(responder_config(&config, &gate, &guards))?;
    offline::take_up(&responder, &database)?;
    // After that: what was restored meanwhile is let be.
    let uplink = Uplink::load(&config, &database, &responder);
    let (live, wanted) = live(&config, &database, &uplink)?;
    uplink.desired.seal_for(responder.vault(), wanted.recovery.as_deref());
    gate.rehearses.store(live.dry_run, Ordering::Relaxed);
    let cloud = Cloud::load(&database, wanted.cloud);
    let (cases, case_queue) = bounded::<Case>(1024);
    let protection = Protection::new(&config.protect, safe_mode);
    let parts = Parts {
        config,
        gate,
        pool,
        guards,
        responder,
        protection,
        cases,
        started_ms: now_ms(),
        safe_mode,
        live,
        database,
        scope: wanted.scope,
        uplink,
        cloud,
    };
    let core = Arc::new(Core::new(parts));
    let listener = control::listen(&core)?;
    let gate_thread = start_gate(&core, heartbeat.try_clone()?)?;
    start_responders(&core, &case_queue)?;
    // Before any sensor finds what is frozen.
    windows::resume(&core);
    for told in core.protection.refresh(&core.gate.group, &moves) {
        log!("{told}");
    }
    start_sensors(&core, &moves)?;
    {
        let core = Arc::clone(&core);
        spawn("control", move || control::run(&core, &listener))?;
    }
    tell_of_start(&core, recovered.map(|r| r.to_string()), &replayed);
    if let Err(e) = memory::lock_all() {
        log!("memory cannot be locked: {e}");
    }
    rustix::io::write(&heartbeat, &[watchdog::READY]).context("the watchdog is gone")?;
    say_ready();
    metrics::start(&core)?;
    let uplink = uplink::start(&core)?;
    wait_for_stop(&core, &gate_thread)?;
    stop(&core, gate_thread, uplink)
}

fn say_ready() {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "ready");
    let _ = out.flush();
}

/// State is nobody's business but root's; the run folder is where others find the socket.
fn prepare_folders(config: &Config) -> Result<()> {
    for (folder, mode) in [(&config.paths.state, 0o700), (&config.paths.run, 0o755)] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        fs::set_permissions(folder, fs::Permissions::from_mode(mode))
            .with_context(|| format!("cannot set the mode of {}", folder.display()))?;
    }
    Ok(())
}

fn start_pool(config: &Config, safe_mode: bool, exempt: &Arc<Exempt>) -> Result<Pool> {
    let mut pack = config.content()?;
    if safe_mode && let Some(previous) = content::previous(&config.paths.state) {
        log!("safe mode: the previous content is loaded");
        pack = previous;
    }
    let of_server = if safe_mode { None } else { Delivery::at_start(&config.paths.state) };
    if let Some(delivered) = of_server {
        match pool_with(config, &delivered, exempt) {
            Ok(pool) => return Ok(pool),
            Err(e) => Delivery::failed_at_start(&config.paths.state, &format!("{e:#}")),
        }
        // The one before it, which did load.
        if let Some(previous) = content::previous(&config.paths.state) {
            pack = previous;
        }
    }
    let pool = match pool_with(config, &pack, exempt) {
        Err(e) if pack != config.content()? => {
            log!("{} does not load either: {e:#}; the installed content is loaded", pack.display());
            pack = config.content()?;
            pool_with(config, &pack, exempt)?
        }
        other => other?,
    };
    if !safe_mode && let Err(e) = content::keep(&config.paths.state, &pack) {
        log!("the content pack could not be kept for safe mode: {e}");
    }
    Ok(pool)
}

fn pool_with(config: &Config, pack: &Path, exempt: &Arc<Exempt>) -> Result<Pool> {
    let exempt = Arc::clone(exempt);
    let pool = Pool::start(PoolConfig {
        scanner: config.scanner()?,
        content: pack.to_owned(),
        rules: config.paths.rules.clone(),
        workers: config.budget.workers,
        reserved: usize::from(config.budget.workers > 1),
        deadline: config.deadline(),
        uid_gid: Some(SCANNER),
        // Policy decides about them, so that the switch needs no new scanners.
        test_programs: true,
        deep: None,
        on_pid: Some(Arc::new(move |change| match change {
            PidChange::Started(pid) => {
                exempt.add(pid);
            }
            PidChange::Ended(pid) => exempt.remove(pid),
        })),
    })
    .context("the scanners cannot be started")?;
    for problem in pool.content().problems {
        log!("content: {problem}");
    }
    Ok(pool)
}

/// Makes the vault at the first start. The secret half of its recovery key is shown once: on a
/// terminal, or in a file in memory that the administrator takes away.
fn prepare_vault(config: &Config) -> Result<()> {
    let folder = config.paths.state.join("vault");
    if Vault::exists(&folder) {
        return Ok(());
    }
    let (_, recovery) = Vault::init(&folder).context("the vault cannot be made")?;
    let file = config.paths.run.join("recovery-key");
    let _ = fs::remove_file(&file);
    let mut out = fs::OpenOptions::new().write(true).create_new(true).mode(0o400).open(&file)?;
    writeln!(out, "{}", recovery.secret())?;
    log!(
        "the recovery key of the vault is in {}: keep it off this host and delete that file; with it and `age -d` \
         isolated files can be opened when this host is lost",
        file.display()
    );
    Ok(())
}

struct Denier(Arc<Shared>);

impl DenyInode for Denier {
    fn deny(&self, file: &FileRef) {
        self.0.denied.add_ref(file);
    }

    fn release(&self, file: &FileRef) {
        self.0.denied.remove(file);
    }
}

fn responder_config(config: &Config, gate: &Arc<Shared>, guards: &Guards) -> ResponderConfig {
    let exempt = Arc::clone(&gate.exempt);
    let mut responder = ResponderConfig::new(
        config.paths.state.join("journal"),
        config.paths.state.join("vault"),
        Arc::new(Denier(Arc::clone(gate))),
    );
    responder.exempt = Arc::new(move |pid| exempt.contains(pid));
    responder.spare = guards.spare();
    responder.vault_limits = config.vault.limits(config.budget.vault_bytes);
    responder
}

/// Defaults < configuration < what people switched since < what the server wants.
fn live(config: &Config, database: &Database, uplink: &Uplink) -> Result<(Live, Wanted)> {
    let mut live = Live::new(&config.response);
    for row in database.whitelist()? {
        let id = row.id;
        match control::entry_of(row) {
            Some(entry) => {
                if let Err(e) = live.whitelist_add(entry) {
                    log!("whitelist entry {id} is not in force: {e}");
                }
            }
            None => log!("whitelist entry {id} is of a kind that this version does not know: not in force"),
        }
    }
    live.exceptions =
        database.exceptions()?.into_iter().map(|e| e.sha256).collect::<std::collections::HashSet<Sha256>>();
    for row in database.breakers()? {
        live.reopen(OpenBreaker { rule: row.rule, opened_ms: row.opened_ms, why: row.why, hits: row.hits });
    }
    let wanted = uplink.desired.begin(config, database, &mut live)?;
    Ok((live, wanted))
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .with_context(|| format!("cannot start the thread {name}"))
}

/// For threads that somebody waits for: they go before ordinary work. What takes long is done by
/// the scanners, which do not.
fn hurry() {
    let _ = rustix::process::setpriority_process(None, -10);
}

fn start_gate(core: &Arc<Core>, heartbeat: OwnedFd) -> Result<JoinHandle<()>> {
    let (question_sender, questions) = bounded(QUESTIONS);
    let (reply_sender, replies) = bounded(QUESTIONS);
    let (written_sender, written) = bounded(WRITTEN_QUEUE);
    let (refused_sender, refused) = bounded(1024);
    let (closer, to_close) = bounded::<OwnedFd>(QUESTIONS);
    let (asked, wrote) = (questions.clone(), written.clone());
    let depths: Vec<(&'static str, Depth)> =
        vec![("questions", Box::new(move || asked.len())), ("written", Box::new(move || wrote.len()))];
    let _ = core.depths.set(depths);
    let on_error = match core.config.budget.on_error {
        OnError::Allow => Answer::Allow,
        OnError::Deny => Answer::Deny,
    };
    let rules = Rules { deadline: core.config.deadline(), on_error };
    let queues = Queues {
        questions: question_sender.clone(),
        replies,
        written: written_sender,
        refused: refused_sender,
        closer,
    };
    cloud::start(core, question_sender, reply_sender.clone())?;
    spawn("closer", move || to_close.iter().for_each(drop))?;
    let gate = Gate::new(Arc::clone(&core.gate), queues, rules, heartbeat);
    for i in 0..JUDGES {
        let (core, questions, replies) = (Arc::clone(core), questions.clone(), reply_sender.clone());
        spawn(&format!("judge-{i}"), move || {
            hurry();
            judge::run(&core, &questions, &replies);
        })?;
    }
    for i in 0..WRITTEN {
        let (core, written) = (Arc::clone(core), written.clone());
        spawn(&format!("written-{i}"), move || {
            hurry();
            sensor::written::run(&core, &written);
        })?;
    }
    {
        let core = Arc::clone(core);
        spawn("refused", move || respond::count_refusals(&core, &refused))?;
    }
    spawn("gate", move || {
        if let Err(e) = gate.run() {
            // No answer can be given any more. Ending lets the kernel allow what is pending, and the
            // watchdog starts us again.
            log!("the gate failed: {e}");
            std::process::abort();
        }
    })
}

fn start_responders(core: &Arc<Core>, cases: &Receiver<Case>) -> Result<()> {
    for i in 0..RESPONDERS {
        let (core, cases) = (Arc::clone(core), cases.clone());
        spawn(&format!("respond-{i}"), move || {
            while let Ok(case) = cases.recv() {
                core.in_flight.fetch_add(1, Ordering::Relaxed);
                respond::respond(&core, case);
                core.in_flight.fetch_sub(1, Ordering::Relaxed);
            }
        })?;
    }
    Ok(())
}

fn start_sensors(core: &Arc<Core>, moves: &Arc<MoveGroup>) -> Result<()> {
    {
        let (core, moves) = (Arc::clone(core), Arc::clone(moves));
        spawn("moved", move || sensor::moved::run(&core, &moves))?;
    }
    {
        let (core, moves) = (Arc::clone(core), Arc::clone(moves));
        spawn("mounts", move || sensor::mounted::run(&core, &moves))?;
    }
    {
        let core = Arc::clone(core);
        spawn("rescan", move || sensor::rescan::run(&core))?;
    }
    {
        let core = Arc::clone(core);
        spawn("running", move || sensor::process::scan_running(&core))?;
    }
    {
        let core = Arc::clone(core);
        spawn("upkeep", move || sensor::upkeep::run(&core))?;
    }
    if let Some(limit) = core.config.vault.age_limit() {
        let core = Arc::clone(core);
        spawn("old files", move || sensor::old_files::run(&core, limit))?;
    }
    {
        let core = Arc::clone(core);
        spawn("persistence", move || crate::persistence::run(&core))?;
    }
    let core = Arc::clone(core);
    spawn("processes", move || sensor::process::run(&core))?;
    Ok(())
}

fn tell_of_start(core: &Arc<Core>, recovered: Option<String>, replayed: &[Replayed]) {
    if let Some(recovered) = recovered {
        alarms::about_daemon(core, Severity::High, "the state database was damaged".into(), vec![recovered]);
    }
    crate::persistence::reconcile(core, replayed);
    let lines: Vec<String> = replayed.iter().map(describe).collect();
    for line in &lines {
        log!("replayed: {line}");
    }
    if !lines.is_empty() {
        let title = format!("{} responses that were cut off were brought to an end", lines.len());
        alarms::about_daemon(core, Severity::Medium, title, lines);
    }
    // Back where it was, or never taken away: it is judged again, with everything that follows.
    for replayed in replayed.iter().filter(|r| r.rescan) {
        let path = Path::new(OsStr::from_bytes(&replayed.path));
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        if let Ok(file) = rustix::fs::open(path, flags, Mode::empty()) {
            sensor::written::examine(core, file, Origin::Scan, None, Priority::Event);
        }
    }
    if core.safe_mode {
        alarms::about_daemon(
            core,
            Severity::Critical,
            "safe mode: the agent ended abnormally three times within ten minutes".into(),
            vec!["execution is not refused until the daemon was stopped and started by a person".into()],
        );
    }
    core.events.tell("daemon", "protection is in force".into(), None);
}

fn describe(replayed: &Replayed) -> String {
    let status = replayed.report.status.map_or("", |s| s.word());
    let records: Vec<String> =
        replayed.report.records.iter().map(|r| format!("{} {}", r.action.word(), r.outcome)).collect();
    let open =
        if replayed.open { "; its filesystem is not there: tried again at the next start" } else { "" };
    format!("{}: {status} ({}){open}", printable(&replayed.path), records.join(", "))
}

fn wait_for_stop(core: &Core, gate: &JoinHandle<()>) -> Result<()> {
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&asked))?;
    }
    while !asked.load(Ordering::Relaxed) && !gate.is_finished() {
        std::thread::sleep(Duration::from_millis(50));
    }
    core.stopping.store(true, Ordering::Relaxed);
    Ok(())
}

/// The gate goes first: from then on nobody waits for us. Responses under way are finished.
fn stop(core: &Arc<Core>, gate: JoinHandle<()>, uplink: uplink::Threads) -> Result<()> {
    core.gate.stop.store(true, Ordering::Relaxed);
    let _ = gate.join();
    // Nobody has objected until now, and nothing may stay frozen.
    core.windows.answer_all(&Ending::Now("the daemon stops".to_owned()));
    let end = std::time::Instant::now() + Duration::from_secs(10);
    while (!core.cases.is_empty() || core.in_flight.load(Ordering::Relaxed) > 0)
        && std::time::Instant::now() < end
    {
        std::thread::sleep(Duration::from_millis(10));
    }
    uplink::stop(core, uplink);
    let _ = fs::remove_file(core.config.socket());
    log!("stopped");
    Ok(())
}
