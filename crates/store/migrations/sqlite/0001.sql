-- SPDX-License-Identifier: Apache-2.0
CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE projects (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE policy_groups (
    id TEXT NOT NULL PRIMARY KEY,
    project TEXT NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    settings TEXT NOT NULL,
    revision INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    UNIQUE (project, name)
) STRICT;

CREATE TABLE host_groups (
    id TEXT NOT NULL PRIMARY KEY,
    project TEXT NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    policy_group TEXT REFERENCES policy_groups (id),
    revision INTEGER NOT NULL,
    UNIQUE (project, name)
) STRICT;
CREATE INDEX host_groups_policy ON host_groups (policy_group);

CREATE TABLE hosts (
    id TEXT NOT NULL PRIMARY KEY,
    project TEXT NOT NULL REFERENCES projects (id),
    host_group TEXT REFERENCES host_groups (id),
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    importance TEXT NOT NULL,
    version TEXT NOT NULL,
    os TEXT NOT NULL,
    kernel TEXT NOT NULL,
    arch TEXT NOT NULL,
    addresses TEXT NOT NULL,
    content_version TEXT NOT NULL,
    protection TEXT NOT NULL,
    protection_reason TEXT NOT NULL,
    enrolled_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,
    status_ms INTEGER NOT NULL,
    stopped INTEGER NOT NULL,
    revoked INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    generation_applied INTEGER NOT NULL,
    refused TEXT NOT NULL,
    acked_epoch INTEGER NOT NULL,
    acked_seq INTEGER NOT NULL,
    run TEXT NOT NULL,
    gateway TEXT NOT NULL,
    machine_id TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    serial TEXT NOT NULL,
    certificate_until_ms INTEGER NOT NULL,
    report BLOB NOT NULL,
    silent_told INTEGER NOT NULL,
    -- In lower case, for "contains".
    name_search TEXT NOT NULL,
    search TEXT NOT NULL
) STRICT;
CREATE INDEX hosts_by_name ON hosts (name, id);
CREATE INDEX hosts_of_project ON hosts (project, name, id);
CREATE INDEX hosts_of_group ON hosts (host_group);
CREATE INDEX hosts_of_gateway ON hosts (gateway) WHERE gateway <> '';
CREATE INDEX hosts_behind ON hosts (gateway) WHERE generation_applied < generation;
CREATE INDEX hosts_by_machine ON hosts (machine_id);
CREATE INDEX hosts_by_status ON hosts (status, seen_ms);

CREATE TABLE switches (
    project TEXT NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    is_on INTEGER NOT NULL,
    who TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (project, name)
) STRICT;

-- Rules that hosts of a project only alarm by.
CREATE TABLE disarmed_rules (
    project TEXT NOT NULL REFERENCES projects (id),
    rule TEXT NOT NULL,
    reason TEXT NOT NULL,
    who TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    alarm TEXT NOT NULL,
    PRIMARY KEY (project, rule)
) STRICT;

CREATE TABLE tokens (
    id TEXT NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    project TEXT NOT NULL REFERENCES projects (id),
    host_group TEXT REFERENCES host_groups (id) ON DELETE SET NULL,
    expires_ms INTEGER NOT NULL,
    uses_left INTEGER NOT NULL,
    who TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT;

-- What alarms have in common. There are few of them, however many alarms there are: what is asked of a list
-- becomes a list of kinds, and each kind has its alarms in order.
CREATE TABLE alarm_facets (
    id INTEGER PRIMARY KEY,
    project TEXT NOT NULL,
    severity INTEGER NOT NULL,
    class TEXT NOT NULL,
    rating TEXT NOT NULL,
    auto_block INTEGER NOT NULL,
    test INTEGER NOT NULL,
    attack_tag TEXT NOT NULL,
    attack_phase TEXT NOT NULL,
    technique TEXT NOT NULL,
    in_container INTEGER NOT NULL,
    UNIQUE
        (project, severity, class, rating, auto_block, test, attack_tag, attack_phase, technique, in_container)
) STRICT;

-- What lists are filtered by; the rest of an alarm is in alarm_details, so that scans stay narrow.
CREATE TABLE alarms (
    -- last_ms and a number behind it: the order of every list, and unique (src/alarms/place.rs).
    pos INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    host TEXT NOT NULL,
    project TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    -- When the server got its newest form: a host's clock does not shorten how long it is kept.
    received_ms INTEGER NOT NULL,
    hits INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    class TEXT NOT NULL,
    rating TEXT NOT NULL,
    confidence INTEGER NOT NULL,
    title TEXT NOT NULL,
    path BLOB NOT NULL,
    sha256 BLOB NOT NULL,
    process_sha256 BLOB NOT NULL,
    -- First bytes of the SHA-256 of the arguments, 0 without any: they are too long for an index.
    cmdline_key INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    container TEXT NOT NULL,
    origin TEXT NOT NULL,
    decision TEXT NOT NULL,
    auto_block INTEGER NOT NULL,
    test INTEGER NOT NULL,
    isolated TEXT NOT NULL,
    handled INTEGER NOT NULL,
    handled_by TEXT NOT NULL,
    handled_who TEXT NOT NULL,
    handled_ms INTEGER NOT NULL,
    remark TEXT NOT NULL,
    suppressed TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    search TEXT NOT NULL,
    container_search TEXT NOT NULL,
    attack_tag TEXT NOT NULL,
    attack_phase TEXT NOT NULL,
    technique TEXT NOT NULL,
    facet INTEGER NOT NULL,
    kind INTEGER NOT NULL GENERATED ALWAYS AS (facet * 4 + handled * 2 + (suppressed <> '')) STORED
) STRICT;
CREATE INDEX alarms_by_kind ON alarms (kind, pos, host);
CREATE INDEX alarms_of_host ON alarms (host, pos, kind);
CREATE INDEX alarms_by_file ON alarms (sha256, pos, kind) WHERE length(sha256) > 0;
CREATE INDEX alarms_suppressed ON alarms (suppressed, pos) WHERE suppressed <> '';
CREATE INDEX alarms_handled_class ON alarms (host, class, pos) WHERE handled;
CREATE INDEX alarms_handled_program ON alarms (process_sha256, pos) WHERE handled AND length(process_sha256) > 0;
CREATE INDEX alarms_handled_cmdline ON alarms (cmdline_key, pos) WHERE handled AND cmdline_key <> 0;
CREATE INDEX alarms_handled_user ON alarms (uid, pos) WHERE handled AND uid >= 0;
-- Three letters each; the rowid is the alarm's pos. Kept by src/alarms/texts.rs.
CREATE VIRTUAL TABLE alarm_texts USING fts5
    (grams, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1');
CREATE VIRTUAL TABLE alarm_containers USING fts5
    (grams, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1');

CREATE TABLE alarm_details (
    alarm_id TEXT NOT NULL PRIMARY KEY,
    of_host TEXT NOT NULL,
    cmdline BLOB NOT NULL,
    details BLOB NOT NULL
) STRICT;

-- Outlives the alarm.
CREATE TABLE handlings (
    alarm TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    verb TEXT NOT NULL,
    id TEXT NOT NULL,
    host TEXT NOT NULL,
    project TEXT NOT NULL,
    who TEXT NOT NULL,
    remark TEXT NOT NULL,
    title TEXT NOT NULL,
    class TEXT NOT NULL,
    severity INTEGER NOT NULL,
    PRIMARY KEY (alarm, at_ms, verb)
) STRICT;
CREATE INDEX handlings_recent ON handlings (at_ms, id);
CREATE INDEX handlings_of_project ON handlings (project, at_ms, id);

CREATE TABLE isolated (
    id TEXT NOT NULL PRIMARY KEY,
    host TEXT NOT NULL,
    project TEXT NOT NULL,
    path BLOB NOT NULL,
    sha256 BLOB NOT NULL,
    size INTEGER NOT NULL,
    class TEXT NOT NULL,
    family TEXT NOT NULL,
    confidence INTEGER NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    alarm TEXT NOT NULL,
    alarm_title TEXT NOT NULL,
    source TEXT NOT NULL,
    isolated_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    details BLOB NOT NULL,
    search TEXT NOT NULL
) STRICT;
CREATE INDEX isolated_recent ON isolated (updated_ms, id);
CREATE INDEX isolated_of_project ON isolated (project, updated_ms, id);
CREATE INDEX isolated_of_host ON isolated (host, updated_ms, id);
CREATE INDEX isolated_by_file ON isolated (sha256);
CREATE INDEX isolated_untitled ON isolated (alarm) WHERE alarm_title = '' AND alarm <> '';
CREATE INDEX isolated_by_status ON isolated (status, updated_ms, id);

CREATE TABLE host_events (
    host TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    alarm TEXT NOT NULL,
    PRIMARY KEY (host, epoch, seq)
) STRICT;
CREATE INDEX host_events_by_time ON host_events (at_ms);

-- Records that could not be read, as they came.
CREATE TABLE unread_records (
    host TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (host, epoch, seq)
) STRICT;
CREATE INDEX unread_records_by_time ON unread_records (received_ms);

CREATE TABLE commands (
    id TEXT NOT NULL PRIMARY KEY,
    host TEXT NOT NULL,
    project TEXT NOT NULL,
    task TEXT NOT NULL,
    verb TEXT NOT NULL,
    about TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    who TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    sent_ms INTEGER NOT NULL,
    finished_ms INTEGER NOT NULL,
    cancel INTEGER NOT NULL,
    payload BLOB NOT NULL,
    result BLOB NOT NULL
) STRICT;
CREATE INDEX commands_recent ON commands (created_ms, id);
CREATE INDEX commands_of_project ON commands (project, created_ms, id);
CREATE INDEX commands_of_host ON commands (host, created_ms, id);
CREATE INDEX commands_of_task ON commands (task, created_ms, id) WHERE task <> '';
CREATE INDEX commands_about ON commands (about, created_ms, id) WHERE about <> '';
CREATE INDEX commands_pending ON commands (host, created_ms, id) WHERE state = 'pending';
CREATE INDEX commands_waiting ON commands (created_ms, id) WHERE state = 'pending';
CREATE INDEX commands_sent ON commands (host, created_ms, id) WHERE state = 'sent';
CREATE INDEX commands_open ON commands (expires_ms) WHERE state IN ('pending', 'sent');

CREATE TABLE whitelist (
    id TEXT NOT NULL PRIMARY KEY,
    project TEXT NOT NULL,
    scope TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    field TEXT NOT NULL,
    judge TEXT NOT NULL,
    value BLOB NOT NULL,
    sha256 BLOB NOT NULL,
    any_content INTEGER NOT NULL,
    class TEXT NOT NULL,
    description TEXT NOT NULL,
    owner TEXT NOT NULL,
    added_by TEXT NOT NULL,
    added_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    alarm TEXT NOT NULL,
    hits_total INTEGER NOT NULL,
    hits_today INTEGER NOT NULL,
    hits_day INTEGER NOT NULL,
    last_hit_ms INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    search TEXT NOT NULL
) STRICT;
CREATE INDEX whitelist_recent ON whitelist (added_ms, id);
CREATE INDEX whitelist_by_scope ON whitelist (project, scope, scope_id);
CREATE INDEX whitelist_ends ON whitelist (expires_ms) WHERE expires_ms > 0 AND NOT ended;

CREATE TABLE whitelist_hits (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    entry TEXT NOT NULL,
    host TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    hits INTEGER NOT NULL,
    path BLOB NOT NULL,
    sha256 BLOB NOT NULL
) STRICT;
CREATE INDEX whitelist_hits_of_entry ON whitelist_hits (entry, seq);

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL,
    must_change INTEGER NOT NULL,
    disabled INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    locked_until_ms INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    grants TEXT NOT NULL
) STRICT;

CREATE TABLE credentials (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    note TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    grants TEXT NOT NULL,
    secret BLOB NOT NULL,
    parent TEXT REFERENCES credentials (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX credentials_of_user ON credentials (user_id);
CREATE INDEX credentials_of_parent ON credentials (parent);

CREATE TABLE audit (
    seq INTEGER NOT NULL PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    who TEXT NOT NULL,
    address TEXT NOT NULL,
    project TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    before_json TEXT NOT NULL,
    after_json TEXT NOT NULL,
    outcome TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;

CREATE TABLE answers (
    user_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request BLOB NOT NULL,
    status INTEGER NOT NULL,
    body BLOB NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (user_id, idempotency_key)
) STRICT;
CREATE INDEX answers_by_time ON answers (at_ms);

CREATE TABLE scan_policies (
    id TEXT NOT NULL PRIMARY KEY,
    project TEXT NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    settings TEXT NOT NULL,
    next_ms INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    UNIQUE (project, name)
) STRICT;
CREATE INDEX scan_policies_due ON scan_policies (next_ms) WHERE next_ms > 0;

CREATE TABLE scan_tasks (
    id TEXT NOT NULL PRIMARY KEY,
    project TEXT NOT NULL,
    policy TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    settings TEXT NOT NULL,
    state TEXT NOT NULL,
    who TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    finished_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX scan_tasks_recent ON scan_tasks (created_ms, id);

CREATE TABLE scan_hosts (
    task TEXT NOT NULL REFERENCES scan_tasks (id) ON DELETE CASCADE,
    host TEXT NOT NULL,
    command TEXT NOT NULL,
    state TEXT NOT NULL,
    start_ms INTEGER NOT NULL,
    started_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    finished_ms INTEGER NOT NULL,
    files INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    found INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    permille INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (task, host)
) STRICT;
CREATE INDEX scan_hosts_due ON scan_hosts (start_ms) WHERE state = 'waiting';
CREATE INDEX scan_hosts_of_host ON scan_hosts (host);

CREATE TABLE change_log (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    project TEXT NOT NULL,
    kind INTEGER NOT NULL,
    id TEXT NOT NULL
) STRICT;

-- Files for people, kept for a day; the content in parts, so that any server can give them out.
CREATE TABLE exports (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    row_count INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX exports_by_time ON exports (created_ms);

CREATE TABLE export_parts (
    export TEXT NOT NULL REFERENCES exports (id) ON DELETE CASCADE,
    part INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (export, part)
) STRICT;

-- Sign-on: second factors, passwords of before, people of other providers, and what projects ask for.
CREATE TABLE second_factors (
    user_id TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    -- Sealed with the server's key.
    secret BLOB NOT NULL,
    confirmed INTEGER NOT NULL,
    -- Of the code that was used last: none is taken twice.
    last_step INTEGER NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash BLOB NOT NULL,
    PRIMARY KEY (user_id, hash)
) STRICT;

CREATE TABLE old_passwords (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    at_ms INTEGER NOT NULL,
    password TEXT NOT NULL,
    PRIMARY KEY (user_id, at_ms)
) STRICT;

CREATE TABLE identities (
    provider TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (provider, subject)
) STRICT;
CREATE INDEX identities_of_user ON identities (user_id);

-- Sign-ins that are under way at a provider; any process may end them, once.
CREATE TABLE sign_on_flows (
    state BLOB NOT NULL PRIMARY KEY,
    browser BLOB NOT NULL,
    provider TEXT NOT NULL,
    nonce TEXT NOT NULL,
    verifier TEXT NOT NULL,
    back TEXT NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_on_flows_by_time ON sign_on_flows (created_ms);

CREATE TABLE provider_sessions (
    credential TEXT NOT NULL PRIMARY KEY REFERENCES credentials (id) ON DELETE CASCADE,
    provider TEXT NOT NULL,
    id_token TEXT NOT NULL
) STRICT;

CREATE TABLE project_rules (
    project TEXT NOT NULL PRIMARY KEY REFERENCES projects (id),
    second_factor INTEGER NOT NULL,
    two_person INTEGER NOT NULL,
    most_hosts INTEGER NOT NULL,
    most_files INTEGER NOT NULL,
    approval_hours INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    updated_by TEXT NOT NULL
) STRICT;

-- What waits for a second person, with all that is done when they say yes.
CREATE TABLE approvals (
    id TEXT NOT NULL PRIMARY KEY,
    -- Sorted, between commas: `,a,b,`.
    projects TEXT NOT NULL,
    action TEXT NOT NULL,
    title TEXT NOT NULL,
    request TEXT NOT NULL,
    author_id TEXT NOT NULL,
    author TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    -- `pending`, `approved`, `rejected`, `cancelled`, `expired`.
    state TEXT NOT NULL,
    decided_id TEXT NOT NULL,
    decided_by TEXT NOT NULL,
    decided_ms INTEGER NOT NULL,
    remark TEXT NOT NULL,
    result TEXT NOT NULL
) STRICT;
CREATE INDEX approvals_recent ON approvals (created_ms, id);
CREATE INDEX approvals_open ON approvals (expires_ms) WHERE state = 'pending';

-- Editions: how many hosts may have which.
CREATE TABLE quota_pools (
    id TEXT NOT NULL PRIMARY KEY,
    -- `*`: shared by all projects.
    project TEXT NOT NULL,
    edition TEXT NOT NULL,
    -- -1: without a limit.
    total INTEGER NOT NULL,
    -- `normal`, `expired`, `freeze`.
    status TEXT NOT NULL,
    -- 0: never.
    expires_ms INTEGER NOT NULL,
    -- Hosts that enrol take from it by themselves.
    automatic INTEGER NOT NULL,
    note TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    revision INTEGER NOT NULL
) STRICT;
CREATE INDEX quota_pools_of_project ON quota_pools (project);

CREATE TABLE quota_uses (
    host TEXT NOT NULL PRIMARY KEY REFERENCES hosts (id) ON DELETE CASCADE,
    pool TEXT NOT NULL REFERENCES quota_pools (id),
    bound_ms INTEGER NOT NULL,
    bound_by TEXT NOT NULL
) STRICT;
CREATE INDEX quota_uses_of_pool ON quota_uses (pool);

-- A fresh installation protects whatever enrols.
INSERT INTO quota_pools (id, project, edition, total, status, expires_ms, automatic, note, created_ms, revision)
VALUES ('00000000-0000-7000-8000-000000000001', '*', 'enterprise', -1, 'normal', 0, 1, 'made with the installation', 0, 1);

-- Notifications and export: where to, what came, what was told, what could not be delivered.
CREATE TABLE targets (
    id TEXT NOT NULL PRIMARY KEY,
    -- Empty: every project.
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    settings TEXT NOT NULL,
    secrets TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    UNIQUE (project, name)
) STRICT;

CREATE TABLE target_states (
    target TEXT NOT NULL PRIMARY KEY REFERENCES targets (id) ON DELETE CASCADE,
    cursor_seq INTEGER NOT NULL,
    pending_to INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    retry_ms INTEGER NOT NULL,
    digest_ms INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    missed INTEGER NOT NULL,
    ok_ms INTEGER NOT NULL,
    error TEXT NOT NULL,
    error_ms INTEGER NOT NULL
) STRICT;

-- Written with what it is about, in one transaction; not in an order that readers could rely on.
CREATE TABLE arrivals (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL
) STRICT;

-- What of it was put into the notices.
CREATE TABLE told (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT;
CREATE INDEX told_by_time ON told (at_ms);

CREATE TABLE notices (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    project TEXT NOT NULL,
    host TEXT NOT NULL,
    kind TEXT NOT NULL,
    about TEXT NOT NULL,
    word TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    noted_ms INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    class TEXT NOT NULL,
    test INTEGER NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX notices_by_time ON notices (noted_ms);

CREATE TABLE dead_letters (
    id TEXT NOT NULL PRIMARY KEY,
    target TEXT NOT NULL REFERENCES targets (id) ON DELETE CASCADE,
    project TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    alarms INTEGER NOT NULL,
    failed_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    error TEXT NOT NULL
) STRICT;
CREATE INDEX dead_letters_of_target ON dead_letters (target, failed_ms);

-- Who of several processes does a thing.
CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    until_ms INTEGER NOT NULL
) STRICT;

-- What people added to a project's content: YARA files and lists of digests.
CREATE TABLE content_items (
    id TEXT NOT NULL PRIMARY KEY,
    project TEXT NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    body BLOB NOT NULL,
    sha256 BLOB NOT NULL,
    entries INTEGER NOT NULL,
    promoted INTEGER NOT NULL,
    promoted_by TEXT NOT NULL,
    added_by TEXT NOT NULL,
    added_ms INTEGER NOT NULL,
    UNIQUE (project, name)
) STRICT;

-- The signed packs of a project: the newest is offered, the one before is kept for who reads it now.
CREATE TABLE content_packs (
    project TEXT NOT NULL REFERENCES projects (id),
    number INTEGER NOT NULL,
    version TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    size INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    signature BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (project, number)
) STRICT;

-- Malware Cloud Scan (docs/adr/0016). What may leave the hosts of a project, and what happens with it.
CREATE TABLE cloud_consents (
    project TEXT NOT NULL PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
    hashes INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    max_sample_bytes INTEGER NOT NULL,
    -- Raw bytes, a NUL behind each.
    exclude BLOB NOT NULL,
    kinds TEXT NOT NULL,
    wait_ms INTEGER NOT NULL,
    fail_closed INTEGER NOT NULL,
    bytes_per_second INTEGER NOT NULL,
    ring_seconds INTEGER NOT NULL,
    -- Ids of host groups.
    canary_groups TEXT NOT NULL,
    sample_days INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    updated_by TEXT NOT NULL
) STRICT;

-- What each host has. A row that is gone keeps its version, so that what comes late does not bring it back.
CREATE TABLE host_files (
    host TEXT NOT NULL,
    -- SHA-256 of the path: paths are too long for an index.
    path_key BLOB NOT NULL,
    project TEXT NOT NULL,
    path BLOB NOT NULL,
    sha256 BLOB NOT NULL,
    size INTEGER NOT NULL,
    kind TEXT NOT NULL,
    packaged INTEGER NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    version INTEGER NOT NULL,
    gone INTEGER NOT NULL,
    PRIMARY KEY (host, path_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX host_files_by_file ON host_files (project, sha256, host);
CREATE INDEX host_files_gone ON host_files (last_ms) WHERE gone;

-- What a project knows of each file that a host of it has or asked about.
CREATE TABLE files (
    project TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    size INTEGER NOT NULL,
    kind TEXT NOT NULL,
    tlsh TEXT NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    first_host TEXT NOT NULL,
    hosts INTEGER NOT NULL,
    packaged_hosts INTEGER NOT NULL,
    standing TEXT NOT NULL,
    standing_ms INTEGER NOT NULL,
    -- A person said so: no scan changes it.
    settled INTEGER NOT NULL,
    PRIMARY KEY (project, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX files_recent ON files (project, first_ms, sha256);
CREATE INDEX files_standing ON files (project, standing, first_ms, sha256);
CREATE INDEX files_forgotten ON files (project, sha256) WHERE hosts = 0;

-- What content lists say, for all projects alike.
CREATE TABLE known_sources (
    number INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE known_files (
    sha256 BLOB NOT NULL PRIMARY KEY,
    bad INTEGER NOT NULL,
    source INTEGER NOT NULL,
    name TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The numbering of a project's verdicts.
CREATE TABLE cloud_feeds (
    project TEXT NOT NULL PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
    feed TEXT NOT NULL,
    number INTEGER NOT NULL
) STRICT;

-- The last one of each file.
CREATE TABLE file_verdicts (
    project TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    number INTEGER NOT NULL,
    class TEXT NOT NULL,
    family TEXT NOT NULL,
    confidence INTEGER NOT NULL,
    rating TEXT NOT NULL,
    verdict BLOB NOT NULL,
    origin TEXT NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    act TEXT NOT NULL,
    release_ms INTEGER NOT NULL,
    released_by TEXT NOT NULL,
    released_ms INTEGER NOT NULL,
    withdrawn INTEGER NOT NULL,
    withdrawn_by TEXT NOT NULL,
    withdrawn_why TEXT NOT NULL,
    withdrawn_ms INTEGER NOT NULL,
    PRIMARY KEY (project, sha256),
    UNIQUE (project, number)
) STRICT;
CREATE INDEX file_verdicts_release ON file_verdicts (release_ms) WHERE act = 'canary' AND NOT withdrawn AND release_ms > 0;

CREATE TABLE samples (
    project TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    size INTEGER NOT NULL,
    kind TEXT NOT NULL,
    host TEXT NOT NULL,
    state TEXT NOT NULL,
    have INTEGER NOT NULL,
    began_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    stored_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    retry_ms INTEGER NOT NULL,
    reason TEXT NOT NULL,
    hold INTEGER NOT NULL,
    hold_by TEXT NOT NULL,
    hold_why TEXT NOT NULL,
    hold_ms INTEGER NOT NULL,
    deleted_by TEXT NOT NULL,
    deleted_why TEXT NOT NULL,
    deleted_ms INTEGER NOT NULL,
    PRIMARY KEY (project, sha256)
) STRICT;
CREATE INDEX samples_recent ON samples (project, began_ms, sha256);
CREATE INDEX samples_expire ON samples (expires_ms) WHERE state = 'stored' AND NOT hold AND expires_ms > 0;
CREATE INDEX samples_unfinished ON samples (updated_ms) WHERE state IN ('receiving', 'deleting');

CREATE TABLE deep_scans (
    id TEXT NOT NULL PRIMARY KEY,
    project TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    state TEXT NOT NULL,
    -- Taken no earlier; of one that is taken: when its lease runs out.
    due_ms INTEGER NOT NULL,
    queued_ms INTEGER NOT NULL,
    started_ms INTEGER NOT NULL,
    finished_ms INTEGER NOT NULL,
    worker TEXT NOT NULL,
    tries INTEGER NOT NULL,
    crashes INTEGER NOT NULL,
    reason TEXT NOT NULL,
    standing TEXT NOT NULL,
    votes TEXT NOT NULL,
    report BLOB NOT NULL,
    told INTEGER NOT NULL,
    UNIQUE (project, sha256)
) STRICT;
CREATE INDEX deep_scans_due ON deep_scans (due_ms, id) WHERE state IN ('queued', 'scanning');
CREATE INDEX deep_scans_recent ON deep_scans (project, queued_ms, id);
CREATE INDEX deep_scans_untold ON deep_scans (finished_ms) WHERE state = 'set_aside' AND NOT told;
