// SPDX-License-Identifier: Apache-2.0
//! The schema, one migration a version. A migration that was released is never changed.

use crate::corrupt;
use rusqlite::Connection;

/// Migration `n` (from 0) leads to `user_version` `n + 1`.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE alarms (
        id TEXT PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        last_ms INTEGER NOT NULL,
        count INTEGER NOT NULL,
        class TEXT,
        rating INTEGER,
        path BLOB NOT NULL,
        sha256 BLOB,
        handled INTEGER NOT NULL,
        test INTEGER NOT NULL,
        isolated TEXT,
        title TEXT NOT NULL,
        details BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX alarms_by_time ON alarms (last_ms);
    CREATE INDEX alarms_by_file ON alarms (path, last_ms);
    CREATE INDEX alarms_unhandled ON alarms (handled) WHERE handled = 0;

    CREATE TABLE whitelist (
        id TEXT PRIMARY KEY,
        field TEXT NOT NULL,
        judge TEXT NOT NULL,
        value BLOB NOT NULL,
        sha256 BLOB,
        any_content INTEGER NOT NULL,
        description TEXT NOT NULL,
        added_ms INTEGER NOT NULL,
        added_by TEXT NOT NULL,
        hits INTEGER NOT NULL,
        last_hit_ms INTEGER
    ) STRICT;

    CREATE TABLE exceptions (
        sha256 BLOB PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        why TEXT NOT NULL
    ) STRICT;

    CREATE TABLE settings (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT;

    CREATE TABLE breakers (
        rule TEXT PRIMARY KEY,
        opened_ms INTEGER NOT NULL,
        why TEXT NOT NULL
    ) STRICT;
",
    "
    ALTER TABLE breakers ADD COLUMN hits INTEGER NOT NULL DEFAULT 0;
",
    "
    ALTER TABLE whitelist ADD COLUMN class TEXT;
    ALTER TABLE whitelist ADD COLUMN expires_ms INTEGER;

    CREATE TABLE alarms_changed (
        id TEXT PRIMARY KEY,
        version INTEGER NOT NULL,
        urgent INTEGER NOT NULL
    ) STRICT;
    CREATE TRIGGER alarm_inserted AFTER INSERT ON alarms BEGIN
        INSERT INTO alarms_changed (id, version, urgent) VALUES (NEW.id, 1, 1)
        ON CONFLICT (id) DO UPDATE SET version = version + 1, urgent = 1;
    END;
    CREATE TRIGGER alarm_updated AFTER UPDATE ON alarms BEGIN
        INSERT INTO alarms_changed (id, version, urgent) VALUES (NEW.id, 1, NEW.count = OLD.count)
        ON CONFLICT (id) DO UPDATE SET version = version + 1, urgent = max(urgent, excluded.urgent);
    END;
    INSERT INTO alarms_changed (id, version, urgent) SELECT id, 1, 1 FROM alarms;

    CREATE TABLE commands (
        id TEXT PRIMARY KEY,
        received_ms INTEGER NOT NULL,
        begun INTEGER NOT NULL,
        finished_ms INTEGER,
        command BLOB NOT NULL,
        result BLOB
    ) STRICT;
",
    "
    CREATE TABLE programs (
        path BLOB PRIMARY KEY,
        sha256 BLOB NOT NULL,
        size INTEGER NOT NULL,
        kind TEXT NOT NULL,
        packaged INTEGER NOT NULL,
        dev INTEGER NOT NULL,
        ino INTEGER NOT NULL,
        ctime_s INTEGER NOT NULL,
        ctime_ns INTEGER NOT NULL,
        first_ms INTEGER NOT NULL,
        last_ms INTEGER NOT NULL,
        gone INTEGER NOT NULL,
        version INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX programs_by_hash ON programs (sha256) WHERE gone = 0;
    CREATE UNIQUE INDEX programs_by_version ON programs (version);

    CREATE TABLE hash_answers (
        sha256 BLOB PRIMARY KEY,
        standing TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        until_ms INTEGER NOT NULL,
        wanted INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE open_questions (
        sha256 BLOB PRIMARY KEY,
        size INTEGER NOT NULL,
        kind TEXT NOT NULL,
        packaged INTEGER NOT NULL,
        path BLOB NOT NULL,
        tlsh TEXT NOT NULL,
        first_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE cloud_verdicts (
        sha256 BLOB PRIMARY KEY,
        number INTEGER NOT NULL,
        verdict BLOB NOT NULL,
        withdrawn INTEGER NOT NULL,
        act INTEGER NOT NULL,
        done INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX cloud_verdicts_by_number ON cloud_verdicts (number);
    CREATE INDEX cloud_verdicts_undone ON cloud_verdicts (number) WHERE done = 0;
",
    "
    CREATE TABLE sent (
        day INTEGER NOT NULL,
        what TEXT NOT NULL,
        path BLOB NOT NULL,
        sha256 BLOB NOT NULL,
        server TEXT NOT NULL,
        first_ms INTEGER NOT NULL,
        last_ms INTEGER NOT NULL,
        times INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        PRIMARY KEY (day, what, path, sha256, server)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sent_by_time ON sent (last_ms);

    CREATE TABLE samples (
        sha256 BLOB PRIMARY KEY,
        standing TEXT NOT NULL,
        reason TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        not_before_ms INTEGER NOT NULL,
        tries INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX samples_waiting ON samples (standing, not_before_ms);
",
];

/// The version this build writes.
pub(crate) const VERSION: i64 = MIGRATIONS.len() as i64;

/// `user_version`, 0 for an empty file.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |r| r.get(0))
}

/// Brings the schema up to [`VERSION`]; each step is one transaction, so a crash leaves a whole one.
pub(crate) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    loop {
        // Immediate: two processes that open the same empty file must not both create the tables.
        let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let at = version(&tx)?;
        let Some(step) = usize::try_from(at).ok().and_then(|i| MIGRATIONS.get(i)) else {
            return tx.commit();
        };
        // A step only fails when the file is sound but not ours (a table is there in another shape), or
        // with an error of the disk, which keeps its own code.
        tx.execute_batch(step).map_err(|e| match e {
            rusqlite::Error::SqlInputError { msg, .. } => corrupt::damage(msg),
            // SQLITE_ERROR: a table that an earlier step made is not there.
            rusqlite::Error::SqliteFailure(e, Some(msg)) if e.extended_code == 1 => corrupt::damage(msg),
            other => other,
        })?;
        tx.pragma_update(None, "user_version", at + 1)?;
        tx.commit()?;
    }
}
