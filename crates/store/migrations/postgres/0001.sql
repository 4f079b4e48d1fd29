-- SPDX-License-Identifier: Apache-2.0
CREATE TABLE meta (name TEXT COLLATE "C" NOT NULL PRIMARY KEY, value TEXT COLLATE "C" NOT NULL);

CREATE TABLE projects (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    created_ms BIGINT NOT NULL
);

CREATE TABLE policy_groups (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    project TEXT COLLATE "C" NOT NULL REFERENCES projects (id),
    name TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    settings TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    updated_by TEXT COLLATE "C" NOT NULL,
    UNIQUE (project, name)
);

CREATE TABLE host_groups (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    project TEXT COLLATE "C" NOT NULL REFERENCES projects (id),
    name TEXT COLLATE "C" NOT NULL,
    policy_group TEXT COLLATE "C" REFERENCES policy_groups (id),
    revision BIGINT NOT NULL,
    UNIQUE (project, name)
);
CREATE INDEX host_groups_policy ON host_groups (policy_group);

CREATE TABLE hosts (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    project TEXT COLLATE "C" NOT NULL REFERENCES projects (id),
    host_group TEXT COLLATE "C" REFERENCES host_groups (id),
    name TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    importance TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    os TEXT COLLATE "C" NOT NULL,
    kernel TEXT COLLATE "C" NOT NULL,
    arch TEXT COLLATE "C" NOT NULL,
    addresses TEXT COLLATE "C" NOT NULL,
    content_version TEXT COLLATE "C" NOT NULL,
    protection TEXT COLLATE "C" NOT NULL,
    protection_reason TEXT COLLATE "C" NOT NULL,
    enrolled_ms BIGINT NOT NULL,
    seen_ms BIGINT NOT NULL,
    status_ms BIGINT NOT NULL,
    stopped BOOLEAN NOT NULL,
    revoked BOOLEAN NOT NULL,
    removed BOOLEAN NOT NULL,
    generation BIGINT NOT NULL,
    generation_applied BIGINT NOT NULL,
    refused TEXT COLLATE "C" NOT NULL,
    acked_epoch BIGINT NOT NULL,
    acked_seq BIGINT NOT NULL,
    run TEXT COLLATE "C" NOT NULL,
    gateway TEXT COLLATE "C" NOT NULL,
    machine_id TEXT COLLATE "C" NOT NULL,
    boot_id TEXT COLLATE "C" NOT NULL,
    serial TEXT COLLATE "C" NOT NULL,
    certificate_until_ms BIGINT NOT NULL,
    report BYTEA NOT NULL,
    silent_told BOOLEAN NOT NULL,
    -- In lower case, for "contains".
    name_search TEXT COLLATE "C" NOT NULL,
    search TEXT COLLATE "C" NOT NULL
);
CREATE INDEX hosts_by_name ON hosts (name, id);
CREATE INDEX hosts_of_project ON hosts (project, name, id);
CREATE INDEX hosts_of_group ON hosts (host_group);
CREATE INDEX hosts_of_gateway ON hosts (gateway) WHERE gateway <> '';
CREATE INDEX hosts_behind ON hosts (gateway) WHERE generation_applied < generation;
CREATE INDEX hosts_by_machine ON hosts (machine_id);
CREATE INDEX hosts_by_status ON hosts (status, seen_ms);

CREATE TABLE switches (
    project TEXT COLLATE "C" NOT NULL REFERENCES projects (id),
    name TEXT COLLATE "C" NOT NULL,
    is_on BOOLEAN NOT NULL,
    who TEXT COLLATE "C" NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (project, name)
);

CREATE TABLE tokens (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    hash BYTEA NOT NULL UNIQUE,
    project TEXT COLLATE "C" NOT NULL REFERENCES projects (id),
    host_group TEXT COLLATE "C" REFERENCES host_groups (id) ON DELETE SET NULL,
    expires_ms BIGINT NOT NULL,
    uses_left BIGINT NOT NULL,
    who TEXT COLLATE "C" NOT NULL,
    created_ms BIGINT NOT NULL,
    note TEXT COLLATE "C" NOT NULL
);

-- What lists are filtered by; the rest of an alarm is in alarm_details, so that scans stay narrow.
CREATE TABLE alarms (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    host TEXT COLLATE "C" NOT NULL,
    project TEXT COLLATE "C" NOT NULL,
    at_ms BIGINT NOT NULL,
    last_ms BIGINT NOT NULL,
    hits BIGINT NOT NULL,
    severity BIGINT NOT NULL,
    class TEXT COLLATE "C" NOT NULL,
    rating TEXT COLLATE "C" NOT NULL,
    confidence BIGINT NOT NULL,
    title TEXT COLLATE "C" NOT NULL,
    path BYTEA NOT NULL,
    sha256 BYTEA NOT NULL,
    process_sha256 BYTEA NOT NULL,
    -- First bytes of the SHA-256 of the arguments, 0 without any: they are too long for an index.
    cmdline_key BIGINT NOT NULL,
    uid BIGINT NOT NULL,
    container TEXT COLLATE "C" NOT NULL,
    origin TEXT COLLATE "C" NOT NULL,
    decision TEXT COLLATE "C" NOT NULL,
    auto_block BOOLEAN NOT NULL,
    test BOOLEAN NOT NULL,
    isolated TEXT COLLATE "C" NOT NULL,
    handled BOOLEAN NOT NULL,
    handled_by TEXT COLLATE "C" NOT NULL,
    handled_who TEXT COLLATE "C" NOT NULL,
    handled_ms BIGINT NOT NULL,
    remark TEXT COLLATE "C" NOT NULL,
    suppressed TEXT COLLATE "C" NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    search TEXT COLLATE "C" NOT NULL
) PARTITION BY RANGE (id);
-- By the day of birth, which an id begins with (alarms/days.rs); here what has no day of its own.
CREATE TABLE alarms_rest PARTITION OF alarms DEFAULT;
CREATE INDEX alarms_recent ON alarms
    (last_ms, id, suppressed, handled, severity, class, rating, auto_block, test, project, host);
CREATE INDEX alarms_of_project ON alarms
    (project, last_ms, id, suppressed, handled, severity, class, rating, auto_block, test, host);
CREATE INDEX alarms_of_host ON alarms (host, last_ms, id, suppressed, handled, severity, class, rating, project);
CREATE INDEX alarms_by_class ON alarms (class, last_ms, id, suppressed, handled, severity, rating, project);
CREATE INDEX alarms_by_severity ON alarms (severity, last_ms, id, suppressed, handled, class, rating, project);
CREATE INDEX alarms_open ON alarms (last_ms, id, suppressed, project, severity, class, rating, host) WHERE NOT handled;
CREATE INDEX alarms_by_file ON alarms (sha256, last_ms, id) WHERE length(sha256) > 0;
CREATE INDEX alarms_suppressed ON alarms (suppressed, last_ms, id) WHERE suppressed <> '';
CREATE INDEX alarms_handled_class ON alarms (host, class, last_ms) WHERE handled;
CREATE INDEX alarms_handled_program ON alarms (process_sha256, last_ms) WHERE handled AND length(process_sha256) > 0;
CREATE INDEX alarms_handled_cmdline ON alarms (cmdline_key, last_ms) WHERE handled AND cmdline_key <> 0;
CREATE INDEX alarms_handled_user ON alarms (uid, last_ms) WHERE handled AND uid >= 0;

CREATE TABLE alarm_details (
    alarm_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    of_host TEXT COLLATE "C" NOT NULL,
    cmdline BYTEA NOT NULL,
    details BYTEA NOT NULL
) PARTITION BY RANGE (alarm_id);
CREATE TABLE alarm_details_rest PARTITION OF alarm_details DEFAULT;

-- Outlives the alarm.
CREATE TABLE handlings (
    alarm TEXT COLLATE "C" NOT NULL,
    at_ms BIGINT NOT NULL,
    verb TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    host TEXT COLLATE "C" NOT NULL,
    project TEXT COLLATE "C" NOT NULL,
    who TEXT COLLATE "C" NOT NULL,
    remark TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C" NOT NULL,
    class TEXT COLLATE "C" NOT NULL,
    severity BIGINT NOT NULL,
    PRIMARY KEY (alarm, at_ms, verb)
);
CREATE INDEX handlings_recent ON handlings (at_ms, id);
CREATE INDEX handlings_of_project ON handlings (project, at_ms, id);

CREATE TABLE isolated (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    host TEXT COLLATE "C" NOT NULL,
    project TEXT COLLATE "C" NOT NULL,
    path BYTEA NOT NULL,
    sha256 BYTEA NOT NULL,
    size BIGINT NOT NULL,
    class TEXT COLLATE "C" NOT NULL,
    family TEXT COLLATE "C" NOT NULL,
    confidence BIGINT NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    alarm TEXT COLLATE "C" NOT NULL,
    alarm_title TEXT COLLATE "C" NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    isolated_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    details BYTEA NOT NULL,
    search TEXT COLLATE "C" NOT NULL
);
CREATE INDEX isolated_recent ON isolated (updated_ms, id);
CREATE INDEX isolated_of_project ON isolated (project, updated_ms, id);
CREATE INDEX isolated_of_host ON isolated (host, updated_ms, id);
CREATE INDEX isolated_by_file ON isolated (sha256);
CREATE INDEX isolated_untitled ON isolated (alarm) WHERE alarm_title = '' AND alarm <> '';
CREATE INDEX isolated_by_status ON isolated (status, updated_ms, id);

CREATE TABLE host_events (
    host TEXT COLLATE "C" NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    alarm TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (host, epoch, seq)
);
CREATE INDEX host_events_by_time ON host_events (at_ms);

CREATE TABLE commands (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    host TEXT COLLATE "C" NOT NULL,
    project TEXT COLLATE "C" NOT NULL,
    task TEXT COLLATE "C" NOT NULL,
    verb TEXT COLLATE "C" NOT NULL,
    about TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    who TEXT COLLATE "C" NOT NULL,
    created_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    sent_ms BIGINT NOT NULL,
    finished_ms BIGINT NOT NULL,
    cancel BOOLEAN NOT NULL,
    payload BYTEA NOT NULL,
    result BYTEA NOT NULL
);
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
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    project TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    scope_id TEXT COLLATE "C" NOT NULL,
    field TEXT COLLATE "C" NOT NULL,
    judge TEXT COLLATE "C" NOT NULL,
    value BYTEA NOT NULL,
    sha256 BYTEA NOT NULL,
    any_content BOOLEAN NOT NULL,
    class TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    added_by TEXT COLLATE "C" NOT NULL,
    added_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    alarm TEXT COLLATE "C" NOT NULL,
    hits_total BIGINT NOT NULL,
    hits_today BIGINT NOT NULL,
    hits_day BIGINT NOT NULL,
    last_hit_ms BIGINT NOT NULL,
    ended BOOLEAN NOT NULL,
    search TEXT COLLATE "C" NOT NULL
);
CREATE INDEX whitelist_recent ON whitelist (added_ms, id);
CREATE INDEX whitelist_by_scope ON whitelist (project, scope, scope_id);
CREATE INDEX whitelist_ends ON whitelist (expires_ms) WHERE expires_ms > 0 AND NOT ended;

CREATE TABLE whitelist_hits (
    seq BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    entry TEXT COLLATE "C" NOT NULL,
    host TEXT COLLATE "C" NOT NULL,
    at_ms BIGINT NOT NULL,
    hits BIGINT NOT NULL,
    path BYTEA NOT NULL,
    sha256 BYTEA NOT NULL
);
CREATE INDEX whitelist_hits_of_entry ON whitelist_hits (entry, seq);

CREATE TABLE users (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    password TEXT COLLATE "C" NOT NULL,
    must_change BOOLEAN NOT NULL,
    disabled BOOLEAN NOT NULL,
    failures BIGINT NOT NULL,
    locked_until_ms BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    last_ms BIGINT NOT NULL,
    grants TEXT COLLATE "C" NOT NULL
);

CREATE TABLE credentials (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT COLLATE "C" NOT NULL,
    hash BYTEA NOT NULL UNIQUE,
    note TEXT COLLATE "C" NOT NULL,
    created_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    last_ms BIGINT NOT NULL,
    grants TEXT COLLATE "C" NOT NULL
);
CREATE INDEX credentials_of_user ON credentials (user_id);

CREATE TABLE audit (
    seq BIGINT NOT NULL PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    who TEXT COLLATE "C" NOT NULL,
    address TEXT COLLATE "C" NOT NULL,
    project TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    target TEXT COLLATE "C" NOT NULL,
    before_json TEXT COLLATE "C" NOT NULL,
    after_json TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    hash BYTEA NOT NULL
);

CREATE TABLE answers (
    user_id TEXT COLLATE "C" NOT NULL,
    idempotency_key TEXT COLLATE "C" NOT NULL,
    request BYTEA NOT NULL,
    status BIGINT NOT NULL,
    body BYTEA NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (user_id, idempotency_key)
);
CREATE INDEX answers_by_time ON answers (at_ms);

CREATE TABLE scan_policies (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    project TEXT COLLATE "C" NOT NULL REFERENCES projects (id),
    name TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    settings TEXT COLLATE "C" NOT NULL,
    next_ms BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    updated_by TEXT COLLATE "C" NOT NULL,
    UNIQUE (project, name)
);
CREATE INDEX scan_policies_due ON scan_policies (next_ms) WHERE next_ms > 0;

CREATE TABLE scan_tasks (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    project TEXT COLLATE "C" NOT NULL,
    policy TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    settings TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    who TEXT COLLATE "C" NOT NULL,
    created_ms BIGINT NOT NULL,
    finished_ms BIGINT NOT NULL
);
CREATE INDEX scan_tasks_recent ON scan_tasks (created_ms, id);

CREATE TABLE scan_hosts (
    task TEXT COLLATE "C" NOT NULL REFERENCES scan_tasks (id) ON DELETE CASCADE,
    host TEXT COLLATE "C" NOT NULL,
    command TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    start_ms BIGINT NOT NULL,
    started_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    finished_ms BIGINT NOT NULL,
    files BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    found BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    permille BIGINT NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (task, host)
);
CREATE INDEX scan_hosts_due ON scan_hosts (start_ms) WHERE state = 'waiting';
CREATE INDEX scan_hosts_of_host ON scan_hosts (host);

CREATE TABLE change_log (
    seq BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    project TEXT COLLATE "C" NOT NULL,
    kind BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL
);


-- What people added to a project's content: YARA files and lists of digests.
CREATE TABLE content_items (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    project TEXT COLLATE "C" NOT NULL REFERENCES projects (id),
    name TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    body BYTEA NOT NULL,
    sha256 BYTEA NOT NULL,
    entries BIGINT NOT NULL,
    promoted BOOLEAN NOT NULL,
    promoted_by TEXT COLLATE "C" NOT NULL,
    added_by TEXT COLLATE "C" NOT NULL,
    added_ms BIGINT NOT NULL,
    UNIQUE (project, name)
);

-- The signed packs of a project: the newest is offered, the one before is kept for who reads it now.
CREATE TABLE content_packs (
    project TEXT COLLATE "C" NOT NULL REFERENCES projects (id),
    number BIGINT NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    sha256 BYTEA NOT NULL,
    size BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    signature BYTEA NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (project, number)
);
